/* SPDX-License-Identifier: MIT */
/*
 * bench.c - what one operation costs: bench [all | NAME...]
 *
 * A sample is counter, operation, counter, minus the median empty sample.
 * The counter is rdinstret (rdtsc): guest instructions below QEMU's -icount
 * with one CPU.  Operations are raw system calls.  Each benchmark runs in a
 * child of its own, so that no memory of another one is left over, and the
 * parent stays small: at most 32 resident pages.
 * Results go to /dev/results, else standard output:
 *	bench NAME SAMPLES MIN MEDIAN P90 MAX
 */
#include "bench.h"

uint64_t samples[MAX_SAMPLES];
static uint64_t overhead;		/* median empty sample */
static int out_fd = STDOUT_FILENO;
static const char *tiny_path = "/bin/tiny";

#define RAW0(name)	syscall0(SYS_##name)
#define RAW3(name, a, b, c)						\
	syscall3(SYS_##name, (long)(a), (long)(b), (long)(c))
#define RAW_MMAP(npages)						\
	((char *)syscall6(SYS_mmap, 0, (long)(npages) * 4096,		\
	    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
#define RAW_FORK()	syscall6(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0)
#define RAW_WAIT(pid)	syscall6(SYS_wait4, (pid), 0, 0, 0, 0, 0)

void
must(bool good, const char *what)
{
	if (!good)
		die("bench: %s failed", what);
}

static char *
map_touched(size_t npages)
{
	char *p = RAW_MMAP(npages);
	size_t i;

	must(p != MAP_FAILED && (long)p > 0, "mmap");
	for (i = 0; i < npages; i++)
		*(volatile char *)(p + i * PAGE_SIZE) = 1;
	return p;
}

/* --- the operations: each fills samples[0..n) ------------------------ */

static void
bench_getpid(int n)
{
	int i;

	for (i = 0; i < n; i++)
		SAMPLE(i, RAW0(getpid));
}

static void
bench_first_touch_write(int n)
{
	volatile char *p = RAW_MMAP(n);
	int i;

	must((long)p > 0, "mmap");
	for (i = 0; i < n; i++)
		SAMPLE(i, p[(size_t)i * PAGE_SIZE] = 1);
}

/* The child sleeps, so both own the pages: each write must copy. */
static void
bench_cow_copy(int n)
{
	volatile char *p = map_touched((size_t)n);
	int fds[2], i;
	char c;
	long pid;

	must(pipe(fds) == 0, "pipe");
	pid = RAW_FORK();
	if (pid == 0) {
		close(fds[1]);
		read(fds[0], &c, 1);
		_exit(0);
	}
	must(pid > 0, "fork");
	for (i = 0; i < n; i++)
		SAMPLE(i, p[(size_t)i * PAGE_SIZE] = 2);
	close(fds[1]);
	RAW_WAIT(pid);
}

/* The child is gone: each write finds that it is the last owner. */
static void
bench_cow_last_owner(int n)
{
	volatile char *p = map_touched((size_t)n);
	long pid = RAW_FORK();
	int i;

	if (pid == 0)
		_exit(0);
	must(pid > 0 && RAW_WAIT(pid) == pid, "fork");
	for (i = 0; i < n; i++)
		SAMPLE(i, p[(size_t)i * PAGE_SIZE] = 2);
}

static void
bench_mmap_touch_munmap_1p(int n)
{
	volatile char *p = NULL;
	int i;

	for (i = 0; i < n; i++) {
		SAMPLE(i, {
			p = RAW_MMAP(1);
			*p = 1;
			RAW3(munmap, p, PAGE_SIZE, 0);
		});
	}
	must((long)p > 0, "mmap");
}

/* Holes on both sides keep the page a region of its own. */
static void
bench_mprotect_1p(int n)
{
	char *p = map_touched(3) + PAGE_SIZE;
	int i;

	RAW3(munmap, p - PAGE_SIZE, PAGE_SIZE, 0);
	RAW3(munmap, p + PAGE_SIZE, PAGE_SIZE, 0);
	for (i = 0; i < n; i++) {
		SAMPLE(i, RAW3(mprotect, p, PAGE_SIZE, PROT_READ));
		must(RAW3(mprotect, p, PAGE_SIZE, PROT_READ | PROT_WRITE) ==
		    0, "mprotect");
		*(volatile char *)p = 1;
	}
}

static void
bench_munmap_1024p_per_page(int n)
{
	char *p;
	int i;

	for (i = 0; i < n; i++) {
		p = map_touched(1024);
		SAMPLE(i, RAW3(munmap, p, 1024 * PAGE_SIZE, 0));
		samples[i] /= 1024;
	}
}

static void
bench_pipe_roundtrip(int n)
{
	int there[2], back[2], i;
	char c = 'x';
	long pid;

	must(pipe(there) == 0 && pipe(back) == 0, "pipe");
	pid = RAW_FORK();
	if (pid == 0) {
		close(there[1]);
		while (RAW3(read, there[0], &c, 1) == 1)
			RAW3(write, back[1], &c, 1);
		_exit(0);
	}
	must(pid > 0, "fork");
	for (i = 0; i < n; i++) {
		SAMPLE(i, {
			RAW3(write, there[1], &c, 1);
			RAW3(read, back[0], &c, 1);
		});
	}
	close(there[1]);
	RAW_WAIT(pid);
}

static void
bench_fork_exit_wait(int n)
{
	long pid = 0;
	int i;

	for (i = 0; i < n; i++) {
		SAMPLE(i, {
			pid = RAW_FORK();
			if (pid == 0)
				RAW3(exit_group, 0, 0, 0);
			RAW_WAIT(pid);
		});
		must(pid > 0, "fork");
	}
}

static void
bench_fork_exec_wait(int n)
{
	const char *argv[] = { "tiny", NULL }, *envp[] = { NULL };
	int status = 0, i;
	long pid = 0;

	for (i = 0; i < n; i++) {
		SAMPLE(i, {
			pid = RAW_FORK();
			if (pid == 0) {
				RAW3(execve, tiny_path, argv, envp);
				RAW3(exit_group, 1, 0, 0);
			}
			syscall6(SYS_wait4, pid, (long)&status, 0, 0, 0, 0);
		});
		must(pid > 0 && status == 0, "fork or exec");
	}
}

/* A file whose pages are in the cache; on Tern's root /tmp is on the disk. */
static int
bench_file(size_t npages)
{
	static char page[4096];
	int fd = open("/tmp/bench.file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	size_t i;

	must(fd >= 0, "open");
	unlink("/tmp/bench.file");
	for (i = 0; i < npages; i++)
		must(write(fd, page, sizeof(page)) == sizeof(page), "write");
	return fd;
}

static volatile char *
map_bench_file(int n, int prot, int flags)
{
	char *p = mmap(NULL, (size_t)n * PAGE_SIZE, prot, flags,
	    bench_file((size_t)n), 0);

	must(p != MAP_FAILED, "mmap");
	return p;
}

static void
bench_read_4k_cached(int n)
{
	char *buf = map_touched(1);
	int fd = bench_file(1), i;

	for (i = 0; i < n; i++)
		SAMPLE(i, syscall6(SYS_pread64, fd, (long)buf, 4096, 0, 0, 0));
}

static void
bench_write_4k_cached(int n)
{
	char *buf = map_touched(1);
	int fd = bench_file(1), i;

	for (i = 0; i < n; i++)
		SAMPLE(i, syscall6(SYS_pwrite64, fd, (long)buf, 4096, 0, 0,
		    0));
}

static void
bench_file_private_read(int n)
{
	volatile char *p = map_bench_file(n, PROT_READ, MAP_PRIVATE);
	int i;

	for (i = 0; i < n; i++)
		SAMPLE(i, (void)p[(size_t)i * PAGE_SIZE]);
}

static void
bench_file_private_write(int n)
{
	volatile char *p = map_bench_file(n, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE);
	int i;

	for (i = 0; i < n; i++)
		SAMPLE(i, p[(size_t)i * PAGE_SIZE] = 1);
}

static void
bench_file_shared_write(int n)
{
	volatile char *p = map_bench_file(n, PROT_READ | PROT_WRITE,
	    MAP_SHARED);
	int i;

	for (i = 0; i < n; i++)
		SAMPLE(i, p[(size_t)i * PAGE_SIZE] = 1);
}

static const struct bench benches[] = {
	BENCH(getpid, 1000),
	BENCH(first_touch_write, 1000),
	BENCH(cow_copy, 256),
	BENCH(cow_last_owner, 256),
	BENCH(mmap_touch_munmap_1p, 500),
	BENCH(mprotect_1p, 500),
	BENCH(munmap_1024p_per_page, 100),
	BENCH(pipe_roundtrip, 500),
	BENCH(fork_exit_wait, 100),
	BENCH(fork_exec_wait, 100),
	BENCH(read_4k_cached, 500),
	BENCH(write_4k_cached, 500),
	BENCH(file_private_read, 256),
	BENCH(file_private_write, 256),
	BENCH(file_shared_write, 256),
	{ NULL, NULL, 0 },
};

/* --- statistics ------------------------------------------------------ */

static void
sort(uint64_t *v, int n)
{
	int gap, i, j;
	uint64_t x;

	for (gap = n / 2; gap > 0; gap /= 2) {
		for (i = gap; i < n; i++) {
			x = v[i];
			for (j = i; j >= gap && v[j - gap] > x; j -= gap)
				v[j] = v[j - gap];
			v[j] = x;
		}
	}
}

static void
measure_overhead(void)
{
	int i;

	for (i = 0; i < MAX_SAMPLES; i++)
		SAMPLE(i, (void)0);
	sort(samples, MAX_SAMPLES);
	overhead = samples[MAX_SAMPLES / 2];
}

static void
run_and_report(const struct bench *b)
{
	int i;

	b->run(b->n);
	for (i = 0; i < b->n; i++)
		samples[i] -= MIN(samples[i], overhead);
	sort(samples, b->n);
	dprintf(out_fd, "bench %s %d %lu %lu %lu %lu\n", b->name, b->n,
	    samples[0], samples[b->n / 2], samples[b->n * 9 / 10],
	    samples[b->n - 1]);
}

static bool
run_in_child(const struct bench *b)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		measure_overhead();
		run_and_report(b);
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static bool
selected(const struct bench *b, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], b->name) == 0 ||
		    strcmp(argv[i], "all") == 0)
			return true;
	}
	return argc <= 1;
}

