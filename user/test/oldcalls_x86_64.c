/* SPDX-License-Identifier: MIT */
/*
 * oldcalls_x86_64.c - the system calls that only x86-64 has; part of machine.
 */
#include "machine.h"
#include <abi/dirent.h>
#include <abi/fcntl.h>
#include <abi/poll.h>

void
old_calls(void)
{
	const char *path = root_path("/bin/cat");
	struct pollfd pfd = { .events = POLLIN };
	struct stat a, b;
	int64_t now = 0;
	char byte = 0;
	int fds[2];
	long fd, pid;

	fd = syscall3(SYS_open, (long)path, O_RDONLY, 0);
	EXPECT(fd >= 0);
	EXPECT_EQ(syscall3(SYS_stat, (long)path, (long)&a, 0), 0);
	EXPECT_EQ(syscall3(SYS_fstat, fd, (long)&b, 0), 0);
	EXPECT_EQ(a.st_ino, b.st_ino);
	EXPECT_EQ(syscall3(SYS_lstat, (long)path, (long)&b, 0), 0);
	EXPECT_EQ(a.st_size, b.st_size);
	EXPECT_EQ(syscall3(SYS_access, (long)path, R_OK, 0), 0);
	EXPECT_EQ(syscall3(SYS_access, (long)"/none", R_OK, 0), -ENOENT);
	EXPECT_EQ(syscall3(SYS_readlink, (long)path, (long)&a, 10), -EINVAL);
	EXPECT_EQ(syscall3(SYS_dup2, fd, 60, 0), 60);
	EXPECT_EQ(syscall3(SYS_dup2, 60, 60, 0), 60);
	EXPECT_EQ(syscall3(SYS_dup2, 61, 61, 0), -EBADF);
	EXPECT_EQ(syscall3(SYS_pipe, (long)fds, 0, 0), 0);
	pfd.fd = fds[0];
	EXPECT_EQ(syscall3(SYS_poll, (long)&pfd, 1, 0), 0);
	EXPECT_EQ(syscall3(SYS_poll, (long)&pfd, 1, 20), 0);
	EXPECT_EQ(write(fds[1], "x", 1), 1);
	EXPECT_EQ(syscall3(SYS_poll, (long)&pfd, 1, -1), 1);
	EXPECT_EQ(pfd.revents, POLLIN);
	EXPECT_EQ(read(fds[0], &byte, 1), 1);
	EXPECT_EQ(syscall0(SYS_getpgrp), getpgid(0));
	EXPECT(syscall3(SYS_time, (long)&now, 0, 0) == now && now > 1000000000);
	EXPECT_EQ(syscall3(SYS_time, 8, 0, 0), -EFAULT);
	pid = syscall0(SYS_fork);
	if (pid == 0)
		_exit(9);
	EXPECT(pid > 0);
	expect_exit(({ int st; waitpid((pid_t)pid, &st, 0); st; }), 9);
	close((int)fd);
	close(60);
	close(fds[0]);
	close(fds[1]);
}

/* What newer programs do with a folder's descriptor; errors as Linux has
 * them. */
