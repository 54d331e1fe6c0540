/* SPDX-License-Identifier: MIT */
/* tail.c - the last lines: tail [-n LINES] [FILE]... */
#include <user.h>

/* All of a stream; malloc grows with it. */
static char *
slurp(int fd, size_t *size)
{
	size_t room = 4096;
	char *buf = malloc(room), *more;
	ssize_t n;

	*size = 0;
	while (buf != NULL &&
	    (n = read(fd, buf + *size, room - *size)) > 0) {
		*size += (size_t)n;
		if (*size < room)
			continue;
		more = realloc(buf, room *= 2);
		if (more == NULL)
			free(buf);
		buf = more;
	}
	return buf;
}

static int
tail(const char *path, long lines)
{
	int fd = path != NULL ? open(path, O_RDONLY) : STDIN_FILENO;
	size_t size, at;
	char *buf;

	if (fd < 0) {
		perror(path);
		return 1;
	}
	if ((buf = slurp(fd, &size)) == NULL)
		die("tail: no memory");
	/* The newline at the very end begins no line. */
	for (at = size > 0 ? size - 1 : 0; at > 0; at--)
		if (buf[at - 1] == '\n' && --lines <= 0)
			break;
	write_all(STDOUT_FILENO, buf + at, size - at);
	free(buf);
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
			die("usage: tail [-n LINES] [FILE]...");
		lines = strtol(optarg, NULL, 10);
	}
	if (optind == argc)
		return tail(NULL, lines);
	for (; optind < argc; optind++)
		failed |= tail(argv[optind], lines);
	return failed;
}
