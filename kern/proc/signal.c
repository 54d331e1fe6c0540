/* SPDX-License-Identifier: MIT */
/*
 * signal.c - sending signals, and the table of actions.
 *
 * Path: sys_kill, proc_exit, tty -> signal_post; the target takes it in
 *	signal_deliver (sigdeliver.c).
 * Locks: proc_tree_lock for finding the target, p->siglock for the rest.
 * Invariants: an ignored signal that is not blocked is never pending; a fatal
 *	one that is not blocked ends the process when it is posted, unless it is
 *	stopped; WORK_SIGNAL is set in some thread that can take each
 *	deliverable signal.
 */
#include "proc/signal.h"

#include "abi/wait.h"
#include "lib/string.h"
#include "mem/kmem.h"
#include "proc/id.h"
#include "proc/job.h"
#include "proc/sigqueue.h"

static struct kmem_cache acts_cache, queue_cache;

unsigned signal_nstopped;

void
signal_init(void)
{
	kmem_cache_init(&acts_cache, "sigacts", sizeof(struct sigacts));
	kmem_cache_init(&queue_cache, "sigqueue", sizeof(struct sigqueue));
}

/* ---- actions ---- */

struct sigacts *
sigacts_create(void)
{
	struct sigacts *a = kmem_alloc(&acts_cache);

	if (a == NULL)
		return NULL;
	memset(a, 0, sizeof(*a));
	a->refs = 1;
	return a;
}

struct sigacts *
sigacts_hold(struct proc *p)
{
	bool on = spin_lock_irq(&p->siglock);
	struct sigacts *a = p->acts;

	__atomic_fetch_add(&a->refs, 1, __ATOMIC_RELAXED);
	spin_unlock_irq(&p->siglock, on);
	return a;
}

void
sigacts_drop(struct sigacts *a)
{
	if (a != NULL &&
	    __atomic_sub_fetch(&a->refs, 1, __ATOMIC_ACQ_REL) == 0)
		kmem_free(&acts_cache, a);
}

/* Give the current process actions of its own, to be changed: those that it
 * has, or a copy.  Only other threads of the process can interfere. */
static struct sigacts *
acts_unshare(struct proc *p)
{
	struct sigacts *mine, *old;
	bool on;

	if (__atomic_load_n(&p->acts->refs, __ATOMIC_ACQUIRE) == 1)
		return p->acts;
	mine = sigacts_create();
	if (mine == NULL)
		return NULL;
	on = spin_lock_irq(&p->siglock);
	old = p->acts;
	memcpy(mine, old, sizeof(*mine));
	mine->refs = 1;
	p->acts = mine;
	spin_unlock_irq(&p->siglock, on);
	sigacts_drop(old);
	return mine;
}

static void
unpend_from(sigset_t *pending, struct list *queue, sigset_t set)
{
	if (!(*pending & set))
		return;
	*pending &= ~set;
	LIST_FOREACH(l, queue) {
		struct sigqueue *q = LIST_ENTRY(l, struct sigqueue, link);

		if (q->signo != 0 && (SIGMASK(q->signo) & set))
			q->signo = 0;
	}
}

/* Forget @p set wherever it is pending. @locks siglock */
static void
unpend_locked(struct proc *p, sigset_t set)
{
	unpend_from(&p->sigpending, &p->sigqueue, set);
	LIST_FOREACH(l, &p->threads) {
		struct thread *t = LIST_ENTRY(l, struct thread, proc_link);

		unpend_from(&t->sigpending, &t->sigqueue, set);
	}
}

static void
set_action_locked(struct proc *p, int signo, const struct sigaction *act)
{
	struct sigacts *a = p->acts;
	sigset_t bit = SIGMASK(signo);

	a->action[signo - 1] = *act;
	a->action[signo - 1].sa_mask &= ~SIG_UNMASKABLE;
	a->caught &= ~bit;
	a->ignored &= ~bit;
	if (act->sa_handler == SIG_IGN)
		a->ignored |= bit;
	else if (act->sa_handler != SIG_DFL)
		a->caught |= bit;
	if (signal_ignored(p, signo))
		unpend_locked(p, bit);
}

int
signal_action(int signo, const struct sigaction *act, struct sigaction *old)
{
	struct proc *p = proc_self();
	int error = 0;
	bool on;

	if (signo < 1 || signo > NSIG ||
	    (act != NULL && (SIGMASK(signo) & SIG_UNMASKABLE)))
		return EINVAL;
	sleep_lock(&p->lock);
	if (act != NULL && acts_unshare(p) == NULL) {
		error = ENOMEM;
		goto out;
	}
	on = spin_lock_irq(&p->siglock);
	if (old != NULL)
		*old = p->acts->action[signo - 1];
	if (act != NULL)
		set_action_locked(p, signo, act);
	spin_unlock_irq(&p->siglock, on);
out:
	sleep_unlock(&p->lock);
	return error;
}

