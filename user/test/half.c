/* SPDX-License-Identifier: MIT */
/*
 * half.c - transfers that fail in the middle, and buffers that go meanwhile.
 *
 * A buffer that runs into a hole: what was moved is what the call says, and
 * nothing else has changed, in the file, the pipe, the position, the table of
 * descriptors or memory.  Then another thread unmaps and maps the buffer while
 * calls use it: each ends with success, a short count or EFAULT, and no byte
 * that was moved is another's.
 */
#include "ktap.h"
#include <thread.h>

#include <abi/al.h>

#define PG	PAGE_SIZE
#define RW	(PROT_READ | PROT_WRITE)
#define ROUNDS	300		/* boot argument half= */

/* @p npages full of @p byte, with nothing behind. */
static char *
before_hole(size_t npages, int byte)
{
	char *p = map_pages(npages + 2);

	EXPECT_OK(mprotect(p + npages * PG, 2 * PG, PROT_NONE));
	memset(p, byte, npages * PG);
	return p;
}

static int
new_file(size_t size)
{
	char *p = map_pages(4);
	int fd = (int)EXPECT_OK(open("/tmp/half", O_RDWR | O_CREAT | O_TRUNC,
	    0600));

	EXPECT_OK(unlink("/tmp/half"));
	memset(p, 'f', size);
	EXPECT_EQ(write(fd, p, size), size);
	EXPECT_EQ(lseek(fd, 0, SEEK_SET), 0);
	EXPECT_OK(munmap(p, 4 * PG));
	return fd;
}

/* The file holds @p n bytes of 'w', then 'f' up to @p size. */
static void
expect_file(int fd, size_t n, size_t size)
{
	static char buf[8 * PG];
	size_t i;

	EXPECT_EQ(pread(fd, buf, sizeof(buf), 0), size);
	for (i = 0; i < size; i++) {
		if (buf[i] != (i < n ? 'w' : 'f'))
			ktap_fail(__FILE__, __LINE__, "byte %zu of the file: "
			    "got %#x after %zu bytes were written", i,
			    (unsigned char)buf[i], n);
	}
}

static const size_t ahead[] = { 0, 1, 7, 511, PG - 1, PG, PG + 1, 3 * PG };

/* All ways to write from a buffer with so many good bytes. */
static void
file_write_stops(void)
{
	char *end = before_hole(4, 'w') + 4 * PG;
	struct iovec iov[2];
	size_t i, way;
	ssize_t n, want;
	int fd;

	for (i = 0; i < nitems(ahead); i++) {
		want = ahead[i] > 0 ? (ssize_t)ahead[i] : -1;
		iov[0] = (struct iovec){ end - ahead[i], ahead[i] };
		iov[1] = (struct iovec){ end, 100 };
		for (way = 0; way < 4; way++) {
			fd = new_file(2 * PG + 50);
			n = way == 0 ? write(fd, end - ahead[i], 5 * PG) :
			    way == 1 ? pwrite(fd, end - ahead[i], 5 * PG, 0) :
			    way == 2 ? writev(fd, iov, 2) :
			    syscall6(SYS_pwritev, fd, (long)iov, 2, 0, 0, 0);
			if (way == 3 && n < 0) {
				EXPECT_EQ(n, -EFAULT);
				n = -1;
			} else if (n < 0) {
				EXPECT_EQ(errno, EFAULT);
			}
			EXPECT_EQ(n, want);
			n = MAX(n, 0);
			EXPECT_EQ(lseek(fd, 0, SEEK_CUR),
			    way % 2 == 0 ? n : 0);
			expect_file(fd, (size_t)n,
			    MAX((size_t)n, 2 * PG + 50));
			close(fd);
		}
	}
}

