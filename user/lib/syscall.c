/* SPDX-License-Identifier: MIT */
/*
 * syscall.c - the system calls as C functions, errno style.
 */
#include "libc.h"
#include "mach.h"

#include <abi/reboot.h>
#include <abi/stat_tern.h>

#define CALL3(ret, name, a, b, c) \
	((ret)sysret(syscall3(SYS_##name, (long)(a), (long)(b), (long)(c))))
#define CALL6(ret, name, a, b, c, d, e, f)				\
	((ret)sysret(syscall6(SYS_##name, (long)(a), (long)(b),		\
	    (long)(c), (long)(d), (long)(e), (long)(f))))

/* Wrappers that only pass their arguments on. */
#define WRAP0(ret, name)						\
	ret name(void) { return CALL3(ret, name, 0, 0, 0); }
#define WRAP1(ret, name, A)						\
	ret name(A a) { return CALL3(ret, name, a, 0, 0); }
#define WRAP2(ret, name, A, B)						\
	ret name(A a, B b) { return CALL3(ret, name, a, b, 0); }
#define WRAP3(ret, name, A, B, C)					\
	ret name(A a, B b, C c) { return CALL3(ret, name, a, b, c); }

WRAP1(int, close, int)
WRAP3(ssize_t, read, int, void *, size_t)
WRAP3(ssize_t, write, int, const void *, size_t)
WRAP3(ssize_t, readv, int, const struct iovec *, int)
WRAP3(ssize_t, writev, int, const struct iovec *, int)
WRAP3(off_t, lseek, int, off_t, int)
WRAP1(int, dup, int)
WRAP3(int, dup3, int, int, int)
WRAP2(int, pipe2, int *, int)
WRAP3(int, fcntl, int, int, long)
WRAP3(int, ioctl, int, unsigned long, void *)
WRAP2(int, fstat, int, struct stat *)
WRAP3(ssize_t, getdents64, int, void *, size_t)
WRAP1(int, chdir, const char *)
WRAP1(int, fchdir, int)
WRAP2(int, truncate, const char *, off_t)
WRAP2(int, ftruncate, int, off_t)
WRAP2(int, fchmod, int, int)
WRAP2(int, statfs, const char *, struct statfs *)
WRAP2(int, fstatfs, int, struct statfs *)
WRAP1(int, fsync, int)
WRAP1(int, fdatasync, int)
WRAP3(int, execve, const char *, strings_t, strings_t)
WRAP0(pid_t, getpid)
WRAP0(pid_t, getppid)
WRAP0(pid_t, gettid)
WRAP0(pid_t, setsid)
WRAP2(int, setpgid, pid_t, pid_t)
WRAP1(pid_t, getpgid, pid_t)
WRAP1(pid_t, getsid, pid_t)
WRAP0(int, sched_yield)
WRAP3(int, sched_getaffinity, pid_t, size_t, void *)
WRAP3(int, sched_setaffinity, pid_t, size_t, const void *)
WRAP1(int, uname, struct utsname *)
WRAP1(int, sysinfo, struct sysinfo *)
WRAP2(int, getrusage, int, struct rusage *)
WRAP3(ssize_t, getrandom, void *, size_t, unsigned)
WRAP2(int, munmap, void *, size_t)
WRAP3(int, mprotect, void *, size_t, int)
WRAP3(int, madvise, void *, size_t, int)
WRAP3(int, mincore, void *, size_t, unsigned char *)
WRAP3(int, msync, void *, size_t, int)
WRAP2(int, kill, pid_t, int)
WRAP3(int, tgkill, pid_t, pid_t, int)
WRAP2(int, sigaltstack, const stack_t *, stack_t *)
WRAP2(int, clock_gettime, int, struct timespec *)
WRAP2(int, nanosleep, const struct timespec *, struct timespec *)
WRAP2(ssize_t, tern_stat, struct tern_stat *, size_t)
WRAP1(int, tern_fail, unsigned long)
WRAP3(int, al_region, void *, size_t, unsigned)
WRAP2(int, al_prot, const struct al_op *, size_t)
WRAP3(long, al_dirty, void *, size_t, uint64_t *)
WRAP2(int, l4_unmap, unsigned long, uint64_t *)
WRAP1(int, l4_ipc, struct l4_ipc *)
WRAP1(int, l4_set_pager, pid_t)

/* Mach's calls return a kern_return_t; -1 with ENOSYS: another design. */
#define WRAP4(ret, name, A, B, C, D)					\
	ret name(A a, B b, C c, D d)					\
	{ return CALL6(ret, name, a, b, c, d, 0, 0); }
#define WRAP5(ret, name, A, B, C, D, E)					\
	ret name(A a, B b, C c, D d, E e)				\
	{ return CALL6(ret, name, a, b, c, d, e, 0); }
WRAP4(kern_return_t, vm_allocate, int, uint64_t *, size_t, int)
WRAP3(kern_return_t, vm_deallocate, int, uint64_t, size_t)
WRAP5(kern_return_t, vm_protect, int, uint64_t, size_t, int, int)
WRAP4(kern_return_t, vm_inherit, int, uint64_t, size_t, int)
WRAP4(kern_return_t, vm_copy, int, uint64_t, size_t, uint64_t)
WRAP4(kern_return_t, vm_read, int, uint64_t, size_t, uint64_t *)
WRAP4(kern_return_t, vm_write, int, uint64_t, uint64_t, size_t)
WRAP3(kern_return_t, vm_region, int, uint64_t *, struct vm_region_row *)
WRAP1(kern_return_t, vm_statistics, struct vm_statistics *)

int
open(const char *path, int flags, ...)
{
	va_list ap;
	int mode = 0;

	if (flags & O_CREAT) {
		va_start(ap, flags);
		mode = va_arg(ap, int);
		va_end(ap);
	}
	return CALL6(int, openat, AT_FDCWD, path, flags, mode, 0, 0);
}

int
dup2(int fd, int newfd)
{
	if (fd == newfd)
		return fcntl(fd, F_GETFD, 0) < 0 ? -1 : fd;
	return dup3(fd, newfd, 0);
}

int
pipe(int *fds)
{
	return pipe2(fds, 0);
}

int
stat(const char *path, struct stat *st)
{
	return CALL6(int, newfstatat, AT_FDCWD, path, st, 0, 0, 0);
}

int
lstat(const char *path, struct stat *st)
{
	return CALL6(int, newfstatat, AT_FDCWD, path, st,
	    AT_SYMLINK_NOFOLLOW, 0, 0);
}

int
access(const char *path, int mode)
{
	return CALL3(int, faccessat, AT_FDCWD, path, mode);
}

ssize_t
readlink(const char *path, char *buf, size_t n)
{
	return CALL6(ssize_t, readlinkat, AT_FDCWD, path, buf, n, 0, 0);
}

ssize_t
pread(int fd, void *buf, size_t n, off_t off)
{
	return CALL6(ssize_t, pread64, fd, buf, n, off, 0, 0);
}

ssize_t
pwrite(int fd, const void *buf, size_t n, off_t off)
{
	return CALL6(ssize_t, pwrite64, fd, buf, n, off, 0, 0);
}

int
mkdir(const char *path, int mode)
{
	return CALL3(int, mkdirat, AT_FDCWD, path, mode);
}

int
rmdir(const char *path)
{
	return CALL3(int, unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
}

int
unlink(const char *path)
{
	return CALL3(int, unlinkat, AT_FDCWD, path, 0);
}

int
link(const char *old, const char *new)
{
	return CALL6(int, linkat, AT_FDCWD, old, AT_FDCWD, new, 0, 0);
}

int
symlink(const char *target, const char *path)
{
	return CALL3(int, symlinkat, target, AT_FDCWD, path);
}

int
rename(const char *old, const char *new)
{
	return CALL6(int, renameat2, AT_FDCWD, old, AT_FDCWD, new, 0, 0);
}

int
chmod(const char *path, int mode)
{
	return CALL3(int, fchmodat, AT_FDCWD, path, mode);
}

int
utimens(const char *path, const struct timespec *times)
{
	return CALL6(int, utimensat, AT_FDCWD, path, times, 0, 0, 0);
}

char *
getcwd(char *buf, size_t size)
{
	return CALL3(int, getcwd, buf, size, 0) < 0 ? NULL : buf;
}

int
poll(struct pollfd *fds, unsigned n, int timeout_ms)
{
	struct timespec ts = { .tv_sec = timeout_ms / 1000,
	    .tv_nsec = timeout_ms % 1000 * 1000000l };

	return CALL6(int, ppoll, fds, n, timeout_ms < 0 ? NULL : &ts, 0, 8, 0);
}

void
sync(void)
{
	syscall0(SYS_sync);
}

pid_t
fork(void)
{
	return CALL6(pid_t, clone, SIGCHLD, 0, 0, 0, 0, 0);
}

void
_exit(int status)
{
	for (;;)
		syscall3(SYS_exit_group, status, 0, 0);
}

int
execvp(const char *file, strings_t argv)
{
	const char *dir = getenv("PATH"), *end;
	char path[256];

	if (strchr(file, '/') != NULL)
		return execve(file, argv, (strings_t)environ);
	for (dir = dir != NULL ? dir : "/bin"; *dir != '\0'; dir = end) {
		end = strchr(dir, ':');
		if (end == NULL)
			end = dir + strlen(dir);
		snprintf(path, sizeof(path), "%.*s/%s", (int)(end - dir), dir,
		    file);
		execve(path, argv, (strings_t)environ);
		if (errno != ENOENT && errno != ENOTDIR)
			return -1;
		if (*end == ':')
			end++;
	}
	errno = ENOENT;
	return -1;
}

pid_t
wait4(pid_t pid, int *status, int options, struct rusage *ru)
{
	return CALL6(pid_t, wait4, pid, status, options, ru, 0, 0);
}

pid_t
waitpid(pid_t pid, int *status, int options)
{
	return wait4(pid, status, options, NULL);
}

pid_t
wait(int *status)
{
	return wait4(-1, status, 0, NULL);
}

int
cpu_count(void)
{
	unsigned long mask[16] = { 0 };
	int n = 0;
	size_t i;

	if (sched_getaffinity(0, sizeof(mask), mask) < 0)
		return 1;
	for (i = 0; i < nitems(mask); i++) {
		for (; mask[i] != 0; mask[i] &= mask[i] - 1)
			n++;
	}
	return n;
}

int
getcpu(void)
{
	unsigned cpu;

	return CALL3(int, getcpu, &cpu, NULL, NULL) < 0 ? -1 : (int)cpu;
}

int
prlimit(pid_t pid, int what, const struct rlimit *new, struct rlimit *old)
{
	return CALL6(int, prlimit64, pid, what, new, old, 0, 0);
}

int
reboot(unsigned cmd)
{
	return CALL6(int, reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
	    cmd, 0, 0, 0);
}

void *
mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	return CALL6(void *, mmap, addr, len, prot, flags, fd, off);
}

/* The raw call returns the break that holds now, also when it fails. */
int
brk(void *end)
{
	if (syscall3(SYS_brk, (long)end, 0, 0) == (long)end)
		return 0;
	errno = ENOMEM;
	return -1;
}

void *
sbrk(long delta)
{
	long old = syscall3(SYS_brk, 0, 0, 0);

	if (delta != 0 && brk((void *)(old + delta)) < 0)
		return (void *)-1;
	return (void *)old;
}

unsigned
sleep(unsigned seconds)
{
	struct timespec ts = { .tv_sec = seconds };

	return nanosleep(&ts, &ts) < 0 ? (unsigned)ts.tv_sec : 0;
}

void
msleep(unsigned ms)
{
	struct timespec ts = { .tv_sec = ms / 1000,
	    .tv_nsec = ms % 1000 * 1000000l };

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		continue;
}

uint64_t
now_ns(void)
{
	struct timespec ts = { 0, 0 };

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}
