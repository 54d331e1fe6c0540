/* SPDX-License-Identifier: MIT */
/*
 * conf_error.c - conformance: exact errors, both ends of the address space,
 * wrap-around, limits, and memory running out at each allocation.
 */
#include "ct.h"

static int
try_map(unsigned s, uint64_t va, uint64_t size, unsigned flags)
{
	struct ct_map m = { .va = va, .size = size, .prot = CT_RW,
		.flags = flags };
	uint64_t out;

	return ct->map(s, &m, &out);
}

static void
bad_sizes(void)
{
	unsigned s = ct_space();

	CT_EQ(try_map(s, 0, 0, 0), EINVAL);
	CT_EQ(try_map(s, P(0), 0, CT_FIXED), EINVAL);
	CT_EQ(ct->unmap(s, P(0), 0), EINVAL);
	CT_OK(ct->protect(s, P(0), 0, CT_R));
	CT_EQ(try_map(s, 0, 1ull << 63, 0), ENOMEM);
	CT_EQ(try_map(s, 0, ct->user_hi, 0), ENOMEM);
	CT_TRUE(try_map(s, 0, ~0ull, 0) != 0);
	CT_TRUE(try_map(s, 0, ~0ull - 4095, 0) != 0);
	LISTING(s, "");
}

static void
unaligned(void)
{
	unsigned s = ct_space();

	ct_map(s, 0, 2, CT_RW, 0);
	CT_EQ(try_map(s, P(4) + 1, CT_PAGE, CT_FIXED), EINVAL);
	CT_EQ(ct->unmap(s, P(0) + 8, CT_PAGE), EINVAL);
	CT_EQ(ct->protect(s, P(0) + 1, CT_PAGE, CT_R), EINVAL);
	CT_EQ(ct->protect(s, P(0) + 1, 0, CT_R), EINVAL);
	CT_EQ(ct->discard(s, P(0) + 1, CT_PAGE), EINVAL);
	LISTING(s, "0+2 rw-");
	/* A hint is only a wish. */
	CT_OK(try_map(s, P(4) + 1, CT_PAGE, 0));
}

/* Errors of ranges that leave the user range: EINVAL; Linux's calls also say
 * ENOMEM above it and EPERM below. */
static void
refused(int error)
{
	CT_TRUE(error == EINVAL || error == ENOMEM || error == EPERM);
}

static void
wraparound(void)
{
	static const uint64_t sizes[] = { 1, CT_PAGE, 2 * CT_PAGE, 1ull << 30,
		1ull << 38, 1ull << 39, 1ull << 63, ~0ull - 4095, ~0ull };
	unsigned s = ct_space();
	uint64_t last = ct->user_hi - CT_PAGE;

	ct_map(s, 0, 1, CT_RW, 0);
	WR(s, P(0), 1);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (sizes[i] > CT_PAGE) {
			refused(try_map(s, last, sizes[i], CT_FIXED));
			refused(ct->unmap(s, last, sizes[i]));
			refused(ct->protect(s, last, sizes[i], CT_R));
			refused(ct->discard(s, last, sizes[i]));
		}
		refused(try_map(s, ct->user_hi, sizes[i], CT_FIXED));
		refused(ct->unmap(s, ct->user_hi, sizes[i]));
		refused(try_map(s, ~0ull << 12, sizes[i], CT_FIXED));
		refused(ct->unmap(s, ~0ull << 12, sizes[i]));
		refused(ct->protect(s, ~0ull << 12, sizes[i], CT_R));
		refused(try_map(s, 1ull << 63, sizes[i], CT_FIXED));
	}
	LISTING(s, "0+1 rw-");
	RD(s, P(0), 1);
}

static void
outside_user_range(void)
{
	unsigned s = ct_space();
	static const uint64_t bad[] = { 1ull << 38, 1ull << 39, 1ull << 47,
		1ull << 63, 0xffffffc000000000, 0xfffffffffffff000 };

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint64_t v = 0;

		if (bad[i] < ct->user_hi)
			continue;
		refused(try_map(s, bad[i], CT_PAGE, CT_FIXED));
		BAD(s, bad[i], CT_R, EFAULT);
		BAD(s, bad[i], CT_W, EFAULT);
		CT_EQ(ct->copyin(s, &v, bad[i], 8), EFAULT);
		CT_EQ(ct->copyout(s, bad[i], &v, 8), EFAULT);
	}
}

