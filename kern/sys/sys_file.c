/* SPDX-License-Identifier: MIT */
/*
 * sys_file.c - descriptors and transfers; paths are in sys_name.c.
 *
 * Path: trap_entry.S -> HERE -> proc/file.c (descriptors, transfers) and
 *	fs/vfs.h (paths).
 * Everything here is thin: copy arguments in, call, copy results out.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/uio.h"
#include "ipc/pipe.h"
#include "mem/kmem.h"
#include "proc/signal.h"
#include "sys/sys_file.h"
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
	return signal_restartable(fd_read(files(), (int)fd, space(), buf, n,
	    NULL));
}

long
sys_write(uintptr_t fd, uintptr_t buf, uintptr_t n)
{
	return signal_restartable(fd_write(files(), (int)fd, space(), buf, n,
	    NULL));
}

typedef long transfer_fn(struct file *, struct vmspace *, vaddr_t, size_t,
    const uint64_t *);

/* One piece after the other, until one is short. @p pos: as of file_read. */
static long
transfer_vector(struct file *f, const struct iovec *v, size_t n,
    const uint64_t *pos, transfer_fn *transfer)
{
	uint64_t at = pos != NULL ? *pos : 0;
	long total = 0;

	if (pos != NULL && !f->ops->seekable)
		return -ESPIPE;

	for (size_t i = 0; i < n; i++) {
		long r = 0;

		if (v[i].iov_len != 0)
			r = transfer(f, space(), (vaddr_t)v[i].iov_base,
			    v[i].iov_len, pos != NULL ? &at : NULL);
		if (r < 0)
			return total > 0 ? total : r;
		total += r;
		at += (uint64_t)r;
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
vector_call(uintptr_t fd, uintptr_t iov, uintptr_t n, const uint64_t *pos,
    transfer_fn *transfer)
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
		result = transfer_vector(f, v, n, pos, transfer);
	if (v != few && v != NULL)
		kfree(v, n * sizeof(*v));
	file_drop(f);
	return signal_restartable(result);
}

long
sys_readv(uintptr_t fd, uintptr_t iov, uintptr_t n)
{
	return vector_call(fd, iov, n, NULL, file_read);
}

long
sys_writev(uintptr_t fd, uintptr_t iov, uintptr_t n)
{
	return vector_call(fd, iov, n, NULL, file_write);
}

/* The upper half of the position is for machines of 32 bits. */
static long
vector_call_at(uintptr_t fd, uintptr_t iov, uintptr_t n, uintptr_t pos,
    transfer_fn *transfer)
{
	const uint64_t at = pos;

	if ((int64_t)pos < 0)
		return -EINVAL;
	return vector_call(fd, iov, n, &at, transfer);
}

long
sys_preadv(uintptr_t fd, uintptr_t iov, uintptr_t n, uintptr_t pos,
    uintptr_t high)
{
	return vector_call_at(fd, iov, n, pos, file_read);
}

long
sys_pwritev(uintptr_t fd, uintptr_t iov, uintptr_t n, uintptr_t pos,
    uintptr_t high)
{
	return vector_call_at(fd, iov, n, pos, file_write);
}

long
sys_pread64(uintptr_t fd, uintptr_t buf, uintptr_t n, uintptr_t pos)
{
	const uint64_t at = pos;

	if ((int64_t)pos < 0)
		return -EINVAL;
	return signal_restartable(fd_read(files(), (int)fd, space(), buf, n,
	    &at));
}

long
sys_pwrite64(uintptr_t fd, uintptr_t buf, uintptr_t n, uintptr_t pos)
{
	const uint64_t at = pos;

	if ((int64_t)pos < 0)
		return -EINVAL;
	return signal_restartable(fd_write(files(), (int)fd, space(), buf, n,
	    &at));
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