static int
count_selected(const struct bench *b, int argc, char **argv)
{
	int n = 0;

	for (; b->name != NULL; b++)
		n += selected(b, argc, argv);
	return n;
}

/* @return how many failed; *@number is the last one's */
static int
run_selected(const struct bench *b, int argc, char **argv, int *number)
{
	int failed = 0;
	bool ok;

	for (; b->name != NULL; b++) {
		if (!selected(b, argc, argv))
			continue;
		ok = run_in_child(b);
		failed += !ok;
		dprintf(out_fd, "%sok %d %s\n", ok ? "" : "not ", ++*number,
		    b->name);
	}
	return failed;
}

int
main(int argc, char **argv)
{
	const struct bench *l4 = l4_benches();
	const char *root = getenv("TEST_ROOT");
	int count, number = 0, failed, fd;
	static char path[256];

	fd = open("/dev/results", O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		out_fd = fd;
	if (root != NULL) {
		snprintf(path, sizeof(path), "%s/bin/tiny", root);
		tiny_path = path;
	}
	count = count_selected(benches, argc, argv) +
	    count_selected(l4, argc, argv);
	dprintf(out_fd, "KTAP version 1\n1..%d\n", count);
	failed = run_selected(benches, argc, argv, &number) +
	    run_selected(l4, argc, argv, &number);
	dprintf(out_fd, "# run complete\n");
	return failed > 0 || count == 0;
}
