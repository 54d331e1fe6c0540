/* SPDX-License-Identifier: MIT */
/* midplan.c - powers off in the middle of the plan. */
#include "guest.h"

void
main(void)
{
	result("KTAP version 1\n1..3\nok 1 one\nok 2 two\n");
	stop(STOP_PASS);
}
