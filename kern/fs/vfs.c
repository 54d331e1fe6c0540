/* SPDX-License-Identifier: MIT */
/*
 * vfs.c - the calls that take a path, directory reading, and the mounts.
 *
 * Path: sys/sys_file.c, sys/exec.c -> HERE -> path.c -> file systems.
 * Locks: the file's position in vfs_getdents; else none.
 * Invariants: the mounts never change after boot.
 */
#include "abi/errno.h"
#include "fs/vfs.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mem/kmem.h"
#include "proc/block.h"
#include "proc/device.h"

/* What F_GETFL shows of the flags of openat. */
#define STATUS_FLAGS                                                  \
	(O_ACCMODE | O_APPEND | O_NONBLOCK | O_DSYNC | O_SYNC |        \
	    O_LARGEFILE | O_DIRECTORY)

static struct mount root_mount = { .dev = 1 };
static struct mount proc_mount = { .dev = 2,
	.block_size = PAGE_SIZE,
	.read_only = true,
	.ops = &mount_ops_none };
static struct mount dev_mount = { .dev = DEVICE_FS,
	.block_size = PAGE_SIZE,
	.read_only = true,
	.ops = &mount_ops_none };

/* ---- mounts ---- */

/* Cover the directory @p path with a file system that needs no device. */
static void
mount_over(const char *path, struct mount *mnt, int (*mount)(struct mount *))
{
	struct inode *point;
	int error = path_walk(NULL, path, 0, &point);

	if (error == 0 && !S_ISDIR(point->mode)) {
		inode_drop(point);
		error = ENOTDIR;
	}
	if (error == 0) {
		error = mount(mnt);
		if (error == 0) {
			mnt->point = point;
			point->covered = mnt;
			return;
		}
		inode_drop(point);
	}
	kprintf("vfs: nothing mounted on %s: error %d\n", path, error);
}

int
vfs_init(const char *root)
{
	struct block_device *bd = block_find(root);
	int error;

	if (bd == NULL) {
		kprintf("vfs: no block device %s for the root\n", root);
		return ENODEV;
	}
	error = ext2_mount(bd, &root_mount);
	if (error != 0) {
		kprintf("vfs: cannot mount %s: error %d\n", root, error);
		return error;
	}
	path_root = &root_mount;
	writeback_start();
	mount_over("/proc", &proc_mount, procfs_mount);
	mount_over("/dev", &dev_mount, devfs_mount);
	return 0;
}

/* ---- calls with a path ---- */

/* Whether @p flags may be applied to what they found. */
static int
open_check(const struct inode *ip, unsigned flags)
{
	bool writing = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);

	if ((flags & O_CREAT) && (flags & O_EXCL))
		return EEXIST;
	if (S_ISLNK(ip->mode))
		return ELOOP;
	if ((flags & O_DIRECTORY) && !S_ISDIR(ip->mode))
		return ENOTDIR;
	if (S_ISDIR(ip->mode) && (writing || (flags & O_CREAT)))
		return EISDIR;
	if (S_ISREG(ip->mode) && writing && ip->mnt->read_only)
		return EROFS;
	return 0;
}

/* A name may be added to the directory, or taken from it. */
static int
edit_check(const struct path_last *l)
{
	return l->dir->mnt->read_only ? EROFS : 0;
}

/* For O_CREAT. @p *made: it is new, so no flag speaks against it.
 * @retval EAGAIN somebody else made it meanwhile */
static int
find_or_make(struct file *dir, const char *path, unsigned flags,
    unsigned mode, struct inode **out, bool *made)
{
	bool follow = !(flags & (O_NOFOLLOW | O_EXCL));
	struct path_last l;
	int error = path_walk_last(dir, path, follow ? 0 : WALK_NOFOLLOW, &l);

	if (error != 0)
		return error;
	*made = l.ip == NULL;
	if (l.slash)
		error = EISDIR;
	if (error == 0 && *made) {
		error = edit_check(&l);
		if (error == 0)
			error = l.dir->ops->edit->make(l.dir, &l.name,
			    S_IFREG | (mode & 07777), NULL, &l.ip);
		if (error == EEXIST)
			error = EAGAIN;
	}
	if (error == 0) {
		*out = l.ip;
		l.ip = NULL;
	}
	path_last_put(&l);
	return error;
}

int
vfs_open(struct file *dir, const char *path, unsigned flags, unsigned mode,
    struct file **out)
{
	struct inode *ip;
	bool made = false;
	int error;

	if ((flags & O_ACCMODE) == O_ACCMODE)
		return EINVAL;
	if (flags & O_CREAT) {
		do
			error = find_or_make(dir, path, flags, mode, &ip,
			    &made);
		while (error == EAGAIN);
	} else {
		error = path_walk(dir, path,
		    flags & O_NOFOLLOW ? WALK_NOFOLLOW : 0, &ip);
	}
	if (error != 0)
		return error;
	if (!made)
		error = open_check(ip, flags);
	if (error == 0 && !made && (flags & O_TRUNC) && S_ISREG(ip->mode))
		error = ip->ops->edit->resize(ip, 0);
	if (error == 0)
		error = ip->ops->open(ip, flags & (STATUS_FLAGS | O_NOCTTY),
		    out);
	if (error == 0)
		(*out)->flags &= ~(uint32_t)O_NOCTTY;
	if (error != 0)
		inode_drop(ip);
	return error;
}

