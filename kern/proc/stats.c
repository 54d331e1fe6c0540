/* SPDX-License-Identifier: MIT */
/*
 * stats.c - one snapshot of all counters.
 *
 * Path: tern_stat (sys), /proc/vmstat, /proc/meminfo -> HERE.
 * Locks: those of the allocators, one after the other.
 */
#include "mem/frame.h"
#include "mem/kmem.h"
#include "proc/proc.h"
#include "proc/stats.h"
#include "sync/counter.h"
#include "vm/swap.h"

void
stats_read(struct tern_stat *st)
{
	for (unsigned i = 0; i < TS_COUNT; i++)
		st->v[i] = counter_read((enum tern_stat_index)i);
	st->v[TS_frames_total] = frame_total();
	/* What caches hold is free: so a leak shows as an exact difference.
	 * Live objects in slabs have rows of their own. */
	st->v[TS_frames_free] = frame_free_count() + kstack_cached_frames() +
	    pmap_tables_cached() + kmem_slab_frames() + vm_object_cached();
	st->v[TS_swap_slots] = swap_used();
	st->v[TS_slab_bytes] = kmem_used_bytes();
	st->v[TS_slab_objects] = kmem_used_objects();
}
