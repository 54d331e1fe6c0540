/* SPDX-License-Identifier: MIT */
/*
 * badcall.c - bad arguments: every call answers with an errno, nothing else.
 *
 * Each row of the table is a call with good arguments; the marked pointers
 * are replaced one at a time by every bad address, then descriptors and
 * sizes by impossible values.  The last tests throw random numbers at the
 * kernel from children that may die of them.
 */
#include "ktap.h"
#include <term.h>

#include <abi/al.h>
#include <abi/futex.h>

#define PG	PAGE_SIZE

/* What an argument is. */
enum arg {
	A_END, A_VALUE,
	A_FD,			/* a descriptor */
	A_IN, A_OUT,		/* a pointer that must be good */
	A_OPT,			/* the same, but NULL is allowed */
	A_PATH,
};

struct call {
	const char	*name;
	long		 nr;
	size_t		 size;		/* bytes behind its pointers */
	enum arg	 kinds[7];
	long		 args[6];	/* for A_VALUE */
};

#define CALL(name, size, ...)						\
	{ #name, SYS_##name, size, { __VA_ARGS__ }, { 0 } }
#define CALLV(name, size, kinds, ...)					\
	{ #name, SYS_##name, size, kinds, { __VA_ARGS__ } }
#define K(...)	{ __VA_ARGS__ }

static const struct call calls[] = {
	CALLV(read, 64, K(A_FD, A_OUT, A_VALUE), 0, 0, 64),
	CALLV(write, 64, K(A_VALUE, A_IN, A_VALUE), -2, 0, 64),
	CALLV(readv, 16, K(A_FD, A_IN, A_VALUE), 0, 0, 1),
	CALLV(writev, 16, K(A_VALUE, A_IN, A_VALUE), -2, 0, 1),
	CALLV(openat, 4, K(A_VALUE, A_PATH), AT_FDCWD),
	CALL(pipe2, 8, A_OUT),
	CALL(fstat, sizeof(struct stat), A_FD, A_OUT),
	CALLV(newfstatat, sizeof(struct stat), K(A_VALUE, A_PATH, A_VALUE),
	    AT_FDCWD, 0, 8),
	CALLV(statx, sizeof(struct statx), K(A_VALUE, A_PATH, A_VALUE, A_VALUE,
	    A_OUT), AT_FDCWD, 0, 8),
	CALLV(faccessat, 4, K(A_VALUE, A_PATH), AT_FDCWD),
	CALL(chdir, 4, A_PATH),
	CALLV(pread64, 64, K(A_FD, A_OUT, A_VALUE, A_VALUE), 0, 0, 64, 0),
	CALLV(pwrite64, 64, K(A_FD, A_IN, A_VALUE, A_VALUE), 0, 0, 64, 0),
	CALLV(preadv, 16, K(A_FD, A_IN, A_VALUE, A_VALUE), 0, 0, 1, 0),
	CALLV(pwritev, 16, K(A_FD, A_IN, A_VALUE, A_VALUE), 0, 0, 1, 0),
	CALLV(mkdirat, 4, K(A_VALUE, A_PATH), AT_FDCWD),
	CALLV(unlinkat, 4, K(A_VALUE, A_PATH), AT_FDCWD),
	CALLV(symlinkat, 4, K(A_PATH, A_VALUE, A_PATH), 0, AT_FDCWD),
	CALLV(linkat, 4, K(A_VALUE, A_PATH, A_VALUE, A_PATH), AT_FDCWD, 0,
	    AT_FDCWD),
	CALLV(renameat2, 4, K(A_VALUE, A_PATH, A_VALUE, A_PATH), AT_FDCWD, 0,
	    AT_FDCWD),
	CALL(truncate, 4, A_PATH),
	CALL(statfs, sizeof(struct statfs), A_PATH, A_OUT),
	CALL(fstatfs, sizeof(struct statfs), A_FD, A_OUT),
	CALLV(fchmodat, 4, K(A_VALUE, A_PATH, A_VALUE), AT_FDCWD, 0, 0755),
	CALLV(utimensat, 32, K(A_VALUE, A_PATH, A_OPT), AT_FDCWD),
	CALLV(getcwd, 64, K(A_OUT, A_VALUE), 0, 64),
	CALLV(readlinkat, 4, K(A_VALUE, A_PATH, A_VALUE, A_VALUE), AT_FDCWD,
	    0, 8, 64),
	CALLV(ppoll, 8, K(A_IN, A_VALUE, A_VALUE), 0, 1, 0),
	CALLV(ppoll, 16, K(A_VALUE, A_VALUE, A_OPT), 0, 0),
	CALLV(execve, 4, K(A_PATH, A_VALUE, A_VALUE), 0, 8, 8),
	CALLV(rt_sigaction, sizeof(struct sigaction),
	    K(A_VALUE, A_OPT, A_VALUE, A_VALUE), 10, 0, 0, 8),
	CALLV(rt_sigaction, sizeof(struct sigaction),
	    K(A_VALUE, A_VALUE, A_OPT, A_VALUE), 10, 0, 0, 8),
	CALLV(rt_sigprocmask, 8, K(A_VALUE, A_OPT, A_VALUE, A_VALUE), 0, 0, 0,
	    8),
	CALLV(rt_sigprocmask, 8, K(A_VALUE, A_VALUE, A_OPT, A_VALUE), 0, 0, 0,
	    8),
	CALLV(rt_sigpending, 8, K(A_OUT, A_VALUE), 0, 8),
	CALLV(rt_sigsuspend, 8, K(A_IN, A_VALUE), 0, 8),
	CALL(sigaltstack, sizeof(stack_t), A_VALUE, A_OPT),
	CALL(sigaltstack, sizeof(stack_t), A_OPT),
	CALLV(futex, 4, K(A_IN, A_VALUE, A_VALUE, A_VALUE), 0, FUTEX_WAIT,
	    12345),
	CALL(nanosleep, 16, A_IN),
	CALLV(clock_nanosleep, 16, K(A_VALUE, A_VALUE, A_IN), 1, 0),
	CALLV(clock_gettime, 16, K(A_VALUE, A_OUT), 1),
	CALLV(clock_getres, 16, K(A_VALUE, A_OPT), 1),
	CALL(gettimeofday, 16, A_OPT),
	CALL(times, sizeof(struct tms), A_OPT),
	CALLV(getrusage, sizeof(struct rusage), K(A_VALUE, A_OUT), 0),
	CALLV(prlimit64, 16, K(A_VALUE, A_VALUE, A_OPT, A_VALUE), 0, 7),
	CALLV(prlimit64, 16, K(A_VALUE, A_VALUE, A_VALUE, A_OPT), 0, 7),
	CALLV(getrandom, 16, K(A_OUT, A_VALUE), 0, 16),
	CALL(uname, sizeof(struct utsname), A_OUT),
	CALL(sysinfo, sizeof(struct sysinfo), A_OUT),
	CALLV(sched_getaffinity, 8, K(A_VALUE, A_VALUE, A_OUT), 0, 8),
	CALLV(sched_setaffinity, 8, K(A_VALUE, A_VALUE, A_IN), 0, 8),
	CALL(getcpu, 4, A_OPT),
};

/* Calls that take a descriptor first. */
static const struct call fd_calls[] = {
	CALLV(read, 0, K(A_FD, A_OUT, A_VALUE), 0, 0, 8),
	CALLV(write, 0, K(A_FD, A_OUT, A_VALUE), 0, 0, 8),
	CALLV(readv, 0, K(A_FD, A_OUT, A_VALUE), 0, 0, 0),
	CALLV(writev, 0, K(A_FD, A_OUT, A_VALUE), 0, 0, 0),
	CALL(close, 0, A_FD),
	CALL(dup, 0, A_FD),
	CALLV(dup3, 0, K(A_FD, A_VALUE), 0, 50),
	CALL(lseek, 0, A_FD),
	CALL(fstat, 0, A_FD, A_OUT),
	CALLV(pread64, 0, K(A_FD, A_OUT, A_VALUE), 0, 0, 8),
	CALLV(pwrite64, 0, K(A_FD, A_OUT, A_VALUE), 0, 0, 8),
	CALLV(preadv, 0, K(A_FD, A_OUT, A_VALUE), 0, 0, 0),
	CALLV(pwritev, 0, K(A_FD, A_OUT, A_VALUE), 0, 0, 0),
	CALLV(fallocate, 0, K(A_FD, A_VALUE, A_VALUE, A_VALUE), 0, 0, 0, 1),
	CALL(fadvise64, 0, A_FD),
	CALL(ftruncate, 0, A_FD),
	CALL(fsync, 0, A_FD),
	CALL(fdatasync, 0, A_FD),
	CALL(fchdir, 0, A_FD),
	CALL(fchmod, 0, A_FD),
	CALL(fstatfs, 0, A_FD, A_OUT),
	CALLV(getdents64, 0, K(A_FD, A_OUT, A_VALUE), 0, 0, 512),
	CALLV(ioctl, 0, K(A_FD, A_VALUE, A_OUT), 0, TCGETS),
	CALLV(fcntl, 0, K(A_FD, A_VALUE), 0, F_GETFL),
};

static unsigned long bad[24];
static size_t nbad, nstraddle;
static char *edge;		/* the end of a page with nothing behind */

static void
make_bad_addresses(void)
{
	char *hole = map_pages(4), *none = map_pages(1);

	EXPECT_OK(munmap(hole + PG, PG));
	EXPECT_OK(mprotect(none, PG, PROT_NONE));
	edge = hole + PG;
	nbad = 0;
	bad[nbad++] = 0;
	bad[nbad++] = 1;
	bad[nbad++] = 8;
	bad[nbad++] = PG;
	bad[nbad++] = (unsigned long)(hole + PG);
	bad[nbad++] = (unsigned long)none;
	bad[nbad++] = 0x4000000000;		/* end of Sv39's user half */
	bad[nbad++] = 0x800000000000;		/* end of x86-64's */
	bad[nbad++] = 0x0123456789abcdef;
	bad[nbad++] = 0x8000000000000000;
	bad[nbad++] = 0xffffffc000000000;
	bad[nbad++] = 0xffffffd600000000;
	bad[nbad++] = 0xffffffff80000000;
	bad[nbad++] = 0xffffffff80200000;
	bad[nbad++] = -PG;
	bad[nbad++] = -8ul;
	bad[nbad++] = -1ul;
	nstraddle = nbad;			/* these only with size > 4 */
	bad[nbad++] = (unsigned long)(edge - 4);
	bad[nbad++] = (unsigned long)(edge - 1);
}

static long
do_call(const struct call *c, const long *a)
{
	return syscall6(c->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void
expect_errno(const struct call *c, const long *a, long result)
{
	if (result >= 0 || result < -133)
		ktap_fail(__FILE__, __LINE__,
		    "%s(%#lx, %#lx, %#lx, %#lx): expected an errno, got %ld",
		    c->name, a[0], a[1], a[2], a[3], result);
}

static void
good_arguments(const struct call *c, long *a, int fd, char *page)
{
	static const char path[] = "/";
	int i;

	memcpy(a, c->args, sizeof(c->args));
	for (i = 0; i < 6 && c->kinds[i] != A_END; i++) {
		if (c->kinds[i] == A_FD)
			a[i] = fd;
		else if (c->kinds[i] == A_PATH)
			a[i] = (long)path;
		else if (c->kinds[i] != A_VALUE)
			a[i] = (long)page;
		else if (a[i] == -2)	/* somewhere to write to */
			a[i] = 61;
	}
}

/* A partial result is right where the first bytes are good. */
static bool
may_be_short(const struct call *c)
{
	return c->nr == SYS_read || c->nr == SYS_write ||
	    c->nr == SYS_getrandom || c->nr == SYS_getcwd ||
	    c->nr == SYS_pread64 || c->nr == SYS_sched_getaffinity;
}

static void
bad_pointers(void)
{
	const struct call *c;
	char *page = map_pages(1);
	int fd, i, fds[2];
	long a[6], r;
	size_t b;

	make_bad_addresses();
	EXPECT_OK(pipe(fds));
	EXPECT_OK(dup2(fds[1], 61));
	for (c = calls; c < calls + nitems(calls); c++) {
		for (i = 0; i < 6 && c->kinds[i] != A_END; i++) {
			if (c->kinds[i] < A_IN)
				continue;
			for (b = 0; b < nbad; b++) {
				if (c->kinds[i] == A_OPT && bad[b] == 0)
					continue;
				if (b >= nstraddle && (c->size <= 4 ||
				    c->kinds[i] == A_PATH))
					continue;
				fd = open(root_path("/etc/motd"), O_RDONLY);
				good_arguments(c, a, fd, page);
				a[i] = (long)bad[b];
				r = do_call(c, a);
				if (b < nstraddle || !may_be_short(c))
					expect_errno(c, a, r);
				close(fd);
			}
		}
	}
}

/* A string that runs into a hole has no end. */
static void
unterminated_strings(void)
{
	const char *argv[] = { "x", NULL };
	const char *bad_argv[2];

	make_bad_addresses();
	memset(edge - 64, 'a', 64);
	EXPECT_ERR(open(edge - 64, O_RDONLY), EFAULT);
	EXPECT_ERR(chdir(edge - 1), EFAULT);
	EXPECT_ERR(execve(edge - 10, argv, argv), EFAULT);
	bad_argv[0] = edge - 10;
	bad_argv[1] = NULL;
	EXPECT_ERR(execve(root_path("/bin/true"), bad_argv, argv), EFAULT);
	EXPECT_ERR(execve(root_path("/bin/true"), argv, bad_argv), EFAULT);
	memcpy(edge - 8, "12345678", 8);	/* a vector without its NULL */
	EXPECT_ERR(execve(root_path("/bin/true"), (strings_t)(edge - 8),
	    argv), EFAULT);
	memset(edge - 2, 0, 2);
	memcpy(edge - 2, "/", 1);
	EXPECT_OK(open(edge - 2, O_RDONLY));	/* ends just in time */
}

static void
bad_descriptors(void)
{
	static const int fds[] = { -1, 57, 1023, 1024, 65536, 1 << 30,
		INT32_MAX, INT32_MIN };
	const struct call *c;
	char *page = map_pages(1);
	long a[6], r;
	size_t i;

	for (c = fd_calls; c < fd_calls + nitems(fd_calls); c++) {
		for (i = 0; i < nitems(fds); i++) {
			good_arguments(c, a, fds[i], page);
			r = do_call(c, a);
			if (r != -EBADF)
				ktap_fail(__FILE__, __LINE__,
				    "%s(%d): expected EBADF, got %ld",
				    c->name, fds[i], r);
		}
	}
}

static void
huge_lengths(void)
{
	static const size_t sizes[] = { (size_t)-1, (size_t)1 << 63,
		(size_t)INT64_MAX, (size_t)1 << 40, 0xffffffff };
	char *page;
	int fds[2], fd;
	size_t i;
	long r;

	make_bad_addresses();
	page = edge - PG;		/* nothing behind it */
	for (i = 0; i < nitems(sizes); i++) {
		fd = (int)EXPECT_OK(open(root_path("/etc/motd"), O_RDONLY));
		r = read(fd, page, sizes[i]);
		EXPECT(r < 4096);
		close(fd);
		EXPECT_OK(pipe2(fds, O_NONBLOCK));
		r = write(fds[1], page, sizes[i]);
		EXPECT(r == -1 || (r > 0 && r <= (long)PG));
		close(fds[0]);
		close(fds[1]);
		EXPECT(syscall3(SYS_getcwd, (long)page, (long)sizes[i], 0) <
		    (long)PG);
		EXPECT(syscall3(SYS_getrandom, (long)page, (long)sizes[i],
		    0) <= (long)PG);
		if (sizes[i] > 1ul << 48)
			EXPECT_EQ(munmap(page, sizes[i]), -1);
		EXPECT_EQ(mprotect(page, sizes[i], PROT_READ | PROT_WRITE),
		    -1);
		EXPECT_EQ(mincore(page, sizes[i], (void *)page), -1);
		EXPECT_EQ(madvise(page, sizes[i], MADV_NORMAL), -1);
		EXPECT(msync(page, sizes[i], MS_SYNC) == -1 ||
		    sizes[i] + PG < PG);	/* rounds up to nothing */
		EXPECT_EQ(mmap(page, sizes[i], PROT_READ, MAP_PRIVATE |
		    MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
		    MAP_FAILED);
	}
	page[0] = 1;
}

static void
bad_vectors(void)
{
	struct iovec iov[4];
	char buf[8] = "1234567";
	int fds[2];
	ssize_t r;

	EXPECT_OK(pipe2(fds, O_NONBLOCK));
	iov[0] = (struct iovec){ buf, 4 };
	iov[1] = (struct iovec){ (void *)8, 4 };
	r = writev(fds[1], iov, 2);	/* all of it, or what is good */
	EXPECT(r == 4 || (r == -1 && errno == EFAULT));
	EXPECT_ERR(writev(fds[1], iov + 1, 1), EFAULT);
	iov[1] = (struct iovec){ buf, (size_t)1 << 63 };
	EXPECT_ERR(writev(fds[1], iov, 2), EINVAL);
	EXPECT_ERR(writev(fds[1], (struct iovec *)-16ul, 2), EFAULT);
	EXPECT_ERR(writev(fds[1], iov, INT32_MAX), EINVAL);
	EXPECT_ERR(writev(fds[1], iov, INT32_MIN), EINVAL);
}

static void
numbers_that_do_not_exist(void)
{
	static const long numbers[] = { 511, 5000, 0xfff, 0x103f, 0x1040,
		1 << 20, INT32_MAX, -1, INT32_MIN, INT64_MIN, INT64_MAX };
	size_t i;

	for (i = 0; i < nitems(numbers); i++)
		EXPECT_EQ(syscall0(numbers[i]), -ENOSYS);
}

static void
terns_own_calls(void)
{
	static struct tern_stat st;
	char *p = map_pages(2);
	uint64_t map[2];
	size_t i;

	make_bad_addresses();
	for (i = 0; i < nbad; i++) {
		EXPECT_ERR(tern_stat((void *)bad[i], sizeof(st)), EFAULT);
		EXPECT_ERR(al_prot((void *)bad[i], 1), EFAULT);
		if (bad[i] % PG != 0 || bad[i] >= USER_END)
			EXPECT(al_region((void *)bad[i], PG, AL_REGION_ADD) ==
			    -1);
	}
	EXPECT(tern_stat(&st, (size_t)-1) == (ssize_t)sizeof(st));
	EXPECT_EQ(tern_stat(&st, 8), 8);
	EXPECT_ERR(al_region(p + 1, PG, AL_REGION_ADD), EINVAL);
	EXPECT_ERR(al_region(p, PG, 0x100), EINVAL);
	EXPECT(al_region(p, (size_t)-PG, AL_REGION_ADD) == -1);
	EXPECT(al_dirty(p, PG, map) == -1);	/* no region there */
	EXPECT(al_prot(NULL, (size_t)-1) == -1);
}

/* --- random calls ---------------------------------------------------- */

/* Calls that would end or stop the suite itself by doing what they promise. */
static bool
too_effective(long nr)
{
	return nr == SYS_kill || nr == SYS_tkill || nr == SYS_tgkill ||
	    nr == SYS_reboot || nr == SYS_clone || nr == SYS_exit ||
	    nr == SYS_exit_group || nr == SYS_tern_fail ||
	    nr == SYS_setsid || nr == SYS_setpgid;
}

static long
random_argument(uint64_t *seed, char *page)
{
	uint64_t r = prng(seed);

	switch (r % 8) {
	case 0: return (long)bad[r / 8 % nbad];
	case 1: return (long)(page + r / 8 % PG);
	case 2: return (long)page;
	case 3: return (long)(r / 8 % 16);
	case 4: return (long)(1ul << r / 8 % 64);
	case 5: return -(long)(r / 8 % 5000);
	case 6: return (long)(r / 8 % 64 * PG);
	default: return (long)prng(seed);
	}
}

static const long call_numbers[] = {
#define NUMBER(name, rv, x86, n)	SYS_##name,
	SYSCALLS(NUMBER)
	SYSCALLS_LATER(NUMBER)
#undef NUMBER
};

static void
random_calls(uint64_t seed)
{
	char *page;
	long a[6], nr;
	int i, k;

	make_bad_addresses();
	page = map_pages(2);
	for (i = 0; i < 300; i++) {
		nr = call_numbers[prng(&seed) % nitems(call_numbers)];
		if (prng(&seed) % 16 == 0)
			nr = (long)(prng(&seed) % 600);
		for (k = 0; k < 6; k++)
			a[k] = random_argument(&seed, page);
		if (!too_effective(nr))
			syscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	}
	_exit(0);
}

/* Each child has a fifth of a second: a random call may well sleep. */
static void
random_calls_in_children(void)
{
	uint64_t seed;
	pid_t pid;
	int i;

	for (seed = 1; seed <= 30; seed++) {
		pid = (pid_t)EXPECT_OK(fork());
		if (pid == 0) {
			for (i = 3; i < 20; i++)
				close(i);
			dup2(open("/dev/null", O_RDWR), 0);
			dup2(0, 1);
			dup2(0, 2);
			random_calls(seed * 7919);
		}
		for (i = 0; i < 20 && waitpid(pid, NULL, WNOHANG) == 0; i++)
			msleep(10);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

static const struct ktap_test tests[] = {
	TEST(bad_pointers, T_NOEMU),
	TEST(unterminated_strings, T_NOEMU),
	TEST(bad_descriptors, T_NOEMU),
	TEST(huge_lengths, T_NOEMU),
	TEST(bad_vectors, T_NOEMU),
	TEST(numbers_that_do_not_exist, T_LINUX),
	TEST(terns_own_calls, T_TERN),
	TEST(random_calls_in_children, T_TERN),
};

KTAP_MAIN("badcall")