int
vfs_open_exec(struct file *dir, const char *path, struct file **out)
{
	struct inode *ip;
	int error = path_walk(dir, path, 0, &ip);

	if (error != 0)
		return error;
	if (!S_ISREG(ip->mode) || (ip->mode & 0111) == 0)
		error = EACCES;
	else
		error = ip->ops->open(ip, O_RDONLY, out);
	if (error != 0)
		inode_drop(ip);
	return error;
}

int
vfs_stat(struct file *dir, const char *path, unsigned flags, struct stat *st)
{
	struct inode *ip;
	int error;

	if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return EINVAL;
	if (path[0] == '\0' && (flags & AT_EMPTY_PATH) && dir != NULL)
		return dir->ops->stat(dir, st);
	error = path_walk(dir, path,
	    flags & AT_SYMLINK_NOFOLLOW ? WALK_NOFOLLOW : 0, &ip);
	if (error != 0)
		return error;
	inode_stat(ip, st);
	inode_drop(ip);
	return 0;
}

int
vfs_readlink(struct file *dir, const char *path, char *buf, size_t size,
    size_t *len)
{
	struct inode *ip;
	int error = path_walk(dir, path, WALK_NOFOLLOW, &ip);

	if (error != 0)
		return error;
	error = ip->ops->readlink(ip, buf, size, len);
	inode_drop(ip);
	return error;
}

int
vfs_access(struct file *dir, const char *path, unsigned mode)
{
	struct inode *ip;
	int error;

	if (mode & ~(unsigned)(R_OK | W_OK | X_OK))
		return EINVAL;
	error = path_walk(dir, path, 0, &ip);
	if (error != 0)
		return error;
	if ((mode & X_OK) && S_ISREG(ip->mode) && (ip->mode & 0111) == 0)
		error = EACCES;
	else if ((mode & W_OK) && ip->mnt->read_only &&
	    (S_ISREG(ip->mode) || S_ISDIR(ip->mode)))
		error = EROFS;
	inode_drop(ip);
	return error;
}

/* ---- changes ---- */

int
vfs_make(struct file *dir, const char *path, uint32_t mode,
    const char *target)
{
	struct path_last l;
	struct inode *ip;
	int error = path_walk_last(dir, path, WALK_NOFOLLOW, &l);

	if (error != 0)
		return error;
	if (l.ip != NULL)
		error = EEXIST;
	else if (l.slash && !S_ISDIR(mode))
		error = ENOENT;
	else
		error = edit_check(&l);
	if (error == 0)
		error = l.dir->ops->edit->make(l.dir, &l.name, mode, target,
		    &ip);
	if (error == 0)
		inode_drop(ip);
	path_last_put(&l);
	return error;
}

int
vfs_link(struct file *olddir, const char *old, struct file *newdir,
    const char *new, unsigned flags)
{
	struct path_last l;
	struct inode *ip;
	int error = path_walk(olddir, old,
	    flags & AT_SYMLINK_FOLLOW ? 0 : WALK_NOFOLLOW, &ip);

	if (error != 0)
		return error;
	error = path_walk_last(newdir, new, WALK_NOFOLLOW, &l);
	if (error != 0) {
		inode_drop(ip);
		return error;
	}
	if (l.ip != NULL)
		error = EEXIST;
	else if (l.slash)
		error = ENOENT;
	else if (l.dir->mnt != ip->mnt)
		error = EXDEV;
	else if (S_ISDIR(ip->mode))
		error = EPERM;
	else
		error = edit_check(&l);
	if (error == 0)
		error = l.dir->ops->edit->link(l.dir, &l.name, ip);
	path_last_put(&l);
	inode_drop(ip);
	return error;
}

/* Whether the name can be taken away: EBUSY of a mount's root. */
static int
remove_check(const struct path_last *l)
{
	if (l->ip == NULL)
		return ENOENT;
	if (l->ip == l->ip->mnt->root)
		return EBUSY;
	if (l->slash && !S_ISDIR(l->ip->mode))
		return ENOTDIR;
	return edit_check(l);
}

int
vfs_unlink(struct file *dir, const char *path, unsigned flags)
{
	bool rmdir = flags & AT_REMOVEDIR;
	struct path_last l;
	int error = path_walk_last(dir, path, WALK_NOFOLLOW, &l);

	if (error != 0)
		return error;
	if (l.name.len == 0 && l.dir == NULL && l.ip == l.ip->mnt->root)
		error = rmdir ? EBUSY : EISDIR;
	else if (l.name.len == 0)
		error = !rmdir ? EISDIR : l.dotdot ? ENOTEMPTY : EINVAL;
	else
		error = remove_check(&l);
	if (error == 0)
		error = l.dir->ops->edit->unlink(l.dir, &l.name, rmdir);
	path_last_put(&l);
	path_root->ops->reap(path_root);
	return error;
}

