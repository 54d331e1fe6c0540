/* SPDX-License-Identifier: MIT */
/*
 * ls.c - list directories; -a dot files too, -l mode, links, size.
 */
#include <user.h>

static bool all, details;

static char
type_letter(unsigned mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:	return 'd';
	case S_IFCHR:	return 'c';
	case S_IFBLK:	return 'b';
	case S_IFIFO:	return 'p';
	case S_IFLNK:	return 'l';
	default:	return '-';
	}
}

static int
show(const char *path, const char *name)
{
	struct stat st;
	char mode[11] = "-rwxrwxrwx", target[256];
	ssize_t n;
	int i;

	if (!details) {
		puts(name);
		return 0;
	}
	if (lstat(path, &st) < 0) {
		perror(path);
		return 1;
	}
	mode[0] = type_letter(st.st_mode);
	for (i = 0; i < 9; i++) {
		if ((st.st_mode >> (8 - i) & 1) == 0)
			mode[i + 1] = '-';
	}
	printf("%s %3u %9ld %s", mode, (unsigned)st.st_nlink,
	    (long)st.st_size, name);
	if (S_ISLNK(st.st_mode)) {
		n = readlink(path, target, sizeof(target) - 1);
		target[MAX(n, 0)] = '\0';
		printf(" -> %s", target);
	}
	printf("\n");
	return 0;
}

static int
list(const char *dir, int fd)
{
	char buf[1024] __attribute__((aligned(8))), path[512];
	struct linux_dirent64 *d;
	int failed = 0;
	ssize_t n, at;

	while ((n = getdents64(fd, buf, sizeof(buf))) > 0) {
		for (at = 0; at < n; at += d->d_reclen) {
			d = (struct linux_dirent64 *)(buf + at);
			if (d->d_name[0] == '.' && !all)
				continue;
			snprintf(path, sizeof(path), "%s/%s", dir, d->d_name);
			failed |= show(path, d->d_name);
		}
	}
	if (n < 0)
		perror(dir);
	return failed | (n < 0);
}

static int
list_path(const char *path)
{
	int fd, failed;

	fd = open(path, O_RDONLY | O_DIRECTORY);
	if (fd < 0 && errno == ENOTDIR)
		return show(path, path);
	if (fd < 0) {
		perror(path);
		return 1;
	}
	failed = list(path, fd);
	close(fd);
	return failed;
}

int
main(int argc, char **argv)
{
	int c, i, failed = 0;

	while ((c = getopt(argc, argv, "al")) != -1) {
		all |= c == 'a';
		details |= c == 'l';
		if (c == '?')
			return 2;
	}
	if (optind == argc)
		return list_path(".");
	for (i = optind; i < argc; i++)
		failed |= list_path(argv[i]);
	return failed;
}
