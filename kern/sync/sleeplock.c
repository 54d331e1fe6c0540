/* SPDX-License-Identifier: MIT */
/*
 * sleeplock.c - shared/exclusive sleep locks.
 *
 * state counts shared holders, or is SLEEPLOCK_EXCLUSIVE.  The fast paths are
 * one compare-and-swap.  A waiter samples the queue's sequence before it tries
 * again, so that a release in between is not lost.
 */
#include "sync/sleeplock.h"

void
sleeplock_init(struct sleeplock *l, enum lock_rank rank, const char *name)
{
	l->state = 0;
	l->exclusive_waiting = 0;
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
	lockset_acquired(l, l->rank, l->name);
#else
	(void)l, (void)exclusive;
#endif
}

static bool
try_exclusive(struct sleeplock *l)
{
	uint32_t free = 0;

	return __atomic_compare_exchange_n(&l->state, &free,
	    SLEEPLOCK_EXCLUSIVE, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static bool
try_shared(struct sleeplock *l)
{
	uint32_t s = __atomic_load_n(&l->state, __ATOMIC_RELAXED);

	if (__atomic_load_n(&l->exclusive_waiting, __ATOMIC_RELAXED) != 0)
		return false;
	while (s != SLEEPLOCK_EXCLUSIVE)
		if (__atomic_compare_exchange_n(&l->state, &s, s + 1, false,
			__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
	return false;
}

static void
lock_exclusive(struct sleeplock *l, bool nested)
{
	check_before(l, nested);
	if (unlikely(!try_exclusive(l))) {
		__atomic_fetch_add(&l->exclusive_waiting, 1, __ATOMIC_SEQ_CST);
		for (;;) {
			uint32_t seq = waitq_sequence(&l->wq);

			if (try_exclusive(l))
				break;
			(void)waitq_wait(&l->wq, seq, WAIT_FOREVER,
			    DEADLINE_NONE);
		}
		__atomic_fetch_sub(&l->exclusive_waiting, 1, __ATOMIC_SEQ_CST);
	}
	note_acquired(l, true);
}

void
sleep_lock(struct sleeplock *l)
{
	lock_exclusive(l, false);
}

void
sleep_lock_nested(struct sleeplock *l)
{
	lock_exclusive(l, true);
}

bool
sleep_trylock(struct sleeplock *l)
{
	if (!try_exclusive(l))
		return false;
	note_acquired(l, true);
	return true;
}

void
sleep_unlock(struct sleeplock *l)
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
sleep_lock_shared(struct sleeplock *l)
{
	check_before(l, false);
	while (unlikely(!try_shared(l))) {
		uint32_t seq = waitq_sequence(&l->wq);

		if (try_shared(l))
			break;
		(void)waitq_wait(&l->wq, seq, WAIT_FOREVER, DEADLINE_NONE);
	}
	note_acquired(l, false);
}

bool
sleep_trylock_shared(struct sleeplock *l)
{
	if (!try_shared(l))
		return false;
	note_acquired(l, false);
	return true;
}

void
sleep_unlock_shared(struct sleeplock *l)
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
