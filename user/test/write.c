/* SPDX-License-Identifier: MIT */
/*
 * write.c - changing files and directories.  Each test works in a directory of
 * its own below /tmp and leaves it empty.
 */
#include "ktap.h"
#include "thread.h"

static char work[256];

static void
remove_all(void)
{
	const char *argv[] = { "rm", "-rf", work, NULL };
	char path[256];
	int status;

	strlcpy(path, root_path("/bin/rm"), sizeof(path));
	if (EXPECT_OK(fork()) == 0) {
		execve(path, argv, (strings_t)environ);
		_exit(127);
	}
	EXPECT(wait(&status) > 0);
	expect_exit(status, 0);
}

static void
enter(void)
{
	snprintf(work, sizeof(work), "%s/w%d", root_path("/tmp"), getpid());
	EXPECT_OK(mkdir(work, 0777));
	EXPECT_OK(chdir(work));
}

static void
leave(void)
{
	EXPECT_OK(chdir("/"));
	EXPECT_OK(rmdir(work));
}

static int
create(const char *path)
{
	return (int)EXPECT_OK(open(path, O_RDWR | O_CREAT | O_EXCL, 0666));
}

static void
put(const char *path, const char *text)
{
	int fd = (int)EXPECT_OK(open(path, O_WRONLY | O_CREAT | O_TRUNC,
	    0666));

	EXPECT_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static const char *
get(const char *path)
{
	static char buf[256];

	return read_file(path, buf, sizeof(buf)) < 0 ? "?" : buf;
}

static void
fill(char *buf, size_t n, uint64_t seed)
{
	size_t i;

	for (i = 0; i < n; i++)
		buf[i] = (char)(prng(&seed) >> 13);
}

static void
check_file(int fd, const char *want, size_t n)
{
	static char got[70000];
	struct stat st;
	size_t at = 0;
	ssize_t r;

	EXPECT_OK(fstat(fd, &st));
	EXPECT_EQ(st.st_size, n);
	while ((r = pread(fd, got, sizeof(got), (off_t)at)) > 0) {
		EXPECT_EQ(memcmp(got, want + at, (size_t)r), 0);
		at += (size_t)r;
	}
	EXPECT_EQ(r, 0);
	EXPECT_EQ(at, n);
}

static void
write_and_read(void)
{
	static const size_t sizes[] = { 1, 100, 4095, 4096, 4097, 8192, 50000,
		200000 };
	static char buf[200000];
	size_t i, at;
	int fd;

	enter();
	for (i = 0; i < nitems(sizes); i++) {
		fill(buf, sizes[i], i);
		fd = create("f");
		for (at = 0; at < sizes[i]; at += 30001)
			EXPECT_EQ(write(fd, buf + at, MIN(sizes[i] - at,
			    30001ul)), MIN(sizes[i] - at, 30001ul));
		check_file(fd, buf, sizes[i]);
		fill(buf, MIN(sizes[i], 5000ul), 99);
		EXPECT_EQ(pwrite(fd, buf, MIN(sizes[i], 5000ul), 0),
		    MIN(sizes[i], 5000ul));
		check_file(fd, buf, sizes[i]);
		close(fd);
		EXPECT_OK(unlink("f"));
	}
	leave();
}

static void
append(void)
{
	int a, b;

	enter();
	put("f", "one");
	a = (int)EXPECT_OK(open("f", O_WRONLY | O_APPEND));
	b = (int)EXPECT_OK(open("f", O_RDWR | O_APPEND));
	EXPECT_EQ(write(a, "two", 3), 3);
	EXPECT_EQ(write(b, "three", 5), 5);
	EXPECT_EQ(lseek(a, 0, SEEK_CUR), 6);
	EXPECT_EQ(write(a, "4", 1), 1);
	EXPECT_STR(get("f"), "onetwothree4");
	EXPECT_EQ(lseek(b, 0, SEEK_CUR), 11);
	EXPECT_EQ(pwrite(b, "5", 1, 0), 1);	/* appends too, says Linux */
	EXPECT_EQ(lseek(b, 0, SEEK_CUR), 11);
	EXPECT_STR(get("f"), "onetwothree45");
	EXPECT_OK(unlink("f"));
	leave();
}

static void
holes_and_truncate(void)
{
	char buf[64];
	struct stat st;
	int fd, i;

	enter();
	fd = create("f");
	EXPECT_EQ(pwrite(fd, "end", 3, 5 << 20), 3);
	EXPECT_OK(fstat(fd, &st));
	EXPECT_EQ(st.st_size, (5 << 20) + 3);
	EXPECT(st.st_blocks < 100);
	EXPECT_EQ(pread(fd, buf, sizeof(buf), 3 << 20), sizeof(buf));
	for (i = 0; i < (int)sizeof(buf); i++)
		EXPECT_EQ(buf[i], 0);
	EXPECT_EQ(pwrite(fd, "middle", 6, 60000), 6);
	EXPECT_EQ(pread(fd, buf, 8, 59999), 8);
	EXPECT_EQ(memcmp(buf, "\0middle\0", 8), 0);
	/* What is cut off does not come back. */
	EXPECT_OK(ftruncate(fd, 60003));
	EXPECT_OK(ftruncate(fd, 61000));
	EXPECT_EQ(pread(fd, buf, 8, 59999), 8);
	EXPECT_EQ(memcmp(buf, "\0mid\0\0\0\0", 8), 0);
	EXPECT_OK(truncate("f", 0));
	EXPECT_OK(fstat(fd, &st));
	EXPECT(st.st_size == 0 && st.st_blocks == 0);
	EXPECT_EQ(read(fd, buf, 1), 0);
	EXPECT_ERR(ftruncate(fd, -1), EINVAL);
	EXPECT_ERR(truncate(".", 0), EISDIR);
	close(fd);
	fd = (int)EXPECT_OK(open("f", O_RDONLY));
	EXPECT_ERR(ftruncate(fd, 1), EINVAL);
	EXPECT_OK(unlink("f"));
	leave();
}

static void
flags_of_open(void)
{
	enter();
	EXPECT_ERR(open("f", O_WRONLY), ENOENT);
	put("f", "some text");
	EXPECT_ERR(open("f", O_WRONLY | O_CREAT | O_EXCL, 0666), EEXIST);
	EXPECT_OK(open("f", O_WRONLY | O_CREAT, 0666));
	EXPECT_STR(get("f"), "some text");
	EXPECT_OK(open("f", O_RDWR | O_TRUNC));
	EXPECT_STR(get("f"), "");
	EXPECT_ERR(open("no/f", O_WRONLY | O_CREAT, 0666), ENOENT);
	EXPECT_ERR(open("f/g", O_WRONLY | O_CREAT, 0666), ENOTDIR);
	EXPECT_ERR(open(".", O_WRONLY), EISDIR);
	EXPECT_ERR(open("g/", O_WRONLY | O_CREAT, 0666), EISDIR);
	EXPECT_OK(symlink("target", "l"));
	EXPECT_ERR(open("l", O_WRONLY | O_CREAT | O_EXCL, 0666), EEXIST);
	EXPECT_ERR(open("l", O_WRONLY | O_CREAT | O_NOFOLLOW, 0666), ELOOP);
	put("l", "through the link");
	EXPECT_STR(get("target"), "through the link");
	EXPECT_OK(unlink("l"));
	EXPECT_OK(unlink("target"));
	EXPECT_OK(unlink("f"));
	leave();
}

static int
count_entries(const char *path)
{
	char buf[2048] __attribute__((aligned(8)));
	int fd = (int)EXPECT_OK(open(path, O_RDONLY | O_DIRECTORY)), n = 0;
	struct linux_dirent64 *d;
	ssize_t r, at;

	while ((r = EXPECT_OK(getdents64(fd, buf, sizeof(buf)))) > 0)
		for (at = 0; at < r; at += d->d_reclen, n++)
			d = (struct linux_dirent64 *)(buf + at);
	close(fd);
	return n - 2;
}

static void
directories(void)
{
	char name[100];
	struct stat st;
	int i;

	enter();
	EXPECT_OK(mkdir("d", 0755));
	EXPECT_ERR(mkdir("d", 0755), EEXIST);
	EXPECT_ERR(mkdir("no/d", 0755), ENOENT);
	EXPECT_OK(mkdir("d/e/", 0755));
	EXPECT_OK(stat("d", &st));
	EXPECT_EQ(st.st_nlink, 3);
	EXPECT_ERR(rmdir("d"), ENOTEMPTY);
	EXPECT_ERR(rmdir("d/e/."), EINVAL);
	EXPECT_ERR(rmdir("d/e/.."), ENOTEMPTY);
	EXPECT_ERR(unlink("d"), EISDIR);
	EXPECT_OK(rmdir("d/e"));
	for (i = 0; i < 300; i++) {	/* several blocks */
		snprintf(name, sizeof(name), "d/a-name-of-some-length-%d", i);
		put(name, name);
	}
	EXPECT_EQ(count_entries("d"), 300);
	for (i = 299; i >= 0; i -= 2) {
		snprintf(name, sizeof(name), "d/a-name-of-some-length-%d", i);
		EXPECT_OK(unlink(name));
	}
	EXPECT_EQ(count_entries("d"), 150);
	for (i = 0; i < 300; i += 2) {
		snprintf(name, sizeof(name), "d/a-name-of-some-length-%d", i);
		EXPECT_STR(get(name), name);
		EXPECT_OK(unlink(name));
	}
	EXPECT_ERR(rmdir("d/x"), ENOENT);
	put("f", "");
	EXPECT_ERR(rmdir("f"), ENOTDIR);
	EXPECT_ERR(unlink("f/"), ENOTDIR);
	EXPECT_OK(unlink("f"));
	EXPECT_OK(rmdir("d"));
	EXPECT_ERR(rmdir("/"), EBUSY);
	leave();
}

static void
removed_directory(void)
{
	char buf[64];

	enter();
	EXPECT_OK(mkdir("d", 0755));
	EXPECT_OK(chdir("d"));
	EXPECT_OK(rmdir("../d"));
	EXPECT_ERR(open("f", O_WRONLY | O_CREAT, 0666), ENOENT);
	EXPECT_ERR(mkdir("e", 0755), ENOENT);
	EXPECT(getcwd(buf, sizeof(buf)) == NULL && errno == ENOENT);
	EXPECT_OK(chdir(work));
	leave();
}

static void
links(void)
{
	char longer[120], buf[200];
	struct stat a, b;

	enter();
	put("a", "contents");
	EXPECT_OK(link("a", "b"));
	EXPECT_ERR(link("a", "b"), EEXIST);
	EXPECT_ERR(link(".", "d"), EPERM);
	EXPECT_ERR(link("none", "d"), ENOENT);
	EXPECT_OK(stat("a", &a));
	EXPECT_OK(stat("b", &b));
	EXPECT(a.st_ino == b.st_ino && b.st_nlink == 2);
	EXPECT_OK(unlink("a"));
	EXPECT_STR(get("b"), "contents");
	EXPECT_OK(stat("b", &b));
	EXPECT_EQ(b.st_nlink, 1);
	EXPECT_OK(symlink("b", "s"));
	EXPECT_STR(get("s"), "contents");
	EXPECT_ERR(symlink("x", "s"), EEXIST);
	EXPECT_ERR(symlink("", "t"), ENOENT);
	memset(longer, '/', sizeof(longer));
	strlcpy(longer + 100, "etc/motd", 20);
	EXPECT_OK(symlink(longer, "l"));
	EXPECT_EQ(readlink("l", buf, sizeof(buf)), 108);
	EXPECT_EQ(memcmp(buf, longer, 108), 0);
	EXPECT_OK(lstat("l", &a));
	EXPECT(S_ISLNK(a.st_mode) && a.st_size == 108);
	EXPECT_OK(unlink("l"));
	EXPECT_OK(unlink("s"));
	EXPECT_OK(unlink("b"));
	leave();
}

static void
rename_cases(void)
{
	struct stat st;

	enter();
	put("a", "A");
	put("b", "B");
	EXPECT_OK(rename("a", "c"));
	EXPECT_ERR(open("a", O_RDONLY), ENOENT);
	EXPECT_OK(rename("c", "b"));		/* replaces */
	EXPECT_STR(get("b"), "A");
	EXPECT_OK(link("b", "b2"));
	EXPECT_OK(rename("b", "b2"));		/* the same file: both stay */
	EXPECT_STR(get("b"), "A");
	EXPECT_STR(get("b2"), "A");
	EXPECT_OK(rename("b", "b"));
	EXPECT_OK(mkdir("d", 0755));
	EXPECT_OK(mkdir("e", 0755));
	EXPECT_OK(mkdir("d/sub", 0755));
	EXPECT_ERR(rename("none", "x"), ENOENT);
	EXPECT_ERR(rename("b", "d"), EISDIR);
	EXPECT_ERR(rename("d", "b"), ENOTDIR);
	EXPECT_ERR(rename("d", "d/sub/x"), EINVAL);
	EXPECT_ERR(rename("d", "d/x"), EINVAL);
	EXPECT_ERR(rename("d/sub", "d"), ENOTEMPTY);
	EXPECT_ERR(rename("e", "d"), ENOTEMPTY);
	EXPECT_ERR(rename("d/.", "x"), EBUSY);
	EXPECT_ERR(rename("b", "x/"), ENOTDIR);
	EXPECT_OK(rename("d/sub", "e/sub"));	/* ".." follows */
	EXPECT_OK(stat("d", &st));
	EXPECT_EQ(st.st_nlink, 2);
	EXPECT_OK(stat("e", &st));
	EXPECT_EQ(st.st_nlink, 3);
	put("e/sub/../f", "F");
	EXPECT_STR(get("e/f"), "F");
	EXPECT_OK(rename("e/f", "d/f"));
	EXPECT_STR(get("d/f"), "F");
	EXPECT_OK(unlink("d/f"));
	EXPECT_OK(rename("e", "d/"));		/* an empty one is replaced */
	EXPECT_OK(rmdir("d/sub"));
	EXPECT_OK(rmdir("d"));
	EXPECT_EQ(syscall6(SYS_renameat2, AT_FDCWD, (long)"b", AT_FDCWD,
	    (long)"b2", RENAME_NOREPLACE, 0), -EEXIST);
	EXPECT_EQ(syscall6(SYS_renameat2, AT_FDCWD, (long)"b", AT_FDCWD,
	    (long)"b3", RENAME_NOREPLACE, 0), 0);
	EXPECT_OK(unlink("b2"));
	EXPECT_OK(unlink("b3"));
	leave();
}

static uint64_t
blocks_free(void)
{
	struct statfs st;

	EXPECT_OK(statfs(".", &st));
	EXPECT_EQ(st.f_bsize, 4096);
	return st.f_bfree;
}

static void
unlinked_but_open(void)
{
	static char buf[100000];
	uint64_t before;
	int fd;

	enter();
	before = blocks_free();
	fd = create("f");
	EXPECT_OK(unlink("f"));
	fill(buf, sizeof(buf), 5);
	EXPECT_EQ(write(fd, buf, sizeof(buf)), sizeof(buf));
	check_file(fd, buf, sizeof(buf));
	EXPECT(blocks_free() <= before - sizeof(buf) / 4096);
	EXPECT_OK(fsync(fd));
	check_file(fd, buf, sizeof(buf));
	close(fd);
	EXPECT_EQ(blocks_free(), before);
	leave();
}

/* Fill the disk, make room, and see that all of it can be used again. */
static void
no_space(void)
{
	static char buf[65536];
	uint64_t before, size = 0;
	struct stat st;
	ssize_t n;
	int fd, round;

	enter();
	before = blocks_free();
	for (round = 0; round < 2; round++) {
		fd = create("f");
		size = 0;
		while ((n = write(fd, buf, sizeof(buf))) > 0)
			size += (uint64_t)n;
		EXPECT(n == -1 && errno == ENOSPC);
		EXPECT_OK(fstat(fd, &st));
		EXPECT_EQ(st.st_size, size);
		EXPECT_EQ(blocks_free(), 0);
		EXPECT_ERR(write(fd, buf, 1), ENOSPC);
		EXPECT_EQ(pwrite(fd, "over", 4, 100), 4);
		EXPECT_ERR(mkdir("d", 0755), ENOSPC);
		EXPECT_ERR(open("d", O_RDONLY), ENOENT);
		close(fd);
		EXPECT_OK(unlink("f"));
		EXPECT_EQ(blocks_free(), before);
	}
	EXPECT(size > (before - 50) * 4096);
	leave();
}

/* The source ends after two pages: what was written is whole, and no more. */
static void
source_faults(void)
{
	char *p = map_pages(3), zero[16];
	struct stat st;
	int fd;

	enter();
	munmap(p + 2 * PAGE_SIZE, PAGE_SIZE);
	fill(p, 2 * PAGE_SIZE, 8);
	fd = create("f");
	EXPECT_EQ(write(fd, p + 100, 5 * PAGE_SIZE), 2 * PAGE_SIZE - 100);
	check_file(fd, p + 100, 2 * PAGE_SIZE - 100);
	EXPECT_ERR(write(fd, p + 2 * PAGE_SIZE, 10), EFAULT);
	EXPECT_OK(fstat(fd, &st));
	EXPECT_EQ(st.st_size, 2 * PAGE_SIZE - 100);
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 2 * PAGE_SIZE - 100);
	/* Nothing of it beyond the end either. */
	EXPECT_OK(ftruncate(fd, 4 * PAGE_SIZE));
	EXPECT_EQ(pread(fd, zero, 16, 2 * PAGE_SIZE - 100), 16);
	EXPECT_EQ(memcmp(zero, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16), 0);
	close(fd);
	EXPECT_OK(unlink("f"));
	leave();
}

