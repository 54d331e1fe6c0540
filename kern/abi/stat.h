/* SPDX-License-Identifier: MIT */
/*
 * stat.h - struct stat as the kernel writes it, and file modes.
 */
#ifndef ABI_STAT_H
#define ABI_STAT_H

#include <stdint.h>

#if defined(__riscv)
struct stat {
	uint64_t	st_dev;
	uint64_t	st_ino;
	uint32_t	st_mode;
	uint32_t	st_nlink;
	uint32_t	st_uid;
	uint32_t	st_gid;
	uint64_t	st_rdev;
	uint64_t	st_pad1;
	int64_t		st_size;
	int32_t		st_blksize;
	int32_t		st_pad2;
	int64_t		st_blocks;	/* units of 512 bytes */
	int64_t		st_atime;
	uint64_t	st_atime_nsec;
	int64_t		st_mtime;
	uint64_t	st_mtime_nsec;
	int64_t		st_ctime;
	uint64_t	st_ctime_nsec;
	uint32_t	st_unused[2];
};
_Static_assert(sizeof(struct stat) == 128, "struct stat");
#elif defined(__x86_64__)
struct stat {
	uint64_t	st_dev;
	uint64_t	st_ino;
	uint64_t	st_nlink;
	uint32_t	st_mode;
	uint32_t	st_uid;
	uint32_t	st_gid;
	uint32_t	st_pad0;
	uint64_t	st_rdev;
	int64_t		st_size;
	int64_t		st_blksize;
	int64_t		st_blocks;	/* units of 512 bytes */
	int64_t		st_atime;
	uint64_t	st_atime_nsec;
	int64_t		st_mtime;
	uint64_t	st_mtime_nsec;
	int64_t		st_ctime;
	uint64_t	st_ctime_nsec;
	int64_t		st_unused[3];
};
_Static_assert(sizeof(struct stat) == 144, "struct stat");
#endif

#define S_IFMT	 0170000
#define S_IFIFO	 0010000
#define S_IFCHR	 0020000
#define S_IFDIR	 0040000
#define S_IFBLK	 0060000
#define S_IFREG	 0100000
#define S_IFLNK	 0120000
#define S_IFSOCK 0140000

#define S_ISFIFO(m)	(((m) & S_IFMT) == S_IFIFO)
#define S_ISCHR(m)	(((m) & S_IFMT) == S_IFCHR)
#define S_ISDIR(m)	(((m) & S_IFMT) == S_IFDIR)
#define S_ISBLK(m)	(((m) & S_IFMT) == S_IFBLK)
#define S_ISREG(m)	(((m) & S_IFMT) == S_IFREG)
#define S_ISLNK(m)	(((m) & S_IFMT) == S_IFLNK)

#endif /* ABI_STAT_H */