static void
first_and_last_page(void)
{
	unsigned s = ct_space();
	uint64_t lo = ct->window[0].lo, hi = ct->window[2].hi - CT_PAGE, v = 3;

	CT_OK(try_map(s, lo, CT_PAGE, CT_FIXED | CT_NOREPLACE));
	CT_OK(try_map(s, hi, CT_PAGE, CT_FIXED | CT_NOREPLACE));
	WR(s, lo, 1);
	WR(s, hi + CT_PAGE - 8, 2);
	RD(s, lo, 1);
	RD(s, hi + CT_PAGE - 8, 2);
	if (hi + CT_PAGE == ct->user_hi) {
		BAD(s, ct->user_hi, CT_R, EFAULT);
		CT_EQ(ct->copyout(s, ct->user_hi - 4, &v, 8), EFAULT);
	}
	if (lo == ct->user_lo && lo != 0) {
		BAD(s, lo - 8, CT_R, EFAULT);
		refused(try_map(s, lo - CT_PAGE, 2 * CT_PAGE, CT_FIXED));
	}
	CT_OK(ct->protect(s, hi, CT_PAGE, CT_R));
	BAD(s, hi, CT_W, EACCES);
	CT_OK(ct->unmap(s, hi, CT_PAGE));
	BAD(s, hi, CT_R, EFAULT);
	RD(s, lo, 1);
}

/* One operation over everything from the first to the last page. */
static void
whole_range(void)
{
	unsigned s = ct_space();
	uint64_t lo = ct->user_lo, hi = ct->user_hi;

	if (ct->window[0].lo != lo || ct->window[2].hi != hi)
		return; /* the program itself lives in between */
	ct_map(s, 0, 1, CT_RW, 0);
	WR(s, P(0), 1);
	CT_OK(try_map(s, lo, hi - lo, CT_FIXED));
	RD(s, P(0), 0);
	WR(s, lo, 1);
	WR(s, hi - 8, 2);
	CT_OK(ct->protect(s, lo, hi - lo, CT_R));
	BAD(s, lo, CT_W, EACCES);
	BAD(s, hi - 8, CT_W, EACCES);
	RD(s, hi - 8, 2);
	CT_EQ(try_map(s, 0, CT_PAGE, 0), ENOMEM);
	CT_OK(ct->unmap(s, lo, hi - lo));
	BAD(s, hi - 8, CT_R, EFAULT);
	LISTING(s, "");
}

static void
protect_hole(void)
{
	unsigned s = ct_space();

	ct_map(s, 0, 2, CT_RW, 0);
	ct_map(s, 3, 2, CT_RW, 0);
	WR(s, P(0), 1);
	CT_EQ(ct->protect(s, P(0), 5 * CT_PAGE, CT_R), ENOMEM);
	CT_EQ(ct->protect(s, P(2), CT_PAGE, CT_R), ENOMEM);
	CT_EQ(ct->protect(s, P(4), 2 * CT_PAGE, CT_R), ENOMEM);
	RD(s, P(0), 1);
	CT_OK(ct->protect(s, P(3), 2 * CT_PAGE, CT_R));
	BAD(s, P(3), CT_W, EACCES);
}

/* What fails changes nothing: here all designs are stricter than POSIX. */
static void
protect_hole_changes_nothing(void)
{
	unsigned s = ct_space();

	ct_map(s, 0, 2, CT_RW, 0);
	WR(s, P(0), 1);
	CT_EQ(ct->protect(s, P(0), 3 * CT_PAGE, CT_R), ENOMEM);
	LISTING(s, "0+2 rw-");
	WR(s, P(0), 2);
}

static void
discard_hole(void)
{
	unsigned s = ct_space();

	ct_map(s, 0, 2, CT_RW, 0);
	CT_EQ(ct->discard(s, P(0), 3 * CT_PAGE), ENOMEM);
	CT_EQ(ct->discard(s, P(5), CT_PAGE), ENOMEM);
}

static void
max_rights(void)
{
	unsigned s = ct_space();
	struct ct_map m = { .va = P(0), .size = 2 * CT_PAGE, .prot = CT_R,
		.maxprot = CT_RX, .flags = CT_FIXED };
	uint64_t va;

	CT_OK(ct->map(s, &m, &va));
	CT_EQ(ct->protect(s, P(0), CT_PAGE, CT_RW), EACCES);
	LISTING(s, "0+2 r--");
	CT_OK(ct->protect(s, P(0), CT_PAGE, CT_RX));
	LISTING(s, "0+1 r-x 1+1 r--");
	m.prot = CT_RW;
	CT_EQ(ct->map(s, &m, &va), EACCES);
	/* A neighbour that would be allowed does not change either. */
	ct_map(s, 2, 1, CT_R, 0);
	CT_EQ(ct->protect(s, P(0), 3 * CT_PAGE, CT_RW), EACCES);
	BAD(s, P(2), CT_W, EACCES);
}