static void
append_records(void *arg)
{
	int fd = (int)EXPECT_OK(open("f", O_WRONLY | O_APPEND)), i;
	char line[64];

	memset(line, 'a' + *(int *)arg, sizeof(line));
	line[63] = '\n';
	for (i = 0; i < 200; i++)
		EXPECT_EQ(write(fd, line, sizeof(line)), sizeof(line));
}

static void
concurrent_appends(void)
{
	static char buf[4 * 200 * 64 + 1];
	int i, status, count[4] = { 0 };
	size_t at, k;

	enter();
	put("f", "");
	for (i = 0; i < 4; i++)
		if (EXPECT_OK(fork()) == 0) {
			append_records(&i);
			_exit(0);
		}
	while (wait(&status) > 0)
		expect_exit(status, 0);
	EXPECT_EQ(read_file("f", buf, sizeof(buf)), sizeof(buf) - 1);
	for (at = 0; at < sizeof(buf) - 1; at += 64) {
		EXPECT(buf[at] >= 'a' && buf[at] < 'e');
		for (k = 1; k < 63; k++)
			EXPECT_EQ(buf[at + k], buf[at]);
		count[buf[at] - 'a']++;
	}
	for (i = 0; i < 4; i++)
		EXPECT_EQ(count[i], 200);
	EXPECT_OK(unlink("f"));
	leave();
}

