/* SPDX-License-Identifier: MIT */
/*
 * kill.c - send a signal: kill [-SIGNAL] pid...
 */
#include <user.h>

int
main(int argc, char **argv)
{
	int sig = SIGTERM, i = 1, failed = 0;

	if (argc > 1 && argv[1][0] == '-') {
		sig = signal_by_name(argv[1] + 1);
		i = 2;
	}
	if (sig < 0 || i >= argc)
		die("usage: kill [-SIGNAL] pid...");
	for (; i < argc; i++) {
		if (kill(atoi(argv[i]), sig) < 0) {
			perror(argv[i]);
			failed = 1;
		}
	}
	return failed;
}
