/* SPDX-License-Identifier: MIT */
/*
 * al.c - Appel and Li's primitives: rights below mprotect, and dirty bits.
 */
#include "ktap.h"
#include <thread.h>

#include <abi/al.h>

#define PG	PAGE_SIZE
#define N	100

static char *region;

static void
make_region(void)
{
	region = map_pages(N);
	EXPECT_OK(al_region(region, N * PG, AL_REGION_ADD));
}

static int
set(size_t page, uint32_t npages, uint32_t op)
{
	struct al_op o = { (uint64_t)(uintptr_t)(region + page * PG), npages,
		op };

	return al_prot(&o, 1);
}

static void
caps_apply(void)
{
	make_region();
	memset(region, 5, N * PG);
	EXPECT_OK(set(3, 1, AL_PROT_NONE));
	EXPECT_OK(set(4, 2, AL_PROT_READ));
	EXPECT_SEGV(region + 3 * PG, PROBE_READ, SEGV_ACCERR);
	EXPECT_SEGV(region + 3 * PG + 9, PROBE_WRITE, SEGV_ACCERR);
	EXPECT_ACCESS(region + 4 * PG, PROBE_READ);
	EXPECT_SEGV(region + 5 * PG, PROBE_WRITE, SEGV_ACCERR);
	EXPECT_ACCESS(region + 2 * PG, PROBE_WRITE);
	EXPECT_ACCESS(region + 6 * PG, PROBE_WRITE);
	EXPECT_OK(set(3, 3, AL_UNPROT));
	EXPECT_ACCESS(region + 3 * PG, PROBE_WRITE);
	EXPECT_EQ(region[3 * PG + 77], 5);
	EXPECT_EQ(region[5 * PG + 77], 5);
}

/* The cap is remembered for pages that are not there yet. */
static void
caps_before_touch(void)
{
	make_region();
	EXPECT_OK(set(0, N, AL_PROT_NONE));
	EXPECT_SEGV(region + 50 * PG, PROBE_WRITE, SEGV_ACCERR);
	EXPECT_OK(set(50, 1, AL_PROT_READ));
	EXPECT_EQ(region[50 * PG], 0);
	EXPECT_SEGV(region + 50 * PG, PROBE_WRITE, SEGV_ACCERR);
	EXPECT_OK(set(50, 1, AL_UNPROT));
	region[50 * PG] = 1;
	EXPECT_SEGV(region + 51 * PG, PROBE_READ, SEGV_ACCERR);
}

/* mprotect is the upper bound: UNPROT does not exceed it. */
static void
mprotect_stays_the_limit(void)
{
	make_region();
	region[0] = 1;
	EXPECT_OK(mprotect(region, PG, PROT_READ));
	EXPECT_OK(set(0, 1, AL_PROT_NONE));
	EXPECT_SEGV(region, PROBE_READ, SEGV_ACCERR);
	EXPECT_OK(set(0, 1, AL_UNPROT));
	EXPECT_ACCESS(region, PROBE_READ);
	EXPECT_SEGV(region, PROBE_WRITE, SEGV_ACCERR);
}

/* The kernel itself is denied too: EFAULT, never an up-call. */
static void
kernel_access_is_denied(void)
{
	int fds[2];

	make_region();
	region[0] = 'x';
	EXPECT_OK(pipe(fds));
	EXPECT_OK(set(0, 1, AL_PROT_READ));
	EXPECT_EQ(write(fds[1], region, 1), 1);
	EXPECT_ERR(read(fds[0], region, 1), EFAULT);
	EXPECT_OK(set(0, 1, AL_PROT_NONE));
	EXPECT_ERR(write(fds[1], region, 1), EFAULT);
}

/* What a vector adds to the flushes of the system. */
static uint64_t
flushes_of(const struct al_op *ops, size_t n)
{
	uint64_t before = stat_now(TS_shootdowns);

	EXPECT_OK(al_prot(ops, n));
	return stat_now(TS_shootdowns) - before;
}

