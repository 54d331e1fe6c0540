/* SPDX-License-Identifier: MIT */
/*
 * trap_entry.S - the ways into the kernel, and the ways out.
 *
 * Path: CPU -> syscall_entry_point -> system call table
 *	 CPU -> trap_stubs -> trap_user() | trap_irq() | trap_kernel()
 * GS is the program's in user mode, and this CPU's struct cpu in the kernel.
 * Entry saves the registers that C does not preserve; the rest of the frame is
 * completed on the slow ways: work before the return to user mode, and the
 * system calls in the list at the end.
 * The fast way back uses SYSRET with the address that SYSCALL saved: it is
 * canonical, since the highest user page is never mapped.  All other ways use
 * IRET, and full_return stops addresses from USER_END on; selectors are never a
 * program's choice.  So no way out can fault.
 */
#include "abi/stat_tern.h"
#include "abi/syscall.h"
#include "machine/asm.h"

	/* enum tern_stat_index, counted out for the assembler. */
	.set	index, 0
#define STAT(name, text) .set TS_##name, index; .set index, index + 1;
TERN_STAT_LEVELS(STAT)
TERN_STAT_EVENTS(STAT)

#define NOSYS 38

	/* What a system call may not change for its caller. */
.macro SAVE_ARGS
	movq	%rdi, TF_RDI(%rsp)
	movq	%rsi, TF_RSI(%rsp)
	movq	%rdx, TF_RDX(%rsp)
	movq	%r10, TF_R10(%rsp)
	movq	%r8, TF_R8(%rsp)
	movq	%r9, TF_R9(%rsp)
.endm

.macro LOAD_ARGS
	movq	TF_RDI(%rsp), %rdi
	movq	TF_RSI(%rsp), %rsi
	movq	TF_RDX(%rsp), %rdx
	movq	TF_R10(%rsp), %r10
	movq	TF_R8(%rsp), %r8
	movq	TF_R9(%rsp), %r9
.endm

.macro SAVE_CALLER
	SAVE_ARGS
	movq	%rax, TF_RAX(%rsp)
	movq	%rcx, TF_RCX(%rsp)
	movq	%r11, TF_R11(%rsp)
.endm

.macro LOAD_CALLER
	LOAD_ARGS
	movq	TF_RAX(%rsp), %rax
	movq	TF_RCX(%rsp), %rcx
	movq	TF_R11(%rsp), %r11
.endm

.macro SAVE_REST
	movq	%rbx, TF_RBX(%rsp)
	movq	%rbp, TF_RBP(%rsp)
	movq	%r12, TF_R12(%rsp)
	movq	%r13, TF_R13(%rsp)
	movq	%r14, TF_R14(%rsp)
	movq	%r15, TF_R15(%rsp)
.endm

.macro LOAD_REST
	movq	TF_RBX(%rsp), %rbx
	movq	TF_RBP(%rsp), %rbp
	movq	TF_R12(%rsp), %r12
	movq	TF_R13(%rsp), %r13
	movq	TF_R14(%rsp), %r14
	movq	TF_R15(%rsp), %r15
.endm

	/* The frame of a system call: as if IRET should return from it. */
.macro COMPLETE_SYSCALL
	SAVE_REST
	movq	TF_RIP(%rsp), %rcx
	movq	TF_RFLAGS(%rsp), %r11
	movq	%rcx, TF_RCX(%rsp)
	movq	%r11, TF_R11(%rsp)
	movq	$USER_CS, TF_CS(%rsp)
	movq	$USER_SS, TF_SS(%rsp)
	movq	$0, TF_VECTOR(%rsp)
	movq	$0, TF_ERROR(%rsp)
.endm

	/* Interrupts off; to the label if the thread has work to do first. */
.macro BRANCH_IF_WORK label
	cli
	movq	%gs:CPU_THREAD, %rcx
	cmpl	$0, THREAD_WORK(%rcx)
	jne	\label
