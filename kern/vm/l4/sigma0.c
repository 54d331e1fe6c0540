/* SPDX-License-Identifier: MIT */
/*
 * sigma0.c - the initial space: every frame that user spaces may hold.
 *
 * Sigma0 has all of them at their physical addresses; its mapping is the root
 * of the frame's tree and needs no node.  It hands a frame out once: from then
 * on whoever got it decides about it, until the last reference is gone.
 */
#include "vm/l4/l4.h"
#include "vm/l4/mapdb.h"

struct vm_page *
sigma0_alloc(void)
{
	struct vm_page *pg = frame_alloc(FRAME_DEFAULT);

	/* Mappings hold references, so a free frame has none. */
	KASSERT(pg == NULL || mapdb_tree_of(page_to_phys(pg))->first == NULL);
	return pg;
}
