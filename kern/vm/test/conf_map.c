/* SPDX-License-Identifier: MIT */
/*
 * conf_map.c - conformance: map, unmap, protect, listings.
 */
#include "ct.h"

#define MB 0x100000ull

static void
demand_zero(void)
{
	unsigned s = ct_space();

	ct_map(s, 0, 4, CT_RW, 0);
	for (unsigned i = 0; i < 4; i++) {
		RD(s, P(i), 0);
		RD(s, P(i) + CT_PAGE - 8, 0);
	}
	WR(s, P(1) + 8, 7);
	RD(s, P(1), 0);
	RD(s, P(1) + 8, 7);
}

/* Frames that held somebody else's data come back zeroed. */
static void
zero_after_reuse(void)
{
	for (unsigned round = 0; round < 4; round++) {
		unsigned s = ct_space();

		ct_map(s, 0, 16, CT_RW, 0);
		for (unsigned i = 0; i < 16; i++) {
			RD(s, P(i) + 16 * i, 0);
			WR(s, P(i) + 16 * i, 0x5ec2e7);
		}
		ct_drop(s);
	}
}

static void
keeps_data(void)
{
	unsigned s = ct_space();

	ct_map(s, 0, 12, CT_RW, 0);
	for (unsigned i = 0; i < 12; i++)
		WR(s, P(i) + 8 * i, 1000 + i);
	for (unsigned i = 0; i < 12; i++)
		RD(s, P(i) + 8 * i, 1000 + i);
}

static void
untouched_is_unmapped(void)
{
	unsigned s = ct_space();

	BAD(s, P(0), CT_R, EFAULT);
	BAD(s, P(0), CT_W, EFAULT);
	BAD(s, P(0), CT_X, EFAULT);
	ct_map(s, 1, 1, CT_RW, 0);
	BAD(s, P(0), CT_R, EFAULT);
	BAD(s, P(2), CT_R, EFAULT);
}

static void
unmap_whole(void)
{
	unsigned s = ct_space();

	ct_map(s, 0, 4, CT_RW, 0);
	for (unsigned i = 0; i < 4; i++)
		WR(s, P(i), i);
	ct_unmap(s, 0, 4);
	for (unsigned i = 0; i < 4; i++)
		BAD(s, P(i), CT_R, EFAULT);
	LISTING(s, "");
}

static void
unmap_middle(void)
{
	unsigned s = ct_space();

	ct_map(s, 0, 9, CT_RW, 0);
	for (unsigned i = 0; i < 9; i++)
		WR(s, P(i), 100 + i);
	ct_unmap(s, 3, 3);
	LISTING(s, "0+3 rw- 6+3 rw-");
	for (unsigned i = 0; i < 9; i++) {
		if (i >= 3 && i < 6)
			BAD(s, P(i), CT_R, EFAULT);
		else
			RD(s, P(i), 100 + i);
	}
}

static void
unmap_edges(void)
{
	unsigned s = ct_space();

	ct_map(s, 2, 6, CT_RW, 0);
	for (unsigned i = 2; i < 8; i++)
		WR(s, P(i), i);
	ct_unmap(s, 0, 3);
	LISTING(s, "3+5 rw-");
	ct_unmap(s, 7, 5);
	LISTING(s, "3+4 rw-");
	BAD(s, P(2), CT_R, EFAULT);
	BAD(s, P(7), CT_R, EFAULT);
	RD(s, P(3), 3);
	RD(s, P(6), 6);
}

static void
unmap_several(void)
{
	unsigned s = ct_space();

	for (unsigned i = 0; i < 10; i += 2) {
		ct_map(s, i, 1, CT_RW, 0);
		WR(s, P(i), i);
	}
	ct_unmap(s, 1, 7);
	LISTING(s, "0+1 rw- 8+1 rw-");
	RD(s, P(0), 0);
	RD(s, P(8), 8);
	BAD(s, P(4), CT_W, EFAULT);
}