/* Names that others create, replace and remove at the same time. */
static void
play_with_names(int me)
{
	char a[32], b[32];
	uint64_t seed = (uint64_t)me;
	int i, fd;

	for (i = 0; i < 150; i++) {
		snprintf(a, sizeof(a), "n%d", (int)(prng(&seed) % 6));
		snprintf(b, sizeof(b), "n%d", (int)(prng(&seed) % 6));
		switch (prng(&seed) % 5) {
		case 0:
			fd = open(a, O_RDWR | O_CREAT, 0666);
			if (fd >= 0) {
				EXPECT_EQ(write(fd, "xyz", 3), 3);
				close(fd);
			}
			break;
		case 1:
			(void)unlink(a);
			break;
		case 2:
			(void)rename(a, b);
			break;
		case 3:
			if (mkdir(a, 0755) == 0)
				(void)rmdir(a);
			break;
		default:
			(void)link(a, b);
			break;
		}
	}
}

static void
concurrent_names(void)
{
	char name[32];
	int i, status;

	enter();
	for (i = 0; i < 4; i++)
		if (EXPECT_OK(fork()) == 0) {
			play_with_names(i + 1);
			_exit(0);
		}
	while (wait(&status) > 0)
		expect_exit(status, 0);
	for (i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		if (unlink(name) < 0 && errno == EISDIR)
			EXPECT_OK(rmdir(name));
	}
	EXPECT_EQ(count_entries("."), 0);
	leave();
}

