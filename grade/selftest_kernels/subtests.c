/* SPDX-License-Identifier: MIT */
/* subtests.c - fails in a subtest and says that the test passed. */
#include "guest.h"

void
main(void)
{
	result("KTAP version 1\n1..1\n  1..2\n  ok 1 a\n  not ok 2 b\n");
	result("ok 1 one\n# run complete\n");
	stop(STOP_PASS);
}
