/* SPDX-License-Identifier: MIT */
/*
 * conf_fork.c - conformance: copies on write, shared memory, aliases.
 */
#include "ct.h"

static void
child_sees_data(void)
{
	unsigned p = ct_space(), c;

	ct_map(p, 0, 4, CT_RW, 0);
	for (unsigned i = 0; i < 4; i++)
		WR(p, P(i), 10 + i);
	c = ct_fork(p);
	for (unsigned i = 0; i < 4; i++) {
		RD(c, P(i), 10 + i);
		RD(p, P(i), 10 + i);
	}
	LISTING(c, "0+4 rw-");
}

static void
child_writes(void)
{
	unsigned p = ct_space(), c;

	ct_map(p, 0, 2, CT_RW, 0);
	WR(p, P(0), 1);
	c = ct_fork(p);
	WR(c, P(0), 2);
	RD(p, P(0), 1);
	RD(c, P(0), 2);
	WR(p, P(0), 3);
	RD(c, P(0), 2);
}

/* Every CPU could write before the fork; none may write to the child's copy. */
static void
parent_writes(void)
{
	unsigned p = ct_space(), c;

	ct_map(p, 0, 2, CT_RW, 0);
	for (unsigned cpu = 0; cpu < ct->ncpu; cpu++) {
		ct_on(cpu);
		WR(p, P(0), 1);
		WR(p, P(1), 1);
	}
	c = ct_fork(p);
	for (unsigned cpu = 0; cpu < ct->ncpu; cpu++) {
		ct_on(cpu);
		WR(p, P(0), 5 + cpu);
		RD(c, P(0), 1);
		RD(c, P(1), 1);
	}
	RD(p, P(0), 4 + ct->ncpu);
}

/* A CPU that read the shared frame must find the new one after the copy. */
static void
copy_reaches_readers(void)
{
	unsigned p = ct_space(), c;

	ct_map(p, 0, 1, CT_RW, 0);
	WR(p, P(0), 7);
	c = ct_fork(p);
	for (unsigned cpu = 0; cpu < ct->ncpu; cpu++) {
		ct_on(cpu);
		RD(p, P(0), 7);
		RD(c, P(0), 7);
	}
	ct_on(0);
	WR(p, P(0), 8);
	for (unsigned cpu = 0; cpu < ct->ncpu; cpu++) {
		ct_on(cpu);
		RD(p, P(0), 8);
		RD(c, P(0), 7);
	}
}

static void
grandchildren(void)
{
	unsigned p = ct_space(), c, g;

	ct_map(p, 0, 3, CT_RW, 0);
	for (unsigned i = 0; i < 3; i++)
		WR(p, P(i), i);
	c = ct_fork(p);
	WR(c, P(1), 11);
	g = ct_fork(c);
	WR(g, P(2), 22);
	WR(p, P(0), 99);
	RD(g, P(0), 0);
	RD(g, P(1), 11);
	RD(g, P(2), 22);
	RD(c, P(0), 0);
	RD(c, P(2), 2);
	RD(p, P(1), 1);
	ct_drop(c);
	RD(g, P(0), 0);
	WR(g, P(1), 111);
	RD(p, P(1), 1);
	ct_drop(p);
	RD(g, P(0), 0);
	RD(g, P(1), 111);
	RD(g, P(2), 22);
}

static void
chain_of_forks(void)
{
	unsigned s = ct_space();

	ct_map(s, 0, 2, CT_RW, 0);
	WR(s, P(0), 0);
	WR(s, P(1), 77);
	for (uint64_t i = 1; i <= 12; i++) {
		unsigned c = ct_fork(s);

		WR(c, P(0), i);
		RD(s, P(0), i - 1);
		ct_drop(s);
		s = c;
		RD(s, P(0), i);
		RD(s, P(1), 77);
	}
}

static void
many_children(void)
{
	unsigned p = ct_space(), c[6];

	ct_map(p, 0, 2, CT_RW, 0);
	WR(p, P(0), 1);
	for (unsigned i = 0; i < 6; i++)
		c[i] = ct_fork(p);
	for (unsigned i = 0; i < 6; i += 2)
		WR(c[i], P(0), 100 + i);
	WR(p, P(0), 2);
	for (unsigned i = 0; i < 6; i++)
		RD(c[i], P(0), i % 2 ? 1 : 100 + i);
	RD(p, P(0), 2);
}

