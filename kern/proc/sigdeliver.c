/* SPDX-License-Identifier: MIT */
/*
 * sigdeliver.c - a thread takes its signals on the way back to user mode.
 *
 * Path: trap_user_work (trap.c) -> signal_deliver -> signal_frame_push (port).
 *
 *	action            what happens
 *	handler           frame on the user stack; mask |= sa_mask and itself
 *	SIG_IGN           dropped (was blocked when it came)
 *	default: ignore   dropped
 *	default: stop     wait until SIGCONT or death
 *	default: the rest the process ends
 *	no room for frame the process ends, as of SIGSEGV
 *
 * Locks: p->siglock for taking; none while the frame is written.
 */
#include "abi/wait.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "proc/sigqueue.h"

static sigset_t
deliverable_locked(const struct thread *t)
{
	return (t->sigpending | t->proc->sigpending) & ~t->sigmask;
}

/* Also decides whether the thread has to look again. */
static void
set_mask_locked(struct thread *t, sigset_t mask)
{
	t->sigmask = mask & ~SIG_UNMASKABLE;
	if (deliverable_locked(t) != 0)
		thread_work(t, WORK_SIGNAL);
}

void
signal_set_mask(sigset_t mask)
{
	struct thread *t = thread_self();
	bool on = spin_lock_irq(&t->proc->siglock);

	set_mask_locked(t, mask);
	spin_unlock_irq(&t->proc->siglock, on);
}

void
signal_set_mask_temporary(sigset_t mask)
{
	struct thread *t = thread_self();

	t->saved_sigmask = t->sigmask;
	t->restore_sigmask = true;
	signal_set_mask(mask);
}

void
signal_restore_mask(void)
{
	struct thread *t = thread_self();

	if (!t->restore_sigmask)
		return;
	t->restore_sigmask = false;
	signal_set_mask(t->saved_sigmask);
}

sigset_t
signal_pending(void)
{
	struct thread *t = thread_self();

	return t->sigpending | t->proc->sigpending;
}

bool
signal_on_stack(const struct thread *t, vaddr_t sp)
{
	vaddr_t base = (vaddr_t)t->sigstack.ss_sp;

	return !(t->sigstack.ss_flags & SS_DISABLE) &&
	    sp - base - 1 < t->sigstack.ss_size;
}

/* Details of @p signo from @p queue; *more: another one is queued. */
static struct sigqueue *
take_details(struct list *queue, int signo, bool *more)
{
	struct sigqueue *found = NULL;

	*more = false;
	LIST_FOREACH_SAFE(l, queue) {
		struct sigqueue *q = LIST_ENTRY(l, struct sigqueue, link);

		if (q->signo != signo)
			continue;
		if (found != NULL) {
			*more = true;
			break;
		}
		found = q;
		list_remove(&q->link);
	}
	return found;
}

static void
fill_info(siginfo_t *info, const struct sigqueue *q)
{
	info->si_code = q->code;
	info->si_pid = q->pid;
	if (info->si_signo == SIGCHLD)
		info->si_status = q->status;
}

/* Take one pending signal. @return its details, to be freed */
static struct sigqueue *
take_locked(struct thread *t, int signo, siginfo_t *info)
{
	struct proc *p = t->proc;
	sigset_t bit = SIGMASK(signo);
	bool mine = t->sigpending & bit, more;
	struct sigqueue *q;

	memset(info, 0, sizeof(*info));
	info->si_signo = signo;
	if (mine && t->fault.signo == signo) {
		info->si_code = t->fault.code;
		info->si_addr = (void *)t->fault.addr;
		t->fault.signo = 0;
		t->sigpending &= ~bit;
		return NULL;
	}
	q = take_details(mine ? &t->sigqueue : &p->sigqueue, signo, &more);
	if (q != NULL)
		fill_info(info, q);
	else
		info->si_code = SI_KERNEL;
	if (!more && mine)
		t->sigpending &= ~bit;
	else if (!more)
		p->sigpending &= ~bit;
	return q;
}

/* Faults first, then by number. */
static int
next_signal(sigset_t set)
{
	if (set & SIG_FROM_FAULTS)
		set &= SIG_FROM_FAULTS;
	return (int)bits_lowest(set) + 1;
}

