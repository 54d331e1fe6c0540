/* SPDX-License-Identifier: MIT */
/*
 * file.c - the root file system, /dev and /proc; user/mkroot.py makes the
 * files that are read here.
 */
#include "ktap.h"

#define MIB	(1ul << 20)

static int
open_file(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "/test/files/%s", name);
	return (int)EXPECT_OK(open(root_path(path), O_RDONLY));
}

static long
raw_open_at(int dir, const char *path)
{
	return syscall6(SYS_openat, dir, (long)path, O_RDONLY, 0, 0, 0);
}

static int
open_error(const char *name, int flags)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "/test/files/%s", name);
	fd = open(root_path(path), flags, 0600);
	return fd >= 0 ? 0 : errno;
}

static void
read_small(void)
{
	char buf[64];
	int fd = open_file("hello.txt");

	EXPECT_EQ(read(fd, buf, 5), 5);
	EXPECT_EQ(memcmp(buf, "hello", 5), 0);
	EXPECT_EQ(read(fd, buf, sizeof(buf)), 20);
	EXPECT_EQ(memcmp(buf, ", world\nsecond line\n", 20), 0);
	EXPECT_EQ(read(fd, buf, sizeof(buf)), 0);
	EXPECT_EQ(read(fd, buf, 0), 0);
	fd = open_file("empty");
	EXPECT_EQ(read(fd, buf, sizeof(buf)), 0);
}

/* Compares what comes from @fd with the sequence of mkroot.py. */
static void
check_pattern(int fd, size_t size, uint64_t seed, size_t chunk)
{
	static char buf[70000];
	uint64_t word = 0;
	size_t at = 0;
	ssize_t n, i;

	while ((n = read(fd, buf, chunk)) > 0) {
		for (i = 0; i < n; i++, at++) {
			if (at % 8 == 0)
				word = prng(&seed);
			if ((unsigned char)buf[i] !=
			    (unsigned char)(word >> at % 8 * 8))
				ktap_fail(__FILE__, __LINE__,
				    "byte %zu differs (chunks of %zu)", at,
				    chunk);
		}
	}
	EXPECT_EQ(n, 0);
	EXPECT_EQ(at, size);
}

static void
read_big(void)
{
	static const size_t chunks[] = { 4096, 70000, 1000, 8192 };
	size_t i;
	int fd;

	for (i = 0; i < nitems(chunks); i++) {
		fd = open_file("big");
		check_pattern(fd, MIB, 1, chunks[i]);
		close(fd);
		fd = open_file("odd");
		check_pattern(fd, 3 * 4096 + 17, 2, chunks[i]);
		close(fd);
	}
}

static void
read_sparse(void)
{
	static char buf[8192];
	size_t i, n, total = 0;
	int fd = open_file("sparse");

	EXPECT_EQ(read(fd, buf, 5), 5);
	EXPECT_EQ(memcmp(buf, "start", 5), 0);
	while (total < 6 * MIB - 5) {
		n = (size_t)EXPECT_OK(read(fd, buf, MIN(sizeof(buf),
		    6 * MIB - 5 - total)));
		EXPECT(n > 0);
		for (i = 0; i < n; i++)
			EXPECT_EQ(buf[i], 0);
		total += n;
	}
	EXPECT_EQ(read(fd, buf, sizeof(buf)), 3);
	EXPECT_EQ(memcmp(buf, "end", 3), 0);
}

static void
seek(void)
{
	char c;
	int fd = open_file("hello.txt");

	EXPECT_EQ(lseek(fd, 7, SEEK_SET), 7);
	EXPECT_EQ(read(fd, &c, 1), 1);
	EXPECT_EQ(c, 'w');
	EXPECT_EQ(lseek(fd, -3, SEEK_CUR), 5);
	EXPECT_EQ(lseek(fd, -1, SEEK_END), 24);
	EXPECT_EQ(read(fd, &c, 1), 1);
	EXPECT_EQ(c, '\n');
	EXPECT_EQ(lseek(fd, 1000, SEEK_SET), 1000);
	EXPECT_EQ(read(fd, &c, 1), 0);
	EXPECT_ERR(lseek(fd, -1, SEEK_SET), EINVAL);
	EXPECT_ERR(lseek(fd, INT64_MIN, SEEK_CUR), EINVAL);
	EXPECT_ERR(lseek(fd, 0, 77), EINVAL);
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 1000);
}

