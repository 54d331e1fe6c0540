/* SPDX-License-Identifier: MIT */
/*
 * block.c - the list of block devices and the check of block numbers.
 *
 * Path: fs/buf.c, fs/ext2_file.c -> HERE -> dev/ramdisk.c.
 * Locks: none; the list is complete before the first file system is mounted.
 */
#include "abi/errno.h"
#include "lib/string.h"
#include "proc/block.h"

static struct block_device *devices;

void
block_register(struct block_device *bd)
{
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

int
block_read(struct block_device *bd, uint64_t block, void *dst)
{
	if (block >= bd->nblocks)
		return EIO;
	return bd->ops->read(bd, block, dst);
}

int
block_write(struct block_device *bd, uint64_t block, const void *src)
{
	if (block >= bd->nblocks)
		return EIO;
	return bd->ops->write(bd, block, src);
}

const void *
block_direct(struct block_device *bd, uint64_t block)
{
	if (block >= bd->nblocks)
		return NULL;
	return bd->ops->direct(bd, block);
}
