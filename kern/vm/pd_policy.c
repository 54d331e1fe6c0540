/* SPDX-License-Identifier: MIT */
/*
 * pd_policy.c - the replacement policies.
 *
 *	fifo	the oldest
 *	second	the oldest, but a referenced one is sent to the end once more
 *	clock	the same with a hand instead of moving: the same victims
 *	nru	the oldest of the lowest class (referenced, modified)
 *	lru	the one whose last use is longest ago; exact, for a simulator
 *	aging	the oldest of those with the smallest history of eight ticks
 *	ws	the first that was not used within the window, else the one
 *		whose last use is longest ago
 *	mach	two queues: from the active end pages become inactive and lose
 *		R; an inactive one that was used since is active again
 * Path: the page-out daemon, or vm/test/unit_pd.c -> HERE -> set->bits.
 */
#include "vm/pd_policy.h"

#include "lib/panic.h"
#include "lib/string.h"

static struct pd_page *
page_of(struct list *l)
{
	return LIST_ENTRY(l, struct pd_page, link);
}

static struct pd_page *
oldest(struct pd_set *s)
{
	return page_of(s->queue.next);
}

static bool
used(struct pd_set *s, struct pd_page *p, unsigned clear)
{
	return (s->bits(p, clear, s->arg) & PD_REFERENCED) != 0;
}

static void
to_end(struct list *queue, struct pd_page *p)
{
	list_remove(&p->link);
	list_push_back(queue, &p->link);
}

static void
insert_last(struct pd_set *s, struct pd_page *p)
{
	list_push_back(&s->queue, &p->link);
}

/* ---- FIFO, second chance, CLOCK ---- */

static struct pd_page *
second_victim(struct pd_set *s)
{
	while (used(s, oldest(s), PD_REFERENCED))
		to_end(&s->queue, oldest(s));
	return oldest(s);
}

/* The head of the list is the hand: it moves, the pages stay in place.  New
 * pages come behind it, where it arrives last. */
static struct pd_page *
clock_victim(struct pd_set *s)
{
	struct list *hand = &s->queue, *next;

	while (used(s, page_of(hand->next), PD_REFERENCED)) {
		next = hand->next;
		list_remove(hand);
		list_insert_after(next, hand);
	}
	return page_of(hand->next);
}

/* ---- NRU ---- */

static struct pd_page *
nru_victim(struct pd_set *s)
{
	struct pd_page *best = NULL;
	unsigned lowest = 4;

	LIST_FOREACH(l, &s->queue) {
		unsigned bits = s->bits(page_of(l), 0, s->arg);
		unsigned class = (bits & PD_REFERENCED ? 2 : 0) +
		    (bits & PD_MODIFIED ? 1 : 0);

		if (class < lowest) {
			lowest = class;
			best = page_of(l);
		}
	}
	return best;
}

static void
nru_tick(struct pd_set *s)
{
	LIST_FOREACH(l, &s->queue)
		(void)s->bits(page_of(l), PD_REFERENCED, s->arg);
}

/* ---- LRU, exact and by aging ---- */

static void
lru_touch(struct pd_set *s, struct pd_page *p)
{
	to_end(&s->queue, p);
}

static void
aging_tick(struct pd_set *s)
{
	LIST_FOREACH(l, &s->queue) {
		struct pd_page *p = page_of(l);

		p->age = (uint8_t)(p->age >> 1 |
		    (used(s, p, PD_REFERENCED) ? 0x80 : 0));
	}
}

static struct pd_page *
aging_victim(struct pd_set *s)
{
	struct pd_page *best = oldest(s);

	LIST_FOREACH(l, &s->queue)
		if (page_of(l)->age < best->age)
			best = page_of(l);
	return best;
}

static void
aging_insert(struct pd_set *s, struct pd_page *p)
{
	p->age = 0x80; /* used just now */
	insert_last(s, p);
}

/* ---- working set ---- */

