/* SPDX-License-Identifier: MIT */
/*
 * statfs.h - struct statfs as Linux lays it out on 64-bit machines.
 */
#ifndef ABI_STATFS_H
#define ABI_STATFS_H

#include <stdint.h>

struct statfs {
	uint64_t	f_type;
	uint64_t	f_bsize;
	uint64_t	f_blocks;
	uint64_t	f_bfree;
	uint64_t	f_bavail;
	uint64_t	f_files;
	uint64_t	f_ffree;
	int32_t		f_fsid[2];
	uint64_t	f_namelen;
	uint64_t	f_frsize;
	uint64_t	f_flags;
	uint64_t	f_spare[4];
};
_Static_assert(sizeof(struct statfs) == 120, "struct statfs");

#define ST_RDONLY	 0x0001
#define EXT2_SUPER_MAGIC 0xef53

#endif /* ABI_STATFS_H */
