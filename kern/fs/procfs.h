/* SPDX-License-Identifier: MIT */
/** @file procfs.h Between procfs.c (names) and procfs_text.c (contents). */
#ifndef FS_PROCFS_H
#define FS_PROCFS_H

#include "lib/printf.h"
#include "proc/proc.h"

/** The directories; each entry names the one that it stands in. */
enum procfs_dir {
	PROCFS_NONE,
	PROCFS_ROOT,
	PROCFS_TERN, /* /proc/tern */
	PROCFS_PID,  /* /proc/PID, once for each process */
};

struct procfs_entry {
	const char *name;
	uint8_t in;	/* enum procfs_dir */
	uint8_t dir;	/* of a directory: which one it is */
	uint32_t mode;
	/** Text of a file; @p p is NULL outside of /proc/PID.
	 * @pre file position lock held, so user memory cannot be faulted in */
	void (*show)(struct sink *, struct proc *p);
};

/** The first is the root, the second any /proc/PID. */
extern const struct procfs_entry procfs_entries[];
extern const unsigned procfs_nentries;

#endif
