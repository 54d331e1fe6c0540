/* SPDX-License-Identifier: MIT */
/* lie.c - fails a test, and lies with exit code 0. */
#include "guest.h"

void
main(void)
{
	result("KTAP version 1\n1..2\nok 1 one\nnot ok 2 two\n");
	result("# run complete\n");
	say("ALL TESTS PASSED\n");
	stop(STOP_PASS);
}