static void
unmap_hole(void)
{
	unsigned s = ct_space();

	ct_unmap(s, 0, 8);
	ct_map(s, 4, 1, CT_RW, 0);
	ct_unmap(s, 0, 4);
	ct_unmap(s, 5, 4);
	LISTING(s, "4+1 rw-");
}

/* What was unmapped and mapped again is a new, zero page. */
static void
remap_is_zero(void)
{
	unsigned s = ct_space();

	for (unsigned i = 0; i < 6; i++) {
		ct_map(s, 0, 2, CT_RW, 0);
		RD(s, P(0), 0);
		RD(s, P(1), 0);
		WR(s, P(0), ~0ull);
		WR(s, P(1), ~0ull);
		ct_unmap(s, 0, 2);
	}
}

static void
fixed_replaces(void)
{
	unsigned s = ct_space();

	ct_map(s, 0, 6, CT_RW, 0);
	for (unsigned i = 0; i < 6; i++)
		WR(s, P(i), 50 + i);
	ct_map(s, 2, 2, CT_R, 0);
	LISTING(s, "0+2 rw- 2+2 r-- 4+2 rw-");
	RD(s, P(1), 51);
	RD(s, P(2), 0);
	RD(s, P(3), 0);
	RD(s, P(4), 54);
	BAD(s, P(2), CT_W, EACCES);
}

static void
fixed_replaces_several(void)
{
	unsigned s = ct_space();

	ct_map(s, 1, 2, CT_RW, 0);
	ct_map(s, 4, 2, CT_R, 0);
	ct_map(s, 7, 2, CT_RX, 0);
	WR(s, P(1), 1);
	WR(s, P(2), 2);
	ct_map(s, 2, 6, CT_RW, 0);
	LISTING(s, "1+7 rw- 8+1 r-x");
	RD(s, P(1), 1);
	RD(s, P(2), 0);
	WR(s, P(7), 9);
	RD(s, P(8), 0);
}

static void
noreplace(void)
{
	unsigned s = ct_space();
	struct ct_map m = { .va = P(1), .size = 3 * CT_PAGE, .prot = CT_R,
		.flags = CT_FIXED | CT_NOREPLACE };
	uint64_t va = 0;

	ct_map(s, 3, 2, CT_RW, 0);
	WR(s, P(3), 3);
	CT_EQ(ct->map(s, &m, &va), EEXIST);
	LISTING(s, "3+2 rw-");
	RD(s, P(3), 3);
	m.size = 2 * CT_PAGE;
	CT_OK(ct->map(s, &m, &va));
	CT_EQ(va, P(1));
	m.va = P(5);
	CT_OK(ct->map(s, &m, &va));
	LISTING(s, "1+2 r-- 3+2 rw- 5+2 r--");
}

static void
hint_taken_if_free(void)
{
	unsigned s = ct_space();
	struct ct_map m = { .va = P(8), .size = CT_PAGE, .prot = CT_RW };
	uint64_t va = 0, other = 0;

	CT_OK(ct->map(s, &m, &va));
	CT_EQ(va, P(8));
	WR(s, va, 1);
	CT_OK(ct->map(s, &m, &other));
	CT_TRUE(other != va && (other & (CT_PAGE - 1)) == 0);
	WR(s, other, 2);
	RD(s, va, 1);
	CT_OK(ct->unmap(s, other, CT_PAGE));
	RD(s, va, 1);
}

