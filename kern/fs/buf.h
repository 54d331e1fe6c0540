/* SPDX-License-Identifier: MIT */
/**
 * @file buf.h
 * Cache of disk blocks for file-system metadata.
 *
 * A fixed number of buffers, made at boot, so that reading files never changes
 * how much memory the kernel uses.  The least recently used one is taken
 * for a block that is not cached.
 */
#ifndef FS_BUF_H
#define FS_BUF_H

#include "lib/list.h"
#include "proc/block.h"
#include "sync/sleeplock.h"

#define BUF_COUNT 64

/** Letters: l the cache's lock, h holder of a reference may read. */
struct buf {
	struct list hash;	/* [l] */
	struct list lru;	/* [l] linked when refs = 0 */
	struct block_device *dev; /* [l] NULL: holds nothing */
	uint64_t block;		/* [l] */
	uint32_t refs;		/* [l] */
	bool valid;		/* [load] the data were read */
	struct sleeplock load;	/* RANK_BUF */
	uint8_t *data;		/* [h] BLOCK_SIZE bytes; pointer immutable */
};

/** @retval ENOMEM @ctx boot */
int __must_check buf_init(void);
/**
 * The contents of @p block, until buf_put.
 * @pre the caller holds no other buffer (so waiting for one cannot deadlock)
 * @retval EIO
 */
int __must_check buf_get(struct block_device *, uint64_t block,
    struct buf **out);
void buf_put(struct buf *);
/** Forget all blocks of a device. @pre none of them is in use */
void buf_forget(struct block_device *);

#endif
