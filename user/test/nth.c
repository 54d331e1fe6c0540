/* SPDX-License-Identifier: MIT */
/*
 * nth.c - the n-th allocation fails, for every n, operation by operation.
 *
 * A child lets the n-th allocation of the kernel on its behalf fail and does
 * the operation; n grows until the operation needs fewer.  So every point is
 * reached.  Each time the operation works, because somebody tried again, or
 * says that memory is short; then it works at the second try, and nothing of
 * the first is left.
 */
#include "ktap.h"
#include <thread.h>

#include <abi/al.h>

#define PG	PAGE_SIZE
#define RW	(PROT_READ | PROT_WRITE)
#define LIMIT	2000u		/* more allocations than any operation needs */
#define SETTLE_NS 3000000000ull

/* An operation; 0, or the errno of what failed.  It leaves nothing. */
typedef int operation(void);

/* What a child ends with; an operation's child has the first three too. */
enum { DONE, FAILED_CLEANLY = 40, WRONG };

static char *area;		/* made before memory gets short */
#define AREA_PAGES	64

static int
error_of(long result)
{
	return result < 0 ? errno : 0;
}

/* --- the operations -------------------------------------------------- */

static int
await_child(pid_t pid)
{
	int status;

	if (pid < 0)
		return errno;
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static int
do_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return await_child(pid);
}

static void *
nothing(void *arg)
{
	return arg;
}

static int
do_thread(void)
{
	struct thread t;
	int error = error_of(thread_create(&t, nothing, area));

	if (error == 0)
		EXPECT_EQ(thread_join(&t), area);
	return error;
}

/* The child that is armed becomes the program, so this is its end. */
static int
do_exec(void)
{
	const char *argv[] = { "true", NULL };

	execve("/bin/true", argv, argv + 1);
	return errno;
}

/* What happens between the start of init and the prompt, but for fork. */
static int
do_shell(void)
{
	const char *argv[] = { "sh", "-c", "true", NULL };

	close(0);
	if (open("/dev/ttyS0", O_RDWR | O_NOCTTY) != 0)
		return errno;
	execve("/bin/sh", argv, argv + 3);
	return errno;
}