static void
no_hint(void)
{
	unsigned s = ct_space();
	uint64_t va[8];

	for (unsigned i = 0; i < 8; i++) {
		struct ct_map m = { .size = (i + 1) * CT_PAGE, .prot = CT_RW };

		CT_OK(ct->map(s, &m, &va[i]));
		CT_TRUE(va[i] >= ct->user_lo && va[i] < ct->user_hi);
		CT_TRUE((va[i] & (CT_PAGE - 1)) == 0);
		WR(s, va[i], i);
		WR(s, va[i] + i * CT_PAGE, i);
	}
	for (unsigned i = 0; i < 8; i++)
		for (unsigned k = 0; k < i; k++)
			CT_TRUE(va[k] + (k + 1) * CT_PAGE <= va[i] ||
			    va[i] + (i + 1) * CT_PAGE <= va[k]);
	for (unsigned i = 0; i < 8; i++) {
		RD(s, va[i], i);
		CT_OK(ct->unmap(s, va[i], (i + 1) * CT_PAGE));
	}
}

/* A size that is no multiple of the page size covers whole pages. */
static void
odd_size(void)
{
	unsigned s = ct_space();
	struct ct_map m = { .va = P(0), .size = CT_PAGE + 1, .prot = CT_RW,
		.flags = CT_FIXED };
	uint64_t va;

	CT_OK(ct->map(s, &m, &va));
	WR(s, P(1) + CT_PAGE - 8, 5);
	BAD(s, P(2), CT_R, EFAULT);
	CT_OK(ct->protect(s, P(0), 1, CT_R));
	LISTING(s, "0+1 r-- 1+1 rw-");
	CT_OK(ct->unmap(s, P(1), 17));
	LISTING(s, "0+1 r--");
}

static void
protect_read_only(void)
{
	unsigned s = ct_space();

	ct_map(s, 0, 3, CT_RW, 0);
	for (unsigned i = 0; i < 3; i++)
		WR(s, P(i), i + 1);
	ct_protect(s, 1, 1, CT_R);
	WR(s, P(0), 11);
	BAD(s, P(1), CT_W, EACCES);
	RD(s, P(1), 2);
	WR(s, P(2), 13);
	LISTING(s, "0+1 rw- 1+1 r-- 2+1 rw-");
}

/* Every CPU has used the page before its rights go. */
static void
protect_reaches_all_cpus(void)
{
	unsigned s = ct_space();

	ct_map(s, 0, 2, CT_RW, 0);
	for (unsigned c = 0; c < ct->ncpu; c++) {
		ct_on(c);
		WR(s, P(0), c);
		WR(s, P(1), c);
	}
	ct_protect(s, 0, 2, CT_R);
	for (unsigned c = 0; c < ct->ncpu; c++) {
		ct_on(c);
		BAD(s, P(0), CT_W, EACCES);
		BAD(s, P(1), CT_W, EACCES);
		RD(s, P(0), ct->ncpu - 1);
	}
	ct_protect(s, 0, 2, CT_NONE);
	for (unsigned c = 0; c < ct->ncpu; c++) {
		ct_on(c);
		BAD(s, P(0), CT_R, EACCES);
	}
	ct_unmap(s, 0, 1);
	for (unsigned c = 0; c < ct->ncpu; c++) {
		ct_on(c);
		BAD(s, P(0), CT_R, EFAULT);
		BAD(s, P(1), CT_R, EACCES);
	}
}

static void
protect_none_keeps_data(void)
{
	unsigned s = ct_space();

	ct_map(s, 0, 4, CT_RW, 0);
	for (unsigned i = 0; i < 4; i++)
		WR(s, P(i), 20 + i);
	ct_protect(s, 0, 4, CT_NONE);
	BAD(s, P(0), CT_R, EACCES);
	BAD(s, P(1), CT_W, EACCES);
	BAD(s, P(2), CT_X, EACCES);
	LISTING(s, "0+4 ---");
	ct_protect(s, 1, 2, CT_RW);
	RD(s, P(1), 21);
	WR(s, P(2), 99);
	BAD(s, P(3), CT_R, EACCES);
	ct_protect(s, 0, 4, CT_R);
	RD(s, P(0), 20);
	RD(s, P(2), 99);
	RD(s, P(3), 23);
}

