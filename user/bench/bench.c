/* SPDX-License-Identifier: MIT */
/*
 * bench.c - what one operation costs: bench [all | NAME...]
 *
 * A sample is counter, operation, counter, minus the median empty sample.
 * The counter is rdinstret (rdtsc): guest instructions below QEMU's -icount
 * with one CPU.  Operations are raw system calls.  Each benchmark runs in a
 * child of its own, so that no memory of another one is left over, and the
 * parent stays small: at most 32 resident pages.
 * Each shows by contents and counters that it did what its name says; one that
 * did not ends without a result.
 * Results go to /dev/results, else standard output:
 *	bench NAME SAMPLES MIN MEDIAN P90 MAX
 * "all" leaves out those that need swap space or several CPUs; "swap" and "smp"
 * run these.
 */
#include "bench.h"
#include <thread.h>
#include <abi/stat_tern.h>

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

/* A counter of the kernel; another system than Tern has none. */
static uint64_t
counter_of(enum tern_stat_index i)
{
	static struct tern_stat st;

	memset(&st, 0, sizeof(st));	/* its page faults now, not below */
	tern_stat(&st, sizeof(st));
	return st.v[i];
}

/* At least @n more than before, where they are counted at all. */
static void
must_count(enum tern_stat_index i, uint64_t before, uint64_t n,
    const char *what)
{
	uint64_t now = counter_of(i);

	must(now == 0 || now - before >= n, what);
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

/* --- other threads of this space, each running on a CPU of its own ---- */

#define MAX_RUNNERS	7

static struct runner {
	struct thread	  thread;
	volatile uint64_t rounds;
} __attribute__((aligned(64))) runners[MAX_RUNNERS];
static volatile bool runners_stop;

static void
run_on_cpu(int cpu)
{
	unsigned long mask = 1ul << cpu;

	must(sched_setaffinity(0, sizeof(mask), &mask) == 0,
	    "finding so many CPUs");
}

static void *
runner_main(void *arg)
{
	struct runner *r = arg;

	run_on_cpu((int)(r - runners) + 1);
	while (!runners_stop)
		r->rounds++;
	return NULL;
}

static void
start_runners(int k)
{
	int i;

	for (i = 0; i < k; i++)
		must(thread_create(&runners[i].thread, runner_main,
		    &runners[i]) == 0, "thread_create");
	run_on_cpu(0);
}

static void
stop_runners(int k)
{
	int i;

	runners_stop = true;
	for (i = 0; i < k; i++)
		thread_join(&runners[i].thread);
}

/* Each is in user mode: it has gone on since we asked. */
static void
await_runners(int k)
{
	uint64_t was;
	int i;

	for (i = 0; i < k; i++) {
		was = runners[i].rounds;
		while (runners[i].rounds == was)
			;
	}
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

/* A page that is a region of its own: there are holes on both sides. */
static char *
map_lone_page(void)
{
	char *p = map_touched(3) + PAGE_SIZE;

	RAW3(munmap, p - PAGE_SIZE, PAGE_SIZE, 0);
	RAW3(munmap, p + PAGE_SIZE, PAGE_SIZE, 0);
	return p;
}

static void
sample_mprotect(char *p, int n, int nrunners)
{
	int i;

	for (i = 0; i < n; i++) {
		await_runners(nrunners);
		SAMPLE(i, RAW3(mprotect, p, PAGE_SIZE, PROT_READ));
		must(RAW3(mprotect, p, PAGE_SIZE, PROT_READ | PROT_WRITE) ==
		    0, "mprotect");
		*(volatile char *)p = 1;
	}
}

static void
bench_mprotect_1p(int n)
{
	sample_mprotect(map_lone_page(), n, 0);
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

/* The fork call alone, by page.  The pages are written again before each, so
 * that there is something to protect; the child sees them as they were. */
static void
bench_fork_4096p(int n)
{
	enum { NPAGES = 4096 };
	volatile char *p = map_touched(NPAGES);
	int status = 0, i;
	size_t k;
	long pid = 0;

	for (i = 0; i < n; i++) {
		for (k = 0; k < NPAGES; k++)
			p[k * PAGE_SIZE] = (char)(i + 1);
		SAMPLE(i, pid = RAW_FORK());
		if (pid == 0) {
			for (k = 0; k < NPAGES; k++)
				if (p[k * PAGE_SIZE] != (char)(i + 1))
					RAW3(exit_group, 1, 0, 0);
			p[PAGE_SIZE] = 0;
			RAW3(exit_group, 0, 0, 0);
		}
		samples[i] /= NPAGES;
		p[0] = 0;	/* the child has not run yet */
		syscall6(SYS_wait4, pid, (long)&status, 0, 0, 0, 0);
		must(pid > 0 && status == 0 && p[PAGE_SIZE] == (char)(i + 1),
		    "fork");
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
	memset(page, 'f', sizeof(page));
	for (i = 0; i < npages; i++)
		must(write(fd, page, sizeof(page)) == sizeof(page), "write");
	return fd;
}

static volatile char *
map_file(int fd, int n, int prot, int flags)
{
	char *p = mmap(NULL, (size_t)n * PAGE_SIZE, prot, flags, fd, 0);

	must(p != MAP_FAILED, "mmap");
	return p;
}

static char
byte_of_file(int fd, int page)
{
	char c = 0;

	must(pread(fd, &c, 1, (long)page * PAGE_SIZE) == 1, "pread");
	return c;
}

static void
bench_read_4k_cached(int n)
{
	char *buf = map_touched(1);
	int fd = bench_file(1), i;
	long got = 0;

	for (i = 0; i < n; i++) {
		buf[0] = buf[4095] = 0;
		SAMPLE(i, got = syscall6(SYS_pread64, fd, (long)buf, 4096, 0,
		    0, 0));
		must(got == 4096 && buf[0] == 'f' && buf[4095] == 'f',
		    "pread");
	}
}

static void
bench_write_4k_cached(int n)
{
	char *buf = map_touched(1);
	int fd = bench_file(1), i;
	long got = 0;

	for (i = 0; i < n; i++) {
		buf[0] = (char)i;
		SAMPLE(i, got = syscall6(SYS_pwrite64, fd, (long)buf, 4096, 0,
		    0, 0));
		must(got == 4096 && byte_of_file(fd, 0) == (char)i, "pwrite");
	}
}

static void
bench_file_private_read(int n)
{
	volatile char *p = map_file(bench_file((size_t)n), n, PROT_READ,
	    MAP_PRIVATE);
	uint64_t before = counter_of(TS_faults);
	char c = 0;
	int i;

	for (i = 0; i < n; i++) {
		SAMPLE(i, c = p[(size_t)i * PAGE_SIZE]);
		must(c == 'f', "reading a mapped file");
	}
	must_count(TS_faults, before, (uint64_t)n, "a fault a page");
}

/* Each page gets a copy: the file stays as it was. */
static void
bench_file_private_write(int n)
{
	int fd = bench_file((size_t)n), i;
	volatile char *p = map_file(fd, n, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE);
	uint64_t before = counter_of(TS_faults);

	for (i = 0; i < n; i++)
		SAMPLE(i, p[(size_t)i * PAGE_SIZE] = 1);
	must_count(TS_faults, before, (uint64_t)n, "a fault a page");
	for (i = 0; i < n; i++)
		must(byte_of_file(fd, i) == 'f' &&
		    p[(size_t)i * PAGE_SIZE] == 1 &&
		    p[(size_t)i * PAGE_SIZE + 1] == 'f', "a private copy");
}

static void
bench_file_shared_write(int n)
{
	int fd = bench_file((size_t)n), i;
	volatile char *p = map_file(fd, n, PROT_READ | PROT_WRITE,
	    MAP_SHARED);
	uint64_t before = counter_of(TS_faults);

	for (i = 0; i < n; i++)
		SAMPLE(i, p[(size_t)i * PAGE_SIZE] = 1);
	must_count(TS_faults, before, (uint64_t)n, "a fault a page");
	for (i = 0; i < n; i++)
		must(byte_of_file(fd, i) == 1, "a shared store");
}

/* --- swap ------------------------------------------------------------- */

/*
 * Who waits for a device lets the CPU idle, and the counter runs on.  So a
 * second process takes the CPU meanwhile, gives it away at once, and counts its
 * turns, which are then subtracted: what is left was executed for us.
 */
static volatile uint64_t *turns;	/* shared with that process */
static uint64_t turn_cost;		/* instructions, times 1024 */
static pid_t turn_taker;

static __attribute__((noinline)) void
take_turns(uint64_t limit)
{
	while (*turns < limit) {
		++*turns;
		RAW0(sched_yield);
	}
}

static void
start_turns(void)
{
	uint64_t start;

	turns = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(turns != MAP_FAILED, "mmap");
	*turns = 0;
	start = counter_read();
	take_turns(1024);
	turn_cost = counter_read() - start;
	turn_taker = fork();
	if (turn_taker == 0)
		take_turns(UINT64_MAX);	/* until it is killed */
	must(turn_taker > 0, "fork");
}

static void
stop_turns(void)
{
	kill(turn_taker, SIGKILL);
	waitpid(turn_taker, NULL, 0);
}

/* The counter without the turns of the other process. */
static uint64_t
counter_busy(void)
{
	uint64_t now = counter_read();

	return now - *turns * turn_cost / 1024;
}

static size_t
free_pages(void)
{
	struct sysinfo si;

	must(sysinfo(&si) == 0 && si.totalswap > 0, "finding swap space");
	return si.freeram * si.mem_unit / PAGE_SIZE;
}

/* Which of so many pages are resident; returns how many are not. */
static size_t
count_out(const char *p, size_t npages, unsigned char *resident)
{
	size_t n = 0, i;

	must(RAW3(mincore, p, npages * PAGE_SIZE, resident) == 0, "mincore");
	for (i = 0; i < npages; i++)
		n += !(resident[i] & 1);
	return n;
}

/* Memory is filled until enough pages are out, and free when they come in.  A
 * clock may pass over some: there are twice as many as are measured. */
static void
bench_page_in(int n)
{
	static unsigned char resident[1024];
	size_t npages = 2 * (size_t)n, nmore, i;
	uint64_t before, start;
	char *p, *more, c = 0;
	int k = 0;

	must(npages <= sizeof(resident), "fitting the vector");
	start_turns();
	nmore = free_pages() + 8 * npages;
	more = RAW_MMAP(nmore);	/* above: a clock comes there later */
	must((long)more > 0, "mmap");
	p = map_touched(npages);
	for (i = 0; i < nmore; i++) {
		*(volatile char *)(more + i * PAGE_SIZE) = 1;
		if (i % 64 == 0 &&
		    count_out(p, npages, resident) >= npages * 3 / 4)
			break;
	}
	munmap(more, nmore * PAGE_SIZE);
	must(count_out(p, npages, resident) >= (size_t)n, "paging out");
	before = counter_of(TS_swap_ins);
	for (i = 0; k < n; i++) {
		if (resident[i] & 1)
			continue;
		start = counter_busy();
		c = *(volatile char *)(p + i * PAGE_SIZE);
		samples[k++] = counter_busy() - start;
		must(c == 1, "paging in");
	}
	stop_turns();
	must_count(TS_swap_ins, before, (uint64_t)n, "a page in a fault");
}

/* The first touch of one more page when memory is full, by page that went: the
 * fault, the search of the daemon, the way to the device. */
static void
bench_page_out(int n)
{
	enum { NPAGES = 2048 };
	size_t nfree, i;
	uint64_t before = 0, start = 0, out;
	char *p;
	int k;

	start_turns();
	for (k = 0; k < n; k++) {
		nfree = free_pages();
		p = RAW_MMAP(nfree + NPAGES);
		must((long)p > 0, "mmap");
		for (i = 0; i < nfree + NPAGES; i++) {
			if (i == nfree) {
				before = counter_of(TS_swap_outs);
				start = counter_busy();
			}
			*(volatile char *)(p + i * PAGE_SIZE) = 1;
		}
		samples[k] = counter_busy() - start;
		out = counter_of(TS_swap_outs) - before;
		must(out >= NPAGES / 2, "paging out");
		samples[k] /= out;
		munmap(p, (nfree + NPAGES) * PAGE_SIZE);
	}
	stop_turns();
}

/* --- several CPUs ----------------------------------------------------- */

/* The counter is that of all CPUs together.  Every call must reach every
 * runner, by one interrupt each, and nobody else.  The page comes last: a stack
 * of a runner in the hole beside it would be one region with it. */
static void
mprotect_beside(int n, int k)
{
	uint64_t targets, ipis, want = (uint64_t)n * (uint64_t)k;
	char *p;

	start_runners(k);
	await_runners(k);
	p = map_lone_page();
	targets = counter_of(TS_shootdown_targets);
	ipis = counter_of(TS_ipis_sent);
	sample_mprotect(p, n, k);
	if (counter_of(TS_shootdowns) != 0) {
		must(counter_of(TS_shootdown_targets) - targets == want,
		    "reaching each runner once a call");
		must(counter_of(TS_ipis_sent) - ipis >= want,
		    "interrupting each runner");
	}
	stop_runners(k);
}

#define BESIDE(k)							\
static void								\
bench_mprotect_1p_k##k(int n)						\
{									\
	mprotect_beside(n, k);						\
}
BESIDE(0)
BESIDE(1)
BESIDE(2)
BESIDE(3)
BESIDE(4)

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
	BENCH(fork_4096p, 100),
	SWAP_BENCH(page_in, 256),
	SWAP_BENCH(page_out, 10),
	SMP_BENCH(mprotect_1p_k0, 100),
	SMP_BENCH(mprotect_1p_k1, 100),
	SMP_BENCH(mprotect_1p_k2, 100),
	SMP_BENCH(mprotect_1p_k3, 100),
	SMP_BENCH(mprotect_1p_k4, 100),
	{ NULL, NULL, 0, NULL },
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
		    strcmp(argv[i], b->group) == 0)
			return true;
	}
	return argc <= 1 && strcmp(b->group, "all") == 0;
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
