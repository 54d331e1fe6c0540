/* SPDX-License-Identifier: MIT */
/*
 * oom.c - no memory: one process ends, the rest lives, nothing leaks.
 */
#include "ktap.h"
#include <thread.h>

#define PG	PAGE_SIZE
#define RW	(PROT_READ | PROT_WRITE)

static void
hog(void *arg)
{
	size_t n;
	char *p;

	(void)arg;
	for (n = 0;; n++) {
		p = mmap(NULL, 512 * PG, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
		if (p == MAP_FAILED)
			_exit(3);
		memset(p, (int)n, 512 * PG);
	}
}

/* It is killed, or refused; a bystander's memory stays as it was. */
static void
memory_hog(void)
{
	char *mine = map_pages(64);
	uint64_t kills = stat_now(TS_oom_kills);
	uint64_t outs = stat_now(TS_swap_outs);
	struct sysinfo si;
	int status, i;

	memset(mine, 9, 64 * PG);
	for (i = 0; i < 3; i++) {
		status = in_child(hog, NULL);
		if (WIFSIGNALED(status))
			expect_signal(status, SIGKILL);
		else
			expect_exit(status, 3);
	}
	EXPECT(stat_now(TS_oom_kills) - kills >= 1);
	EXPECT_OK(sysinfo(&si));	/* swap was full before that */
	EXPECT(stat_now(TS_swap_outs) - outs >= si.totalswap);
	for (i = 0; i < 64; i++)
		EXPECT_EQ(mine[(size_t)i * PG], 9);
	memset(map_pages(256), 1, 256 * PG);	/* there is memory again */
}

static void
hog_overcommitted(void *arg)
{
	size_t len = 1ul << 30, i;
	char *p = mmap(NULL, len, RW, MAP_PRIVATE | MAP_ANONYMOUS |
	    MAP_NORESERVE, -1, 0);

	(void)arg;
	if (p == MAP_FAILED)
		_exit(3);
	for (i = 0; i < len; i += PG)
		p[i] = 1;
	_exit(4);
}

static void
promised_too_much(void)
{
	int status = in_child(hog_overcommitted, NULL);

	EXPECT(WIFSIGNALED(status) || WEXITSTATUS(status) == 3);
}

/* The child shares everything; copying it does not fit. */
static void
copy_on_write_hog(void)
{
	struct sysinfo si;
	size_t len, i;
	char *p;
	int status;
	pid_t outer = (pid_t)EXPECT_OK(fork()), pid;

	if (outer == 0) {
		EXPECT_OK(sysinfo(&si));
		len = si.freeram * si.mem_unit / 5 * 3 & -PG;
		p = mmap(NULL, len, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		EXPECT(p != MAP_FAILED);
		for (i = 0; i < len; i += PG)
			p[i] = 1;
		pid = fork();
		for (i = 0; pid >= 0 && i < len; i += PG)
			p[i] = 2;
		if (pid > 0)
			waitpid(pid, &status, 0);
		_exit(0);
	}
	EXPECT_EQ(waitpid(outer, &status, 0), outer);
	EXPECT(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
}

static void
bomb(void)
{
	for (;;) {
		if (fork() < 0)
			sched_yield();
	}
}

/*
 * It fills every slot; from outside, the group is killed and all is well.
 * Full it is when some of our own forks were refused.  Longer is no better:
 * 1,850 processes that only yield cost the emulator a minute for each second.
 */
static void
fork_bomb(void)
{
	uint64_t end = now_ns() + 2000000000ull;
	pid_t pid = (pid_t)EXPECT_OK(fork()), probe_pid;
	int status, alive = 0, refused = 0;

	if (pid == 0) {
		setpgid(0, 0);
		bomb();
	}
	setpgid(pid, pid);
	while (now_ns() < end && refused < 5) {
		probe_pid = fork();
		if (probe_pid == 0)
			_exit(0);
		if (probe_pid > 0) {
			while (waitpid(probe_pid, &status, 0) < 0)
				continue;
			alive++;
		} else {
			refused++;
		}
		msleep(20);
	}
	while (kill(-pid, SIGKILL) == 0) {
		while (waitpid(pid, &status, WNOHANG) > 0)
			continue;
		msleep(10);
	}
	ktap_note("%d of our own forks succeeded meanwhile, %d did not", alive,
	    refused);
	probe_pid = (pid_t)EXPECT_OK(fork());
	if (probe_pid == 0)
		_exit(0);
	while (waitpid(probe_pid, &status, 0) < 0)
		continue;
	expect_exit(status, 0);
}

/* --- descriptors run out --------------------------------------------- */

/* With one slot left a pipe gets none; nothing of it stays. */
static void
descriptors_run_out(void)
{
	uint64_t files, pipes;
	int fds[2], fd, last = -1, status;
	pid_t pid;

	while ((fd = open("/dev/null", O_RDWR)) >= 0)
		last = fd;
	EXPECT_EQ(errno, EMFILE);
	EXPECT(last > 3);
	files = stat_now(TS_files);
	pipes = stat_now(TS_pipes);
	EXPECT_ERR(pipe(fds), EMFILE);
	EXPECT_ERR(dup(0), EMFILE);
	EXPECT_ERR(open("/tmp/none", O_CREAT | O_RDWR, 0600), EMFILE);
	EXPECT_ERR(fcntl(0, F_DUPFD, 3), EMFILE);
	EXPECT_EQ(dup2(0, last), last);
	EXPECT_EQ(stat_now(TS_files), files - 1);
	EXPECT_OK(close(last));
	EXPECT_ERR(pipe(fds), EMFILE);
	EXPECT_EQ(stat_now(TS_files), files - 1);
	EXPECT_EQ(stat_now(TS_pipes), pipes);
	pid = (pid_t)EXPECT_OK(fork());	/* with a full table */
	if (pid == 0)
		_exit(open("/dev/null", O_RDWR) == last ? 0 : 1);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_exit(status, 0);
	EXPECT_EQ(open("/dev/null", O_RDWR), last);
	unlink("/tmp/none");
}

/* --- the n-th allocation fails --------------------------------------- */

static void *
nothing(void *arg)
{
	return arg;
}

static void
busy_program(void)
{
	const char *argv[] = { "tiny", NULL };
	struct thread t;
	char *p, buf[64];
	int fds[2], fd, status;
	pid_t pid;

	p = mmap(NULL, 64 * PG, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p != MAP_FAILED) {
		memset(p, 1, 32 * PG);
		mprotect(p + 4 * PG, PG, PROT_READ);
		munmap(p + 8 * PG, 2 * PG);
	}
	if (pipe(fds) == 0 && write(fds[1], "hello", 5) == 5)
		read(fds[0], buf, 5);
	fd = open("/test/files/hello.txt", O_RDONLY);
	read(fd, buf, sizeof(buf));
	fd = open("/proc/self/maps", O_RDONLY);
	read(fd, buf, sizeof(buf));
	if (thread_create(&t, nothing, NULL) == 0)
		thread_join(&t);
	pid = fork();
	if (pid == 0) {
		if (p != MAP_FAILED)
			p[0] = 2;
		execve("/bin/tiny", argv, argv);
		_exit(1);
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
	if (p != MAP_FAILED)
		munmap(p, 64 * PG);
}

/* Any allocation may fail: an errno or the end of that process, no leak. */
static void
nth_allocation_fails(void)
{
	uint64_t failed, before = stat_now(TS_failed_allocs);
	unsigned long n;
	int status;
	pid_t pid;

	for (n = 1; n <= 400; n++) {
		failed = stat_now(TS_failed_allocs);
		pid = (pid_t)EXPECT_OK(fork());
		if (pid == 0) {
			if (tern_fail(n) < 0)
				_exit(errno == ENOSYS ? 55 : 56);
			busy_program();
			tern_fail(0);
			_exit(0);
		}
		EXPECT_EQ(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 55)
			ktap_skip("no failure injection in this kernel");
		EXPECT(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
		if (stat_now(TS_failed_allocs) == failed)
			break;		/* it needs fewer than n */
	}
	ktap_note("%lu allocations failed in turn", n - 1);
	EXPECT(n > 1 && stat_now(TS_failed_allocs) > before);
}

static const struct ktap_test tests[] = {
	TEST(nth_allocation_fails, T_TERN),
	TEST(descriptors_run_out, T_TERN),
	TEST(promised_too_much, T_TERN),
	TEST(memory_hog, T_TERN),
	TEST(copy_on_write_hog, T_TERN),
	TEST(fork_bomb, T_TERN),
};

KTAP_MAIN("oom")
