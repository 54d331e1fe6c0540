/* SPDX-License-Identifier: MIT */
/* hang.c - sleeps for ever, silently, with a plan half done. */
#include "guest.h"

void
main(void)
{
	result("KTAP version 1\n1..2\nok 1 one\n");
	__asm__ volatile("csrci sstatus, 2");
	for (;;)
		__asm__ volatile("wfi");
}