static int
do_mmap(void)
{
	char *p = mmap(NULL, 8 * PG, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int error;

	if (p == MAP_FAILED)
		return errno;
	error = error_of(mprotect(p + 2 * PG, PG, PROT_READ));
	if (error == 0)
		error = error_of(munmap(p + 4 * PG, PG));
	if (munmap(p, 8 * PG) != 0) {
		EXPECT_EQ(errno, ENOMEM);
		error = ENOMEM;
		EXPECT_OK(munmap(p, 8 * PG));
	}
	return error;
}

/* Far apart, so that each touch needs tables too. */
static int
do_fault(void)
{
	char *p;
	size_t i;

	for (i = 1; i <= 4; i++) {
		p = mmap((void *)(i << 33), PG, RW, MAP_PRIVATE |
		    MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (p == MAP_FAILED)
			return errno;
		*(volatile char *)p = 1;
		if (munmap(p, PG) != 0)
			return errno;
	}
	return 0;
}

/* All of it is still shared with the parent. */
static int
do_copy_on_write(void)
{
	size_t i;

	for (i = 0; i < AREA_PAGES; i += 9) {
		area[i * PG] = (char)i;
		EXPECT_EQ(area[i * PG], (char)i);
	}
	return 0;
}

static int
do_file_fault(void)
{
	int fd = open("/bin/ktest", O_RDONLY), error = 0;
	char *p;

	if (fd < 0)
		return errno;
	p = mmap(NULL, 8 * PG, RW, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		error = errno;
	close(fd);
	if (error != 0)
		return error;
	EXPECT_EQ(memcmp(p, "\177ELF", 4), 0);
	p[PG] = 1;
	EXPECT_OK(munmap(p, 8 * PG));
	return 0;
}

static int
do_file(void)
{
	int error = 0, fd = open("/tmp/nth", O_RDWR | O_CREAT | O_TRUNC, 0600);
	ssize_t n = 0, r;

	if (fd < 0)
		return errno;
	while (error == 0 && n < 16 * (ssize_t)PG) {
		r = write(fd, area + n, (size_t)(16 * (ssize_t)PG - n));
		error = error_of(r);
		n += r > 0 ? r : 0;
	}
	if (error == 0)
		error = error_of(fsync(fd));
	if (error == 0)
		EXPECT_EQ(lseek(fd, 0, SEEK_END), 16 * PG);
	close(fd);
	if (unlink("/tmp/nth") != 0) {
		error = errno;
		EXPECT_OK(unlink("/tmp/nth"));
	}
	return error;
}

static int
do_names(void)
{
	int error = error_of(mkdir("/tmp/nth.d", 0755)), fd;
	char buf[512];

	if (error != 0)
		return error;
	error = error_of(symlink("there", "/tmp/nth.d/link"));
	if (error == 0)
		error = error_of(readlink("/tmp/nth.d/link", buf, 64));
	if (error == 0)
		error = error_of(rename("/tmp/nth.d/link", "/tmp/nth.d/b"));
	fd = open("/tmp/nth.d", O_RDONLY | O_DIRECTORY);
	if (fd < 0 || getdents64(fd, buf, sizeof(buf)) < 0)
		error = errno;
	close(fd);
	while (unlink("/tmp/nth.d/link") != 0 && errno == ENOMEM)
		error = ENOMEM;
	while (unlink("/tmp/nth.d/b") != 0 && errno == ENOMEM)
		error = ENOMEM;
	while (rmdir("/tmp/nth.d") != 0) {
		EXPECT_EQ(errno, ENOMEM);
		error = ENOMEM;
	}
	return error;
}

static int
do_pipe(void)
{
	int fds[2], error;
	ssize_t n;

	if (pipe2(fds, O_NONBLOCK) != 0)
		return errno;
	n = write(fds[1], area, 3 * PG);
	error = error_of(n);
	if (error == 0)
		EXPECT_EQ(read(fds[0], area, 4 * PG), n);
	close(fds[0]);
	close(fds[1]);
	return error;
}

static int
do_vectors(void)
{
	struct iovec iov[16];
	struct pollfd p[16];
	int fd = open("/dev/null", O_RDWR), error = 0, i;

	if (fd < 0)
		return errno;
	for (i = 0; i < 16; i++) {
		iov[i] = (struct iovec){ area, 10 };
		p[i] = (struct pollfd){ .fd = fd, .events = POLLOUT };
	}
	if (writev(fd, iov, 16) != 160 || poll(p, 16, 0) != 16)
		error = errno;
	close(fd);
	return error;
}

static int
do_proc(void)
{
	static const char *const names[] = { "/proc/self/maps", "/proc/meminfo",
		"/proc/vmstat", "/proc/self/status" };
	char buf[256];
	size_t i;
	int fd, error = 0;

	for (i = 0; i < nitems(names) && error == 0; i++) {
		fd = open(names[i], O_RDONLY);
		if (fd < 0)
			return errno;
		error = error_of(read(fd, buf, sizeof(buf)));
		close(fd);
	}
	if (error == 0 && getcwd(buf, sizeof(buf)) == NULL)
		error = errno;
	return error;
}

static volatile int signals;

static void
count_signal(int sig)
{
	(void)sig;
	signals++;
}

static int
do_signal(void)
{
	int before = signals, error;

	signal(SIGUSR1, count_signal);
	error = error_of(kill(getpid(), SIGUSR1));
	if (error == 0)
		EXPECT_EQ(signals, before + 1);
	return error;
}

static int
do_appel_li(void)
{
	struct al_op op = { (uint64_t)(uintptr_t)area, 1, AL_PROT_READ };
	uint64_t bits = 0;
	int error = error_of(al_region(area, AREA_PAGES * PG, AL_REGION_ADD));

	if (error != 0)
		return error;
	error = error_of(al_prot(&op, 1));
	if (error == 0)
		error = error_of(al_dirty(area, AREA_PAGES * PG, &bits));
	while (al_region(area, AREA_PAGES * PG, AL_REGION_REMOVE) != 0) {
		EXPECT_EQ(errno, ENOMEM);
		error = ENOMEM;
	}
	return error;
}

/* --- every n --------------------------------------------------------- */

static bool
is_shortage(int error)
{
	return error == ENOMEM || error == EAGAIN || error == EIO;
}

/* In the child.  exec does not come back: then the child is the program. */
static void
armed(operation *op, unsigned n)
{
	int error;

	if (tern_fail(n) < 0)
		_exit(WRONG);
	error = op();
	tern_fail(0);
	if (error == 0)
		_exit(DONE);
	if (!is_shortage(error)) {
		ktap_note("allocation %u: %s", n, strerror(error));
		_exit(WRONG);
	}
	if (op == do_exec || op == do_shell)
		_exit(FAILED_CLEANLY);
	error = op();
	if (error != 0)
		ktap_note("allocation %u, second try: %s", n, strerror(error));
	_exit(error == 0 ? FAILED_CLEANLY : WRONG);
}

static void
expect_nothing_left(unsigned n, const struct tern_stat *before)
{
	static const enum tern_stat_index exact[] = { TS_processes, TS_threads,
		TS_spaces, TS_files, TS_pipes, TS_regions, TS_pinned_pages };
	static const char *const what[] = { "processes", "threads", "spaces",
		"files", "pipes", "regions", "pins" };
	static struct tern_stat now;
	uint64_t end = now_ns() + SETTLE_NS;
	size_t i;

	for (i = 0; i < nitems(exact); i++) {
		do {
			tern_stat(&now, sizeof(now));
		} while (now.v[exact[i]] != before->v[exact[i]] &&
		    now_ns() < end);
		if (now.v[exact[i]] != before->v[exact[i]])
			ktap_fail(__FILE__, __LINE__, "allocation %u failed: "
			    "%s: %lu before, %lu after", n, what[i],
			    before->v[exact[i]], now.v[exact[i]]);
	}
}

/*
 * @p program: the operation ends as another program.  Once exec has taken the
 * old one away, what is missing for the new one ends the process; what the new
 * one misses it says by its exit code.
 */
static void
every_allocation(operation *op, bool program)
{
	static struct tern_stat before;
	unsigned n, clean = 0, died = 0;
	uint64_t failed;
	int status;
	pid_t pid;

	area = map_pages(AREA_PAGES);
	memset(area, 7, AREA_PAGES * PG);
	EXPECT_EQ(program ? 0 : op(), 0);
	stat_settled(&before);
	for (n = 1; n < LIMIT; n++) {
		failed = stat_now(TS_failed_allocs);
		pid = (pid_t)EXPECT_OK(fork());
		if (pid == 0)
			armed(op, n);
		EXPECT_EQ(waitpid(pid, &status, 0), pid);
		if (stat_now(TS_failed_allocs) == failed)
			break;
		if (program && WIFSIGNALED(status)) {
			expect_signal(status, SIGKILL);
			died++;
		} else if (WIFEXITED(status) &&
		    (WEXITSTATUS(status) == FAILED_CLEANLY || (program &&
		    WEXITSTATUS(status) != WRONG && status != 0))) {
			clean++;
		} else {
			expect_exit(status, DONE);
		}
		expect_nothing_left(n, &before);
	}
	EXPECT(n > 1 && n < LIMIT);
	expect_exit(status, 0);		/* of the one that was not disturbed */
	ktap_note("%u allocations: %u failures told, %u tried again, %u ends",
	    n - 1, clean, n - 1 - clean - died, died);
}

#define NTH(name, op, program)						\
	static void							\
	name(void)							\
	{								\
		every_allocation(op, program);				\
	}

NTH(fork_, do_fork, false)
NTH(thread_, do_thread, false)
NTH(exec_, do_exec, true)
NTH(shell, do_shell, true)
NTH(mmap_, do_mmap, false)
NTH(fault_, do_fault, false)
NTH(copy_on_write, do_copy_on_write, false)
NTH(file_fault, do_file_fault, false)
NTH(file, do_file, false)
NTH(names, do_names, false)
NTH(pipe_, do_pipe, false)
NTH(vectors, do_vectors, false)
NTH(proc, do_proc, false)
NTH(signal_, do_signal, false)
NTH(appel_li, do_appel_li, false)

static const struct ktap_test tests[] = {
	TEST(fork_, T_TERN),
	TEST(thread_, T_TERN),
	TEST(exec_, T_TERN),
	TEST(shell, T_TERN),
	TEST(mmap_, T_TERN),
	TEST(fault_, T_TERN),
	TEST(copy_on_write, T_TERN),
	TEST(file_fault, T_TERN),
	TEST(file, T_TERN),
	TEST(names, T_TERN),
	TEST(pipe_, T_TERN),
	TEST(vectors, T_TERN),
	TEST(proc, T_TERN),
	TEST(signal_, T_TERN),
	TEST(appel_li, T_TERN),
};

KTAP_MAIN("nth")