int
signal_reset_handlers(void)
{
	struct proc *p = proc_self();
	struct sigacts *a;
	bool on;

	if (p->acts->caught == 0)
		return 0;
	a = acts_unshare(p);
	if (a == NULL)
		return ENOMEM;
	on = spin_lock_irq(&p->siglock);
	for (int i = 0; i < NSIG; i++)
		if (a->caught >> i & 1)
			memset(&a->action[i], 0, sizeof(a->action[i]));
	a->caught = 0;
	spin_unlock_irq(&p->siglock, on);
	return 0;
}

/* ---- details ---- */

struct sigqueue *
signal_prepare(int signo, int code, int status)
{
	const struct thread *t = thread_self();
	struct sigqueue *q;

	if (signo == 0 || code == SI_KERNEL)
		return NULL;
	q = kmem_alloc(&queue_cache);
	if (q == NULL)
		return NULL;
	q->signo = signo;
	q->code = code;
	q->pid = t->proc->pid;
	q->status = status;
	return q;
}

void
signal_discard(struct sigqueue *q)
{
	if (q != NULL)
		kmem_free(&queue_cache, q);
}

void
signal_flush(struct list *queue)
{
	struct list *l;

	while ((l = list_pop_front(queue)) != NULL)
		signal_discard(LIST_ENTRY(l, struct sigqueue, link));
}

/* ---- posting ---- */

/* The thread that shall look at a signal to the whole process. */
static struct thread *
choose_thread_locked(struct proc *p, sigset_t bit)
{
	LIST_FOREACH(l, &p->threads) {
		struct thread *t = LIST_ENTRY(l, struct thread, proc_link);

		if (!(t->sigmask & bit) && !(t->work & WORK_EXIT))
			return t;
	}
	return NULL;
}

static void
look_all_locked(struct proc *p)
{
	LIST_FOREACH(l, &p->threads) {
		struct thread *t = LIST_ENTRY(l, struct thread, proc_link);

		thread_work(t, WORK_SIGNAL);
		thread_poke(t);
	}
}

/* SIGCONT acts at once, whatever its action; a stop signal takes it back. */
static void
job_control_locked(struct proc *p, int signo)
{
	if (SIGMASK(signo) & SIG_STOPS)
		unpend_locked(p, SIGMASK(SIGCONT));
	if (signo != SIGCONT)
		return;
	unpend_locked(p, SIG_STOPS);
	p->stopping = false;
	if (!p->stopped)
		return;
	p->stopped = 0;
	signal_nstopped--;
	p->stop_report = false;
	/* The parent's SIGCHLD comes from the first thread that goes on: it
	 * can allocate the details. */
	p->cont_report = p->cont_tell = p->stop_told;
	waitq_wake_all(&p->event_wq);
	waitq_wake_all(&p->parent->child_wq);
}

/* Make it pending. @return the details if they are not used */
static struct sigqueue *
pend_locked(sigset_t *pending, struct list *queue, int signo,
    struct sigqueue *q)
{
	/* Standard signals do not queue up, realtime signals do. */
	bool add = q != NULL &&
	    (signo >= SIG_REALTIME || !(*pending & SIGMASK(signo)));

	*pending |= SIGMASK(signo);
	if (!add)
		return q;
	LIST_FOREACH(l, queue) {
		struct sigqueue *old = LIST_ENTRY(l, struct sigqueue, link);

		if (old->signo != 0)
			continue;
		list_remove(&old->link);
		old->signo = q->signo;
		old->code = q->code;
		old->pid = q->pid;
		old->status = q->status;
		list_push_back(queue, &old->link);
		return q;
	}
	list_push_back(queue, &q->link);
	return NULL;
}

/* As signal_post. @locks tree, siglock */
static struct sigqueue *
post_locked(struct proc *p, struct thread *t, int signo, struct sigqueue *q)
{
	sigset_t bit = SIGMASK(signo);
	struct thread *target;

	if (p->exiting)
		return q;
	job_control_locked(p, signo);
	target = t != NULL ? t : choose_thread_locked(p, bit);
	if (target != NULL && (target->sigmask & bit))
		target = NULL;
	/* The first process is safe from signals that it does not handle. */
	if (target != NULL &&
	    (signal_ignored(p, signo) ||
		(p == proc_first && !(p->acts->caught & bit))))
		return q;
	/* Who is stopped dies of SIGKILL only, of others when it goes on. */
	if (target != NULL && signal_fatal(p, signo) &&
	    (!p->stopped || signo == SIGKILL)) {
		proc_kill_locked(p, W_EXITCODE(0, signo));
		return q;
	}
	if (t != NULL)
		q = pend_locked(&t->sigpending, &t->sigqueue, signo, q);
	else
		q = pend_locked(&p->sigpending, &p->sigqueue, signo, q);
	if (target != NULL) {
		thread_work(target, WORK_SIGNAL);
		thread_poke(target);
	}
	return q;
}

