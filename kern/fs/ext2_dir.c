/* SPDX-License-Identifier: MIT */
/*
 * ext2_dir.c - look up, list and change directory entries.
 *
 * Path: path.c (look-up), inode_open_dir (listing), ext2_name.c -> HERE.
 * Locks: fs->names, shared to look, exclusive to change.
 * Invariants: an entry is used only after entry_next() has checked it against
 *	its block; entries never cross blocks; a block is changed while it is
 *	BUSY, so the disk never sees half of a change.
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
	uint32_t block;		/* of the file system */
	struct vm_page *pg;	/* the block */
	const uint8_t *data;
};

static void
scan_end(struct scan *s)
{
	if (s->pg != NULL)
		page_drop(s->pg);
	s->pg = NULL;
}

/* Go to the block at file offset @p start. A directory has no holes. */
static int
scan_block(struct scan *s, uint64_t start)
{
	struct ext2_fs *fs = s->dir->fs;
	int error;

	scan_end(s);
	s->block_start = start;
	s->off = 0;
	error = ext2_bmap(s->dir, start >> fs->block_shift, &s->block);
	if (error == 0)
		error = ext2_block_get(fs, s->block, &s->pg, &s->data);
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

/* The entry of a name in the current block; ENOENT: not in this one. */
static int
find_in_block(struct scan *s, const struct name *n, struct ext2_place *at)
{
	at->prev = at->off = 0;
	while (s->off < s->dir->fs->block_size) {
		const struct ext2_dirent *e;

		at->prev = at->off;
		at->off = s->off;
		e = entry_next(s);
		if (e == NULL)
			return EIO;
		if (e->name_len != n->len || e->inode == 0 ||
		    memcmp(e->name, n->s, n->len) != 0)
			continue;
		at->block = s->block;
		at->ino = e->inode;
		return 0;
	}
	return ENOENT;
}

int
ext2_dir_find(struct ext2_inode *dir, const struct name *n,
    struct ext2_place *place)
{
	struct scan s = { .dir = dir };
	int error = ENOENT;

	for (uint64_t at = 0; error == ENOENT && at < dir->vfs.size;
	     at += dir->fs->block_size) {
		error = scan_block(&s, at);
		if (error == 0)
			error = find_in_block(&s, n, place);
	}
	scan_end(&s);
	return error;
}

static int
ext2_lookup(struct inode *dir, const char *name, size_t len,
    struct inode **out)
{
	struct ext2_inode *ei = ext2_inode_of(dir);
	const struct name n = { name, len };
	struct ext2_place place;
	int error;

	sleep_lock_shared(&ei->fs->names);
	error = ext2_dir_find(ei, &n, &place);
	if (error == 0)
		error = ext2_inode_get(ei->fs, place.ino, out);
	sleep_unlock_shared(&ei->fs->names);
	return error;
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

	sleep_lock_shared(&s.dir->fs->names);
	while (error == 0 && !full && *pos < dir->size) {
		error = scan_block(&s, *pos - *pos % block_size);
		if (error == 0)
			error = readdir_block(&s, pos, sink, &full);
	}
	scan_end(&s);
	sleep_unlock_shared(&s.dir->fs->names);
	return error;
}

/* ---- changes ---- */

static size_t
entry_size(size_t name_len)
{
	return ROUND_UP(DIRENT_HEAD + name_len, 4);
}

static void
entry_fill(const struct ext2_fs *fs, struct ext2_dirent *e,
    const struct name *n, const struct inode *ip)
{
	/* EXT2_FT_*, by the type bits of the mode. */
	static const uint8_t types[16] = { 0, 5, 3, 0, 2, 0, 4, 0, 1, 0, 7, 0,
		6 };

	e->inode = (uint32_t)ip->ino;
	e->name_len = (uint8_t)n->len;
	e->file_type = fs->filetype ? types[ip->mode >> 12 & 15] : 0;
	memcpy(e->name, n->s, n->len);
}

/* The directory changed. A hash tree beside the entries would be stale. */
static int
dir_touch(struct ext2_inode *dir)
{
	dir->flags &= ~EXT2_FL_INDEX;
	dir->vfs.mtime = dir->vfs.ctime = ext2_now();
	return ext2_inode_store(dir);
}

/* Find @p need bytes in the current block. @retval ENOSPC */
static int
find_room(struct scan *s, size_t need, uint32_t *off)
{
	while (s->off < s->dir->fs->block_size) {
		const struct ext2_dirent *e;

		*off = s->off;
		e = entry_next(s);
		if (e == NULL)
			return EIO;
		if (e->rec_len >=
		    need + (e->inode != 0 ? entry_size(e->name_len) : 0))
			return 0;
	}
	return ENOSPC;
}

/* Put the entry into what the entry at @p off leaves of its space. */
static int
add_at(struct ext2_inode *dir, const struct name *n, const struct inode *ip,
    struct ext2_place *at)
{
	struct ext2_dirent *e;
	struct vm_page *pg;
	uint8_t *data;
	int error = ext2_block_edit(dir->fs, at->block, &pg, &data);

	if (error != 0)
		return error;
	e = (void *)(data + at->off);
	if (e->inode != 0) {
		uint16_t used = (uint16_t)entry_size(e->name_len);
		uint16_t rest = (uint16_t)(e->rec_len - used);

		e->rec_len = used;
		at->off += used;
		e = (void *)(data + at->off);
		e->rec_len = rest;
	}
	entry_fill(dir->fs, e, n, ip);
	vm_object_put(pg, true);
	return 0;
}

/* A new last block with this one entry; it is on the disk before the inode that
 * leads to it, should the directory have been saved already. */
static int
add_block(struct ext2_inode *dir, const struct name *n,
    const struct inode *ip, struct ext2_place *at)
{
	struct ext2_fs *fs = dir->fs;
	struct ext2_dirent *e;
	struct vm_page *pg;
	uint8_t *data;
	int error = ext2_bmap_alloc(dir, dir->vfs.size >> fs->block_shift,
	    &at->block);

	if (error == 0)
		error = ext2_block_new(fs, at->block, &pg, &data);
	if (error != 0) {
		(void)ext2_bmap_free(dir, dir->vfs.size >> fs->block_shift);
		return error;
	}
	at->off = 0;
	e = (void *)data;
	e->rec_len = (uint16_t)fs->block_size;
	entry_fill(fs, e, n, ip);
	vm_object_put(pg, true);
	dir->vfs.size += fs->block_size;
	return 0;
}

int
ext2_dir_add(struct ext2_inode *dir, const struct name *n,
    const struct inode *ip, struct ext2_place *at)
{
	struct scan s = { .dir = dir };
	int error = ENOSPC;

	at->ino = (uint32_t)ip->ino;
	for (uint64_t pos = 0; error == ENOSPC && pos < dir->vfs.size;
	     pos += dir->fs->block_size) {
		error = scan_block(&s, pos);
		if (error == 0)
			error = find_room(&s, entry_size(n->len), &at->off);
		at->block = s.block;
	}
	scan_end(&s);
	if (error == 0)
		error = add_at(dir, n, ip, at);
	else if (error == ENOSPC)
		error = add_block(dir, n, ip, at);
	return error != 0 ? error : dir_touch(dir);
}

int
ext2_dir_remove(struct ext2_inode *dir, const struct ext2_place *at)
{
	struct ext2_dirent *e, *prev;
	struct vm_page *pg;
	uint8_t *data;
	int error = ext2_block_edit(dir->fs, at->block, &pg, &data);

	if (error != 0)
		return error;
	e = (void *)(data + at->off);
	prev = (void *)(data + at->prev);
	if (prev != e)
		prev->rec_len = (uint16_t)(prev->rec_len + e->rec_len);
	e->inode = 0;
	vm_object_put(pg, true);
	return dir_touch(dir);
}

int
ext2_dir_set(struct ext2_inode *dir, const struct ext2_place *at,
    const struct inode *ip)
{
	struct ext2_dirent *e;
	struct vm_page *pg;
	uint8_t *data;
	int error = ext2_block_edit(dir->fs, at->block, &pg, &data);

	if (error != 0)
		return error;
	e = (void *)(data + at->off);
	entry_fill(dir->fs, e, &(struct name){ e->name, e->name_len }, ip);
	vm_object_put(pg, true);
	return dir_touch(dir);
}

int
ext2_dir_init(struct ext2_inode *dir, uint32_t parent)
{
	const struct inode up = { .ino = parent, .mode = S_IFDIR };
	struct ext2_place at;
	int error = add_block(dir, &(struct name){ ".", 1 }, &dir->vfs, &at);

	if (error == 0)
		error = add_at(dir, &(struct name){ "..", 2 }, &up, &at);
	return error != 0 ? error : dir_touch(dir);
}

/* Counts what is neither "." nor "..". */
static bool
count_emit(struct dir_sink *sink, const struct dir_entry *e)
{
	return e->name[0] == '.' &&
	    (e->len == 1 || (e->len == 2 && e->name[1] == '.'));
}

int
ext2_dir_empty(struct ext2_inode *dir)
{
	struct scan s = { .dir = dir };
	struct dir_sink sink = { count_emit };
	bool full = false;
	uint64_t pos = 0;
	int error = 0;

	while (error == 0 && !full && pos < dir->vfs.size) {
		error = scan_block(&s, pos);
		if (error == 0)
			error = readdir_block(&s, &pos, &sink, &full);
	}
	scan_end(&s);
	return error == 0 && full ? ENOTEMPTY : error;
}

const struct inode_ops ext2_dir_ops = {
	.name = "ext2 directory",
	.lookup = ext2_lookup,
	.readlink = inode_readlink_einval,
	.readdir = ext2_readdir,
	.open = inode_open_dir,
	.release = ext2_inode_release,
	.edit = &ext2_edit_ops,
};
