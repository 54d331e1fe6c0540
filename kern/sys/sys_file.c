/* SPDX-License-Identifier: MIT */
/*
 * sys_file.c - files and descriptors.
 *
 * Path: trap_entry.S -> HERE -> proc/file.c (descriptors, transfers) and
 *	fs/vfs.h (paths).
 * Everything here is thin: copy arguments in, call, copy results out.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/uio.h"
#include "fs/vfs.h"
#include "ipc/pipe.h"
#include "mem/kmem.h"
#include "proc/signal.h"
#include "sys/syscall_table.h"

static struct vmspace *
space(void)
{
	return thread_self()->space;
}

static struct fdtable *
files(void)
{
	return proc_self()->files;
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

/** A path argument with the directory where it starts. */
struct at_path {
	struct file *dir; /* reference, or NULL: the root */
	char *path;
};

static struct file *
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

static int
at_path_get(uintptr_t dirfd, uintptr_t user, struct at_path *at)
{
	int error = path_copyin(user, &at->path);

	if (error != 0)
		return error;
	if ((int)dirfd == AT_FDCWD || at->path[0] == '/') {
		at->dir = cwd_get();
		return 0;
	}
	at->dir = fd_get(files(), (int)dirfd);
	if (at->dir == NULL) {
		path_free(at->path);
		return EBADF;
	}
	return 0;
}

static void
at_path_put(struct at_path *at)
{
	if (at->dir != NULL)
		file_drop(at->dir);
	path_free(at->path);
}

/* fd_install, within the process's own limit. */
static int
install(struct file *f, int from, bool cloexec, int *out)
{
	int error;

	if (from >= proc_self()->nofile)
		return EINVAL;
	error = fd_install(files(), f, from, cloexec, out);
	if (error == 0 && *out >= proc_self()->nofile) {
		file_hold(f); /* the caller keeps its reference */
		(void)fd_close(files(), *out);
		error = EMFILE;
	}
	return error;
}

/* ---- transfers ---- */

long
sys_read(uintptr_t fd, uintptr_t buf, uintptr_t n)
{
	struct file *f = fd_get(files(), (int)fd);
	long result;

	if (f == NULL)
		return -EBADF;
	result = file_read(f, space(), buf, n, NULL);
	file_drop(f);
	return signal_restartable(result);
}

long
sys_write(uintptr_t fd, uintptr_t buf, uintptr_t n)
{
	struct file *f = fd_get(files(), (int)fd);
	long result;

	if (f == NULL)
		return -EBADF;
	result = file_write(f, space(), buf, n, NULL);
	file_drop(f);
	return signal_restartable(result);
}

typedef long transfer_fn(struct file *, struct vmspace *, vaddr_t, size_t,
    const uint64_t *);

/* One piece after the other, until one is short. */
static long
transfer_vector(struct file *f, const struct iovec *v, size_t n,
    transfer_fn *transfer)
{
	long total = 0;

	for (size_t i = 0; i < n; i++) {
		long r = 0;

		if (v[i].iov_len != 0)
			r = transfer(f, space(), (vaddr_t)v[i].iov_base,
			    v[i].iov_len, NULL);
		if (r < 0)
			return total > 0 ? total : r;
		total += r;
		if ((size_t)r < v[i].iov_len)
			break;
	}
	return total;
}

/* The whole vector, before anything is moved. */
static int
vector_copyin(uintptr_t user, size_t n, struct iovec *v)
{
	int error = copyin(space(), v, user, n * sizeof(*v));
	size_t total = 0;

	for (size_t i = 0; error == 0 && i < n; i++)
		if (__builtin_add_overflow(total, v[i].iov_len, &total) ||
		    total > INT64_MAX)
			error = EINVAL;
	return error;
}

