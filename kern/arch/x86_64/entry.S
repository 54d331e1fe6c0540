/* SPDX-License-Identifier: MIT */
/*
 * entry.S - the first instructions of each CPU, from PVH and SIPI to C.
 *
 * The boot CPU arrives in 32-bit mode without paging, the others in real mode
 * at TRAMPOLINE, where cpu.c has put a copy of ap_trampoline.  Both turn on
 * paging with the boot tables, which map the first 4 GiB where they are, at
 * DIRECT_BASE, and their first GiB at the image; the kernel's own table
 * (mmu.c) knows no low address.
 * Source: x86/HVM direct boot ABI (PVH); Intel SDM vol. 3, sections 8.4, 9.8.5.
 */
#include "machine/asm.h"

#define PHYS(symbol) (symbol - IMAGE_OFFSET)

#define NOTE_PHYS32_ENTRY 18
#define TABLE_BITS	  0x27 /* P W U A */
#define LARGE_BITS	  0xe3 /* P W A D PS */
#define BOOT_GIB	  4

	.section .note.pvh, "a", @note
	.balign	4
	.long	4, 4, NOTE_PHYS32_ENTRY
	.asciz	"Xen"
	.long	PHYS(_start)

	.section .text.entry, "ax"
	.code32

	/* The boot CPU.  ebx = struct hvm_start_info (physical). */
	.globl	_start
_start:
	cli
	cld
	movl	$PHYS(image_bss_start), %edi
	movl	$PHYS(image_bss_end), %ecx
	subl	%edi, %ecx
	shrl	$2, %ecx
	xorl	%eax, %eax
	rep stosl

	movl	$PHYS(boot_gib) + TABLE_BITS, %eax
	movl	$PHYS(boot_low), %edi
	movl	$BOOT_GIB, %ecx
1:	movl	%eax, (%edi)
	addl	$4096, %eax
	addl	$8, %edi
	loop	1b
	movl	$PHYS(boot_gib), %edi
	movl	$LARGE_BITS, %eax
	movl	$BOOT_GIB * 512, %ecx
1:	movl	%eax, (%edi)
	addl	$0x200000, %eax
	addl	$8, %edi
	loop	1b
	movl	$PHYS(boot_gib) + TABLE_BITS, PHYS(boot_image) + 8 * 510
	movl	$PHYS(boot_low) + TABLE_BITS, PHYS(boot_root)
	movl	$PHYS(boot_low) + TABLE_BITS, PHYS(boot_root) + 8 * 256
	movl	$PHYS(boot_image) + TABLE_BITS, PHYS(boot_root) + 8 * 511

	lgdtl	PHYS(boot_gdtr)
	movl	$PHYS(2f), %edi
	/* To 64-bit mode: edi = where to go on (physical). ebx survives. */
enter_long:
	movl	$(CR4_PAE | CR4_PGE), %eax
	movl	%eax, %cr4
	movl	$PHYS(boot_root), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$(EFER_LME | EFER_NXE | EFER_SCE), %eax
	wrmsr
	movl	$(CR0_PG | CR0_AM | CR0_WP | CR0_NE | CR0_MP | CR0_PE), %eax
	movl	%eax, %cr0
	ljmp	$KERNEL_CS, $PHYS(1f)
	.code64
1:	movl	$KERNEL_SS, %eax
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	xorl	%ebp, %ebp
	jmpq	*%rdi

2:	movq	$3f, %rax
	jmpq	*%rax
3:	movq	$boot_stacks + 4096 + KSTACK_SIZE, %rsp
	movq	$cpus, %rdi
	movq	%rsp, CPU_KSTACK(%rdi)
	call	load_cpu
	movl	%ebx, %edi
	call	boot_main

	/* Another CPU, in 64-bit mode.  It loads the kernel's table at once. */
4:	movq	$5f, %rax
	jmpq	*%rax
5:	movq	mmu_kernel_table, %rax
	movq	%rax, %cr3
	movq	ap_cpu, %rdi
	movq	CPU_KSTACK(%rdi), %rsp
	call	load_cpu
	call	cpu_main

	/* rdi = this CPU's struct cpu: the GS base. */
load_cpu:
	movq	%rdi, CPU_SELF(%rdi)
	movq	%rdi, %rdx
	shrq	$32, %rdx
	movl	%edi, %eax
	movl	$MSR_GS_BASE, %ecx
	wrmsr
	ret

	.code32
ap_protected:
	movl	$KERNEL_SS, %eax
	movl	%eax, %ds
	movl	$PHYS(4b), %edi
	jmp	enter_long

	/* Real mode, at TRAMPOLINE: straight to 32-bit mode in the image. */
	.code16
	.globl	ap_trampoline, ap_trampoline_end
ap_trampoline:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	lgdtl	TRAMPOLINE + ap_gdtr - ap_trampoline
	movl	%cr0, %eax
	orl	$CR0_PE, %eax
	movl	%eax, %cr0
	ljmpl	$BOOT_CS32, $PHYS(ap_protected)
	.balign	4
ap_gdtr:
	.word	boot_gdtr - boot_gdt - 1
	.long	PHYS(boot_gdt)
ap_trampoline_end:

	.data
	.balign	8
boot_gdt:
	.quad	0, 0
	.quad	0x00af9b000000ffff	/* KERNEL_CS: 64-bit code */
	.quad	0x00cf93000000ffff	/* KERNEL_SS: data */
	.quad	0x00cf9b000000ffff	/* BOOT_CS32: 32-bit code */
boot_gdtr:
	.word	boot_gdtr - boot_gdt - 1
	.long	PHYS(boot_gdt)

	.bss
	.balign	4096
boot_root:
	.space	4096
boot_low:
	.space	4096
boot_image:
	.space	4096
boot_gib:
	.space	4096 * BOOT_GIB

	/* One stack a CPU, each above a page that mmu.c leaves unmapped. */
	.section .stacks, "aw", @nobits
	.balign	4096
	.globl	boot_stacks
boot_stacks:
	.rept	8			/* MAXCPU, asserted in cpu.c */
	.space	4096
	.space	KSTACK_SIZE
	.endr