static void
protect_widens(void)
{
	unsigned s = ct_space();

	ct_map(s, 0, 2, CT_R, 0);
	for (unsigned c = 0; c < ct->ncpu; c++) {
		ct_on(c);
		RD(s, P(0), 0);
		BAD(s, P(0), CT_W, EACCES);
	}
	ct_protect(s, 0, 2, CT_RW);
	for (unsigned c = 0; c < ct->ncpu; c++) {
		ct_on(c);
		WR(s, P(0), c + 1);
		WR(s, P(1), c + 1);
	}
	RD(s, P(0), ct->ncpu);
}

static void
protect_splits_and_merges(void)
{
	unsigned s = ct_space();

	ct_map(s, 0, 9, CT_RW, 0);
	for (unsigned i = 0; i < 9; i++)
		WR(s, P(i), i);
	ct_protect(s, 4, 1, CT_R);
	LISTING(s, "0+4 rw- 4+1 r-- 5+4 rw-");
	ct_protect(s, 2, 5, CT_R);
	LISTING(s, "0+2 rw- 2+5 r-- 7+2 rw-");
	ct_protect(s, 0, 9, CT_R);
	LISTING(s, "0+9 r--");
	ct_protect(s, 0, 9, CT_RW);
	for (unsigned i = 0; i < 9; i++) {
		RD(s, P(i), i);
		WR(s, P(i), i + 1);
	}
}

/* Splitting and joining again leaves no more regions than before. */
static void
regions_merge(void)
{
	unsigned s = ct_space();
	uint64_t n;

	ct_map(s, 0, 9, CT_RW, 0);
	n = ct_count(TS_regions);
	for (unsigned i = 0; i < 9; i += 2)
		ct_protect(s, i, 1, CT_R);
	ct_protect(s, 0, 9, CT_RW);
	CT_EQ(ct_count(TS_regions), n);
	ct_map(s, 9, 3, CT_RW, 0);
	CT_EQ(ct_count(TS_regions), n);
	LISTING(s, "0+12 rw-");
}

static void
protect_several_regions(void)
{
	unsigned s = ct_space();

	ct_map(s, 0, 2, CT_R, 0);
	ct_map(s, 2, 2, CT_RW, 0);
	ct_map(s, 4, 2, CT_NONE, 0);
	WR(s, P(3), 3);
	ct_protect(s, 1, 4, CT_RX);
	LISTING(s, "0+1 r-- 1+4 r-x 5+1 ---");
	RD(s, P(3), 3);
	BAD(s, P(3), CT_W, EACCES);
	BAD(s, P(5), CT_R, EACCES);
}

static void
protect_back_and_forth(void)
{
	unsigned s = ct_space();

	ct_map(s, 0, 1, CT_RW, 0);
	for (uint64_t i = 0; i < 20; i++) {
		WR(s, P(0), i);
		ct_protect(s, 0, 1, i % 2 ? CT_R : CT_NONE);
		BAD(s, P(0), CT_W, EACCES);
		ct_protect(s, 0, 1, CT_RW);
		RD(s, P(0), i);
	}
}

static void
execute(void)
{
	unsigned s = ct_space();
	uint64_t v = 0;

	ct_map(s, 0, 1, CT_RX, 0);
	ct_map(s, 1, 1, CT_RW, 0);
	CT_OK(ct->access(s, 0, P(0), CT_X, &v));
	RD(s, P(0), 0);
	BAD(s, P(0), CT_W, EACCES);
	WR(s, P(1), 1);
	BAD(s, P(1), CT_X, EACCES);
	ct_protect(s, 1, 1, CT_RX);
	CT_OK(ct->access(s, ct->ncpu - 1, P(1), CT_X, &v));
	BAD(s, P(1), CT_W, EACCES);
	ct_protect(s, 0, 2, CT_R);
	for (unsigned c = 0; c < ct->ncpu; c++) {
		ct_on(c);
		BAD(s, P(0), CT_X, EACCES);
		BAD(s, P(1), CT_X, EACCES);
	}
}

