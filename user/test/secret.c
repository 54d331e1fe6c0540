/* SPDX-License-Identifier: MIT */
/*
 * secret.c - what one program has written no other program finds.
 *
 * A victim fills memory, files, pipes and kernel buffers with a pattern and
 * ends.  Then fresh pages are taken from one source after the other: all zero
 * where that is promised, and nowhere the pattern, the kernel's poison or an
 * address of the kernel.  Boot argument: secret=N pages of each (default 600).
 */
#include "ktap.h"

#define PG	PAGE_SIZE
#define RW	(PROT_READ | PROT_WRITE)
#define PAGES	600
#define ROUNDS	300		/* of what is not whole pages */
#define SECRET	0x5ec2e75ec2e75ec2ull
#define POISON	0xddddddddddddddddull

#define ROUND(p)	(((uintptr_t)(p) + PG - 1) & -PG)

static size_t wanted = PAGES;

/* --- the victim ------------------------------------------------------ */

static void
fill_secret(void *p, size_t n)
{
	uint64_t *w = p;
	size_t i;

	for (i = 0; i < n / sizeof(*w); i++)
		w[i] = SECRET;
}

static char *
map_or_end(size_t n, int flags)
{
	char *p = mmap(NULL, n, RW, flags | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		_exit(2);
	return p;
}

/* Deep into the stack. */
static void __attribute__((noinline))
use_stack(int depth)
{
	volatile uint64_t words[256];
	size_t i;

	for (i = 0; i < nitems(words); i++)
		words[i] = SECRET;
	if (depth > 0)
		use_stack(depth - 1);
	__asm__ volatile("" : : "r"(words) : "memory");
}

static void
use_files(const char *secret)
{
	int fd = open("/tmp/secret", O_RDWR | O_CREAT | O_TRUNC, 0600), i;
	int fds[2];

	if (write(fd, secret, 64 * PG) != 64 * PG || fsync(fd) != 0)
		_exit(2);
	unlink("/tmp/secret");
	for (i = 0; i < 20 && pipe2(fds, O_NONBLOCK) == 0; i++)
		write(fds[1], secret, 16 * PG);
}

/* What the kernel copies in, and the frames of its stacks. */
static void
use_kernel(const char *secret)
{
	struct iovec iov[200];
	char path[4000];
	size_t i;

	fill_secret(path, sizeof(path));
	path[sizeof(path) - 1] = '\0';
	open(path, O_RDONLY);
	for (i = 0; i < nitems(iov); i++)
		iov[i] = (struct iovec){ (void *)SECRET, SECRET };
	writev(1, iov, nitems(iov));
	for (i = 0; i < 64; i++)		/* page tables */
		mmap((void *)((i + 1) << 30), PG, RW, MAP_PRIVATE |
		    MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_POPULATE, -1, 0);
	syscall6(-1, (long)SECRET, (long)SECRET, (long)SECRET, (long)SECRET,
	    (long)SECRET, (long)secret);
}

static void
victim(size_t npages, bool memory_only)
{
	int status;
	pid_t pid = (pid_t)EXPECT_OK(fork());
	char *p;

	if (pid == 0) {
		p = map_or_end(npages * PG, MAP_PRIVATE);
		fill_secret(p, npages * PG);
		if (memory_only)
			_exit(0);
		fill_secret(map_or_end(64 * PG, MAP_SHARED), 64 * PG);
		fill_secret(sbrk(32 * PG), 32 * PG);
		use_stack(64);
		use_files(p);
		use_kernel(p);
		_exit(0);
	}
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_exit(status, 0);
}

/* --- looking --------------------------------------------------------- */

static void
expect_zero(const volatile void *p, size_t n, const char *what)
{
	const volatile unsigned char *c = p;
	size_t i;

	for (i = 0; i < n && (uintptr_t)(c + i) % 8 != 0; i++)
		EXPECT_EQ(c[i], 0);
	for (; i + 8 <= n; i += 8) {
		if (*(const volatile uint64_t *)(c + i) != 0)
			ktap_fail(__FILE__, __LINE__, "%s: %#lx at offset %zu",
			    what, *(const volatile uint64_t *)(c + i), i);
	}
	for (; i < n; i++)
		EXPECT_EQ(c[i], 0);
}

/* What a debugging kernel leaves in free memory, or an address of its own. */
static bool
is_kernels(uint64_t w)
{
	return (uint32_t)w == (uint32_t)POISON ||
	    (w >= 0xffff800000000000ull && w < 0xffffffffc0000000ull);
}

/* Nothing of anybody's, nothing of the kernel's. */
static void
expect_no_secret(const volatile void *p, size_t n, const char *what)
{
	const volatile char *c = p;
	uint64_t w;
	size_t i;

	for (i = 0; i + 8 <= n; i += 8) {
		memcpy(&w, (const char *)(uintptr_t)(c + i), sizeof(w));
		if (is_kernels(w) || is_kernels(w >> 32) ||
		    (uint32_t)w == (uint32_t)SECRET ||
		    w >> 32 == SECRET >> 32)
			ktap_fail(__FILE__, __LINE__, "%s: %#lx at offset %zu",
			    what, w, i);
	}
}

/* Takes pages of one source and looks; returns how many. */
typedef size_t source(void);

static void
look_at(const char *name, source *take)
{
	const char *s = getenv("secret");
	struct sysinfo si;
	size_t n = 0, share;

	if (s != NULL)
		wanted = strtoul(s, NULL, 0);
	while (n < wanted) {
		EXPECT_OK(sysinfo(&si));
		share = si.freeram / 2;
		victim(s != NULL ? share : MIN(share, wanted + 100), false);
		n += take();
	}
	ktap_note("%zu pages of %s", n, name);
}

static size_t
take_anonymous(int flags, const char *what)
{
	size_t n = MIN(wanted, 2048);
	char *p = map_or_end(n * PG, flags);

	expect_zero(p, n * PG, what);
	memset(p, 1, n * PG);		/* reading need not have got a frame */
	EXPECT_OK(madvise(p, n * PG, MADV_DONTNEED));
	if (flags & MAP_PRIVATE)
		expect_zero(p, n * PG, "discarded memory");
	EXPECT_OK(munmap(p, n * PG));
	p = map_or_end(n * PG, flags);
	for (size_t i = 0; i < n; i++) {
		p[i * PG + i % PG] = 1;
		p[i * PG + i % PG] = 0;
	}
	expect_zero(p, n * PG, what);
	EXPECT_OK(munmap(p, n * PG));
	return n;
}

static size_t
take_private(void)
{
	return take_anonymous(MAP_PRIVATE, "anonymous memory");
}

static size_t
take_shared(void)
{
	return take_anonymous(MAP_SHARED, "shared memory");
}

static size_t
take_heap(void)
{
	size_t n = MIN(wanted, 1024), i;
	char *p = sbrk((long)(n * PG));

	EXPECT(p != (char *)-1);
	for (i = 0; i < n * PG; i += PG) {
		p[i] = 1;
		p[i] = 0;
	}
	expect_zero(p, n * PG, "the heap");
	EXPECT(sbrk(-(long)(n * PG)) != (char *)-1);
	return n;
}

/* A child has not been that deep. */
static size_t
take_stack(void)
{
	enum { DEPTH = 200 };
	int status;
	pid_t pid = (pid_t)EXPECT_OK(fork());
	volatile char *low;
	char here;

	if (pid == 0) {
		low = (char *)(((uintptr_t)&here & -PG) - (DEPTH + 2) * PG);
		for (size_t i = 0; i < DEPTH; i++)
			low[i * PG] = 0;
		expect_zero(low, DEPTH * PG, "the stack");
		_exit(0);
	}
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_exit(status, 0);
	return DEPTH;
}

/* Behind the end of a file, where it grew, and in its holes. */
static size_t
take_file(void)
{
	enum { FILES = ROUNDS / 4 };
	char *p, buf[64];
	int fd, i;

	for (i = 0; i < FILES; i++) {
		fd = (int)EXPECT_OK(open("/tmp/attacker", O_RDWR | O_CREAT |
		    O_TRUNC, 0600));
		EXPECT_EQ(pwrite(fd, "begin", 5, i * 50), 5);
		p = mmap(NULL, PG, RW, MAP_SHARED, fd, 0);
		EXPECT(p != MAP_FAILED);
		expect_zero(p, (size_t)i * 50, "a file's head");
		expect_zero(p + i * 50 + 5, PG - (size_t)i * 50 - 5,
		    "a file's tail");
		memset(p + 4000, 'x', 96);	/* beyond the end */
		EXPECT_OK(munmap(p, PG));
		EXPECT_OK(ftruncate(fd, 3 * PG + 100));
		EXPECT_EQ(pwrite(fd, "end", 3, 3 * PG + 90), 3);
		p = mmap(NULL, 4 * PG, RW, MAP_PRIVATE, fd, 0);
		EXPECT(p != MAP_FAILED);
		expect_zero(p + i * 50 + 5, PG - (size_t)i * 50 - 5,
		    "behind the old end");
		expect_zero(p + PG, 2 * PG + 90, "a hole");
		expect_zero(p + 3 * PG + 93, PG - 93, "a grown file's tail");
		EXPECT_EQ(pread(fd, buf, 64, 2 * PG), 64);
		expect_zero(buf, 64, "a hole that is read");
		EXPECT_OK(munmap(p, 4 * PG));
		close(fd);
		EXPECT_OK(unlink("/tmp/attacker"));
	}
	return FILES * 4;
}

/* As many bytes as were written come out, and those. */
static size_t
take_pipe(void)
{
	enum { PIPES = ROUNDS };
	char *p = map_pages(2);
	int fds[2], i;

	for (i = 0; i < PIPES; i++) {
		EXPECT_OK(pipe(fds));
		EXPECT_EQ(write(fds[1], "abc", 3), 3);
		EXPECT_EQ(read(fds[0], p, 2 * PG), 3);
		expect_zero(p + 3, 2 * PG - 3, "behind a pipe's bytes");
		close(fds[0]);
		close(fds[1]);
	}
	EXPECT_OK(munmap(p, 2 * PG));
	return PIPES;
}

/* --- a new program --------------------------------------------------- */

#define BSS_PAGES	16
static char bss[BSS_PAGES * PG];
static int data = 1;		/* the segment's file part ends near here */
extern char end[];

/* In the new program: what surrounds its own data. */
static int
scan_program(void)
{
	char *sp = (char *)__builtin_frame_address(0);
	char *top = (char *)((uintptr_t)sp & -PG) + PG;
	char *tail = (char *)(((uintptr_t)end + 15) & -16ul);

	expect_zero(bss, sizeof(bss), "bss");
	expect_no_secret(&data, ROUND(&data) - (uintptr_t)&data, "data");
	expect_zero(tail, (size_t)((char *)ROUND(tail) - tail),
	    "behind the end of bss");
	expect_zero((char *)((uintptr_t)sp & -PG) - 3 * PG, 2 * PG,
	    "below the stack");
	expect_no_secret(sp, (size_t)(top - sp), "the stack's top");
	return 0;
}

static size_t
take_exec(void)
{
	enum { RUNS = 15 };
	const char *argv[] = { "secret", "--scan", NULL };
	int status, i;
	pid_t pid;

	for (i = 0; i < RUNS; i++) {
		pid = (pid_t)EXPECT_OK(fork());
		if (pid == 0) {
			execve("/test/secret", argv, (strings_t)environ);
			_exit(127);
		}
		EXPECT_EQ(waitpid(pid, &status, 0), pid);
		expect_exit(status, 0);
	}
	return RUNS * (BSS_PAGES + 5);
}

/* --- swap ------------------------------------------------------------ */

/* Slots that held a secret hold pages with one word, then are read back. */
static size_t
take_swap(void)
{
	struct sysinfo si;
	uint64_t outs = stat_now(TS_swap_outs), *w;
	size_t n, i;
	char *p;

	EXPECT_OK(sysinfo(&si));
	if (si.totalswap == 0)
		ktap_skip("booted without swap=");
	n = si.freeram * 9 / 8;
	victim(n, true);
	p = map_or_end(n * PG, MAP_PRIVATE);
	for (i = 0; i < n; i++)
		*(uint64_t *)(void *)(p + i * PG) = i + 1;
	for (i = 0; i < n; i++) {
		w = (uint64_t *)(void *)(p + i * PG);
		EXPECT_EQ(*w, i + 1);
		expect_zero(w + 1, PG - sizeof(*w), "memory out of swap");
	}
	EXPECT(stat_now(TS_swap_outs) > outs);
	EXPECT_OK(munmap(p, n * PG));
	return n;
}

/* --- structures ------------------------------------------------------ */

#define ASK(call) do {							\
	fill_secret(dirt, sizeof(dirt));				\
	syscall6(-1, (long)SECRET, (long)SECRET, (long)SECRET,		\
	    (long)SECRET, (long)SECRET, (long)SECRET);			\
	open((char *)dirt, O_RDONLY);					\
	memset(buf, 0x11, sizeof(buf));					\
	EXPECT((call) != -1);						\
	expect_no_secret(buf, sizeof(buf), #call);			\
} while (0)

/* Padding and what no field uses, after the kernel's stack was full of it. */
static size_t
take_structures(void)
{
	static uint64_t buf[256], dirt[64];
	void *p = buf;
	int fd = (int)EXPECT_OK(open("/bin", O_RDONLY | O_DIRECTORY)), i;

	for (i = 0; i < ROUNDS; i++) {
		ASK(fstat(fd, p));
		ASK(fstat(0, p));
		ASK(stat("/proc/self/maps", p));
		ASK(syscall6(SYS_statx, AT_FDCWD, (long)"/etc/motd", 0, 0x7ff,
		    (long)p, 0));
		ASK(fstatfs(fd, p));
		ASK(statfs("/proc", p));
		ASK(lseek(fd, 0, SEEK_SET));
		ASK(getdents64(fd, p, 2000));
		ASK(uname(p));
		ASK(sysinfo(p));
		ASK(getrusage(RUSAGE_SELF, p));
		ASK(syscall3(SYS_times, (long)p, 0, 0));
		ASK(clock_gettime(1, p));
		ASK(tern_stat(p, sizeof(buf)));
		ASK(sigaction(SIGUSR2, NULL, p));
		ASK(sigaltstack(NULL, p));
		ASK(prlimit(0, RLIMIT_STACK, NULL, p));
		ASK(sched_getaffinity(0, sizeof(buf), p));
		ASK(readlink("/proc/self/exe", p, 200) >= -1 ? 0 : -1);
	}
	close(fd);
	return ROUNDS;
}

static volatile int frames;

static void
look_at_frame(int sig, siginfo_t *si, void *context)
{
	(void)sig;
	expect_no_secret(si, sizeof(*si), "siginfo");
	expect_no_secret(context, sizeof(struct ucontext), "its frame");
	frames++;
}

static size_t
take_signal_frames(void)
{
	struct sigaction sa = { .sa_flags = SA_SIGINFO };
	int i;

	sa.sa_sigaction = look_at_frame;
	EXPECT_OK(sigaction(SIGUSR1, &sa, NULL));
	frames = 0;
	for (i = 1; i <= ROUNDS; i++) {
		EXPECT_OK(kill(getpid(), SIGUSR1));
		EXPECT_EQ(frames, i);
	}
	return ROUNDS;
}

#define LOOK(name, take, what)						\
	static void							\
	name(void)							\
	{								\
		look_at(what, take);					\
	}

LOOK(private_memory, take_private, "private memory")
LOOK(shared_memory, take_shared, "shared memory")
LOOK(heap, take_heap, "the heap")
LOOK(stack, take_stack, "the stack")
LOOK(file_ends, take_file, "files' ends and holes")
LOOK(pipes, take_pipe, "pipes")
LOOK(new_program, take_exec, "new programs")
LOOK(swap_slots, take_swap, "swap")
LOOK(structures, take_structures, "structures")
LOOK(signal_frames, take_signal_frames, "signal frames")

static const struct ktap_test tests[] = {
	TEST(private_memory, T_TERN),
	TEST(shared_memory, T_TERN),
	TEST(heap, T_TERN),
	TEST(stack, T_TERN),
	TEST(file_ends, T_TERN),
	TEST(pipes, T_TERN),
	TEST(new_program, T_TERN),
	TEST(swap_slots, T_TERN),
	TEST(structures, T_TERN),
	TEST(signal_frames, T_TERN),
};

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--scan") == 0)
		return scan_program();
	return ktap_run("secret", tests, nitems(tests), argc, argv);
}
