/* SPDX-License-Identifier: MIT */
/*
 * env.c - print the environment, or run a program with NAME=VALUE added.
 */
#include <user.h>

int
main(int argc, char **argv)
{
	char *eq, **p;
	int i;

	for (i = 1; i < argc && (eq = strchr(argv[i], '=')) != NULL; i++) {
		*eq = '\0';
		setenv(argv[i], eq + 1, 1);
	}
	if (i < argc) {
		execvp(argv[i], (strings_t)(argv + i));
		perror(argv[i]);
		return 127;
	}
	for (p = environ; *p != NULL; p++)
		puts(*p);
	return 0;
}
