/* SPDX-License-Identifier: MIT */
/*
 * lockset.c - lock-order checking of DEBUG builds.
 *
 * The rule is in rank.h: take a lock only if its rank is above all that are
 * held.  Checking the order on every acquisition finds possible deadlocks on
 * the first run that takes both locks, not only when two CPUs collide.
 */
#include "sync/lockset.h"

#include "arch/cpu.h"
#include "lib/panic.h"
#include "sync/rank.h"

#ifdef DEBUG
void
lockset_before(const void *l, unsigned rank, const char *name, bool nested)
{
	const struct lockset *set = this_cpu()->locks;

	if (set == NULL || rank == RANK_NONE)
		return;
	for (unsigned i = 0; i < set->n; i++) {
		if (set->held[i].lock == l)
			panic("lock %s: taken twice", name);
		if (set->held[i].rank > rank ||
		    (set->held[i].rank == rank && !nested))
			panic("lock order: %s (rank %u) wanted, %s (rank %u) "
			      "held",
			    name, rank, set->held[i].name, set->held[i].rank);
	}
}

void
lockset_acquired(const void *l, unsigned rank, const char *name, bool spin)
{
	struct lockset *set = this_cpu()->locks;

	if (set == NULL)
		return;
	if (set->n == LOCKSET_MAX)
		panic("lock %s: more than %u locks held", name, LOCKSET_MAX);
	set->held[set->n].lock = l;
	set->held[set->n].rank = rank;
	set->held[set->n].name = name;
	set->held[set->n].spin = spin;
	set->n++;
}

void
lockset_released(const void *l)
{
	struct lockset *set = this_cpu()->locks;

	if (set == NULL)
		return;
	for (unsigned i = set->n; i-- > 0;) {
		if (set->held[i].lock != l)
			continue;
		/* Usually the last one; keep the order of the others. */
		for (set->n--; i < set->n; i++)
			set->held[i] = set->held[i + 1];
		return;
	}
}

void
lockset_assert_none(const char *what, bool spin_only)
{
	const struct lockset *set = this_cpu()->locks;

	if (set == NULL)
		return;
	for (unsigned i = 0; i < set->n; i++)
		if (!spin_only || set->held[i].spin)
			panic("%s with lock %s held", what, set->held[i].name);
}

void
lockset_assert_below(unsigned rank, const char *what)
{
	const struct lockset *set = this_cpu()->locks;

	if (set == NULL)
		return;
	for (unsigned i = 0; i < set->n; i++)
		if (set->held[i].rank >= rank)
			panic("%s with lock %s held", what, set->held[i].name);
}
#endif