.endm

	/*
	 * The kernel's GS, whatever it is now; \flag: whether it was not.
	 * At both ends of the kernel are a few instructions with the GS or the
	 * stack of the program.  Interrupts are off there, but NMI, double
	 * fault and machine check may come: they have stacks of their own and
	 * look at the GS base itself, whose top bit is the kernel's.  All other
	 * exceptions of the kernel are fatal, and look too.
	 */
.macro ENSURE_GS flag
	movl	$MSR_GS_BASE, %ecx
	rdmsr
	xorl	\flag, \flag
	testl	%edx, %edx
	js	99f
	swapgs
	incl	\flag
99:
.endm

	/* What QEMU would not notice, DEBUG kernels do: flags that must not be
	 * set in the kernel, and a way back that the CPU might refuse while it
	 * is still in the kernel. */
.macro CHECK_FLAGS
#ifdef DEBUG
	pushfq
	testl	$RFLAGS_NOT_HERE, (%rsp)
	jz	98f
	ud2
98:	addq	$8, %rsp
#endif
.endm
.macro CHECK_RIP
#ifdef DEBUG
	movq	$USER_END, %rcx
	cmpq	%rcx, TF_RIP(%rsp)
	jbe	98f
	ud2
98:
#endif
.endm

	.text
	.balign	16
	.globl	syscall_entry_point
	.type	syscall_entry_point, @function
	/* Number in rax, arguments in rdi rsi rdx r10 r8 r9, result in rax;
	 * rcx = return address, r11 = flags. */
syscall_entry_point:
	swapgs
	movq	%rsp, %gs:CPU_SCRATCH0
	movq	%gs:CPU_KSTACK, %rsp
	subq	$TF_SIZE, %rsp
	SAVE_ARGS
	movq	%rcx, TF_RIP(%rsp)
	movq	%gs:CPU_SCRATCH0, %rcx
	movq	%r11, TF_RFLAGS(%rsp)
	movq	%rcx, TF_RSP(%rsp)
	movq	%rax, TF_SYSNO(%rsp)
	CHECK_FLAGS
	incq	%gs:CPU_COUNTER + 8 * TS_syscalls
	sti
	movq	%r10, %rcx
	cmpq	$SYSCALL_MAX_LINUX, %rax
	jae	tern_call
	call	*syscall_table(, %rax, 8)
syscall_return:
	BRANCH_IF_WORK syscall_work
	CHECK_RIP
	LOAD_ARGS
	movq	TF_RIP(%rsp), %rcx
	movq	TF_RFLAGS(%rsp), %r11
	movq	TF_RSP(%rsp), %rsp
	swapgs
	sysretq

tern_call:
	subq	$SYSCALL_TERN_BASE, %rax
	cmpq	$SYSCALL_TERN_END - SYSCALL_TERN_BASE, %rax
	jae	1f
	call	*syscall_table_tern(, %rax, 8)
	jmp	syscall_return
1:	movq	$-NOSYS, %rax
	jmp	syscall_return

	/* The slow way: complete the frame, do the work, load all of it. */
syscall_work:
	movq	%rax, TF_RAX(%rsp)
	COMPLETE_SYSCALL
	jmp	work
exception_work:
	movq	$-1, TF_SYSNO(%rsp)
	SAVE_REST
work:
	sti
	movq	%rsp, %rdi
	call	trap_user_work
full_return:
	BRANCH_IF_WORK work
	movq	$USER_END, %rax
	cmpq	%rax, TF_RIP(%rsp)
	jae	bad_pc
	LOAD_REST
user_return:
	CHECK_RIP
	LOAD_CALLER
	addq	$TF_RIP, %rsp
	swapgs
	iretq

	/* Sets work: a signal, or the end. */
bad_pc:
	sti
	movq	%rsp, %rdi
	call	trap_bad_pc
	jmp	full_return
	.size	syscall_entry_point, . - syscall_entry_point

	/* void trap_return_user(void): start routine of user threads. */
	.globl	trap_return_user
	.type	trap_return_user, @function
trap_return_user:
	/* In one step: an interrupt at the top would put its frame there. */
	movq	%gs:CPU_KSTACK, %rax
	leaq	-TF_SIZE(%rax), %rsp
	jmp	full_return
	.size	trap_return_user, . - trap_return_user

	/* What the stubs have left on the stack: vector, error code, and what
	 * the CPU pushed.  Interrupts are off. */
	.type	trap_common, @function
