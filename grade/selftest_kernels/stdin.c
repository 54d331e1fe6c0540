/* SPDX-License-Identifier: MIT */
/* stdin.c - echoes what is typed, for send() and expect(). */
#include "guest.h"

void
main(void)
{
	unsigned char c = 0;

	result("KTAP version 1\n1..1\n");
	say("$ ");
	while (c != '\n') {
		char s[2] = { 0, 0 };

		while (!(CONSOLE[5] & 1))
			;
		c = CONSOLE[0];
		s[0] = (char)c;
		say(s);
	}
	result("ok 1 typed\n# run complete\n");
	stop(STOP_PASS);
}