static void
sync_calls(void)
{
	int fd, p[2];

	enter();
	fd = create("f");
	EXPECT_EQ(write(fd, "text", 4), 4);
	EXPECT_OK(fsync(fd));
	EXPECT_OK(fdatasync(fd));
	sync();
	fd = (int)EXPECT_OK(open(".", O_RDONLY));
	EXPECT_OK(fsync(fd));
	EXPECT_ERR(fsync(99), EBADF);
	EXPECT_OK(pipe(p));
	EXPECT_ERR(fsync(p[0]), EINVAL);
	EXPECT_OK(unlink("f"));
	leave();
}

static void
attributes(void)
{
	struct timespec ts[2] = { { .tv_sec = 1000 }, { .tv_sec = 2000 } };
	struct stat st;

	enter();
	put("f", "");
	EXPECT_OK(chmod("f", 0640));
	EXPECT_OK(utimens("f", ts));
	EXPECT_OK(stat("f", &st));
	EXPECT_EQ(st.st_mode & 07777, 0640);
	EXPECT(st.st_atime == 1000 && st.st_mtime == 2000);
	put("f", "changed");
	EXPECT_OK(stat("f", &st));
	EXPECT(st.st_mtime > 1000000);
	ts[0].tv_nsec = 2000000000;
	EXPECT_ERR(utimens("f", ts), EINVAL);
	EXPECT_ERR(chmod("none", 0), ENOENT);
	EXPECT_OK(unlink("f"));
	leave();
}

