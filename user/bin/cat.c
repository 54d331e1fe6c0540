/* SPDX-License-Identifier: MIT */
/*
 * cat.c - copy files, or standard input, to standard output.
 */
#include <user.h>

static int
copy(int fd, const char *name)
{
	static char buf[4096];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		if (write_all(STDOUT_FILENO, buf, (size_t)n) < 0) {
			perror("cat: write");
			return 1;
		}
	}
	if (n < 0)
		perror(name);
	return n < 0;
}

int
main(int argc, char **argv)
{
	int i, fd, failed = 0;

	if (argc == 1)
		return copy(STDIN_FILENO, "cat");
	for (i = 1; i < argc; i++) {
		fd = open(argv[i], O_RDONLY);
		if (fd < 0) {
			perror(argv[i]);
			failed = 1;
			continue;
		}
		failed |= copy(fd, argv[i]);
		close(fd);
	}
	return failed;
}