/* A range over the border of a last-level table (2 MiB) and beyond. */
static void
across_tables(void)
{
	unsigned s = ct_space();
	unsigned first =
	    (unsigned)((((W + 2 * MB) & ~(2 * MB - 1)) - W) / CT_PAGE) - 4;

	ct_map(s, first, 8, CT_RW, 0);
	for (unsigned i = 0; i < 8; i++)
		WR(s, P(first + i), i);
	ct_protect(s, first + 3, 2, CT_R);
	BAD(s, P(first + 3), CT_W, EACCES);
	BAD(s, P(first + 4), CT_W, EACCES);
	ct_unmap(s, first + 2, 3);
	for (unsigned i = 0; i < 8; i++) {
		if (i >= 2 && i < 5)
			BAD(s, P(first + i), CT_R, EFAULT);
		else
			RD(s, P(first + i), i);
	}
}

/* Far apart: each page has tables of its own; they all come back. */
static void
sparse(void)
{
	unsigned s = ct_space();

	for (unsigned i = 0; i < 8; i++) {
		struct ct_map m = { .prot = CT_RW, .size = CT_PAGE,
			.flags = CT_FIXED | CT_NOREPLACE,
			.va = ct->window[1].lo + i * 130 * MB };
		uint64_t va;

		if (m.va + m.size > ct->window[1].hi)
			break;
		CT_OK(ct->map(s, &m, &va));
		WR(s, va, i);
		RD(s, va, i);
	}
	CT_OK(ct->unmap(s, ct->window[1].lo,
	    ct->window[1].hi - ct->window[1].lo));
	BAD(s, ct->window[1].lo, CT_R, EFAULT);
}

static void
listing(void)
{
	unsigned s = ct_space();

	LISTING(s, "");
	ct_map(s, 1, 2, CT_RW, 0);
	ct_map(s, 4, 1, CT_R, CT_SHARED);
	ct_map(s, 5, 1, CT_RX, 0);
	ct_map(s, 6, 3, CT_NONE, 0);
	LISTING(s, "1+2 rw- 4+1 r--s 5+1 r-x 6+3 ---");
	ct_unmap(s, 2, 3);
	LISTING(s, "1+1 rw- 5+1 r-x 6+3 ---");
}

static void
neighbours_stay(void)
{
	unsigned a = ct_space(), b = ct_space();

	ct_map(a, 0, 2, CT_RW, 0);
	ct_map(b, 0, 2, CT_RW, 0);
	for (unsigned i = 0; i < 2 * ct->ncpu; i++) {
		WR(a, P(i % 2), i);
		WR(b, P(i % 2), 1000 + i);
		RD(a, P(i % 2), i);
	}
	ct_unmap(a, 0, 2);
	BAD(a, P(0), CT_R, EFAULT);
	RD(b, P(0), 1000 + 2 * ct->ncpu - 2);
	ct_protect(b, 0, 2, CT_R);
	BAD(b, P(1), CT_W, EACCES);
	ct_map(a, 0, 2, CT_RW, 0);
	WR(a, P(1), 1);
	RD(b, P(1), 1000 + 2 * ct->ncpu - 1);
}

static void
mincore(void)
{
	unsigned s = ct_space();
	uint8_t vec[6] = { 9, 9, 9, 9, 9, 9 };

	ct_map(s, 0, 6, CT_RW, 0);
	CT_OK(ct->mincore(s, P(0), 6 * CT_PAGE, vec));
	for (unsigned i = 0; i < 6; i++)
		CT_EQ(vec[i] & 1, 0);
	WR(s, P(1), 1);
	WR(s, P(4), 1);
	ct_protect(s, 4, 1, CT_NONE);
	CT_OK(ct->mincore(s, P(0), 6 * CT_PAGE, vec));
	for (unsigned i = 0; i < 6; i++)
		CT_EQ(vec[i] & 1, i == 1 || i == 4);
	ct_unmap(s, 2, 1);
	CT_EQ(ct->mincore(s, P(0), 6 * CT_PAGE, vec), ENOMEM);
	CT_OK(ct->mincore(s, P(0), 2 * CT_PAGE, vec));
}

