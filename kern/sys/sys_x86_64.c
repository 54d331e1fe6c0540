/* SPDX-License-Identifier: MIT */
/*
 * sys_x86_64.c - system calls that only x86-64 has; compiled for it only.
 *
 * Most are older forms of a call that every machine has, with another number;
 * their handlers say which.  arch_prctl sets the bases of FS and GS.
 * Source: Linux man-pages, section 2.
 */
#include "abi/dirent.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/poll.h"
#include "abi/prctl.h"
#include "abi/sched.h"
#include "abi/time.h"
#include "arch/cpu.h"
#include "arch/timer.h"
#include "lib/string.h"
#include "proc/proc.h"
#include "sys/sys_poll.h"
#include "sys/sys_time.h"
#include "sys/syscall_table.h"

#define CWD ((uintptr_t)AT_FDCWD)

/* Entered with the full frame, as clone. (trap_entry.S) */
long fork_of_frame(void);
long vfork_of_frame(void);

long
fork_of_frame(void)
{
	return sys_clone(SIGCHLD, 0, 0, 0, 0);
}

long
vfork_of_frame(void)
{
	return sys_clone(CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
}

long
sys_open(uintptr_t path, uintptr_t flags, uintptr_t mode)
{
	return sys_openat(CWD, path, flags, mode);
}

long
sys_creat(uintptr_t path, uintptr_t mode)
{
	return sys_openat(CWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

long
sys_stat(uintptr_t path, uintptr_t out)
{
	return sys_newfstatat(CWD, path, out, 0);
}

long
sys_lstat(uintptr_t path, uintptr_t out)
{
	return sys_newfstatat(CWD, path, out, AT_SYMLINK_NOFOLLOW);
}

long
sys_access(uintptr_t path, uintptr_t mode)
{
	return sys_faccessat(CWD, path, mode);
}

long
sys_readlink(uintptr_t path, uintptr_t buf, uintptr_t size)
{
	return sys_readlinkat(CWD, path, buf, size);
}

long
sys_rename(uintptr_t old, uintptr_t new)
{
	return sys_renameat2(CWD, old, CWD, new, 0);
}

long
sys_renameat(uintptr_t olddir, uintptr_t old, uintptr_t newdir, uintptr_t new)
{
	return sys_renameat2(olddir, old, newdir, new, 0);
}

long
sys_mkdir(uintptr_t path, uintptr_t mode)
{
	return sys_mkdirat(CWD, path, mode);
}

long
sys_rmdir(uintptr_t path)
{
	return sys_unlinkat(CWD, path, AT_REMOVEDIR);
}

long
sys_link(uintptr_t old, uintptr_t new)
{
	return sys_linkat(CWD, old, CWD, new, 0);
}

long
sys_unlink(uintptr_t path)
{
	return sys_unlinkat(CWD, path, 0);
}

long
sys_symlink(uintptr_t target, uintptr_t path)
{
	return sys_symlinkat(target, CWD, path);
}

long
sys_chmod(uintptr_t path, uintptr_t mode)
{
	return sys_fchmodat(CWD, path, mode);
}

long
sys_pipe(uintptr_t out)
{
	return sys_pipe2(out, 0);
}

/* Unlike dup3 it accepts one descriptor for both. */
long
sys_dup2(uintptr_t old, uintptr_t new)
{
	if (old != new)
		return sys_dup3(old, new, 0);
	return sys_fcntl(old, F_GETFD, 0) < 0 ? -EBADF : (long)new;
}

long
sys_getpgrp(void)
{
	return sys_getpgid(0);
}

long
sys_time(uintptr_t out)
{
	int64_t now = (int64_t)(timer_realtime() / 1000000000);
	int error = out != 0 ? copyout(thread_self()->space, out, &now,
	    sizeof(now)) : 0;

	return error != 0 ? -error : (long)now;
}

/* Milliseconds; negative: no limit. */
long
sys_poll(uintptr_t fds, uintptr_t n, uintptr_t timeout)
{
	int ms = (int)timeout;

	ns_t deadline = ms < 0 ? DEADLINE_NONE :
	    ms == 0	       ? 0 :
				 deadline_after((ns_t)ms * 1000000);

	return poll_until(fds, n, deadline, NULL);
}

/* A record of getdents64 becomes an old one in place: the type moves from
 * before the name to the end of the record. */
static int
convert_record(uintptr_t at, size_t *size)
{
	enum { NAME = offsetof(struct linux_dirent64, d_name) };
	struct vmspace *vs = thread_self()->space;
	char rec[NAME + NAME_MAX + 1 + 8];
	struct linux_dirent64 d;
	int error = copyin(vs, &d, at, NAME);

	if (error != 0)
		return error;
	if (d.d_reclen <= NAME || d.d_reclen > sizeof(rec))
		return EIO; /* another thread has written there */
	error = copyin(vs, rec, at, d.d_reclen);
	if (error != 0)
		return error;
	memmove(rec + NAME - 1, rec + NAME, d.d_reclen - NAME);
	rec[d.d_reclen - 1] = (char)d.d_type;
	*size = d.d_reclen;
	return copyout(vs, at, rec, d.d_reclen);
}

long
sys_getdents(uintptr_t fd, uintptr_t buf, uintptr_t n)
{
	long result = sys_getdents64(fd, buf, n);
	size_t size = 0;

	for (long done = 0; done < result; done += (long)size) {
		int error = convert_record(buf + (uintptr_t)done, &size);

		if (error != 0)
			return -error;
	}
	return result;
}

static long
set_base(uintptr_t base, uint64_t *slot, uint16_t *selector)
{
	struct fpu_state *fpu = &thread_self()->fpu;

	if (base >= USER_MAX)
		return -EPERM;
	fpu_save(fpu);
	*slot = base;
	*selector = 0;
	fpu_restore(fpu);
	return 0;
}

long
sys_arch_prctl(uintptr_t code, uintptr_t arg)
{
	struct thread *t = thread_self();
	struct fpu_state *fpu = &t->fpu;

	switch (code) {
	case ARCH_SET_FS:
		return set_base(arg, &fpu->fs_base, &fpu->fs);
	case ARCH_SET_GS:
		return set_base(arg, &fpu->gs_base, &fpu->gs);
	case ARCH_GET_FS:
		return -copyout(t->space, arg, &fpu->fs_base, sizeof(arg));
	case ARCH_GET_GS:
		return -copyout(t->space, arg, &fpu->gs_base, sizeof(arg));
	default:
		return -EINVAL;
	}
}