static void
offsets_shared_or_not(void)
{
	int a = open_file("hello.txt"), b = open_file("hello.txt"), c;
	char buf[8];

	c = (int)EXPECT_OK(dup(a));
	EXPECT_EQ(read(a, buf, 4), 4);
	EXPECT_EQ(lseek(c, 0, SEEK_CUR), 4);
	EXPECT_EQ(lseek(b, 0, SEEK_CUR), 0);
	if (EXPECT_OK(fork()) == 0)
		_exit(read(a, buf, 3) == 3 ? 0 : 1);
	wait(NULL);
	EXPECT_EQ(lseek(a, 0, SEEK_CUR), 7);
}

static void
status_of_files(void)
{
	struct stat a, b;

	EXPECT_OK(stat(root_path("/test/files/big"), &a));
	EXPECT(S_ISREG(a.st_mode));
	EXPECT_EQ(a.st_size, MIB);
	EXPECT_EQ(a.st_mode & 0777, 0644);
	EXPECT_EQ(a.st_nlink, 1);
	EXPECT(a.st_blocks >= 2048 && a.st_blksize > 0);
	EXPECT_OK(fstat(open_file("big"), &b));
	EXPECT_EQ(a.st_ino, b.st_ino);
	EXPECT_EQ(a.st_dev, b.st_dev);
	EXPECT_OK(stat(root_path("/test/files"), &a));
	EXPECT(S_ISDIR(a.st_mode) && a.st_nlink >= 3);
	EXPECT_OK(stat(root_path("/bin/sh"), &a));
	EXPECT_EQ(a.st_mode & 0777, 0755);
	EXPECT_OK(stat(root_path("/test/files/sparse"), &a));
	EXPECT_EQ(a.st_size, 6 * MIB + 3);
	EXPECT(a.st_blocks < 100);
	EXPECT_OK(fstat(0, &a));
	EXPECT_ERR(fstat(99, &a), EBADF);
	EXPECT_ERR(stat("/no/such", &a), ENOENT);
	EXPECT_ERR(stat("", &a), ENOENT);
}

static long
raw_statx(int dir, const char *path, long flags, long mask, struct statx *sx)
{
	memset(sx, 0xa5, sizeof(*sx));
	return syscall6(SYS_statx, dir, (long)path, flags, mask, (long)sx, 0);
}

/* The same as stat, in another form. */
static void
extended_status(void)
{
	const char *path = root_path("/test/files/big");
	struct statx sx;
	struct stat st;
	int fds[2];

	EXPECT_OK(stat(path, &st));
	EXPECT_EQ(raw_statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &sx), 0);
	EXPECT_EQ(sx.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
	EXPECT_EQ(sx.stx_mode, st.st_mode);
	EXPECT_EQ(sx.stx_nlink, st.st_nlink);
	EXPECT_EQ(sx.stx_ino, st.st_ino);
	EXPECT_EQ(sx.stx_size, st.st_size);
	EXPECT_EQ(sx.stx_blocks, st.st_blocks);
	EXPECT_EQ(sx.stx_blksize, st.st_blksize);
	EXPECT_EQ(sx.stx_mtime.tv_sec, st.st_mtime);
	EXPECT_EQ(sx.stx_mtime.tv_pad, 0);
	EXPECT_EQ(sx.stx_dev_major, DEV_MAJOR(st.st_dev));
	EXPECT_EQ(sx.stx_dev_minor, DEV_MINOR(st.st_dev));
	EXPECT_EQ(raw_statx(AT_FDCWD, "/dev/null", 0, 0, &sx), 0);
	EXPECT(S_ISCHR(sx.stx_mode));
	EXPECT_EQ(sx.stx_rdev_major, 1);
	EXPECT_EQ(sx.stx_rdev_minor, 3);
	path = root_path("/test/files/link");
	EXPECT_EQ(raw_statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW |
	    AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &sx), 0);
	EXPECT(S_ISLNK(sx.stx_mode));
	EXPECT_EQ(syscall6(SYS_newfstatat, AT_FDCWD, (long)path, (long)&st,
	    AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, 0), 0);
	EXPECT_EQ(sx.stx_ino, st.st_ino);
	EXPECT_OK(pipe(fds));
	EXPECT_EQ(raw_statx(fds[0], "", AT_EMPTY_PATH, 0, &sx), 0);
	EXPECT(S_ISFIFO(sx.stx_mode));
	EXPECT_EQ(raw_statx(fds[0], "", 0, 0, &sx), -ENOENT);
	EXPECT_EQ(raw_statx(AT_FDCWD, "/no/such", 0, 0, &sx), -ENOENT);
	EXPECT_EQ(raw_statx(AT_FDCWD, "/", 0x10000, 0, &sx), -EINVAL);
	EXPECT_EQ(raw_statx(AT_FDCWD, "/", AT_STATX_SYNC_TYPE, 0, &sx),
	    -EINVAL);
	EXPECT_EQ(raw_statx(AT_FDCWD, "/", 0, STATX__RESERVED, &sx), -EINVAL);
	EXPECT_EQ(raw_statx(99, "x", 0, 0, &sx), -EBADF);
}

