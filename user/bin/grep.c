/* SPDX-License-Identifier: MIT */
/*
 * grep.c - print the lines that match; knows ^ . * $ (Kernighan's matcher).
 */
#include <user.h>

static bool match_here(const char *re, const char *s);

static bool
match_star(char c, const char *re, const char *s)
{
	do {
		if (match_here(re, s))
			return true;
	} while (*s != '\0' && (*s++ == c || c == '.'));
	return false;
}

static bool
match_here(const char *re, const char *s)
{
	if (re[0] == '\0')
		return true;
	if (re[1] == '*')
		return match_star(re[0], re + 2, s);
	if (re[0] == '$' && re[1] == '\0')
		return *s == '\0';
	if (*s != '\0' && (re[0] == '.' || re[0] == *s))
		return match_here(re + 1, s + 1);
	return false;
}

static bool
match(const char *re, const char *s)
{
	if (re[0] == '^')
		return match_here(re + 1, s);
	do {
		if (match_here(re, s))
			return true;
	} while (*s++ != '\0');
	return false;
}

static bool
search(int fd, const char *re, bool invert)
{
	static struct reader in;
	static char line[1024];
	bool found = false;

	reader_init(&in, fd);
	while (reader_line(&in, line, sizeof(line)) >= 0) {
		if (match(re, line) != invert) {
			found = true;
			puts(line);
		}
	}
	return found;
}

/* Exit status: 0 found, 1 not found, 2 trouble. */
int
main(int argc, char **argv)
{
	bool invert = false, found = false;
	int c, fd, i, failed = 0;

	while ((c = getopt(argc, argv, "v")) != -1) {
		if (c != 'v')
			return 2;
		invert = true;
	}
	if (optind == argc) {
		dprintf(STDERR_FILENO, "usage: grep [-v] pattern [file...]\n");
		return 2;
	}
	if (optind + 1 == argc)
		found = search(STDIN_FILENO, argv[optind], invert);
	for (i = optind + 1; i < argc; i++) {
		fd = open(argv[i], O_RDONLY);
		if (fd < 0) {
			perror(argv[i]);
			failed = 2;
			continue;
		}
		found |= search(fd, argv[optind], invert);
		close(fd);
	}
	return failed != 0 ? failed : !found;
}
