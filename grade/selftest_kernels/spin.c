/* SPDX-License-Identifier: MIT */
/* spin.c - jumps into nowhere: an endless storm of faults, no output. */
#include "guest.h"

void
main(void)
{
	result("KTAP version 1\n1..1\n");
	__asm__ volatile("csrw stvec, zero; jr zero");
}
