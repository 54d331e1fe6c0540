/* SPDX-License-Identifier: MIT */
/* rm.c - remove files, with -r directories too: rm [-rf] FILE... */
#include <user.h>

static bool recursive, force;

static int	remove_path(const char *path);

/* All entries of a directory.  The position is of no use after a removal, so
 * each round begins at the start and must make progress. */
static int
remove_entries(const char *path)
{
	char buf[1024] __attribute__((aligned(8))), sub[512];
	struct linux_dirent64 *d;
	int fd, removed;
	ssize_t n, at;

	do {
		removed = 0;
		if ((fd = open(path, O_RDONLY | O_DIRECTORY)) < 0)
			return -1;
		n = getdents64(fd, buf, sizeof(buf));
		while (n > 0 && removed == 0) {
			for (at = 0; at < n; at += d->d_reclen) {
				d = (struct linux_dirent64 *)(buf + at);
				if (strcmp(d->d_name, ".") == 0 ||
				    strcmp(d->d_name, "..") == 0)
					continue;
				snprintf(sub, sizeof(sub), "%s/%s", path,
				    d->d_name);
				if (remove_path(sub) < 0) {
					close(fd);
					return -1;
				}
				removed++;
			}
			if (removed == 0)
				n = getdents64(fd, buf, sizeof(buf));
		}
		close(fd);
	} while (removed > 0);
	return n < 0 ? -1 : 0;
}

static int
remove_path(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return force && errno == ENOENT ? 0 : -1;
	if (!S_ISDIR(st.st_mode) || !recursive)
		return unlink(path);
	return remove_entries(path) < 0 ? -1 : rmdir(path);
}

int
main(int argc, char **argv)
{
	int c, failed = 0;

	while ((c = getopt(argc, argv, "rf")) != -1) {
		if (c == 'r')
			recursive = true;
		else if (c == 'f')
			force = true;
		else
			die("usage: rm [-rf] FILE...");
	}
	for (; optind < argc; optind++) {
		if (remove_path(argv[optind]) < 0) {
			perror(argv[optind]);
			failed = 1;
		}
	}
	return failed;
}
