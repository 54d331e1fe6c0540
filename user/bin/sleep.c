/* SPDX-License-Identifier: MIT */
/*
 * sleep.c - wait: sleep SECONDS, with an optional fraction.
 */
#include <user.h>

int
main(int argc, char **argv)
{
	unsigned ms;

	if (argc != 2)
		die("usage: sleep seconds[.fraction]");
	if (!parse_seconds(argv[1], &ms))
		die("sleep: not a number of seconds: %s", argv[1]);
	msleep(ms);
	return 0;
}
