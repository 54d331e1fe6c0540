/* SPDX-License-Identifier: MIT */
/* late_panic.c - panics after the end of the run, while it shuts down. */
#include "guest.h"

void
main(void)
{
	result("KTAP version 1\n1..1\nok 1 one\n# run complete\n");
	result("# panic: busy page at power-off\n");
	stop(STOP_PASS);
}
