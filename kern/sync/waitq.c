/* SPDX-License-Identifier: MIT */
/*
 * waitq.c - wait queues: event counts with a list of sleeping threads.
 *
 * Path: whoever waits -> waitq_wait -> sched_block; whoever changes the
 * condition -> waitq_wake -> sched_wake.
 * Invariant: a waiter is on the list from before it checks the sequence until
 * a waker takes it off or it takes itself off; both under wq->lock, so a
 * thread cannot return while a waker still touches its place.
 */
#include "sync/waitq.h"

#include "abi/errno.h"
#include "arch/timer.h"

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
	struct waitq_place w; /* of its fields wq and seq are not used here */
	int error = 0;
	bool on;

	w.thread = this_cpu()->thread;
	w.woken = false;
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

static void
place_enter(struct waitq_place *p)
{
	bool on = spin_lock_irq(&p->wq->lock);

	p->thread = this_cpu()->thread;
	p->woken = false;
	__atomic_fetch_add(&p->wq->nwaiting, 1, __ATOMIC_SEQ_CST);
	list_push_back(&p->wq->waiters, &p->link);
	spin_unlock_irq(&p->wq->lock, on);
}

static void
place_leave(struct waitq_place *p)
{
	bool on = spin_lock_irq(&p->wq->lock);

	if (!p->woken) {
		list_remove(&p->link);
		__atomic_fetch_sub(&p->wq->nwaiting, 1, __ATOMIC_RELAXED);
	}
	spin_unlock_irq(&p->wq->lock, on);
}

static bool
any_advanced(const struct waitq_place *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (__atomic_load_n(&p[i].wq->seq, __ATOMIC_SEQ_CST) !=
		    p[i].seq)
			return true;
	return false;
}

int
waitq_wait_any(struct waitq_place *p, unsigned n, enum wait_how how,
    ns_t deadline)
{
	int error = EAGAIN;
	bool on;

	for (unsigned i = 0; i < n; i++)
		place_enter(&p[i]);
	on = intr_disable();
	while (error == EAGAIN) {
		sched_block_prepare();
		if (any_advanced(p, n))
			error = 0;
		else if (sched_interrupted(how))
			error = EINTR;
		else if (deadline != DEADLINE_NONE && timer_now() >= deadline)
			error = ETIMEDOUT;
		if (error == EAGAIN)
			sched_block(deadline);
		else
			sched_block_cancel();
	}
	intr_restore(on);
	for (unsigned i = 0; i < n; i++)
		place_leave(&p[i]);
	return error;
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
		struct waitq_place *w =
		    LIST_ENTRY(list_pop_front(&wq->waiters),
			struct waitq_place, link);

		w->woken = true;
		__atomic_fetch_sub(&wq->nwaiting, 1, __ATOMIC_RELAXED);
		sched_wake(w->thread);
	}
	spin_unlock_irq(&wq->lock, on);
	return woken;
}
