/* SPDX-License-Identifier: MIT */
/* panic.c - panics in the middle of the plan, as the real kernel does. */
#include "guest.h"

void
main(void)
{
	void *pc = __builtin_return_address(0);
	static char hex[] = "0x0000000000000000 ";
	unsigned long v = (unsigned long)pc;
	int i;

	for (i = 17; i > 1; i--, v >>= 4)
		hex[i] = "0123456789abcdef"[v & 15];
	result("KTAP version 1\n1..2\nok 1 one\n# panic: planted\n# cpu 0 pc ");
	result(hex);
	result("\n# backtrace: ");
	result(hex);
	result("\n");
	say("# panic: planted\n");
	stop(STOP_FAIL(99));
}
