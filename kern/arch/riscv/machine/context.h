/* SPDX-License-Identifier: MIT */
/* context.h - what a switch between kernel stacks saves; see asm.h. */
#ifndef MACHINE_CONTEXT_H
#define MACHINE_CONTEXT_H

#include "lib/types.h"

/** gp and t3-t6 are never used by the kernel (arch.mk): they hold the values
 * of user mode, so a switch has to exchange them like s0-s11. */
struct context {
	uint64_t ra, sp, gp;
	uint64_t s[12];
	uint64_t t3, t4, t5, t6;
};

/** User FP registers.  Until its first FP instruction a program runs with the
 * FPU off, so that programs without FP pay nothing at a switch. */
struct fpu_state {
	uint64_t f[32];
	uint32_t fcsr;
	bool used;
};

#endif
