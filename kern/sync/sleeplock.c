/* SPDX-License-Identifier: MIT */
/*
 * sleeplock.c - the ways of sleep locks that wait or check.
 *
 * state counts shared holders, or is SLEEPLOCK_EXCLUSIVE; the fast paths, one
 * compare-and-swap each, are in sleeplock.h.
 * Invariant: a waiter counts itself in waiting, samples the queue's sequence,
 * and only then tries again.  A releaser stores the state, then looks at
 * waiting: one of the two sees the other, so no wake-up is lost.
 */
#include "sync/sleeplock.h"

void
sleeplock_init(struct sleeplock *l, enum lock_rank rank, const char *name)
{
	l->state = 0;
	l->waiting = 0;
	waitq_init(&l->wq, name);
#ifdef DEBUG
	l->rank = (uint8_t)rank;
	l->name = name;
	l->owner = NULL;
#else
	(void)rank;
#endif
}

static void
check_before(struct sleeplock *l, bool nested)
{
#ifdef DEBUG
	lockset_assert_none(l->name, true);
	lockset_before(l, l->rank, l->name, nested);
#else
	(void)l, (void)nested;
#endif
}

static void
note_acquired(struct sleeplock *l, bool exclusive)
{
#ifdef DEBUG
	if (exclusive)
		__atomic_store_n(&l->owner, this_cpu()->thread,
		    __ATOMIC_RELAXED);
	lockset_acquired(l, l->rank, l->name, false);
#else
	(void)l, (void)exclusive;
#endif
}

#define ONE_EXCLUSIVE 0x10000u
#define ONE_SHARED    1u

/* Count ourselves, then try and sleep until it works. */
static void
wait_for(struct sleeplock *l, uint32_t one)
{
	__atomic_fetch_add(&l->waiting, one, __ATOMIC_SEQ_CST);
	for (;;) {
		uint32_t seq = waitq_sequence(&l->wq);

		if (one == ONE_EXCLUSIVE ? sleep_try_exclusive(l) :
					   sleep_try_shared(l))
			break;
		(void)waitq_wait(&l->wq, seq, WAIT_FOREVER, DEADLINE_NONE);
	}
	__atomic_fetch_sub(&l->waiting, one, __ATOMIC_SEQ_CST);
}

void
sleep_lock_slow(struct sleeplock *l, bool nested)
{
	check_before(l, nested);
	if (!sleep_try_exclusive(l))
		wait_for(l, ONE_EXCLUSIVE);
	note_acquired(l, true);
}

void
sleep_lock_shared_slow(struct sleeplock *l)
{
	check_before(l, false);
	if (!sleep_try_shared(l))
		wait_for(l, ONE_SHARED);
	note_acquired(l, false);
}

bool
sleep_trylock(struct sleeplock *l)
{
	if (!sleep_try_exclusive(l))
		return false;
	note_acquired(l, true);
	return true;
}

bool
sleep_trylock_shared(struct sleeplock *l)
{
	if (!sleep_try_shared(l))
		return false;
	note_acquired(l, false);
	return true;
}

void
sleep_unlock_slow(struct sleeplock *l)
{
	KASSERT(sleep_held_exclusive(l));
#ifdef DEBUG
	__atomic_store_n(&l->owner, NULL, __ATOMIC_RELAXED);
	lockset_released(l);
#endif
	__atomic_store_n(&l->state, 0, __ATOMIC_SEQ_CST);
	waitq_wake_all(&l->wq);
}

void
sleep_unlock_shared_slow(struct sleeplock *l)
{
#ifdef DEBUG
	lockset_released(l);
#endif
	KASSERT(l->state != 0 && l->state != SLEEPLOCK_EXCLUSIVE);
	if (__atomic_fetch_sub(&l->state, 1, __ATOMIC_SEQ_CST) == 1)
		waitq_wake_all(&l->wq);
}

bool
sleep_held_exclusive(const struct sleeplock *l)
{
#ifdef DEBUG
	return __atomic_load_n(&l->owner, __ATOMIC_RELAXED) ==
	    this_cpu()->thread;
#else
	return l->state == SLEEPLOCK_EXCLUSIVE;
#endif
}

bool
sleep_held(const struct sleeplock *l)
{
	return __atomic_load_n(&l->state, __ATOMIC_RELAXED) != 0;
}