static long
vector_call(uintptr_t fd, uintptr_t iov, uintptr_t n, transfer_fn *transfer)
{
	struct iovec few[4], *v = few;
	struct file *f;
	long result;

	if (n > IOV_MAX)
		return -EINVAL;
	f = fd_get(files(), (int)fd);
	if (f == NULL)
		return -EBADF;
	if (n > ARRAY_SIZE(few))
		v = kmalloc(n * sizeof(*v));
	result = v == NULL ? -ENOMEM : -vector_copyin(iov, n, v);
	if (result == 0)
		result = transfer_vector(f, v, n, transfer);
	if (v != few && v != NULL)
		kfree(v, n * sizeof(*v));
	file_drop(f);
	return signal_restartable(result);
}

long
sys_readv(uintptr_t fd, uintptr_t iov, uintptr_t n)
{
	return vector_call(fd, iov, n, file_read);
}

long
sys_writev(uintptr_t fd, uintptr_t iov, uintptr_t n)
{
	return vector_call(fd, iov, n, file_write);
}

long
sys_lseek(uintptr_t fd, uintptr_t offset, uintptr_t whence)
{
	struct file *f = fd_get(files(), (int)fd);
	long result;

	if (f == NULL)
		return -EBADF;
	result = file_seek(f, (int64_t)offset, (int)whence);
	file_drop(f);
	return result;
}

/* ---- descriptors ---- */

long
sys_openat(uintptr_t dirfd, uintptr_t path, uintptr_t flags, uintptr_t mode)
{
	struct at_path at;
	struct file *f;
	int fd, error = at_path_get(dirfd, path, &at);

	if (error != 0)
		return -error;
	error = vfs_open(at.dir, at.path, (unsigned)flags,
	    (unsigned)mode & ~proc_self()->umask, &f);
	at_path_put(&at);
	if (error != 0)
		return signal_restartable(-error);
	error = install(f, 0, flags & O_CLOEXEC, &fd);
	if (error != 0) {
		file_drop(f);
		return -error;
	}
	return fd;
}

long
sys_close(uintptr_t fd)
{
	return -fd_close(files(), (int)fd);
}

static long
dup_from(uintptr_t fd, int from, bool cloexec)
{
	struct file *f = fd_get(files(), (int)fd);
	int new, error;

	if (f == NULL)
		return -EBADF;
	error = install(f, from, cloexec, &new);
	if (error != 0) {
		file_drop(f);
		return -error;
	}
	return new;
}

long
sys_dup(uintptr_t fd)
{
	return dup_from(fd, 0, false);
}

long
sys_dup3(uintptr_t old, uintptr_t new, uintptr_t flags)
{
	struct file *f;
	int error;

	if ((flags & ~(uintptr_t)O_CLOEXEC) || (int)old == (int)new)
		return -EINVAL;
	if ((int)new >= proc_self()->nofile)
		return -EBADF;
	f = fd_get(files(), (int)old);
	if (f == NULL)
		return -EBADF;
	error = fd_replace(files(), (int)new, f, flags & O_CLOEXEC);
	if (error != 0) {
		file_drop(f);
		return -error;
	}
	return (int)new;
}

