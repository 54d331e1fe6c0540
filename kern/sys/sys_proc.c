/* SPDX-License-Identifier: MIT */
/*
 * sys_proc.c - processes and threads.
 *
 * A thread does not end inside a system call: exit marks it, and it ends on
 * its way back to user mode (trap_user_work), as after a fatal signal.
 */
#include "abi/errno.h"
#include "abi/futex.h"
#include "abi/resource.h"
#include "abi/sched.h"
#include "abi/time.h"
#include "abi/wait.h"
#include "arch/timer.h"
#include "ipc/futex.h"
#include "lib/string.h"
#include "proc/id.h"
#include "proc/job.h"
#include "proc/signal.h"
#include "sys/sys_time.h"
#include "sys/syscall_table.h"

/* ---- ids ---- */

long
sys_getpid(void)
{
	return proc_self()->pid;
}

long
sys_getppid(void)
{
	return proc_ppid(proc_self());
}

long
sys_gettid(void)
{
	return thread_self()->tid;
}

/* Everybody is the superuser. */
long
sys_getuid(void)
{
	return 0;
}

long
sys_geteuid(void)
{
	return 0;
}

long
sys_getgid(void)
{
	return 0;
}

long
sys_getegid(void)
{
	return 0;
}

/* The process @p pid, 0 meaning the caller; tree lock held. */
static struct proc *
process_locked(int pid)
{
	return pid == 0 ? proc_self() : id_proc(pid);
}

long
sys_setpgid(uintptr_t pid, uintptr_t pgid)
{
	return -job_set_group((int)pid, (int)pgid);
}

long
sys_getpgid(uintptr_t pid)
{
	bool on = spin_lock_irq(&proc_tree_lock);
	const struct proc *p = process_locked((int)pid);
	long result = p != NULL ? p->pgid : -ESRCH;

	spin_unlock_irq(&proc_tree_lock, on);
	return result;
}

long
sys_getsid(uintptr_t pid)
{
	bool on = spin_lock_irq(&proc_tree_lock);
	const struct proc *p = process_locked((int)pid);
	long result = p != NULL ? p->sid : -ESRCH;

	spin_unlock_irq(&proc_tree_lock, on);
	return result;
}

long
sys_setsid(void)
{
	int error = job_new_session();

	return error != 0 ? -error : proc_self()->sid;
}

long
sys_set_tid_address(uintptr_t addr)
{
	thread_self()->clear_tid = addr;
	return thread_self()->tid;
}

long
sys_set_robust_list(uintptr_t head, uintptr_t size)
{
	if (size != sizeof(struct robust_list_head))
		return -EINVAL;
	thread_self()->robust_list = head;
	return 0;
}

long
sys_get_robust_list(uintptr_t tid, uintptr_t head, uintptr_t size)
{
	struct vmspace *vs = thread_self()->space;
	size_t n = sizeof(struct robust_list_head);
	uintptr_t list = thread_self()->robust_list;
	bool on;
	int error = 0;

	if ((int)tid != 0) {
		const struct thread *t;

		on = spin_lock_irq(&proc_tree_lock);
		t = id_thread((int)tid);
		if (t == NULL)
			error = ESRCH;
		else
			list = t->robust_list;
		spin_unlock_irq(&proc_tree_lock, on);
	}
	if (error == 0)
		error = copyout(vs, head, &list, sizeof(list));
	if (error == 0)
		error = copyout(vs, size, &n, sizeof(n));
	return -error;
}

/* ---- beginning and end ---- */

long
sys_exit(uintptr_t code)
{
	struct thread *t = thread_self();

	t->exit_code = (int)code;
	thread_work(t, WORK_EXIT);
	return 0;
}

long
sys_exit_group(uintptr_t code)
{
	proc_kill(proc_self(), W_EXITCODE((int)code, 0));
	return 0;
}

/* Entered with the full frame, as clone3 and execve. */
long
sys_clone(uintptr_t flags, uintptr_t stack, uintptr_t parent_tid,
    uintptr_t a3, uintptr_t a4)
{
	struct clone_args a = {
		.flags = flags & ~(uintptr_t)CSIGNAL,
		.exit_signal = (int)(flags & CSIGNAL),
		.stack = stack,
		.parent_tid = parent_tid,
#if defined(__x86_64__)
		.child_tid = a3,
		.tls = a4,
#else
		.tls = a3,
		.child_tid = a4,
#endif
	};

	return proc_clone(&a, tf_of_kstack(thread_self()->kstack));
}