trap_common:
	cld
	clac
	subq	$TF_VECTOR, %rsp
	SAVE_CALLER
	CHECK_FLAGS
	testb	$3, TF_CS(%rsp)
	jz	from_kernel
	swapgs
	movq	%rsp, %rdi
	movq	TF_VECTOR(%rsp), %rsi
	call	trap_user
	BRANCH_IF_WORK exception_work
	jmp	user_return

	/* From kernel mode: an interrupt, or the end. */
from_kernel:
	movq	TF_VECTOR(%rsp), %rdi
	cmpq	$VECTOR_IRQ, %rdi
	jb	kernel_exception
	call	trap_irq
kernel_return:
	LOAD_CALLER
	addq	$TF_RIP, %rsp
	iretq

	/* On a stack of its own. */
trap_special:
	cld
	clac
	subq	$TF_VECTOR, %rsp
	SAVE_CALLER
	cmpq	$VECTOR_NMI, TF_VECTOR(%rsp)
	jne	kernel_exception
	movq	%rbx, TF_RBX(%rsp)
	ENSURE_GS %ebx
	movq	%rsp, %rdi
	call	trap_nmi
	testl	%ebx, %ebx
	jz	1f
	swapgs
1:	movq	TF_RBX(%rsp), %rbx
	jmp	kernel_return

	/* A stack frame for the interrupted pc, so that backtraces show it. */
kernel_exception:
	SAVE_REST
	ENSURE_GS %ebx
	movq	%rsp, %rdi
	movq	TF_VECTOR(%rsp), %rsi
	movq	TF_RIP(%rsp), %rax
	movq	%rbp, TF_SYSNO(%rsp)
	movq	%rax, TF_UNUSED(%rsp)
	leaq	TF_SYSNO(%rsp), %rbp
	call	trap_kernel
	.size	trap_common, . - trap_common

	/* One stub of 16 bytes a vector.  For some exceptions the CPU pushes
	 * an error code; for the others the stub does. */
	.balign	16
	.globl	trap_stubs
	.type	trap_stubs, @function
trap_stubs:
	.set	vector, 0
	.rept	256
	.balign	16
	.if	vector != 8 && (vector < 10 || vector > 14) && vector != 17
	pushq	$0
	.endif
	pushq	$vector
	.if	vector == VECTOR_NMI || vector == VECTOR_DOUBLEFAULT || \
		vector == VECTOR_MACHINE
	jmp	trap_special
	.else
	jmp	trap_common
	.endif
	.set	vector, vector + 1
	.endr
	.balign	16
	.size	trap_stubs, . - trap_stubs

	/*
	 * System calls that read or replace the whole frame.  The table names
	 * NAME_full; NAME then finds every register in the frame, and returning
	 * to user mode loads every register from it.  The result goes to rax.
	 */
.macro FULL_FRAME name, handler
	.globl	\name
	.type	\name, @function
\name:
	addq	$8, %rsp		/* our return address */
	movq	%rcx, %rax		/* the fourth argument */
	COMPLETE_SYSCALL
	movq	%rax, %rcx
	call	\handler
	movq	%rax, TF_RAX(%rsp)
	jmp	full_return
	.size	\name, . - \name
.endm

	FULL_FRAME sys_clone_full, sys_clone
	FULL_FRAME sys_clone3_full, sys_clone3
	FULL_FRAME sys_execve_full, sys_execve
	FULL_FRAME sys_rt_sigreturn_full, sys_rt_sigreturn
	FULL_FRAME sys_fork, fork_of_frame
	FULL_FRAME sys_vfork, vfork_of_frame

	.bss
	.balign	16
	.globl	emergency_stacks, nmi_stacks
emergency_stacks:
	.space	8 << EMERGENCY_SHIFT	/* MAXCPU, asserted in cpu.c */
nmi_stacks:
	.space	8 << EMERGENCY_SHIFT