enum verdict { NOTHING, DROP, STOP, HANDLE };

/* Take the next signal and decide. */
static enum verdict
take_next(struct thread *t, struct signal_delivery *d)
{
	struct proc *p = t->proc;
	enum verdict v = DROP;
	struct sigqueue *q = NULL;
	bool on = spin_lock_irq(&p->siglock);
	sigset_t set = deliverable_locked(t);

	if (set == 0 || p->exiting) {
		if (!p->stopped)
			__atomic_fetch_and(&t->work, ~WORK_SIGNAL,
			    __ATOMIC_RELAXED);
		v = NOTHING;
		goto out;
	}
	d->signo = next_signal(set);
	q = take_locked(t, d->signo, &d->info);
	if (p->acts->caught & SIGMASK(d->signo)) {
		struct sigaction *a = &p->acts->action[d->signo - 1];

		d->action = *a;
		v = HANDLE;
	} else if (signal_fatal(p, d->signo)) {
		proc_kill_locked(p, W_EXITCODE(0, d->signo));
	} else if (!signal_ignored(p, d->signo)) {
		p->stopping = true;
		v = STOP;
	}
out:
	spin_unlock_irq(&p->siglock, on);
	signal_discard(q);
	return v;
}

/* SA_RESETHAND: once only. */
static void
reset_action(const struct signal_delivery *d)
{
	struct sigaction dfl = d->action;

	dfl.sa_handler = SIG_DFL;
	/* Without memory for a table of its own the handler stays. */
	(void)signal_action(d->signo, &dfl, NULL);
}

/* Aim the thread at its handler. */
static void
handle(struct trapframe *tf, struct thread *t, struct signal_delivery *d)
{
	unsigned long flags = d->action.sa_flags;
	sigset_t mask = t->sigmask;

	t->resume_deadline = 0;
	d->mask = t->restore_sigmask ? t->saved_sigmask : t->sigmask;
	t->restore_sigmask = false;
	d->stack = t->sigstack;
	d->sp = tf_sp(tf);
	if ((flags & SA_ONSTACK) && t->sigstack.ss_size != 0 &&
	    !(t->sigstack.ss_flags & SS_DISABLE) &&
	    !signal_on_stack(t, d->sp))
		d->sp = (vaddr_t)t->sigstack.ss_sp + t->sigstack.ss_size;
	if (flags & SA_RESETHAND)
		reset_action(d);
	if (signal_frame_push(tf, d) != 0) {
		signal_kill_self(SIGSEGV);
		return;
	}
	mask |= d->action.sa_mask;
	if (!(flags & SA_NODEFER))
		mask |= SIGMASK(d->signo);
	signal_set_mask(mask);
	counter_add(TS_signals, 1);
}

/* What the interrupted system call answers. @p d NULL: no handler ran */
static void
finish_syscall(struct trapframe *tf, const struct signal_delivery *d)
{
	long result = tf_result(tf);

	if (tf_sysno(tf) == ~(uintptr_t)0 ||
	    (result != -ERESTART && result != -ERESTARTNOHAND &&
		result != -ERESTARTNOINTR))
		return;
	if (d == NULL || result == -ERESTARTNOINTR ||
	    (result == -ERESTART && (d->action.sa_flags & SA_RESTART)))
		tf_restart_syscall(tf);
	else
		tf_set_result(tf, -EINTR);
}

long
signal_resume_at(ns_t deadline)
{
	thread_self()->resume_deadline = deadline;
	return -ERESTARTNOHAND;
}

ns_t
signal_resumed(ns_t fresh)
{
	struct thread *t = thread_self();
	ns_t kept = t->resume_deadline;

	t->resume_deadline = 0;
	return kept != 0 ? kept : fresh;
}

void
signal_deliver(struct trapframe *tf)
{
	struct thread *t = thread_self();
	struct signal_delivery d;

	for (;;) {
		signal_halt(t->proc);
		switch (take_next(t, &d)) {
		case HANDLE:
			finish_syscall(tf, &d);
			handle(tf, t, &d);
			break;
		case STOP:
			signal_stop_self(d.signo);
			break;
		case DROP:
			break;
		case NOTHING:
			finish_syscall(tf, NULL);
			signal_restore_mask();
			return;
		}
	}
}