/* struct clone_args of Linux, first version; later fields must be 0. */
struct clone3_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal;
	uint64_t stack, stack_size, tls;
	uint64_t set_tid, set_tid_size, cgroup;
};
#define CLONE3_SIZE_MIN 64

long
sys_clone3(uintptr_t args, uintptr_t size)
{
	struct clone3_args u;
	struct clone_args a;
	int error;

	if (size < CLONE3_SIZE_MIN)
		return -EINVAL;
	if (size > sizeof(u))
		return -E2BIG;
	memset(&u, 0, sizeof(u));
	error = copyin(thread_self()->space, &u, args, size);
	if (error != 0)
		return -error;
	if (u.set_tid != 0 || u.set_tid_size != 0 || u.cgroup != 0 ||
	    (u.flags & CSIGNAL) || u.exit_signal > NSIG ||
	    (u.stack == 0) != (u.stack_size == 0))
		return -EINVAL;
	a.flags = u.flags;
	a.exit_signal = (int)u.exit_signal;
	a.stack = u.stack + u.stack_size;
	a.parent_tid = u.parent_tid;
	a.child_tid = u.child_tid;
	a.tls = u.tls;
	return proc_clone(&a, tf_of_kstack(thread_self()->kstack));
}

static void
timeval_of_ns(uint64_t ns, struct timeval *tv)
{
	tv->tv_sec = (int64_t)(ns / 1000000000);
	tv->tv_usec = (int64_t)(ns % 1000000000 / 1000);
}

static void
fill_rusage(const struct proc_usage *u, struct rusage *ru)
{
	memset(ru, 0, sizeof(*ru));
	timeval_of_ns(u->run_ns, &ru->ru_utime);
	ru->ru_minflt = (int64_t)u->nfaults;
	ru->ru_nvcsw = (int64_t)u->switches;
}

long
sys_wait4(uintptr_t pid, uintptr_t status, uintptr_t options, uintptr_t usage)
{
	struct vmspace *vs = thread_self()->space;
	struct proc_usage u = { 0 };
	struct rusage ru;
	int word, error = 0;
	long result;

	if (options & ~(uintptr_t)(WNOHANG | WUNTRACED | WCONTINUED |
			  __WNOTHREAD | __WALL | __WCLONE))
		return -EINVAL;
	result = proc_wait((int)pid, (unsigned)options, &word, &u);
	if (result <= 0)
		return result;
	if (status != 0)
		error = copyout(vs, status, &word, sizeof(word));
	if (error == 0 && usage != 0) {
		fill_rusage(&u, &ru);
		error = copyout(vs, usage, &ru, sizeof(ru));
	}
	return error != 0 ? -error : result;
}

/* ---- usage ---- */

static int
usage_of(int who, struct proc_usage *u)
{
	struct proc *p = proc_self();

	memset(u, 0, sizeof(*u));
	switch (who) {
	case RUSAGE_SELF:
		proc_usage(p, u);
		return 0;
	case RUSAGE_CHILDREN:
		u->run_ns = p->child_run_ns;
		u->nfaults = p->child_nfaults;
		return 0;
	case RUSAGE_THREAD:
		u->run_ns = thread_self()->run_ns;
		u->nfaults = thread_self()->nfaults;
		u->switches = thread_self()->switches;
		return 0;
	default:
		return EINVAL;
	}
}

long
sys_getrusage(uintptr_t who, uintptr_t out)
{
	struct vmspace *vs = thread_self()->space;
	struct proc_usage u;
	struct rusage ru;
	int error = usage_of((int)who, &u);

	if (error != 0)
		return -error;
	fill_rusage(&u, &ru);
	if ((int)who != RUSAGE_CHILDREN)
		ru.ru_maxrss = vs->pmap->nleaves * (PAGE_SIZE / 1024);
	return -copyout(vs, out, &ru, sizeof(ru));
}

