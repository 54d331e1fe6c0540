/* SPDX-License-Identifier: MIT */
/*
 * spinlock.c - the slow half of spin locks, and their DEBUG checks.
 *
 * The fast half is inline in spinlock.h: one atomic exchange.  A waiter spins
 * on a plain load, so that the line stays shared until the holder lets go.
 */
#include "sync/spinlock.h"

void
spin_init(struct spinlock *l, enum lock_rank rank, const char *name)
{
	l->held = 0;
#ifdef DEBUG
	l->rank = (uint8_t)rank;
	l->irq = 0;
	l->owner = 0;
	l->name = name;
#else
	(void)rank, (void)name;
#endif
}

void
spin_lock_slow(struct spinlock *l)
{
	do {
		while (__atomic_load_n(&l->held, __ATOMIC_RELAXED))
			cpu_relax();
	} while (__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE));
}

bool
spin_held(const struct spinlock *l)
{
#ifdef DEBUG
	return l->held && l->owner == cpu_id() + 1;
#else
	return l->held;
#endif
}

#ifdef DEBUG
void
spin_check_before(struct spinlock *l, bool irq, bool nested)
{
	unsigned use = irq || !intr_enabled() ? 2 : 1;

	if (l->held && l->owner == cpu_id() + 1)
		panic("lock %s: taken twice by CPU %u", l->name, cpu_id());
	/* Taken in an interrupt once, then always with interrupts off: else
	 * the interrupt could find its own CPU holding it. */
	if (this_cpu()->irq_depth > 0)
		l->irq = 2;
	if (l->irq == 2 && use == 1)
		panic("lock %s: used by interrupts, taken with them on",
		    l->name);
	lockset_before(l, l->rank, l->name, nested);
}

void
spin_check_acquired(struct spinlock *l)
{
	l->owner = (uint16_t)(cpu_id() + 1);
	lockset_acquired(l, l->rank, l->name, true);
}

void
spin_check_release(struct spinlock *l)
{
	if (!l->held || l->owner != cpu_id() + 1)
		panic("lock %s: released by CPU %u, which does not hold it",
		    l->name, cpu_id());
	l->owner = 0;
	lockset_released(l);
}
#endif
