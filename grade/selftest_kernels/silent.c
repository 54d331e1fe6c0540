/* SPDX-License-Identifier: MIT */
/* silent.c - powers off without a word. */
#include "guest.h"

void
main(void)
{
	stop(STOP_PASS);
}
