/* SPDX-License-Identifier: MIT */
/*
 * crt0.S - program entry, clone and signal return, x86-64.
 *
 * The kernel enters _start with rsp at argc, then argv[], envp[], auxv[].
 */
#include "asm.h"

	.text
	.globl	_start
_start:
	xorl	%ebp, %ebp
	movq	%rsp, %rdi
	andq	$-16, %rsp
	call	start_c

/*
 * long clone_raw(int (*fn)(void *), void *stack, int flags, void *arg,
 *     int *ptid, void *tls, int *ctid)
 * The child has the new stack and no frame to return to: fn and arg wait for
 * it on that stack, and it exits with what fn returns.
 */
	.globl	clone_raw
clone_raw:
	andq	$-16, %rsi
	subq	$16, %rsi
	movq	%rdi, 0(%rsi)
	movq	%rcx, 8(%rsi)
	movq	%rdx, %rdi
	movq	%r8, %rdx
	movq	%r9, %r8
	movq	8(%rsp), %r10
	movl	$ASM_SYS_clone, %eax
	syscall
	testq	%rax, %rax
	jz	1f
	ret
1:	xorl	%ebp, %ebp
	popq	%rax
	popq	%rdi
	call	*%rax
	movl	%eax, %edi
	movl	$ASM_SYS_exit, %eax
	syscall

/* A signal handler returns to here: x86-64 has no kernel-mapped trampoline. */
	.globl	sigreturn_restorer
sigreturn_restorer:
	movl	$ASM_SYS_rt_sigreturn, %eax
	syscall

	.section .note.GNU-stack, "", @progbits