/* Each call of some, with memory running out at its n-th allocation. */
static void
busy_with_files(void)
{
	char buf[5000], *p;
	int fd = open("f", O_RDWR | O_CREAT, 0666);

	memset(buf, 7, sizeof(buf));
	if (fd >= 0) {
		(void)write(fd, buf, sizeof(buf));
		(void)pwrite(fd, buf, sizeof(buf), 100000);
		(void)pread(fd, buf, sizeof(buf), 100);
		p = mmap(NULL, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);
		if (p != MAP_FAILED) {
			probe(p + 10, PROBE_WRITE);
			probe(p + 2 * PAGE_SIZE, PROBE_READ);
			(void)msync(p, 4 * PAGE_SIZE, MS_SYNC);
		}
		(void)ftruncate(fd, 3000);
		close(fd);
	}
	(void)mkdir("d", 0755);
	(void)rename("f", "d/g");
	(void)link("d/g", "h");
	(void)symlink("target", "s");
	sync();
	(void)unlink("f");
	(void)unlink("d/g");
	(void)unlink("h");
	(void)unlink("s");
	(void)rmdir("d");
}

static void
failing_allocations(void)
{
	uint64_t failed;
	unsigned long n;
	int status;

	enter();
	for (n = 1; n <= 400; n++) {
		failed = stat_now(TS_failed_allocs);
		if (EXPECT_OK(fork()) == 0) {
			if (tern_fail(n) < 0)
				_exit(errno == ENOSYS ? 55 : 56);
			busy_with_files();
			tern_fail(0);
			_exit(0);
		}
		EXPECT(wait(&status) > 0);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 55)
			ktap_skip("no failure injection in this kernel");
		EXPECT(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
		if (stat_now(TS_failed_allocs) == failed)
			break;
		busy_with_files();	/* clears away what is left */
		EXPECT_EQ(count_entries("."), 0);
	}
	ktap_note("%lu allocations failed in turn", n - 1);
	EXPECT(n > 20 && n <= 400);
	leave();
}

