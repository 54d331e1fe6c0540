/* SPDX-License-Identifier: MIT */
/*
 * kill.c - send a signal: kill [-SIGNAL] pid...
 */
#include <user.h>

static int
signal_number(const char *s)
{
	int sig;

	if (isdigit(*s))
		return atoi(s);
	if (strncmp(s, "SIG", 3) == 0)
		s += 3;
	for (sig = 1; sig < 32; sig++) {
		if (strcmp(strsignal(sig) + 3, s) == 0)
			return sig;
	}
	return -1;
}

int
main(int argc, char **argv)
{
	int sig = SIGTERM, i = 1, failed = 0;

	if (argc > 1 && argv[1][0] == '-') {
		sig = signal_number(argv[1] + 1);
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
