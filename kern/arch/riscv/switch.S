/* SPDX-License-Identifier: MIT */
/*
 * switch.S - switch between kernel stacks; save and load FP registers.
 *
 * The kernel never uses FP registers.  sstatus.FS of the running thread: Off
 * until its first FP instruction (which traps, trap.c), then Clean or Dirty.
 */
#include "machine/asm.h"

	.text

.macro EXCHANGE op, base
	\op	ra, CTX_RA(\base)
	\op	sp, CTX_SP(\base)
	\op	gp, CTX_GP(\base)
	\op	s0, CTX_S(0)(\base)
	\op	s1, CTX_S(1)(\base)
	\op	s2, CTX_S(2)(\base)
	\op	s3, CTX_S(3)(\base)
	\op	s4, CTX_S(4)(\base)
	\op	s5, CTX_S(5)(\base)
	\op	s6, CTX_S(6)(\base)
	\op	s7, CTX_S(7)(\base)
	\op	s8, CTX_S(8)(\base)
	\op	s9, CTX_S(9)(\base)
	\op	s10, CTX_S(10)(\base)
	\op	s11, CTX_S(11)(\base)
	\op	t3, CTX_T3(\base)
	\op	t4, CTX_T4(\base)
	\op	t5, CTX_T5(\base)
	\op	t6, CTX_T6(\base)
.endm

	/* void context_switch(struct context *from, struct context *to) */
	.globl	context_switch
	.type	context_switch, @function
context_switch:
	EXCHANGE sd, a0
	EXCHANGE ld, a1
	ret
	.size	context_switch, . - context_switch

	/* Where the first switch to a context arrives (context_init()):
	 * s1 = function, s2 = argument; s0 = 0 ends backtraces. */
	.globl	context_start
	.type	context_start, @function
context_start:
	mv	a0, s2
	mv	ra, zero
	jr	s1
	.size	context_start, . - context_start

	.option	push
	.option	arch, +d

.macro FP_REGISTERS op
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, \
	    17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	\op	f\n, FPU_F(\n)(a0)
	.endr
.endm

	/* void fpu_store(struct fpu_state *): all registers; then Clean.
	 * Dirty = Clean | Initial. */
	.globl	fpu_store
	.type	fpu_store, @function
fpu_store:
	FP_REGISTERS fsd
	frcsr	t0
	sw	t0, FPU_FCSR(a0)
	li	t0, SSTATUS_FS_INITIAL
	csrc	sstatus, t0
	ret
	.size	fpu_store, . - fpu_store

	/* void fpu_load(const struct fpu_state *): likewise. */
	.globl	fpu_load
	.type	fpu_load, @function
fpu_load:
	li	t0, SSTATUS_FS
	csrs	sstatus, t0
	FP_REGISTERS fld
	lw	t0, FPU_FCSR(a0)
	fscsr	t0
	li	t0, SSTATUS_FS_INITIAL
	csrc	sstatus, t0
	ret
	.size	fpu_load, . - fpu_load
	.option	pop
