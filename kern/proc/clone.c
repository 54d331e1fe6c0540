/* SPDX-License-Identifier: MIT */
/*
 * clone.c - new processes and threads.
 *
 * Path: sys_clone -> proc_clone -> vmspace_fork, fdtable_clone -> sched_start.
 * Everything that can fail is done before the child gets an id and becomes
 * visible; after that nothing fails.
 */
#include "abi/sched.h"
#include "lib/string.h"
#include "mem/kmem.h"
#include "proc/id.h"
#include "proc/signal.h"
#include "vm/pageout.h"

#define FLAGS_KNOWN                                                           \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_VFORK |    \
	    CLONE_PARENT | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |      \
	    CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_DETACHED |     \
	    CLONE_CHILD_SETTID)
/* A thread shares all of it. */
#define FLAGS_OF_THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND)

/** The parent of CLONE_VFORK sleeps here.  It may be killed meanwhile, so both
 * sides hold a reference. */
struct vfork_wait {
	uint32_t refs; /* [a] */
	bool done;     /* [a] */
	struct waitq wq;
};

static struct vfork_wait *
vfork_create(void)
{
	struct vfork_wait *v = kmalloc(sizeof(*v));

	if (v == NULL)
		return NULL;
	v->refs = 2;
	v->done = false;
	waitq_init(&v->wq, "vfork");
	return v;
}

static void
vfork_drop(struct vfork_wait *v)
{
	if (__atomic_sub_fetch(&v->refs, 1, __ATOMIC_ACQ_REL) == 0)
		kfree(v, sizeof(*v));
}

void
vfork_release(struct thread *t)
{
	struct vfork_wait *v = t->vfork;

	if (v == NULL)
		return;
	t->vfork = NULL;
	__atomic_store_n(&v->done, true, __ATOMIC_SEQ_CST);
	waitq_wake_all(&v->wq);
	vfork_drop(v);
}

static void
vfork_wait(struct vfork_wait *v)
{
	uint32_t seq = waitq_sequence(&v->wq);

	while (!__atomic_load_n(&v->done, __ATOMIC_SEQ_CST) &&
	    waitq_wait(&v->wq, seq, WAIT_KILLABLE, DEADLINE_NONE) != EINTR)
		seq = waitq_sequence(&v->wq);
	vfork_drop(v);
}

/* Linux's rules, and two of ours: what a thread shares it shares as a whole,
 * and processes share neither signal actions nor the working directory. */
static int
check_flags(const struct clone_args *a)
{
	uint64_t f = a->flags;

	if (f & ~(uint64_t)FLAGS_KNOWN)
		return EINVAL;
	if (a->exit_signal < 0 || a->exit_signal > NSIG)
		return EINVAL;
	if (f & CLONE_THREAD)
		return (f & FLAGS_OF_THREAD) == FLAGS_OF_THREAD &&
			!(f & CLONE_VFORK) ? 0 : EINVAL;
	return f & (CLONE_SIGHAND | CLONE_FS) ? EINVAL : 0;
}

/* The registers with which the child leaves to user mode. */
static int
copy_registers(struct thread *t, const struct clone_args *a,
    const struct trapframe *tf)
{
	struct trapframe *child = tf_of_kstack(t->kstack);
	struct thread *self = thread_self();
	int error = 0;

	memcpy(child, tf, sizeof(*child));
	tf_set_result(child, 0);
	if (a->stack != 0)
		tf_set_sp(child, a->stack);
	fpu_save(&self->fpu);
	fpu_copy(&t->fpu, &self->fpu);
	if (a->flags & CLONE_SETTLS)
		error = tf_set_tls(child, &t->fpu, a->tls);
	context_init(&t->ctx, (uintptr_t)child, thread_user_start, NULL);
	return error;
}

static void
inherit(struct thread *t, const struct clone_args *a)
{
	const struct thread *self = thread_self();

	t->affinity = self->affinity;
	t->sigmask = self->sigmask;
	t->sigstack.ss_flags = SS_DISABLE;
	if (!(a->flags & CLONE_VM) || (a->flags & CLONE_VFORK))
		t->sigstack = self->sigstack;
	if (a->flags & CLONE_CHILD_CLEARTID)
		t->clear_tid = a->child_tid;
}

/* The parts of a process that are copied or shared. @locks parent->lock */
static int
fill_process(struct proc *p, struct proc *parent, uint64_t flags)
{
	int error = 0;

	if (flags & CLONE_VM) {
		p->space = parent->space;
		vmspace_hold(p->space);
	} else {
		error = vmspace_fork(parent->space, &p->space);
		if (error != 0)
			return error;
		p->space->brk_start = parent->space->brk_start;
		p->space->brk = parent->space->brk;
	}
	if (flags & CLONE_FILES) {
		p->files = parent->files;
		fdtable_hold(p->files);
	} else {
		error = fdtable_clone(parent->files, &p->files);
		if (error != 0) {
			vmspace_drop(p->space);
			return error;
		}
	}
	p->cwd = parent->cwd;
	if (p->cwd != NULL)
		file_hold(p->cwd);
	p->acts = sigacts_hold(parent);
	memcpy(p->name, parent->name, sizeof(p->name));
	p->umask = parent->umask;
	p->nofile = parent->nofile;
	p->arg_start = parent->arg_start;
	p->arg_end = parent->arg_end;
	return 0;
}

static int
new_process(struct thread *t, const struct clone_args *a)
{
	struct proc *parent = proc_self(), *p = proc_alloc();
	int error;

	if (p == NULL)
		return ENOMEM;
	sleep_lock(&parent->lock);
	error = fill_process(p, parent, a->flags);
	sleep_unlock(&parent->lock);
	if (error != 0) {
		proc_drop(p);
		return error;
	}
	p->exit_signal = (uint8_t)a->exit_signal;
	t->proc = p;
	t->space = p->space;
	return 0;
}

