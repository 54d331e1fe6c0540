/* SPDX-License-Identifier: MIT */
/*
 * counter.h - event counters, one set a CPU, summed when read.
 *
 * Adding is one plain load and store to this CPU's own block: cheap enough for
 * every fault.  Names come from abi/stat_tern.h, so that a counter is readable
 * from user mode (tern_stat, /proc/vmstat) as soon as it exists.
 * An interrupt that counts the same event may lose one increment; counters
 * that a test compares exactly are never counted in interrupts.
 */
#ifndef SYNC_COUNTER_H
#define SYNC_COUNTER_H

#include "abi/stat_tern.h"
#include "arch/cpu.h"

static inline void
counter_add(enum tern_stat_index id, uint64_t n)
{
	this_cpu()->counter[id] += n;
}

/** Sum over all CPUs; a snapshot while others count. */
uint64_t counter_read(enum tern_stat_index id);

#endif
