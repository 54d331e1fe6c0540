/* SPDX-License-Identifier: MIT */
/*
 * ext2_map.c - which block of the disk holds which block of a file.
 *
 * Path: ext2_file.c, ext2_dir.c, ext2_inode.c -> HERE -> ext2_alloc.c.
 * Locks: the inode's (a directory: fs->names), exclusively for changes.  Who
 *	writes pages out looks without: a block of a page in the cache does not
 *	move, and shrinking waits for such pages first.
 * Invariants: a thread has one block at a time, so an indirect block is put
 *	back before the next one is asked for.  Blocks are freed when nothing
 *	leads to them any more.
 */
#include "abi/errno.h"
#include "fs/ext2.h"
#include "lib/string.h"

/** The way to file block n: i_block[slot], then one index a level. */
struct way {
	unsigned slot, levels;
	uint32_t index[3]; /* of the lowest level first */
};

static unsigned
entries_shift(const struct ext2_fs *fs)
{
	return fs->block_shift - 2;
}

static int
find_way(const struct ext2_fs *fs, uint64_t n, struct way *w)
{
	unsigned shift = entries_shift(fs), level;

	w->levels = 0;
	w->slot = (unsigned)n;
	if (n < EXT2_NDIRECT)
		return 0;
	n -= EXT2_NDIRECT;
	for (level = 1; level <= 3 && n >> (shift * level) != 0; level++)
		n -= 1ull << (shift * level);
	if (level > 3)
		return EFBIG;
	w->slot = EXT2_NDIRECT + level - 1;
	w->levels = level;
	for (unsigned l = 0; l < level; l++)
		w->index[l] = n >> (shift * l) & ((1u << shift) - 1);
	return 0;
}

/* Entry @p index of indirect block @p *block; 0 stays 0. */
static int
indirect_step(struct ext2_fs *fs, uint32_t *block, uint32_t index)
{
	const uint8_t *data;
	struct vm_page *pg;
	int error;

	if (*block == 0)
		return 0;
	error = ext2_block_get(fs, *block, &pg, &data);
	if (error != 0)
		return error;
	memcpy(block, data + index * sizeof(*block), sizeof(*block));
	page_drop(pg);
	return 0;
}

int
ext2_bmap(struct ext2_inode *ei, uint64_t n, uint32_t *block)
{
	struct way w;
	int error = find_way(ei->fs, n, &w);

	if (error != 0)
		return EIO;
	*block = ei->block[w.slot];
	while (error == 0 && w.levels-- > 0)
		error = indirect_step(ei->fs, block, w.index[w.levels]);
	return error;
}

/* A block that nothing leads to any more. */
static void
free_block(struct ext2_inode *ei, uint32_t block)
{
	struct ext2_fs *fs = ei->fs;

	if (!ext2_block_valid(fs, block)) {
		(void)ext2_damaged(fs, "block of an inode", block);
		return;
	}
	/* It must not be written as metadata when it holds contents. */
	vm_object_forget(&fs->meta, block);
	ext2_free(fs, &fs->blocks, block);
	ei->vfs.nsectors -= MIN(ei->vfs.nsectors,
	    (uint64_t)fs->block_size / 512);
}

/* ---- adding ---- */

/* @p indirect: it will hold entries, so it starts as zero. */
static int
new_block(struct ext2_inode *ei, bool indirect, uint32_t *out)
{
	struct ext2_fs *fs = ei->fs;
	uint32_t group = ((uint32_t)ei->vfs.ino - 1) / fs->inodes_per_group;
	uint32_t goal = ei->goal != 0 ? ei->goal :
	    fs->first_block + group * fs->blocks_per_group;
	struct vm_page *pg;
	uint8_t *data;
	int error = ext2_alloc(fs, &fs->blocks, goal, out);

	if (error != 0)
		return error;
	if (!ext2_block_valid(fs, *out))
		return ext2_damaged(fs, "the superblock is free", *out);
	if (indirect) {
		error = ext2_block_new(fs, *out, &pg, &data);
		if (error != 0) {
			ext2_free(fs, &fs->blocks, *out);
			return error;
		}
		vm_object_put(pg, true);
	}
	ei->goal = *out + 1;
	ei->vfs.nsectors += fs->block_size / 512;
	return 0;
}