static void
many_entries(int size)
{
	static bool seen[300];
	char buf[4096] __attribute__((aligned(8)));
	struct linux_dirent64 *d;
	int fd = (int)EXPECT_OK(open(root_path("/test/files/many"),
	    O_RDONLY | O_DIRECTORY)), count = 0, dots = 0, i;
	ssize_t n, at;

	memset(seen, 0, sizeof(seen));
	while ((n = EXPECT_OK(getdents64(fd, buf, (size_t)size))) > 0) {
		for (at = 0; at < n; at += d->d_reclen) {
			d = (struct linux_dirent64 *)(buf + at);
			EXPECT(d->d_reclen % 8 == 0 && d->d_reclen > 0);
			if (d->d_name[0] == '.') {
				EXPECT_EQ(d->d_type, DT_DIR);
				dots++;
				continue;
			}
			EXPECT_EQ(strncmp(d->d_name, "file-", 5), 0);
			i = atoi(d->d_name + 5);
			EXPECT(i >= 0 && i < 300 && !seen[i]);
			seen[i] = true;
			EXPECT_EQ(d->d_type, DT_REG);
			count++;
		}
		EXPECT_EQ(at, n);
	}
	EXPECT_EQ(count, 300);
	EXPECT_EQ(dots, 2);
	EXPECT_EQ(getdents64(fd, buf, sizeof(buf)), 0);
	EXPECT_EQ(lseek(fd, 0, SEEK_SET), 0);
	EXPECT(getdents64(fd, buf, sizeof(buf)) > 0);
	close(fd);
}

static void
directories(void)
{
	char buf[64] __attribute__((aligned(8)));
	int fd;

	many_entries(4096);
	many_entries(64);
	many_entries(333);
	fd = (int)EXPECT_OK(open(root_path("/test/files/many"), O_RDONLY));
	EXPECT_ERR(getdents64(fd, buf, 8), EINVAL);
	EXPECT_ERR(read(fd, buf, 8), EISDIR);
	EXPECT_ERR(getdents64(open_file("hello.txt"), buf, 64), ENOTDIR);
}

static void
paths(void)
{
	char name[300], deep[200] = "", buf[16];
	int i, fd;

	memset(name, 'n', 255);
	name[255] = '\0';
	fd = open_file(name);
	EXPECT_EQ(read(fd, buf, 4), 4);
	EXPECT_EQ(memcmp(buf, "long", 4), 0);
	name[255] = 'n';
	name[256] = '\0';
	EXPECT_EQ(open_error(name, O_RDONLY), ENAMETOOLONG);
	for (i = 0; i < 16; i++)
		snprintf(deep + strlen(deep), 16, "d%d/", i);
	strlcat(deep, "bottom", sizeof(deep));
	EXPECT_EQ(read(open_file(deep), buf, 6), 6);
	EXPECT_EQ(open_error("many/../hello.txt", O_RDONLY), 0);
	EXPECT_EQ(open_error("./many//../././hello.txt", O_RDONLY), 0);
	EXPECT_EQ(open_error("many/", O_RDONLY), 0);
	EXPECT_EQ(open_error("hello.txt/", O_RDONLY), ENOTDIR);
	EXPECT_EQ(open_error("hello.txt/x", O_RDONLY), ENOTDIR);
	EXPECT_EQ(open_error("hello.txt", O_RDONLY | O_DIRECTORY), ENOTDIR);
	EXPECT_EQ(open_error("nothing", O_RDONLY), ENOENT);
	EXPECT_EQ(open_error("nothing/x", O_RDONLY), ENOENT);
	EXPECT_EQ(open_error("many", O_RDWR), EISDIR);
	EXPECT_OK(open("/../../..", O_RDONLY));
}

static void
very_long_path(void)
{
	static char path[8192];
	size_t n = 0;

	while (n + 2 < 5000) {
		path[n++] = '/';
		path[n++] = '.';
	}
	path[n] = '\0';
	EXPECT_ERR(open(path, O_RDONLY), ENAMETOOLONG);
	path[4094] = '\0';
	EXPECT_OK(open(path, O_RDONLY));
	EXPECT_ERR(open("", O_RDONLY), ENOENT);
}

