/* SPDX-License-Identifier: MIT */
/*
 * trap.h - the trap frame; see asm.h.
 *
 * The last five words are what the CPU pushes.  A frame of user mode stands at
 * the top of the thread's kernel stack.  After a system call it holds rip,
 * rflags, rsp, sysno and the argument registers, after an exception all but
 * rbx, rbp and r12-r15; the others are live in the machine's registers until
 * the full path stores them (trap_entry.S).
 */
#ifndef MACHINE_TRAP_H
#define MACHINE_TRAP_H

#include "lib/types.h"

struct trapframe {
	uint64_t r15, r14, r13, r12, rbp, rbx;
	uint64_t r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint64_t sysno;	 /* full frames: system call, or -1 */
	uint64_t unused; /* the stack pointer stays 16-byte aligned */
	uint64_t vector; /* of the exception, for signal frames */
	uint64_t error;	 /* what the CPU said about it */
	uint64_t rip, cs, rflags, rsp, ss;
};

#define TF_NO_SYSCALL (~(uint64_t)0)

#endif
