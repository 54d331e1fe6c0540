/* SPDX-License-Identifier: MIT */
/*
 * swap.c - more memory than there is: nothing is lost, nothing stays.
 *
 * Runs where the kernel was booted with swap=.  Sizes follow from what is free,
 * so that each case must page; swap_outs shows that it did.
 */
#include "ktap.h"
#include <abi/al.h>

#define PG	PAGE_SIZE
#define RW	(PROT_READ | PROT_WRITE)

/* Free frames, times num / den. */
static size_t
share_of_memory(size_t num, size_t den)
{
	struct sysinfo si;

	EXPECT_OK(sysinfo(&si));
	if (si.totalswap == 0)
		ktap_skip("booted without swap=");
	return si.freeram * num / den;
}

static uint64_t
word_of(size_t page, unsigned version)
{
	return (page + 1) * 0x9e3779b97f4a7c15ull + version;
}

static void
fill(char *p, size_t n, size_t step, unsigned version)
{
	size_t i;

	for (i = 0; i < n; i += step)
		*(uint64_t *)(void *)(p + i * PG + i % 512 * 8) =
		    word_of(i, version);
}

/* The first page that holds something else, or n. */
static size_t
first_wrong(const char *p, size_t n, size_t step, unsigned version)
{
	size_t i;

	for (i = 0; i < n; i += step)
		if (*(const uint64_t *)(const void *)(p + i * PG +
			i % 512 * 8) != word_of(i, version))
			return i;
	return n;
}

static char *
map(size_t npages, int flags)
{
	char *p = mmap(NULL, npages * PG, RW, flags | MAP_ANONYMOUS, -1, 0);

	EXPECT(p != MAP_FAILED);
	return p;
}

/* Make everything else cold. */
static void
press(size_t npages)
{
	char *p = map(npages, MAP_PRIVATE);

	fill(p, npages, 1, 0);
	EXPECT_EQ(first_wrong(p, npages, 1, 0), npages);
	EXPECT_OK(munmap(p, npages * PG));
}

static void
twice_memory(void)
{
	size_t n = share_of_memory(2, 1), i, k;
	uint64_t outs = stat_now(TS_swap_outs), seed = 1;
	char *p = map(n, MAP_PRIVATE);
	unsigned char *version = (unsigned char *)map((n + PG - 1) / PG,
	    MAP_PRIVATE);

	fill(p, n, 1, 0);
	EXPECT_EQ(first_wrong(p, n, 1, 0), n);
	for (k = 0; k < n / 8; k++) {
		i = prng(&seed) % n;
		EXPECT_EQ(*(uint64_t *)(void *)(p + i * PG + i % 512 * 8),
		    word_of(i, version[i]));
		*(uint64_t *)(void *)(p + i * PG + i % 512 * 8) =
		    word_of(i, ++version[i]);
	}
	for (i = 0; i < n; i++)
		EXPECT_EQ(*(uint64_t *)(void *)(p + i * PG + i % 512 * 8),
		    word_of(i, version[i]));
	EXPECT(stat_now(TS_swap_outs) - outs >= n / 4);
	EXPECT(stat_now(TS_swap_slots) > 0);
	EXPECT_OK(munmap(p, n * PG));
}

/* After fork both find the same pages; a writer gets its own. */
static void
fork_shares_slots(void)
{
	size_t n = share_of_memory(6, 5);
	char *p = map(n, MAP_PRIVATE);
	int status;
	pid_t pid;

	fill(p, n, 1, 1);
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		if (first_wrong(p, n, 1, 1) != n)
			_exit(1);
		fill(p, n, 2, 2);
		_exit(first_wrong(p, n, 2, 2) == n ? 0 : 2);
	}
	EXPECT_EQ(first_wrong(p, n, 1, 1), n);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_exit(status, 0);
	EXPECT_EQ(first_wrong(p, n, 1, 1), n);
	EXPECT_OK(munmap(p, n * PG));
}

static void
shared_memory(void)
{
	size_t n = share_of_memory(6, 5);
	char *p = map(n, MAP_SHARED);
	int status;
	pid_t pid;

	fill(p, n, 1, 1);
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		fill(p, n, 2, 2);
		_exit(0);
	}
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_exit(status, 0);
	EXPECT_EQ(first_wrong(p, n, 2, 2), n);
	fill(p, n, 1, 3);
	EXPECT_EQ(first_wrong(p, n, 1, 3), n);
	EXPECT_OK(munmap(p, n * PG));
}

/* Private pages of a file go to swap, the others back to the file. */
static void
private_file(void)
{
	enum { N = 128 };
	int fd = (int)EXPECT_OK(open("/tmp/swapped", O_RDWR | O_CREAT |
	    O_TRUNC, 0600));
	char *buf = map_pages(N), *p;

	fill(buf, N, 1, 1);
	EXPECT_EQ(write(fd, buf, N * PG), N * PG);
	p = mmap(NULL, N * PG, RW, MAP_PRIVATE, fd, 0);
	EXPECT(p != MAP_FAILED);
	fill(p, N, 2, 2);
	press(share_of_memory(3, 2));
	EXPECT_EQ(first_wrong(p, N, 2, 2), N);
	EXPECT_EQ(pread(fd, buf, N * PG, 0), N * PG);
	EXPECT_EQ(first_wrong(buf, N, 1, 1), N);
	EXPECT_OK(munmap(p, N * PG));
	EXPECT_OK(close(fd));
	EXPECT_OK(unlink("/tmp/swapped"));
}

static void
fill_for_ever(size_t n)
{
	char *p = map(n, MAP_PRIVATE);

	for (;;)
		fill(p, n, 1, 1);
}

/* The slots of a process that is killed while it pages are free again: the
 * runner compares the counters. */
static void
killed_while_paging(void)
{
	size_t n = share_of_memory(3, 2);
	uint64_t outs = stat_now(TS_swap_outs);
	int status;
	pid_t pid = (pid_t)EXPECT_OK(fork());

	if (pid == 0)
		fill_for_ever(n);
	while (stat_now(TS_swap_outs) == outs)
		sched_yield();
	EXPECT_OK(kill(pid, SIGKILL));
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_signal(status, SIGKILL);
}

/* "Written since" survives the way out and in. */
static void
dirty_survives(void)
{
	enum { N = 64 };
	char *p = map_pages(N);
	uint64_t bits = 0;

	fill(p, N, 1, 1);
	EXPECT_OK(al_region(p, N * PG, AL_REGION_ADD));
	EXPECT_OK(al_dirty(p, N * PG, &bits));
	fill(p, N, 3, 2);
	press(share_of_memory(3, 2));
	bits = 0;
	EXPECT_EQ(al_dirty(p, N * PG, &bits),
	    (N + 2) / 3);
	EXPECT_EQ(bits, 0x9249249249249249ull);
	EXPECT_EQ(first_wrong(p, N, 3, 2), N);
	EXPECT_OK(al_region(p, N * PG, AL_REGION_REMOVE));
}

static const struct ktap_test tests[] = {
	TEST(twice_memory, T_TERN),
	TEST(fork_shares_slots, T_TERN),
	TEST(shared_memory, T_TERN),
	TEST(private_file, T_TERN),
	TEST(killed_while_paging, T_TERN),
	TEST(dirty_survives, T_TERN),
};

KTAP_MAIN("swap")
