/* SPDX-License-Identifier: MIT */
/*
 * crt0.S - program entry and clone, RISC-V.
 *
 * The kernel enters _start with sp at argc, then argv[], envp[], auxv[].
 */
#include "asm.h"

	.text
	.globl	_start
_start:
	.option	push
	.option	norelax			/* gp is what relaxation relies on */
	la	gp, __global_pointer$
	.option	pop
	mv	a0, sp
	andi	sp, sp, -16
	li	ra, 0
	tail	start_c

/*
 * long clone_raw(int (*fn)(void *), void *stack, int flags, void *arg,
 *     int *ptid, void *tls, int *ctid)
 * The child has the new stack and no frame to return to: fn and arg wait for
 * it on that stack, and it exits with what fn returns.
 */
	.globl	clone_raw
clone_raw:
	andi	a1, a1, -16
	addi	a1, a1, -16
	sd	a0, 0(a1)
	sd	a3, 8(a1)
	mv	a0, a2
	mv	a2, a4
	mv	a3, a5
	mv	a4, a6
	li	a7, ASM_SYS_clone
	ecall
	beqz	a0, 1f
	ret
1:	ld	a1, 0(sp)
	ld	a0, 8(sp)
	li	ra, 0
	jalr	a1
	li	a7, ASM_SYS_exit
	ecall

	.section .note.GNU-stack, "", @progbits
