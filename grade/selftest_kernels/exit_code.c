/* SPDX-License-Identifier: MIT */
/* exit_code.c - passes, then stops with a failing exit code. */
#include "guest.h"

void
main(void)
{
	result("KTAP version 1\n1..1\nok 1 one\n# run complete\n");
	stop(STOP_FAIL(1));
}