static void
commands(void)
{
	const char *argv[] = { "sh", "-c",
		"mkdir -p a/b && echo one >a/x && echo two >>a/x && "
		"cp a/x a/y && mv a/y a/b && ln a/b/y z && ln -s z s && "
		"cat s | tee t | tail -n 1 >u && head -n 1 t >>u && "
		"df . >v && sync && sync u",
		NULL };
	char sh[256], path[256];
	int status;

	enter();
	strlcpy(sh, root_path("/bin/sh"), sizeof(sh));
	snprintf(path, sizeof(path), "%s", root_path("/bin"));
	setenv("PATH", path, 1);
	if (EXPECT_OK(fork()) == 0) {
		execve(sh, argv, (strings_t)environ);
		_exit(127);
	}
	EXPECT(wait(&status) > 0);
	expect_exit(status, 0);
	EXPECT_STR(get("a/x"), "one\ntwo\n");
	EXPECT_STR(get("a/b/y"), "one\ntwo\n");
	EXPECT_STR(get("t"), "one\ntwo\n");
	EXPECT_STR(get("u"), "two\none\n");
	EXPECT(strstr(get("v"), "%") != NULL);
	EXPECT_OK(chdir("/"));
	remove_all();
}

/* Vectors at a position of their own: the file's stays where it is. */
static void
vectors_at(void)
{
	char abc[] = "abc", defgh[] = "defgh", a[3], b[8] = "";
	struct iovec out[2] = { { abc, 3 }, { defgh, 5 } };
	struct iovec in[2] = { { a, 3 }, { b, 7 } };
	int fd, p[2];

	enter();
	fd = create("f");
	EXPECT_EQ(write(fd, "0123456789", 10), 10);
	EXPECT_EQ(syscall6(SYS_pwritev, fd, (long)out, 2, 6, 0, 0), 8);
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 10);
	EXPECT_STR(get("f"), "012345abcdefgh");
	EXPECT_EQ(syscall6(SYS_preadv, fd, (long)in, 2, 5, 0, 0), 9);
	EXPECT(memcmp(a, "5ab", 3) == 0);
	EXPECT_STR(b, "cdefgh");
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 10);
	EXPECT_EQ(syscall6(SYS_preadv, fd, (long)in, 2, 100, 0, 0), 0);
	EXPECT_EQ(syscall6(SYS_preadv, fd, (long)in, 2, -1, 0, 0), -EINVAL);
	EXPECT_EQ(syscall6(SYS_preadv, fd, (long)in, IOV_MAX + 1, 0, 0, 0),
	    -EINVAL);
	EXPECT_EQ(syscall6(SYS_pwritev, 99, (long)out, 2, 0, 0, 0), -EBADF);
	EXPECT_OK(pipe(p));
	EXPECT_EQ(syscall6(SYS_pwritev, p[1], (long)out, 2, 0, 0, 0), -ESPIPE);
	EXPECT_EQ(syscall6(SYS_preadv, p[0], (long)in, 0, 0, 0, 0), -ESPIPE);
	EXPECT_OK(unlink("f"));
	leave();
}

