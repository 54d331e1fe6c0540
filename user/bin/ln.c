/* SPDX-License-Identifier: MIT */
/* ln.c - another name, or a symbolic link: ln [-s] TARGET NAME */
#include <user.h>

int
main(int argc, char **argv)
{
	bool symbolic = argc == 4 && strcmp(argv[1], "-s") == 0;
	const char *target, *name;

	if (argc != 3 && !symbolic)
		die("usage: ln [-s] TARGET NAME");
	target = argv[argc - 2];
	name = argv[argc - 1];
	if ((symbolic ? symlink(target, name) : link(target, name)) < 0) {
		perror(name);
		return 1;
	}
	return 0;
}
