/* SPDX-License-Identifier: MIT */
/**
 * @file trap.h
 * Port contract: trap frames, the way into and out of user mode.
 *
 * machine/trap.h defines struct trapframe.  System calls and faults save the
 * caller-saved registers only: C preserves the others.  Code that needs all
 * of them (fork, signals, debugger, exec) is entered through the port's full
 * path: see kern/arch/PORT/trap_entry.S.
 *
 * From hardware to policy: trap_entry.S -> trap() (arch/PORT/trap.c) decodes
 * -> trap_pagefault() | trap_user_exception() | syscall() (upper layers).
 */
#ifndef ARCH_TRAP_H
#define ARCH_TRAP_H

#include "lib/types.h"
#include "machine/trap.h"

struct stack_frame_info; /* reserved */

/* Accessors, port side. */
uintptr_t tf_pc(const struct trapframe *);
void tf_set_pc(struct trapframe *, uintptr_t);
uintptr_t tf_sp(const struct trapframe *);
void tf_set_sp(struct trapframe *, uintptr_t);
long tf_result(const struct trapframe *);
void tf_set_result(struct trapframe *, long);
/** Thread pointer of a thread that has not run yet, in the frame or beside it:
 * where the machine has it. @retval EPERM the machine cannot have that */
struct fpu_state;
int tf_set_tls(struct trapframe *, struct fpu_state *, uintptr_t);
/** Number of the system call that the full frame is of; ~0: of none. */
uintptr_t tf_sysno(const struct trapframe *);
/** Undo the effect of a system call on the full frame, so that returning to
 * user mode executes it again with the original arguments (SA_RESTART). */
void tf_restart_syscall(struct trapframe *);

/** A frame for the first entry of a program: @p pc, @p sp, all else zero. */
void tf_init(struct trapframe *, uintptr_t pc, uintptr_t sp);

/** Where the frame of a user thread with kernel stack top @p top stands. */
struct trapframe *tf_of_kstack(uintptr_t top);

/** Leave to user mode through the full frame at the top of the current
 * thread's stack; runs pending work first.  Start routine of user threads. */
void trap_return_user(void) __attribute__((noreturn));

/*
 * What the port calls.  All on the kernel stack of the trapping context.
 */

/** A page fault in user mode; the kernel itself never has one.
 * @param access VM_PROT_READ, _WRITE or _EXECUTE (exactly one)
 * @ctx interrupts on */
void trap_pagefault(struct trapframe *, vaddr_t va, unsigned access);

/** Any other exception of a user program: @p signo with @p code and
 * @p addr for siginfo. */
void trap_user_exception(struct trapframe *, int signo, int code, vaddr_t addr);

/** Before a return to user mode with t_work set: reschedule, deliver signals,
 * end the thread.  The frame is full.  @ctx interrupts on; may not return */
void trap_user_work(struct trapframe *);

/** Push the signal frame of the Linux ABI on the user stack and aim the frame
 * at the handler; EFAULT when the stack cannot be written. */
struct signal_delivery;
int signal_frame_push(struct trapframe *, const struct signal_delivery *);
/** rt_sigreturn: restore from the frame at the user's sp. @p mask receives the
 * signal mask to restore. EFAULT, EINVAL: the thread must die of SIGSEGV. */
int signal_frame_pop(struct trapframe *, uint64_t *mask);

#endif
