/* SPDX-License-Identifier: MIT */
/*
 * entry.S - the first instructions of each hart, from OpenSBI to C.
 *
 * A hart arrives with translation off, at physical addresses.  It points stvec
 * at the virtual address of the next step and loads satp: the very next fetch
 * faults, because nothing is mapped where it runs, and the trap continues in
 * the high half.  So no table ever maps the image at its physical address.
 */
#include "machine/asm.h"

	.section .text.entry, "ax"

	/* The boot hart.  a0 = hart id, a1 = device tree (physical). */
	.globl	_start
_start:
	csrw	sie, zero
	lla	t0, boot_taken
	li	t1, 1
	amoswap.w.aq t1, t1, (t0)
	bnez	t1, boot_late
	mv	s0, a0
	mv	s1, a1

	lla	t0, image_bss_start
	lla	t1, image_bss_end
1:	sd	zero, 0(t0)
	addi	t0, t0, 8
	bltu	t0, t1, 1b

	lla	t0, boot_root
	lla	t1, 2f
	j	enter_high
	.balign	4
2:	lla	tp, cpus
	lla	sp, boot_stacks + 4096 + KSTACK_SIZE
	sd	sp, CPU_KSTACK(tp)
	mv	a0, s0
	mv	a1, s1
	mv	s0, zero
	call	boot_main

	/* OpenSBI 1.1 says "start pending" before it stores where to: a hart
	 * that wakes in between begins here once more.  Its struct cpu tells
	 * what cpu_start_others() wanted. */
boot_late:
	lla	a1, cpus
	li	t0, IMAGE_OFFSET
	add	t0, t0, a1
4:	ld	t1, CPU_HWID(a1)
	beq	t1, a0, 5f
	addi	a1, a1, CPU_SIZE
	addi	t0, t0, CPU_SIZE
	j	4b
5:	mv	a1, t0

	/* Another hart, started by cpu_start_others().  a1 = its struct cpu,
	 * whose kstack is set.  It loads the kernel's own table at once. */
	.globl	boot_secondary
boot_secondary:
	csrw	sie, zero
	mv	tp, a1
	lla	t0, mmu_kernel_table
	ld	t0, 0(t0)
	lla	t1, 3f
	j	enter_high
	.balign	4
3:	ld	sp, CPU_KSTACK(tp)
	mv	s0, zero
	call	cpu_main

	/* t0 = root, t1 = where to go on; both physical, t1 aligned. */
enter_high:
	li	t2, IMAGE_OFFSET
	add	t1, t1, t2
	csrw	stvec, t1
	csrw	sscratch, zero
	srli	t0, t0, 12
	li	t2, SATP_SV39
	or	t0, t0, t2
	sfence.vma
	csrw	satp, t0
	.balign	4	/* not reached: the fetch faults, stvec takes over */

	/* While the real table does not exist: direct map of 8 GiB and the
	 * image, in 1 GiB leaves, V R W X A D G. */
	.data
	.balign	4
boot_taken:			/* not in .bss, which is cleared later */
	.word	0
	.balign	4096
boot_root:
	.fill	256, 8, 0
	.set	page, 0
	.rept	8
	.dword	page << 28 | 0xe7	/* direct map: no X */
	.set	page, page + 1
	.endr
	.fill	510 - 256 - 8, 8, 0
	.dword	2 << 28 | 0xef		/* image: 0x80000000 */
	.dword	0

	/* One stack a CPU, each above a page that mmu.c leaves unmapped. */
	.section .stacks, "aw", @nobits
	.balign	4096
	.globl	boot_stacks
boot_stacks:
	.rept	8			/* MAXCPU, asserted in cpu.c */
	.space	4096
	.space	KSTACK_SIZE
	.endr

	/* What a signal handler returns to; user mode runs it in place. */
	.section .user_page, "a"
	.balign	4096
	.globl	sigreturn_page
sigreturn_page:
	li	a7, 139		/* rt_sigreturn, as Linux has it: unwinders */
	ecall			/* know these two instructions */
	.balign	4096
