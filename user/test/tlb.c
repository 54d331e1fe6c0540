/* SPDX-License-Identifier: MIT */
/*
 * tlb.c - the TLB litmus shapes that QEMU shows, and shootdown counters.
 *
 * A peer thread on another CPU keeps a translation warm while this thread
 * changes it.  What the peer sees after the change has returned is the
 * verdict.
 */
#include "ktap.h"
#include <thread.h>

#define PG	PAGE_SIZE
#define RW	(PROT_READ | PROT_WRITE)
#define ROUNDS	150

enum { MINE = 0x717e, SECRET = 0x5ec7e7 };

#define LOAD(p)		__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define STORE(p, v)	__atomic_store_n((p), (v), __ATOMIC_RELEASE)

static struct thread peer;
static int *volatile shared_page;	/* what the peer touches */
static int step, peer_step;		/* main says, the peer has done */
static volatile long seen_value;	/* by the peer; -1: a fault */

/* The @n-th CPU this thread may use, from 0; -1 if there are not so many.
 * Ask before pinning. */
static int
nth_cpu(int n)
{
	unsigned long mask[16] = { 0 };
	int cpu;

	EXPECT_OK(sched_getaffinity(0, sizeof(mask), mask));
	for (cpu = 0; cpu < 64; cpu++) {
		if ((mask[0] >> cpu & 1) != 0 && n-- == 0)
			return cpu;
	}
	return -1;
}

static void
read_shared(int now)
{
	struct fault f = probe(shared_page, PROBE_READ);

	(void)now;
	seen_value = f.sig != 0 ? -1 : *(volatile int *)shared_page;
}

/* What the peer does at each step. */
static void (*at_step)(int now) = read_shared;

static void *
peer_main(void *arg)
{
	int last = 0, now;

	if (!pin_to_cpu((int)(long)arg))
		return (void *)1;
	while ((now = LOAD(&step)) >= 0) {
		if (now == last)
			continue;
		last = now;
		at_step(now);
		STORE(&peer_step, now);
	}
	return NULL;
}

static void
start_peer(void *(*fn)(void *))
{
	int other = nth_cpu(1);

	EXPECT(pin_to_cpu(nth_cpu(0)));
	EXPECT_OK(thread_create(&peer, fn, (void *)(long)other));
}

static void
stop_peer(void)
{
	STORE(&step, -1);
	EXPECT_EQ(thread_join(&peer), 0);
}

/* What the peer reads at @p now; also warms its TLB. */
static long
peer_reads(void *p)
{
	int next = LOAD(&step) + 1;

	shared_page = p;
	STORE(&step, next);
	await(&peer_step, next);
	return seen_value;
}

static void
unmapped_page_is_gone(void)
{
	int *p, i;

	start_peer(peer_main);
	for (i = 1; i <= ROUNDS; i++) {
		p = (int *)map_pages(1);
		*p = i;
		EXPECT_EQ(peer_reads(p), i);
		EXPECT_OK(munmap(p, PG));
		EXPECT_EQ(peer_reads(p), -1);
	}
	stop_peer();
}

/* The frame of the unmapped page gets a new owner at once. */
static void
reused_frame_is_secret(void)
{
	char *fresh;
	int *p, i, k;
	long v;

	start_peer(peer_main);
	for (i = 0; i < ROUNDS; i++) {
		p = (int *)map_pages(1);
		*p = 1;
		EXPECT_EQ(peer_reads(p), 1);
		EXPECT_OK(munmap(p, PG));
		fresh = map_pages(8);
		if (fresh == (char *)p)		/* same place: look at page 9 */
			EXPECT_OK(munmap(fresh, PG));
		for (k = 1; k < 8; k++)
			*(int *)(fresh + (size_t)k * PG) = SECRET;
		v = peer_reads(p);
		if (p < (int *)fresh || p >= (int *)(fresh + 8 * PG))
			EXPECT_EQ(v, -1);
		munmap(fresh, 8 * PG);
	}
	stop_peer();
}

