/* SPDX-License-Identifier: MIT */
/* want: headers: does not compile alone: unknown type name .uint64_t */
static inline uint64_t
twice(uint64_t x)
{
	return 2 * x;
}
