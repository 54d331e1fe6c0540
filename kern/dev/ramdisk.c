/* SPDX-License-Identifier: MIT */
/*
 * ramdisk.c - block devices in RAM: "ram0" over the initrd, "ram1" of frames.
 *
 * Path: block.c -> HERE; dev_init and main.c register.
 * Locks: none; two writers of one block are the file system's business.
 * The port keeps the initrd's frames out of the allocator, so it lies in the
 * direct map for ever.  It may start anywhere, hence memcpy and not page_copy.
 * ram1 is for swap where a disk's completions would come at other times in
 * every run (the deterministic lane).
 */
#include "abi/errno.h"
#include "arch/boot.h"
#include "arch/mmu.h"
#include "dev/dev.h"
#include "lib/string.h"
#include "mem/frame.h"
#include "proc/block.h"

#define CHUNK_ORDER  FRAME_MAX_ORDER
#define CHUNK_BLOCKS ((uint64_t)1 << CHUNK_ORDER)
#define CHUNKS_MAX   64

static char *chunks[CHUNKS_MAX]; /* of ram1 */

static char *
initrd_block(const struct block_device *bd, uint64_t n)
{
	return (char *)bd->priv + n * BLOCK_SIZE;
}

static char *
chunk_block(uint64_t n)
{
	return chunks[n / CHUNK_BLOCKS] + n % CHUNK_BLOCKS * BLOCK_SIZE;
}

static void
ramdisk_start(struct block_device *bd, struct block_request *rq)
{
	char *at = bd->priv != NULL ? initrd_block(bd, rq->block) :
				      chunk_block(rq->block);

	if (rq->op == BLOCK_READ)
		memcpy(rq->data, at, BLOCK_SIZE);
	else if (rq->op == BLOCK_WRITE)
		memcpy(at, rq->data, BLOCK_SIZE);
	block_done(bd, rq, 0);
}

static const struct block_ops ramdisk_ops = { .start = ramdisk_start };
static struct block_device ramdisk = { .ops = &ramdisk_ops, .name = "ram0" };
static struct block_device frames = { .ops = &ramdisk_ops, .name = "ram1" };

void
ramdisk_init(void)
{
	paddr_t size = boot_info.initrd_end - boot_info.initrd_start;

	ramdisk.nblocks = size / BLOCK_SIZE;
	if (ramdisk.nblocks == 0)
		return;
	ramdisk.priv = phys_to_virt(boot_info.initrd_start);
	block_register(&ramdisk);
}

int
ramdisk_create(uint64_t size_bytes)
{
	unsigned n = 0;

	for (; n * CHUNK_BLOCKS * BLOCK_SIZE < size_bytes; n++) {
		struct vm_page *pg = n < CHUNKS_MAX ?
		    frame_alloc_order(CHUNK_ORDER, FRAME_DEFAULT) :
		    NULL;

		if (pg == NULL)
			return ENOMEM;
		chunks[n] = page_to_virt(pg);
	}
	frames.nblocks = n * CHUNK_BLOCKS;
	block_register(&frames);
	return 0;
}
