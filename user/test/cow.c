/* SPDX-License-Identifier: MIT */
/*
 * cow.c - fork by copy-on-write: who sees whose writes.
 */
#include "ktap.h"

#define PG	PAGE_SIZE
#define RW	(PROT_READ | PROT_WRITE)

static int in_data = 1;
static char in_bss[3 * PG];

static void
fill(char *p, size_t npages, int value)
{
	size_t i;

	for (i = 0; i < npages; i++)
		memset(p + i * PG, value + (int)i, PG);
}

static void
expect_fill(const char *p, size_t npages, int value)
{
	size_t i, at;

	for (i = 0; i < npages; i++) {
		for (at = 0; at < PG; at += 509)
			EXPECT_EQ(p[i * PG + at], (char)(value + (int)i));
	}
}

static void
wait_ok(pid_t pid)
{
	int status;

	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_exit(status, 0);
}

static void
child_writes(void)
{
	char *heap = malloc(5000), *map = map_pages(3);
	volatile int on_stack = 1;
	pid_t pid;

	fill(map, 3, 10);
	fill(in_bss, 3, 20);
	memset(heap, 'h', 5000);
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		EXPECT_EQ(on_stack, 1);
		expect_fill(map, 3, 10);
		expect_fill(in_bss, 3, 20);
		on_stack = in_data = 2;
		fill(map, 3, 30);
		fill(in_bss, 3, 40);
		memset(heap, 'x', 5000);
		expect_fill(map, 3, 30);
		_exit(0);
	}
	wait_ok(pid);
	EXPECT_EQ(on_stack, 1);
	EXPECT_EQ(in_data, 1);
	expect_fill(map, 3, 10);
	expect_fill(in_bss, 3, 20);
	EXPECT(heap[0] == 'h' && heap[4999] == 'h');
}

static void
parent_writes(void)
{
	char *p = map_pages(3);
	int fds[2];
	pid_t pid;
	char c;

	EXPECT_OK(pipe(fds));
	fill(p, 3, 1);
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		read(fds[0], &c, 1);
		expect_fill(p, 3, 1);
		_exit(0);
	}
	fill(p, 3, 50);
	write(fds[1], "x", 1);
	expect_fill(p, 3, 50);
	wait_ok(pid);
	expect_fill(p, 3, 50);
}

static void
shared_is_shared(void)
{
	char *p = map_shared(3);
	pid_t pid;

	p[0] = 1;
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		EXPECT_EQ(p[0], 1);
		p[0] = 2;
		p[2 * PG] = 3;		/* first touched by the child */
		_exit(0);
	}
	wait_ok(pid);
	EXPECT_EQ(p[0], 2);
	EXPECT_EQ(p[2 * PG], 3);
	EXPECT_EQ(p[PG], 0);
}

static void
shared_survives_its_maker(void)
{
	char *p = map_shared(2);
	pid_t pid = (pid_t)EXPECT_OK(fork());

	if (pid == 0) {
		p[0] = 9;
		munmap(p, 2 * PG);
		_exit(0);
	}
	wait_ok(pid);
	EXPECT_EQ(p[0], 9);
	EXPECT_OK(madvise(p, 2 * PG, MADV_DONTNEED));
	EXPECT_EQ(p[0], 9);
}

/* Untouched pages are nobody's: each side gets its own zero page. */
static void
untouched_before_fork(void)
{
	char *p = map_pages(4);
	pid_t pid = (pid_t)EXPECT_OK(fork());

	if (pid == 0) {
		EXPECT_EQ(p[0], 0);
		fill(p, 4, 1);
		_exit(0);
	}
	p[PG] = 7;
	wait_ok(pid);
	EXPECT_EQ(p[0], 0);
	EXPECT_EQ(p[PG], 7);
}

static void
copies_are_counted(void)
{
	enum { N = 40 };
	char *p = map_pages(N);
	uint64_t copies, free;
	int fds[2];
	pid_t pid;
	char c;
	size_t i;

	EXPECT_OK(pipe(fds));
	fill(p, N, 0);
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		read(fds[0], &c, 1);
		_exit(0);
	}
	msleep(100);			/* until the child sleeps */
	copies = stat_now(TS_cow_copies);
	free = stat_now(TS_frames_free);
	for (i = 0; i < N; i++)
		p[i * PG] = 1;
	copies = stat_now(TS_cow_copies) - copies;
	free -= stat_now(TS_frames_free);
	EXPECT(copies >= N && copies <= N + 4);
	EXPECT(free >= N && free <= N + 8);
	write(fds[1], "x", 1);
	wait_ok(pid);
}