static void
discard(void)
{
	unsigned s = ct_space();
	uint8_t vec[4];

	ct_map(s, 0, 4, CT_RW, 0);
	for (unsigned c = 0; c < ct->ncpu; c++)
		for (unsigned i = 0; i < 4; i++) {
			ct_on(c);
			WR(s, P(i), 60 + i);
		}
	CT_OK(ct->discard(s, P(1), 2 * CT_PAGE));
	CT_OK(ct->mincore(s, P(0), 4 * CT_PAGE, vec));
	CT_EQ((vec[0] & 1) + (vec[1] & 1) + (vec[2] & 1) + (vec[3] & 1), 2);
	for (unsigned c = 0; c < ct->ncpu; c++) {
		ct_on(c);
		RD(s, P(0), 60);
		RD(s, P(1), 0);
		RD(s, P(2), 0);
		RD(s, P(3), 63);
	}
	WR(s, P(1), 5);
	RD(s, P(1), 5);
	LISTING(s, "0+4 rw-");
}

static void
discard_of_no_access(void)
{
	unsigned s = ct_space();

	ct_map(s, 0, 2, CT_RW, 0);
	WR(s, P(0), 1);
	WR(s, P(1), 2);
	ct_protect(s, 0, 2, CT_NONE);
	CT_OK(ct->discard(s, P(0), CT_PAGE));
	ct_protect(s, 0, 2, CT_RW);
	RD(s, P(0), 0);
	RD(s, P(1), 2);
}

/* The kernel's copies obey the same rights and see the same data. */
static void
kernel_copies(void)
{
	unsigned s = ct_space();
	uint64_t buf[4] = { 1, 2, 3, 4 }, back[4] = { 0 };

	ct_map(s, 0, 2, CT_RW, 0);
	ct_map(s, 2, 1, CT_R, 0);
	CT_OK(ct->copyout(s, P(1) - 16, buf, sizeof(buf)));
	RD(s, P(1) - 16, 1);
	RD(s, P(1) + 8, 4);
	WR(s, P(1), 33);
	CT_OK(ct->copyin(s, back, P(1) - 16, sizeof(back)));
	CT_EQ(back[0], 1);
	CT_EQ(back[2], 33);
	CT_OK(ct->copyin(s, back, P(2), 8));
	CT_EQ(back[0], 0);
	CT_EQ(ct->copyout(s, P(2), buf, 8), EFAULT);
	CT_EQ(ct->copyin(s, back, P(3), 8), EFAULT);
	CT_EQ(ct->copyin(s, back, P(3) - 8, 16), EFAULT);
}

static void
shootdown_counts(void)
{
	unsigned s = ct_space(), other = ct_space();
	uint64_t n;

	ct_map(other, 0, 1, CT_RW, 0);
	ct_on(ct->ncpu - 1);
	WR(other, P(0), 1);
	ct_on(0);
	ct_map(s, 0, 200, CT_RW, 0);
	for (unsigned i = 0; i < 200; i++)
		WR(s, P(i), i);
	n = ct_count(TS_shootdowns);
	ct_unmap(s, 100, 100);
	CT_EQ(ct_count(TS_shootdowns) - n, 1);
	ct_unmap(s, 0, 1);
	CT_EQ(ct_count(TS_shootdowns) - n, 2);
	ct_protect(s, 1, 99, CT_R);
	CT_EQ(ct_count(TS_shootdowns) - n, 3);
	/* Nothing there, nothing lost: nothing to flush. */
	ct_unmap(s, 200, 50);
	ct_protect(s, 1, 99, CT_RW);
	CT_EQ(ct_count(TS_shootdowns) - n, 3);
}