/* Two owners: the first writer copies, the last one does not. */
static void
last_owner_does_not_copy(void)
{
	unsigned p = ct_space(), c;
	uint64_t copies, reuses;

	ct_on(0);
	ct_map(p, 0, 1, CT_RW, 0);
	WR(p, P(0), 1);
	c = ct_fork(p);
	copies = ct_count(TS_cow_copies);
	reuses = ct_count(TS_cow_reuses);
	WR(c, P(0), 2);
	CT_EQ(ct_count(TS_cow_copies) - copies, 1);
	WR(p, P(0), 3);
	CT_EQ(ct_count(TS_cow_copies) - copies, 1);
	CT_EQ(ct_count(TS_cow_reuses) - reuses, 1);
	WR(p, P(0), 4);
	WR(c, P(0), 5);
	CT_EQ(ct_count(TS_cow_copies) - copies, 1);
	CT_EQ(ct_count(TS_cow_reuses) - reuses, 1);
}

static void
sole_survivor_does_not_copy(void)
{
	unsigned p = ct_space(), c;
	uint64_t copies;

	ct_on(0);
	ct_map(p, 0, 4, CT_RW, 0);
	for (unsigned i = 0; i < 4; i++)
		WR(p, P(i), i);
	c = ct_fork(p);
	ct_drop(p);
	copies = ct_count(TS_cow_copies);
	for (unsigned i = 0; i < 4; i++)
		WR(c, P(i), 10 + i);
	CT_EQ(ct_count(TS_cow_copies), copies);
}

static void
untouched_pages_are_private(void)
{
	unsigned p = ct_space(), c;

	ct_map(p, 0, 2, CT_RW, 0);
	c = ct_fork(p);
	WR(p, P(0), 1);
	RD(c, P(0), 0);
	WR(c, P(1), 2);
	RD(p, P(1), 0);
}

static void
read_only_copy_stays_so(void)
{
	unsigned p = ct_space(), c;

	ct_map(p, 0, 1, CT_RW, 0);
	WR(p, P(0), 1);
	ct_protect(p, 0, 1, CT_R);
	c = ct_fork(p);
	BAD(c, P(0), CT_W, EACCES);
	BAD(p, P(0), CT_W, EACCES);
	ct_protect(c, 0, 1, CT_RW);
	WR(c, P(0), 2);
	RD(p, P(0), 1);
	ct_protect(p, 0, 1, CT_RW);
	WR(p, P(0), 3);
	RD(c, P(0), 2);
}

/* A frame shared by copy on write is not opened by taking rights and giving
 * them back. */
static void
protect_keeps_copies_apart(void)
{
	unsigned p = ct_space(), c;

	ct_map(p, 0, 2, CT_RW, 0);
	WR(p, P(0), 1);
	WR(p, P(1), 1);
	c = ct_fork(p);
	ct_protect(p, 0, 1, CT_R);
	ct_protect(p, 0, 1, CT_RW);
	ct_protect(p, 1, 1, CT_NONE);
	ct_protect(p, 1, 1, CT_RW);
	WR(p, P(0), 2);
	WR(p, P(1), 2);
	RD(c, P(0), 1);
	RD(c, P(1), 1);
}

static void
no_access_copies(void)
{
	unsigned p = ct_space(), c;

	ct_map(p, 0, 2, CT_RW, 0);
	WR(p, P(0), 41);
	WR(p, P(1), 42);
	ct_protect(p, 0, 2, CT_NONE);
	c = ct_fork(p);
	BAD(c, P(0), CT_R, EACCES);
	ct_protect(c, 0, 2, CT_RW);
	RD(c, P(0), 41);
	WR(c, P(1), 43);
	ct_protect(p, 0, 2, CT_RW);
	RD(p, P(1), 42);
	WR(p, P(0), 44);
	RD(c, P(0), 41);
}

static void
unmap_in_one(void)
{
	unsigned p = ct_space(), c;

	ct_map(p, 0, 3, CT_RW, 0);
	for (unsigned i = 0; i < 3; i++)
		WR(p, P(i), 30 + i);
	c = ct_fork(p);
	ct_unmap(p, 0, 2);
	BAD(p, P(0), CT_R, EFAULT);
	RD(c, P(0), 30);
	ct_unmap(c, 1, 2);
	RD(p, P(2), 32);
	ct_map(c, 1, 1, CT_RW, 0);
	RD(c, P(1), 0);
}

static void
discard_in_one(void)
{
	unsigned p = ct_space(), c;

	ct_map(p, 0, 2, CT_RW, 0);
	WR(p, P(0), 5);
	c = ct_fork(p);
	CT_OK(ct->discard(c, P(0), CT_PAGE));
	RD(c, P(0), 0);
	RD(p, P(0), 5);
	WR(c, P(0), 6);
	RD(p, P(0), 5);
}

static void
shared_touched(void)
{
	unsigned p = ct_space(), c;

	ct_map(p, 0, 2, CT_RW, CT_SHARED);
	WR(p, P(0), 1);
	c = ct_fork(p);
	RD(c, P(0), 1);
	WR(c, P(0), 2);
	RD(p, P(0), 2);
	WR(p, P(0), 3);
	RD(c, P(0), 3);
	LISTING(c, "0+2 rw-s");
}