static void
ws_insert(struct pd_set *s, struct pd_page *p)
{
	p->last = s->now;
	insert_last(s, p);
}

static void
ws_tick(struct pd_set *s)
{
	LIST_FOREACH(l, &s->queue)
		if (used(s, page_of(l), PD_REFERENCED))
			page_of(l)->last = s->now;
}

static struct pd_page *
ws_victim(struct pd_set *s)
{
	struct pd_page *best = NULL;

	LIST_FOREACH(l, &s->queue) {
		struct pd_page *p = page_of(l);

		if (used(s, p, PD_REFERENCED))
			p->last = s->now;
		if (s->now - p->last > s->window)
			return p;
		if (best == NULL || p->last < best->last)
			best = p;
	}
	return best;
}

/* ---- Mach: active and inactive queues ---- */

static void
mach_deactivate(struct pd_set *s)
{
	/* A third is inactive, so that each gets a second chance. */
	while (s->ninactive < (s->npages + 2) / 3 && !list_empty(&s->queue)) {
		struct pd_page *p = oldest(s);

		(void)s->bits(p, PD_REFERENCED, s->arg);
		to_end(&s->inactive, p);
		p->inactive = true;
		s->ninactive++;
	}
}

/* Early, so that there is time to be used again before the end. */
static void
mach_insert(struct pd_set *s, struct pd_page *p)
{
	insert_last(s, p);
	mach_deactivate(s);
}

static struct pd_page *
mach_victim(struct pd_set *s)
{
	for (;;) {
		struct pd_page *p;

		if (list_empty(&s->inactive))
			mach_deactivate(s);
		p = page_of(s->inactive.next);
		if (!used(s, p, PD_REFERENCED))
			return p;
		to_end(&s->queue, p); /* reactivated */
		p->inactive = false;
		s->ninactive--;
	}
}

/* ---- the set ---- */

void
pd_set_init(struct pd_set *s, const struct pd_policy *policy)
{
	memset(s, 0, sizeof(*s));
	s->policy = policy;
	list_init(&s->queue);
	list_init(&s->inactive);
}

void
pd_insert(struct pd_set *s, struct pd_page *p)
{
	memset(p, 0, sizeof(*p));
	s->npages++;
	s->policy->insert(s, p);
}

void
pd_remove(struct pd_set *s, struct pd_page *p)
{
	list_remove(&p->link);
	s->npages--;
	if (p->inactive)
		s->ninactive--;
}

struct pd_page *
pd_victim(struct pd_set *s)
{
	struct pd_page *p;

	KASSERT(s->npages > 0);
	p = s->policy->victim(s);
	pd_remove(s, p);
	return p;
}

void
pd_tick(struct pd_set *s)
{
	s->now++;
	if (s->policy->tick != NULL)
		s->policy->tick(s);
}

static const struct pd_policy fifo = { "fifo", insert_last, oldest, NULL,
	NULL };
static const struct pd_policy second = { "second", insert_last, second_victim,
	NULL, NULL };
static const struct pd_policy clock = { "clock", insert_last, clock_victim,
	NULL, NULL };
static const struct pd_policy nru = { "nru", insert_last, nru_victim, nru_tick,
	NULL };
static const struct pd_policy lru = { "lru", insert_last, oldest, NULL,
	lru_touch };
static const struct pd_policy aging = { "aging", aging_insert, aging_victim,
	aging_tick, NULL };
static const struct pd_policy ws = { "ws", ws_insert, ws_victim, ws_tick,
	NULL };
static const struct pd_policy mach = { "mach", mach_insert, mach_victim, NULL,
	NULL };

const struct pd_policy *const pd_policies[] = { &fifo, &second, &clock, &nru,
	&lru, &aging, &ws, &mach, NULL };

const struct pd_policy *
pd_policy_find(const char *name)
{
	for (unsigned i = 0; pd_policies[i] != NULL; i++)
		if (strcmp(pd_policies[i]->name, name) == 0)
			return pd_policies[i];
	return NULL;
}
