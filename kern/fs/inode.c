/* SPDX-License-Identifier: MIT */
/*
 * inode.c - references of inodes, and what all file systems share.
 *
 * Path: vfs.c, path.c -> HERE -> inode_ops of ext2, procfs, devfs.
 * Locks: none of its own.
 * Invariants: TS_inodes counts the inodes with refs > 0, because it changes
 *	exactly where refs leaves or reaches 0.
 */
#include "abi/dirent.h"
#include "abi/errno.h"
#include "fs/vfs.h"
#include "lib/string.h"
#include "sync/counter.h"

void
inode_hold(struct inode *ip)
{
	if (__atomic_fetch_add(&ip->refs, 1, __ATOMIC_RELAXED) == 0)
		counter_add(TS_inodes, 1);
}

void
inode_drop(struct inode *ip)
{
	KASSERT(ip->refs > 0);
	if (__atomic_sub_fetch(&ip->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	counter_add(TS_inodes, (uint64_t)-1);
	ip->ops->release(ip);
}

unsigned
inode_dirent_type(uint32_t mode)
{
	/* DT_* are the four type bits of S_IF*. */
	return (mode & S_IFMT) >> 12;
}

/* ---- slots of inodes ---- */

int
inode_lookup_enotdir(struct inode *dir, const char *name, size_t len,
    struct inode **out)
{
	return ENOTDIR;
}

int
inode_readlink_einval(struct inode *ip, char *buf, size_t size, size_t *len)
{
	return EINVAL;
}

int
inode_readdir_enotdir(struct inode *ip, uint64_t *pos, struct dir_sink *sink)
{
	return ENOTDIR;
}

int
inode_open_enxio(struct inode *ip, unsigned flags, struct file **out)
{
	return ENXIO;
}

void
inode_release_nothing(struct inode *ip)
{
}

/* ---- changes of what cannot be changed ---- */

static int
none_make(struct inode *dir, const struct name *n, uint32_t mode,
    const char *target, struct inode **out)
{
	return EROFS;
}

static int
none_link(struct inode *dir, const struct name *n, struct inode *ip)
{
	return EROFS;
}

static int
none_unlink(struct inode *dir, const struct name *n, bool rmdir)
{
	return EROFS;
}

static int
none_rename(struct inode *od, const struct name *o, struct inode *nd,
    const struct name *n, unsigned flags)
{
	return EROFS;
}

static int
none_resize(struct inode *ip, uint64_t size)
{
	return EINVAL;
}

static int
none_setattr(struct inode *ip, const struct inode_attr *attr)
{
	return EROFS;
}

static int
none_sync(struct inode *ip)
{
	return EINVAL;
}

static struct vm_object *
none_object(struct inode *ip)
{
	return NULL;
}

const struct inode_edit_ops inode_edit_none = {
	.make = none_make,
	.link = none_link,
	.unlink = none_unlink,
	.rename = none_rename,
	.resize = none_resize,
	.setattr = none_setattr,
	.sync = none_sync,
	.object = none_object,
};

static void
none_statfs(const struct mount *mnt, struct statfs *st)
{
	st->f_type = 0x9fa0; /* as Linux's proc */
}

static int
none_sync_mount(struct mount *mnt)
{
	return 0;
}

static void
none_mount(struct mount *mnt)
{
}

const struct mount_ops mount_ops_none = {
	.statfs = none_statfs,
	.sync = none_sync_mount,
	.write_back = none_mount,
	.reap = none_mount,
	.shutdown = none_mount,
};

void
inode_stat(const struct inode *ip, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_dev = ip->mnt->dev;
	st->st_ino = ip->ino;
	st->st_mode = ip->mode;
	st->st_nlink = ip->nlink;
	st->st_uid = ip->uid;
	st->st_gid = ip->gid;
	st->st_rdev = ip->rdev;
	st->st_size = (int64_t)ip->size;
	st->st_blksize = (int32_t)ip->mnt->block_size;
	st->st_blocks = (int64_t)ip->nsectors;
	st->st_atime = ip->atime;
	st->st_mtime = ip->mtime;
	st->st_ctime = ip->ctime;
}

void
inode_statfs(const struct inode *ip, struct statfs *st)
{
	memset(st, 0, sizeof(*st));
	st->f_bsize = st->f_frsize = ip->mnt->block_size;
	st->f_namelen = NAME_MAX;
	st->f_fsid[0] = (int32_t)ip->mnt->dev;
	st->f_flags = ip->mnt->read_only ? ST_RDONLY : 0;
	ip->mnt->ops->statfs(ip->mnt, st);
}

/* ---- slots of files ---- */

int
inode_file_stat(struct file *f, struct stat *st)
{
	inode_stat(f->inode, st);
	return 0;
}

uint64_t
inode_file_size(struct file *f)
{
	return f->inode->size;
}

void
inode_file_release(struct file *f)
{
	inode_drop(f->inode);
}

/* ---- directories as files ---- */

static int
dir_read(struct file *f, const struct vm_pinned *buf, uint64_t pos,
    size_t *done)
{
	return EISDIR;
}

static int
dir_readdir(struct file *f, uint64_t *pos, struct dir_sink *sink)
{
	return f->inode->ops->readdir(f->inode, pos, sink);
}

static const struct file_ops dir_file_ops = {
	.name = "directory",
	.seekable = true,
	.read = dir_read,
	.write = file_write_einval,
	.stat = inode_file_stat,
	.readdir = dir_readdir,
	.ioctl = file_ioctl_enotty,
	.poll = file_poll_ready,
	.size = inode_file_size,
	.release = inode_file_release,
};

int
inode_open_dir(struct inode *ip, unsigned flags, struct file **out)
{
	int error = file_create(&dir_file_ops, flags, NULL, out);

	if (error == 0)
		(*out)->inode = ip;
	return error;
}