static void
limit(void)
{
	unsigned s = ct_space();

	CT_OK(ct->limit(s, 8 * CT_PAGE));
	CT_OK(try_map(s, P(0), 6 * CT_PAGE, CT_FIXED));
	CT_EQ(try_map(s, P(10), 3 * CT_PAGE, CT_FIXED), ENOMEM);
	CT_OK(try_map(s, P(10), 2 * CT_PAGE, CT_FIXED));
	CT_EQ(try_map(s, 0, CT_PAGE, 0), ENOMEM);
	/* Replacing does not count twice; unmapping gives room. */
	CT_OK(try_map(s, P(0), 6 * CT_PAGE, CT_FIXED));
	ct_unmap(s, 0, 1);
	CT_OK(try_map(s, 0, CT_PAGE, 0));
}

/* ---- memory runs out ---- */

/* One step that allocates; 0, or an error that must be ENOMEM. */
struct oom_step {
	void (*prepare)(unsigned s);
	int (*step)(unsigned s);
	void (*after)(unsigned s);
};

/*
 * Fail the first allocation of the step, then the second, ... until none is
 * left to fail.  After each failure the space must be as before, and the step
 * must work when there is memory.
 */
static void
sweep(const struct oom_step *o)
{
	for (unsigned n = 1; n < 200; n++) {
		unsigned s = ct_space();
		bool failed;
		int error;

		o->prepare(s);
		CT_TRUE(!ct->failat(n));
		error = o->step(s);
		failed = ct->failat(0);
		CT_TRUE(ct->sound());
		if (error != 0) {
			CT_EQ(error, ENOMEM);
			CT_TRUE(failed);
			CT_OK(o->step(s));
		}
		o->after(s);
		ct_drop(s);
		if (!failed)
			return;
	}
	CT_TRUE(false); /* it never ends */
}

static void
prepare_nothing(unsigned s)
{
	(void)s;
}

static void
prepare_pages(unsigned s)
{
	ct_map(s, 0, 9, CT_RW, 0);
	for (unsigned i = 0; i < 9; i++)
		WR(s, P(i), i + 1);
}

static void
pages_are_there(unsigned s)
{
	for (unsigned i = 0; i < 9; i++)
		if (i < 3 || i > 5)
			RD(s, P(i), i + 1);
}

static int
step_map(unsigned s)
{
	return try_map(s, P(0), 4 * CT_PAGE, CT_FIXED);
}

static int
step_map_shared(unsigned s)
{
	return try_map(s, P(0), 4 * CT_PAGE, CT_FIXED | CT_SHARED);
}

static void
use_pages(unsigned s)
{
	for (unsigned i = 0; i < 4; i++)
		WR(s, P(i), i);
	for (unsigned i = 0; i < 4; i++)
		RD(s, P(i), i);
}

static int
step_replace(unsigned s)
{
	return try_map(s, P(3), 3 * CT_PAGE, CT_FIXED);
}

static int
step_unmap(unsigned s)
{
	return ct->unmap(s, P(3), 3 * CT_PAGE);
}

static int
step_protect(unsigned s)
{
	return ct->protect(s, P(3), 3 * CT_PAGE, CT_R);
}

static int
step_touch(unsigned s)
{
	uint64_t v = 5;
	int error = ct->access(s, 0, P(100), CT_W, &v);

	return error;
}

static void
prepare_untouched(unsigned s)
{
	prepare_pages(s);
	ct_map(s, 100, 1, CT_RW, 0);
}

static int
step_copyout(unsigned s)
{
	uint64_t v = 5;
	int error = ct->copyout(s, P(100), &v, 8);

	return error == EFAULT ? ENOMEM : error;
}

static int
step_al(unsigned s)
{
	struct ct_pageop op = { P(3), 3, CT_R };
	int error = ct->al_region(s, P(0), 9 * CT_PAGE);

	if (error != 0 && error != EEXIST)
		return error;
	return ct->al_prot(s, &op, 1);
}

