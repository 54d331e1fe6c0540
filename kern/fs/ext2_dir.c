/* SPDX-License-Identifier: MIT */
/*
 * ext2_dir.c - look up and list directory entries.
 *
 * Path: path.c (look-up), inode_open_dir (listing) -> HERE -> ext2_file.c.
 * Locks: none.
 * Invariants: an entry is used only after entry_next() has checked it against
 *	its block; entries never cross blocks.
 */
#include "abi/errno.h"
#include "fs/ext2.h"
#include "lib/string.h"

#define DIRENT_HEAD offsetof(struct ext2_dirent, name)

/** Where a scan of a directory stands. */
struct scan {
	struct ext2_inode *dir;
	uint64_t block_start;	/* file offset of the block */
	uint32_t off;		/* of the next entry in the block */
	struct buf *buf;	/* the block */
	const uint8_t *data;
};

static void
scan_end(struct scan *s)
{
	if (s->buf != NULL)
		buf_put(s->buf);
	s->buf = NULL;
}

/* Go to the block at file offset @p start. A directory has no holes. */
static int
scan_block(struct scan *s, uint64_t start)
{
	struct ext2_fs *fs = s->dir->fs;
	uint32_t block;
	int error;

	scan_end(s);
	s->block_start = start;
	s->off = 0;
	error = ext2_bmap(s->dir, start >> fs->block_shift, &block);
	if (error == 0 && block == 0)
		error = EIO;
	if (error == 0)
		error = ext2_block_get(fs, block, &s->buf, &s->data);
	return error;
}

/* The entry at s->off, checked, and step over it. NULL: it is damaged. */
static const struct ext2_dirent *
entry_next(struct scan *s)
{
	struct ext2_fs *fs = s->dir->fs;
	uint32_t room = fs->block_size - s->off;
	const struct ext2_dirent *e = (const void *)(s->data + s->off);

	if (room < DIRENT_HEAD || e->rec_len < DIRENT_HEAD ||
	    e->rec_len % 4 != 0 || e->rec_len > room ||
	    e->name_len > e->rec_len - DIRENT_HEAD)
		return NULL;
	if (e->inode != 0 && e->name_len == 0)
		return NULL;
	s->off += e->rec_len;
	return e;
}

static int
ext2_lookup(struct inode *dir, const char *name, size_t len,
    struct inode **out)
{
	struct scan s = { .dir = ext2_inode_of(dir) };
	struct ext2_fs *fs = s.dir->fs;
	const struct ext2_dirent *e;
	uint32_t ino = 0;
	int error = 0;

	for (uint64_t at = 0; ino == 0 && at < dir->size;
	     at += fs->block_size) {
		error = scan_block(&s, at);
		while (error == 0 && ino == 0 && s.off < fs->block_size) {
			e = entry_next(&s);
			if (e == NULL)
				error = EIO;
			else if (e->name_len == len && e->inode != 0 &&
			    memcmp(e->name, name, len) == 0)
				ino = e->inode;
		}
		if (error != 0)
			break;
	}
	scan_end(&s);
	if (error != 0)
		return error;
	return ino == 0 ? ENOENT : ext2_inode_get(fs, ino, out);
}

static unsigned
entry_type(const struct ext2_fs *fs, const struct ext2_dirent *e)
{
	static const uint8_t types[] = { DT_UNKNOWN, DT_REG, DT_DIR, DT_CHR,
		DT_BLK, DT_FIFO, DT_SOCK, DT_LNK };

	if (!fs->filetype || e->file_type >= ARRAY_SIZE(types))
		return DT_UNKNOWN;
	return types[e->file_type];
}

/* A name that would not survive a path is not handed out. */
static bool
name_sound(const struct ext2_dirent *e)
{
	for (unsigned i = 0; i < e->name_len; i++)
		if (e->name[i] == '/' || e->name[i] == '\0')
			return false;
	return true;
}

/* Entries of one block that begin at @p *pos or later. */
static int
readdir_block(struct scan *s, uint64_t *pos, struct dir_sink *sink,
    bool *full)
{
	const struct ext2_fs *fs = s->dir->fs;
	const struct ext2_dirent *e;
	uint64_t at;

	while (s->off < fs->block_size) {
		at = s->block_start + s->off;
		e = entry_next(s);
		if (e == NULL || (e->inode != 0 && !name_sound(e)))
			return EIO;
		if (at < *pos)
			continue;
		if (e->inode != 0) {
			struct dir_entry d = {
				.name = e->name,
				.len = e->name_len,
				.ino = e->inode,
				.type = entry_type(fs, e),
				.next = s->block_start + s->off,
			};

			*full = !sink->emit(sink, &d);
			if (*full)
				return 0;
		}
		*pos = s->block_start + s->off;
	}
	*pos = s->block_start + fs->block_size;
	return 0;
}

static int
ext2_readdir(struct inode *dir, uint64_t *pos, struct dir_sink *sink)
{
	struct scan s = { .dir = ext2_inode_of(dir) };
	uint32_t block_size = s.dir->fs->block_size;
	bool full = false;
	int error = 0;

	while (error == 0 && !full && *pos < dir->size) {
		error = scan_block(&s, *pos - *pos % block_size);
		if (error == 0)
			error = readdir_block(&s, pos, sink, &full);
	}
	scan_end(&s);
	return error;
}

const struct inode_ops ext2_dir_ops = {
	.name = "ext2 directory",
	.lookup = ext2_lookup,
	.readlink = inode_readlink_einval,
	.readdir = ext2_readdir,
	.open = inode_open_dir,
	.release = ext2_inode_release,
};
