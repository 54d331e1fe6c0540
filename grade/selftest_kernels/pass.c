/* SPDX-License-Identifier: MIT */
/* pass.c - does everything right. */
#include "guest.h"

void
main(void)
{
	say("hello\n");
	result("KTAP version 1\n1..2\nok 1 one\nok 2 two\n# run complete\n");
	stop(STOP_PASS);
}