static void
last_owner_does_not_copy(void)
{
	enum { N = 40 };
	char *p = map_pages(N);
	uint64_t copies, reuses;
	size_t i;
	pid_t pid;

	fill(p, N, 0);
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0)
		_exit(0);
	wait_ok(pid);
	copies = stat_now(TS_cow_copies);
	reuses = stat_now(TS_cow_reuses);
	for (i = 0; i < N; i++)
		p[i * PG] = 1;
	EXPECT(stat_now(TS_cow_copies) - copies <= 2);
	EXPECT(stat_now(TS_cow_reuses) - reuses >= N);
}

/* Rights that come after the fork must not bypass the copy. */
static void
protect_after_fork(void)
{
	char *p = map_pages(4);
	pid_t pid;

	fill(p, 4, 1);
	EXPECT_OK(mprotect(p, 2 * PG, PROT_READ));
	EXPECT_OK(mprotect(p + 2 * PG, PG, PROT_NONE));
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		EXPECT_SEGV(p, PROBE_WRITE, SEGV_ACCERR);
		EXPECT_SEGV(p + 2 * PG, PROBE_READ, SEGV_ACCERR);
		EXPECT_OK(mprotect(p, 4 * PG, PROT_READ));
		EXPECT_OK(mprotect(p, 4 * PG, RW));
		expect_fill(p, 4, 1);
		fill(p, 4, 80);
		_exit(0);
	}
	wait_ok(pid);
	EXPECT_OK(mprotect(p, 4 * PG, RW));
	expect_fill(p, 4, 1);
}

static void
dontneed_after_fork(void)
{
	char *p = map_pages(2);
	pid_t pid;

	fill(p, 2, 3);
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		EXPECT_OK(madvise(p, 2 * PG, MADV_DONTNEED));
		EXPECT_EQ(p[0], 0);
		_exit(0);
	}
	wait_ok(pid);
	expect_fill(p, 2, 3);
}

static void
unmap_after_fork(void)
{
	char *p = map_pages(4);
	pid_t pid;

	fill(p, 4, 3);
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		EXPECT_OK(munmap(p + PG, 2 * PG));
		EXPECT_SEGV(p + PG, PROBE_READ, SEGV_MAPERR);
		_exit(0);
	}
	wait_ok(pid);
	expect_fill(p, 4, 3);
}

/* The kernel writes too: read(2) into a page that is shared must copy it. */
static void
kernel_writes_copy(void)
{
	char *p = map_pages(2);
	int fds[2];
	pid_t pid;

	EXPECT_OK(pipe(fds));
	fill(p, 2, 1);
	write(fds[1], "KERNEL", 6);
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		EXPECT_EQ(read(fds[0], p + PG - 3, 6), 6);
		EXPECT_EQ(memcmp(p + PG - 3, "KERNEL", 6), 0);
		_exit(0);
	}
	wait_ok(pid);
	expect_fill(p, 2, 1);
}

static void
deep_chain(void)
{
	enum { DEPTH = 12 };
	char *p = map_pages(DEPTH);
	int level, i, status;
	pid_t pid;

	fill(p, DEPTH, 0);
	for (level = 0; level < DEPTH; level++) {
		pid = fork();
		if (pid < 0)
			_exit(50);
		if (pid > 0)
			break;
		p[level * (long)PG] = (char)(100 + level);
	}
	if (pid > 0) {
		waitpid(pid, &status, 0);
		if (status != 0)
			_exit(51);
	}
	/* This process came from `level` forks. */
	for (i = 0; i < DEPTH; i++)
		EXPECT_EQ(p[i * (long)PG], i < level ? 100 + i : i);
}

