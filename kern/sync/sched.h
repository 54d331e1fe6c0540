/* SPDX-License-Identifier: MIT */
/**
 * @file sched.h
 * Contract: what wait queues need of the scheduler.
 *
 * Implemented by proc/sched.c in the kernel and by arch/host/sched.c on the
 * host.  A blocked thread is made runnable by exactly one caller; waking a
 * thread that is not blocked does nothing.
 */
#ifndef SYNC_SCHED_H
#define SYNC_SCHED_H

#include "lib/types.h"

struct thread;

enum wait_how {
	WAIT_FOREVER,	/* only the event ends it */
	WAIT_KILLABLE,	/* also the death of the thread: EINTR */
	WAIT_SIGNAL,	/* also any deliverable signal: EINTR */
};

#define DEADLINE_NONE UINT64_MAX

/** Announce that the current thread will block.  Full fence: a waker that saw
 * the state before sees the thread blocked after. @ctx interrupts off */
void sched_block_prepare(void);
/** Take the announcement back. False: a waker was faster (harmless). */
bool sched_block_cancel(void);
/** Give the CPU away until sched_wake() or @p deadline (absolute).
 * Returns at once if the wake came already.
 * @ctx interrupts off; no spin lock */
void sched_block(ns_t deadline);
/** Make @p t runnable if it is blocked. @ctx any, interrupts off */
void sched_wake(struct thread *t);
/** Whether the current thread must stop waiting, by @p how. */
bool sched_interrupted(enum wait_how how);
/** Let others run; the current thread stays runnable. @pre no spin lock */
void sched_yield(void);

extern bool sched_fuzz_on; /* booted with fuzz=SEED */
void sched_fuzz(void);

/** Seeded preemption point of the deterministic lane (fuzz=SEED): yields now
 * and then, by a pseudo-random sequence. Nothing when booted without it, and
 * in release kernels.
 * @pre no spin lock held, interrupts on */
static inline void
sched_fuzz_point(void)
{
#ifdef DEBUG
	if (unlikely(sched_fuzz_on))
		sched_fuzz();
#endif
}

#endif
