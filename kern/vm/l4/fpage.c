/* SPDX-License-Identifier: MIT */
/*
 * fpage.c - flexpages: validity, and matching an item with a receive window.
 *
 * Path: l4_ipc, sys_l4 -> HERE.  No locks, no state.
 * The slides of many courses leave the hot spot unreduced: it must be taken
 * modulo the larger size, and cut to a multiple of the smaller one.
 */
#include "vm/l4/fpage.h"

#include "abi/errno.h"
#include "arch/mmu.h"

unsigned
fpage_size_log2(uint64_t fpage)
{
	unsigned s = (unsigned)(fpage >> 4) & 63;

	return s == 1 && fpage_base(fpage) == 0 ? 64 : s;
}

bool
fpage_valid(uint64_t fpage)
{
	unsigned s = fpage_size_log2(fpage);
	vaddr_t base = fpage_base(fpage);

	if (s == 64)
		return true;
	if ((fpage & 8) || s < PAGE_SHIFT || s > 47)
		return false;
	return IS_ALIGNED(base, (vaddr_t)1 << s) && base < USER_MAX &&
	    ((vaddr_t)1 << s) <= USER_MAX - base;
}

/* The part of size 2^small in 2^large from @p base on that has the hot spot. */
static vaddr_t
part_of(vaddr_t base, unsigned large, unsigned small, vaddr_t hot_spot)
{
	if (large < 64)
		hot_spot &= ((vaddr_t)1 << large) - 1;
	return small < 64 ? base + (hot_spot & ~(((vaddr_t)1 << small) - 1)) :
			    base;
}

int
fpage_select(uint64_t send, vaddr_t hot_spot, uint64_t window,
    struct fpage_match *out)
{
	unsigned s = fpage_size_log2(send), w = fpage_size_log2(window);

	if (!fpage_valid(send) || !fpage_valid(window))
		return EINVAL;
	out->size_log2 = MIN(s, w);
	out->src = part_of(fpage_base(send), s, out->size_log2, hot_spot);
	out->dst = part_of(fpage_base(window), w, out->size_log2, hot_spot);
	return 0;
}
