/* SPDX-License-Identifier: MIT */
/*
 * l4.h - what user programs and the kernel share of the L4 design (vm=l4).
 *
 * Encodings follow the L4 X.2 manual.
 */
#ifndef ABI_L4_H
#define ABI_L4_H

/* Rights in bits 0-2 of a flexpage; what l4_unmap returns in them: referenced,
 * written, executed. */
#define L4_FPAGE_X	 1ul
#define L4_FPAGE_W	 2ul
#define L4_FPAGE_R	 4ul
#define L4_FPAGE_ALL	 (1ul << 4) /* the complete address space */
#define L4_FPAGE_NIL	 0ul
#define L4_FPAGE(base, size_log2, rights)                                  \
	((unsigned long)(base) | (unsigned long)(size_log2) << 4 | (rights))

/* l4_unmap, control word: number of flexpages - 1, and: */
#define L4_UNMAP_FLUSH	 0x40ul	/* from the caller's own space too */
#define L4_UNMAP_MAX	 64

#endif /* !ABI_L4_H */
