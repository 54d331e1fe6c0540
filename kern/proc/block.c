/* SPDX-License-Identifier: MIT */
/*
 * block.c - the list of block devices; starting requests and waiting for them.
 *
 * Path: file systems -> HERE -> dev/ramdisk.c, dev/virtio_blk.c -> block_done.
 * Locks: none; the list is complete before the first file system is mounted.
 * A batch may be gone as soon as its last request is counted off, so the wait
 * queue is the device's.
 */
#include "abi/errno.h"
#include "lib/string.h"
#include "proc/block.h"

static struct block_device *devices;

void
block_register(struct block_device *bd)
{
	waitq_init(&bd->wq, "block");
	bd->next = devices;
	devices = bd;
}

struct block_device *
block_find(const char *name)
{
	struct block_device *bd = devices;

	while (bd != NULL && strcmp(bd->name, name) != 0)
		bd = bd->next;
	return bd;
}

void
block_start(struct block_device *bd, struct block_request *rq,
    struct block_batch *batch)
{
	rq->batch = batch;
	__atomic_fetch_add(&batch->pending, 1, __ATOMIC_RELAXED);
	if (rq->op != BLOCK_FLUSH && rq->block >= bd->nblocks)
		block_done(bd, rq, EIO);
	else
		bd->ops->start(bd, rq);
}

void
block_done(struct block_device *bd, struct block_request *rq, int error)
{
	struct block_batch *batch = rq->batch;

	rq->error = error;
	if (error != 0)
		__atomic_store_n(&batch->error, error, __ATOMIC_RELAXED);
	if (__atomic_sub_fetch(&batch->pending, 1, __ATOMIC_RELEASE) == 0)
		waitq_wake_all(&bd->wq);
}

int
block_finish(struct block_device *bd, struct block_batch *batch)
{
	for (;;) {
		uint32_t seq = waitq_sequence(&bd->wq);

		if (__atomic_load_n(&batch->pending, __ATOMIC_ACQUIRE) == 0)
			return batch->error;
		(void)waitq_wait(&bd->wq, seq, WAIT_FOREVER, DEADLINE_NONE);
	}
}

static int
one(struct block_device *bd, enum block_op op, uint64_t block, void *data)
{
	struct block_request rq = { .op = op, .block = block, .data = data };
	struct block_batch batch = { 0 };

	block_start(bd, &rq, &batch);
	return block_finish(bd, &batch);
}

int
block_read(struct block_device *bd, uint64_t block, void *dst)
{
	return one(bd, BLOCK_READ, block, dst);
}

int
block_write(struct block_device *bd, uint64_t block, const void *src)
{
	return one(bd, BLOCK_WRITE, block, (char *)(uintptr_t)src);
}

int
block_flush(struct block_device *bd)
{
	return one(bd, BLOCK_FLUSH, 0, NULL);
}
