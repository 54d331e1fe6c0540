/* SPDX-License-Identifier: MIT */
/*
 * stat_tern.h - the kernel's counters: tern_stat(2), /proc/vmstat.
 *
 * LEVEL rows say how much of a resource is in use now (a leak check compares
 * them), EVENT rows only grow.  New rows go to the end of their list.
 * Assembly may include this file for the lists.
 */
#ifndef ABI_STAT_TERN_H
#define ABI_STAT_TERN_H

#define TERN_STAT_LEVELS(X)						\
	X(frames_total,		"frames of the allocator")		\
	X(frames_free,		"of them free, caches and slabs too")	\
	X(slab_bytes,		"bytes of live kmem objects")		\
	X(slab_objects,		"live kmem objects")			\
	X(page_tables,		"page-table frames in use")		\
	X(processes,		"processes, zombies included")		\
	X(threads,		"threads, exiting ones included")	\
	X(spaces,		"address spaces")			\
	X(regions,		"regions of all spaces")		\
	X(files,		"open files")				\
	X(pipes,		"pipes")				\
	X(inodes,		"inodes in use")			\
	X(futex_waiters,	"threads asleep in futex")		\
	X(pinned_pages,		"pins held on user pages")		\
	X(object_pages,		"resident pages of memory objects")	\
	X(swap_slots,		"swap slots in use")

#define TERN_STAT_EVENTS(X)						\
	X(faults,		"page faults taken")			\
	X(zero_fills,		"pages given out zeroed")		\
	X(cow_copies,		"copy-on-write faults that copied")	\
	X(cow_reuses,		"of the last owner: did not copy")	\
	X(spurious_faults,	"the leaf was already good enough")	\
	X(shootdowns,		"flushes of a gather")			\
	X(shootdown_targets,	"other CPUs asked by them")		\
	X(shootdown_pages,	"pages named by them")			\
	X(shootdown_full,	"of them, whole spaces")		\
	X(shootdown_waits,	"flushes that had to wait")		\
	X(ipis_sent,		"inter-processor interrupts")		\
	X(asid_rollovers,	"new ASID generations")			\
	X(context_switches,	"switches between threads")		\
	X(interrupts,		"device and timer interrupts")		\
	X(syscalls,		"system calls")				\
	X(forks,		"new processes")			\
	X(clones,		"new threads")				\
	X(execs,		"programs started")			\
	X(exits,		"processes ended")			\
	X(signals,		"signals delivered to a handler")	\
	X(oom_kills,		"processes ended for memory")		\
	X(failed_allocs,	"allocations that failed by failat")	\
	X(cache_reads,		"pages read into the page cache")	\
	X(cache_writes,		"pages written back from it")		\
	X(mapping_edits,	"L4 mapping nodes made, moved, removed") \
	X(collapses,		"objects merged into their shadow")	\
	X(bypasses,		"links of a shadow chain skipped")	\
	X(swap_ins,		"pages read from swap")			\
	X(swap_outs,		"pages written to swap")

#ifndef __ASSEMBLER__
#include <stdint.h>

enum tern_stat_index {
#define TERN_STAT_ENUM(name, text)	TS_##name,
	TERN_STAT_LEVELS(TERN_STAT_ENUM)
	TS_NLEVELS,
	TS_LAST_LEVEL = TS_NLEVELS - 1,
	TERN_STAT_EVENTS(TERN_STAT_ENUM)
#undef TERN_STAT_ENUM
	TS_COUNT
};

struct tern_stat {
	uint64_t	v[TS_COUNT];
};
#endif /* !__ASSEMBLER__ */

/**
 * @fn ssize_t tern_stat(struct tern_stat *st, size_t size)
 * Read the kernel's counters.
 *
 * Copies no more than @p size bytes, so that a program may be older or newer
 * than the kernel.
 * @return how many bytes were stored
 * @retval EFAULT the buffer cannot be written
 */

/**
 * @fn int tern_fail(unsigned long nth)
 * Let the n-th allocation of the calling thread from now on fail, once.
 *
 * For tests of error paths; 0 disarms.
 * @return how many allocations were counted since it was armed before
 */

#endif /* ABI_STAT_TERN_H */
