/* SPDX-License-Identifier: MIT */
/*
 * ext2.c - mount an ext2 file system, read-only.
 *
 * Path: vfs_init -> HERE; the other parts come here for blocks.
 * Locks: none; all of struct ext2_fs that is used here is fixed at mount.
 * Invariants: after mount, the file system lies inside the device; block
 *	numbers are checked by ext2_block_get() and where data is read.
 */
#include "abi/errno.h"
#include "fs/ext2.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mem/kmem.h"

#define GROUPS_MAX 65536u /* 8 TiB of 4 KiB blocks; bounds the allocation */

static int
refuse(const struct ext2_fs *fs, const char *why, uint64_t value)
{
	kprintf("ext2: %s: %s (0x%lx)\n", fs->dev->name, why,
	    (unsigned long)value);
	return EINVAL;
}

bool
ext2_block_valid(const struct ext2_fs *fs, uint32_t block)
{
	return block > fs->first_block && block < fs->nblocks;
}

int
ext2_block_get(struct ext2_fs *fs, uint32_t block, struct buf **out,
    const uint8_t **data)
{
	uint64_t offset = (uint64_t)block << fs->block_shift;
	int error;

	if (!ext2_block_valid(fs, block))
		return EIO;
	error = buf_get(fs->dev, offset / BLOCK_SIZE, out);
	if (error == 0)
		*data = (*out)->data + offset % BLOCK_SIZE;
	return error;
}

static int
check_features(struct ext2_fs *fs, const struct ext2_super *sb)
{
	if (sb->s_rev_level > 1)
		return refuse(fs, "unknown revision", sb->s_rev_level);
	fs->inode_size = sizeof(struct ext2_dinode);
	if (sb->s_rev_level == 0)
		return 0;
	if (sb->s_feature_incompat & ~EXT2_INCOMPAT_FILETYPE)
		return refuse(fs, "unknown incompatible features",
		    sb->s_feature_incompat & ~EXT2_INCOMPAT_FILETYPE);
	fs->filetype = sb->s_feature_incompat & EXT2_INCOMPAT_FILETYPE;
	fs->inode_size = sb->s_inode_size;
	if (fs->inode_size < sizeof(struct ext2_dinode) ||
	    fs->inode_size > fs->block_size ||
	    (fs->inode_size & (fs->inode_size - 1)) != 0)
		return refuse(fs, "bad inode size", fs->inode_size);
	return 0;
}

/* Take the geometry from the superblock, but only a sound one. */
static int
read_super(struct ext2_fs *fs, const struct ext2_super *sb)
{
	uint64_t device_bytes = fs->dev->nblocks * BLOCK_SIZE;
	uint64_t ngroups;

	if (sb->s_magic != EXT2_MAGIC)
		return refuse(fs, "no ext2 magic", sb->s_magic);
	if (sb->s_log_block_size > 2)
		return refuse(fs, "bad block size", sb->s_log_block_size);
	fs->block_shift = 10 + sb->s_log_block_size;
	fs->block_size = 1u << fs->block_shift;
	fs->first_block = sb->s_first_data_block;
	if (fs->first_block != (fs->block_size == 1024 ? 1u : 0u))
		return refuse(fs, "bad first block", fs->first_block);
	fs->nblocks = sb->s_blocks_count;
	if (fs->nblocks <= fs->first_block + 1 ||
	    (uint64_t)fs->nblocks << fs->block_shift > device_bytes)
		return refuse(fs, "size does not fit the device", fs->nblocks);
	if (sb->s_blocks_per_group == 0 ||
	    sb->s_blocks_per_group > 8 * fs->block_size)
		return refuse(fs, "bad group size", sb->s_blocks_per_group);
	ngroups = (fs->nblocks - fs->first_block - 1) /
	    sb->s_blocks_per_group + 1;
	fs->inodes_per_group = sb->s_inodes_per_group;
	if (fs->inodes_per_group == 0 ||
	    fs->inodes_per_group > 8 * fs->block_size || ngroups > GROUPS_MAX)
		return refuse(fs, "bad groups", ngroups);
	fs->ngroups = (uint32_t)ngroups;
	fs->ninodes = sb->s_inodes_count;
	if (fs->ninodes != ngroups * fs->inodes_per_group)
		return refuse(fs, "bad inode count", fs->ninodes);
	return check_features(fs, sb);
}

/* Remember where each group's inode table stands. */
static int
read_groups(struct ext2_fs *fs)
{
	uint32_t per_block = fs->block_size / sizeof(struct ext2_group);
	uint32_t block;
	const struct ext2_group *gd;
	const uint8_t *data;
	struct buf *b;
	int error;

	for (uint32_t g = 0; g < fs->ngroups; g++) {
		block = fs->first_block + 1 + g / per_block;
		error = ext2_block_get(fs, block, &b, &data);
		if (error != 0)
			return error;
		gd = (const struct ext2_group *)(const void *)data +
		    g % per_block;
		fs->inode_table[g] = gd->bg_inode_table;
		buf_put(b);
		if (!ext2_block_valid(fs, fs->inode_table[g]))
			return refuse(fs, "inode table out of range",
			    fs->inode_table[g]);
	}
	return 0;
}

static void
ext2_free(struct ext2_fs *fs)
{
	if (fs->inode_table != NULL)
		kfree(fs->inode_table, fs->ngroups * sizeof(uint32_t));
	kfree(fs, sizeof(*fs));
}

/* All but the root: superblock, groups, cache of inodes. */
static int
ext2_open(struct ext2_fs *fs)
{
	struct ext2_super sb;
	struct buf *b;
	int error = buf_get(fs->dev, 0, &b);

	if (error != 0)
		return error;
	memcpy(&sb, b->data + EXT2_SUPER_OFFSET, sizeof(sb));
	buf_put(b);
	error = read_super(fs, &sb);
	if (error != 0)
		return error;
	fs->inode_table = kmalloc(fs->ngroups * sizeof(uint32_t));
	if (fs->inode_table == NULL)
		return ENOMEM;
	error = read_groups(fs);
	if (error != 0)
		return error;
	return ext2_icache_init(fs);
}

int
ext2_mount(struct block_device *dev, struct mount *mnt)
{
	struct ext2_fs *fs = kzalloc(sizeof(*fs));
	int error;

	if (fs == NULL)
		return ENOMEM;
	fs->dev = dev;
	fs->mnt = mnt;
	error = ext2_open(fs);
	if (error != 0) {
		ext2_free(fs);
		return error;
	}
	mnt->priv = fs;
	mnt->block_size = fs->block_size;
	error = ext2_inode_get(fs, EXT2_ROOT_INO, &mnt->root);
	if (error == 0 && !S_ISDIR(mnt->root->mode)) {
		inode_drop(mnt->root);
		error = EIO;
	}
	if (error != 0) {
		error = refuse(fs, "no root directory", (uint64_t)error);
		ext2_icache_fini(fs);
		ext2_free(fs);
		return error;
	}
	kprintf("ext2: %s: %u blocks of %u bytes, read-only\n", dev->name,
	    fs->nblocks, fs->block_size);
	return 0;
}

void
ext2_unmount(struct mount *mnt)
{
	struct ext2_fs *fs = mnt->priv;

	inode_drop(mnt->root);
	ext2_icache_fini(fs);
	buf_forget(fs->dev);
	ext2_free(fs);
}
