/* SPDX-License-Identifier: MIT */
/** @file procfs.h Between procfs.c (names) and procfs_text.c (contents). */
#ifndef FS_PROCFS_H
#define FS_PROCFS_H

#include "lib/printf.h"
#include "proc/proc.h"

/** A file: its text, made at the time of the first read. */
struct procfs_file {
	const char *name;
	/** @p p is NULL for files that belong to no process.
	 * @pre file position lock held, so user memory cannot be faulted in */
	void (*show)(struct sink *, struct proc *p);
};

extern const struct procfs_file procfs_root_files[];
extern const struct procfs_file procfs_pid_files[];
extern const struct procfs_file procfs_tern_files[];
extern const unsigned procfs_nroot, procfs_npid, procfs_ntern;

#endif
