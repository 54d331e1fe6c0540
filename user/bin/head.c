/* SPDX-License-Identifier: MIT */
/* head.c - the first lines: head [-n LINES] [FILE]... */
#include <user.h>

static int
head(const char *path, long lines)
{
	int fd = path != NULL ? open(path, O_RDONLY) : STDIN_FILENO;
	struct reader r;
	char out[512];
	size_t n = 0;
	int c;

	if (fd < 0) {
		perror(path);
		return 1;
	}
	reader_init(&r, fd);
	while (lines > 0 && (c = reader_getc(&r)) >= 0) {
		out[n++] = (char)c;
		lines -= c == '\n';
		if (n == sizeof(out) || lines == 0) {
			write_all(STDOUT_FILENO, out, n);
			n = 0;
		}
	}
	write_all(STDOUT_FILENO, out, n);
	if (path != NULL)
		close(fd);
	return 0;
}

int
main(int argc, char **argv)
{
	long lines = 10;
	int c, failed = 0;

	while ((c = getopt(argc, argv, "n:")) != -1) {
		if (c != 'n')
			die("usage: head [-n LINES] [FILE]...");
		lines = strtol(optarg, NULL, 10);
	}
	if (optind == argc)
		return head(NULL, lines);
	for (; optind < argc; optind++)
		failed |= head(argv[optind], lines);
	return failed;
}