static void
symbolic_links(void)
{
	struct stat st;
	char buf[128];

	EXPECT_EQ(open_error("link", O_RDONLY), 0);
	EXPECT_EQ(open_error("dirlink/file-007", O_RDONLY), 0);
	EXPECT_EQ(open_error("longlink", O_RDONLY), 0);
	EXPECT_EQ(open_error("dangling", O_RDONLY), ENOENT);
	EXPECT_EQ(open_error("loop", O_RDONLY), ELOOP);
	EXPECT_EQ(open_error("link", O_RDONLY | O_NOFOLLOW), ELOOP);
	EXPECT_OK(lstat(root_path("/test/files/link"), &st));
	EXPECT(S_ISLNK(st.st_mode));
	EXPECT_OK(stat(root_path("/test/files/link"), &st));
	EXPECT(S_ISREG(st.st_mode));
	EXPECT_EQ(readlink(root_path("/test/files/link"), buf, sizeof(buf)),
	    9);
	EXPECT_EQ(memcmp(buf, "hello.txt", 9), 0);
	EXPECT_EQ(readlink(root_path("/test/files/link"), buf, 3), 3);
	EXPECT_EQ(readlink(root_path("/test/files/longlink"), buf,
	    sizeof(buf)), 89);
	EXPECT_ERR(readlink(root_path("/test/files/big"), buf, 9), EINVAL);
	EXPECT_ERR(readlink(root_path("/test/files/link"), buf, 0), EINVAL);
	if (on_tern())
		EXPECT_EQ(open_error("abslink", O_RDONLY), 0);
}

static void
working_directory(void)
{
	char buf[256];
	int fd;

	EXPECT_OK(chdir(root_path("/test/files/many")));
	EXPECT(getcwd(buf, sizeof(buf)) != NULL);
	EXPECT_STR(buf, root_path("/test/files/many"));
	EXPECT_OK(open("file-001", O_RDONLY));
	EXPECT_OK(chdir(".."));
	EXPECT_OK(open("hello.txt", O_RDONLY));
	EXPECT_OK(chdir("dirlink"));
	EXPECT(getcwd(buf, sizeof(buf)) != NULL);
	EXPECT_STR(buf, root_path("/test/files/many"));
	EXPECT_EQ(syscall3(SYS_getcwd, (long)buf, 4, 0), -ERANGE);
	EXPECT_ERR(chdir("file-001"), ENOTDIR);
	EXPECT_ERR(chdir("nowhere"), ENOENT);
	fd = (int)EXPECT_OK(open(root_path("/test"), O_RDONLY));
	EXPECT(raw_open_at(fd, "files/hello.txt") >= 0);
	EXPECT_EQ(raw_open_at(99, "files/hello.txt"), -EBADF);
	EXPECT_EQ(raw_open_at((int)EXPECT_OK(open("file-001", O_RDONLY)),
	    "x"), -ENOTDIR);
}

static void
access_rights(void)
{
	EXPECT_OK(access(root_path("/bin/sh"), X_OK | R_OK));
	EXPECT_OK(access(root_path("/etc/motd"), F_OK));
	EXPECT_ERR(access(root_path("/etc/motd"), X_OK), EACCES);
	EXPECT_ERR(access(root_path("/etc/none"), F_OK), ENOENT);
	EXPECT_ERR(access(root_path("/etc/motd"), 0x80), EINVAL);
}

/* /proc cannot be changed. */
static void
read_only(void)
{
	EXPECT_ERR(open("/proc/uptime", O_WRONLY), EROFS);
	EXPECT_ERR(open("/proc/uptime", O_RDWR), EROFS);
	EXPECT_ERR(open("/proc/new", O_WRONLY | O_CREAT, 0600), EROFS);
	EXPECT_ERR(open("/proc/uptime", O_RDONLY | O_TRUNC), EROFS);
	EXPECT_ERR(open("/proc/uptime", O_RDONLY | O_CREAT | O_EXCL, 0600),
	    EEXIST);
	EXPECT_ERR(access("/proc/uptime", W_OK), EROFS);
	EXPECT_ERR(mkdir("/proc/new", 0700), EROFS);
	EXPECT_ERR(unlink("/proc/uptime"), EROFS);
	EXPECT_ERR(rename("/proc/uptime", "/proc/other"), EROFS);
	EXPECT_ERR(rename("/proc/uptime", "/tmp/other"), EXDEV);
	EXPECT_ERR(link("/etc/motd", "/proc/motd"), EXDEV);
	EXPECT_EQ(open_error("hello.txt", O_RDONLY | O_CREAT | O_EXCL),
	    EEXIST);
	EXPECT_ERR(write(open_file("hello.txt"), "x", 1), EBADF);
}

