/* SPDX-License-Identifier: MIT */
/*
 * trap_entry.S - the one way into the kernel, and the ways out.
 *
 * Path: CPU -> trap_entry -> system call table | trap_user() | trap_irq() |
 * trap_kernel() (trap.c).
 * In user mode sscratch holds this CPU's struct cpu, in the kernel 0.  Kernel
 * code preserves s0-s11 and never touches gp and t3-t6 (arch.mk); so entry
 * saves the other registers only, and the rest of the frame is completed on the
 * slow ways: work before the return to user mode, and the system calls in the
 * list at the end.  satp, SUM and the TLB are never touched here.
 * Outside of handlers sstatus has SPP = 0 and SPIE = 1: cpu_init() set them so,
 * and so does every sret.  Therefore no way to user mode writes sstatus, and
 * its FS field stays with the FP registers (switch.S).
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

.macro SAVE_CALLER
	sd	ra, TF_RA(sp)
	sd	t0, TF_T0(sp)
	sd	t1, TF_T1(sp)
	sd	t2, TF_T2(sp)
	sd	a0, TF_A0(sp)
	sd	a1, TF_A1(sp)
	sd	a2, TF_A2(sp)
	sd	a3, TF_A3(sp)
	sd	a4, TF_A4(sp)
	sd	a5, TF_A5(sp)
	sd	a6, TF_A6(sp)
	sd	a7, TF_A7(sp)
.endm

	/* All of them but a0. */
.macro LOAD_CALLER
	ld	ra, TF_RA(sp)
	ld	t0, TF_T0(sp)
	ld	t1, TF_T1(sp)
	ld	t2, TF_T2(sp)
	ld	a1, TF_A1(sp)
	ld	a2, TF_A2(sp)
	ld	a3, TF_A3(sp)
	ld	a4, TF_A4(sp)
	ld	a5, TF_A5(sp)
	ld	a6, TF_A6(sp)
	ld	a7, TF_A7(sp)
.endm

	/* op is sd or ld. */
.macro REST op
	\op	gp, TF_GP(sp)
	\op	s0, TF_S0(sp)
	\op	s1, TF_S1(sp)
	\op	s2, TF_S2(sp)
	\op	s3, TF_S3(sp)
	\op	s4, TF_S4(sp)
	\op	s5, TF_S5(sp)
	\op	s6, TF_S6(sp)
	\op	s7, TF_S7(sp)
	\op	s8, TF_S8(sp)
	\op	s9, TF_S9(sp)
	\op	s10, TF_S10(sp)
	\op	s11, TF_S11(sp)
	\op	t3, TF_T3(sp)
	\op	t4, TF_T4(sp)
	\op	t5, TF_T5(sp)
	\op	t6, TF_T6(sp)
.endm

	/* Interrupts off; to the label if the thread has work to do first. */
.macro BRANCH_IF_WORK label
	csrci	sstatus, SSTATUS_SIE
	ld	t0, CPU_THREAD(tp)
	lw	t0, THREAD_WORK(t0)
	bnez	t0, \label
.endm

	/* a0 is loaded already. */
.macro RETURN_USER
	ld	t0, TF_PC(sp)
	csrw	sepc, t0
	csrw	sscratch, tp
	LOAD_CALLER
	ld	tp, TF_TP(sp)
	ld	sp, TF_SP(sp)
	sret
.endm

	.text
	.balign	4
	.globl	trap_entry
	.type	trap_entry, @function
trap_entry:
	csrrw	tp, sscratch, tp
	beqz	tp, from_kernel

	/* From user mode. */
	sd	sp, CPU_SCRATCH0(tp)
	ld	sp, CPU_KSTACK(tp)
	addi	sp, sp, -TF_SIZE
	SAVE_CALLER
	ld	t0, CPU_SCRATCH0(tp)
	csrrw	t1, sscratch, zero
	sd	t0, TF_SP(sp)
	sd	t1, TF_TP(sp)
	csrr	t0, sepc
	csrr	t1, scause
	li	t2, CAUSE_ECALL_U
	bne	t1, t2, user_exception

	/* A system call: number in a7, arguments in a0-a5, result in a0. */
	addi	t0, t0, 4
	sd	t0, TF_PC(sp)
	ld	t0, CPU_COUNTER + 8 * TS_syscalls(tp)
	addi	t0, t0, 1
	sd	t0, CPU_COUNTER + 8 * TS_syscalls(tp)
	csrsi	sstatus, SSTATUS_SIE
	li	t0, SYSCALL_MAX_LINUX
	lla	t1, syscall_table
	bgeu	a7, t0, tern_call
	slli	t2, a7, 3
	add	t1, t1, t2
	ld	t1, 0(t1)
	jalr	t1
syscall_return:
	BRANCH_IF_WORK syscall_work
	RETURN_USER

tern_call:
	li	t0, SYSCALL_TERN_BASE
	sub	t2, a7, t0
	li	t0, SYSCALL_TERN_END - SYSCALL_TERN_BASE
	bgeu	t2, t0, 1f
	lla	t1, syscall_table_tern
	slli	t2, t2, 3
	add	t1, t1, t2
	ld	t1, 0(t1)
	jalr	t1
	j	syscall_return
