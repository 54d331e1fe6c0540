/* SPDX-License-Identifier: MIT */
/*
 * cpu.h - the inline half of arch/cpu.h for x86-64.
 *
 * The GS base points to struct cpu for as long as the CPU is in the kernel.
 * The loads through it pretend to read cpus[], so that the compiler repeats
 * them after each call: a thread that moved to another CPU while it was blocked
 * sees the new one.
 */
#ifndef MACHINE_CPU_H
#define MACHINE_CPU_H

#include "lib/types.h"
#include "machine/asm.h"

static inline struct cpu *
this_cpu(void)
{
	struct cpu *c;

	__asm__("movq %%gs:%c1, %0"
		: "=r"(c)
		: "i"(CPU_SELF), "m"(cpus[0].scratch));
	return c;
}

static inline unsigned
cpu_id(void)
{
	unsigned id;

	__asm__("movl %%gs:%c1, %0" : "=r"(id) : "i"(CPU_ID), "m"(cpus[0].id));
	return id;
}

static inline void
intr_enable(void)
{
	__asm__ volatile("sti" ::: "memory");
}

/* Volatile, also where nobody wants the answer: after intr_enable() these two
 * instructions are what intr_disable() leaves open, since interrupts come one
 * instruction after sti.  The idle loop needs that. */
static inline bool
intr_enabled(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags)::"memory");
	return flags & RFLAGS_IF;
}

static inline bool
intr_disable(void)
{
	bool on = intr_enabled();

	__asm__ volatile("cli" ::: "memory");
	return on;
}

static inline void
intr_restore(bool on)
{
	if (on)
		intr_enable();
}

/** Booted with relax=none. (timer.c) */
extern bool cpu_relax_none;

/* Yields the emulated CPU, so that relax=wfi has nothing to add here; with
 * relax=none it does not. */
static inline void
cpu_relax(void)
{
	if (unlikely(cpu_relax_none))
		__asm__ volatile("" ::: "memory");
	else
		__asm__ volatile("pause" ::: "memory");
}

/* Stores to memory and page-table walks of others: loads may pass neither. */
static inline void
mb(void)
{
	__asm__ volatile("lock; orl $0, (%%rsp)" ::: "memory", "cc");
}

static inline uint64_t
cpu_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

static inline uint64_t
msr_read(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
	return (uint64_t)high << 32 | low;
}

static inline void
msr_write(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)v),
			 "d"((uint32_t)(v >> 32))
			 : "memory");
}

#define cr_read(n)                                                         \
	({                                                                 \
		uint64_t v_;                                               \
		__asm__ volatile("movq %%cr" #n ", %0" : "=r"(v_)::"memory"); \
		v_;                                                        \
	})
#define cr_write(n, v) \
	__asm__ volatile("movq %0, %%cr" #n ::"r"((uint64_t)(v)) : "memory")

static inline uint8_t
port_read8(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void
port_write8(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port));
}

static inline void
port_write16(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %0, %1" ::"a"(v), "Nd"(port));
}

static inline uint32_t
port_read32(uint16_t port)
{
	uint32_t v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void
port_write32(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %1" ::"a"(v), "Nd"(port));
}

#endif
