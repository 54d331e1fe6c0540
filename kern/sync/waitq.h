/* SPDX-License-Identifier: MIT */
/**
 * @file waitq.h
 * Wait queues with a sequence number (event counts).
 *
 * Sample the sequence under the lock that guards the condition, drop the lock,
 * wait with the sample.  A wake in between advanced the sequence, so the wait
 * returns at once: no wake-up is lost, and no lock is handed to the queue.
 * Source: Reed and Kanodia, Synchronization with Eventcounts, CACM 1979.
 */
#ifndef SYNC_WAITQ_H
#define SYNC_WAITQ_H

#include "lib/list.h"
#include "sync/sched.h"
#include "sync/spinlock.h"

struct waitq {
	struct spinlock lock;	/* RANK_WAITQ, interrupts off */
	uint32_t seq;		/* [a] advanced by each wake */
	uint32_t nwaiting;	/* [a] so that waking nobody is cheap */
	struct list waiters;	/* [lock] */
};

#define WAITQ_INIT(name)                                     \
	{                                                    \
		.lock = SPINLOCK_INIT(RANK_WAITQ, #name),    \
		.waiters = LIST_INIT((name).waiters)         \
	}

void waitq_init(struct waitq *, const char *name);

/** Sample; the caller holds the lock of its condition. */
static inline uint32_t
waitq_sequence(const struct waitq *wq)
{
	return __atomic_load_n(&wq->seq, __ATOMIC_ACQUIRE);
}

/**
 * Wait until the sequence differs from @p seq.
 * @retval 0          a wake came (or had come)
 * @retval EINTR      by @p how
 * @retval ETIMEDOUT  @p deadline passed
 * @pre no spin lock held, interrupts on
 */
int waitq_wait(struct waitq *, uint32_t seq, enum wait_how, ns_t deadline);

/** Where a thread stands in one queue. */
struct waitq_place {
	struct waitq *wq;
	uint32_t seq;		/* the sample, for waitq_wait_any() */
	bool woken;		/* [wq->lock] */
	struct list link;	/* [wq->lock] */
	struct thread *thread;
};

/**
 * As waitq_wait, on several queues: until the sequence of one differs from its
 * place's sample. @p n may be 0.  The caller has set wq and seq of each place.
 */
int waitq_wait_any(struct waitq_place *, unsigned n, enum wait_how,
    ns_t deadline);

/** Wake up to @p n waiters, oldest first. @return how many @ctx any */
unsigned waitq_wake(struct waitq *, unsigned n);

static inline void
waitq_wake_all(struct waitq *wq)
{
	waitq_wake(wq, UINT32_MAX);
}

#endif
