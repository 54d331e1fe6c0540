/* SPDX-License-Identifier: MIT */
/*
 * ext2_inode.c - inodes in memory: a fixed pool that is also the cache.
 *
 * Path: ext2_mount, directory look-up -> HERE -> ext2.c for the block.
 * Locks: fs->lock (who is what inode), never over I/O; the first user of an
 *	inode reads it under the inode's own lock, where others wait.
 * Invariants: at most one inode in memory per inode on disk; one in the LRU
 *	list has no references (one without may not be there yet: its last
 *	user is on the way to ext2_inode_release) and only there changes.
 *	Each change is copied to the inode's block at once (ext2_inode_store).
 *	One whose last name and last user are gone is an orphan until
 *	ext2_reap() has freed its blocks, then its number.
 */
#include "abi/errno.h"
#include "arch/timer.h"
#include "fs/ext2.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mem/kmem.h"

/* Pipes, sockets and device nodes: they can be listed, not opened. */
const struct inode_ops ext2_special_ops = {
	.name = "ext2 special",
	.lookup = inode_lookup_enotdir,
	.readlink = inode_readlink_einval,
	.readdir = inode_readdir_enotdir,
	.open = inode_open_enxio,
	.release = ext2_inode_release,
	.edit = &ext2_edit_ops,
};

int
ext2_icache_init(struct ext2_fs *fs)
{
	spin_init(&fs->lock, RANK_ICACHE, "ext2");
	list_init(&fs->lru);
	list_init(&fs->orphans);
	for (size_t i = 0; i < ARRAY_SIZE(fs->hash); i++)
		list_init(&fs->hash[i]);
	fs->pool = kzalloc(EXT2_POOL * sizeof(*fs->pool));
	if (fs->pool == NULL)
		return ENOMEM;
	for (unsigned i = 0; i < EXT2_POOL; i++) {
		struct ext2_inode *ei = &fs->pool[i];

		ei->fs = fs;
		ei->vfs.ops = &ext2_special_ops;
		sleeplock_init(&ei->lock, RANK_INODE, "ext2 inode");
		vm_object_init(&ei->object, &ext2_object_ops);
		list_init(&ei->hash);
		list_push_back(&fs->lru, &ei->lru);
	}
	return 0;
}

void
ext2_icache_fini(struct ext2_fs *fs)
{
	for (unsigned i = 0; i < EXT2_POOL; i++) {
		KASSERT(fs->pool[i].vfs.refs == 0);
		if (!vm_object_purge(&fs->pool[i].object))
			panic("ext2: inode %lu is still in use",
			    (unsigned long)fs->pool[i].vfs.ino);
	}
	kfree(fs->pool, EXT2_POOL * sizeof(*fs->pool));
}

/* ---- from disk ---- */

static const struct inode_ops *
ops_of_mode(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return &ext2_file_ops;
	case S_IFDIR:
		return &ext2_dir_ops;
	case S_IFLNK:
		return &ext2_link_ops;
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return &ext2_special_ops;
	default:
		return NULL;
	}
}

/* Sizes that the rest may rely on. */
static bool
size_sound(const struct ext2_fs *fs, const struct ext2_inode *ei)
{
	const struct inode *ip = &ei->vfs;

	if (S_ISDIR(ip->mode))
		/* A directory has no holes, so it is no larger than all. */
		return ip->size > 0 && ip->size % fs->block_size == 0 &&
		    ip->size >> fs->block_shift < fs->nblocks;
	if (S_ISLNK(ip->mode))
		return ip->size > 0 && ip->size < PATH_MAX &&
		    ip->size < (ei->fast_link ? EXT2_FAST_LINK :
						fs->block_size);
	return ip->size <= INT64_MAX;
}

