/* SPDX-License-Identifier: MIT */
/*
 * sleep.c - wait: sleep SECONDS, with an optional fraction.
 */
#include <user.h>

int
main(int argc, char **argv)
{
	unsigned long ms, unit = 100;
	char *end;

	if (argc != 2)
		die("usage: sleep seconds[.fraction]");
	ms = strtoul(argv[1], &end, 10) * 1000;
	if (*end == '.') {
		for (end++; isdigit(*end); end++, unit /= 10)
			ms += (unsigned long)(*end - '0') * unit;
	}
	if (*end != '\0')
		die("sleep: not a number: %s", argv[1]);
	msleep((unsigned)ms);
	return 0;
}