/* A space that ran on one CPU interrupts no other (targets=mask). */
static void
shootdown_targets(void)
{
	unsigned s = ct_space();
	uint64_t n;

	ct_on(0);
	ct_map(s, 0, 8, CT_RW, 0);
	for (unsigned i = 0; i < 8; i++)
		WR(s, P(i), i);
	n = ct_count(TS_shootdown_targets);
	ct_protect(s, 0, 8, CT_R);
	ct_unmap(s, 0, 8);
	CT_EQ(ct_count(TS_shootdown_targets), n);
}

static void
zero_fill_counts(void)
{
	unsigned s = ct_space();
	uint64_t n;

	ct_map(s, 0, 32, CT_RW, 0);
	n = ct_count(TS_zero_fills);
	for (unsigned i = 0; i < 8; i++)
		for (unsigned c = 0; c < ct->ncpu; c++) {
			ct_on(c);
			WR(s, P(i), i);
		}
	CT_EQ(ct_count(TS_zero_fills) - n, 8);
}

const struct ct_case ct_map_cases[] = {
	{ "demand_zero", demand_zero, 0, CT_EACH_WINDOW },
	{ "zero_after_reuse", zero_after_reuse, 0, 0 },
	{ "keeps_data", keeps_data, 0, CT_EACH_WINDOW },
	{ "untouched_is_unmapped", untouched_is_unmapped, 0, CT_EACH_WINDOW },
	{ "unmap_whole", unmap_whole, 0, CT_EACH_WINDOW },
	{ "unmap_middle", unmap_middle, 0, CT_EACH_WINDOW },
	{ "unmap_edges", unmap_edges, 0, CT_EACH_WINDOW },
	{ "unmap_several", unmap_several, 0, 0 },
	{ "unmap_hole", unmap_hole, 0, 0 },
	{ "remap_is_zero", remap_is_zero, 0, CT_EACH_WINDOW },
	{ "fixed_replaces", fixed_replaces, 0, CT_EACH_WINDOW },
	{ "fixed_replaces_several", fixed_replaces_several, 0, 0 },
	{ "noreplace", noreplace, 0, CT_EACH_WINDOW },
	{ "hint_taken_if_free", hint_taken_if_free, 0, CT_EACH_WINDOW },
	{ "no_hint", no_hint, 0, 0 },
	{ "odd_size", odd_size, 0, 0 },
	{ "protect_read_only", protect_read_only, 0, CT_EACH_WINDOW },
	{ "protect_reaches_all_cpus", protect_reaches_all_cpus, 0,
	    CT_EACH_WINDOW },
	{ "protect_none_keeps_data", protect_none_keeps_data, 0,
	    CT_EACH_WINDOW },
	{ "protect_widens", protect_widens, 0, 0 },
	{ "protect_splits_and_merges", protect_splits_and_merges, 0, 0 },
	{ "regions_merge", regions_merge, CT_HAS_COUNTERS, 0 },
	{ "protect_several_regions", protect_several_regions, 0, 0 },
	{ "protect_back_and_forth", protect_back_and_forth, 0, 0 },
	{ "execute", execute, 0, 0 },
	{ "across_tables", across_tables, 0, 0 },
	{ "sparse", sparse, 0, 0 },
	{ "listing", listing, 0, CT_EACH_WINDOW },
	{ "neighbours_stay", neighbours_stay, 0, 0 },
	{ "mincore", mincore, 0, CT_EACH_WINDOW },
	{ "discard", discard, 0, CT_EACH_WINDOW },
	{ "discard_of_no_access", discard_of_no_access, 0, 0 },
	{ "kernel_copies", kernel_copies, 0, CT_EACH_WINDOW },
	{ "shootdown_counts", shootdown_counts, CT_HAS_COUNTERS, 0 },
	{ "shootdown_targets", shootdown_targets, CT_HAS_COUNTERS, 0 },
	{ "zero_fill_counts", zero_fill_counts, CT_HAS_COUNTERS, 0 },
	{ NULL, NULL, 0, 0 },
};