void
old_names(void)
{
	char dir[64], a[80], b[80];
	struct stat st, other;
	long fd;

	snprintf(dir, sizeof(dir), "%s/old%d", root_path("/tmp"), getpid());
	snprintf(a, sizeof(a), "%s/a", dir);
	snprintf(b, sizeof(b), "%s/b", dir);
	EXPECT_EQ(syscall3(SYS_mkdir, (long)dir, 0700, 0), 0);
	EXPECT_EQ(syscall3(SYS_mkdir, (long)dir, 0700, 0), -EEXIST);
	fd = syscall3(SYS_creat, (long)a, 0600, 0);
	EXPECT(fd >= 0);
	EXPECT_EQ(write((int)fd, "abc", 3), 3);
	EXPECT_EQ(syscall3(SYS_read, fd, (long)&st, 1), -EBADF);
	close((int)fd);
	EXPECT_EQ(syscall3(SYS_chmod, (long)a, 0640, 0), 0);
	EXPECT_OK(stat(a, &st));
	EXPECT_EQ(st.st_mode, S_IFREG | 0640);
	EXPECT_EQ(st.st_size, 3);
	EXPECT_EQ(syscall3(SYS_link, (long)a, (long)b, 0), 0);
	EXPECT_EQ(syscall3(SYS_link, (long)a, (long)b, 0), -EEXIST);
	EXPECT_OK(stat(b, &other));
	EXPECT_EQ(other.st_ino, st.st_ino);
	EXPECT_EQ(syscall3(SYS_rmdir, (long)dir, 0, 0), -ENOTEMPTY);
	EXPECT_EQ(syscall3(SYS_rmdir, (long)a, 0, 0), -ENOTDIR);
	EXPECT_EQ(syscall3(SYS_unlink, (long)b, 0, 0), 0);
	EXPECT_EQ(syscall3(SYS_unlink, (long)b, 0, 0), -ENOENT);
	EXPECT_EQ(syscall3(SYS_unlink, (long)dir, 0, 0), -EISDIR);
	EXPECT_EQ(syscall3(SYS_rename, (long)a, (long)b, 0), 0);
	EXPECT_EQ(syscall3(SYS_rename, (long)a, (long)b, 0), -ENOENT);
	EXPECT_EQ(syscall6(SYS_renameat, AT_FDCWD, (long)b, AT_FDCWD, (long)a,
	    0, 0), 0);
	EXPECT_EQ(syscall3(SYS_symlink, (long)"a", (long)b, 0), 0);
	EXPECT_EQ(syscall3(SYS_lstat, (long)b, (long)&other, 0), 0);
	EXPECT(S_ISLNK(other.st_mode));
	EXPECT_EQ(syscall3(SYS_creat, (long)b, 0600, 0), fd);
	close((int)fd);
	EXPECT_OK(stat(a, &st));
	EXPECT_EQ(st.st_size, 0);
	EXPECT_EQ(syscall3(SYS_unlink, (long)b, 0, 0), 0);
	EXPECT_EQ(syscall3(SYS_unlink, (long)a, 0, 0), 0);
	EXPECT_EQ(syscall3(SYS_rmdir, (long)dir, 0, 0), 0);
	EXPECT_EQ(syscall3(SYS_rmdir, (long)dir, 0, 0), -ENOENT);
}

/* The stack is shared, so the child must not return. */
void
old_vfork(void)
{
	static volatile int shared;
	int status;
	long pid;

	__asm__ volatile(
	    "syscall\n\t"
	    "testq %%rax, %%rax\n\t"
	    "jnz 1f\n\t"
	    "movl $5, %[shared]\n\t"
	    "movl %[exit], %%eax\n\t"
	    "movl $3, %%edi\n\t"
	    "syscall\n"
	    "1:"
	    : "=a"(pid), [shared] "+m"(shared)
	    : "0"((long)SYS_vfork), [exit] "i"(SYS_exit)
	    : "rcx", "r11", "rdi", "memory", "cc");
	EXPECT(pid > 0);
	EXPECT_EQ(shared, 5);
	EXPECT_EQ(waitpid((pid_t)pid, &status, 0), pid);
	expect_exit(status, 3);
}

/* Records of both forms say the same. */
void
old_getdents(void)
{
	static char old[4096], new[4096];
	long fd = open(root_path("/bin"), O_RDONLY | O_DIRECTORY), n, m, i;

	EXPECT(fd >= 0);
	n = syscall3(SYS_getdents, fd, (long)old, sizeof(old));
	EXPECT(n > 0);
	EXPECT_OK(lseek((int)fd, 0, SEEK_SET));
	m = syscall3(SYS_getdents64, fd, (long)new, sizeof(new));
	EXPECT(m > 0);
	for (i = 0; i < n && i < m;) {
		const struct linux_dirent64 *d = (const void *)(new + i);
		unsigned reclen = d->d_reclen;

		EXPECT(memcmp(old + i, new + i, 18) == 0);
		EXPECT_STR(old + i + 18, d->d_name);
		EXPECT_EQ(old[i + (long)reclen - 1], d->d_type);
		i += (long)reclen;
	}
	close((int)fd);
}
