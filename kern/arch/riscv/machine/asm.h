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
#define CPU_SCRATCH1 32
#define CPU_HWID     56
#define CPU_COUNTER  64
#define CPU_SIZE     448

/* struct thread (proc/proc.h) */
#define THREAD_WORK 0

/* struct trapframe (machine/trap.h) */
#define TF_PC	  0
#define TF_RA	  8
#define TF_SP	  16
#define TF_GP	  24
#define TF_TP	  32
#define TF_T0	  40
#define TF_T1	  48
#define TF_T2	  56
#define TF_S0	  64
#define TF_S1	  72
#define TF_A0	  80
#define TF_A1	  88
#define TF_A2	  96
#define TF_A3	  104
#define TF_A4	  112
#define TF_A5	  120
#define TF_A6	  128
#define TF_A7	  136
#define TF_S2	  144
#define TF_S3	  152
#define TF_S4	  160
#define TF_S5	  168
#define TF_S6	  176
#define TF_S7	  184
#define TF_S8	  192
#define TF_S9	  200
#define TF_S10	  208
#define TF_S11	  216
#define TF_T3	  224
#define TF_T4	  232
#define TF_T5	  240
#define TF_T6	  248
#define TF_SYSNO  256
#define TF_ARG0	  264
#define TF_STATUS 272
#define TF_SIZE	  288

/* struct context (machine/context.h) */
#define CTX_RA	 0
#define CTX_SP	 8
#define CTX_GP	 16
#define CTX_S(n) (24 + 8 * (n))
#define CTX_T3	 120
#define CTX_T4	 128
#define CTX_T5	 136
#define CTX_T6	 144

/* struct fpu_state (machine/context.h) */
#define FPU_F(n) (8 * (n))
#define FPU_FCSR 256

/* Kernel stacks: KSTACK_SIZE = KSTACK_PAGES pages, a power of 2. */
#define KSTACK_SHIFT	14
#define KSTACK_SIZE	(1 << KSTACK_SHIFT)
#define EMERGENCY_SHIFT 13 /* the stack on which an overflow is reported */

/* Control registers. */
#define SSTATUS_SIE	   0x2
#define SSTATUS_SPIE	   0x20
#define SSTATUS_SPP	   0x100
#define SSTATUS_FS	   0x6000
#define SSTATUS_FS_INITIAL 0x2000
#define SSTATUS_FS_CLEAN   0x4000
#define SIE_SSIE	   0x2
#define SIE_STIE	   0x20
#define SIE_SEIE	   0x200
#define SATP_SV39	   (8 << 60)

/* scause */
#define CAUSE_ILLEGAL	 2
#define CAUSE_BREAKPOINT 3
#define CAUSE_ECALL_U	 8
#define CAUSE_PF_EXEC	 12
#define CAUSE_PF_LOAD	 13
#define CAUSE_PF_STORE	 15

/* The image is linked this far above its physical address. */
#define IMAGE_OFFSET 0xffffffff00000000
#define DIRECT_BASE  0xffffffc000000000

#endif
