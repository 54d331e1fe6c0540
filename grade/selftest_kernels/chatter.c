/* SPDX-License-Identifier: MIT */
/* chatter.c - is never silent and never done. */
#include "guest.h"

void
main(void)
{
	volatile unsigned long i;

	result("KTAP version 1\n1..1\n");
	for (;;) {
		say("still working\n");
		for (i = 0; i < 50000000; i++)
			;
	}
}
