/* SPDX-License-Identifier: MIT */
/**
 * @file sleeplock.h
 * Shared/exclusive locks whose waiters sleep.
 *
 * An exclusive waiter keeps new shared holders out, so writers do not starve;
 * therefore a thread must not take the same lock shared twice.
 */
#ifndef SYNC_SLEEPLOCK_H
#define SYNC_SLEEPLOCK_H

#include "sync/waitq.h"

struct sleeplock {
	uint32_t state;	  /* [a] holders: n shared, or SLEEPLOCK_EXCLUSIVE */
	uint32_t waiting; /* [a] shared waiters, and exclusive ones << 16 */
	struct waitq wq;
#ifdef DEBUG
	uint8_t rank;
	const char *name;
	struct thread *owner; /* exclusive holder */
#endif
};

#define SLEEPLOCK_EXCLUSIVE 0x80000000u

void sleeplock_init(struct sleeplock *, enum lock_rank, const char *name);

/* The ways that wait, or check (DEBUG); sleeplock.c. */
void sleep_lock_slow(struct sleeplock *, bool nested);
void sleep_lock_shared_slow(struct sleeplock *);
void sleep_unlock_slow(struct sleeplock *);
void sleep_unlock_shared_slow(struct sleeplock *);

static __always_inline bool
sleep_try_exclusive(struct sleeplock *l)
{
	uint32_t unheld = 0;

	return __atomic_compare_exchange_n(&l->state, &unheld,
	    SLEEPLOCK_EXCLUSIVE, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/** Fails while an exclusive waiter is there, so that writers do not starve. */
static __always_inline bool
sleep_try_shared(struct sleeplock *l)
{
	uint32_t s = __atomic_load_n(&l->state, __ATOMIC_RELAXED);

	if (__atomic_load_n(&l->waiting, __ATOMIC_RELAXED) >> 16 != 0)
		return false;
	while (s != SLEEPLOCK_EXCLUSIVE)
		if (__atomic_compare_exchange_n(&l->state, &s, s + 1, false,
			__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
	return false;
}

#ifdef DEBUG
#define SLEEPLOCK_CHECKED true
#else
#define SLEEPLOCK_CHECKED false
#endif

/** Exclusive. @pre no spin lock held, interrupts on */
static inline void
sleep_lock(struct sleeplock *l)
{
	if (SLEEPLOCK_CHECKED || unlikely(!sleep_try_exclusive(l)))
		sleep_lock_slow(l, false);
}

/** Second lock of the same rank, in the order that rank.h names. */
static inline void
sleep_lock_nested(struct sleeplock *l)
{
	sleep_lock_slow(l, true);
}

static inline void
sleep_unlock(struct sleeplock *l)
{
	if (SLEEPLOCK_CHECKED) {
		sleep_unlock_slow(l);
		return;
	}
	__atomic_store_n(&l->state, 0, __ATOMIC_SEQ_CST);
	mb(); /* the state before the look at waiting */
	if (unlikely(__atomic_load_n(&l->waiting, __ATOMIC_SEQ_CST) != 0))
		waitq_wake_all(&l->wq);
}

static inline void
sleep_lock_shared(struct sleeplock *l)
{
	if (SLEEPLOCK_CHECKED || unlikely(!sleep_try_shared(l)))
		sleep_lock_shared_slow(l);
}

static inline void
sleep_unlock_shared(struct sleeplock *l)
{
	if (SLEEPLOCK_CHECKED) {
		sleep_unlock_shared_slow(l);
		return;
	}
	if (__atomic_fetch_sub(&l->state, 1, __ATOMIC_SEQ_CST) == 1 &&
	    unlikely(__atomic_load_n(&l->waiting, __ATOMIC_SEQ_CST) != 0))
		waitq_wake_all(&l->wq);
}

/** Never wait. */
bool sleep_trylock(struct sleeplock *);
bool sleep_trylock_shared(struct sleeplock *);

/** For assertions: held exclusively by this thread / held in any way. */
bool sleep_held_exclusive(const struct sleeplock *);
bool sleep_held(const struct sleeplock *);

#endif
