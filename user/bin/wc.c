/* SPDX-License-Identifier: MIT */
/*
 * wc.c - count lines, words and bytes.
 */
#include <user.h>

static int
count(int fd, const char *name)
{
	static char buf[4096];
	unsigned long lines = 0, words = 0, bytes = 0;
	bool in_word = false;
	ssize_t n, i;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		bytes += (unsigned long)n;
		for (i = 0; i < n; i++) {
			lines += buf[i] == '\n';
			words += !isspace(buf[i]) && !in_word;
			in_word = !isspace(buf[i]);
		}
	}
	if (n < 0) {
		perror(name);
		return 1;
	}
	printf("%lu %lu %lu %s\n", lines, words, bytes, name);
	return 0;
}

int
main(int argc, char **argv)
{
	int i, fd, failed = 0;

	if (argc == 1)
		return count(STDIN_FILENO, "");
	for (i = 1; i < argc; i++) {
		fd = open(argv[i], O_RDONLY);
		if (fd < 0) {
			perror(argv[i]);
			failed = 1;
			continue;
		}
		failed |= count(fd, argv[i]);
		close(fd);
	}
	return failed;
}
