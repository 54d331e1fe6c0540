/* SPDX-License-Identifier: MIT */
/*
 * cpu.h - the inline half of arch/cpu.h for RISC-V.
 *
 * The CPU pointer lives in tp for as long as the CPU is in the kernel; a field
 * of struct cpu is one load.  The compiler reads tp again after each call, so
 * a thread that moved to another CPU while it was blocked sees the new one.
 */
#ifndef MACHINE_CPU_H
#define MACHINE_CPU_H

#include "lib/types.h"
#include "machine/asm.h"

register struct cpu *riscv_tp __asm__("tp");

#define csr_read(csr)                                                    \
	({                                                               \
		uint64_t v_;                                             \
		__asm__ volatile("csrr %0, " #csr : "=r"(v_)::"memory"); \
		v_;                                                      \
	})
#define csr_write(csr, v) \
	__asm__ volatile("csrw " #csr ", %0" ::"rK"((uint64_t)(v)) : "memory")
#define csr_set(csr, v) \
	__asm__ volatile("csrs " #csr ", %0" ::"rK"((uint64_t)(v)) : "memory")
#define csr_clear(csr, v) \
	__asm__ volatile("csrc " #csr ", %0" ::"rK"((uint64_t)(v)) : "memory")

static inline struct cpu *
this_cpu(void)
{
	return riscv_tp;
}

static inline unsigned
cpu_id(void)
{
	return (unsigned)this_cpu()->id;
}

static inline void
intr_enable(void)
{
	csr_set(sstatus, SSTATUS_SIE);
}

static inline bool
intr_disable(void)
{
	uint64_t old;

	__asm__ volatile("csrrci %0, sstatus, %1"
			 : "=r"(old)
			 : "i"(SSTATUS_SIE)
			 : "memory");
	return old & SSTATUS_SIE;
}

static inline void
intr_restore(bool on)
{
	if (on)
		intr_enable();
}

static inline bool
intr_enabled(void)
{
	return csr_read(sstatus) & SSTATUS_SIE;
}

/** Booted with relax=wfi. (timer.c) */
extern bool cpu_relax_wfi;
void cpu_relax_slow(void);

static inline void
cpu_relax(void)
{
	if (unlikely(cpu_relax_wfi))
		cpu_relax_slow();
	else
		__asm__ volatile(".4byte 0x0100000f" ::: "memory"); /* pause */
}

static inline void
mb(void)
{
	__asm__ volatile("fence" ::: "memory");
}

#endif