/* Several processes read different parts at once. */
static void
concurrent_readers(void)
{
	int i, status;

	for (i = 0; i < 6; i++) {
		if (EXPECT_OK(fork()) == 0) {
			check_pattern(open_file("big"), MIB, 1,
			    (size_t)(1 + i) * 3001);
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		expect_exit(status, 0);
}

static void
null_and_zero(void)
{
	char *buf = map_pages(3);
	int fd;
	size_t i;

	fd = (int)EXPECT_OK(open("/dev/null", O_RDWR));
	EXPECT_EQ(read(fd, buf, 100), 0);
	EXPECT_EQ(write(fd, buf, 5000), 5000);
	memset(buf, 1, 3 * PAGE_SIZE);
	fd = (int)EXPECT_OK(open("/dev/zero", O_RDWR));
	EXPECT_EQ(read(fd, buf + 5, 2 * PAGE_SIZE), 2 * PAGE_SIZE);
	for (i = 5; i < 5 + 2 * PAGE_SIZE; i++)
		EXPECT_EQ(buf[i], 0);
	EXPECT(buf[4] == 1 && buf[5 + 2 * PAGE_SIZE] == 1);
	EXPECT_EQ(write(fd, buf, 10), 10);
}

static unsigned long
number_after(const char *text, const char *key)
{
	const char *p = strstr(text, key);

	if (p == NULL)
		ktap_fail(__FILE__, __LINE__, "%s: expected in the text",
		    key);
	return strtoul(p + strlen(key), NULL, 10);
}

static void
proc_files(void)
{
	static char buf[8192];
	char path[64], *p;
	struct stat st;

	EXPECT(read_file("/proc/meminfo", buf, sizeof(buf)) > 0);
	EXPECT(number_after(buf, "MemTotal:") >
	    number_after(buf, "MemFree:"));
	EXPECT(read_file("/proc/self/stat", buf, sizeof(buf)) > 0);
	EXPECT_EQ(atoi(buf), getpid());
	p = strrchr(buf, ')');
	EXPECT(p != NULL && strncmp(p, ") R ", 4) == 0);
	EXPECT_EQ(atoi(p + 4), getppid());
	EXPECT(read_file("/proc/self/status", buf, sizeof(buf)) > 0);
	EXPECT_EQ(number_after(buf, "Pid:"), getpid());
	EXPECT_EQ(number_after(buf, "Threads:"), 1);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", getpid());
	EXPECT(read_file(path, buf, sizeof(buf)) > 0);
	EXPECT(strstr(buf, "file") != NULL);
	EXPECT(read_file("/proc/uptime", buf, sizeof(buf)) > 0);
	EXPECT(isdigit(buf[0]));
	EXPECT(read_file("/proc/stat", buf, sizeof(buf)) > 0);
	EXPECT(strstr(buf, "cpu0") != NULL);
	EXPECT_ERR(open("/proc/1073741824/stat", O_RDONLY), ENOENT);
	EXPECT_OK(stat("/proc/self/", &st));
	EXPECT(S_ISDIR(st.st_mode));
}

static void
proc_in_small_pieces(void)
{
	static char all[8192], part[8192];
	int fd;
	size_t used = 0;
	ssize_t n;

	EXPECT(read_file("/proc/self/maps", all, sizeof(all)) > 0);
	fd = (int)EXPECT_OK(open("/proc/self/maps", O_RDONLY));
	while ((n = EXPECT_OK(read(fd, part + used, 7))) > 0)
		used += (size_t)n;
	part[used] = '\0';
	EXPECT_STR(part, all);
}

static void
proc_vmstat(void)
{
	static char buf[8192];

	EXPECT(read_file("/proc/vmstat", buf, sizeof(buf)) > 0);
	EXPECT(number_after(buf, "frames_total ") >
	    number_after(buf, "frames_free "));
	EXPECT(number_after(buf, "syscalls ") > 0);
}

static const struct ktap_test tests[] = {
	TEST(read_small, 0),
	TEST(read_big, 0),
	TEST(read_sparse, 0),
	TEST(seek, 0),
	TEST(offsets_shared_or_not, 0),
	TEST(status_of_files, 0),
	TEST(extended_status, 0),
	TEST(directories, 0),
	TEST(paths, 0),
	TEST(very_long_path, 0),
	TEST(symbolic_links, 0),
	TEST(working_directory, 0),
	TEST(access_rights, 0),
	TEST(read_only, T_LINUX),
	TEST(concurrent_readers, 0),
	TEST(null_and_zero, 0),
	TEST(proc_files, T_NOEMU),
	TEST(proc_in_small_pieces, T_NOEMU),
	TEST(proc_vmstat, T_TERN),
};

KTAP_MAIN("file")