/* Appending nothing does not make the file longer. */
static void
append_stops(void)
{
	char *end = before_hole(1, 'w') + PG;
	int fd = new_file(100);
	struct stat st;

	EXPECT_EQ(fcntl(fd, F_SETFL, O_APPEND), 0);
	EXPECT_ERR(write(fd, end, 10 * PG), EFAULT);
	EXPECT_EQ(fstat(fd, &st), 0);
	EXPECT_EQ(st.st_size, 100);
	EXPECT_EQ(write(fd, end - 10, 20), 10);
	EXPECT_EQ(fstat(fd, &st), 0);
	EXPECT_EQ(st.st_size, 110);
	close(fd);
}

static void
file_read_stops(void)
{
	char *end = before_hole(4, 'r') + 4 * PG;
	size_t i, k;
	int fd = new_file(4 * PG);
	ssize_t n;

	for (i = 0; i < nitems(ahead); i++) {
		memset(end - 4 * PG, 'r', 4 * PG);
		EXPECT_EQ(lseek(fd, 5, SEEK_SET), 5);
		n = read(fd, end - ahead[i], 4 * PG - 5);
		if (ahead[i] == 0) {
			EXPECT_EQ(n, -1);
			EXPECT_EQ(errno, EFAULT);
			n = 0;
		}
		EXPECT_EQ(n, ahead[i]);
		EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 5 + n);
		for (k = 1; k <= 4 * PG; k++)
			EXPECT_EQ(end[-(ssize_t)k], k <= ahead[i] ? 'f' : 'r');
	}
	close(fd);
}

/* What could not be stored is still in the pipe, in its order. */
static void
pipe_keeps_its_bytes(void)
{
	char *end = before_hole(1, 0) + PG, buf[600];
	int fds[2], i;

	EXPECT_OK(pipe2(fds, O_NONBLOCK));
	for (i = 0; i < 600; i++)
		buf[i] = (char)i;
	EXPECT_EQ(write(fds[1], buf, 600), 600);
	EXPECT_ERR(read(fds[0], end, 600), EFAULT);
	EXPECT_EQ(read(fds[0], end - 100, 600), 100);
	EXPECT_EQ(memcmp(end - 100, buf, 100), 0);
	EXPECT_EQ(read(fds[0], buf, 600), 500);
	for (i = 0; i < 500; i++)
		EXPECT_EQ((unsigned char)buf[i], (unsigned char)(i + 100));
	EXPECT_ERR(write(fds[1], end, 5), EFAULT);
	EXPECT_ERR(read(fds[0], buf, 5), EAGAIN);
	close(fds[0]);
	close(fds[1]);
}

/* Names that could not be told come with the next call. */
static void
directory_keeps_its_place(void)
{
	char *end = before_hole(1, 0) + PG, a[2048], b[2048];
	int fd = (int)EXPECT_OK(open("/bin", O_RDONLY | O_DIRECTORY));
	ssize_t n = getdents64(fd, a, sizeof(a));
	off_t at;

	EXPECT(n > 0);
	EXPECT_EQ(lseek(fd, 0, SEEK_SET), 0);
	EXPECT_ERR(getdents64(fd, end, sizeof(a)), EFAULT);
	EXPECT_ERR(getdents64(fd, end - 24, sizeof(a)), EFAULT);
	at = lseek(fd, 0, SEEK_CUR);
	EXPECT_EQ(at, 0);
	EXPECT_EQ(getdents64(fd, b, sizeof(b)), n);
	EXPECT_EQ(memcmp(a, b, (size_t)n), 0);
	close(fd);
}

