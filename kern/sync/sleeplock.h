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

/*
 * The whole lock is one word, so that each way in or out that meets nobody is
 * one atomic instruction.  A release sees in the same instruction whether
 * somebody waits, and needs no fence.
 */
#define SLEEPLOCK_SHARED      ((uint64_t)1)       /* per holder */
#define SLEEPLOCK_SHARED_WAIT ((uint64_t)1 << 16) /* per waiter */
#define SLEEPLOCK_EXCL_WAIT   ((uint64_t)1 << 32) /* per waiter */
#define SLEEPLOCK_EXCLUSIVE   ((uint64_t)1 << 63) /* held */

struct sleeplock {
	uint64_t state; /* [a] the sum of the above */
	struct waitq wq;
#ifdef DEBUG
	uint8_t rank;
	const char *name;
	struct thread *owner; /* exclusive holder */
#endif
};

void sleeplock_init(struct sleeplock *, enum lock_rank, const char *name);

/* The ways that wait, wake, or check (DEBUG); sleeplock.c. */
void sleep_lock_slow(struct sleeplock *, bool nested);
void sleep_lock_shared_slow(struct sleeplock *, bool counted);
void sleep_unlock_slow(struct sleeplock *);
void sleep_unlock_shared_slow(struct sleeplock *);
void sleep_wake(struct sleeplock *);

#ifdef DEBUG
#define SLEEPLOCK_CHECKED true
#else
#define SLEEPLOCK_CHECKED false
#endif

/** Exclusive. @pre no spin lock held, interrupts on */
static inline void
sleep_lock(struct sleeplock *l)
{
	uint64_t unheld = 0;

	if (SLEEPLOCK_CHECKED ||
	    unlikely(!__atomic_compare_exchange_n(&l->state, &unheld,
		SLEEPLOCK_EXCLUSIVE, false, __ATOMIC_ACQUIRE,
		__ATOMIC_RELAXED)))
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
	if (SLEEPLOCK_CHECKED)
		sleep_unlock_slow(l);
	else if (unlikely(__atomic_fetch_sub(&l->state, SLEEPLOCK_EXCLUSIVE,
		     __ATOMIC_RELEASE) != SLEEPLOCK_EXCLUSIVE))
		sleep_wake(l);
}

/** Counts itself first; who meets a holder or a waiter takes it back. */
static inline void
sleep_lock_shared(struct sleeplock *l)
{
	if (SLEEPLOCK_CHECKED)
		sleep_lock_shared_slow(l, false);
	else if (unlikely(__atomic_fetch_add(&l->state, SLEEPLOCK_SHARED,
		     __ATOMIC_ACQUIRE) >= SLEEPLOCK_SHARED_WAIT))
		sleep_lock_shared_slow(l, true);
}

static inline void
sleep_unlock_shared(struct sleeplock *l)
{
	if (SLEEPLOCK_CHECKED)
		sleep_unlock_shared_slow(l);
	else if (unlikely(__atomic_fetch_sub(&l->state, SLEEPLOCK_SHARED,
		     __ATOMIC_RELEASE) >= SLEEPLOCK_SHARED_WAIT))
		sleep_wake(l);
}

/** Never wait. */
bool sleep_trylock(struct sleeplock *);
bool sleep_trylock_shared(struct sleeplock *);

/** For assertions: held exclusively by this thread / held in any way. */
bool sleep_held_exclusive(const struct sleeplock *);
bool sleep_held(const struct sleeplock *);

#endif
