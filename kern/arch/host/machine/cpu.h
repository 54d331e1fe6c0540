/* SPDX-License-Identifier: MIT */
/*
 * cpu.h - a simulated CPU: a pthread, or a stack that the one thread of the
 * deterministic mode switches to.
 *
 * Every call here is a point where an interrupt can come, where the simulation
 * may let another CPU run, and where a test may look in (host_point).
 */
#ifndef MACHINE_CPU_H
#define MACHINE_CPU_H

#include "lib/types.h"
#include "machine/point.h"

/* kern/arch/host/cpu.c */
bool host_intr_set(bool on);
bool host_intr_get(void);

extern _Thread_local struct cpu *host_cpu;

static inline struct cpu *
this_cpu(void)
{
	return host_cpu;
}

static inline unsigned
cpu_id(void)
{
	return (unsigned)host_cpu->id;
}

static inline bool
intr_disable(void)
{
	return host_intr_set(false);
}

static inline void
intr_enable(void)
{
	(void)host_intr_set(true);
}

static inline void
intr_restore(bool on)
{
	(void)host_intr_set(on);
}

static inline bool
intr_enabled(void)
{
	return host_intr_get();
}

static inline void
cpu_relax(void)
{
	host_point(HOST_RELAX);
}

#ifdef __SANITIZE_THREAD__
/* The race detector knows no fences; a shared read-modify-write orders more. */
extern uint32_t host_fence_word;
#define host_fence() __atomic_fetch_add(&host_fence_word, 1, __ATOMIC_SEQ_CST)
#else
#define host_fence() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif

static inline void
mb(void)
{
	host_fence();
	host_point(HOST_MB);
}

#endif
