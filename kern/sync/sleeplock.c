/* SPDX-License-Identifier: MIT */
/*
 * sleeplock.c - the ways of sleep locks that wait, wake or check.
 *
 * Who meets nobody passes in sleeplock.h with one atomic instruction.
 * Invariant: a waiter adds itself to the word, samples the queue's sequence,
 * and only then tries; a release takes the holder out of the same word and
 * wakes if it saw a waiter.  The word orders the two: either the waiter finds
 * the lock free, or the release finds the waiter.  So no wake-up is lost.
 */
#include "sync/sleeplock.h"

void
sleeplock_init(struct sleeplock *l, enum lock_rank rank, const char *name)
{
	l->state = 0;
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

/* Become a holder if none of @p others is in the word; @p leave is what this
 * thread has in it now. */
static bool
try_enter(struct sleeplock *l, uint64_t others, uint64_t leave, uint64_t enter)
{
	uint64_t s = __atomic_load_n(&l->state, __ATOMIC_RELAXED);

	while ((s & others) == 0)
		if (__atomic_compare_exchange_n(&l->state, &s,
			s - leave + enter, false, __ATOMIC_ACQUIRE,
			__ATOMIC_RELAXED))
			return true;
	return false;
}

#define HOLDERS (SLEEPLOCK_EXCLUSIVE | (SLEEPLOCK_SHARED_WAIT - 1))
/* Exclusive waiters keep new shared holders out, so that writers go on. */
#define BEFORE_SHARED (SLEEPLOCK_EXCLUSIVE | \
    (SLEEPLOCK_EXCLUSIVE - SLEEPLOCK_EXCL_WAIT))

/* Count ourselves as a waiter, then try and sleep until it works. */
static void
wait_for(struct sleeplock *l, uint64_t others, uint64_t waiter, uint64_t holder)
{
	__atomic_fetch_add(&l->state, waiter, __ATOMIC_SEQ_CST);
	for (;;) {
		uint32_t seq = waitq_sequence(&l->wq);

		if (try_enter(l, others, waiter, holder))
			break;
		(void)waitq_wait(&l->wq, seq, WAIT_FOREVER, DEADLINE_NONE);
	}
}

void
sleep_wake(struct sleeplock *l)
{
	waitq_wake_all(&l->wq);
}

void
sleep_lock_slow(struct sleeplock *l, bool nested)
{
	check_before(l, nested);
	if (!try_enter(l, ~(uint64_t)0, 0, SLEEPLOCK_EXCLUSIVE))
		wait_for(l, HOLDERS, SLEEPLOCK_EXCL_WAIT, SLEEPLOCK_EXCLUSIVE);
	note_acquired(l, true);
}

void
sleep_lock_shared_slow(struct sleeplock *l, bool counted)
{
	check_before(l, false);
	if (counted && __atomic_fetch_sub(&l->state, SLEEPLOCK_SHARED,
		__ATOMIC_RELEASE) >= SLEEPLOCK_SHARED_WAIT)
		sleep_wake(l); /* somebody may have seen us as a holder */
	if (!try_enter(l, BEFORE_SHARED, 0, SLEEPLOCK_SHARED))
		wait_for(l, BEFORE_SHARED, SLEEPLOCK_SHARED_WAIT,
		    SLEEPLOCK_SHARED);
	note_acquired(l, false);
}

bool
sleep_trylock(struct sleeplock *l)
{
	if (!try_enter(l, ~(uint64_t)0, 0, SLEEPLOCK_EXCLUSIVE))
		return false;
	note_acquired(l, true);
	return true;
}

bool
sleep_trylock_shared(struct sleeplock *l)
{
	if (!try_enter(l, BEFORE_SHARED, 0, SLEEPLOCK_SHARED))
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
	if (__atomic_fetch_sub(&l->state, SLEEPLOCK_EXCLUSIVE,
		__ATOMIC_RELEASE) != SLEEPLOCK_EXCLUSIVE)
		sleep_wake(l);
}

void
sleep_unlock_shared_slow(struct sleeplock *l)
{
#ifdef DEBUG
	lockset_released(l);
#endif
	KASSERT((l->state & (SLEEPLOCK_SHARED_WAIT - 1)) != 0);
	if (__atomic_fetch_sub(&l->state, SLEEPLOCK_SHARED,
		__ATOMIC_RELEASE) >= SLEEPLOCK_SHARED_WAIT)
		sleep_wake(l);
}

bool
sleep_held_exclusive(const struct sleeplock *l)
{
#ifdef DEBUG
	return __atomic_load_n(&l->owner, __ATOMIC_RELAXED) ==
	    this_cpu()->thread;
#else
	return (l->state & SLEEPLOCK_EXCLUSIVE) != 0;
#endif
}

bool
sleep_held(const struct sleeplock *l)
{
	return (__atomic_load_n(&l->state, __ATOMIC_RELAXED) & HOLDERS) != 0;
}
