/* SPDX-License-Identifier: MIT */
/*
 * bits.h - counting bits, without the compiler's run-time library.
 *
 * Base RISC-V has no instruction for either.
 */
#ifndef LIB_BITS_H
#define LIB_BITS_H

#include "lib/types.h"

/** How many bits are set. */
static inline unsigned
bits_count(uint64_t x)
{
	x -= x >> 1 & 0x5555555555555555ull;
	x = (x & 0x3333333333333333ull) + (x >> 2 & 0x3333333333333333ull);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return (unsigned)(x * 0x0101010101010101ull >> 56);
}

/** Number of the lowest bit that is set. @pre x != 0 */
static inline unsigned
bits_lowest(uint64_t x)
{
	return bits_count((x & -x) - 1);
}

#endif
