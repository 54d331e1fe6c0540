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
#include "lib/panic.h"
#include "proc/signal.h"

static void
fault_failed(int error, vaddr_t va)
{
	switch (error) {
	case EFAULT:
		signal_fault(SIGSEGV, SEGV_MAPERR, va);
		break;
	case EACCES:
		signal_fault(SIGSEGV, SEGV_ACCERR, va);
		break;
	case ENOMEM:
		signal_kill_self(SIGKILL);
		break;
	case EINTR:
		break;
	default:
		signal_fault(SIGBUS, BUS_ADRERR, va);
		break;
	}
}

void
trap_pagefault(struct trapframe *tf, vaddr_t va, unsigned access)
{
	struct thread *t = thread_self();
	struct vm_fault f = { .va = va, .access = access };
	int error;

	(void)tf; /* the port passes its own arguments on, unmoved */
	t->nfaults++;
	error = vm_fault(t->space, &f);
	if (unlikely(error != 0))
		fault_failed(error, f.va);
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
