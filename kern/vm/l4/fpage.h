/* SPDX-License-Identifier: MIT */
/**
 * @file fpage.h
 * Flexpages: naturally aligned ranges of 2^s bytes, encoded as in L4 X.2.
 *
 *	bits 0-2 rights (x 1, w 2, r 4)   bit 3 zero   bits 4-9 s
 *	bits 10- base / 1024
 *
 * s = 1 with base 0 is the complete address space, the word 0 none (nil).
 * Source: L4 eXperimental Kernel Reference Manual, Version X.2, section 4.1.
 */
#ifndef VM_L4_FPAGE_H
#define VM_L4_FPAGE_H

#include "abi/l4.h"
#include "vm/prot.h"

/** A send item and a receive window, matched: map [src, +2^s) to dst. */
struct fpage_match {
	vaddr_t src, dst;
	unsigned size_log2;
};

static inline uint64_t
fpage_make(vaddr_t base, unsigned size_log2, vm_prot_t prot)
{
	/* X.2 has x and r the other way round. */
	return base | (uint64_t)size_log2 << 4 | ((prot & VM_PROT_READ) << 2) |
	    (prot & VM_PROT_WRITE) | ((prot & VM_PROT_EXECUTE) >> 2);
}

static inline vm_prot_t
fpage_prot(uint64_t fpage)
{
	return ((fpage & L4_FPAGE_R) ? VM_PROT_READ : 0) |
	    ((fpage & L4_FPAGE_W) ? VM_PROT_WRITE : 0) |
	    ((fpage & L4_FPAGE_X) ? VM_PROT_EXECUTE : 0);
}

static inline vaddr_t
fpage_base(uint64_t fpage)
{
	return fpage & ~(uint64_t)1023;
}

static inline bool
fpage_is_nil(uint64_t fpage)
{
	return (fpage & ~(uint64_t)7) == 0;
}

/** log2 of the size in bytes; 64 for the complete space. */
unsigned fpage_size_log2(uint64_t fpage);

/** Not nil, at least a page, aligned to its size, inside the user range (the
 * complete space is fine). */
bool fpage_valid(uint64_t fpage);

/**
 * Where a send item goes: the larger of the two is cut down to the part of the
 * other's size that @p hot_spot (the item's send base) chooses.
 * @retval EINVAL one of them is not a valid flexpage
 */
int __must_check fpage_select(uint64_t send, vaddr_t hot_spot, uint64_t window,
    struct fpage_match *out);

#endif
