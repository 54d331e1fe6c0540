/* SPDX-License-Identifier: MIT */
/*
 * ext2_inode.c - inodes in memory: a fixed pool that is also the cache.
 *
 * Path: ext2_mount, directory look-up -> HERE -> ext2.c for the block.
 * Locks: fs->lock (who is what inode), never over I/O; the first user of an
 *	inode reads it under the inode's own load lock, where others wait.
 * Invariants: at most one inode in memory per inode on disk; one in the LRU
 *	list has no references (one without may not be there yet: its last
 *	user is on the way to ext2_inode_release) and only there changes.
 */
#include "abi/errno.h"
#include "fs/ext2.h"
#include "lib/string.h"
#include "mem/kmem.h"

/* Pipes, sockets and device nodes: they can be listed, not opened. */
static const struct inode_ops ext2_special_ops = {
	.name = "ext2 special",
	.lookup = inode_lookup_enotdir,
	.readlink = inode_readlink_einval,
	.readdir = inode_readdir_enotdir,
	.open = inode_open_enxio,
	.release = ext2_inode_release,
};

int
ext2_icache_init(struct ext2_fs *fs)
{
	spin_init(&fs->lock, RANK_MISC, "ext2");
	list_init(&fs->lru);
	for (size_t i = 0; i < ARRAY_SIZE(fs->hash); i++)
		list_init(&fs->hash[i]);
	fs->pool = kzalloc(EXT2_POOL * sizeof(*fs->pool));
	if (fs->pool == NULL)
		return ENOMEM;
	for (unsigned i = 0; i < EXT2_POOL; i++) {
		struct ext2_inode *ei = &fs->pool[i];

		ei->fs = fs;
		ei->vfs.ops = &ext2_special_ops;
		sleeplock_init(&ei->load, RANK_INODE, "ext2 inode");
		list_init(&ei->hash);
		list_push_back(&fs->lru, &ei->lru);
	}
	return 0;
}

void
ext2_icache_fini(struct ext2_fs *fs)
{
	for (unsigned i = 0; i < EXT2_POOL; i++)
		KASSERT(fs->pool[i].vfs.refs == 0);
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
	memcpy(ei->block, d->i_block, sizeof(ei->block));
	ei->fast_link = S_ISLNK(ip->mode) && d->i_blocks == acl_sectors;
	ip->rdev = 0;
	if (S_ISCHR(ip->mode) || S_ISBLK(ip->mode))
		ip->rdev = d->i_block[0] != 0 ? d->i_block[0] : d->i_block[1];
	return size_sound(fs, ei) ? 0 : EIO;
}

static int
inode_read(struct ext2_inode *ei)
{
	struct ext2_fs *fs = ei->fs;
	uint32_t n = (uint32_t)ei->vfs.ino - 1;
	uint64_t offset = (uint64_t)(n % fs->inodes_per_group) *
	    fs->inode_size;
	struct ext2_dinode d;
	const uint8_t *data;
	uint32_t block;
	struct buf *b;
	int error;

	block = fs->inode_table[n / fs->inodes_per_group] +
	    (uint32_t)(offset >> fs->block_shift);
	error = ext2_block_get(fs, block, &b, &data);
	if (error != 0)
		return error;
	memcpy(&d, data + offset % fs->block_size, sizeof(d));
	buf_put(b);
	return inode_fill(ei, &d);
}

/* ---- the cache ---- */

/* Inode @p ino, or the oldest unused one made so; NULL: all are in use. */
static struct ext2_inode *
icache_find_locked(struct ext2_fs *fs, uint32_t ino)
{
	struct list *head = &fs->hash[ino % ARRAY_SIZE(fs->hash)], *l;
	struct ext2_inode *ei;

	for (l = head->next; l != head; l = l->next) {
		ei = LIST_ENTRY(l, struct ext2_inode, hash);
		if (ei->vfs.ino == ino)
			return ei;
	}
	if (list_empty(&fs->lru))
		return NULL;
	ei = LIST_ENTRY(fs->lru.next, struct ext2_inode, lru);
	KASSERT(ei->vfs.refs == 0);
	ei->vfs.ino = ino;
	ei->valid = false;
	list_remove(&ei->hash);
	list_push_front(head, &ei->hash);
	return ei;
}

int
ext2_inode_get(struct ext2_fs *fs, uint32_t ino, struct inode **out)
{
	struct ext2_inode *ei;
	int error = 0;

	if (ino == 0 || ino > fs->ninodes)
		return EIO;
	spin_lock(&fs->lock);
	ei = icache_find_locked(fs, ino);
	if (ei != NULL) {
		inode_hold(&ei->vfs);
		list_remove(&ei->lru);
	}
	spin_unlock(&fs->lock);
	if (ei == NULL)
		return ENFILE;
	if (!__atomic_load_n(&ei->valid, __ATOMIC_ACQUIRE)) {
		sleep_lock(&ei->load);
		if (!ei->valid)
			error = inode_read(ei);
		if (error == 0)
			__atomic_store_n(&ei->valid, true, __ATOMIC_RELEASE);
		sleep_unlock(&ei->load);
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

	spin_lock(&fs->lock);
	/* Somebody may have found it, or put it into the list, meanwhile. */
	if (ip->refs == 0 && list_empty(&ei->lru))
		list_push_back(&fs->lru, &ei->lru);
	spin_unlock(&fs->lock);
}