static void
replaced_page_is_new(void)
{
	int *p, i;

	start_peer(peer_main);
	p = (int *)map_pages(1);
	for (i = 1; i <= ROUNDS; i++) {
		*p = i;
		EXPECT_EQ(peer_reads(p), i);
		EXPECT_EQ(mmap(p, PG, RW, MAP_PRIVATE | MAP_ANONYMOUS |
		    MAP_FIXED, -1, 0), p);
		EXPECT_EQ(peer_reads(p), 0);
		*p = i;
		EXPECT_EQ(peer_reads(p), i);
		EXPECT_OK(madvise(p, PG, MADV_DONTNEED));
		EXPECT_EQ(peer_reads(p), 0);
	}
	stop_peer();
}

static void
no_access_is_no_access(void)
{
	int *p, i;

	start_peer(peer_main);
	p = (int *)map_pages(1);
	for (i = 1; i <= ROUNDS; i++) {
		*p = i;
		EXPECT_EQ(peer_reads(p), i);
		EXPECT_OK(mprotect(p, PG, PROT_NONE));
		EXPECT_EQ(peer_reads(p), -1);
		EXPECT_OK(mprotect(p, PG, RW));
		EXPECT_EQ(peer_reads(p), i);
	}
	stop_peer();
}

/* After the copy the peer must read the new frame, not the child's. */
static void
copy_is_seen_by_peer(void)
{
	int *p, i, status;
	int fds[2];
	pid_t pid;
	char c;

	start_peer(peer_main);
	p = (int *)map_pages(1);
	for (i = 1; i <= 40; i++) {
		EXPECT_OK(pipe(fds));
		*p = i;
		pid = (pid_t)EXPECT_OK(fork());
		if (pid == 0) {
			read(fds[0], &c, 1);
			_exit(*p == i ? 0 : 1);
		}
		EXPECT_EQ(peer_reads(p), i);	/* warm, read-only */
		*p = 1000 + i;			/* copies */
		EXPECT_EQ(peer_reads(p), 1000 + i);
		write(fds[1], "x", 1);
		EXPECT_EQ(waitpid(pid, &status, 0), pid);
		expect_exit(status, 0);
		close(fds[0]);
		close(fds[1]);
	}
	stop_peer();
}

/* --- a peer that writes all the time --------------------------------- */

static volatile int stopped;

static void
wait_until_writable(int sig, struct siginfo *si, void *uc)
{
	(void)sig, (void)si, (void)uc;
	STORE(&stopped, 1);
	while (LOAD(&stopped))
		sched_yield();
}

static void *
writer_main(void *arg)
{
	if (!pin_to_cpu((int)(long)arg))
		return (void *)1;
	while (LOAD(&step) >= 0)
		(*(volatile int *)shared_page)++;
	return NULL;
}

/* When mprotect has returned, not one more write may arrive. */
static void
write_protection_stops_writer(void)
{
	struct sigaction act = { .sa_sigaction = wait_until_writable,
	    .sa_flags = SA_SIGINFO };
	volatile int *p = (int *)map_pages(1);
	int i, k, before;

	shared_page = (int *)(uintptr_t)p;
	EXPECT_OK(sigaction(SIGSEGV, &act, NULL));
	start_peer(writer_main);
	for (i = 0; i < ROUNDS; i++) {
		before = *p;
		while (*p == before)
			continue;
		EXPECT_OK(mprotect((void *)(uintptr_t)p, PG, PROT_READ));
		before = *p;
		for (k = 0; k < 2000; k++)
			EXPECT_EQ(*p, before);
		await((int *)(uintptr_t)&stopped, 1);
		EXPECT_OK(mprotect((void *)(uintptr_t)p, PG, RW));
		STORE(&stopped, 0);
	}
	stop_peer();
}

/* --- frames go to another process at once ---------------------------- */

enum { CROWD = 256 };

static volatile int foreign;	/* what the reader saw and should not */

