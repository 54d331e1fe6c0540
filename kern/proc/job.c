/* SPDX-License-Identifier: MIT */
/*
 * job.c - process groups, sessions and the controlling terminal.
 *
 * Path: tty.c, sys_proc.c, proc_exit -> HERE -> signal_post.
 * Locks: proc_tree_lock for all of it, the terminal's owner too.
 * Invariants: terminal.pgid is 0 when terminal.sid is; the group may have
 *	ended meanwhile.
 */
#include "proc/job.h"

#include "proc/id.h"
#include "proc/sigqueue.h"

struct terminal terminal = { .wq = WAITQ_INIT(terminal.wq) };

/* @locks tree */
static bool
is_mine(const struct proc *p)
{
	return terminal.sid != 0 && terminal.sid == p->sid;
}

/* ---- groups ---- */

bool
job_orphaned(int pgid, const struct proc *leaving)
{
	KASSERT(spin_held(&proc_tree_lock));
	LIST_FOREACH(l, &proc_all) {
		const struct proc *p = LIST_ENTRY(l, struct proc, all_link);
		const struct proc *up = p->parent;

		if (p->pgid != pgid || p->zombie || p == leaving ||
		    up == NULL || up == proc_first || up == leaving)
			continue;
		if (up->pgid != pgid && up->sid == p->sid)
			return false;
	}
	return true;
}

static bool
has_stopped(int pgid)
{
	LIST_FOREACH(l, &proc_all) {
		const struct proc *p = LIST_ENTRY(l, struct proc, all_link);

		if (p->pgid == pgid && p->stopped)
			return true;
	}
	return false;
}

/* The link between @p child and @p parent is cut: the child's group may have
 * been held by it alone. */
static void
let_go(const struct proc *child, const struct proc *parent,
    const struct proc *leaving)
{
	int pgid = child->pgid;

	if (parent->pgid == pgid || parent->sid != child->sid ||
	    !has_stopped(pgid) || !job_orphaned(pgid, leaving))
		return;
	(void)signal_post_group(pgid, SIGHUP);
	(void)signal_post_group(pgid, SIGCONT);
}

void
job_exit(struct proc *p)
{
	int pgid = terminal.pgid;

	KASSERT(spin_held(&proc_tree_lock));
	if (p->pid == p->sid && is_mine(p)) {
		terminal.sid = terminal.pgid = 0;
		__atomic_fetch_add(&terminal.hangups, 1, __ATOMIC_RELEASE);
		(void)signal_post_group(pgid, SIGHUP);
		waitq_wake_all(&terminal.wq);
	}
	if (signal_nstopped == 0)
		return;
	LIST_FOREACH(l, &p->children)
		let_go(LIST_ENTRY(l, struct proc, sibling), p, p);
	let_go(p, p->parent, p);
}

int
job_set_group(int pid, int pgid)
{
	struct proc *self = proc_self(), *p;
	bool on, found = false;
	int error = 0;

	if (pid < 0 || pgid < 0)
		return EINVAL;
	on = spin_lock_irq(&proc_tree_lock);
	p = pid == 0 ? self : id_proc(pid);
	if (p == NULL || (p != self && p->parent != self)) {
		error = ESRCH;
		goto out;
	}
	if (pgid == 0)
		pgid = p->pid;
	LIST_FOREACH(l, &proc_all) {
		const struct proc *q = LIST_ENTRY(l, struct proc, all_link);

		found |= q->pgid == pgid && q->sid == self->sid;
	}
	/* Once it runs another program it is on its own. */
	if (p != self && p->sid == self->sid && p->execed)
		error = EACCES;
	else if (p->sid == p->pid || p->sid != self->sid ||
	    (pgid != p->pid && !found))
		error = EPERM;
	else
		p->pgid = pgid;
out:
	spin_unlock_irq(&proc_tree_lock, on);
	return error;
}

int
job_new_session(void)
{
	struct proc *self = proc_self();
	bool on = spin_lock_irq(&proc_tree_lock);
	int error = 0;

	/* Also when it has left its own group, and others stayed there. */
	LIST_FOREACH(l, &proc_all)
		if (LIST_ENTRY(l, struct proc, all_link)->pgid == self->pid)
			error = EPERM;
	if (error == 0)
		self->pgid = self->sid = self->pid;
	spin_unlock_irq(&proc_tree_lock, on);
	return error;
}

