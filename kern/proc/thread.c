/* SPDX-License-Identifier: MIT */
/*
 * thread.c - thread structures: allocation, limit, start, end.
 *
 * Path: proc_clone -> thread_alloc ... sched_start -> thread_user_start;
 *	trap_user_work -> thread_exit -> sched_exit.
 * A dead thread is freed by whoever runs next on its CPU, the last one of a
 * process by the parent in proc_wait.
 */
#include "abi/errno.h"
#include "abi/wait.h"
#include "lib/string.h"
#include "mem/failpoint.h"
#include "mem/kmem.h"
#include "proc/id.h"
#include "proc/signal.h"

/* Kept for init and its children, so that a shell survives a fork bomb. */
#define RESERVED_THREADS 16

static struct kmem_cache thread_cache;
static unsigned limit;	  /* [I] */
static unsigned nthreads; /* [a] */

void
thread_init(void)
{
	kmem_cache_init(&thread_cache, "thread", sizeof(struct thread));
	/* A process needs about 16 frames at least. */
	limit = (unsigned)MIN((size_t)ID_LIMIT, frame_total() / 32);
}

static bool
count_thread(void)
{
	const struct proc *p = proc_self();
	unsigned max = limit;

	if (p != NULL && p != proc_first && p->parent != proc_first)
		max -= RESERVED_THREADS;
	if (__atomic_add_fetch(&nthreads, 1, __ATOMIC_RELAXED) <= max)
		return true;
	__atomic_sub_fetch(&nthreads, 1, __ATOMIC_RELAXED);
	return false;
}

struct thread *
thread_alloc(void)
{
	struct thread *t;

	if (!count_thread())
		return NULL;
	t = kmem_alloc(&thread_cache);
	if (t == NULL)
		goto out;
	memset(t, 0, offsetof(struct thread, fpu));
	t->kstack = kstack_alloc();
	if (t->kstack == 0) {
		kmem_free(&thread_cache, t);
		goto out;
	}
	t->affinity = ~0ull >> (64 - ncpu);
	list_init(&t->run_link);
	list_init(&t->proc_link);
	list_init(&t->sigqueue);
	counter_add(TS_threads, 1);
	return t;
out:
	__atomic_sub_fetch(&nthreads, 1, __ATOMIC_RELAXED);
	return NULL;
}

void
thread_free(struct thread *t)
{
	KASSERT(t->on_cpu == 0);
	KASSERT(list_empty(&t->run_link));
	kstack_free(t->kstack);
	kmem_free(&thread_cache, t);
	counter_add(TS_threads, (uint64_t)-1);
	__atomic_sub_fetch(&nthreads, 1, __ATOMIC_RELAXED);
}

void
thread_user_start(void *arg)
{
	(void)arg;
	sched_finish_switch();
	intr_enable();
	trap_return_user();
}

/* @return whether it was the last thread */
static bool
leave_process(struct thread *t, struct proc *p)
{
	bool last, on = spin_lock_irq(&proc_tree_lock);

	spin_lock(&p->siglock);
	list_remove(&t->proc_link);
	last = --p->nthreads == 0;
	if (t->tid == p->pid && !p->exiting)
		p->exit_status = W_EXITCODE(t->exit_code, 0);
	if (last)
		p->exiting = true; /* no more signals */
	p->run_ns += t->run_ns;
	p->nfaults += t->nfaults;
	p->switches += t->switches;
	id_release(t->tid, t, NULL);
	waitq_wake_all(&p->event_wq);
	spin_unlock(&p->siglock);
	(void)signal_stop_progress(p, NULL);
	spin_unlock_irq(&proc_tree_lock, on);
	/* If it was not the last: p may be freed from here on. */
	return last;
}

void
thread_exit(void)
{
	struct thread *t = thread_self();
	struct proc *p = t->proc;

	fail_forget(t);
	vfork_release(t);
	thread_set_space(NULL);
	if (leave_process(t, p)) {
		signal_flush(&t->sigqueue);
		proc_exit(p);
	} else {
		signal_flush(&t->sigqueue);
		intr_disable();
	}
	sched_exit();
}

int
thread_start_kernel(void (*fn)(void *), void *arg)
{
	struct thread *t = thread_alloc();

	if (t == NULL)
		return ENOMEM;
	context_init(&t->ctx, (uintptr_t)tf_of_kstack(t->kstack), fn, arg);
	sched_start(t);
	return 0;
}
