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

static char *
ramdisk_at(struct block_device *bd, uint64_t block)
{
	return (char *)bd->priv + block * BLOCK_SIZE;
}

static int
ramdisk_read(struct block_device *bd, uint64_t block, void *dst)
{
	memcpy(dst, ramdisk_at(bd, block), BLOCK_SIZE);
	return 0;
}

static int
ramdisk_write(struct block_device *bd, uint64_t block, const void *src)
{
	memcpy(ramdisk_at(bd, block), src, BLOCK_SIZE);
	return 0;
}

static const void *
ramdisk_direct(struct block_device *bd, uint64_t block)
{
	return ramdisk_at(bd, block);
}

static const struct block_ops ramdisk_ops = {
	.read = ramdisk_read,
	.write = ramdisk_write,
	.direct = ramdisk_direct,
};

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