/* Copy what we keep of @p d, and check it. */
static int
inode_fill(struct ext2_inode *ei, const struct ext2_dinode *d)
{
	const struct ext2_fs *fs = ei->fs;
	const struct inode_ops *ops = ops_of_mode(d->i_mode);
	uint32_t acl_sectors = d->i_file_acl != 0 ? fs->block_size / 512 : 0;
	struct inode *ip = &ei->vfs;

	if (ops == NULL || d->i_links_count == 0 ||
	    (d->i_flags & (EXT4_FL_EXTENTS | EXT4_FL_INLINE_DATA)) != 0)
		return EIO;
	ip->ops = ops;
	ip->mnt = fs->mnt;
	ip->covered = NULL;
	ip->mode = d->i_mode;
	ip->size = d->i_size;
	if (S_ISREG(ip->mode))
		ip->size |= (uint64_t)d->i_size_high << 32;
	ip->nsectors = d->i_blocks;
	ip->nlink = d->i_links_count;
	ip->uid = d->i_uid;
	ip->gid = d->i_gid;
	ip->atime = d->i_atime;
	ip->mtime = d->i_mtime;
	ip->ctime = d->i_ctime;
	ei->flags = d->i_flags;
	ei->file_acl = d->i_file_acl;
	ei->goal = 0;
	memcpy(ei->block, d->i_block, sizeof(ei->block));
	ei->fast_link = S_ISLNK(ip->mode) && d->i_blocks == acl_sectors;
	ip->rdev = 0;
	if (S_ISCHR(ip->mode) || S_ISBLK(ip->mode))
		ip->rdev = d->i_block[0] != 0 ? d->i_block[0] : d->i_block[1];
	return size_sound(fs, ei) ? 0 : EIO;
}

/* The block of inode @p ino, and where it is in it. */
static uint32_t
inode_block(const struct ext2_fs *fs, uint64_t ino, size_t *at)
{
	uint32_t n = (uint32_t)ino - 1;
	uint64_t offset = (uint64_t)(n % fs->inodes_per_group) *
	    fs->inode_size;

	*at = offset % fs->block_size;
	return fs->inode_table[n / fs->inodes_per_group] +
	    (uint32_t)(offset >> fs->block_shift);
}

static int
inode_read(struct ext2_inode *ei)
{
	struct ext2_fs *fs = ei->fs;
	struct ext2_dinode d;
	const uint8_t *data;
	struct vm_page *pg;
	size_t at;
	int error = ext2_block_get(fs, inode_block(fs, ei->vfs.ino, &at), &pg,
	    &data);

	if (error != 0)
		return error;
	memcpy(&d, data + at, sizeof(d));
	page_drop(pg);
	error = inode_fill(ei, &d);
	if (error == 0)
		vm_object_resize(&ei->object,
		    S_ISREG(ei->vfs.mode) ?
			ROUND_UP(ei->vfs.size, PAGE_SIZE) >> PAGE_SHIFT :
			0);
	return error;
}

/* ---- to disk ---- */

int64_t
ext2_now(void)
{
	return (int64_t)(timer_realtime() / 1000000000);
}

/* The fields that we keep; @p d has the others. */
static void
dinode_fill(const struct ext2_inode *ei, struct ext2_dinode *d)
{
	const struct inode *ip = &ei->vfs;

	d->i_mode = (uint16_t)ip->mode;
	d->i_uid = (uint16_t)ip->uid;
	d->i_gid = (uint16_t)ip->gid;
	d->i_size = (uint32_t)ip->size;
	if (S_ISREG(ip->mode))
		d->i_size_high = (uint32_t)(ip->size >> 32);
	d->i_atime = (uint32_t)ip->atime;
	d->i_ctime = (uint32_t)ip->ctime;
	d->i_mtime = (uint32_t)ip->mtime;
	d->i_dtime = ip->nlink == 0 ? (uint32_t)ip->ctime : 0;
	d->i_links_count = (uint16_t)ip->nlink;
	d->i_blocks = (uint32_t)ip->nsectors;
	d->i_flags = ei->flags;
	memcpy(d->i_block, ei->block, sizeof(ei->block));
}

