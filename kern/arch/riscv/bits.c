/* SPDX-License-Identifier: MIT */
/*
 * bits.c - what GCC calls for bit counting on CPUs without the Zbb extension.
 *
 * The compiler's own library is built for another floating-point convention
 * and may use the registers that arch.mk reserves.
 * Sources: Leiserson, Prokop, Randall, Using de Bruijn Sequences to Index a 1
 * in a Computer Word, 1998; Warren, Hacker's Delight, section 5-1.
 */
#include "lib/types.h"

/* Every 6-bit value appears once among its shifts. */
#define DE_BRUIJN 0x03f79d71b4cb0a89ull

int __ctzdi2(uint64_t x);
int __clzdi2(uint64_t x);
int __popcountdi2(uint64_t x);

int
__ctzdi2(uint64_t x)
{
	static const uint8_t index[64] = {
		0, 1, 48, 2, 57, 49, 28, 3, 61, 58, 50, 42, 38, 29, 17, 4,
		62, 55, 59, 36, 53, 51, 43, 22, 45, 39, 33, 30, 24, 18, 12, 5,
		63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21, 44, 32, 23, 11,
		46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9, 13, 8, 7, 6,
	};

	return index[(x & -x) * DE_BRUIJN >> 58];
}

int
__popcountdi2(uint64_t x)
{
	x -= x >> 1 & 0x5555555555555555;
	x = (x & 0x3333333333333333) + (x >> 2 & 0x3333333333333333);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return (int)(x * 0x0101010101010101 >> 56);
}

int
__clzdi2(uint64_t x)
{
	for (unsigned shift = 1; shift < 64; shift *= 2)
		x |= x >> shift;
	return __popcountdi2(~x);
}