struct sigqueue *
signal_post(struct proc *p, struct thread *t, int signo, struct sigqueue *q)
{
	KASSERT(spin_held(&proc_tree_lock));
	spin_lock(&p->siglock);
	q = post_locked(p, t, signo, q);
	spin_unlock(&p->siglock);
	return q;
}

bool
signal_autoreap(struct proc *parent)
{
	const struct sigacts *a;
	bool answer;

	spin_lock(&parent->siglock);
	a = parent->acts;
	answer = (a->ignored & SIGMASK(SIGCHLD)) ||
	    (a->action[SIGCHLD - 1].sa_flags & SA_NOCLDWAIT);
	spin_unlock(&parent->siglock);
	return answer;
}

void
signal_stop_self(int signo)
{
	struct proc *p = proc_self();
	bool on = spin_lock_irq(&proc_tree_lock);
	bool helpless = signo != SIGSTOP && job_orphaned(p->pgid, NULL);

	spin_lock(&p->siglock);
	if (p->stopping && !helpless && !p->exiting && !p->stopped) {
		p->stopped = signo;
		p->stop_told = p->cont_report = p->cont_tell = false;
		signal_nstopped++;
		look_all_locked(p);
	}
	p->stopping = false;
	spin_unlock(&p->siglock);
	spin_unlock_irq(&proc_tree_lock, on);
}

/* SIGCHLD for a child that stopped or goes on, if the parent wants it. */
static struct sigqueue *
post_child_change(struct proc *parent, struct sigqueue *q)
{
	bool wanted;

	spin_lock(&parent->siglock);
	wanted = !(parent->acts->action[SIGCHLD - 1].sa_flags & SA_NOCLDSTOP);
	spin_unlock(&parent->siglock);
	return wanted ? signal_post(parent, NULL, SIGCHLD, q) : q;
}

struct sigqueue *
signal_stop_progress(struct proc *p, struct sigqueue *q)
{
	bool done;

	KASSERT(spin_held(&proc_tree_lock));
	spin_lock(&p->siglock);
	done = p->stopped && !p->stop_told && !p->exiting &&
	    p->nhalted == p->nthreads;
	if (done)
		p->stop_told = p->stop_report = true;
	spin_unlock(&p->siglock);
	if (!done)
		return q;
	waitq_wake_all(&p->parent->child_wq);
	return post_child_change(p->parent, q);
}

/* This thread stands still from now on. */
static void
halt_begin(struct proc *p, int signo)
{
	struct sigqueue *q = signal_prepare(SIGCHLD, CLD_STOPPED, signo);
	bool on = spin_lock_irq(&proc_tree_lock);

	spin_lock(&p->siglock);
	p->nhalted++;
	spin_unlock(&p->siglock);
	q = signal_stop_progress(p, q);
	spin_unlock_irq(&proc_tree_lock, on);
	signal_discard(q);
}

/* It goes on, or ends. */
static void
halt_end(struct proc *p)
{
	struct sigqueue *q = signal_prepare(SIGCHLD, CLD_CONTINUED, SIGCONT);
	bool tell, on = spin_lock_irq(&proc_tree_lock);

	spin_lock(&p->siglock);
	p->nhalted--;
	tell = p->cont_tell;
	p->cont_tell = false;
	spin_unlock(&p->siglock);
	if (tell)
		q = post_child_change(p->parent, q);
	spin_unlock_irq(&proc_tree_lock, on);
	signal_discard(q);
}

void
signal_halt(struct proc *p)
{
	int signo = __atomic_load_n(&p->stopped, __ATOMIC_ACQUIRE), error = 0;

	if (signo == 0)
		return;
	halt_begin(p, signo);
	while (error != EINTR) {
		uint32_t seq = waitq_sequence(&p->event_wq);

		if (!__atomic_load_n(&p->stopped, __ATOMIC_ACQUIRE))
			break;
		error = waitq_wait(&p->event_wq, seq, WAIT_KILLABLE,
		    DEADLINE_NONE);
	}
	halt_end(p);
}

void
signal_send(struct proc *p, int signo, int code)
{
	struct sigqueue *q = signal_prepare(signo, code, 0);
	bool on = spin_lock_irq(&proc_tree_lock);

	if (!p->zombie)
		q = signal_post(p, NULL, signo, q);
	spin_unlock_irq(&proc_tree_lock, on);
	signal_discard(q);
}

/* ---- to several processes ---- */

