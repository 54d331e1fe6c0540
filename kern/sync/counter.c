/* SPDX-License-Identifier: MIT */
/* counter.c - sums of the event counters. */
#include "sync/counter.h"

uint64_t
counter_read(enum tern_stat_index id)
{
	uint64_t sum = 0;

	for (unsigned c = 0; c < MAXCPU; c++)
		sum += __atomic_load_n(&cpus[c].counter[id], __ATOMIC_RELAXED);
	return sum;
}
