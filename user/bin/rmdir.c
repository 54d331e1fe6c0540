/* SPDX-License-Identifier: MIT */
/* rmdir.c - remove empty directories: rmdir DIR... */
#include <user.h>

int
main(int argc, char **argv)
{
	int i, failed = 0;

	for (i = 1; i < argc; i++) {
		if (rmdir(argv[i]) < 0) {
			perror(argv[i]);
			failed = 1;
		}
	}
	return failed;
}
