/* SPDX-License-Identifier: MIT */
/*
 * trap.c - policy of traps: resolved, a signal, the end of a thread, a panic.
 *
 * Path: trap_entry.S -> trap_user() (arch/PORT/trap.c) -> HERE -> vm_fault.
 *
 *	vm_fault says    user mode           means
 *	0                resolved            run the instruction again
 *	EFAULT           SIGSEGV SEGV_MAPERR nothing is mapped there
 *	EACCES           SIGSEGV SEGV_ACCERR mapped, without this right
 *	ENOMEM           SIGKILL             no memory, and nobody to end
 *	EINTR            -                   the thread is dying already
 *	other            SIGBUS              the contents cannot be had
 *
 * The kernel itself never faults: it reaches user memory through pinned pages.
 */
#include "abi/errno.h"
#include "arch/trap.h"
#include "ipc/futex.h"
#include "ipc/l4_ipc.h"
#include "lib/panic.h"
#include "proc/signal.h"

static __slowpath void
fault_failed(const struct trapframe *tf, const struct vm_fault *f, int error)
{
	const struct thread *t = thread_self();

	if (error == EFAULT && t->pager != 0)
		error = l4_pager_fault(f, tf_pc(tf));
	switch (error) {
	case 0: /* the pager has answered */
		break;
	case EFAULT:
		signal_fault(SIGSEGV, SEGV_MAPERR, f->va);
		break;
	case EACCES:
		signal_fault(SIGSEGV, SEGV_ACCERR, f->va);
		break;
	case ENOMEM:
		signal_kill_self(SIGKILL);
		break;
	case EINTR:
		break;
	default:
		signal_fault(SIGBUS, BUS_ADRERR, f->va);
		break;
	}
}

void
trap_pagefault(struct trapframe *tf, vaddr_t va, unsigned access)
{
	struct thread *t = thread_self();
	struct vm_fault f = { .va = va, .access = access };
	int error;

	t->nfaults++;
	error = vm_fault(t->space, &f);
	if (unlikely(error != 0))
		fault_failed(tf, &f, error);
}

void
trap_user_exception(struct trapframe *tf, int signo, int code, vaddr_t addr)
{
	(void)tf;
	signal_fault(signo, code, addr);
}

/* The one place where threads end. */
void
trap_user_work(struct trapframe *tf)
{
	struct thread *t = thread_self();
	uint32_t work = __atomic_load_n(&t->work, __ATOMIC_ACQUIRE);

	if (work & WORK_EXIT) {
		futex_thread_exit(t);
		thread_exit();
	}
	if (work & WORK_RESCHED)
		sched_yield();
	if (work & WORK_SIGNAL)
		signal_deliver(tf);
}
