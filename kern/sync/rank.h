/* SPDX-License-Identifier: MIT */
/**
 * @file rank.h
 * The lock order, as one enum.
 *
 * A context may take a lock only if its rank is greater than the rank of every
 * lock that it holds; DEBUG builds assert it.  Two locks of one rank need a
 * written order and lock_nested(): by address, or as the comment says.
 * Paths against the order use try-lock and back off.  Sleeping with a spin
 * lock held is a panic, whatever the ranks.
 */
#ifndef SYNC_RANK_H
#define SYNC_RANK_H

enum lock_rank {
	RANK_NONE = 0,	/* not checked: early boot, panic path */

	/* Sleep locks; may be held over a sleep. */
	RANK_FS,	/* file system tree, inode, file offset; user pages are
			 * pinned before any of them */
	RANK_PIPE,	/* pipes, tty: as RANK_FS */
	RANK_NAMES,	/* directories of one file system */
	RANK_REAP,	/* files without names and users are being freed */
	RANK_INODE,	/* contents of one file */
	RANK_SYNC,	/* one file system is being written */
	RANK_ALLOC,	/* its bitmaps; then BUSY of one page (vm/object.h) */
	RANK_PROC,	/* process tree and signal actions */
	RANK_SPACE_LIST,/* list of all address spaces */
	RANK_SPACE,	/* (1) vmspace; fork: parent, then unpublished child */
	RANK_MAP,	/* Mach: which object an entry has */
	RANK_OBJECT,	/* (2) design objects; Mach: object before its shadow,
			 *     L4: frame locks, two in pfn order */

	/* Spin locks that are never taken in interrupts. */
	RANK_ICACHE,	/* which inode is where */
	RANK_PAGE,	/* (3) page busy bit */
	RANK_PAGEQ,	/* (4) page queues */
	RANK_PAGER,	/* L4: pages of one client of the root pager */
	RANK_MAPPING,	/* L4: frame locks, two in order of their address */
	RANK_PMAP,	/* (5) pmap */
	RANK_PV,	/* (6) reverse maps */
	RANK_ASID,	/* (7) allocators, in this order */
	RANK_KMEM,
	RANK_FRAME,
	RANK_MISC,	/* leaf locks of single modules */

	/* Spin locks taken with interrupts off. */
	RANK_TREE,	/* process tree and table of ids */
	RANK_SIGNAL,	/* threads and signals of one process */
	RANK_TTY,	/* the terminal's line discipline */
	RANK_DISK,	/* queue of one disk */
	RANK_WAITQ,	/* wait queues */
	RANK_TIMER,	/* sleeping threads by deadline */
	RANK_SCHED,	/* run queues, thread state */
	RANK_CONSOLE,	/* output; anybody may print */
};

#endif
