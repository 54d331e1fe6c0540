/* SPDX-License-Identifier: MIT */
/**
 * @file pd_policy.h
 * Page replacement: which resident page goes next; one struct of functions a
 * policy, the same code in the kernel and in the host's simulator.
 *
 * A policy knows pages by struct pd_page and asks for their reference and
 * modify bits through the set it works on, so it does not care whether a page
 * table or a reference string is behind them.
 * Locks: the caller's; a set is used by one CPU at a time.
 * Sources: Corbato 1968 (CLOCK); Belady, Nelson, Shedler 1969 (the anomaly);
 * Denning 1968 (working set); Draves 1991 (active and inactive queues).
 */
#ifndef VM_PD_POLICY_H
#define VM_PD_POLICY_H

#include "lib/list.h"

/** One resident page. */
struct pd_page {
	struct list link;  /* in a queue of its set */
	uint64_t last;	   /* working set: virtual time of the last use */
	uint8_t age;	   /* aging: bits of the last ticks */
	bool inactive;	   /* active and inactive queues */
};

#define PD_REFERENCED 1u
#define PD_MODIFIED   2u

/** The pages that compete, and where their bits come from. */
struct pd_set {
	const struct pd_policy *policy;
	struct list queue;    /* in order of arrival, or as the policy says */
	struct list inactive; /* second queue */
	size_t npages, ninactive;
	uint64_t now;	      /* virtual time: ticks */
	uint64_t window;      /* working set: pages unused so long may go */
	/** PD_* of a page; then takes away @p clear. */
	unsigned (*bits)(struct pd_page *, unsigned clear, void *arg);
	void *arg;
};

struct pd_policy {
	const char *name;
	/** The page has become resident. */
	void (*insert)(struct pd_set *, struct pd_page *);
	/** The next page to go; it leaves the set. @pre the set is not empty */
	struct pd_page *(*victim)(struct pd_set *);
	/** Now and then, by a clock; NULL: nothing to do. */
	void (*tick)(struct pd_set *);
	/** At each single reference: only a simulator can do that; NULL. */
	void (*touch)(struct pd_set *, struct pd_page *);
};

void pd_set_init(struct pd_set *, const struct pd_policy *);
void pd_insert(struct pd_set *, struct pd_page *);
struct pd_page *pd_victim(struct pd_set *);
/** The page goes for another reason. */
void pd_remove(struct pd_set *, struct pd_page *);
void pd_tick(struct pd_set *);
static inline void
pd_touch(struct pd_set *s, struct pd_page *p)
{
	if (s->policy->touch != NULL)
		s->policy->touch(s, p);
}

/** fifo, second, clock, nru, lru (exact), aging, ws, mach; NULL. */
const struct pd_policy *pd_policy_find(const char *name);
extern const struct pd_policy *const pd_policies[]; /* ends with NULL */

#endif
