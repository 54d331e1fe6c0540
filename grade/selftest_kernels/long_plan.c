/* SPDX-License-Identifier: MIT */
/* long_plan.c - reports more than it planned. */
#include "guest.h"

void
main(void)
{
	result("KTAP version 1\n1..1\nok 1 one\nok 2 two\n# run complete\n");
	stop(STOP_PASS);
}