static void
shared_untouched(void)
{
	unsigned p = ct_space(), c, g;

	ct_map(p, 0, 3, CT_RW, CT_SHARED);
	c = ct_fork(p);
	g = ct_fork(c);
	WR(c, P(0), 1);
	WR(g, P(1), 2);
	WR(p, P(2), 3);
	for (unsigned i = 0; i < 3; i++) {
		RD(p, P(i), i + 1);
		RD(c, P(i), i + 1);
		RD(g, P(i), i + 1);
	}
}

static void
shared_outlives_owner(void)
{
	unsigned p = ct_space(), c;

	ct_map(p, 0, 4, CT_RW, CT_SHARED);
	WR(p, P(3), 9);
	c = ct_fork(p);
	ct_unmap(p, 0, 2);
	WR(c, P(0), 4);
	ct_drop(p);
	RD(c, P(3), 9);
	RD(c, P(0), 4);
	WR(c, P(1), 5);
}

/* A part of a shared region, cut out of the middle, is the same memory. */
static void
shared_split(void)
{
	unsigned p = ct_space(), c;

	ct_map(p, 0, 6, CT_RW, CT_SHARED);
	c = ct_fork(p);
	ct_protect(p, 2, 2, CT_R);
	ct_unmap(c, 1, 1);
	for (unsigned i = 0; i < 6; i++)
		if (i != 1)
			WR(c, P(i), 70 + i);
	for (unsigned i = 2; i < 6; i++)
		RD(p, P(i), 70 + i);
	RD(p, P(1), 0);
	BAD(p, P(2), CT_W, EACCES);
	WR(p, P(5), 1);
	RD(c, P(5), 1);
}

static void
shared_rights_differ(void)
{
	unsigned p = ct_space(), c;

	ct_map(p, 0, 1, CT_RW, CT_SHARED);
	c = ct_fork(p);
	ct_protect(c, 0, 1, CT_R);
	BAD(c, P(0), CT_W, EACCES);
	WR(p, P(0), 1);
	RD(c, P(0), 1);
	ct_protect(p, 0, 1, CT_NONE);
	BAD(p, P(0), CT_R, EACCES);
	RD(c, P(0), 1);
}

static void
two_shared_maps_differ(void)
{
	unsigned s = ct_space();

	ct_map(s, 0, 1, CT_RW, CT_SHARED);
	ct_map(s, 1, 1, CT_RW, CT_SHARED);
	WR(s, P(0), 1);
	RD(s, P(1), 0);
	WR(s, P(1), 2);
	RD(s, P(0), 1);
}

static void
fork_of_mixture(void)
{
	unsigned p = ct_space(), c;

	ct_map(p, 0, 2, CT_RW, 0);
	ct_map(p, 2, 2, CT_RW, CT_SHARED);
	ct_map(p, 4, 1, CT_R, 0);
	ct_map(p, 6, 1, CT_NONE, 0);
	for (unsigned i = 0; i < 4; i++)
		WR(p, P(i), i);
	c = ct_fork(p);
	LISTING(c, "0+2 rw- 2+2 rw-s 4+1 r-- 6+1 ---");
	for (unsigned i = 0; i < 4; i++)
		WR(c, P(i), 10 + i);
	RD(p, P(0), 0);
	RD(p, P(1), 1);
	RD(p, P(2), 12);
	RD(p, P(3), 13);
	RD(c, P(4), 0);
	BAD(c, P(5), CT_R, EFAULT);
}

/* The kernel writes into a copy-on-write page for the child only. */
static void
kernel_write_breaks_copy(void)
{
	unsigned p = ct_space(), c;
	uint64_t v = 0xabcd, back = 0;

	ct_map(p, 0, 1, CT_RW, 0);
	WR(p, P(0), 1);
	c = ct_fork(p);
	CT_OK(ct->copyout(c, P(0), &v, 8));
	RD(c, P(0), 0xabcd);
	RD(p, P(0), 1);
	CT_OK(ct->copyin(p, &back, P(0), 8));
	CT_EQ(back, 1);
}

/* ---- MAP2: the same pages at a second place ---- */

static void
alias(unsigned s, unsigned at, unsigned of, unsigned n, unsigned prot)
{
	struct ct_map m = { .va = P(at), .size = n * CT_PAGE, .prot = prot,
		.flags = CT_FIXED | CT_ALIAS, .alias_va = P(of) };
	uint64_t va;

	CT_OK(ct->map(s, &m, &va));
	CT_EQ(va, P(at));
}

static void
alias_is_coherent(void)
{
	unsigned s = ct_space();

	ct_map(s, 0, 2, CT_RW, CT_SHARED);
	WR(s, P(0), 1);
	alias(s, 4, 0, 2, CT_RW);
	for (unsigned c = 0; c < ct->ncpu; c++) {
		ct_on(c);
		WR(s, P(0), 10 + c);
		RD(s, P(4), 10 + c);
		WR(s, P(5), 20 + c);
		RD(s, P(1), 20 + c);
	}
}

