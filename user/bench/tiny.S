/* SPDX-License-Identifier: MIT */
/*
 * tiny.S - the smallest program: three instructions, exit status 0.
 *
 * What the exec benchmark starts.
 */
	.text
	.globl	_start
_start:
#if defined(__riscv)
	li	a0, 0
	li	a7, 94			/* exit_group */
	ecall
#elif defined(__x86_64__)
	xorl	%edi, %edi
	movl	$231, %eax		/* exit_group */
	syscall
#endif

	.section .note.GNU-stack, "", @progbits
