/* SPDX-License-Identifier: MIT */
/*
 * conf_al.c - conformance: Appel and Li's primitives (abi/al.h).
 */
#include "ct.h"

static void
cap(unsigned s, unsigned first, unsigned n, unsigned rights)
{
	struct ct_pageop op = { .va = P(first), .npages = n, .cap = rights };

	CT_OK(ct->al_prot(s, &op, 1));
}

#define UNCAP (CT_R | CT_W | CT_X)

static unsigned
al_space(unsigned n)
{
	unsigned s = ct_space();

	ct_map(s, 0, n, CT_RW, 0);
	CT_OK(ct->al_region(s, P(0), n * CT_PAGE));
	return s;
}

/* Bits of a small range as one word. */
static uint64_t
dirty(unsigned s, unsigned first, unsigned n)
{
	uint64_t word = 0;

	CT_OK(ct->al_dirty(s, P(first), n * CT_PAGE, &word));
	return word;
}

static void
prot_none(void)
{
	unsigned s = al_space(4);

	for (unsigned c = 0; c < ct->ncpu; c++) {
		ct_on(c);
		WR(s, P(1), 5);
		WR(s, P(2), 6);
	}
	cap(s, 1, 1, CT_NONE);
	for (unsigned c = 0; c < ct->ncpu; c++) {
		ct_on(c);
		BAD(s, P(1), CT_R, EACCES);
		BAD(s, P(1), CT_W, EACCES);
		WR(s, P(2), 7);
	}
	cap(s, 1, 1, UNCAP);
	RD(s, P(1), 5);
	WR(s, P(1), 8);
}

static void
prot_read(void)
{
	unsigned s = al_space(4);

	for (unsigned c = 0; c < ct->ncpu; c++) {
		ct_on(c);
		WR(s, P(0), c);
	}
	cap(s, 0, 4, CT_R);
	for (unsigned c = 0; c < ct->ncpu; c++) {
		ct_on(c);
		BAD(s, P(0), CT_W, EACCES);
		RD(s, P(0), ct->ncpu - 1);
		BAD(s, P(3), CT_W, EACCES);
		RD(s, P(3), 0);
	}
}

/* The cap is below mprotect's rights; neither lifts the other. */
static void
cap_and_mprotect(void)
{
	unsigned s = al_space(2);

	WR(s, P(0), 1);
	cap(s, 0, 1, CT_R);
	ct_protect(s, 0, 2, CT_R);
	ct_protect(s, 0, 2, CT_RW);
	BAD(s, P(0), CT_W, EACCES);
	RD(s, P(0), 1);
	WR(s, P(1), 2);
	ct_protect(s, 0, 1, CT_R);
	cap(s, 0, 1, UNCAP);
	BAD(s, P(0), CT_W, EACCES);
	ct_protect(s, 0, 1, CT_RW);
	WR(s, P(0), 3);
}

static void
cap_before_touch(void)
{
	unsigned s = al_space(2);

	cap(s, 0, 1, CT_NONE);
	cap(s, 1, 1, CT_R);
	BAD(s, P(0), CT_R, EACCES);
	RD(s, P(1), 0);
	BAD(s, P(1), CT_W, EACCES);
	cap(s, 0, 2, UNCAP);
	WR(s, P(0), 1);
	WR(s, P(1), 1);
}

static void
cap_stops_kernel(void)
{
	unsigned s = al_space(2);
	uint64_t v = 9;

	WR(s, P(0), 1);
	cap(s, 0, 1, CT_NONE);
	CT_EQ(ct->copyin(s, &v, P(0), 8), EFAULT);
	CT_EQ(ct->copyout(s, P(0), &v, 8), EFAULT);
	cap(s, 0, 1, CT_R);
	CT_OK(ct->copyin(s, &v, P(0), 8));
	CT_EQ(v, 1);
	CT_EQ(ct->copyout(s, P(0), &v, 8), EFAULT);
}

static void
vector(void)
{
	unsigned s = al_space(8);
	struct ct_pageop op[3] = { { P(0), 2, CT_NONE }, { P(4), 1, CT_R },
		{ P(6), 2, CT_NONE } };

	for (unsigned i = 0; i < 8; i++)
		WR(s, P(i), i);
	CT_OK(ct->al_prot(s, op, 3));
	BAD(s, P(1), CT_R, EACCES);
	WR(s, P(2), 2);
	RD(s, P(4), 4);
	BAD(s, P(4), CT_W, EACCES);
	BAD(s, P(7), CT_R, EACCES);
	op[0].cap = op[1].cap = op[2].cap = UNCAP;
	CT_OK(ct->al_prot(s, op, 3));
	for (unsigned i = 0; i < 8; i++)
		WR(s, P(i), 10 + i);
}