/* PROTN flushes once, UNPROT not at all.  Other processes flush too, one that
 * is just ending for example: the least of a few rounds counts. */
static void
vectors(void)
{
	static struct al_op ops[N];
	uint64_t prot = UINT64_MAX, unprot = UINT64_MAX, n;
	int round;
	size_t i;

	make_region();
	memset(region, 1, N * PG);
	for (i = 0; i < N; i++) {
		ops[i].va = (uint64_t)(uintptr_t)(region + i * PG);
		ops[i].npages = 1;
	}
	for (round = 0; round < 5 && (prot != 1 || unprot != 0); round++) {
		for (i = 0; i < N; i++)
			ops[i].op = i % 2 == 0 ? AL_PROT_NONE : AL_PROT_READ;
		n = flushes_of(ops, N);
		prot = n < prot ? n : prot;
		for (i = 0; i < N; i += 7)
			expect_fault(__FILE__, __LINE__, region + i * PG,
			    PROBE_READ, i % 2 == 0 ? SEGV_ACCERR : 0);
		for (i = 0; i < N; i++)
			ops[i].op = AL_UNPROT;
		n = flushes_of(ops, N);
		unprot = n < unprot ? n : unprot;
		region[0] = region[(N - 1) * PG] = 2;
	}
	EXPECT_EQ(prot, 1);
	EXPECT_EQ(unprot, 0);
}

/* One bad operation: none of the vector is applied. */
static void
all_or_nothing(void)
{
	struct al_op ops[2];

	make_region();
	region[0] = 1;
	ops[0] = (struct al_op){ (uint64_t)(uintptr_t)region, 1,
	    AL_PROT_NONE };
	ops[1] = (struct al_op){ (uint64_t)(uintptr_t)(region + N * PG), 1,
	    AL_PROT_NONE };
	EXPECT(al_prot(ops, 2) == -1);
	EXPECT_ACCESS(region, PROBE_WRITE);
	ops[1] = ops[0];
	ops[1].op = 99;
	EXPECT_ERR(al_prot(ops, 2), EINVAL);
	EXPECT_ACCESS(region, PROBE_WRITE);
	ops[1].op = AL_PROT_READ;
	ops[1].va += 8;
	EXPECT_ERR(al_prot(ops, 2), EINVAL);
	EXPECT_ACCESS(region, PROBE_WRITE);
}

static int
bit(const uint64_t *map, size_t i)
{
	return (int)(map[i / 64] >> i % 64 & 1);
}

static void
dirty_pages(void)
{
	uint64_t map[2];
	size_t i;

	make_region();
	for (i = 0; i < N; i++)
		(void)*(volatile char *)(region + i * PG);
	region[7 * PG] = 1;
	region[99 * PG + 4095] = 1;
	EXPECT_EQ(al_dirty(region, N * PG, map), 2);
	for (i = 0; i < N; i++)
		EXPECT_EQ(bit(map, i), i == 7 || i == 99);
	EXPECT_EQ(al_dirty(region, N * PG, map), 0);	/* re-armed */
	EXPECT_EQ(map[0] | map[1], 0);
	region[7 * PG] = 2;
	region[8 * PG] = 2;
	EXPECT_EQ(al_dirty(region + 8 * PG, PG, map), 1);
	EXPECT_EQ(map[0], 1);
	EXPECT_EQ(al_dirty(region, N * PG, map), 1);
	EXPECT_EQ(bit(map, 7), 1);
}

/* The bitmap may lie anywhere, across pages too. */
static void
bitmap_across_pages(void)
{
	char *p = map_pages(2);
	uint64_t *map = (uint64_t *)(p + PG - 8);

	make_region();
	region[0] = region[64 * PG] = 1;
	EXPECT_EQ(al_dirty(region, N * PG, map), 2);
	EXPECT_EQ(map[0], 1);
	EXPECT_EQ(map[1], 1);
	region[1 * PG] = 1;
	EXPECT_ERR(al_dirty(region, N * PG, (uint64_t *)8), EFAULT);
	EXPECT_EQ(al_dirty(region, N * PG, map), 1);	/* nothing was lost */
}

