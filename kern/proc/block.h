/* SPDX-License-Identifier: MIT */
/**
 * @file block.h
 * Contract between block drivers (dev) and their users (fs, swap).
 *
 * A device is an array of 4 KiB blocks.  Requests are started, any number at a
 * time, and waited for as a batch.  The numbers that reach a driver are in
 * range: block.c checks them, because a damaged file system may name any block.
 */
#ifndef PROC_BLOCK_H
#define PROC_BLOCK_H

#include "lib/list.h"
#include "sync/waitq.h"

#define BLOCK_SIZE PAGE_SIZE

struct block_device;

enum block_op { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH };

/** Requests that somebody waits for together; lives until block_finish(). */
struct block_batch {
	uint32_t pending; /* [a] */
	int error;	  /* [a] of one that failed */
};

struct block_request {
	enum block_op op;
	uint64_t block;
	void *data;	   /* BLOCK_SIZE bytes, page-aligned, direct map */
	int error;	   /* 0, EIO, EROFS; valid when it is done */
	struct block_batch *batch;
	struct list link;  /* of the driver */
};

struct block_ops {
	/** Start @p rq; block_done() follows, perhaps before this returns.
	 * Never sleeps. */
	void (*start)(struct block_device *, struct block_request *rq);
};

/** A driver fills in the first part and registers it. */
struct block_device {
	const struct block_ops *ops; /* [I] */
	const char *name;	     /* [I] "ram0", "vda" */
	uint64_t nblocks;	     /* [I] */
	void *priv;		     /* [I] of the driver */
	struct block_device *next;   /* [I] after boot: all devices */
	struct waitq wq;	     /* a request is done */
};

/** @ctx boot, one CPU; never unregistered */
void block_register(struct block_device *);
/** NULL: no such device. */
struct block_device *block_find(const char *name);

/** Start a request of @p batch, which begins as all zero. */
void block_start(struct block_device *, struct block_request *,
    struct block_batch *);
/** Wait for all of them. @retval EIO @retval EROFS one failed */
int __must_check block_finish(struct block_device *, struct block_batch *);
/** The driver's report. @ctx any, interrupts off or on */
void block_done(struct block_device *, struct block_request *, int error);

/* One request, started and waited for. @retval EIO also beyond the end */
int __must_check block_read(struct block_device *, uint64_t block, void *dst);
int __must_check block_write(struct block_device *, uint64_t block,
    const void *src);
/** What was written so far survives a power cut. */
int __must_check block_flush(struct block_device *);

#endif