/* Calls that take two things, one of which cannot be had. */
static void
both_or_nothing(void)
{
	char *end = before_hole(1, 0) + PG;
	struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };
	struct sigaction sa = { .sa_handler = SIG_IGN }, was;
	struct rlimit lim = { 20, 64 };
	struct stat st;
	sigset_t set = 1ul << (SIGUSR1 - 1), mask;
	struct al_op *op = (struct al_op *)(void *)(end - sizeof(*op));
	char *page = map_pages(1);
	int fd = new_file(10), fds[2];

	/* input beyond the end: nothing happens */
	memcpy(end - sizeof(times[0]), &times[0], sizeof(times[0]));
	EXPECT_EQ(fstat(fd, &st), 0);
	EXPECT_EQ(syscall6(SYS_utimensat, fd, 0, (long)end -
	    (long)sizeof(times[0]), 0, 0, 0), -EFAULT);
	EXPECT_EQ(st.st_mtime == 1000, 0);
	memcpy(end - 8, &sa, 8);
	EXPECT_EQ(syscall6(SYS_rt_sigaction, SIGUSR1, (long)end - 8, 0, 8, 0,
	    0), -EFAULT);
	EXPECT_EQ(sigaction(SIGUSR1, NULL, &was), 0);
	EXPECT_EQ(was.sa_handler == SIG_DFL, 1);
	memcpy(end - 4, &set, 4);
	EXPECT_EQ(syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)end - 4, 0,
	    8, 0, 0), -EFAULT);
	EXPECT_EQ(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
	EXPECT_EQ(mask, 0);
	memcpy(end - 8, &lim, 8);
	EXPECT_ERR(prlimit(0, RLIMIT_NOFILE, (void *)(end - 8), NULL),
	    EFAULT);
	EXPECT_EQ(prlimit(0, RLIMIT_NOFILE, NULL, &lim), 0);
	EXPECT_EQ(lim.rlim_cur, 64);
	/* the second operation cannot be read: the first has no effect */
	EXPECT_OK(al_region(page, PG, AL_REGION_ADD));
	*op = (struct al_op){ (uint64_t)(uintptr_t)page, 1, AL_PROT_NONE };
	EXPECT_ERR(al_prot(op, 2), EFAULT);
	page[0] = 1;			/* else SIGSEGV */
	EXPECT_OK(al_region(page, PG, AL_REGION_REMOVE));
	/* the results cannot be told: there are none */
	EXPECT_ERR(pipe2((int *)(void *)(end - 4), 0), EFAULT);
	EXPECT_OK(pipe(fds));
	EXPECT_EQ(fds[0], fd + 1);
	close(fds[0]);
	close(fds[1]);
	close(fd);
}

/* What was written since is not forgotten when it cannot be told. */
static void
dirty_is_not_lost(void)
{
	char *page = map_pages(64), *end = before_hole(1, 0) + PG;
	uint64_t bits = 0;

	EXPECT_OK(al_region(page, 64 * PG, AL_REGION_ADD));
	EXPECT(al_dirty(page, 64 * PG, &bits) >= 0);
	page[5 * PG] = 1;
	EXPECT_ERR(al_dirty(page, 64 * PG, (void *)end), EFAULT);
	EXPECT_EQ(al_dirty(page, 64 * PG, &bits), 1);
	EXPECT_EQ(bits, 1u << 5);
	EXPECT_OK(al_region(page, 64 * PG, AL_REGION_REMOVE));
}

/* --- unmapped while it is used --------------------------------------- */

static char *moving;		/* two pages, the second comes and goes */
static volatile int stop, unmappings;

static void *
pull_away(void *arg)
{
	(void)arg;
	while (!stop) {
		munmap(moving + PG, PG);
		mmap(moving + PG, PG, RW, MAP_PRIVATE | MAP_ANONYMOUS |
		    MAP_FIXED, -1, 0);
		unmappings++;
	}
	return NULL;
}

static int
rounds(void)
{
	const char *s = getenv("half");

	return s != NULL ? atoi(s) : ROUNDS;
}

/* A write took n bytes: 'w', or zero where the page had just come. */
static void
expect_moved(const char *buf, ssize_t n, int error)
{
	ssize_t i;

	if (n < 0)
		EXPECT_EQ(error, EFAULT);
	for (i = 0; i < n; i++) {
		if (buf[i] != 'w' && (buf[i] != 0 || i < 100))
			ktap_fail(__FILE__, __LINE__, "byte %ld of %ld that "
			    "were moved is %#x", i, n, (unsigned char)buf[i]);
	}
}

