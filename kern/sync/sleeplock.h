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
	uint32_t state; /* [a] holders: n shared, or SLEEPLOCK_EXCLUSIVE */
	uint32_t exclusive_waiting; /* [a] */
	struct waitq wq;
#ifdef DEBUG
	uint8_t rank;
	const char *name;
	struct thread *owner; /* exclusive holder */
#endif
};

#define SLEEPLOCK_EXCLUSIVE 0x80000000u

void sleeplock_init(struct sleeplock *, enum lock_rank, const char *name);

void sleep_lock(struct sleeplock *);		/* exclusive */
void sleep_lock_nested(struct sleeplock *);	/* same rank, written order */
bool sleep_trylock(struct sleeplock *);
void sleep_unlock(struct sleeplock *);
void sleep_lock_shared(struct sleeplock *);
bool sleep_trylock_shared(struct sleeplock *);
void sleep_unlock_shared(struct sleeplock *);

/** For assertions: held exclusively by this thread / held in any way. */
bool sleep_held_exclusive(const struct sleeplock *);
bool sleep_held(const struct sleeplock *);

#endif
