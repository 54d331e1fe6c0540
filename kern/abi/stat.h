/* SPDX-License-Identifier: MIT */
/*
 * stat.h - struct stat and statx as the kernel writes them, and file modes.
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

struct statx_timestamp {
	int64_t		tv_sec;
	uint32_t	tv_nsec;
	int32_t		tv_pad;
};

struct statx {
	uint32_t	stx_mask;	/* what is filled in */
	uint32_t	stx_blksize;
	uint64_t	stx_attributes;
	uint32_t	stx_nlink;
	uint32_t	stx_uid;
	uint32_t	stx_gid;
	uint16_t	stx_mode;
	uint16_t	stx_pad0;
	uint64_t	stx_ino;
	uint64_t	stx_size;
	uint64_t	stx_blocks;	/* units of 512 bytes */
	uint64_t	stx_attributes_mask;
	struct statx_timestamp stx_atime;
	struct statx_timestamp stx_btime;
	struct statx_timestamp stx_ctime;
	struct statx_timestamp stx_mtime;
	uint32_t	stx_rdev_major;
	uint32_t	stx_rdev_minor;
	uint32_t	stx_dev_major;
	uint32_t	stx_dev_minor;
	uint64_t	stx_unused[14];
};
_Static_assert(sizeof(struct statx) == 256, "struct statx");

#define STATX_BASIC_STATS	0x7ffu
#define STATX__RESERVED		0x80000000u

/* A device number, as st_dev and st_rdev have it, in two halves. */
#define DEV_MAJOR(dev)	((uint32_t)((dev) >> 8 & 0xfff))
#define DEV_MINOR(dev)	((uint32_t)(((dev) & 0xff) | ((dev) >> 12 & 0xfff00)))

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
