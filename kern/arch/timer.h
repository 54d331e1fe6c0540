/* SPDX-License-Identifier: MIT */
/**
 * @file timer.h
 * Port contract: time since boot and one interrupt a CPU.
 */
#ifndef ARCH_TIMER_H
#define ARCH_TIMER_H

#include "lib/types.h"

/** Nanoseconds since boot; monotonic, the same on all CPUs. @ctx any */
ns_t timer_now(void);

/** Nanoseconds since 1970-01-01, as far as the machine knows. */
ns_t timer_realtime(void);

/**
 * Interrupt this CPU at @p when (timer_now() scale); one shot, replaces the
 * previous setting.  A time in the past interrupts at once.
 */
void timer_arm(ns_t when);

/** Called by the port in interrupt context (proc/sched.c); re-arms. */
void sched_tick(void);

#endif