/* Reads all the time; waits in the handler where there is nothing. */
static void *
reader_main(void *arg)
{
	volatile int *p;
	int i, v;

	if (!pin_to_cpu((int)(long)arg))
		return (void *)1;
	while (LOAD(&step) >= 0) {
		p = shared_page;
		for (i = 0; i < CROWD; i++) {
			v = p[(size_t)i * PG / sizeof(int)];
			if (v != MINE && v != 0)
				foreign = v;
		}
		STORE(&peer_step, 1);
	}
	return NULL;
}

/* Takes frames as soon as they are free, and writes into them. */
static void
take_frames(int cpu)
{
	char *p;
	int i;

	pin_to_cpu(cpu);
	for (;;) {
		p = map_pages(CROWD);
		for (i = 0; i < CROWD; i++)
			*(int *)(p + (size_t)i * PG) = SECRET;
		munmap(p, CROWD * PG);
	}
}

/* C1: while one CPU unmaps, the second reads and the third allocates. */
static void
freed_frames_are_not_seen(void)
{
	struct sigaction act = { .sa_sigaction = wait_until_writable,
	    .sa_flags = SA_SIGINFO };
	size_t len = CROWD * PG;
	char *p = map_pages(CROWD);
	int round, i, status, third = nth_cpu(2);
	pid_t taker;

	if (third < 0)
		ktap_skip("needs three CPUs");
	taker = (pid_t)EXPECT_OK(fork());
	if (taker == 0)
		take_frames(third);
	shared_page = (int *)p;
	EXPECT_OK(sigaction(SIGSEGV, &act, NULL));
	start_peer(reader_main);
	for (round = 0; round < ROUNDS && foreign == 0; round++) {
		STORE(&peer_step, 0);
		for (i = 0; i < CROWD; i++)
			*(int *)(p + (size_t)i * PG) = MINE;
		await(&peer_step, 1);
		EXPECT_OK(munmap(p, len));
		await((int *)(uintptr_t)&stopped, 1);
		EXPECT_EQ(mmap(p, len, RW, MAP_PRIVATE | MAP_ANONYMOUS |
		    MAP_FIXED, -1, 0), p);
		STORE(&stopped, 0);
	}
	EXPECT_EQ(foreign, 0);
	stop_peer();
	EXPECT_OK(kill(taker, SIGKILL));
	EXPECT_EQ(waitpid(taker, &status, 0), taker);
}

/* A child's image must not move while the parent's thread writes on. */
static void
fork_freezes_image(void)
{
	volatile int *p = (int *)map_pages(1);
	int i, k, first, status;
	pid_t pid;

	shared_page = (int *)(uintptr_t)p;
	start_peer(writer_main);
	for (i = 0; i < 40; i++) {
		first = *p;
		while (*p == first)
			continue;
		pid = (pid_t)EXPECT_OK(fork());
		if (pid == 0) {
			first = *p;
			for (k = 0; k < 3000; k++) {
				if (*p != first)
					_exit(1);
			}
			_exit(0);
		}
		EXPECT_EQ(waitpid(pid, &status, 0), pid);
		expect_exit(status, 0);
	}
	stop_peer();
}

/* The parent's and the peer's writes after a fork meet in one page. */
static void
both_write_after_fork(void)
{
	int *p = (int *)map_pages(1), i, status, mine = 0;
	pid_t pid;

	shared_page = p;
	start_peer(writer_main);
	for (i = 0; i < 40; i++) {
		pid = (pid_t)EXPECT_OK(fork());
		if (pid == 0) {
			msleep(2);
			_exit(0);
		}
		__atomic_add_fetch(&p[1], 1, __ATOMIC_SEQ_CST);
		mine++;
		EXPECT_EQ(LOAD(&p[1]), mine);
		EXPECT_EQ(waitpid(pid, &status, 0), pid);
	}
	stop_peer();
	EXPECT_EQ(p[1], mine);
}

/* --- many spaces: the same address means other memory ---------------- */

