/* SPDX-License-Identifier: MIT */
/*
 * waitq.c - wait queues: event counts with a list of sleeping threads.
 *
 * Path: whoever waits -> waitq_wait -> sched_block; whoever changes the
 * condition -> waitq_wake -> sched_wake.
 * Invariant: a waiter is on the list from before it checks the sequence until
 * a waker takes it off or it takes itself off; both under wq->lock, so a
 * thread cannot return while a waker still touches its struct waiter.
 */
#include "sync/waitq.h"

#include "abi/errno.h"
#include "arch/timer.h"

struct waiter {
	struct list link;
	struct thread *thread;
	bool woken;
};

void
waitq_init(struct waitq *wq, const char *name)
{
	spin_init(&wq->lock, RANK_WAITQ, name);
	wq->seq = 0;
	wq->nwaiting = 0;
	list_init(&wq->waiters);
}

int
waitq_wait(struct waitq *wq, uint32_t seq, enum wait_how how, ns_t deadline)
{
	struct waiter w = { .thread = this_cpu()->thread };
	int error = 0;
	bool on;

#ifdef DEBUG
	lockset_assert_none("waitq_wait", true);
#endif
	on = spin_lock_irq(&wq->lock);
	__atomic_fetch_add(&wq->nwaiting, 1, __ATOMIC_SEQ_CST);
	list_push_back(&wq->waiters, &w.link);
	/* Announce, then look: a waker either sees nwaiting > 0 or had
	 * advanced the sequence before this load. */
	while (!w.woken &&
	    __atomic_load_n(&wq->seq, __ATOMIC_SEQ_CST) == seq) {
		sched_block_prepare();
		if (sched_interrupted(how)) {
			sched_block_cancel();
			error = EINTR;
			break;
		}
		spin_unlock(&wq->lock);
		sched_block(deadline);
		(void)spin_lock_irq(&wq->lock); /* they are off already */
		if (!w.woken && deadline != DEADLINE_NONE &&
		    timer_now() >= deadline) {
			error = ETIMEDOUT;
			break;
		}
	}
	if (!w.woken) {
		list_remove(&w.link);
		__atomic_fetch_sub(&wq->nwaiting, 1, __ATOMIC_RELAXED);
	}
	spin_unlock_irq(&wq->lock, on);
	return w.woken ? 0 : error;
}

unsigned
waitq_wake(struct waitq *wq, unsigned n)
{
	unsigned woken = 0;
	bool on;

	__atomic_fetch_add(&wq->seq, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&wq->nwaiting, __ATOMIC_SEQ_CST) == 0)
		return 0;
	on = spin_lock_irq(&wq->lock);
	for (; woken < n && !list_empty(&wq->waiters); woken++) {
		struct waiter *w = LIST_ENTRY(list_pop_front(&wq->waiters),
		    struct waiter, link);

		w->woken = true;
		__atomic_fetch_sub(&wq->nwaiting, 1, __ATOMIC_RELAXED);
		sched_wake(w->thread);
	}
	spin_unlock_irq(&wq->lock, on);
	return woken;
}