/* @p fresh: nothing of what is there remains. */
static int
inode_write(struct ext2_inode *ei, bool fresh)
{
	struct ext2_fs *fs = ei->fs;
	struct vm_page *pg;
	uint8_t *data;
	size_t at;
	int error = ext2_block_edit(fs, inode_block(fs, ei->vfs.ino, &at), &pg,
	    &data);

	if (error != 0)
		return error;
	if (fresh)
		memset(data + at, 0, fs->inode_size);
	dinode_fill(ei, (struct ext2_dinode *)(void *)(data + at));
	vm_object_put(pg, true);
	return 0;
}

int
ext2_inode_store(struct ext2_inode *ei)
{
	return inode_write(ei, false);
}

/* ---- the cache ---- */

/* An unused one whose pages can be forgotten, or NULL. @locks fs->lock */
static struct ext2_inode *
icache_victim_locked(struct ext2_fs *fs)
{
	LIST_FOREACH(l, &fs->lru) {
		struct ext2_inode *ei = LIST_ENTRY(l, struct ext2_inode, lru);

		KASSERT(ei->vfs.refs == 0);
		if (vm_object_purge(&ei->object))
			return ei;
	}
	return NULL;
}

/* Inode @p ino with a reference, or an unused one made so; NULL: none. */
static struct ext2_inode *
icache_take(struct ext2_fs *fs, uint32_t ino)
{
	struct list *head = &fs->hash[ino % ARRAY_SIZE(fs->hash)];
	struct ext2_inode *ei = NULL;

	spin_lock(&fs->lock);
	LIST_FOREACH(l, head)
		if (LIST_ENTRY(l, struct ext2_inode, hash)->vfs.ino == ino)
			ei = LIST_ENTRY(l, struct ext2_inode, hash);
	if (ei == NULL && (ei = icache_victim_locked(fs)) != NULL) {
		ei->vfs.ino = ino;
		ei->valid = false;
		list_remove(&ei->hash);
		list_push_front(head, &ei->hash);
	}
	if (ei != NULL) {
		inode_hold(&ei->vfs);
		list_remove(&ei->lru);
	}
	spin_unlock(&fs->lock);
	return ei;
}

static struct ext2_inode *
icache_get(struct ext2_fs *fs, uint32_t ino)
{
	struct ext2_inode *ei = icache_take(fs, ino);

	if (ei == NULL) { /* perhaps all that are unused are unsaved */
		(void)ext2_sync(fs);
		ei = icache_take(fs, ino);
	}
	return ei;
}

int
ext2_inode_get(struct ext2_fs *fs, uint32_t ino, struct inode **out)
{
	struct ext2_inode *ei;
	int error = 0;

	if (ino == 0 || ino > fs->ninodes)
		return EIO;
	ei = icache_get(fs, ino);
	if (ei == NULL)
		return ENFILE;
	if (!__atomic_load_n(&ei->valid, __ATOMIC_ACQUIRE)) {
		sleep_lock(&ei->lock);
		if (!ei->valid)
			error = inode_read(ei);
		if (error == 0)
			__atomic_store_n(&ei->valid, true, __ATOMIC_RELEASE);
		sleep_unlock(&ei->lock);
	} else if (ei->vfs.nlink == 0) {
		error = EIO; /* a name of what has none */
	}
	if (error != 0)
		inode_drop(&ei->vfs);
	*out = &ei->vfs;
	return error;
}

void
ext2_inode_release(struct inode *ip)
{
	struct ext2_inode *ei = ext2_inode_of(ip);
	struct ext2_fs *fs = ei->fs;
	bool orphan = ei->valid && ip->nlink == 0;

	spin_lock(&fs->lock);
	/* Somebody may have found it, or put it into the list, meanwhile. */
	if (ip->refs == 0 && list_empty(&ei->lru))
		list_push_back(orphan ? &fs->orphans : &fs->lru, &ei->lru);
	spin_unlock(&fs->lock);
	if (orphan)
		waitq_wake_all(&vm_object_daemon_wq);
}

/* ---- birth and death ---- */

