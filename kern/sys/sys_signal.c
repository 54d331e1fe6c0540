/* SPDX-License-Identifier: MIT */
/*
 * sys_signal.c - system calls about signals; proc/signal.c does the work.
 */
#include "abi/errno.h"
#include "proc/signal.h"
#include "sys/syscall_table.h"

/* Only the size of the kernel's own set is accepted, as on Linux. */
static bool
bad_size(uintptr_t size)
{
	return size != sizeof(sigset_t);
}

long
sys_kill(uintptr_t pid, uintptr_t signo)
{
	return -signal_kill((int)pid, (int)signo);
}

long
sys_tkill(uintptr_t tid, uintptr_t signo)
{
	return -signal_tkill(0, (int)tid, (int)signo);
}

long
sys_tgkill(uintptr_t tgid, uintptr_t tid, uintptr_t signo)
{
	if ((int)tgid <= 0)
		return -EINVAL;
	return -signal_tkill((int)tgid, (int)tid, (int)signo);
}

long
sys_rt_sigaction(uintptr_t signo, uintptr_t act, uintptr_t old,
    uintptr_t size)
{
	struct vmspace *vs = thread_self()->space;
	struct sigaction new, was;
	int error;

	if (bad_size(size))
		return -EINVAL;
	if (act != 0) {
		error = copyin(vs, &new, act, sizeof(new));
		if (error != 0)
			return -error;
	}
	error = signal_action((int)signo, act != 0 ? &new : NULL, &was);
	if (error == 0 && old != 0)
		error = copyout(vs, old, &was, sizeof(was));
	return -error;
}

static int
change_mask(unsigned how, sigset_t set)
{
	sigset_t mask = thread_self()->sigmask;

	switch (how) {
	case SIG_BLOCK:
		signal_set_mask(mask | set);
		return 0;
	case SIG_UNBLOCK:
		signal_set_mask(mask & ~set);
		return 0;
	case SIG_SETMASK:
		signal_set_mask(set);
		return 0;
	default:
		return EINVAL;
	}
}

long
sys_rt_sigprocmask(uintptr_t how, uintptr_t set, uintptr_t old,
    uintptr_t size)
{
	struct vmspace *vs = thread_self()->space;
	sigset_t new, was = thread_self()->sigmask;
	int error = 0;

	if (bad_size(size))
		return -EINVAL;
	if (set != 0) {
		error = copyin(vs, &new, set, sizeof(new));
		if (error == 0)
			error = change_mask((unsigned)how, new);
	}
	if (error == 0 && old != 0)
		error = copyout(vs, old, &was, sizeof(was));
	return -error;
}

long
sys_rt_sigpending(uintptr_t set, uintptr_t size)
{
	sigset_t pending = signal_pending() & thread_self()->sigmask;

	if (size > sizeof(pending))
		return -EINVAL;
	return -copyout(thread_self()->space, set, &pending, size);
}

long
sys_rt_sigsuspend(uintptr_t set, uintptr_t size)
{
	struct waitq never = WAITQ_INIT(never);
	sigset_t mask;
	int error;

	if (bad_size(size))
		return -EINVAL;
	error = copyin(thread_self()->space, &mask, set, sizeof(mask));
	if (error != 0)
		return -error;
	signal_set_mask_temporary(mask);
	(void)waitq_wait(&never, 0, WAIT_SIGNAL, DEADLINE_NONE);
	return -ERESTARTNOHAND;
}

long
sys_sigaltstack(uintptr_t ss, uintptr_t old)
{
	struct thread *t = thread_self();
	bool inside = signal_on_stack(t, tf_sp(tf_of_kstack(t->kstack)));
	stack_t new, was = t->sigstack;
	int error;

	if (!(was.ss_flags & SS_DISABLE) && inside)
		was.ss_flags |= SS_ONSTACK;
	if (ss != 0) {
		error = copyin(t->space, &new, ss, sizeof(new));
		if (error != 0)
			return -error;
		if (inside)
			return -EPERM;
		if (new.ss_flags & ~(SS_DISABLE | SS_ONSTACK))
			return -EINVAL;
		new.ss_flags &= SS_DISABLE;
		if (new.ss_flags & SS_DISABLE) {
			new.ss_sp = NULL;
			new.ss_size = 0;
		} else if (new.ss_size < MINSIGSTKSZ) {
			return -ENOMEM;
		}
		t->sigstack = new;
	}
	return old != 0 ? -copyout(t->space, old, &was, sizeof(was)) : 0;
}

/* Entered with the full frame.  The result is the restored register. */
long
sys_rt_sigreturn(void)
{
	struct trapframe *tf = tf_of_kstack(thread_self()->kstack);
	uint64_t mask;

	if (signal_frame_pop(tf, &mask) != 0) {
		signal_kill_self(SIGSEGV);
		return -EFAULT;
	}
	signal_set_mask(mask);
	return tf_result(tf);
}
