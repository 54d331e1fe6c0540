/* SPDX-License-Identifier: MIT */
/*
 * ext2_file.c - contents of regular files and symbolic links.
 *
 * Path: file_read, file_write, faults -> HERE -> page cache (vm/object.h),
 *	ext2_map.c.
 * Locks: the inode's, shared to read and exclusive to write or resize.  User
 *	pages are pinned before it (proc/file.c), also when they are pages of
 *	this very file.
 * Invariants: bytes of the last page beyond the size are zero whenever the
 *	size grows over them; a modified page has a block.
 */
#include "abi/errno.h"
#include "fs/ext2.h"
#include "lib/string.h"

/* What find_way() of ext2_map.c can name, and what i_blocks can count. */
#define SIZE_MAX_BLOCKS ((uint64_t)1 << 29)

static struct ext2_inode *
inode_of(struct vm_object *o)
{
	return container_of(o, struct ext2_inode, object);
}

static uint64_t
pages_of(uint64_t size)
{
	return ROUND_UP(size, PAGE_SIZE) >> PAGE_SHIFT;
}

/* ---- pages ---- */

static void
file_hold_object(struct vm_object *o)
{
	inode_hold(&inode_of(o)->vfs);
}

static void
file_drop_object(struct vm_object *o)
{
	inode_drop(&inode_of(o)->vfs);
}

static void
file_enter(struct vm_object *o, bool write)
{
	if (write)
		sleep_lock(&inode_of(o)->lock);
	else
		sleep_lock_shared(&inode_of(o)->lock);
}

static void
file_leave(struct vm_object *o, bool write)
{
	if (write)
		sleep_unlock(&inode_of(o)->lock);
	else
		sleep_unlock_shared(&inode_of(o)->lock);
}

/* One block of the file system, smaller than a page, through the cache. */
static int
read_small(struct ext2_inode *ei, uint64_t n, char *to)
{
	uint32_t block;
	struct vm_page *pg;
	const uint8_t *data;
	int error = ext2_bmap(ei, n, &block);

	if (error != 0)
		return error;
	if (block == 0) {
		memset(to, 0, ei->fs->block_size);
		return 0;
	}
	error = ext2_block_get(ei->fs, block, &pg, &data);
	if (error != 0)
		return error;
	memcpy(to, data, ei->fs->block_size);
	page_drop(pg);
	return 0;
}

static int
read_whole(struct ext2_inode *ei, struct vm_page *pg)
{
	uint32_t block;
	int error = ext2_bmap(ei, pg->offset, &block);

	if (error != 0)
		return error;
	if (block == 0) {
		page_zero(page_to_virt(pg));
		__atomic_fetch_or(&pg->flags, PG_HOLE, __ATOMIC_RELAXED);
		return 0;
	}
	if (!ext2_block_valid(ei->fs, block))
		return EIO;
	return block_read(ei->fs->dev, block, page_to_virt(pg));
}

static int
file_read_page(struct vm_object *o, struct vm_page *pg)
{
	struct ext2_inode *ei = inode_of(o);
	uint64_t start = pg->offset << PAGE_SHIFT, size = ei->vfs.size;
	unsigned per_page = (unsigned)PAGE_SIZE >> ei->fs->block_shift;
	char *to = page_to_virt(pg);
	int error = 0;

	if (per_page == 1)
		error = read_whole(ei, pg);
	for (unsigned i = 0; error == 0 && per_page > 1 && i < per_page; i++) {
		uint64_t at = start + (uint64_t)i * ei->fs->block_size;

		if (at < size)
			error = read_small(ei, at >> ei->fs->block_shift,
			    to + i * ei->fs->block_size);
	}
	if (error == 0 && size - start < PAGE_SIZE)
		memset(to + (size - start), 0, PAGE_SIZE - (size - start));
	return error;
}

/* A store through a mapping needs a block. @locks inode, exclusively */
static int
file_back_page(struct vm_object *o, struct vm_page *pg)
{
	struct ext2_inode *ei = inode_of(o);
	uint32_t block;
	int error = EROFS;

	if (!ei->vfs.mnt->read_only)
		error = ext2_bmap_alloc(ei, pg->offset, &block);
	if (error == 0)
		error = ext2_inode_store(ei);
	if (error == 0)
		__atomic_fetch_and(&pg->flags, ~(uint32_t)PG_HOLE,
		    __ATOMIC_RELAXED);
	return error;
}

