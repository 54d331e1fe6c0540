/* SPDX-License-Identifier: MIT */
/*
 * sys_name.c - calls that take paths, and calls that change files.
 *
 * Path: trap_entry.S -> HERE -> fs/vfs.h; transfers are in sys_file.c.
 * Everything here is thin: copy arguments in, call, copy results out.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/time.h"
#include "arch/timer.h"
#include "mem/kmem.h"
#include "proc/signal.h"
#include "sys/sys_file.h"
#include "sys/syscall_table.h"

static struct vmspace *
space(void)
{
	return thread_self()->space;
}

int
path_copyin(uintptr_t user, char **out)
{
	char *path = kmalloc(PATH_MAX);
	int error;

	if (path == NULL)
		return ENOMEM;
	error = copyinstr(space(), path, user, PATH_MAX);
	if (error != 0)
		path_free(path);
	else
		*out = path;
	return error;
}

void
path_free(char *path)
{
	kfree(path, PATH_MAX);
}

struct file *
cwd_get(void)
{
	struct proc *p = proc_self();
	struct file *f;

	sleep_lock(&p->lock);
	f = p->cwd;
	if (f != NULL)
		file_hold(f);
	sleep_unlock(&p->lock);
	return f;
}

int
at_path_get(uintptr_t dirfd, uintptr_t user, struct at_path *at)
{
	int error = path_copyin(user, &at->path);

	if (error != 0)
		return error;
	if ((int)dirfd == AT_FDCWD || at->path[0] == '/') {
		at->dir = cwd_get();
		return 0;
	}
	at->dir = fd_get(proc_self()->files, (int)dirfd);
	if (at->dir == NULL) {
		path_free(at->path);
		return EBADF;
	}
	return 0;
}

void
at_path_put(struct at_path *at)
{
	if (at->dir != NULL)
		file_drop(at->dir);
	path_free(at->path);
}

/* The inode of an open descriptor, with a reference to its file. */
static int
inode_of_fd(uintptr_t fd, struct file **f)
{
	*f = fd_get(proc_self()->files, (int)fd);
	if (*f == NULL)
		return EBADF;
	if ((*f)->inode != NULL)
		return 0;
	file_drop(*f);
	return EINVAL;
}

/* ---- status ---- */

long
sys_fstat(uintptr_t fd, uintptr_t out)
{
	struct file *f = fd_get(proc_self()->files, (int)fd);
	struct stat st;
	int error;

	if (f == NULL)
		return -EBADF;
	error = f->ops->stat(f, &st);
	file_drop(f);
	if (error == 0)
		error = copyout(space(), out, &st, sizeof(st));
	return -error;
}

static int
stat_at(uintptr_t dirfd, uintptr_t path, unsigned flags, struct stat *st)
{
	struct at_path at;
	int error;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT))
		return EINVAL;
	error = at_path_get(dirfd, path, &at);
	if (error != 0)
		return error;
	/* An open pipe or device has no path, but a stat slot. */
	if (at.path[0] == '\0' && (flags & AT_EMPTY_PATH) && at.dir != NULL)
		error = at.dir->ops->stat(at.dir, st);
	else
		error = vfs_stat(at.dir, at.path,
		    flags & ~AT_NO_AUTOMOUNT, st);
	at_path_put(&at);
	return error;
}

long
sys_newfstatat(uintptr_t dirfd, uintptr_t path, uintptr_t out,
    uintptr_t flags)
{
	struct stat st;
	int error = stat_at(dirfd, path, (unsigned)flags, &st);

	if (error == 0)
		error = copyout(space(), out, &st, sizeof(st));
	return -error;
}