/* All or nothing: a bad operation at the end undoes the good ones. */
static void
vector_is_atomic(void)
{
	unsigned s = al_space(4);
	struct ct_pageop op[2] = { { P(0), 1, CT_NONE }, { P(9), 1, CT_NONE } };

	WR(s, P(0), 1);
	CT_EQ(ct->al_prot(s, op, 2), EINVAL);
	WR(s, P(0), 2);
}

static void
one_shootdown_for_vector(void)
{
	unsigned s = al_space(64);
	struct ct_pageop op[16];
	uint64_t n;

	for (unsigned i = 0; i < 64; i++)
		WR(s, P(i), i);
	for (unsigned i = 0; i < 16; i++)
		op[i] = (struct ct_pageop){ P(4 * i), 2, CT_NONE };
	n = ct_count(TS_shootdowns);
	CT_OK(ct->al_prot(s, op, 16));
	CT_EQ(ct_count(TS_shootdowns) - n, 1);
	for (unsigned i = 0; i < 16; i++)
		op[i].cap = UNCAP;
	CT_OK(ct->al_prot(s, op, 16));
	CT_EQ(ct_count(TS_shootdowns) - n, 1);
}

static void
dirty_bits(void)
{
	unsigned s = al_space(8);

	CT_EQ(dirty(s, 0, 8), 0);
	WR(s, P(1), 1);
	WR(s, P(6), 1);
	RD(s, P(3), 0);
	CT_EQ(dirty(s, 0, 8), 0x42);
	CT_EQ(dirty(s, 0, 8), 0);
	WR(s, P(6), 2);
	CT_EQ(dirty(s, 0, 8), 0x40);
}

/* Each CPU has a writable translation; each later write must be seen. */
static void
dirty_on_all_cpus(void)
{
	unsigned s = al_space(8);

	for (unsigned c = 0; c < ct->ncpu; c++)
		for (unsigned i = 0; i < 8; i++) {
			ct_on(c);
			WR(s, P(i), i);
		}
	CT_EQ(dirty(s, 0, 8), 0xff);
	for (unsigned c = 0; c < ct->ncpu; c++) {
		ct_on(c);
		WR(s, P(c % 8), 9);
		CT_EQ(dirty(s, 0, 8), 1u << c % 8);
	}
}

static void
dirty_part(void)
{
	unsigned s = al_space(8);

	for (unsigned i = 0; i < 8; i++)
		WR(s, P(i), i);
	CT_EQ(dirty(s, 2, 3), 7);
	CT_EQ(dirty(s, 0, 8), 0xe3);
}

static void
dirty_large(void)
{
	unsigned s = al_space(200);
	uint64_t map[4] = { 0 };

	for (unsigned i = 0; i < 200; i += 3)
		WR(s, P(i), i);
	CT_OK(ct->al_dirty(s, P(0), 200 * CT_PAGE, map));
	for (unsigned i = 0; i < 200; i++)
		CT_EQ(map[i / 64] >> (i % 64) & 1, i % 3 == 0);
	CT_EQ(map[3] >> 8, 0);
}

/* The dirty bit of a page outlives what happens to its leaf. */
static void
dirty_survives_protect(void)
{
	unsigned s = al_space(4);

	WR(s, P(0), 1);
	WR(s, P(1), 1);
	ct_protect(s, 0, 1, CT_NONE);
	cap(s, 1, 1, CT_NONE);
	CT_EQ(dirty(s, 0, 4), 3);
	CT_EQ(dirty(s, 0, 4), 0);
	ct_protect(s, 0, 1, CT_RW);
	cap(s, 1, 1, UNCAP);
	RD(s, P(0), 1);
	CT_EQ(dirty(s, 0, 4), 0);
	WR(s, P(1), 2);
	CT_EQ(dirty(s, 0, 4), 2);
}

/* Dropping a shared page's leaf keeps its contents, so it stays dirty; private
 * contents become zeroes, which is a write. */
static void
dirty_survives_discard(void)
{
	unsigned s = ct_space();

	ct_map(s, 0, 2, CT_RW, CT_SHARED);
	ct_map(s, 2, 2, CT_RW, 0);
	CT_OK(ct->al_region(s, P(0), 4 * CT_PAGE));
	WR(s, P(0), 1);
	WR(s, P(2), 1);
	RD(s, P(1), 0);
	CT_OK(ct->discard(s, P(0), 2 * CT_PAGE));
	CT_EQ(dirty(s, 0, 4), 5);
	CT_OK(ct->discard(s, P(2), CT_PAGE));
	CT_EQ(dirty(s, 0, 4), 4);
	RD(s, P(0), 1);
	CT_EQ(dirty(s, 0, 4), 0);
}