static void
oom_ranges(void)
{
	static const struct oom_step steps[] = {
		{ prepare_nothing, step_map, use_pages },
		{ prepare_nothing, step_map_shared, use_pages },
		{ prepare_pages, step_replace, pages_are_there },
		{ prepare_pages, step_unmap, pages_are_there },
		{ prepare_pages, step_protect, pages_are_there },
		{ prepare_untouched, step_touch, pages_are_there },
		{ prepare_untouched, step_copyout, pages_are_there },
		{ prepare_pages, step_al, pages_are_there },
	};

	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		sweep(&steps[i]);
}

static void
oom_space(void)
{
	for (unsigned n = 1; n < 200; n++) {
		unsigned s = 0;
		int error;

		CT_TRUE(!ct->failat(n));
		error = ct->space(&s);
		if (!ct->failat(0)) {
			CT_OK(error);
			ct->drop(s);
			return;
		}
		CT_TRUE(ct->sound());
		if (error == 0)
			ct->drop(s);
		else
			CT_EQ(error, ENOMEM);
	}
	CT_TRUE(false);
}

/* All or nothing: no child, and the parent has what it had. */
static void
oom_fork(void)
{
	unsigned p = ct_space(), failures = 0;

	ct_map(p, 0, 4, CT_RW, 0);
	ct_map(p, 5, 2, CT_RW, CT_SHARED);
	ct_map(p, 100, 20, CT_RW, 0);
	CT_OK(ct->al_region(p, P(0), 4 * CT_PAGE));
	WR(p, P(5), 1);
	for (unsigned n = 1; n < 300; n++) {
		unsigned c = 0;
		bool failed;
		int error;

		for (unsigned i = 0; i < 4; i++)
			WR(p, P(i), n + i);
		WR(p, P(110), n);
		CT_TRUE(!ct->failat(n));
		error = ct->fork(p, &c);
		failed = ct->failat(0);
		CT_TRUE(ct->sound());
		for (unsigned i = 0; i < 4; i++) {
			RD(p, P(i), n + i);
			WR(p, P(i), 1);
		}
		if (error == 0) {
			RD(c, P(0), n);
			RD(c, P(3), n + 3);
			RD(c, P(110), n);
			ct->drop(c);
		} else {
			CT_EQ(error, ENOMEM);
			CT_TRUE(failed);
			failures++;
		}
		if (!failed) {
			CT_TRUE(failures > 0);
			return;
		}
	}
	CT_TRUE(false);
}

/* A copy-on-write fault without memory: the access works when there is some,
 * and both sides keep their data. */
static void
oom_copy(void)
{
	for (unsigned n = 1; n < 50; n++) {
		unsigned p = ct_space(), c;
		uint64_t v = 2;
		bool failed;
		int error;

		ct_map(p, 0, 1, CT_RW, 0);
		WR(p, P(0), 1);
		c = ct_fork(p);
		CT_TRUE(!ct->failat(n));
		error = ct->access(c, 0, P(0), CT_W, &v);
		failed = ct->failat(0);
		CT_TRUE(ct->sound());
		CT_TRUE(error == 0 || error == ENOMEM);
		RD(p, P(0), 1);
		WR(c, P(0), 2);
		RD(p, P(0), 1);
		ct_drop(c);
		ct_drop(p);
		if (!failed)
			return;
	}
	CT_TRUE(false);
}

const struct ct_case ct_error_cases[] = {
	{ "err_bad_sizes", bad_sizes, 0, 0 },
	{ "err_unaligned", unaligned, 0, 0 },
	{ "err_wraparound", wraparound, 0, 0 },
	{ "err_outside_user_range", outside_user_range, 0, 0 },
	{ "ends_first_and_last_page", first_and_last_page, 0, 0 },
	{ "ends_whole_range", whole_range, 0, 0 },
	{ "err_protect_hole", protect_hole, 0, 0 },
	{ "err_protect_hole_atomic", protect_hole_changes_nothing, 0, 0 },
	{ "err_discard_hole", discard_hole, 0, 0 },
	{ "err_max_rights", max_rights, CT_HAS_MAXPROT, 0 },
	{ "err_limit", limit, CT_HAS_LIMIT, 0 },
	{ "oom_ranges", oom_ranges, CT_HAS_FAILAT, CT_EACH_WINDOW },
	{ "oom_space", oom_space, CT_HAS_FAILAT, 0 },
	{ "oom_fork", oom_fork, CT_HAS_FAILAT, 0 },
	{ "oom_copy", oom_copy, CT_HAS_FAILAT, 0 },
	{ NULL, NULL, 0, 0 },
};
