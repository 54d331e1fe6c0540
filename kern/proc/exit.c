/* SPDX-License-Identifier: MIT */
/*
 * exit.c - the end of a process: zombies, orphans, wait4.
 *
 * Path: thread_exit (last thread) -> proc_exit; sys_wait4 -> proc_wait.
 * Everything that a process owns is released before it becomes a zombie; what
 * remains (structure, last thread, its stack) is freed by proc_wait, which
 * first waits for the thread to leave its CPU.  So when wait4 returns, nothing
 * of the child is left.
 */
#include "abi/errno.h"
#include "abi/wait.h"
#include "arch/boot.h"
#include "lib/printf.h"
#include "proc/id.h"
#include "proc/job.h"
#include "proc/signal.h"

/* Without init nobody reaps or restarts anything: the machine stops. */
static void
init_died(int status)
{
	kprintf("init ended with status 0x%x\n", status);
	cpu_poweroff(status == 0 ? 0 : 1);
}

static void
release_resources(struct proc *p)
{
	struct vmspace *vs = p->space;
	bool on;

	fdtable_drop(p->files);
	p->files = NULL;
	if (p->cwd != NULL)
		file_drop(p->cwd);
	p->cwd = NULL;
	p->max_pages = vs->pmap->nleaves;
	on = spin_lock_irq(&proc_tree_lock);
	p->space = NULL;
	spin_unlock_irq(&proc_tree_lock, on);
	vmspace_drop(vs);
	signal_flush(&p->sigqueue);
}

/* Children of @p p become init's. @locks tree */
static void
orphan_children(struct proc *p)
{
	struct proc *init = proc_first;
	bool zombies = !list_empty(&p->zombies);
	struct list *l;

	while ((l = list_pop_front(&p->children)) != NULL) {
		LIST_ENTRY(l, struct proc, sibling)->parent = init;
		list_push_back(&init->children, l);
	}
	while ((l = list_pop_front(&p->zombies)) != NULL) {
		LIST_ENTRY(l, struct proc, sibling)->parent = init;
		list_push_back(&init->zombies, l);
	}
	if (zombies)
		waitq_wake_all(&init->child_wq);
}

/* Out of the tree. @locks tree */
static void
vanish(struct proc *p)
{
	list_remove(&p->sibling);
	list_remove(&p->all_link);
	id_release(p->pid, NULL, p);
}

static void
become_zombie(struct proc *p)
{
	thread_self()->reap_by_parent = true;
	p->last = thread_self();
	p->zombie = true;
	list_remove(&p->sibling);
	list_push_back(&p->parent->zombies, &p->sibling);
}

/* A process that was killed while it was stopped is so no longer. */
static void
forget_stop(struct proc *p)
{
	if (p->stopped)
		signal_nstopped--;
	p->stopped = 0;
	p->stop_report = p->cont_report = false;
}

static int
child_code(int status)
{
	return WIFEXITED(status) ? CLD_EXITED : CLD_KILLED;
}

void
proc_exit(struct proc *p)
{
	struct sigqueue *q;
	int status = p->exit_status;
	bool unwanted;

	if (p == proc_first)
		init_died(status);
	release_resources(p);
	counter_add(TS_exits, 1);
	q = signal_prepare(p->exit_signal, child_code(status),
	    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));

	(void)spin_lock_irq(&proc_tree_lock);
	forget_stop(p);
	job_exit(p);
	orphan_children(p);
	unwanted = signal_autoreap(p->parent);
	if (unwanted)
		vanish(p);
	else
		become_zombie(p);
	if (p->exit_signal != 0)
		q = signal_post(p->parent, NULL, p->exit_signal, q);
	waitq_wake_all(&p->parent->child_wq);
	spin_unlock(&proc_tree_lock);
	/* From here the parent waits for this CPU to switch away; interrupts
	 * stay off, so that it is soon. */
	signal_discard(q);
	if (unwanted)
		proc_drop(p);
}

/* ---- wait4 ---- */

struct wait_query {
	int which;
	unsigned options;
	bool have; /* out: there are such children */
};

static bool
selected(const struct proc *self, const struct proc *p, int which)
{
	return which == -1 || (which == 0 && p->pgid == self->pgid) ||
	    (which < -1 && p->pgid == -which) || p->pid == which;
}

static bool
reportable(const struct proc *p, unsigned options)
{
	return p->zombie || ((options & WUNTRACED) && p->stop_report) ||
	    ((options & WCONTINUED) && p->cont_report);
}

/* A child to report. @locks tree */
static struct proc *
find_child(struct proc *self, struct wait_query *q)
{
	struct list *lists[] = { &self->zombies, &self->children };

	q->have = false;
	if (q->which > 0) {
		struct proc *p = id_proc(q->which);

		q->have = p != NULL && p->parent == self;
		return q->have && reportable(p, q->options) ? p : NULL;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(lists); i++) {
		LIST_FOREACH(l, lists[i]) {
			struct proc *p = LIST_ENTRY(l, struct proc, sibling);

			if (!selected(self, p, q->which))
				continue;
			q->have = true;
			if (reportable(p, q->options))
				return p;
			if (q->which == -1 &&
			    !(q->options & (WUNTRACED | WCONTINUED)))
				break; /* no need to look at all */
		}
	}
	return NULL;
}

/* Take a zombie out of the tree. @locks tree */
static void
unlink_zombie(struct proc *self, struct proc *p, struct proc_usage *u)
{
	vanish(p);
	u->run_ns = p->run_ns + p->child_run_ns;
	u->nfaults = p->nfaults + p->child_nfaults;
	u->switches = p->switches;
	self->child_run_ns += u->run_ns;
	self->child_nfaults += u->nfaults;
}

static void
free_zombie(struct proc *p)
{
	while (__atomic_load_n(&p->last->on_cpu, __ATOMIC_ACQUIRE))
		cpu_relax();
	thread_free(p->last);
	proc_drop(p);
}

long
proc_wait(int which, unsigned options, int *status, struct proc_usage *usage)
{
	struct proc *self = proc_self();
	struct wait_query q = { .which = which, .options = options };

	for (;;) {
		bool on = spin_lock_irq(&proc_tree_lock);
		uint32_t seq = waitq_sequence(&self->child_wq);
		struct proc *p = find_child(self, &q);

		if (p != NULL) {
			int pid = p->pid;
			bool zombie = p->zombie;

			*status = p->exit_status;
			if (zombie) {
				unlink_zombie(self, p, usage);
			} else if (p->stop_report) {
				p->stop_report = false;
				*status = W_STOPCODE(p->stopped);
			} else {
				p->cont_report = false;
				*status = W_CONTINUED;
			}
			spin_unlock_irq(&proc_tree_lock, on);
			if (zombie)
				free_zombie(p);
			return pid;
		}
		spin_unlock_irq(&proc_tree_lock, on);
		if (!q.have)
			return -ECHILD;
		if (options & WNOHANG)
			return 0;
		if (waitq_wait(&self->child_wq, seq, WAIT_SIGNAL,
			DEADLINE_NONE) != 0)
			return -ERESTART;
	}
}
