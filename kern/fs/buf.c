/* SPDX-License-Identifier: MIT */
/*
 * buf.c - cache of disk blocks for file-system metadata.
 *
 * Path: ext2*.c -> HERE -> block_read (proc/block.c).
 * Locks: buf_lock, never held over I/O; a buffer is marked loading instead
 *	and those who want the same block wait on buf_wq.
 * Invariants: at most one buffer per block; a buffer is in the LRU list
 *	exactly when refs = 0; loading implies refs > 0.
 */
#include "abi/errno.h"
#include "fs/buf.h"
#include "mem/frame.h"
#include "sync/spinlock.h"
#include "sync/waitq.h"

#define HASH_SIZE 64

static struct spinlock buf_lock = SPINLOCK_INIT(RANK_MISC, "buf");
static struct waitq buf_wq = WAITQ_INIT(buf_wq);
static struct list buf_lru = LIST_INIT(buf_lru); /* oldest first */
static struct list buf_hash[HASH_SIZE];
static struct buf bufs[BUF_COUNT];

int
buf_init(void)
{
	struct vm_page *pg;

	for (unsigned i = 0; i < HASH_SIZE; i++)
		list_init(&buf_hash[i]);
	for (unsigned i = 0; i < BUF_COUNT; i++) {
		pg = frame_alloc(FRAME_NOFAIL_POINT);
		if (pg == NULL)
			return ENOMEM;
		bufs[i].data = page_to_virt(pg);
		list_init(&bufs[i].hash);
		list_push_back(&buf_lru, &bufs[i].lru);
	}
	return 0;
}

static struct list *
bucket(uint64_t block)
{
	return &buf_hash[block % HASH_SIZE];
}

/* The buffer of a block with a new reference, or NULL. */
static struct buf *
buf_find_locked(struct block_device *dev, uint64_t block)
{
	LIST_FOREACH(l, bucket(block)) {
		struct buf *b = LIST_ENTRY(l, struct buf, hash);

		if (b->block == block && b->dev == dev) {
			if (b->refs++ == 0)
				list_remove(&b->lru);
			return b;
		}
	}
	return NULL;
}

/* The oldest unused buffer, now for this block and loading; NULL: none. */
static struct buf *
buf_recycle_locked(struct block_device *dev, uint64_t block)
{
	struct list *l = list_pop_front(&buf_lru);
	struct buf *b;

	if (l == NULL)
		return NULL;
	b = LIST_ENTRY(l, struct buf, lru);
	list_remove(&b->hash);
	b->dev = dev;
	b->block = block;
	b->refs = 1;
	b->loading = true;
	list_push_front(bucket(block), &b->hash);
	return b;
}

static void
buf_put_locked(struct buf *b)
{
	KASSERT(b->refs > 0);
	if (--b->refs > 0)
		return;
	if (b->dev != NULL) {
		list_push_back(&buf_lru, &b->lru);
	} else {
		list_remove(&b->hash);
		list_push_front(&buf_lru, &b->lru);
	}
	if (unlikely(buf_lru.next->next == &buf_lru))
		waitq_wake_all(&buf_wq); /* somebody may wait for any buffer */
}

/* Fill a loading buffer; on failure nobody finds it any more. */
static int
buf_load(struct buf *b)
{
	int error = block_read(b->dev, b->block, b->data);

	spin_lock(&buf_lock);
	b->loading = false;
	if (error != 0) {
		b->dev = NULL;
		list_remove(&b->hash);
		buf_put_locked(b);
	}
	spin_unlock(&buf_lock);
	waitq_wake_all(&buf_wq);
	return error;
}

int
buf_get(struct block_device *dev, uint64_t block, struct buf **out)
{
	struct buf *b;
	uint32_t seq;
	int error = 0;

	for (;;) {
		spin_lock(&buf_lock);
		b = buf_find_locked(dev, block);
		if (b != NULL && !b->loading)
			break;
		if (b != NULL) {
			b->refs--; /* its loader keeps it */
		} else {
			b = buf_recycle_locked(dev, block);
			if (b != NULL) {
				spin_unlock(&buf_lock);
				error = buf_load(b);
				*out = b;
				return error;
			}
		}
		seq = waitq_sequence(&buf_wq);
		spin_unlock(&buf_lock);
		(void)waitq_wait(&buf_wq, seq, WAIT_FOREVER, DEADLINE_NONE);
	}
	spin_unlock(&buf_lock);
	*out = b;
	return 0;
}

void
buf_put(struct buf *b)
{
	spin_lock(&buf_lock);
	buf_put_locked(b);
	spin_unlock(&buf_lock);
}

void
buf_forget(struct block_device *dev)
{
	spin_lock(&buf_lock);
	for (unsigned i = 0; i < BUF_COUNT; i++) {
		struct buf *b = &bufs[i];

		if (b->dev != dev)
			continue;
		KASSERT(b->refs == 0);
		b->dev = NULL;
		list_remove(&b->hash);
	}
	spin_unlock(&buf_lock);
}