static int
file_write_pages(struct vm_object *o, struct vm_page *const *pages,
    unsigned n)
{
	struct ext2_inode *ei = inode_of(o);
	struct block_request rq[VM_OBJECT_BATCH];
	struct block_batch batch = { 0 };
	int error = 0, e;

	for (unsigned i = 0; i < n; i++) {
		uint32_t block;

		e = ext2_bmap(ei, pages[i]->offset, &block);
		if (e == 0 && !ext2_block_valid(ei->fs, block))
			e = EIO;
		if (e != 0) {
			error = e;
			continue;
		}
		rq[i].op = BLOCK_WRITE;
		rq[i].block = block;
		rq[i].data = page_to_virt(pages[i]);
		block_start(ei->fs->dev, &rq[i], &batch);
	}
	e = block_finish(ei->fs->dev, &batch);
	return e != 0 ? e : error;
}

static int
file_sync(struct vm_object *o)
{
	struct inode *ip = &inode_of(o)->vfs;

	return ip->ops->edit->sync(ip);
}

const struct vm_object_ops ext2_object_ops = {
	.hold = file_hold_object,
	.drop = file_drop_object,
	.enter = file_enter,
	.leave = file_leave,
	.read = file_read_page,
	.back = file_back_page,
	.write = file_write_pages,
	.sync = file_sync,
};

struct vm_object *
ext2_object(struct inode *ip)
{
	return S_ISREG(ip->mode) ? &ext2_inode_of(ip)->object : NULL;
}

/* ---- read ---- */

/* Bytes of one page, to byte @p *done of the batch. */
static __always_inline int
read_piece(struct ext2_inode *ei, uint64_t pos, const struct vm_pinned *buf,
    size_t *done, size_t n)
{
	struct vm_page *pg;
	int error = vm_object_get(&ei->object, pos >> PAGE_SHIFT, OBJ_READ,
	    &pg);

	if (error != 0)
		return error;
	vm_pinned_write(buf, *done,
	    (char *)page_to_virt(pg) + (pos & PAGE_MASK), n);
	page_drop(pg);
	*done += n;
	return 0;
}

static __attribute__((noinline)) int
read_pieces(struct ext2_inode *ei, uint64_t pos, const struct vm_pinned *buf,
    size_t *done, size_t total)
{
	int error = 0;
	size_t n;

	for (; error == 0 && *done < total; pos += n) {
		n = MIN(PAGE_SIZE - (pos & PAGE_MASK), total - *done);
		error = read_piece(ei, pos, buf, done, n);
	}
	return error;
}

static int
ext2_read(struct file *f, const struct vm_pinned *buf, uint64_t pos,
    size_t *done)
{
	struct ext2_inode *ei = ext2_inode_of(f->inode);
	size_t n = 0;
	int error;

	sleep_lock_shared(&ei->lock);
	if (pos < ei->vfs.size)
		n = MIN(buf->size, ei->vfs.size - pos);
	if (likely(n - 1 < PAGE_SIZE - (pos & PAGE_MASK))) /* not 0 */
		error = read_piece(ei, pos, buf, done, n);
	else
		error = read_pieces(ei, pos, buf, done, n);
	sleep_unlock_shared(&ei->lock);
	return error;
}

/* ---- write ---- */

/* The size grows beyond its last page: what is there is zero. */
static int
zero_tail(struct ext2_inode *ei)
{
	size_t used = ei->vfs.size & PAGE_MASK;
	struct vm_page *pg;
	bool hole;
	int error;

	if (used == 0)
		return 0;
	error = vm_object_get(&ei->object, ei->vfs.size >> PAGE_SHIFT,
	    OBJ_LOCK, &pg);
	if (error != 0)
		return error;
	memset((char *)page_to_virt(pg) + used, 0, PAGE_SIZE - used);
	hole = page_flags(pg) & PG_HOLE;
	vm_object_put(pg, !hole);
	return 0;
}

static void
set_size(struct ext2_inode *ei, uint64_t size)
{
	vm_object_resize(&ei->object, pages_of(size));
	ei->vfs.size = size;
}

/* Bytes of one page; the page gets a block before anything is visible. */
static int
write_piece(struct ext2_inode *ei, uint64_t pos, const struct vm_pinned *buf,
    size_t at, size_t n)
{
	uint64_t size = ei->vfs.size;
	size_t boff = pos & PAGE_MASK;
	struct vm_page *pg;
	uint32_t block;
	bool whole;
	int error = ext2_bmap(ei, pos >> PAGE_SHIFT, &block);

	/* What the disk has is replaced, or was never part of the file. */
	whole = block == 0 || pos - boff >= size ||
	    (boff == 0 && (n == PAGE_SIZE || pos + n >= size));
	if (error == 0 && block == 0)
		error = ext2_bmap_alloc(ei, pos >> PAGE_SHIFT, &block);
	if (error == 0)
		error = vm_object_get(&ei->object, pos >> PAGE_SHIFT,
		    whole ? OBJ_NEW : OBJ_LOCK, &pg);
	if (error != 0)
		return error;
	vm_pinned_read(buf, at, (char *)page_to_virt(pg) + boff, n);
	__atomic_fetch_and(&pg->flags, ~(uint32_t)PG_HOLE, __ATOMIC_RELAXED);
	vm_object_put(pg, true);
	if (pos + n > ei->vfs.size)
		set_size(ei, pos + n);
	return 0;
}