/* Dirty survives what clears the hardware's bit. */
static void
dirty_is_not_lost(void)
{
	uint64_t map[2];
	int status, fds[2];
	pid_t pid;

	make_region();
	EXPECT_OK(pipe(fds));
	region[1 * PG] = 1;
	EXPECT_OK(mprotect(region, N * PG, PROT_READ));
	EXPECT_OK(mprotect(region, N * PG, PROT_READ | PROT_WRITE));
	region[2 * PG] = 1;
	EXPECT_OK(set(2, 1, AL_PROT_NONE));
	region[3 * PG] = 1;
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0)
		_exit(0);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	write(fds[1], "k", 1);
	EXPECT_EQ(read(fds[0], region + 4 * PG, 1), 1);	/* by the kernel */
	EXPECT_EQ(al_dirty(region, N * PG, map), 4);
	EXPECT_EQ(map[0], 0x1e);
}

static int stop;
static volatile uint64_t written[N];

static void *
storm(void *arg)
{
	uint64_t seed = 77;
	size_t i;

	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		i = prng(&seed) % N;
		(*(volatile uint64_t *)(region + i * PG))++;
		written[i]++;
	}
	return arg;
}

/* A writer on another CPU: a page that changed is reported at the end. */
static void
dirty_under_storm(void)
{
	static uint64_t copy[N];
	uint64_t map[2], v;
	struct thread t;
	int round;
	size_t i;

	make_region();
	EXPECT_OK(thread_create(&t, storm, NULL));
	for (round = 0; round <= 200; round++) {
		if (round == 200) {
			__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
			thread_join(&t);
		}
		EXPECT_OK(al_dirty(region, N * PG, map));
		for (i = 0; i < N; i++) {
			v = *(volatile uint64_t *)(region + i * PG);
			if (bit(map, i))
				copy[i] = v;
		}
	}
	/*
	 * The copy was taken after the bit was: whatever was written after
	 * the copy must have set the bit again, and the last round saw it.
	 */
	for (i = 0; i < N; i++) {
		EXPECT_EQ(*(uint64_t *)(region + i * PG), written[i]);
		EXPECT_EQ(copy[i], written[i]);
	}
}

static void
region_goes_with_its_memory(void)
{
	uint64_t map[2];

	make_region();
	EXPECT_OK(set(0, N, AL_PROT_NONE));
	EXPECT_OK(al_region(region, N * PG, AL_REGION_REMOVE));
	region[0] = 1;				/* the caps are gone */
	EXPECT(set(0, 1, AL_PROT_NONE) == -1);
	EXPECT(al_dirty(region, N * PG, map) == -1);
	EXPECT_OK(al_region(region, N * PG, AL_REGION_ADD));
	EXPECT(al_region(region + PG, PG, AL_REGION_ADD) == -1);
	EXPECT_OK(set(0, N, AL_PROT_NONE));
	EXPECT_OK(munmap(region, N * PG));
	EXPECT_EQ(mmap(region, N * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS | MAP_FIXED, -1, 0), region);
}

static const struct ktap_test tests[] = {
	TEST(caps_apply, T_TERN),
	TEST(caps_before_touch, T_TERN),
	TEST(mprotect_stays_the_limit, T_TERN),
	TEST(kernel_access_is_denied, T_TERN),
	TEST(vectors, T_TERN),
	TEST(all_or_nothing, T_TERN),
	TEST(dirty_pages, T_TERN),
	TEST(bitmap_across_pages, T_TERN),
	TEST(dirty_is_not_lost, T_TERN),
	TEST(dirty_under_storm, T_TERN | T_SMP),
	TEST(region_goes_with_its_memory, T_TERN),
};

KTAP_MAIN("al")
