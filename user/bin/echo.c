/* SPDX-License-Identifier: MIT */
/*
 * echo.c - print the arguments; -n leaves the newline out.
 */
#include <user.h>

int
main(int argc, char **argv)
{
	bool newline = argc < 2 || strcmp(argv[1], "-n") != 0;
	int i;

	for (i = newline ? 1 : 2; i < argc; i++)
		printf("%s%s", argv[i], i + 1 < argc ? " " : "");
	if (newline)
		printf("\n");
	return 0;
}