/* What Linux's ext2 cannot do either is said in the same words. */
static void
advice_and_allocation(void)
{
	int fd, p[2];

	enter();
	fd = create("f");
	EXPECT_EQ(syscall6(SYS_fadvise64, fd, 0, 0, 3, 0, 0), 0);
	EXPECT_EQ(syscall6(SYS_fadvise64, fd, 0, 0, 6, 0, 0), -EINVAL);
	EXPECT_EQ(syscall6(SYS_fadvise64, fd, 0, -1, 0, 0, 0), -EINVAL);
	EXPECT_EQ(syscall6(SYS_fadvise64, 99, 0, 0, 0, 0, 0), -EBADF);
	EXPECT_EQ(syscall6(SYS_fallocate, fd, 0, 0, 0, 0, 0), -EINVAL);
	EXPECT_EQ(syscall6(SYS_fallocate, fd, 0, -1, 1, 0, 0), -EINVAL);
	EXPECT_EQ(syscall6(SYS_fallocate, 99, 0, 0, 1, 0, 0), -EBADF);
	EXPECT_EQ(syscall6(SYS_fallocate, fd, 0x100, 0, 1, 0, 0), -EOPNOTSUPP);
	close(fd);
	fd = (int)EXPECT_OK(open("f", O_RDONLY));
	EXPECT_EQ(syscall6(SYS_fallocate, fd, 0, 0, 1, 0, 0), -EBADF);
	EXPECT_OK(pipe(p));
	EXPECT_EQ(syscall6(SYS_fadvise64, p[0], 0, 0, 0, 0, 0), -ESPIPE);
	EXPECT_EQ(syscall6(SYS_fallocate, p[1], 0, 0, 1, 0, 0), -ESPIPE);
	EXPECT_OK(unlink("f"));
	leave();
}

static void
no_allocation_ahead(void)
{
	int fd;

	enter();
	fd = create("f");
	EXPECT_EQ(syscall6(SYS_fallocate, fd, 0, 0, 4096, 0, 0), -EOPNOTSUPP);
	EXPECT_OK(unlink("f"));
	leave();
}

static const struct ktap_test tests[] = {
	TEST(write_and_read, 0),
	TEST(append, 0),
	TEST(holes_and_truncate, 0),
	TEST(flags_of_open, 0),
	TEST(directories, 0),
	TEST(removed_directory, 0),
	TEST(links, 0),
	TEST(rename_cases, 0),
	TEST(unlinked_but_open, T_TERN),
	TEST(no_space, T_TERN),
	TEST(source_faults, 0),
	TEST(concurrent_appends, 0),
	TEST(concurrent_names, 0),
	TEST(sync_calls, 0),
	TEST(attributes, 0),
	TEST(vectors_at, T_NOEMU),
	TEST(advice_and_allocation, 0),
	TEST(no_allocation_ahead, T_TERN),
	TEST(failing_allocations, T_TERN),
	TEST(commands, T_EXEC),
};

KTAP_MAIN("write")