static int
rename_last(const struct path_last *o, const struct path_last *n,
    unsigned flags)
{
	int error;

	if (o->name.len == 0 || n->name.len == 0)
		return EBUSY;
	if (o->dir->mnt != n->dir->mnt)
		return EXDEV;
	error = remove_check(o);
	if (error != 0)
		return error;
	if (n->ip != NULL && n->ip == n->ip->mnt->root)
		return EBUSY;
	if (n->slash && !S_ISDIR(o->ip->mode))
		return ENOTDIR;
	return o->dir->ops->edit->rename(o->dir, &o->name, n->dir, &n->name,
	    flags);
}

int
vfs_rename(struct file *olddir, const char *old, struct file *newdir,
    const char *new, unsigned flags)
{
	struct path_last o, n;
	int error;

	if (flags & ~(unsigned)RENAME_NOREPLACE)
		return EINVAL;
	error = path_walk_last(olddir, old, WALK_NOFOLLOW, &o);
	if (error != 0)
		return error;
	error = path_walk_last(newdir, new, WALK_NOFOLLOW, &n);
	if (error == 0) {
		error = rename_last(&o, &n, flags);
		path_last_put(&n);
	}
	path_last_put(&o);
	path_root->ops->reap(path_root);
	return error;
}

int
vfs_truncate(struct file *dir, const char *path, uint64_t size)
{
	struct inode *ip;
	int error = path_walk(dir, path, 0, &ip);

	if (error != 0)
		return error;
	if (S_ISDIR(ip->mode))
		error = EISDIR;
	else if (!S_ISREG(ip->mode))
		error = EINVAL;
	else if (ip->mnt->read_only)
		error = EROFS;
	else
		error = ip->ops->edit->resize(ip, size);
	inode_drop(ip);
	return error;
}

int
vfs_setattr(struct file *dir, const char *path, unsigned flags,
    const struct inode_attr *attr)
{
	struct inode *ip;
	int error = path_walk(dir, path,
	    flags & AT_SYMLINK_NOFOLLOW ? WALK_NOFOLLOW : 0, &ip);

	if (error != 0)
		return error;
	error = ip->mnt->read_only ? EROFS : ip->ops->edit->setattr(ip, attr);
	inode_drop(ip);
	return error;
}

int
vfs_statfs(struct file *dir, const char *path, struct statfs *st)
{
	struct inode *ip;
	int error = path_walk(dir, path, 0, &ip);

	if (error != 0)
		return error;
	inode_statfs(ip, st);
	inode_drop(ip);
	return 0;
}

int
vfs_sync(void)
{
	return path_root->ops->sync(path_root);
}

void
vfs_shutdown(void)
{
	if (path_root != NULL)
		path_root->ops->shutdown(path_root);
}

/* ---- directories ---- */

struct dents_sink {
	struct dir_sink sink;
	char *buf;
	size_t size, used;
	bool full;
};

static bool
dents_emit(struct dir_sink *sink, const struct dir_entry *e)
{
	struct dents_sink *ds = container_of(sink, struct dents_sink, sink);
	size_t head = offsetof(struct linux_dirent64, d_name);
	size_t reclen = ROUND_UP(head + e->len + 1, 8);
	struct linux_dirent64 *d;

	if (reclen > ds->size - ds->used) {
		ds->full = true;
		return false;
	}
	d = (struct linux_dirent64 *)(void *)(ds->buf + ds->used);
	memset(d, 0, reclen);
	d->d_ino = e->ino;
	d->d_off = (int64_t)e->next;
	d->d_reclen = (uint16_t)reclen;
	d->d_type = (uint8_t)e->type;
	memcpy(d->d_name, e->name, e->len);
	ds->used += reclen;
	return true;
}

long
vfs_getdents(struct file *f, struct vmspace *vs, vaddr_t buf, size_t n)
{
	struct dents_sink ds = { .sink.emit = dents_emit };
	uint64_t start;
	int error;

	ds.size = MIN(n, PAGE_SIZE);
	if (ds.size < sizeof(struct linux_dirent64))
		return -EINVAL;
	ds.buf = kmalloc(PAGE_SIZE);
	if (ds.buf == NULL)
		return -ENOMEM;
	sleep_lock(&f->lock);
	start = f->pos;
	error = f->ops->readdir(f, &f->pos, &ds.sink);
	sleep_unlock(&f->lock);
	if (ds.used > 0)
		error = copyout(vs, buf, ds.buf, ds.used);
	else if (error == 0 && ds.full)
		error = EINVAL;
	kfree(ds.buf, PAGE_SIZE);
	if (error == 0)
		return (long)ds.used;
	/* Nothing was delivered: the next call starts there again. */
	sleep_lock(&f->lock);
	f->pos = start;
	sleep_unlock(&f->lock);
	return -(long)error;
}
