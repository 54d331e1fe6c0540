/* SPDX-License-Identifier: MIT */
/**
 * @file cpu.h
 * Port contract: what a CPU is, interrupts on and off, barriers, start-up.
 *
 * Implemented by kern/arch/PORT/cpu.c and kern/arch/PORT/machine/cpu.h (the
 * inline part: this_cpu, intr_*, cpu_relax, mb, counter_cycles).
 */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include "abi/stat_tern.h"
#include "lib/types.h"

struct thread;
struct lockset;
struct pmap;

/**
 * Per-CPU block of the machine-independent kernel.  Modules with more state
 * a CPU keep their own array [MAXCPU] indexed by cpu_id().
 * Locks: I immutable after cpu start, c this CPU only, a atomic.
 * Assembly knows the offsets of thread, kstack, scratch and counter.
 */
struct cpu {
	uint64_t id;		 /* [I] 0..ncpu-1, dense; not the hart id */
	struct thread *thread;	 /* [c] running now; idle thread if none */
	uintptr_t kstack;	 /* [c] top of its kernel stack */
	uintptr_t scratch[2];	 /* [c] for trap entry only */
	struct lockset *locks;	 /* [c] DEBUG: locks held by the context */
	unsigned irq_depth;	 /* [c] DEBUG: > 0 in an interrupt handler */
	uint64_t hwid;		 /* [I] hart id or local APIC id */
	uint64_t counter[TS_COUNT]; /* [c] sync/counter.h */
	struct pmap *pmap;	 /* [c] loaded (pmap_cpu.c); NULL: kernel's */
} __cacheline;

extern struct cpu cpus[MAXCPU];
/** CPUs that are online; constant once main() has started them all. */
extern unsigned ncpu;

/*
 * machine/cpu.h defines, all inline:
 *
 * struct cpu *this_cpu(void);   this CPU's block
 * unsigned cpu_id(void);        this_cpu()->id; stable while the thread does
 *                               not block (the kernel is not preemptive)
 * bool intr_disable(void);      interrupts off; returns whether they were on
 * void intr_enable(void);
 * void intr_restore(bool on);   undo intr_disable
 * bool intr_enabled(void);
 * void cpu_relax(void);         body of every spin loop: yields the emulated
 *                               CPU when booted with relax=wfi
 * void mb(void);                full fence between loads, stores and page-table
 *                               walks of any CPU
 * void *cpu_return_address / frame pointers: see trap.h backtrace
 */
#include "machine/cpu.h"

/**
 * Start every other CPU; each runs @p entry on its own boot stack with
 * interrupts off, this_cpu() valid and the kernel's page table loaded.
 * Returns when all of them have called cpu_online().
 */
void cpu_start_others(void (*entry)(void));
void cpu_online(void);

/** Wait for an interrupt; interrupts are off before and after.
 * Returns also when one is pending, so that a check followed by cpu_idle
 * loses no wake-up. */
void cpu_idle(void);

/** Stop all other CPUs for a panic; never waits for ever. */
void cpu_stop_others(void);

/** Switch the machine off; @p code 0 is success. */
void cpu_poweroff(int code) __attribute__((noreturn));

/** Write the return addresses of this context, innermost first.
 * @return how many; needs frame pointers, else 0 */
unsigned cpu_backtrace(uintptr_t *pcs, unsigned max);

#endif
