/* SPDX-License-Identifier: MIT */
/**
 * @file block.h
 * Contract between block drivers (dev) and file systems (fs).
 *
 * A device is an array of 4 KiB blocks.  Both calls are synchronous for now;
 * a driver with an interrupt waits inside.  The numbers that reach a driver
 * are in range: block.c checks them, because a damaged file system may name
 * any block.
 */
#ifndef PROC_BLOCK_H
#define PROC_BLOCK_H

#include "lib/types.h"

#define BLOCK_SIZE PAGE_SIZE

struct block_device;

struct block_ops {
	/** Fill @p dst, BLOCK_SIZE bytes of the direct map. @retval EIO */
	int (*read)(struct block_device *, uint64_t block, void *dst);
	/** @retval EIO @retval EROFS */
	int (*write)(struct block_device *, uint64_t block, const void *src);
	/** Where the block stands in memory, for devices that are memory: file
	 * data then needs one copy only. NULL: no such device. */
	const void *(*direct)(struct block_device *, uint64_t block);
};

/** A driver fills in the first part and registers it. */
struct block_device {
	const struct block_ops *ops; /* [I] no NULL slots */
	const char *name;	     /* [I] "ram0" */
	uint64_t nblocks;	     /* [I] */
	void *priv;		     /* [I] of the driver */
	struct block_device *next;   /* [I] after boot: all devices */
};

/** @ctx boot, one CPU; never unregistered */
void block_register(struct block_device *);
/** NULL: no such device. */
struct block_device *block_find(const char *name);

/** @retval EIO also for a block beyond the end */
int __must_check block_read(struct block_device *, uint64_t block, void *dst);
int __must_check block_write(struct block_device *, uint64_t block,
    const void *src);
/** NULL: not in memory, or beyond the end; use block_read. */
const void *block_direct(struct block_device *, uint64_t block);

#endif
