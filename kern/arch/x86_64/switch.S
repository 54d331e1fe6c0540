/* SPDX-License-Identifier: MIT */
/*
 * switch.S - switch between kernel stacks.
 */
#include "machine/asm.h"

	.text

	/* void context_switch(struct context *from, struct context *to)
	 * The CPU's kstack is that of the new thread already: traps from user
	 * mode shall begin there. */
	.globl	context_switch
	.type	context_switch, @function
context_switch:
	popq	CTX_RIP(%rdi)
	movq	%rsp, CTX_RSP(%rdi)
	movq	%rbx, CTX_RBX(%rdi)
	movq	%rbp, CTX_RBP(%rdi)
	movq	%r12, CTX_R12(%rdi)
	movq	%r13, CTX_R13(%rdi)
	movq	%r14, CTX_R14(%rdi)
	movq	%r15, CTX_R15(%rdi)
	movq	%gs:CPU_ID, %rcx
	movq	%gs:CPU_KSTACK, %rax
	shlq	$TSS_SHIFT, %rcx
	movq	%rax, tss + TSS_RSP0(%rcx)
	movq	CTX_RSP(%rsi), %rsp
	movq	CTX_RBX(%rsi), %rbx
	movq	CTX_RBP(%rsi), %rbp
	movq	CTX_R12(%rsi), %r12
	movq	CTX_R13(%rsi), %r13
	movq	CTX_R14(%rsi), %r14
	movq	CTX_R15(%rsi), %r15
	jmpq	*CTX_RIP(%rsi)
	.size	context_switch, . - context_switch

	/* Where the first switch to a context arrives (context_init()):
	 * rbx = function, r12 = argument; rbp = 0 ends backtraces. */
	.globl	context_start
	.type	context_start, @function
context_start:
	movq	%r12, %rdi
	pushq	$0
	jmpq	*%rbx
	.size	context_start, . - context_start
