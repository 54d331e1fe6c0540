/* SPDX-License-Identifier: MIT */
/*
 * buf.c - cache of disk blocks for file-system metadata.
 *
 * Path: ext2*.c -> HERE -> block_read (proc/block.c).
 * Locks: buf_lock (who holds what block), never over I/O; the first user of a
 *	block reads it under the buffer's own load lock, where others wait.
 * Invariants: at most one buffer per block; a buffer is in the LRU list
 *	exactly when refs = 0; it changes its block only then.
 */
#include "abi/errno.h"
#include "fs/buf.h"
#include "mem/frame.h"
#include "sync/spinlock.h"
#include "sync/waitq.h"

#define HASH_SIZE 64

static struct spinlock buf_lock = SPINLOCK_INIT(RANK_MISC, "buf");
static struct waitq buf_wq = WAITQ_INIT(buf_wq); /* for any buffer */
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
		sleeplock_init(&bufs[i].load, RANK_BUF, "buf");
		list_init(&bufs[i].hash);
		list_push_back(&buf_lru, &bufs[i].lru);
	}
	return 0;
}

/* The buffer of a block, or the oldest unused one made so; NULL: all are in
 * use. */
static struct buf *
buf_find_locked(struct block_device *dev, uint64_t block)
{
	struct list *head = &buf_hash[block % HASH_SIZE], *l;
	struct buf *b;

	for (l = head->next; l != head; l = l->next) {
		b = LIST_ENTRY(l, struct buf, hash);
		if (b->block == block && b->dev == dev)
			return b;
	}
	if (list_empty(&buf_lru))
		return NULL;
	b = LIST_ENTRY(buf_lru.next, struct buf, lru);
	KASSERT(b->refs == 0);
	b->dev = dev;
	b->block = block;
	b->valid = false;
	list_remove(&b->hash);
	list_push_front(head, &b->hash);
	return b;
}

/* With a reference; waits while all buffers are in use. */
static struct buf *
buf_find(struct block_device *dev, uint64_t block)
{
	struct buf *b;
	uint32_t seq;

	for (;;) {
		spin_lock(&buf_lock);
		b = buf_find_locked(dev, block);
		if (b != NULL)
			break;
		seq = waitq_sequence(&buf_wq);
		spin_unlock(&buf_lock);
		(void)waitq_wait(&buf_wq, seq, WAIT_FOREVER, DEADLINE_NONE);
	}
	if (b->refs++ == 0)
		list_remove(&b->lru);
	spin_unlock(&buf_lock);
	return b;
}

int
buf_get(struct block_device *dev, uint64_t block, struct buf **out)
{
	struct buf *b = buf_find(dev, block);
	int error = 0;

	if (!__atomic_load_n(&b->valid, __ATOMIC_ACQUIRE)) {
		sleep_lock(&b->load);
		if (!b->valid)
			error = block_read(dev, block, b->data);
		if (error == 0)
			__atomic_store_n(&b->valid, true, __ATOMIC_RELEASE);
		sleep_unlock(&b->load);
	}
	if (error != 0)
		buf_put(b);
	*out = b;
	return error;
}

void
buf_put(struct buf *b)
{
	spin_lock(&buf_lock);
	KASSERT(b->refs > 0);
	if (--b->refs == 0) {
		list_push_back(&buf_lru, &b->lru);
		waitq_wake(&buf_wq, 1);
	}
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
