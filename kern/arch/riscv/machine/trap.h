/* SPDX-License-Identifier: MIT */
/*
 * trap.h - the trap frame; see asm.h.
 *
 * The order of the registers is that of user_regs_struct, so that signal
 * frames copy them in one piece.  A frame of user mode stands at the top of the
 * thread's kernel stack.  After entry it holds pc, ra, sp, tp, t0-t2 and a0-a7;
 * the others are live in the machine's registers until the full path stores
 * them (trap_entry.S).
 */
#ifndef MACHINE_TRAP_H
#define MACHINE_TRAP_H

#include "lib/types.h"

struct trapframe {
	uint64_t pc, ra, sp, gp, tp;
	uint64_t t0, t1, t2;
	uint64_t s0, s1;
	uint64_t a0, a1, a2, a3, a4, a5, a6, a7;
	uint64_t s2, s3, s4, s5, s6, s7, s8, s9, s10, s11;
	uint64_t t3, t4, t5, t6;
	uint64_t sysno;	 /* full frames: system call, or -1 */
	uint64_t arg0;	 /* of the system call; a0 holds the result */
	uint64_t status; /* frames of kernel mode: sstatus */
	uint64_t unused; /* the stack pointer stays 16-byte aligned */
};

#define TF_NO_SYSCALL (~(uint64_t)0)

#endif
