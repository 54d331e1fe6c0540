/* SPDX-License-Identifier: MIT */
/*
 * files.c - files and folders through a C library, in the working folder.
 */
#define _GNU_SOURCE /* statx */

#include <sys/stat.h>
#include <sys/uio.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
must(int ok, const char *what)
{
	if (ok)
		return;
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

static void
make_tree(void)
{
	char name[64];
	FILE *f;
	int i;

	must(mkdir("tree", 0755) == 0, "mkdir");
	must(mkdir("tree/deep", 0700) == 0, "mkdir");
	for (i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "tree/%sfile%d",
		    i % 4 == 0 ? "deep/" : "", i);
		f = fopen(name, "w");
		must(f != NULL, name);
		fprintf(f, "%*d", i * 100, i);
		must(fclose(f) == 0, "fclose");
	}
	must(symlink("deep/file8", "tree/link") == 0, "symlink");
	must(link("tree/file1", "tree/also1") == 0, "link");
}

static void
list(void)
{
	struct dirent **entry;
	int n = scandir("tree", &entry, NULL, alphasort), i;

	must(n > 0, "scandir");
	for (i = 0; i < n; i++) {
		printf("%s:%d ", entry[i]->d_name, entry[i]->d_type);
		free(entry[i]);
	}
	free(entry);
	printf("\n");
}

static long total, kinds[8];

static int
visit(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)path;
	kinds[kind & 7] += 1 + at->level;
	if (S_ISREG(st->st_mode))
		total += st->st_size;
	return 0;
}

static int
remove_it(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static void
walk(void)
{
	must(nftw("tree", visit, 8, FTW_PHYS) == 0, "nftw");
	printf("walked: files %ld, folders %ld, links %ld, %ld bytes\n",
	    kinds[FTW_F], kinds[FTW_D], kinds[FTW_SL], total);
}

/* Of the name itself; musl has no statx yet. */
static void
own_status(const char *path, unsigned *mode, unsigned long *ino, long *size)
{
#ifdef STATX_BASIC_STATS
	struct statx sx;

	must(statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS,
	    &sx) == 0, "statx");
	*mode = sx.stx_mode;
	*ino = sx.stx_ino;
	*size = (long)sx.stx_size;
#else
	struct stat st;

	must(lstat(path, &st) == 0, "lstat");
	*mode = st.st_mode;
	*ino = st.st_ino;
	*size = (long)st.st_size;
#endif
}

static void
status(void)
{
	struct stat st;
	unsigned mode;
	unsigned long ino;
	long size;
	char target[64] = "", real[PATH_MAX], here[PATH_MAX];

	must(stat("tree/link", &st) == 0, "stat");
	own_status("tree/link", &mode, &ino, &size);
	must(readlink("tree/link", target, sizeof(target) - 1) > 0,
	    "readlink");
	printf("link to %s: %o, %ld bytes; itself %o, %ld bytes\n", target,
	    st.st_mode, (long)st.st_size, mode, size);
	must(stat("tree/also1", &st) == 0, "stat");
	must(chmod("tree/also1", 0604) == 0, "chmod");
	own_status("tree/file1", &mode, &ino, &size);
	printf("two names: %d, %lu links, %o\n", st.st_ino == ino,
	    (unsigned long)st.st_nlink, mode);
	must(getcwd(here, sizeof(here)) != NULL, "getcwd");
	must(realpath("tree/../tree/link", real) != NULL, "realpath");
	printf("realpath: %s\n", strncmp(real, here, strlen(here)) == 0 ?
	    real + strlen(here) : real);
	printf("access: %d %d\n", access("tree/deep", X_OK),
	    access("tree/none", F_OK));
}

static void
at_positions(void)
{
	char a[4], b[13] = "", abc[] = "abc", dots[] = "....";
	struct iovec out[] = { { abc, 3 }, { dots, 4 } };
	struct iovec in[] = { { a, 4 }, { b, 12 } };
	int fd = open("tree/at", O_RDWR | O_CREAT, 0600), error;
	struct stat st;

	must(fd >= 0, "open");
	/* ext2 cannot; glibc then writes, musl leaves it to the program. */
	error = posix_fallocate(fd, 0, 10000);
	if (error == EOPNOTSUPP)
		error = ftruncate(fd, 10000);
	must(fstat(fd, &st) == 0, "fstat");
	printf("allocated: %d, %ld bytes\n", error, (long)st.st_size);
	must(posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED) == 0, "fadvise");
	must(write(fd, "0123456789", 10) == 10, "write");
	must(pwritev(fd, out, 2, 5) == 7, "pwritev");
	must(preadv(fd, in, 2, 1) == 16, "preadv");
	must(ftruncate(fd, 9) == 0, "ftruncate");
	printf("%.4s%s, at %ld", a, b, (long)lseek(fd, 0, SEEK_CUR));
	printf(", end at %ld\n", (long)lseek(fd, 0, SEEK_END));
	close(fd);
}

static void
fails(const char *what, int result)
{
	printf("%s: %d %s\n", what, result, strerror(errno));
}

static void
errors(void)
{
	char path[PATH_MAX + 10];

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	fails("long path", open(path, O_RDONLY));
	path[NAME_MAX + 1] = '\0';
	fails("long name", open(path, O_RDONLY));
	fails("folder", open("tree", O_WRONLY));
	fails("below a file", open("tree/file1/x", O_RDONLY));
	fails("not empty", rmdir("tree"));
	fails("into itself", rename("tree", "tree/deep/tree"));
	fails("over a folder", rename("tree/file1", "tree/deep"));
	fails("there", open("tree/file1", O_CREAT | O_EXCL, 0600));
	fails("a link to a folder", link("tree/deep", "tree/other"));
	fails("no folder", mkdir("none/x", 0700));
}

static void
temporary(void)
{
	char name[] = "tree/tmpXXXXXX", folder[] = "tree/dirXXXXXX";
	int fd = mkstemp(name);
	FILE *f;

	must(fd >= 0, "mkstemp");
	must(mkdtemp(folder) != NULL, "mkdtemp");
	f = fdopen(fd, "r+");
	must(f != NULL && fputs("unseen", f) >= 0, "fdopen");
	must(unlink(name) == 0 && rmdir(folder) == 0, "unlink");
	rewind(f);
	fd = fgetc(f);
	printf("temporary: %c, %d\n", fd, access(name, F_OK));
	fclose(f);
}

int
main(void)
{
	umask(022);
	make_tree();
	list();
	walk();
	status();
	at_positions();
	errors();
	temporary();
	must(nftw("tree", remove_it, 8, FTW_PHYS | FTW_DEPTH) == 0, "remove");
	printf("gone: %d\n", access("tree", F_OK));
	return 6;
}
