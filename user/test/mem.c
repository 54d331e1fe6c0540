/* SPDX-License-Identifier: MIT */
/*
 * mem.c - mappings: mmap, munmap, mprotect, madvise, mincore, brk, stack.
 */
#include "ktap.h"

#define RW	(PROT_READ | PROT_WRITE)
#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)
#define PG	PAGE_SIZE

static bool
all_bytes(const char *p, size_t n, int value)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (p[i] != (char)value)
			return false;
	}
	return true;
}

static void
fresh_pages_are_zero(void)
{
	char *p;
	int i;

	for (i = 0; i < 20; i++) {
		p = map_pages(64);
		EXPECT(all_bytes(p, 64 * PG, 0));
		memset(p, 0xa5, 64 * PG);
		EXPECT_OK(munmap(p, 64 * PG));
	}
}

static void
untouched_costs_nothing(void)
{
	size_t len = 1ul << 30;
	uint64_t before = stat_now(TS_frames_free);
	char *p = mmap(NULL, len, RW, ANON | MAP_NORESERVE, -1, 0);

	EXPECT(p != MAP_FAILED);
	p[0] = p[len / 2] = p[len - 1] = 1;
	EXPECT(before - stat_now(TS_frames_free) <= 12);
	EXPECT_OK(munmap(p, len));
}

static void
length_rounds_up(void)
{
	char *p = (char *)EXPECT_OK(mmap(NULL, 1, RW, ANON, -1, 0));

	p[PG - 1] = 1;
	EXPECT_OK(munmap(p, 1));
	EXPECT_SEGV(p, PROBE_READ, SEGV_MAPERR);
}