static void
dirty_after_fork(void)
{
	unsigned s = al_space(4);

	WR(s, P(0), 1);
	CT_EQ(dirty(s, 0, 4), 1);
	(void)ct_fork(s);
	CT_EQ(dirty(s, 0, 4), 0);
	WR(s, P(0), 2);
	RD(s, P(1), 0);
	CT_EQ(dirty(s, 0, 4), 1);
}

static void
dirty_by_kernel(void)
{
	unsigned s = al_space(4);
	uint64_t v = 1;

	RD(s, P(2), 0);
	CT_EQ(dirty(s, 0, 4), 0);
	CT_OK(ct->copyout(s, P(2), &v, 8));
	CT_EQ(dirty(s, 0, 4), 4);
	CT_OK(ct->copyin(s, &v, P(2), 8));
	CT_EQ(dirty(s, 0, 4), 0);
}

/* A page mapped anew under a region starts without cap and clean. */
static void
fresh_page_is_fresh(void)
{
	unsigned s = al_space(4);

	WR(s, P(1), 1);
	cap(s, 1, 1, CT_NONE);
	ct_unmap(s, 1, 1);
	BAD(s, P(1), CT_R, EFAULT);
	ct_map(s, 1, 1, CT_RW, 0);
	RD(s, P(1), 0);
	CT_EQ(dirty(s, 0, 4), 0);
	WR(s, P(1), 2);
	CT_EQ(dirty(s, 0, 4), 2);
}

static void
child_has_own_caps(void)
{
	unsigned s = al_space(2), c;

	WR(s, P(0), 1);
	cap(s, 0, 1, CT_R);
	c = ct_fork(s);
	BAD(c, P(0), CT_W, EACCES);
	cap(s, 0, 1, UNCAP);
	WR(s, P(0), 2);
	BAD(c, P(0), CT_W, EACCES);
	RD(c, P(0), 1);
}

static void
region_rules(void)
{
	unsigned s = ct_space();
	struct ct_pageop op = { P(0), 1, CT_NONE };
	uint64_t word = 0;

	ct_map(s, 0, 8, CT_RW, 0);
	CT_EQ(ct->al_prot(s, &op, 1), EINVAL);
	CT_EQ(ct->al_dirty(s, P(0), CT_PAGE, &word), EINVAL);
	CT_OK(ct->al_region(s, P(0), 4 * CT_PAGE));
	CT_EQ(ct->al_region(s, P(3), 2 * CT_PAGE), EEXIST);
	CT_EQ(ct->al_region(s, P(0), 4 * CT_PAGE), EEXIST);
	CT_OK(ct->al_region(s, P(4), 4 * CT_PAGE));
	CT_EQ(ct->al_region(s, P(9) + 1, CT_PAGE), EINVAL);
	CT_EQ(ct->al_region(s, P(9), 0), EINVAL);
	CT_EQ(ct->al_region(s, ct->user_hi - CT_PAGE, 2 * CT_PAGE), EINVAL);
	op.va = P(0) + 8;
	CT_EQ(ct->al_prot(s, &op, 1), EINVAL);
	op.va = P(3);
	op.npages = 2;
	CT_EQ(ct->al_prot(s, &op, 1), EINVAL);
}

const struct ct_case ct_al_cases[] = {
	{ "al_prot_none", prot_none, 0, CT_EACH_WINDOW },
	{ "al_prot_read", prot_read, 0, 0 },
	{ "al_cap_and_mprotect", cap_and_mprotect, 0, 0 },
	{ "al_cap_before_touch", cap_before_touch, 0, 0 },
	{ "al_cap_stops_kernel", cap_stops_kernel, 0, 0 },
	{ "al_vector", vector, 0, CT_EACH_WINDOW },
	{ "al_vector_is_atomic", vector_is_atomic, 0, 0 },
	{ "al_one_shootdown_for_vector", one_shootdown_for_vector,
	    CT_HAS_COUNTERS, 0 },
	{ "al_dirty", dirty_bits, 0, CT_EACH_WINDOW },
	{ "al_dirty_on_all_cpus", dirty_on_all_cpus, 0, 0 },
	{ "al_dirty_part", dirty_part, 0, 0 },
	{ "al_dirty_large", dirty_large, 0, 0 },
	{ "al_dirty_survives_protect", dirty_survives_protect, 0, 0 },
	{ "al_dirty_survives_discard", dirty_survives_discard, 0, 0 },
	{ "al_dirty_after_fork", dirty_after_fork, 0, 0 },
	{ "al_dirty_by_kernel", dirty_by_kernel, 0, 0 },
	{ "al_fresh_page", fresh_page_is_fresh, 0, 0 },
	{ "al_child_has_own_caps", child_has_own_caps, 0, 0 },
	{ "al_region_rules", region_rules, 0, 0 },
	{ NULL, NULL, 0, 0 },
};
