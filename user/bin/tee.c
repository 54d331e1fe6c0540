/* SPDX-License-Identifier: MIT */
/* tee.c - copy standard input to standard output and files:
 * tee [-a] [FILE]... */
#include <user.h>

int
main(int argc, char **argv)
{
	static char buf[4096];
	int fds[16], nfds = 0, flags = O_TRUNC, c, i, failed = 0;
	ssize_t n;

	while ((c = getopt(argc, argv, "a")) != -1) {
		if (c != 'a')
			die("usage: tee [-a] [FILE]...");
		flags = O_APPEND;
	}
	fds[nfds++] = STDOUT_FILENO;
	for (; optind < argc && nfds < (int)nitems(fds); optind++) {
		fds[nfds] = open(argv[optind], O_WRONLY | O_CREAT | flags,
		    0666);
		if (fds[nfds] < 0) {
			perror(argv[optind]);
			failed = 1;
		} else {
			nfds++;
		}
	}
	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) > 0) {
		for (i = 0; i < nfds; i++)
			failed |= write_all(fds[i], buf, (size_t)n) != n;
	}
	return failed;
}
