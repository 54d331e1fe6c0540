/* SPDX-License-Identifier: MIT */
/*
 * ct.c - the conformance suite's runner and its small vocabulary.
 *
 * Accesses go round all CPUs unless a case pins them (ct_on), so that every
 * case is also a test of shootdown.  Each case runs twice and the second time
 * must leave every LEVEL counter as it was: nothing leaks.
 */
#include "ct.h"

const struct ct_env *ct;
uint64_t W, WEND;

static unsigned live[CT_SPACES], nlive;
static unsigned pinned = CT_ANY, next_cpu;

const struct ct_case *const ct_lists[] = { ct_map_cases, ct_fork_cases,
	ct_al_cases, ct_error_cases, NULL };

void
ct_eq(const char *file, int line, const char *what, uint64_t got, uint64_t want)
{
	if (got != want)
		ct->fail(file, line, what, got, want);
}

static unsigned
pick_cpu(void)
{
	unsigned c = pinned != CT_ANY ? pinned : next_cpu++;

	return c % ct->ncpu;
}

void
ct_on(unsigned cpu)
{
	pinned = cpu;
}

void
ct_read(const char *file, int line, unsigned sp, uint64_t va, uint64_t want)
{
	uint64_t got = 0;
	int error = ct->access(sp, pick_cpu(), va, CT_R, &got);

	if (error != 0)
		ct->fail(file, line, "read: error", (uint64_t)error, 0);
	if (got != want)
		ct->fail(file, line, "read: value", got, want);
}

void
ct_write(const char *file, int line, unsigned sp, uint64_t va, uint64_t value)
{
	int error = ct->access(sp, pick_cpu(), va, CT_W, &value);

	if (error != 0)
		ct->fail(file, line, "write: error", (uint64_t)error, 0);
}

void
ct_bad(const char *file, int line, unsigned sp, uint64_t va, unsigned right,
    int error)
{
	uint64_t value = 0;
	int got = ct->access(sp, pick_cpu(), va, right, &value);

	if (got != error)
		ct->fail(file, line, "denied access: error", (uint64_t)got,
		    (uint64_t)error);
}

/* ---- listings ---- */

static char *
put_number(char *s, uint64_t n)
{
	char digits[20];
	unsigned i = 0;

	do {
		digits[i++] = (char)('0' + n % 10);
		n /= 10;
	} while (n != 0);
	while (i > 0)
		*s++ = digits[--i];
	return s;
}

static char *
put_row(char *s, const struct ct_map *m)
{
	if (m->size == 0)
		return s;
	s = put_number(s, (m->va - W) / CT_PAGE);
	*s++ = '+';
	s = put_number(s, m->size / CT_PAGE);
	*s++ = ' ';
	*s++ = m->prot & CT_R ? 'r' : '-';
	*s++ = m->prot & CT_W ? 'w' : '-';
	*s++ = m->prot & CT_X ? 'x' : '-';
	if (m->flags & CT_SHARED)
		*s++ = 's';
	*s++ = ' ';
	return s;
}

static bool
same_text(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b)
		a++, b++;
	return *a == *b;
}

void
ct_listing(const char *file, int line, unsigned sp, const char *text)
{
	struct ct_map row = { 0 }, m;
	char buf[1024], *s = buf;
	uint64_t va = W;

	while (va < WEND && ct->region(sp, va, &m) == 0 && m.va < WEND) {
		va = m.va + m.size;
		if (row.size != 0 && row.va + row.size == m.va &&
		    row.prot == m.prot && row.flags == m.flags) {
			row.size += m.size;
			continue;
		}
		s = put_row(s, &row);
		row = m;
	}
	s = put_row(s, &row);
	if (s > buf)
		s--;
	*s = '\0';
	if (!same_text(buf, text)) {
		ct->fail(file, line, buf, 0, 0);
	}
}

/* ---- spaces and ranges ---- */

static unsigned
add_space(unsigned sp)
{
	CT_TRUE(nlive < CT_SPACES);
	live[nlive++] = sp;
	return sp;
}

unsigned
ct_space(void)
{
	unsigned sp = 0;

	CT_OK(ct->space(&sp));
	return add_space(sp);
}

unsigned
ct_fork(unsigned sp)
{
	unsigned child = 0;

	CT_OK(ct->fork(sp, &child));
	return add_space(child);
}

void
ct_drop(unsigned sp)
{
	for (unsigned i = 0; i < nlive; i++)
		if (live[i] == sp)
			live[i] = live[--nlive];
	ct->drop(sp);
}

void
ct_map(unsigned sp, unsigned first, unsigned n, unsigned prot, unsigned flags)
{
	struct ct_map m = { .va = P(first), .size = n * CT_PAGE, .prot = prot,
		.flags = flags | CT_FIXED };
	uint64_t va = 0;

	CT_OK(ct->map(sp, &m, &va));
	CT_EQ(va, m.va);
}

void
ct_unmap(unsigned sp, unsigned first, unsigned n)
{
	CT_OK(ct->unmap(sp, P(first), n * CT_PAGE));
}

void
ct_protect(unsigned sp, unsigned first, unsigned n, unsigned prot)
{
	CT_OK(ct->protect(sp, P(first), n * CT_PAGE, prot));
}

uint64_t
ct_count(enum tern_stat_index i)
{
	return ct->counter(i);
}

/* ---- the runner ---- */

static const enum tern_stat_index leaks[] = { TS_frames_free, TS_slab_objects,
	TS_page_tables, TS_spaces, TS_regions, TS_pinned_pages };

static void
run_once(const struct ct_case *c)
{
	pinned = CT_ANY;
	next_cpu = 0;
	c->fn();
	while (nlive > 0)
		ct_drop(live[nlive - 1]);
	CT_TRUE(ct->sound());
}

void
ct_run(const struct ct_env *env, const struct ct_case *c, unsigned w)
{
	uint64_t before[sizeof(leaks) / sizeof(leaks[0])];
	unsigned i;

	ct = env;
	W = env->window[w].lo;
	WEND = env->window[w].hi;
	/* The first run fills caches that stay; the second must leave all
	 * as it was. */
	run_once(c);
	if (!(env->has & CT_HAS_COUNTERS))
		return; /* others allocate too: the environment checks leaks */
	for (i = 0; i < sizeof(leaks) / sizeof(leaks[0]); i++)
		before[i] = ct_count(leaks[i]);
	run_once(c);
	for (i = 0; i < sizeof(leaks) / sizeof(leaks[0]); i++)
		ct_eq(c->name, (int)leaks[i],
		    "leak: LEVEL counter (line = its index)",
		    ct_count(leaks[i]), before[i]);
}