static void
alias_has_own_rights(void)
{
	unsigned s = ct_space();

	ct_map(s, 0, 1, CT_RW, CT_SHARED);
	alias(s, 4, 0, 1, CT_R);
	WR(s, P(0), 1);
	RD(s, P(4), 1);
	BAD(s, P(4), CT_W, EACCES);
	ct_protect(s, 0, 1, CT_NONE);
	BAD(s, P(0), CT_R, EACCES);
	RD(s, P(4), 1);
	ct_protect(s, 4, 1, CT_RW);
	WR(s, P(4), 2);
	ct_protect(s, 0, 1, CT_R);
	RD(s, P(0), 2);
}

static void
alias_outlives_original(void)
{
	unsigned s = ct_space();

	ct_map(s, 0, 2, CT_RW, CT_SHARED);
	WR(s, P(1), 6);
	alias(s, 4, 0, 2, CT_RW);
	ct_unmap(s, 0, 2);
	BAD(s, P(0), CT_R, EFAULT);
	RD(s, P(5), 6);
	WR(s, P(4), 7);
	RD(s, P(4), 7);
}

static void
alias_of_hole(void)
{
	unsigned s = ct_space();
	struct ct_map m = { .va = P(4), .size = 2 * CT_PAGE, .prot = CT_RW,
		.flags = CT_FIXED | CT_ALIAS, .alias_va = P(0) };
	uint64_t va;

	ct_map(s, 0, 1, CT_RW, CT_SHARED);
	CT_TRUE(ct->map(s, &m, &va) != 0);
	LISTING(s, "0+1 rw-s");
}

static void
alias_in_child(void)
{
	unsigned p = ct_space(), c;

	ct_map(p, 0, 1, CT_RW, CT_SHARED);
	alias(p, 4, 0, 1, CT_RW);
	WR(p, P(0), 1);
	c = ct_fork(p);
	WR(c, P(4), 2);
	RD(c, P(0), 2);
	RD(p, P(0), 2);
	RD(p, P(4), 2);
}

const struct ct_case ct_fork_cases[] = {
	{ "fork_child_sees_data", child_sees_data, 0, CT_EACH_WINDOW },
	{ "fork_child_writes", child_writes, 0, CT_EACH_WINDOW },
	{ "fork_parent_writes", parent_writes, 0, CT_EACH_WINDOW },
	{ "fork_copy_reaches_readers", copy_reaches_readers, 0, 0 },
	{ "fork_grandchildren", grandchildren, 0, 0 },
	{ "fork_chain", chain_of_forks, 0, 0 },
	{ "fork_many_children", many_children, 0, 0 },
	{ "fork_last_owner_does_not_copy", last_owner_does_not_copy,
	    CT_HAS_COUNTERS, 0 },
	{ "fork_sole_survivor_does_not_copy", sole_survivor_does_not_copy,
	    CT_HAS_COUNTERS, 0 },
	{ "fork_untouched_pages", untouched_pages_are_private, 0, 0 },
	{ "fork_read_only", read_only_copy_stays_so, 0, 0 },
	{ "fork_protect_keeps_copies_apart", protect_keeps_copies_apart, 0, 0 },
	{ "fork_no_access", no_access_copies, 0, 0 },
	{ "fork_unmap_in_one", unmap_in_one, 0, 0 },
	{ "fork_discard_in_one", discard_in_one, 0, 0 },
	{ "shared_touched", shared_touched, 0, CT_EACH_WINDOW },
	{ "shared_untouched", shared_untouched, 0, 0 },
	{ "shared_outlives_owner", shared_outlives_owner, 0, 0 },
	{ "shared_split", shared_split, 0, 0 },
	{ "shared_rights_differ", shared_rights_differ, 0, 0 },
	{ "shared_two_maps_differ", two_shared_maps_differ, 0, 0 },
	{ "fork_of_mixture", fork_of_mixture, 0, CT_EACH_WINDOW },
	{ "fork_kernel_write", kernel_write_breaks_copy, 0, 0 },
	{ "alias_is_coherent", alias_is_coherent, CT_HAS_ALIAS, 0 },
	{ "alias_has_own_rights", alias_has_own_rights, CT_HAS_ALIAS, 0 },
	{ "alias_outlives_original", alias_outlives_original, CT_HAS_ALIAS, 0 },
	{ "alias_of_hole", alias_of_hole, CT_HAS_ALIAS, 0 },
	{ "alias_in_child", alias_in_child, CT_HAS_ALIAS, 0 },
	{ NULL, NULL, 0, 0 },
};