static int
set_entry(struct ext2_fs *fs, uint32_t block, uint32_t index, uint32_t value)
{
	struct vm_page *pg;
	uint8_t *data;
	int error = ext2_block_edit(fs, block, &pg, &data);

	if (error != 0)
		return error;
	memcpy(data + index * sizeof(value), &value, sizeof(value));
	vm_object_put(pg, true);
	return 0;
}

int
ext2_bmap_alloc(struct ext2_inode *ei, uint64_t n, uint32_t *block)
{
	struct way w;
	uint32_t at;
	int error = find_way(ei->fs, n, &w);

	if (error != 0)
		return error;
	at = ei->block[w.slot];
	if (at == 0) {
		error = new_block(ei, w.levels > 0, &at);
		if (error == 0)
			ei->block[w.slot] = at;
	}
	while (error == 0 && w.levels-- > 0) {
		uint32_t next = at, index = w.index[w.levels];

		error = indirect_step(ei->fs, &next, index);
		if (error != 0 || next != 0) {
			at = next;
			continue;
		}
		error = new_block(ei, w.levels > 0, &next);
		if (error != 0)
			break;
		error = set_entry(ei->fs, at, index, next);
		if (error != 0)
			free_block(ei, next);
		at = next;
	}
	if (error == 0 && !ext2_block_valid(ei->fs, at))
		error = EIO;
	*block = at;
	return error;
}

/* ---- removing ---- */

/* All below @p block and itself; @p level 0: it holds contents. */
static void
free_tree(struct ext2_inode *ei, uint32_t block, unsigned level)
{
	uint32_t n = 1u << entries_shift(ei->fs), entry;
	const uint8_t *data;
	struct vm_page *pg;

	if (block == 0)
		return;
	if (level > 0 && ext2_block_get(ei->fs, block, &pg, &data) == 0) {
		for (uint32_t i = 0; i < n; i++) {
			memcpy(&entry, data + i * sizeof(entry),
			    sizeof(entry));
			free_tree(ei, entry, level - 1);
		}
		page_drop(pg);
	}
	free_block(ei, block);
}

/* Entries of indirect block @p block from file block @p n (counted in it) on,
 * n > 0: so the block itself stays. */
static int
free_part(struct ext2_inode *ei, uint32_t block, unsigned level, uint64_t n)
{
	unsigned shift = entries_shift(ei->fs) * (level - 1);
	uint32_t i = (uint32_t)(n >> shift), entry;
	int error = 0;

	if (block == 0)
		return 0;
	if ((n & ((1ull << shift) - 1)) != 0) {
		entry = block;
		error = indirect_step(ei->fs, &entry, i++);
		if (error == 0)
			error = free_part(ei, entry, level - 1,
			    n & ((1ull << shift) - 1));
	}
	for (; error == 0 && i < 1u << entries_shift(ei->fs); i++) {
		entry = block;
		error = indirect_step(ei->fs, &entry, i);
		if (error != 0 || entry == 0)
			continue;
		error = set_entry(ei->fs, block, i, 0);
		if (error == 0)
			free_tree(ei, entry, level - 1);
	}
	return error;
}

/* The inode forgets whole branches first, and only then are they freed. */
int
ext2_bmap_free(struct ext2_inode *ei, uint64_t n)
{
	unsigned shift = entries_shift(ei->fs);
	uint32_t gone[EXT2_NBLOCKS] = { 0 };
	uint64_t start = EXT2_NDIRECT, part = 0;
	unsigned slot, part_slot = 0;
	int error;

	for (slot = 0; slot < EXT2_NDIRECT; slot++)
		if (slot >= n) {
			gone[slot] = ei->block[slot];
			ei->block[slot] = 0;
		}
	for (; slot < EXT2_NBLOCKS; slot++) {
		unsigned level = slot - EXT2_NDIRECT + 1;

		if (n <= start) {
			gone[slot] = ei->block[slot];
			ei->block[slot] = 0;
		} else if (n - start < 1ull << (shift * level)) {
			part_slot = slot;
			part = n - start;
		}
		start += 1ull << (shift * level);
	}
	ei->goal = 0;
	error = ext2_inode_store(ei);
	if (error == 0 && part_slot != 0)
		error = free_part(ei, ei->block[part_slot],
		    part_slot - EXT2_NDIRECT + 1, part);
	for (slot = 0; error == 0 && slot < EXT2_NBLOCKS; slot++)
		free_tree(ei, gone[slot],
		    slot < EXT2_NDIRECT ? 0 : slot - EXT2_NDIRECT + 1);
	return error != 0 ? error : ext2_inode_store(ei);
}