1:	li	a0, -NOSYS
	j	syscall_return

user_exception:
	sd	t0, TF_PC(sp)
	bltz	t1, user_interrupt
	mv	a0, sp
	csrr	a1, stval
	mv	a2, t1
	call	trap_user
user_trap_return:
	BRANCH_IF_WORK exception_work
user_return:
	ld	a0, TF_A0(sp)
	RETURN_USER

user_interrupt:
	mv	a0, t1
	call	trap_irq
	j	user_trap_return

	/* The slow way: complete the frame, do the work, load all of it. */
syscall_work:
	ld	t0, TF_A0(sp)
	ld	t1, TF_A7(sp)
	sd	a0, TF_A0(sp)
	sd	t0, TF_ARG0(sp)
	sd	t1, TF_SYSNO(sp)
	REST	sd
	j	work
exception_work:
	li	t0, -1
	sd	t0, TF_SYSNO(sp)
	REST	sd
work:
	csrsi	sstatus, SSTATUS_SIE
	mv	a0, sp
	call	trap_user_work
full_return:
	BRANCH_IF_WORK work
	REST	ld
	j	user_return

	/* void trap_return_user(void): start routine of user threads. */
	.globl	trap_return_user
	.type	trap_return_user, @function
trap_return_user:
	/* sp in one step: an interrupt at the top would put its frame there. */
	ld	t0, CPU_KSTACK(tp)
	addi	sp, t0, -TF_SIZE
	j	full_return
	.size	trap_return_user, . - trap_return_user

	/* From kernel mode: an interrupt, or the end. */
from_kernel:
	csrrw	tp, sscratch, tp
	sd	t0, CPU_SCRATCH0(tp)
	addi	sp, sp, -TF_SIZE
	ld	t0, CPU_KSTACK(tp)
	sub	t0, t0, sp
	srli	t0, t0, KSTACK_SHIFT
	bnez	t0, stack_overflow	/* the frame would not fit */
	ld	t0, CPU_SCRATCH0(tp)
	SAVE_CALLER
	csrr	t0, sepc
	csrr	t1, sstatus
	sd	t0, TF_PC(sp)
	sd	t1, TF_STATUS(sp)
	csrr	a0, scause
	bgez	a0, kernel_exception
	call	trap_irq
	ld	t0, TF_PC(sp)
	ld	t1, TF_STATUS(sp)
	csrw	sepc, t0
	csrw	sstatus, t1
	ld	a0, TF_A0(sp)
	LOAD_CALLER
	addi	sp, sp, TF_SIZE
	sret

kernel_exception:
	addi	t0, sp, TF_SIZE
	li	a3, 0
1:	sd	t0, TF_SP(sp)
	sd	tp, TF_TP(sp)
	REST	sd
	/* A stack frame for the interrupted pc, so that backtraces show it. */
	ld	t0, TF_PC(sp)
	sd	s0, TF_SYSNO(sp)
	sd	t0, TF_ARG0(sp)
	addi	s0, sp, TF_ARG0 + 8
	mv	a2, a0
	mv	a0, sp
	csrr	a1, stval
	call	trap_kernel

	/* sp is outside of the stack: nothing may be stored there.  The CPU
	 * goes on on its emergency stack, which is its stack from here. */
stack_overflow:
	addi	t0, sp, TF_SIZE
	sd	t0, CPU_SCRATCH1(tp)
	ld	sp, CPU_ID(tp)
	addi	sp, sp, 1
	slli	sp, sp, EMERGENCY_SHIFT
	lla	t0, emergency_stacks
	add	sp, sp, t0
	sd	sp, CPU_KSTACK(tp)
	addi	sp, sp, -TF_SIZE
	ld	t0, CPU_SCRATCH0(tp)
	SAVE_CALLER
	csrr	t0, sepc
	csrr	t1, sstatus
	sd	t0, TF_PC(sp)
	sd	t1, TF_STATUS(sp)
	ld	t0, CPU_SCRATCH1(tp)
	csrr	a0, scause
	li	a3, 1
	j	1b
	.size	trap_entry, . - trap_entry

	/*
	 * System calls that read or replace the whole frame.  The table names
	 * NAME_full; NAME then finds every register in the frame, and returning
	 * to user mode loads every register from it.  The result goes to a0.
	 */
.macro FULL_FRAME name
	.globl	\name\()_full
	.type	\name\()_full, @function
\name\()_full:
	sd	a0, TF_ARG0(sp)
	sd	a7, TF_SYSNO(sp)
	REST	sd
	call	\name
	sd	a0, TF_A0(sp)
	j	full_return
	.size	\name\()_full, . - \name\()_full
.endm

	FULL_FRAME sys_clone
	FULL_FRAME sys_clone3
	FULL_FRAME sys_execve
	FULL_FRAME sys_rt_sigreturn

	.bss
	.balign	16
	.globl	emergency_stacks
emergency_stacks:
	.space	8 << EMERGENCY_SHIFT	/* MAXCPU, asserted in trap.c */