static void
add_thread_locked(struct proc *p, struct thread *t)
{
	list_push_back(&p->threads, &t->proc_link);
	p->nthreads++;
	if (p->stopped)
		thread_work(t, WORK_SIGNAL);
}

/* Give it an id and put it into the tree. */
static int
publish_process(struct thread *t, const struct clone_args *a)
{
	struct proc *p = t->proc, *parent = proc_self();
	bool on = spin_lock_irq(&proc_tree_lock);

	t->tid = p->pid = id_alloc(t, p);
	if (p->pid == 0) {
		spin_unlock_irq(&proc_tree_lock, on);
		return EAGAIN;
	}
	p->pgid = parent->pgid;
	p->sid = parent->sid;
	p->parent = (a->flags & CLONE_PARENT) && parent != proc_first ?
	    parent->parent : parent;
	list_push_back(&p->parent->children, &p->sibling);
	list_push_back(&proc_all, &p->all_link);
	spin_lock(&p->siglock);
	add_thread_locked(p, t);
	spin_unlock(&p->siglock);
	signal_fork_end(p);
	spin_unlock_irq(&proc_tree_lock, on);
	counter_add(TS_forks, 1);
	return 0;
}

static int
publish_thread(struct thread *t)
{
	struct proc *p = proc_self();
	int error = EAGAIN;
	bool on = spin_lock_irq(&proc_tree_lock);

	spin_lock(&p->siglock);
	if (!p->exiting && p->execing == NULL) {
		t->proc = p;
		t->space = p->space;
		t->tid = id_alloc(t, NULL);
		if (t->tid != 0) {
			add_thread_locked(p, t);
			error = 0;
		}
	}
	spin_unlock(&p->siglock);
	spin_unlock_irq(&proc_tree_lock, on);
	if (error == 0)
		counter_add(TS_clones, 1);
	return error;
}

static void
undo_process(struct proc *p)
{
	fdtable_drop(p->files);
	if (p->cwd != NULL)
		file_drop(p->cwd);
	vmspace_drop(p->space);
	proc_drop(p);
}

/* As on Linux an address that cannot be written is no error. */
static void
report_ids(const struct thread *t, const struct clone_args *a)
{
	int tid = t->tid;

	if (a->flags & CLONE_PARENT_SETTID)
		if (copyout(thread_self()->space, a->parent_tid, &tid,
			sizeof(tid)) != 0)
			return;
	if (a->flags & CLONE_CHILD_SETTID)
		if (copyout(t->space, a->child_tid, &tid, sizeof(tid)) != 0)
			return;
}

static long
try_clone(const struct clone_args *a, const struct trapframe *tf)
{
	struct vfork_wait *v = NULL;
	struct thread *t;
	int tid, error = check_flags(a);

	if (error != 0)
		return -error;
	t = thread_alloc();
	if (t == NULL)
		return -EAGAIN;
	if (a->flags & CLONE_VFORK) {
		v = t->vfork = vfork_create();
		error = v == NULL ? ENOMEM : 0;
	}
	if (error == 0 && !(a->flags & CLONE_THREAD))
		error = new_process(t, a);
	if (error != 0)
		goto out;
	error = copy_registers(t, a, tf);
	if (error != 0)
		goto out;
	inherit(t, a);
	error = a->flags & CLONE_THREAD ? publish_thread(t) :
					  publish_process(t, a);
	if (error != 0)
		goto out;
	report_ids(t, a);
	tid = t->tid;
	sched_start(t);
	if (v != NULL)
		vfork_wait(v);
	return tid;
out:
	if (t->proc != NULL && t->proc != proc_self())
		undo_process(t->proc);
	if (v != NULL)
		kfree(v, sizeof(*v));
	thread_free(t);
	return -error;
}

long
proc_clone(const struct clone_args *a, const struct trapframe *tf)
{
	unsigned tries = 0;
	long tid;

	if (!(a->flags & CLONE_THREAD) && !signal_fork_begin())
		return -ERESTARTNOINTR;
	do
		tid = try_clone(a, tf);
	while (unlikely(tid < 0) && pageout_retry((int)-tid, &tries));
	return tid;
}

int
proc_create_init(void (*fn)(void *))
{
	struct proc *p = proc_alloc();
	struct thread *t = thread_alloc();
	bool on;

	if (p == NULL || t == NULL || vmspace_create(&p->space) != 0 ||
	    fdtable_create(&p->files) != 0)
		return ENOMEM;
	p->acts = sigacts_create();
	if (p->acts == NULL)
		return ENOMEM;
	strlcpy(p->name, "init", sizeof(p->name));
	p->umask = 022;
	p->nofile = FD_MAX;
	proc_first = p;
	t->proc = p;
	t->space = p->space;
	t->sigstack.ss_flags = SS_DISABLE;
	fpu_init(&t->fpu);
	context_init(&t->ctx, (uintptr_t)tf_of_kstack(t->kstack), fn, NULL);
	on = spin_lock_irq(&proc_tree_lock);
	t->tid = p->pid = p->pgid = p->sid = id_alloc(t, p);
	KASSERT(p->pid == PID_INIT);
	list_push_back(&proc_all, &p->all_link);
	spin_lock(&p->siglock);
	add_thread_locked(p, t);
	spin_unlock(&p->siglock);
	spin_unlock_irq(&proc_tree_lock, on);
	sched_start(t);
	return 0;
}