long
sys_pipe2(uintptr_t out, uintptr_t flags)
{
	struct file *rd, *wr;
	bool cloexec = flags & O_CLOEXEC;
	int fd[2], error;

	if (flags & ~(uintptr_t)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	error = pipe_create((unsigned)flags & O_NONBLOCK, &rd, &wr);
	if (error != 0)
		return -error;
	error = install(rd, 0, cloexec, &fd[0]);
	if (error != 0) {
		file_drop(rd);
		file_drop(wr);
		return -error;
	}
	error = install(wr, 0, cloexec, &fd[1]);
	if (error != 0) {
		(void)fd_close(files(), fd[0]);
		file_drop(wr);
		return -error;
	}
	error = copyout(space(), out, fd, sizeof(fd));
	if (error != 0) {
		(void)fd_close(files(), fd[0]);
		(void)fd_close(files(), fd[1]);
	}
	return -error;
}

#define SETFL_MASK (O_APPEND | O_NONBLOCK | O_NOATIME)

static long
set_status_flags(struct file *f, uintptr_t flags)
{
	uint32_t old = __atomic_load_n(&f->flags, __ATOMIC_RELAXED);

	__atomic_store_n(&f->flags,
	    (old & ~(uint32_t)SETFL_MASK) | (flags & SETFL_MASK),
	    __ATOMIC_RELAXED);
	return 0;
}

long
sys_fcntl(uintptr_t fd, uintptr_t cmd, uintptr_t arg)
{
	struct file *f;
	bool on;
	long result;

	switch (cmd) {
	case F_DUPFD:
		return dup_from(fd, (int)arg, false);
	case F_DUPFD_CLOEXEC:
		return dup_from(fd, (int)arg, true);
	case F_GETFD:
		result = -fd_get_cloexec(files(), (int)fd, &on);
		return result != 0 ? result : on ? FD_CLOEXEC : 0;
	case F_SETFD:
		return -fd_set_cloexec(files(), (int)fd, arg & FD_CLOEXEC);
	}
	f = fd_get(files(), (int)fd);
	if (f == NULL)
		return -EBADF;
	if (cmd == F_GETFL)
		result = f->flags;
	else if (cmd == F_SETFL)
		result = set_status_flags(f, arg);
	else
		result = -EINVAL;
	file_drop(f);
	return result;
}

long
sys_ioctl(uintptr_t fd, uintptr_t cmd, uintptr_t arg)
{
	struct file *f = fd_get(files(), (int)fd);
	long result = 0;
	int error;

	if (f == NULL)
		return -EBADF;
	error = f->ops->ioctl(f, space(), (unsigned)cmd, arg, &result);
	file_drop(f);
	return error != 0 ? signal_restartable(-error) : result;
}

/* ---- names ---- */

long
sys_fstat(uintptr_t fd, uintptr_t out)
{
	struct file *f = fd_get(files(), (int)fd);
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

long
sys_newfstatat(uintptr_t dirfd, uintptr_t path, uintptr_t out,
    uintptr_t flags)
{
	struct at_path at;
	struct stat st;
	int error;

	if (flags & ~(uintptr_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | 0x800))
		return -EINVAL;
	error = at_path_get(dirfd, path, &at);
	if (error != 0)
		return -error;
	/* An open pipe or device has no path, but a stat slot. */
	if (at.path[0] == '\0' && (flags & AT_EMPTY_PATH) && at.dir != NULL)
		error = at.dir->ops->stat(at.dir, &st);
	else
		error = vfs_stat(at.dir, at.path, (unsigned)flags, &st);
	at_path_put(&at);
	if (error == 0)
		error = copyout(space(), out, &st, sizeof(st));
	return -error;
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

long
sys_getdents64(uintptr_t fd, uintptr_t buf, uintptr_t n)
{
	struct file *f = fd_get(files(), (int)fd);
	long result;

	if (f == NULL)
		return -EBADF;
	result = vfs_getdents(f, space(), buf, n);
	file_drop(f);
	return result;
}

long
sys_chdir(uintptr_t user)
{
	struct proc *p = proc_self();
	struct file *dir, *old;
	struct at_path at;
	int error = at_path_get((uintptr_t)AT_FDCWD, user, &at);

	if (error != 0)
		return -error;
	error = vfs_open(at.dir, at.path, O_RDONLY | O_DIRECTORY, 0, &dir);
	at_path_put(&at);
	if (error != 0)
		return -error;
	sleep_lock(&p->lock);
	old = p->cwd;
	p->cwd = dir;
	sleep_unlock(&p->lock);
	if (old != NULL)
		file_drop(old);
	return 0;
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

/* Nothing is written behind a program's back yet. */
long
sys_sync(void)
{
	return 0;
}
