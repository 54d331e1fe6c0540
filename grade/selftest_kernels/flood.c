/* SPDX-License-Identifier: MIT */
/* flood.c - floods the console. */
#include "guest.h"

void
main(void)
{
	for (;;)
		say("all work and no play makes a dull kernel\n");
}
