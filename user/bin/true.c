/* SPDX-License-Identifier: MIT */
/*
 * true.c - succeed.
 */
#include <user.h>

int
main(void)
{
	return 0;
}