static void
spaces_do_not_mix(void)
{
	enum { N = 10, TURNS = 60 };
	int *p = (int *)map_pages(4), i, k, n, status;

	for (i = 0; i < N; i++) {
		if (EXPECT_OK(fork()) == 0) {
			for (k = 0; k < 4; k++)
				p[(size_t)k * PG / 4] = i * 10 + k;
			for (n = 0; n < TURNS; n++) {
				sched_yield();
				for (k = 0; k < 4; k++)
					EXPECT_EQ(p[(size_t)k * PG / 4],
					    i * 10 + k);
			}
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		expect_exit(status, 0);
}

static void
many_short_spaces(void)
{
	int *p = (int *)map_pages(1), i, status;
	pid_t pid;

	for (i = 0; i < 120; i++) {
		*p = i;
		pid = (pid_t)EXPECT_OK(fork());
		if (pid == 0) {
			*p = -i;
			sched_yield();
			_exit(*p == -i ? 0 : 1);
		}
		EXPECT_EQ(*p, i);
		EXPECT_EQ(waitpid(pid, &status, 0), pid);
		expect_exit(status, 0);
	}
}

static void *
churn(void *arg)
{
	int me = (int)(long)arg, i, k;
	char *p;

	for (i = 0; i < 80; i++) {
		p = mmap(NULL, 4 * PG, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
		if (p == MAP_FAILED)
			return (void *)1;
		for (k = 0; k < 4; k++) {
			if (*(int *)(p + (size_t)k * PG) != 0)
				return (void *)2;
			*(int *)(p + (size_t)k * PG) = me;
		}
		mprotect(p, 2 * PG, PROT_READ);
		if (*(int *)p != me)
			return (void *)3;
		munmap(p, 4 * PG);
	}
	return NULL;
}

/* Two processes with threads on all CPUs: shootdowns in both directions. */
static void
shootdown_storm(void)
{
	struct thread t[4];
	int i, k, status;

	for (i = 0; i < 2; i++) {
		if (EXPECT_OK(fork()) != 0)
			continue;
		for (k = 0; k < 4; k++)
			EXPECT_OK(thread_create(&t[k], churn,
			    (void *)(long)(k + 1)));
		for (k = 0; k < 4; k++)
			EXPECT_EQ(thread_join(&t[k]), 0);
		_exit(0);
	}
	while (wait(&status) > 0)
		expect_exit(status, 0);
}

enum { CROSSED = 64 };	/* pages of each; a shootdown a page */

static void
write_shared(int now)
{
	memset(shared_page, now, CROSSED * PG);
}

/* C6: faults hold the space shared, so that two threads which copy after a
 * fork shoot at each other. */
static void
crossed_shootdowns(void)
{
	char *mine = map_pages(CROSSED);
	int i, status;
	pid_t pid;

	shared_page = (int *)map_pages(CROSSED);
	memset(mine, 1, CROSSED * PG);
	memset(shared_page, 1, CROSSED * PG);
	at_step = write_shared;
	start_peer(peer_main);
	for (i = 1; i <= 10; i++) {
		pid = (pid_t)EXPECT_OK(fork());
		if (pid == 0)
			msleep(60000);
		STORE(&step, i);
		memset(mine, i, CROSSED * PG);
		await(&peer_step, i);
		EXPECT_OK(kill(pid, SIGKILL));
		EXPECT_EQ(waitpid(pid, &status, 0), pid);
	}
	stop_peer();
}

/* --- counters: how many shootdowns an operation costs ---------------- */

static void *
idle_peer(void *arg)
{
	if (!pin_to_cpu((int)(long)arg))
		return (void *)1;
	STORE(&peer_step, 1);
	while (LOAD(&step) >= 0)
		continue;
	return NULL;
}

static bool
booted_with(const char *argument)
{
	char args[512];

	return read_file("/proc/cmdline", args, sizeof(args)) > 0 &&
	    strstr(args, argument) != NULL;
}

static void
skip_unless_masked(void)
{
	if (booted_with("tlb.targets=all"))
		ktap_skip("counts are those of targets=mask");
}

/* @p n shootdowns since @p before had one target each; with catchup=eager those
 * CPUs too where the space has been. */
static void
expect_targets(uint64_t n, uint64_t before, int ncpu)
{
	uint64_t targets = stat_now(TS_shootdown_targets) - before;

	if (booted_with("tlb.catchup=eager"))
		EXPECT(targets >= n && targets <= n * (uint64_t)(ncpu - 1));
	else
		EXPECT_EQ(targets, n);
}

static void
one_shootdown_for_many_pages(void)
{
	enum { N = 200 };
	uint64_t downs, targets;
	char *p = map_pages(N);
	int ncpu = cpu_count();

	skip_unless_masked();
	start_peer(idle_peer);
	await(&peer_step, 1);
	memset(p, 1, N * PG);
	downs = stat_now(TS_shootdowns);
	targets = stat_now(TS_shootdown_targets);
	EXPECT_OK(mprotect(p, N * PG, PROT_READ));
	EXPECT_EQ(stat_now(TS_shootdowns) - downs, 1);
	expect_targets(1, targets, ncpu);
	EXPECT_OK(mprotect(p, N * PG, RW));	/* widens: none */
	EXPECT_EQ(stat_now(TS_shootdowns) - downs, 1);
	p[0] = 2;
	EXPECT_OK(munmap(p, N * PG));
	EXPECT_EQ(stat_now(TS_shootdowns) - downs, 2);
	expect_targets(2, targets, ncpu);
	stop_peer();
}

static void
untouched_pages_need_none(void)
{
	uint64_t downs = 1;
	char *p;
	int i, tries;

	skip_unless_masked();
	/* The counter is everybody's: init may be reaping meanwhile. */
	for (tries = 0; tries < 3 && downs != 0; tries++) {
		downs = stat_now(TS_shootdowns);
		for (i = 0; i < 50; i++) {
			p = map_pages(16);
			EXPECT_OK(mprotect(p, 4 * PG, PROT_READ));
			EXPECT_OK(munmap(p, 16 * PG));
		}
		downs = stat_now(TS_shootdowns) - downs;
	}
	EXPECT_EQ(downs, 0);
}

static void
space_on_one_cpu_interrupts_none(void)
{
	uint64_t targets = 1;
	int i, tries;
	char *p;

	skip_unless_masked();
	EXPECT(pin_to_cpu(nth_cpu(0)));
	if (EXPECT_OK(fork()) == 0) {		/* a space that was only here */
		/* Everybody's counter, as above. */
		for (tries = 0; tries < 3 && targets != 0; tries++) {
			targets = stat_now(TS_shootdown_targets);
			for (i = 0; i < 100; i++) {
				p = map_pages(4);
				memset(p, 1, 4 * PG);
				EXPECT_OK(munmap(p, 4 * PG));
			}
			targets = stat_now(TS_shootdown_targets) - targets;
		}
		EXPECT_EQ(targets, 0);
		_exit(0);
	}
	EXPECT_OK(wait(&i));
	expect_exit(i, 0);
}

static const struct ktap_test tests[] = {
	TEST(unmapped_page_is_gone, T_SMP),
	TEST(reused_frame_is_secret, T_SMP),
	TEST(replaced_page_is_new, T_SMP | T_NOEMU),
	TEST(no_access_is_no_access, T_SMP),
	TEST(copy_is_seen_by_peer, T_SMP),
	TEST(write_protection_stops_writer, T_SMP),
	TEST(freed_frames_are_not_seen, T_SMP | T_NOEMU),
	TEST(fork_freezes_image, T_SMP),
	TEST(both_write_after_fork, T_SMP),
	TEST(spaces_do_not_mix, 0),
	TEST(many_short_spaces, 0),
	TEST(shootdown_storm, 0),
	TEST(crossed_shootdowns, T_SMP),
	TEST(one_shootdown_for_many_pages, T_TERN | T_SMP),
	TEST(untouched_pages_need_none, T_TERN),
	TEST(space_on_one_cpu_interrupts_none, T_TERN | T_SMP),
};

KTAP_MAIN("tlb")