/* Of SIGCONT and the stop signals the later one counts. */
static sigset_t
add_signal(sigset_t set, int signo)
{
	if (signo == SIGCONT)
		set &= ~SIG_STOPS;
	else if (SIGMASK(signo) & SIG_STOPS)
		set &= ~SIGMASK(SIGCONT);
	return set | SIGMASK(signo);
}

/* In one step to it and to those that its threads are just making: a fork that
 * begins later finds the signal. @locks tree */
static void
post_member(struct proc *p, int signo)
{
	if (signo == 0 || p->zombie)
		return;
	spin_lock(&p->siglock);
	LIST_FOREACH(l, &p->threads) {
		struct thread *t = LIST_ENTRY(l, struct thread, proc_link);

		t->fork_signals = add_signal(t->fork_signals, signo);
	}
	(void)post_locked(p, NULL, signo, NULL);
	spin_unlock(&p->siglock);
}

bool
signal_post_group(int pgid, int signo)
{
	bool found = false;

	KASSERT(spin_held(&proc_tree_lock));
	LIST_FOREACH(l, &proc_all) {
		struct proc *p = LIST_ENTRY(l, struct proc, all_link);

		if (p->pgid != pgid)
			continue;
		found = true;
		post_member(p, signo);
	}
	return found;
}

bool
signal_fork_begin(void)
{
	struct thread *t = thread_self();
	struct proc *p = t->proc;
	bool go, on = spin_lock_irq(&p->siglock);

	t->fork_signals = 0;
	/* Another thread was told of it, and has not stopped this one yet. */
	if ((p->sigpending & ~t->sigmask) || p->stopping)
		thread_work(t, WORK_SIGNAL);
	go = !(t->work & (WORK_SIGNAL | WORK_EXIT));
	spin_unlock_irq(&p->siglock, on);
	return go;
}

void
signal_fork_end(struct proc *child)
{
	/* Changes with the tree lock held, like membership in a group. */
	sigset_t set = thread_self()->fork_signals;

	for (int signo = 1; set != 0; set >>= 1, signo++)
		if (set & 1)
			(void)signal_post(child, NULL, signo, NULL);
}

static int
send_group(int pgid, int signo)
{
	bool on = spin_lock_irq(&proc_tree_lock);
	bool found = signal_post_group(pgid, signo);

	spin_unlock_irq(&proc_tree_lock, on);
	return found ? 0 : ESRCH;
}

/* kill(-1): all but the first process and the caller. */
static int
send_all(int signo)
{
	bool on = spin_lock_irq(&proc_tree_lock);
	int error = ESRCH;

	LIST_FOREACH(l, &proc_all) {
		struct proc *p = LIST_ENTRY(l, struct proc, all_link);

		if (p == proc_first || p == proc_self() || p->zombie)
			continue;
		error = 0;
		post_member(p, signo);
	}
	spin_unlock_irq(&proc_tree_lock, on);
	return error;
}

int
signal_kill(int pid, int signo)
{
	struct proc *p;

	if (signo < 0 || signo > NSIG)
		return EINVAL;
	if (pid == -1)
		return send_all(signo);
	if (pid == INT32_MIN)
		return ESRCH;
	if (pid <= 0)
		return send_group(pid == 0 ? proc_self()->pgid : -pid, signo);
	p = proc_find(pid);
	if (p == NULL)
		return ESRCH;
	if (signo != 0)
		signal_send(p, signo, SI_USER);
	proc_drop(p);
	return 0;
}

int
signal_tkill(int tgid, int tid, int signo)
{
	struct sigqueue *q;
	struct thread *t;
	int error = 0;
	bool on;

	if (signo < 0 || signo > NSIG || tid <= 0 || tgid < 0)
		return EINVAL;
	q = signal_prepare(signo, SI_TKILL, 0);
	on = spin_lock_irq(&proc_tree_lock);
	t = id_thread(tid);
	if (t == NULL || (tgid != 0 && t->proc->pid != tgid))
		error = ESRCH;
	else if (signo != 0)
		q = signal_post(t->proc, t, signo, q);
	spin_unlock_irq(&proc_tree_lock, on);
	signal_discard(q);
	return error;
}

void
signal_kill_self(int signo)
{
	proc_kill(proc_self(), W_EXITCODE(0, signo));
}

void
signal_fault(int signo, int code, vaddr_t addr)
{
	struct thread *t = thread_self();
	struct proc *p = t->proc;
	sigset_t bit = SIGMASK(signo);
	bool on = spin_lock_irq(&p->siglock);

	if ((t->sigmask & bit) || !(p->acts->caught & bit)) {
		proc_kill_locked(p, W_EXITCODE(0, signo));
	} else {
		t->fault.signo = signo;
		t->fault.code = code;
		t->fault.addr = addr;
		t->sigpending |= bit;
		thread_work(t, WORK_SIGNAL);
	}
	spin_unlock_irq(&p->siglock, on);
}