static int
write_locked(struct ext2_inode *ei, const struct vm_pinned *buf, uint64_t pos,
    size_t *done)
{
	uint64_t max = SIZE_MAX_BLOCKS << PAGE_SHIFT;
	size_t n;
	int error = 0, e;

	if (ei->vfs.mnt->read_only)
		return EROFS;
	if (pos >= max)
		return EFBIG;
	if (pos > ei->vfs.size)
		error = zero_tail(ei);
	for (; error == 0 && *done < buf->size && pos < max; pos += n) {
		n = MIN(PAGE_SIZE - (pos & PAGE_MASK), buf->size - *done);
		error = write_piece(ei, pos, buf, *done, n);
		if (error == 0)
			*done += n;
	}
	ei->vfs.mtime = ei->vfs.ctime = ext2_now();
	/* A block may be left behind the size: without memory for its page. */
	e = error != 0 ? ext2_bmap_free(ei, pages_of(ei->vfs.size)) :
			 ext2_inode_store(ei);
	return error != 0 ? error : e;
}

/* O_APPEND: the file's position says where it went. */
static int
ext2_write(struct file *f, const struct vm_pinned *buf, uint64_t pos,
    size_t *done)
{
	struct ext2_inode *ei = ext2_inode_of(f->inode);
	int error;

	sleep_lock(&ei->lock);
	if (f->flags & O_APPEND)
		f->pos = pos = ei->vfs.size;
	error = write_locked(ei, buf, pos, done);
	sleep_unlock(&ei->lock);
	if (error == 0 && (f->flags & O_DSYNC))
		error = ei->vfs.ops->edit->sync(f->inode);
	return error;
}

int
ext2_resize(struct inode *ip, uint64_t size)
{
	struct ext2_inode *ei = ext2_inode_of(ip);
	bool shrinks;
	int error = 0, e;

	if (!S_ISREG(ip->mode))
		return EINVAL;
	if (size > SIZE_MAX_BLOCKS << PAGE_SHIFT)
		return EFBIG;
	sleep_lock(&ei->lock);
	if (ip->mnt->read_only)
		error = EROFS;
	else if (size > ip->size)
		error = zero_tail(ei);
	if (error == 0) {
		shrinks = size < ip->size;
		set_size(ei, size);
		ip->mtime = ip->ctime = ext2_now();
		e = shrinks ? zero_tail(ei) : 0;
		error = shrinks ? ext2_bmap_free(ei, pages_of(size)) :
				  ext2_inode_store(ei);
		if (error == 0)
			error = e;
	}
	sleep_unlock(&ei->lock);
	return error;
}

/* The last user of a file without names frees it. */
static void
ext2_file_release(struct file *f)
{
	struct ext2_fs *fs = ext2_of(f->inode);

	inode_drop(f->inode);
	if (!list_empty(&fs->orphans)) /* else nothing, or others are at it */
		ext2_reap(fs);
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
	.release = ext2_file_release,
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
	struct vm_page *pg;
	uint32_t block;
	int error;

	*len = MIN(size, ip->size);
	if (ei->fast_link) {
		memcpy(target, ei->block, *len);
		return 0;
	}
	error = ext2_bmap(ei, 0, &block);
	if (error == 0)
		error = ext2_block_get(ei->fs, block, &pg, &data);
	if (error != 0)
		return error;
	memcpy(target, data, *len);
	page_drop(pg);
	return 0;
}

const struct inode_ops ext2_file_ops = {
	.name = "ext2 file",
	.lookup = inode_lookup_enotdir,
	.readlink = inode_readlink_einval,
	.readdir = inode_readdir_enotdir,
	.open = ext2_file_open,
	.release = ext2_inode_release,
	.edit = &ext2_edit_ops,
};

const struct inode_ops ext2_link_ops = {
	.name = "ext2 link",
	.lookup = inode_lookup_enotdir,
	.readlink = ext2_readlink,
	.readdir = inode_readdir_enotdir,
	.open = inode_open_enxio,
	.release = ext2_inode_release,
	.edit = &ext2_edit_ops,
};