static void
many_children(void)
{
	enum { N = 40, PAGES = 8 };
	char *p = map_pages(PAGES);
	pid_t pids[N];
	int i;

	fill(p, PAGES, 60);
	for (i = 0; i < N; i++) {
		pids[i] = (pid_t)EXPECT_OK(fork());
		if (pids[i] == 0) {
			fill(p, PAGES, i);
			sched_yield();
			expect_fill(p, PAGES, i);
			_exit(0);
		}
	}
	for (i = 0; i < N; i++)
		wait_ok(pids[i]);
	expect_fill(p, PAGES, 60);
}

/* The middle process is gone before its child writes. */
static void
orphan_keeps_pages(void)
{
	char *p = map_pages(4), *answer = map_shared(1);
	pid_t pid;

	fill(p, 4, 5);
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		fill(p, 2, 90);
		if (fork() == 0) {
			msleep(50);
			expect_fill(p, 2, 90);
			expect_fill(p + 2 * PG, 2, 7);
			fill(p, 4, 33);
			expect_fill(p, 4, 33);
			__atomic_store_n((int *)answer, 1, __ATOMIC_RELEASE);
			_exit(0);
		}
		_exit(0);
	}
	wait_ok(pid);
	await((int *)answer, 1);
	expect_fill(p, 4, 5);
}

static void
repeated_forks(void)
{
	char *p = map_pages(16);
	int i;
	pid_t pid;

	for (i = 0; i < 60; i++) {
		fill(p, 16, i);
		pid = (pid_t)EXPECT_OK(fork());
		if (pid == 0) {
			expect_fill(p, 16, i);
			fill(p, 8, 127 - i);
			expect_fill(p, 8, 127 - i);
			_exit(0);
		}
		if (i % 2 != 0)
			fill(p, 16, i + 1);
		wait_ok(pid);
		expect_fill(p, 16, i % 2 != 0 ? i + 1 : i);
	}
}

/* A random tree of processes; each knows what its pages must hold. */
static void
random_tree(void *arg)
{
	enum { N = 24 };
	static unsigned char model[N];
	static char *p;
	uint64_t seed = 99 + (uintptr_t)arg;
	int step, depth = 0, status;
	size_t i;
	pid_t pid;

	p = map_pages(N);
	memset(model, 0, sizeof(model));
	for (step = 0; step < 150; step++) {
		i = prng(&seed) % N;
		if (prng(&seed) % 40 == 0 && depth < 3) {
			pid = (pid_t)EXPECT_OK(fork());
			if (pid == 0) {
				depth++;
				seed ^= (uint64_t)step << 32;
			} else if (prng(&seed) % 2 == 0) {
				waitpid(pid, &status, 0);
				expect_exit(status, 0);
			}
		} else if (prng(&seed) % 9 == 0) {
			EXPECT_OK(madvise(p + i * PG, PG, MADV_DONTNEED));
			model[i] = 0;
		} else {
			model[i] = (unsigned char)prng(&seed);
			p[i * PG + i] = (char)model[i];
		}
		i = prng(&seed) % N;
		EXPECT_EQ((unsigned char)p[i * PG + i], model[i]);
	}
	for (i = 0; i < N; i++)
		EXPECT_EQ((unsigned char)p[i * PG + i], model[i]);
	while (wait(&status) > 0)
		expect_exit(status, 0);
	_exit(0);
}

static void
random_trees(void)
{
	long i;

	for (i = 0; i < 4; i++)
		expect_exit(in_child(random_tree, (void *)i), 0);
}

static const struct ktap_test tests[] = {
	TEST(child_writes, 0),
	TEST(parent_writes, 0),
	TEST(shared_is_shared, 0),
	TEST(shared_survives_its_maker, T_NOEMU),
	TEST(untouched_before_fork, 0),
	TEST(copies_are_counted, T_TERN),
	TEST(last_owner_does_not_copy, T_TERN),
	TEST(protect_after_fork, 0),
	TEST(dontneed_after_fork, T_NOEMU),
	TEST(unmap_after_fork, 0),
	TEST(kernel_writes_copy, 0),
	TEST(deep_chain, 0),
	TEST(many_children, 0),
	TEST(orphan_keeps_pages, 0),
	TEST(repeated_forks, 0),
	TEST(random_trees, T_NOEMU),
};

KTAP_MAIN("cow")
