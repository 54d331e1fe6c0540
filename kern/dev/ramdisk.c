/* SPDX-License-Identifier: MIT */
/*
 * ramdisk.c - block device "ram0" over the initrd.
 *
 * Path: block.c -> HERE; dev_init registers.
 * Locks: none; two writers of one block are the file system's business.
 * The port keeps the image's frames out of the allocator, so it lies in the
 * direct map for ever.  It may start anywhere, hence memcpy and not page_copy.
 */
#include "arch/boot.h"
#include "arch/mmu.h"
#include "dev/dev.h"
#include "lib/string.h"
#include "proc/block.h"

static void
ramdisk_start(struct block_device *bd, struct block_request *rq)
{
	char *at = (char *)bd->priv + rq->block * BLOCK_SIZE;

	if (rq->op == BLOCK_READ)
		memcpy(rq->data, at, BLOCK_SIZE);
	else if (rq->op == BLOCK_WRITE)
		memcpy(at, rq->data, BLOCK_SIZE);
	block_done(bd, rq, 0);
}

static const struct block_ops ramdisk_ops = { .start = ramdisk_start };
static struct block_device ramdisk = { .ops = &ramdisk_ops, .name = "ram0" };

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
