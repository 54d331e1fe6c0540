/* SPDX-License-Identifier: MIT */
/* sync.c - write to disk what is not there yet: sync [FILE]... */
#include <user.h>

int
main(int argc, char **argv)
{
	int i, fd, failed = 0;

	if (argc == 1)
		sync();
	for (i = 1; i < argc; i++) {
		fd = open(argv[i], O_RDONLY);
		if (fd < 0 || fsync(fd) < 0) {
			perror(argv[i]);
			failed = 1;
		}
		close(fd);
	}
	return failed;
}