static int
inode_init(struct ext2_inode *ei, uint32_t mode)
{
	struct inode *ip = &ei->vfs;

	ip->ops = S_ISDIR(mode) ? &ext2_dir_ops :
	    S_ISLNK(mode)	? &ext2_link_ops :
				  &ext2_file_ops;
	ip->mnt = ei->fs->mnt;
	ip->covered = NULL;
	ip->mode = mode;
	ip->size = ip->nsectors = ip->rdev = 0;
	ip->nlink = ip->uid = ip->gid = 0;
	ip->atime = ip->mtime = ip->ctime = ext2_now();
	ei->flags = ei->file_acl = ei->goal = 0;
	ei->fast_link = false;
	memset(ei->block, 0, sizeof(ei->block));
	vm_object_resize(&ei->object, 0);
	return inode_write(ei, true);
}

static int
count_dir(struct ext2_fs *fs, uint64_t ino, int n)
{
	return ext2_group_add(fs, ((uint32_t)ino - 1) / fs->inodes_per_group,
	    offsetof(struct ext2_group, bg_used_dirs_count), n);
}

int
ext2_inode_new(struct ext2_inode *dir, uint32_t mode, struct inode **out)
{
	struct ext2_fs *fs = dir->fs;
	struct ext2_inode *ei;
	uint32_t ino;
	int error = ext2_alloc(fs, &fs->inodes, (uint32_t)dir->vfs.ino, &ino);

	if (error != 0)
		return error;
	if (ino < fs->first_ino)
		return ext2_damaged(fs, "a reserved inode is free", ino);
	ei = icache_get(fs, ino);
	if (ei == NULL) {
		ext2_free(fs, &fs->inodes, ino);
		return ENFILE;
	}
	sleep_lock(&ei->lock);
	error = inode_init(ei, mode);
	ei->valid = error == 0;
	sleep_unlock(&ei->lock);
	if (error == 0 && S_ISDIR(mode))
		error = count_dir(fs, ino, 1);
	if (error != 0) {
		ei->valid = false;
		inode_drop(&ei->vfs);
		ext2_free(fs, &fs->inodes, ino);
		return error;
	}
	*out = &ei->vfs;
	return 0;
}

/* Blocks first, then the inode on disk, then its number. */
static void
reap_one(struct ext2_inode *ei)
{
	struct ext2_fs *fs = ei->fs;
	uint64_t ino = ei->vfs.ino;

	sleep_lock(&ei->lock);
	vm_object_resize(&ei->object, 0);
	ei->vfs.size = 0;
	if (!ei->fast_link)
		(void)ext2_bmap_free(ei, 0);
	else
		(void)ext2_inode_store(ei);
	if (S_ISDIR(ei->vfs.mode))
		(void)count_dir(fs, ino, -1);
	ei->valid = false;
	sleep_unlock(&ei->lock);
	spin_lock(&fs->lock);
	ei->vfs.ino = 0;
	__atomic_store_n(&ei->vfs.refs, 0, __ATOMIC_RELEASE);
	list_push_front(&fs->lru, &ei->lru);
	spin_unlock(&fs->lock);
	ext2_free(fs, &fs->inodes, (uint32_t)ino);
}

/* The next orphan, with a reference that counts as none, and nobody finds it
 * any more.  It is in no list now: a user who found it, or an earlier one who
 * is late in ext2_inode_release(), would enter it once more. */
static struct ext2_inode *
take_orphan(struct ext2_fs *fs)
{
	struct ext2_inode *ei = NULL;

	spin_lock(&fs->lock);
	if (!list_empty(&fs->orphans)) {
		ei = LIST_ENTRY(list_pop_front(&fs->orphans),
		    struct ext2_inode, lru);
		list_remove(&ei->hash);
		__atomic_store_n(&ei->vfs.refs, 1, __ATOMIC_RELAXED);
	}
	spin_unlock(&fs->lock);
	return ei;
}

void
ext2_reap(struct ext2_fs *fs)
{
	struct ext2_inode *ei;

	sleep_lock(&fs->reap);
	while ((ei = take_orphan(fs)) != NULL)
		reap_one(ei);
	sleep_unlock(&fs->reap);
}
