/* SPDX-License-Identifier: MIT */
/*
 * asm.h - layouts and register bits that assembly and C share.
 *
 * Plain numbers only.  trap.c, cpu.c and context.c assert each offset.
 */
#ifndef MACHINE_ASM_H
#define MACHINE_ASM_H

/* struct cpu (arch/cpu.h) */
#define CPU_ID	     0
#define CPU_THREAD   8
#define CPU_KSTACK   16
#define CPU_SCRATCH0 24
#define CPU_SELF     32 /* scratch[1]: the address of the structure */
#define CPU_HWID     56
#define CPU_COUNTER  64
#define CPU_SIZE     448

/* struct thread (proc/proc.h) */
#define THREAD_WORK 0

/* struct trapframe (machine/trap.h) */
#define TF_R15	  0
#define TF_R14	  8
#define TF_R13	  16
#define TF_R12	  24
#define TF_RBP	  32
#define TF_RBX	  40
#define TF_R11	  48
#define TF_R10	  56
#define TF_R9	  64
#define TF_R8	  72
#define TF_RAX	  80
#define TF_RCX	  88
#define TF_RDX	  96
#define TF_RSI	  104
#define TF_RDI	  112
#define TF_SYSNO  120
#define TF_UNUSED 128
#define TF_VECTOR 136
#define TF_ERROR  144
#define TF_RIP	  152
#define TF_CS	  160
#define TF_RFLAGS 168
#define TF_RSP	  176
#define TF_SS	  184
#define TF_SIZE	  192

/* struct context (machine/context.h) */
#define CTX_RIP 0
#define CTX_RSP 8
#define CTX_RBX 16
#define CTX_RBP 24
#define CTX_R12 32
#define CTX_R13 40
#define CTX_R14 48
#define CTX_R15 56

/* struct tss (desc.c) */
#define TSS_RSP0  4
#define TSS_SHIFT 7 /* log2 of its size with padding */

/* Kernel stacks: KSTACK_SIZE = KSTACK_PAGES pages, a power of 2. */
#define KSTACK_SHIFT	14
#define KSTACK_SIZE	(1 << KSTACK_SHIFT)
#define EMERGENCY_SHIFT 13 /* stacks of double faults and NMIs */

/* Selectors: the numbers that Linux programs see, so that SYSCALL finds kernel
 * code and data, SYSRET user data and code behind each other. */
#define KERNEL_CS 0x10
#define KERNEL_SS 0x18
#define BOOT_CS32 0x20 /* not in the GDTs after boot */
#define USER_SS	  0x2b
#define USER_CS	  0x33
#define TSS_SEL	  0x40

/* Vectors that assembly treats by name; below VECTOR_IRQ: exceptions. */
#define VECTOR_NMI	   2
#define VECTOR_DOUBLEFAULT 8
#define VECTOR_MACHINE	   18
#define VECTOR_IRQ	   32

/* Control registers. */
#define CR0_PE	   0x1
#define CR0_MP	   0x2
#define CR0_NE	   0x20
#define CR0_WP	   0x10000
#define CR0_AM	   0x40000
#define CR0_PG	   0x80000000
#define CR4_PAE	   0x20
#define CR4_PGE	   0x80
#define CR4_FXSR   0x200
#define CR4_XMM	   0x400
#define CR4_SMEP   0x100000
#define CR4_SMAP   0x200000
#define RFLAGS_IF  0x200

/* Never set in the kernel: DF, since compilers rely on it, and AC, which opens
 * SMAP. */
#define RFLAGS_NOT_HERE 0x40400

/* Model-specific registers. */
#define MSR_APIC_BASE	   0x1b
#define MSR_EFER	   0xc0000080
#define MSR_STAR	   0xc0000081
#define MSR_LSTAR	   0xc0000082
#define MSR_SFMASK	   0xc0000084
#define MSR_FS_BASE	   0xc0000100
#define MSR_GS_BASE	   0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102 /* the user's, while in the kernel */
#define EFER_SCE	   0x1
#define EFER_LME	   0x100
#define EFER_NXE	   0x800

/* The image is linked this far above its physical address. */
#define IMAGE_OFFSET 0xffffffff80000000
#define DIRECT_BASE  0xffff800000000000

/* User addresses end one page below what is canonical: so no system call
 * returns to an address that SYSRET cannot load. */
#define USER_END 0x00007ffffffff000

/* Where other CPUs begin, in real mode: a page below 1 MiB. */
#define TRAMPOLINE 0x8000

#endif
