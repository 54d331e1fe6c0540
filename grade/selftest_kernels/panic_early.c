/* SPDX-License-Identifier: MIT */
/* panic_early.c - panics before it has a results channel, then stands still. */
#include "guest.h"

void
main(void)
{
	say("booting\n# panic: no memory\n# cpu 0 pc 0x80200000\n");
	for (;;)
		__asm__ volatile("wfi");
}