/* Whatever is asked for, the answer is what struct stat has. */
long
sys_statx(uintptr_t dirfd, uintptr_t path, uintptr_t flags, uintptr_t mask,
    uintptr_t out)
{
	struct statx sx = { .stx_mask = STATX_BASIC_STATS };
	struct stat st;
	int error;

	if (((uint32_t)mask & STATX__RESERVED) ||
	    (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	error = stat_at(dirfd, path, (unsigned)flags & ~AT_STATX_SYNC_TYPE,
	    &st);
	if (error != 0)
		return -error;
	sx.stx_blksize = (uint32_t)st.st_blksize;
	sx.stx_nlink = (uint32_t)st.st_nlink;
	sx.stx_uid = st.st_uid;
	sx.stx_gid = st.st_gid;
	sx.stx_mode = (uint16_t)st.st_mode;
	sx.stx_ino = st.st_ino;
	sx.stx_size = (uint64_t)st.st_size;
	sx.stx_blocks = (uint64_t)st.st_blocks;
	sx.stx_atime.tv_sec = st.st_atime;
	sx.stx_ctime.tv_sec = st.st_ctime;
	sx.stx_mtime.tv_sec = st.st_mtime;
	sx.stx_rdev_major = DEV_MAJOR(st.st_rdev);
	sx.stx_rdev_minor = DEV_MINOR(st.st_rdev);
	sx.stx_dev_major = DEV_MAJOR(st.st_dev);
	sx.stx_dev_minor = DEV_MINOR(st.st_dev);
	return -copyout(space(), out, &sx, sizeof(sx));
}

long
sys_faccessat(uintptr_t dirfd, uintptr_t path, uintptr_t mode)
{
	struct at_path at;
	int error;

	if (mode & ~(uintptr_t)(R_OK | W_OK | X_OK))
		return -EINVAL;
	error = at_path_get(dirfd, path, &at);
	if (error != 0)
		return -error;
	error = vfs_access(at.dir, at.path, (unsigned)mode);
	at_path_put(&at);
	return -error;
}

long
sys_statfs(uintptr_t path, uintptr_t out)
{
	struct at_path at;
	struct statfs st;
	int error = at_path_get((uintptr_t)AT_FDCWD, path, &at);

	if (error != 0)
		return -error;
	error = vfs_statfs(at.dir, at.path, &st);
	at_path_put(&at);
	if (error == 0)
		error = copyout(space(), out, &st, sizeof(st));
	return -error;
}

long
sys_fstatfs(uintptr_t fd, uintptr_t out)
{
	struct statfs st;
	struct file *f;
	int error = inode_of_fd(fd, &f);

	if (error != 0)
		return -error;
	inode_statfs(f->inode, &st);
	file_drop(f);
	return -copyout(space(), out, &st, sizeof(st));
}

long
sys_readlinkat(uintptr_t dirfd, uintptr_t path, uintptr_t buf, uintptr_t size)
{
	struct at_path at;
	char *target;
	size_t len;
	int error;

	if ((int)size <= 0)
		return -EINVAL;
	error = at_path_get(dirfd, path, &at);
	if (error != 0)
		return -error;
	target = kmalloc(PATH_MAX);
	error = target == NULL ? ENOMEM :
				 vfs_readlink(at.dir, at.path, target,
				     MIN(size, (uintptr_t)PATH_MAX), &len);
	at_path_put(&at);
	if (error == 0)
		error = copyout(space(), buf, target, len);
	if (target != NULL)
		kfree(target, PATH_MAX);
	return error != 0 ? -error : (long)len;
}

/* ---- the working directory ---- */

static long
set_cwd(struct file *dir)
{
	struct proc *p = proc_self();
	struct file *old;

	sleep_lock(&p->lock);
	old = p->cwd;
	p->cwd = dir;
	sleep_unlock(&p->lock);
	if (old != NULL)
		file_drop(old);
	return 0;
}

long
sys_chdir(uintptr_t user)
{
	struct at_path at;
	struct file *dir;
	int error = at_path_get((uintptr_t)AT_FDCWD, user, &at);

	if (error != 0)
		return -error;
	error = vfs_open(at.dir, at.path, O_RDONLY | O_DIRECTORY, 0, &dir);
	at_path_put(&at);
	return error != 0 ? -error : set_cwd(dir);
}

long
sys_fchdir(uintptr_t fd)
{
	struct file *f;
	int error = inode_of_fd(fd, &f);

	if (error == EBADF)
		return -EBADF;
	if (error == 0 && S_ISDIR(f->inode->mode))
		return set_cwd(f);
	if (error == 0)
		file_drop(f);
	return -ENOTDIR;
}

long
sys_getcwd(uintptr_t buf, uintptr_t size)
{
	char *path = kmalloc(PATH_MAX);
	struct file *dir;
	size_t len;
	int error;

	if (path == NULL)
		return -ENOMEM;
	dir = cwd_get();
	error = vfs_getcwd(dir, path, MIN(size, (uintptr_t)PATH_MAX), &len);
	if (dir != NULL)
		file_drop(dir);
	if (error == 0)
		error = copyout(space(), buf, path, len);
	kfree(path, PATH_MAX);
	return error != 0 ? -error : (long)len;
}

/* ---- names ---- */

long
sys_mkdirat(uintptr_t dirfd, uintptr_t path, uintptr_t mode)
{
	struct at_path at;
	int error = at_path_get(dirfd, path, &at);

	if (error != 0)
		return -error;
	error = vfs_make(at.dir, at.path,
	    S_IFDIR | ((uint32_t)mode & 01777 & ~proc_self()->umask), NULL);
	at_path_put(&at);
	return -error;
}

long
sys_unlinkat(uintptr_t dirfd, uintptr_t path, uintptr_t flags)
{
	struct at_path at;
	int error;

	if (flags & ~(uintptr_t)AT_REMOVEDIR)
		return -EINVAL;
	error = at_path_get(dirfd, path, &at);
	if (error != 0)
		return -error;
	error = vfs_unlink(at.dir, at.path, (unsigned)flags);
	at_path_put(&at);
	return -error;
}

long
sys_symlinkat(uintptr_t target, uintptr_t dirfd, uintptr_t path)
{
	struct at_path at;
	char *to;
	int error = path_copyin(target, &to);

	if (error != 0)
		return -error;
	error = at_path_get(dirfd, path, &at);
	if (error == 0) {
		error = *to == '\0' ? ENOENT :
				      vfs_make(at.dir, at.path, S_IFLNK | 0777,
					  to);
		at_path_put(&at);
	}
	path_free(to);
	return -error;
}

/* Two paths, and what is done with them. */
static int
with_two(const uintptr_t arg[4], unsigned flags,
    int (*fn)(struct file *, const char *, struct file *, const char *,
	unsigned))
{
	struct at_path old, new;
	int error = at_path_get(arg[0], arg[1], &old);

	if (error != 0)
		return error;
	error = at_path_get(arg[2], arg[3], &new);
	if (error == 0) {
		error = fn(old.dir, old.path, new.dir, new.path, flags);
		at_path_put(&new);
	}
	at_path_put(&old);
	return error;
}

long
sys_linkat(uintptr_t olddir, uintptr_t old, uintptr_t newdir, uintptr_t new,
    uintptr_t flags)
{
	const uintptr_t arg[4] = { olddir, old, newdir, new };

	if (flags & ~(uintptr_t)AT_SYMLINK_FOLLOW)
		return -EINVAL;
	return -with_two(arg, (unsigned)flags, vfs_link);
}

long
sys_renameat2(uintptr_t olddir, uintptr_t old, uintptr_t newdir,
    uintptr_t new, uintptr_t flags)
{
	const uintptr_t arg[4] = { olddir, old, newdir, new };

	if (flags & ~(uintptr_t)RENAME_NOREPLACE)
		return -EINVAL;
	return -with_two(arg, (unsigned)flags, vfs_rename);
}

/* ---- size and attributes ---- */

long
sys_truncate(uintptr_t path, uintptr_t size)
{
	struct at_path at;
	int error;

	if ((int64_t)size < 0)
		return -EINVAL;
	error = at_path_get((uintptr_t)AT_FDCWD, path, &at);
	if (error != 0)
		return -error;
	error = vfs_truncate(at.dir, at.path, size);
	at_path_put(&at);
	return -error;
}

long
sys_ftruncate(uintptr_t fd, uintptr_t size)
{
	struct file *f;
	int error;

	if ((int64_t)size < 0)
		return -EINVAL;
	error = inode_of_fd(fd, &f);
	if (error != 0)
		return -error;
	if ((f->flags & O_ACCMODE) == O_RDONLY)
		error = EINVAL;
	else
		error = f->inode->ops->edit->resize(f->inode, size);
	file_drop(f);
	return -error;
}

/* The block maps of ext2 cannot tell blocks that were never written from
 * zeroes, so there is nothing to allocate ahead: libraries write instead. */
long
sys_fallocate(uintptr_t fd, uintptr_t mode, uintptr_t offset, uintptr_t n)
{
	struct file *f;
	int error = 0;

	if ((int64_t)offset < 0 || (int64_t)n <= 0)
		return -EINVAL;
	f = fd_get(proc_self()->files, (int)fd);
	if (f == NULL)
		return -EBADF;
	if ((int)mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		error = EOPNOTSUPP;
	else if ((f->flags & O_ACCMODE) == O_RDONLY)
		error = EBADF;
	else if (f->inode == NULL)
		error = ESPIPE;
	else if (!S_ISREG(f->inode->mode))
		error = ENODEV;
	else if (offset > INT64_MAX - n)
		error = EFBIG;
	else
		error = EOPNOTSUPP;
	file_drop(f);
	return -error;
}

/* Advice on the cache, which finds out by itself. */
long
sys_fadvise64(uintptr_t fd, uintptr_t offset, uintptr_t n, uintptr_t advice)
{
	struct file *f = fd_get(proc_self()->files, (int)fd);
	int error = 0;

	if (f == NULL)
		return -EBADF;
	if (f->inode == NULL)
		error = ESPIPE;
	else if ((int64_t)n < 0 || (int)advice < POSIX_FADV_NORMAL ||
	    (int)advice > POSIX_FADV_NOREUSE)
		error = EINVAL;
	file_drop(f);
	return -error;
}

static int
setattr_at(uintptr_t dirfd, uintptr_t path, unsigned flags,
    const struct inode_attr *attr)
{
	struct at_path at;
	int error = at_path_get(dirfd, path, &at);

	if (error != 0)
		return error;
	error = vfs_setattr(at.dir, at.path, flags, attr);
	at_path_put(&at);
	return error;
}

static int
setattr_fd(uintptr_t fd, const struct inode_attr *attr)
{
	struct file *f;
	int error = inode_of_fd(fd, &f);

	if (error != 0)
		return error;
	error = f->inode->ops->edit->setattr(f->inode, attr);
	file_drop(f);
	return error;
}

long
sys_fchmodat(uintptr_t dirfd, uintptr_t path, uintptr_t mode)
{
	const struct inode_attr attr = { (int64_t)(mode & 07777), -1, -1 };

	return -setattr_at(dirfd, path, 0, &attr);
}

long
sys_fchmod(uintptr_t fd, uintptr_t mode)
{
	const struct inode_attr attr = { (int64_t)(mode & 07777), -1, -1 };

	return -setattr_fd(fd, &attr);
}

/* @return -1: leave it; -2: the time is invalid */
static int64_t
time_of(const struct timespec *ts)
{
	if (ts->tv_nsec == UTIME_OMIT)
		return -1;
	if (ts->tv_nsec == UTIME_NOW)
		return (int64_t)(timer_realtime() / 1000000000);
	if (ts->tv_nsec < 0 || ts->tv_nsec > 999999999 || ts->tv_sec < 0)
		return -2;
	return ts->tv_sec;
}

long
sys_utimensat(uintptr_t dirfd, uintptr_t path, uintptr_t times,
    uintptr_t flags)
{
	struct timespec ts[2] = { { .tv_nsec = UTIME_NOW },
		{ .tv_nsec = UTIME_NOW } };
	struct inode_attr attr = { .mode = -1 };
	int error = 0;

	if (flags & ~(uintptr_t)AT_SYMLINK_NOFOLLOW)
		return -EINVAL;
	if (times != 0)
		error = copyin(space(), ts, times, sizeof(ts));
	attr.atime = time_of(&ts[0]);
	attr.mtime = time_of(&ts[1]);
	if (error == 0 && (attr.atime == -2 || attr.mtime == -2))
		error = EINVAL;
	if (error != 0)
		return -error;
	return path == 0 ? -setattr_fd(dirfd, &attr) :
			   -setattr_at(dirfd, path, (unsigned)flags, &attr);
}

/* ---- to disk ---- */

long
sys_sync(void)
{
	(void)vfs_sync();
	return 0;
}

long
sys_fsync(uintptr_t fd)
{
	struct file *f;
	int error = inode_of_fd(fd, &f);

	if (error != 0)
		return -error;
	error = f->inode->ops->edit->sync(f->inode);
	file_drop(f);
	return -error;
}

long
sys_fdatasync(uintptr_t fd)
{
	return sys_fsync(fd);
}