static void
race(ssize_t (*one)(int *fds))
{
	struct thread t;
	int fds[2], i, whole = 0, shorter = 0;
	ssize_t n;

	moving = map_pages(2);
	memset(moving, 'w', 2 * PG);
	EXPECT_OK(pipe2(fds, O_NONBLOCK));
	stop = 0;
	EXPECT_OK(thread_create(&t, pull_away, NULL));
	for (i = 0; i < rounds() || unmappings < rounds(); i++) {
		n = one(fds);
		whole += n == 200;
		shorter += n < 200;
		if (i % 8 == 0)
			sched_yield();
	}
	stop = 1;
	EXPECT_EQ(thread_join(&t), 0);
	close(fds[0]);
	close(fds[1]);
	ktap_note("%d whole, %d short or EFAULT, %d unmappings", whole,
	    shorter, unmappings);
}

static ssize_t
pipe_round(int *fds)
{
	char buf[200];
	ssize_t n = write(fds[1], moving + PG - 100, 200), m;
	int error = errno;

	EXPECT(n == 200 || n == 100 || n == -1);
	m = read(fds[0], buf, sizeof(buf));
	EXPECT_EQ(m, n < 0 ? -1 : n);
	expect_moved(buf, n, error);
	return n;
}

static ssize_t
file_round(int *fds)
{
	static int fd = -1;
	char buf[200];
	ssize_t n;
	int error;

	(void)fds;
	if (fd < 0)
		fd = new_file(0);
	EXPECT_EQ(ftruncate(fd, 0), 0);
	n = pwrite(fd, moving + PG - 100, 200, 0);
	error = errno;
	EXPECT(n == 200 || n == 100 || n == -1);
	EXPECT_EQ(pread(fd, buf, sizeof(buf), 0), MAX(n, 0));
	expect_moved(buf, n, error);
	n = pread(fd, moving + PG - 100, 200, 0);
	EXPECT(n >= -1 && n <= 200);
	moving[PG - 1] = 'w';
	memset(moving + PG - 100, 'w', 100);
	return n;
}

/* Structures and strings that straddle; the calls must see them or not. */
static ssize_t
struct_round(int *fds)
{
	char *at = moving + PG - 8;
	long r[5];
	size_t i;

	(void)fds;
	r[0] = syscall6(SYS_fstat, 0, (long)at, 0, 0, 0, 0);
	r[1] = syscall6(SYS_uname, (long)at, 0, 0, 0, 0, 0);
	r[2] = syscall6(SYS_getrandom, (long)at, 64, 0, 0, 0, 0);
	memset(at, 'w', 8);
	r[3] = syscall6(SYS_faccessat, AT_FDCWD, (long)at, 0, 0, 0, 0);
	r[4] = syscall6(SYS_sigaltstack, (long)at, 0, 0, 0, 0, 0);
	for (i = 0; i < 2; i++)
		EXPECT(r[i] == 0 || r[i] == -EFAULT);
	EXPECT(r[2] == 64 || r[2] == -EFAULT);
	EXPECT(r[3] == -ENOENT || r[3] == -EFAULT);
	/* What follows may be what the calls above have stored. */
	EXPECT(r[4] == -ENOMEM || r[4] == -EFAULT || r[4] == -EINVAL);
	memset(at, 'w', 8);
	return r[0] == 0 ? 200 : -1;
}

static void
pipe_race(void)
{
	race(pipe_round);
}

static void
file_race(void)
{
	race(file_round);
}

static void
struct_race(void)
{
	race(struct_round);
}

static const struct ktap_test tests[] = {
	TEST(file_write_stops, T_TERN),
	TEST(append_stops, T_TERN),
	TEST(file_read_stops, T_TERN),
	TEST(pipe_keeps_its_bytes, T_TERN),
	TEST(directory_keeps_its_place, T_TERN),
	TEST(both_or_nothing, T_TERN),
	TEST(dirty_is_not_lost, T_TERN),
	TEST(pipe_race, T_TERN | T_SMP),
	TEST(file_race, T_TERN | T_SMP),
	TEST(struct_race, T_TERN | T_SMP),
};

KTAP_MAIN("half")
