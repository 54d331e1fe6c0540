/* SPDX-License-Identifier: MIT */
/*
 * false.c - fail.
 */
#include <user.h>

int
main(void)
{
	return 1;
}