/* ---- the terminal ---- */

/* As job_check. @locks tree */
static int
check_locked(struct proc *p, int signo)
{
	struct thread *t = thread_self();
	sigset_t bit = SIGMASK(signo);

	if (!is_mine(p) || terminal.pgid == 0 || terminal.pgid == p->pgid)
		return 0;
	/* Who does not hear the signal may write, but never read. */
	if ((t->sigmask | p->acts->ignored) & bit)
		return signo == SIGTTIN ? EIO : 0;
	if (job_orphaned(p->pgid, NULL))
		return EIO;
	(void)signal_post_group(p->pgid, signo);
	/* Another thread may take it; this one must start its call again. */
	thread_work(t, WORK_SIGNAL);
	return EINTR;
}

int
job_check(int signo)
{
	bool on = spin_lock_irq(&proc_tree_lock);
	int error = check_locked(proc_self(), signo);

	spin_unlock_irq(&proc_tree_lock, on);
	return error;
}

void
job_signal_foreground(int signo)
{
	bool on = spin_lock_irq(&proc_tree_lock);

	if (terminal.pgid != 0)
		(void)signal_post_group(terminal.pgid, signo);
	spin_unlock_irq(&proc_tree_lock, on);
}

int
job_take_terminal(bool steal)
{
	struct proc *p = proc_self();
	bool on = spin_lock_irq(&proc_tree_lock);
	int error = 0;

	if (p->pid != p->sid || (terminal.sid != 0 && !is_mine(p) && !steal))
		error = EPERM;
	if (error == 0 && !is_mine(p)) {
		terminal.sid = p->sid;
		terminal.pgid = p->pgid;
	}
	spin_unlock_irq(&proc_tree_lock, on);
	return error;
}

int
job_leave_terminal(void)
{
	struct proc *p = proc_self();
	bool on = spin_lock_irq(&proc_tree_lock);
	int pgid = terminal.pgid, error = is_mine(p) ? 0 : ENOTTY;

	/* Only the leader can leave: the others have it as long as he has. */
	if (error == 0 && p->pid == p->sid) {
		terminal.sid = terminal.pgid = 0;
		(void)signal_post_group(pgid, SIGHUP);
		(void)signal_post_group(pgid, SIGCONT);
	}
	spin_unlock_irq(&proc_tree_lock, on);
	return error;
}

bool
job_has_terminal(void)
{
	int sid, pgid;

	return job_get_terminal(&sid, &pgid) == 0;
}

int
job_get_terminal(int *sid, int *pgid)
{
	bool on = spin_lock_irq(&proc_tree_lock);
	int error = is_mine(proc_self()) ? 0 : ENOTTY;

	*sid = terminal.sid;
	*pgid = terminal.pgid;
	spin_unlock_irq(&proc_tree_lock, on);
	return error;
}

/* @retval ESRCH nobody is in the group  @retval EPERM another session's */
static int
group_of_session(int pgid, int sid)
{
	const struct proc *p = id_proc(pgid);

	LIST_FOREACH(l, &proc_all) {
		const struct proc *q = LIST_ENTRY(l, struct proc, all_link);

		if (q->pgid == pgid)
			return q->sid == sid ? 0 : EPERM;
	}
	/* As Linux: a process that is about to make this its group. */
	if (p == NULL)
		return ESRCH;
	return p->sid == sid ? 0 : EPERM;
}

int
job_set_foreground(int pgid)
{
	struct proc *p = proc_self();
	bool on = spin_lock_irq(&proc_tree_lock);
	int error = is_mine(p) ? check_locked(p, SIGTTOU) : ENOTTY;

	if (error == EIO)
		error = ENOTTY; /* as Linux */
	if (error == 0 && pgid < 0)
		error = EINVAL;
	if (error == 0)
		error = group_of_session(pgid, p->sid);
	if (error == 0)
		terminal.pgid = pgid;
	spin_unlock_irq(&proc_tree_lock, on);
	return error;
}
