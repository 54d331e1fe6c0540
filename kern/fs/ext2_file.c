/* SPDX-License-Identifier: MIT */
/*
 * ext2_file.c - contents of regular files and symbolic links.
 *
 * Path: file_read -> HERE -> ext2_bmap -> buf.c (indirect blocks), block.c.
 * Locks: none; the caller's position lock only.
 * Invariants: a thread holds one buffer at a time, so an indirect block is put
 *	back before the next one is asked for.
 */
#include "abi/errno.h"
#include "fs/ext2.h"
#include "lib/string.h"

/* Entry @p index of indirect block @p *block; 0 stays 0. */
static int
indirect_step(struct ext2_fs *fs, uint32_t *block, uint64_t index)
{
	const uint8_t *data;
	struct buf *b;
	int error;

	if (*block == 0)
		return 0;
	error = ext2_block_get(fs, *block, &b, &data);
	if (error != 0)
		return error;
	memcpy(block, data + index * sizeof(*block), sizeof(*block));
	buf_put(b);
	return 0;
}

int
ext2_bmap(struct ext2_inode *ei, uint64_t n, uint32_t *block)
{
	struct ext2_fs *fs = ei->fs;
	unsigned shift = fs->block_shift - 2; /* log2 of entries in a block */
	unsigned level;
	int error;

	if (n < EXT2_NDIRECT) {
		*block = ei->block[n];
		return 0;
	}
	n -= EXT2_NDIRECT;
	for (level = 1; level <= 3 && n >> (shift * level) != 0; level++)
		n -= 1ull << (shift * level);
	if (level > 3)
		return EIO;
	*block = ei->block[EXT2_NDIRECT + level - 1];
	while (level-- > 0) {
		error = indirect_step(fs, block,
		    n >> (shift * level) & ((1u << shift) - 1));
		if (error != 0)
			return error;
	}
	return 0;
}

/* Bytes [boff, boff + n) of one block into the batch at @p at. */
static int
read_piece(struct ext2_fs *fs, uint32_t block, size_t boff,
    const struct vm_pinned *buf, size_t at, size_t n)
{
	const uint8_t *data;
	struct buf *b;
	int error;

	if (block == 0) {
		file_zero_pinned(buf, at, n);
		return 0;
	}
	error = ext2_block_get(fs, block, &b, &data);
	if (error != 0)
		return error;
	vm_pinned_write(buf, at, data + boff, n);
	buf_put(b);
	return 0;
}

static int
ext2_read(struct file *f, const struct vm_pinned *buf, uint64_t pos,
    size_t *done)
{
	struct ext2_inode *ei = ext2_inode_of(f->inode);
	struct ext2_fs *fs = ei->fs;
	uint64_t size = f->inode->size;
	size_t total, boff, n;
	uint32_t block;
	int error;

	if (pos >= size)
		return 0;
	total = MIN(buf->size, size - pos);
	for (; *done < total; *done += n, pos += n) {
		boff = pos & (fs->block_size - 1);
		n = MIN(fs->block_size - boff, total - *done);
		error = ext2_bmap(ei, pos >> fs->block_shift, &block);
		if (error == 0)
			error = read_piece(fs, block, boff, buf, *done, n);
		if (error != 0)
			return error;
	}
	return 0;
}

static int
ext2_write(struct file *f, const struct vm_pinned *buf, uint64_t pos,
    size_t *done)
{
	return EROFS;
}

static const struct file_ops ext2_open_ops = {
	.name = "ext2 file",
	.seekable = true,
	.read = ext2_read,
	.write = ext2_write,
	.stat = inode_file_stat,
	.readdir = file_readdir_enotdir,
	.ioctl = file_ioctl_enotty,
	.poll = file_poll_ready,
	.size = inode_file_size,
	.release = inode_file_release,
};

static int
ext2_file_open(struct inode *ip, unsigned flags, struct file **out)
{
	int error = file_create(&ext2_open_ops, flags, NULL, out);

	if (error == 0)
		(*out)->inode = ip;
	return error;
}

static int
ext2_readlink(struct inode *ip, char *target, size_t size, size_t *len)
{
	struct ext2_inode *ei = ext2_inode_of(ip);
	const uint8_t *data;
	uint32_t block;
	struct buf *b;
	int error;

	*len = MIN(size, ip->size);
	if (ei->fast_link) {
		memcpy(target, ei->block, *len);
		return 0;
	}
	error = ext2_bmap(ei, 0, &block);
	if (error == 0 && block == 0)
		error = EIO;
	if (error == 0)
		error = ext2_block_get(ei->fs, block, &b, &data);
	if (error != 0)
		return error;
	memcpy(target, data, *len);
	buf_put(b);
	return 0;
}

const struct inode_ops ext2_file_ops = {
	.name = "ext2 file",
	.lookup = inode_lookup_enotdir,
	.readlink = inode_readlink_einval,
	.readdir = inode_readdir_enotdir,
	.open = ext2_file_open,
	.release = ext2_inode_release,
};

const struct inode_ops ext2_link_ops = {
	.name = "ext2 link",
	.lookup = inode_lookup_enotdir,
	.readlink = ext2_readlink,
	.readdir = inode_readdir_enotdir,
	.open = inode_open_enxio,
	.release = ext2_inode_release,
};