long
sys_times(uintptr_t out)
{
	const uint64_t tick = 1000000000 / USER_HZ;
	struct proc_usage self, children;
	struct tms t = { 0 };
	int error = 0;

	(void)usage_of(RUSAGE_SELF, &self);
	(void)usage_of(RUSAGE_CHILDREN, &children);
	t.tms_utime = (int64_t)(self.run_ns / tick);
	t.tms_cutime = (int64_t)(children.run_ns / tick);
	if (out != 0)
		error = copyout(thread_self()->space, out, &t, sizeof(t));
	return error != 0 ? -error : (long)(timer_now() / tick);
}

/* ---- scheduling ---- */

long
sys_sched_yield(void)
{
	sched_yield();
	return 0;
}

/* The thread @p tid (0: the caller) and its affinity; tree lock held. */
static struct thread *
thread_locked(int tid)
{
	return tid == 0 ? thread_self() : id_thread(tid);
}

long
sys_sched_getaffinity(uintptr_t tid, uintptr_t size, uintptr_t out)
{
	uint64_t mask = 0;
	const struct thread *t;
	bool on;
	int error;

	if (size < sizeof(mask) || size % sizeof(mask) != 0)
		return -EINVAL;
	on = spin_lock_irq(&proc_tree_lock);
	t = thread_locked((int)tid);
	if (t != NULL)
		mask = t->affinity;
	spin_unlock_irq(&proc_tree_lock, on);
	if (t == NULL)
		return -ESRCH;
	error = copyout(thread_self()->space, out, &mask, sizeof(mask));
	return error != 0 ? -error : (long)sizeof(mask);
}

long
sys_sched_setaffinity(uintptr_t tid, uintptr_t size, uintptr_t user)
{
	uint64_t mask = 0;
	struct thread *t;
	bool on;
	int error = copyin(thread_self()->space, &mask, user,
	    MIN(size, sizeof(mask)));

	if (error != 0)
		return -error;
	mask &= ~0ull >> (64 - ncpu);
	if (mask == 0)
		return -EINVAL;
	on = spin_lock_irq(&proc_tree_lock);
	t = thread_locked((int)tid);
	if (t != NULL) {
		__atomic_store_n(&t->affinity, mask, __ATOMIC_SEQ_CST);
		/* It moves on its way to user mode, this one right away. */
		if (t != thread_self()) {
			thread_work(t, WORK_RESCHED);
			if (t->state == THREAD_RUNNING)
				thread_poke(t);
		}
	}
	spin_unlock_irq(&proc_tree_lock, on);
	if (t == thread_self())
		sched_yield();
	return t == NULL ? -ESRCH : 0;
}

long
sys_getcpu(uintptr_t cpu, uintptr_t node, uintptr_t unused)
{
	struct vmspace *vs = thread_self()->space;
	uint32_t id = cpu_id(), zero = 0;
	int error = 0;

	if (cpu != 0)
		error = copyout(vs, cpu, &id, sizeof(id));
	if (error == 0 && node != 0)
		error = copyout(vs, node, &zero, sizeof(zero));
	return -error;
}

/* ---- futex ---- */

/* When the wait must end; FUTEX_WAIT's time is relative. */
static int
futex_deadline(unsigned op, uintptr_t user, ns_t *out)
{
	unsigned cmd = op & (unsigned)FUTEX_CMD_MASK;
	ns_t ns, now;
	int error;

	*out = DEADLINE_NONE;
	if ((cmd != FUTEX_WAIT && cmd != FUTEX_WAIT_BITSET) || user == 0)
		return 0;
	error = timespec_copyin(user, &ns);
	if (error != 0)
		return error;
	if (cmd == FUTEX_WAIT_BITSET) {
		now = op & FUTEX_CLOCK_REALTIME ? timer_realtime() :
						  timer_now();
		ns = ns > now ? ns - now : 0;
	}
	*out = deadline_after(ns);
	return 0;
}

long
sys_futex(uintptr_t uaddr, uintptr_t op, uintptr_t val, uintptr_t timeout,
    uintptr_t uaddr2, uintptr_t val3)
{
	struct futex_args a = {
		.uaddr = uaddr,
		.op = (unsigned)op,
		.val = (uint32_t)val,
		.val2 = (uint32_t)timeout,
		.uaddr2 = uaddr2,
		.val3 = (uint32_t)val3,
	};
	int error = futex_deadline(a.op, timeout, &a.deadline);

	return error != 0 ? -error : futex(&a);
}
