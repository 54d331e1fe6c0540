/* SPDX-License-Identifier: MIT */
/*
 * proc.c - the process structure, look-up, and what listings ask for.
 *
 * Locks: proc_tree_lock (tree, ids, p->space) before p->siglock (threads,
 * signals); both with interrupts off, because ^C sends from an interrupt.
 * Invariants: a process is in the tree from proc_clone until proc_wait reaps
 * it; it is a zombie exactly when it stands on its parent's zombie list.
 */
#include "abi/errno.h"
#include "lib/string.h"
#include "mem/kmem.h"
#include "proc/id.h"
#include "proc/signal.h"

struct spinlock proc_tree_lock = SPINLOCK_INIT(RANK_TREE, "process tree");
struct list proc_all = LIST_INIT(proc_all);
struct proc *proc_first; /* process 1 */

static struct kmem_cache proc_cache;

void
proc_init(void)
{
	kmem_cache_init(&proc_cache, "proc", sizeof(struct proc));
	thread_init();
	signal_init();
}

struct proc *
proc_alloc(void)
{
	struct proc *p = kmem_alloc(&proc_cache);

	if (p == NULL)
		return NULL;
	memset(p, 0, sizeof(*p));
	p->refs = 1;
	sleeplock_init(&p->lock, RANK_PROC, "process");
	spin_init(&p->siglock, RANK_SIGNAL, "signals");
	list_init(&p->children);
	list_init(&p->zombies);
	list_init(&p->sibling);
	list_init(&p->all_link);
	list_init(&p->threads);
	list_init(&p->sigqueue);
	waitq_init(&p->child_wq, "child");
	waitq_init(&p->event_wq, "process event");
	counter_add(TS_processes, 1);
	return p;
}

void
proc_hold(struct proc *p)
{
	__atomic_fetch_add(&p->refs, 1, __ATOMIC_RELAXED);
}

void
proc_drop(struct proc *p)
{
	if (__atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	KASSERT(list_empty(&p->sibling) && list_empty(&p->threads));
	KASSERT(list_empty(&p->sigqueue));
	if (p->acts != NULL)
		sigacts_drop(p->acts);
	kmem_free(&proc_cache, p);
	counter_add(TS_processes, (uint64_t)-1);
}

struct proc *
proc_find(int pid)
{
	bool on = spin_lock_irq(&proc_tree_lock);
	struct proc *p = id_proc(pid);

	if (p != NULL)
		proc_hold(p);
	spin_unlock_irq(&proc_tree_lock, on);
	return p;
}

struct proc *
proc_next(int pid)
{
	bool on = spin_lock_irq(&proc_tree_lock);
	struct proc *best = NULL;

	LIST_FOREACH(l, &proc_all) {
		struct proc *p = LIST_ENTRY(l, struct proc, all_link);

		if (p->pid > pid && (best == NULL || p->pid < best->pid))
			best = p;
	}
	if (best != NULL)
		proc_hold(best);
	spin_unlock_irq(&proc_tree_lock, on);
	return best;
}

struct vmspace *
proc_space(struct proc *p)
{
	bool on = spin_lock_irq(&proc_tree_lock);
	struct vmspace *vs = p->space;

	if (vs != NULL)
		vmspace_hold(vs);
	spin_unlock_irq(&proc_tree_lock, on);
	return vs;
}

int
proc_ppid(const struct proc *p)
{
	bool on = spin_lock_irq(&proc_tree_lock);
	int pid = p->parent != NULL ? p->parent->pid : 0;

	spin_unlock_irq(&proc_tree_lock, on);
	return pid;
}

char
proc_state(struct proc *p)
{
	bool on = spin_lock_irq(&p->siglock);
	char state = p->zombie ? 'Z' : p->stopped ? 'T' : 'S';
	/* The parent knows before the last thread has left its CPU. */
	bool told = p->stopped && p->stop_told;

	LIST_FOREACH(l, &p->threads) {
		uint32_t s = LIST_ENTRY(l, struct thread, proc_link)->state;

		if (!told && (s == THREAD_RUNNING || s == THREAD_RUNNABLE))
			state = 'R';
	}
	spin_unlock_irq(&p->siglock, on);
	return state;
}

void
proc_usage(struct proc *p, struct proc_usage *u)
{
	bool on = spin_lock_irq(&p->siglock);

	u->run_ns = p->run_ns;
	u->nfaults = p->nfaults;
	u->switches = p->switches;
	LIST_FOREACH(l, &p->threads) {
		const struct thread *t = LIST_ENTRY(l, struct thread,
		    proc_link);

		u->run_ns += t->run_ns;
		u->nfaults += t->nfaults;
		u->switches += t->switches;
	}
	spin_unlock_irq(&p->siglock, on);
}

/* All threads but @p except must end. */
static void
end_threads_locked(struct proc *p, const struct thread *except)
{
	KASSERT(spin_held(&p->siglock));
	LIST_FOREACH(l, &p->threads) {
		struct thread *t = LIST_ENTRY(l, struct thread, proc_link);

		if (t == except)
			continue;
		thread_work(t, WORK_EXIT);
		thread_poke(t);
	}
}

void
proc_kill_locked(struct proc *p, int status)
{
	if (p->exiting)
		return;
	p->exiting = true;
	p->exit_status = status;
	end_threads_locked(p, NULL);
	waitq_wake_all(&p->event_wq); /* stopped threads wait there */
}

void
proc_kill(struct proc *p, int status)
{
	bool on = spin_lock_irq(&p->siglock);

	proc_kill_locked(p, status);
	spin_unlock_irq(&p->siglock, on);
}

int
proc_single_thread(void)
{
	struct thread *self = thread_self();
	struct proc *p = self->proc;
	bool on = spin_lock_irq(&p->siglock);
	int error = 0;

	if (p->exiting || p->execing != NULL) {
		spin_unlock_irq(&p->siglock, on);
		return EINTR; /* another thread's exec or exit ends this one */
	}
	p->execing = self;
	if (p->nthreads > 1)
		end_threads_locked(p, self);
	while (p->nthreads > 1 && error == 0) {
		uint32_t seq = waitq_sequence(&p->event_wq);

		spin_unlock_irq(&p->siglock, on);
		error = waitq_wait(&p->event_wq, seq, WAIT_KILLABLE,
		    DEADLINE_NONE);
		on = spin_lock_irq(&p->siglock);
	}
	p->execing = NULL;
	spin_unlock_irq(&p->siglock, on);
	if (error == 0 && self->tid != p->pid) {
		on = spin_lock_irq(&proc_tree_lock);
		id_take_pid(self, p->pid);
		spin_unlock_irq(&proc_tree_lock, on);
	}
	return error;
}