static void
mmap_errors(void)
{
	char *p = map_pages(1);

	EXPECT_ERR(mmap(NULL, 0, RW, ANON, -1, 0), EINVAL);
	EXPECT_ERR(mmap(NULL, PG, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
	EXPECT_ERR(mmap(p + 1, PG, RW, ANON | MAP_FIXED, -1, 0), EINVAL);
	EXPECT_ERR(mmap(NULL, PG, RW, MAP_PRIVATE, 99, 0), EBADF);
	EXPECT_ERR(mmap(NULL, (size_t)-1, RW, ANON, -1, 0), ENOMEM);
	EXPECT_ERR(mmap(NULL, 1ul << 62, RW, ANON, -1, 0), ENOMEM);
	EXPECT_ERR(mmap((void *)-PG, PG, RW, ANON | MAP_FIXED, -1, 0),
	    ENOMEM);
	EXPECT_ERR(mmap((void *)-(4 * PG), 8 * PG, RW, ANON | MAP_FIXED, -1,
	    0), ENOMEM);
}

static void
fixed_replaces(void)
{
	char *p = map_pages(4);

	memset(p, 1, 4 * PG);
	EXPECT_EQ(mmap(p + PG, 2 * PG, RW, ANON | MAP_FIXED, -1, 0), p + PG);
	EXPECT(all_bytes(p, PG, 1));
	EXPECT(all_bytes(p + PG, 2 * PG, 0));
	EXPECT(all_bytes(p + 3 * PG, PG, 1));
	EXPECT_EQ(mmap(p, 4 * PG, PROT_READ, ANON | MAP_FIXED, -1, 0), p);
	EXPECT(all_bytes(p, 4 * PG, 0));
	EXPECT_SEGV(p + PG, PROBE_WRITE, SEGV_ACCERR);
}

static void
fixed_noreplace(void)
{
	char *p = map_pages(3);
	int flags = ANON | MAP_FIXED_NOREPLACE;

	EXPECT_ERR(mmap(p, PG, RW, flags, -1, 0), EEXIST);
	EXPECT_ERR(mmap(p + 2 * PG, 4 * PG, RW, flags, -1, 0), EEXIST);
	EXPECT_OK(munmap(p + PG, PG));
	EXPECT_EQ(mmap(p + PG, PG, RW, flags, -1, 0), p + PG);
}

static void
hint_is_taken_if_free(void)
{
	char *p = map_pages(8), *q;

	EXPECT_OK(munmap(p + 2 * PG, 4 * PG));
	q = mmap(p + 3 * PG, PG, RW, ANON, -1, 0);
	EXPECT_EQ(q, p + 3 * PG);
	q = mmap(p, PG, RW, ANON, -1, 0);	/* taken: anywhere else */
	EXPECT(q != MAP_FAILED && q != p);
}

static void
unmap_leaves_hole(void)
{
	char *p = map_pages(5);

	memset(p, 3, 5 * PG);
	EXPECT_OK(munmap(p + 2 * PG, PG));
	EXPECT_SEGV(p + 2 * PG, PROBE_READ, SEGV_MAPERR);
	EXPECT_SEGV(p + 3 * PG - 1, PROBE_WRITE, SEGV_MAPERR);
	EXPECT(all_bytes(p, 2 * PG, 3));
	EXPECT(all_bytes(p + 3 * PG, 2 * PG, 3));
	EXPECT_OK(munmap(p, 5 * PG));		/* across the hole */
	EXPECT_OK(munmap(p, 5 * PG));		/* nothing there: fine */
	EXPECT_SEGV(p, PROBE_READ, SEGV_MAPERR);
}

static void
unmap_errors(void)
{
	char *p = map_pages(2);

	EXPECT_ERR(munmap(p + 1, PG), EINVAL);
	EXPECT_ERR(munmap(p, 0), EINVAL);
	EXPECT_ERR(munmap(p, (size_t)-1), EINVAL);
	EXPECT_ERR(munmap((void *)-PG, PG), EINVAL);
	p[0] = p[PG] = 1;			/* still there */
}

static void
remap_is_zero_again(void)
{
	char *p = map_pages(4);

	memset(p, 9, 4 * PG);
	EXPECT_OK(munmap(p, 4 * PG));
	EXPECT_EQ(mmap(p, 4 * PG, RW, ANON | MAP_FIXED, -1, 0), p);
	EXPECT(all_bytes(p, 4 * PG, 0));
}

static void
protect_splits_region(void)
{
	char *p = map_pages(5);

	memset(p, 4, 5 * PG);
	EXPECT_OK(mprotect(p + 2 * PG, PG, PROT_READ));
	EXPECT_SEGV(p + 2 * PG, PROBE_WRITE, SEGV_ACCERR);
	EXPECT_SEGV(p + 3 * PG - 1, PROBE_WRITE, SEGV_ACCERR);
	EXPECT_ACCESS(p + 2 * PG, PROBE_READ);
	EXPECT_ACCESS(p + 2 * PG - 1, PROBE_WRITE);
	EXPECT_ACCESS(p + 3 * PG, PROBE_WRITE);
	EXPECT_OK(mprotect(p + 2 * PG, PG, RW));
	EXPECT_ACCESS(p + 2 * PG, PROBE_WRITE);
	EXPECT(all_bytes(p, 5 * PG, 4));
}

static void
protect_none_keeps_contents(void)
{
	char *p = map_pages(3);
	int i;

	memset(p, 5, 3 * PG);
	for (i = 0; i < 3; i++) {
		EXPECT_OK(mprotect(p, 3 * PG, PROT_NONE));
		EXPECT_SEGV(p + PG + 8, PROBE_READ, SEGV_ACCERR);
		EXPECT_SEGV(p + PG + 8, PROBE_WRITE, SEGV_ACCERR);
		EXPECT_OK(mprotect(p, 3 * PG, PROT_READ));
		EXPECT(all_bytes(p, 3 * PG, 5));
		EXPECT_SEGV(p, PROBE_WRITE, SEGV_ACCERR);
	}
	EXPECT_OK(mprotect(p, 3 * PG, RW));
	EXPECT_ACCESS(p, PROBE_WRITE);
}

static void
protect_before_touch(void)
{
	char *p = map_pages(2);

	EXPECT_OK(mprotect(p, PG, PROT_NONE));
	EXPECT_SEGV(p, PROBE_READ, SEGV_ACCERR);
	EXPECT_OK(mprotect(p, 2 * PG, PROT_READ));
	EXPECT(all_bytes(p, 2 * PG, 0));	/* read first ... */
	EXPECT_OK(mprotect(p, 2 * PG, RW));
	p[0] = p[PG] = 1;			/* ... then written */
	EXPECT(all_bytes(p + 1, PG - 1, 0));
}

static void
protect_errors(void)
{
	char *p = map_pages(4);

	EXPECT_ERR(mprotect(p + 1, PG, PROT_READ), EINVAL);
	EXPECT_ERR(mprotect(p, PG, 0x40), EINVAL);
	EXPECT_OK(mprotect(p, 0, PROT_READ));
	EXPECT_ACCESS(p, PROBE_WRITE);
	EXPECT_ERR(mprotect(p, (size_t)-PG, PROT_READ), ENOMEM);
	EXPECT_OK(munmap(p + 2 * PG, PG));
	EXPECT_ERR(mprotect(p + 2 * PG, PG, PROT_READ), ENOMEM);
	EXPECT_ERR(mprotect(p, 4 * PG, RW), ENOMEM);
}

static void
many_regions(void)
{
	enum { N = 600 };
	char *p = map_pages(N);
	size_t i;

	for (i = 0; i < N; i++)
		p[i * PG] = (char)i;
	for (i = 0; i < N; i += 2)
		EXPECT_OK(mprotect(p + i * PG, PG, PROT_READ));
	for (i = 0; i < N; i++) {
		if (i % 37 < 2)
			expect_fault(__FILE__, __LINE__, p + i * PG,
			    PROBE_WRITE, i % 2 == 0 ? SEGV_ACCERR : 0);
		EXPECT_EQ(p[i * PG], (char)i);
	}
	EXPECT_OK(mprotect(p, N * PG, RW));
	for (i = 0; i < N; i++)
		p[i * PG] = 1;
	for (i = 1; i < N; i += 3)
		EXPECT_OK(munmap(p + i * PG, PG));
	EXPECT_OK(munmap(p, N * PG));
}

/* Neighbours with equal rights are one region again. */
static void
regions_merge(void)
{
	char *p = map_pages(32);
	uint64_t before = stat_now(TS_regions);

	EXPECT_OK(mprotect(p + 8 * PG, 8 * PG, PROT_READ));
	EXPECT_EQ(stat_now(TS_regions), before + 2);
	EXPECT_OK(mprotect(p + 8 * PG, 8 * PG, RW));
	EXPECT_EQ(stat_now(TS_regions), before);
}

/* Longer than the linker's "small data", which is writable. */
#if defined(__riscv)
static const uint32_t return_insn[8] = { 0x00008067 };	/* ret */
#else
static const uint8_t return_insn[32] = { 0xc3 };
#endif

static void
no_execute_without_right(void)
{
	char *p = map_pages(1), on_stack[32] __attribute__((aligned(8)));

	memcpy(p, return_insn, sizeof(return_insn));
	memcpy(on_stack, return_insn, sizeof(return_insn));
	EXPECT_SEGV(p, PROBE_EXEC, SEGV_ACCERR);
	EXPECT_SEGV(on_stack, PROBE_EXEC, SEGV_ACCERR);
	EXPECT_OK(mprotect(p, PG, PROT_READ | PROT_EXEC));
#if defined(__riscv)
	syscall3(SYS_riscv_flush_icache, 0, 0, 0);
#endif
	EXPECT_ACCESS(p, PROBE_EXEC);
	EXPECT_SEGV(p, PROBE_WRITE, SEGV_ACCERR);
	EXPECT_OK(mprotect(p, PG, RW));
	EXPECT_SEGV(p, PROBE_EXEC, SEGV_ACCERR);
}

static void
text_is_read_only(void)
{
	EXPECT_SEGV((uintptr_t)text_is_read_only, PROBE_WRITE, SEGV_ACCERR);
	EXPECT_SEGV((uintptr_t)return_insn, PROBE_WRITE, SEGV_ACCERR);
	EXPECT_SEGV((uintptr_t)return_insn, PROBE_EXEC, SEGV_ACCERR);
}

static void
null_and_kernel_fault(void)
{
	EXPECT_SEGV(0, PROBE_READ, SEGV_MAPERR);
	EXPECT_SEGV(8, PROBE_WRITE, SEGV_MAPERR);
	EXPECT_SEGV(0xffffffc000000000ul, PROBE_READ, SEGV_MAPERR);
	EXPECT_SEGV(0xffffffff80000000ul, PROBE_WRITE, SEGV_MAPERR);
	EXPECT_SEGV(0xfffffffffffff000ul, PROBE_READ, SEGV_MAPERR);
}

static void
residency(void)
{
	unsigned char vec[8];
	char *p = map_pages(8);
	int i;

	memset(vec, 0xff, sizeof(vec));
	p[PG] = p[5 * PG] = 1;
	EXPECT_OK(mincore(p, 8 * PG, vec));
	for (i = 0; i < 8; i++)
		EXPECT_EQ(vec[i] & 1, i == 1 || i == 5);
	EXPECT_ERR(mincore(p + 1, PG, vec), EINVAL);
	EXPECT_ERR(mincore(p, PG, (unsigned char *)8), EFAULT);
	EXPECT_OK(munmap(p + 4 * PG, PG));
	EXPECT_ERR(mincore(p, 8 * PG, vec), ENOMEM);
	EXPECT_OK(mprotect(p, PG, PROT_NONE));
	EXPECT_OK(mincore(p, 2 * PG, vec));
	EXPECT_EQ(vec[1] & 1, 1);
}

static void
dontneed(void)
{
	char *p = map_pages(4), *s = map_shared(2);

	memset(p, 6, 4 * PG);
	memset(s, 6, 2 * PG);
	EXPECT_OK(madvise(p + PG, 2 * PG, MADV_DONTNEED));
	EXPECT(all_bytes(p, PG, 6));
	EXPECT(all_bytes(p + PG, 2 * PG, 0));
	EXPECT(all_bytes(p + 3 * PG, PG, 6));
	p[PG] = 7;
	EXPECT_EQ(p[PG], 7);
	EXPECT_OK(madvise(s, 2 * PG, MADV_DONTNEED));
	EXPECT(all_bytes(s, 2 * PG, 6));	/* shared: contents stay */
	EXPECT_OK(mprotect(p, 4 * PG, PROT_READ));
	EXPECT_OK(madvise(p, PG, MADV_DONTNEED));
	EXPECT(all_bytes(p, PG, 0));
	EXPECT_SEGV(p, PROBE_WRITE, SEGV_ACCERR);
}

static void
advice_errors(void)
{
	char *p = map_pages(3);

	EXPECT_ERR(madvise(p + 1, PG, MADV_DONTNEED), EINVAL);
	EXPECT_ERR(madvise(p, PG, 12345), EINVAL);
	EXPECT_OK(madvise(p, PG, MADV_NORMAL));
	EXPECT_OK(madvise(p, 0, MADV_DONTNEED));
	EXPECT_OK(munmap(p + PG, PG));
	p[2 * PG] = 1;
	EXPECT_ERR(madvise(p, 3 * PG, MADV_DONTNEED), ENOMEM);
	EXPECT_EQ(p[2 * PG], 0);		/* what is mapped was advised */
}

static void
msync_checks(void)
{
	char *p = map_shared(3);

	EXPECT_OK(msync(p, PG, MS_SYNC));
	EXPECT_OK(msync(p, PG, MS_ASYNC));
	EXPECT_ERR(msync(p + 1, PG, MS_SYNC), EINVAL);
	EXPECT_ERR(msync(p, PG, 0x100), EINVAL);
	EXPECT_ERR(msync(p, PG, MS_SYNC | MS_ASYNC), EINVAL);
	EXPECT_OK(munmap(p + PG, PG));
	EXPECT_ERR(msync(p, 3 * PG, MS_SYNC), ENOMEM);
}

static void
populate(void)
{
	unsigned char vec[4];
	char *p = mmap(NULL, 4 * PG, RW, ANON | MAP_POPULATE, -1, 0);
	int i;

	EXPECT(p != MAP_FAILED);
	EXPECT(all_bytes(p, 4 * PG, 0));
	EXPECT_OK(mincore(p, 4 * PG, vec));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(vec[i] & 1, 1);
}

static void
break_moves(void)
{
	char *start = sbrk(0), *end;

	EXPECT(start != (char *)-1);
	end = (char *)(((uintptr_t)start + PG - 1) & -PG);
	EXPECT_OK(brk(end + 8 * PG));
	EXPECT_EQ(sbrk(0), end + 8 * PG);
	EXPECT(all_bytes(end, 8 * PG, 0));
	memset(end, 8, 8 * PG);
	EXPECT_OK(brk(end + 4 * PG));
	EXPECT(all_bytes(end, 4 * PG, 8));
	EXPECT_SEGV(end + 4 * PG, PROBE_READ, SEGV_MAPERR);
	EXPECT_OK(brk(end + 8 * PG));
	EXPECT(all_bytes(end + 4 * PG, 4 * PG, 0));
	EXPECT_OK(brk(end + 8 * PG + 1));	/* not page-aligned is fine */
	end[8 * PG] = 1;
	EXPECT_OK(brk(start));
}

static void
break_errors(void)
{
	char *end = sbrk(0);

	EXPECT_ERR(brk((void *)PG), ENOMEM);
	EXPECT_ERR(brk((void *)-PG), ENOMEM);
	EXPECT_ERR(brk((void *)(1ul << 62)), ENOMEM);
	EXPECT_EQ(sbrk(0), end);
}

static long __attribute__((noinline))
recurse(int depth)
{
	volatile char frame[1024];

	frame[0] = frame[1023] = (char)depth;
	if (depth == 0)
		return 0;
	return recurse(depth - 1) + (frame[0] == (char)depth);
}

static void
stack_grows(void)
{
	EXPECT_EQ(recurse(4000), 4000);		/* 4 MiB */
	EXPECT_EQ(recurse(4000), 4000);
}

static char alternate[SIGSTKSZ];

static void
on_overflow(int sig, struct siginfo *si, void *uc)
{
	uintptr_t sp = UC_SP((struct ucontext *)uc);
	uintptr_t at = (uintptr_t)si->si_addr;

	if (sig != SIGSEGV || at < sp - 4 * PG || at > sp + 4 * PG)
		_exit(2);
	_exit(si->si_code == SEGV_MAPERR || si->si_code == SEGV_ACCERR ? 77 :
	    3);
}

static void
overflow(void *arg)
{
	stack_t ss = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
	struct sigaction act = { .sa_sigaction = on_overflow,
	    .sa_flags = SA_SIGINFO | SA_ONSTACK };

	if (arg != NULL) {
		sigaltstack(&ss, NULL);
		sigaction(SIGSEGV, &act, NULL);
	}
	_exit((int)recurse(100000));		/* 100 MiB */
}

static void
stack_overflow_is_caught(void)
{
	int status = in_child(overflow, alternate);

	expect_exit(status, 77);
}

static void
stack_overflow_kills(void)
{
	expect_signal(in_child(overflow, NULL), SIGSEGV);
}

static void
stack_is_private_and_zeroed_below(void)
{
	volatile char *sp = __builtin_frame_address(0);
	size_t i;

	for (i = 64 * 1024; i < 65 * 1024; i++)
		EXPECT_EQ(sp[-(long)i], 0);
}

/* The listing names what was just mapped, with its rights. */
static void
listing(void)
{
	static char maps[16384];
	char *p = map_pages(4), line[64];

	EXPECT_OK(munmap(p + 3 * PG, PG));
	EXPECT_OK(mprotect(p + PG, PG, PROT_READ));
	EXPECT(read_file("/proc/self/maps", maps, sizeof(maps)) > 0);
	snprintf(line, sizeof(line), "%08lx-%08lx r--p",
	    (unsigned long)p + PG, (unsigned long)p + 2 * PG);
	EXPECT(strstr(maps, line) != NULL);
	snprintf(line, sizeof(line), "-%08lx rw-p", (unsigned long)p + PG);
	EXPECT(strstr(maps, line) != NULL);
	EXPECT(strstr(maps, "[stack]") != NULL);
	EXPECT(strstr(maps, " r-xp ") != NULL);
}

/* Random maps, unmaps, protections and writes against a model. */
static void
random_operations(void)
{
	enum { N = 48, STEPS = 4000 };
	static signed char model[N];	/* -1: a hole */
	static bool writable[N];
	uint64_t seed = 12345;
	char *base = map_pages(N);
	size_t at, n, i;
	int step, op;

	for (i = 0; i < N; i++)
		writable[i] = true;
	for (step = 1; step <= STEPS; step++) {
		op = (int)(prng(&seed) % 6);
		at = prng(&seed) % N;
		n = 1 + prng(&seed) % MIN(N - at, 8);
		if (op == 0)
			EXPECT_OK(munmap(base + at * PG, n * PG));
		if (op == 1)
			EXPECT_OK(mmap(base + at * PG, n * PG, RW,
			    ANON | MAP_FIXED, -1, 0));
		if (op == 2 || op == 3) {
			for (i = at; i < at + n && model[i] >= 0; i++)
				continue;
			n = i - at;
			EXPECT_OK(mprotect(base + at * PG, n * PG,
			    op == 2 ? PROT_READ : RW));
		}
		for (i = at; i < at + n; i++) {
			if (op == 0)
				model[i] = -1;
			if (op == 1)
				model[i] = 0;
			if (op == 1 || op == 3)
				writable[i] = true;
			if (op == 2)
				writable[i] = false;
			if (op >= 4 && model[i] >= 0 && writable[i]) {
				model[i] = (signed char)(step & 0x7f);
				base[i * PG + i] = (char)model[i];
			}
			if (model[i] >= 0)
				EXPECT_EQ(base[i * PG + i], model[i]);
		}
	}
	for (i = 0; i < N; i++)
		expect_fault(__FILE__, __LINE__, base + i * PG, PROBE_WRITE,
		    model[i] < 0 ? SEGV_MAPERR : writable[i] ? 0 :
		    SEGV_ACCERR);
}

static const struct ktap_test tests[] = {
	TEST(fresh_pages_are_zero, 0),
	TEST(untouched_costs_nothing, T_TERN),
	TEST(length_rounds_up, 0),
	TEST(mmap_errors, 0),
	TEST(fixed_replaces, 0),
	TEST(fixed_noreplace, T_NOEMU),
	TEST(hint_is_taken_if_free, 0),
	TEST(unmap_leaves_hole, 0),
	TEST(unmap_errors, T_NOEMU),
	TEST(remap_is_zero_again, 0),
	TEST(protect_splits_region, 0),
	TEST(protect_none_keeps_contents, 0),
	TEST(protect_before_touch, 0),
	TEST(protect_errors, T_NOEMU),
	TEST(many_regions, 0),
	TEST(regions_merge, T_TERN),
	TEST(no_execute_without_right, T_NOEMU),
	TEST(text_is_read_only, T_NOEMU),
	TEST(null_and_kernel_fault, T_NOEMU),
	TEST(residency, T_NOEMU),
	TEST(dontneed, T_NOEMU),
	TEST(advice_errors, T_NOEMU),
	TEST(msync_checks, 0),
	TEST(populate, T_NOEMU),
	TEST(break_moves, T_NOEMU),
	TEST(break_errors, 0),
	TEST(stack_grows, 0),
	TEST(stack_overflow_is_caught, 0),
	TEST(stack_overflow_kills, 0),
	TEST(stack_is_private_and_zeroed_below, 0),
	TEST(listing, T_NOEMU),
	TEST(random_operations, T_NOEMU),
};

KTAP_MAIN("mem")
