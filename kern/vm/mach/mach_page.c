/* SPDX-License-Identifier: MIT */
/*
 * mach_page.c - page-side slots: from a page to its leaves, by pv entries.
 *
 * Locks: the list of spaces shared, so that the space of a leaf stays; then pv
 * and pmap one after the other, never both.
 */
#include "abi/errno.h"
#include "vm/mach/mach_page.h"

static unsigned
protect_page(struct vm_page *pg, unsigned clear, bool remove,
    struct vm_txn *txn)
{
	unsigned seen;

	vmspace_list_hold();
	seen = pv_page_protect(pg, clear, remove, txn);
	vmspace_list_release();
	return seen;
}

unsigned
mach_pg_harvest(struct vm_page *pg, unsigned clear, struct vm_txn *txn)
{
	unsigned bits = 0, seen, answer = 0;

	if (clear & PG_HARVEST_REF)
		bits |= PMAP_ACCESSED;
	if (clear & PG_HARVEST_DIRTY)
		bits |= PMAP_DIRTY;
	seen = protect_page(pg, bits, false, txn);
	if (seen & PMAP_ACCESSED)
		answer |= PG_HARVEST_REF;
	if ((seen & PMAP_DIRTY) || (page_flags(pg) & PG_DIRTY))
		answer |= PG_HARVEST_DIRTY;
	return answer;
}

/* Without any right left the leaves go: the next fault finds the page. */
int
mach_pg_revoke(struct vm_page *pg, vm_prot_t keep, struct vm_txn *txn)
{
	(void)protect_page(pg, PMAP_RWX & ~keep, keep == VM_PROT_NONE, txn);
	return keep != VM_PROT_NONE || pv_empty(pg) ? 0 : EBUSY;
}

/* Pages of files are given up by the cache once no leaf shows them; anonymous
 * ones need a place on swap. */
int
mach_pg_evict(struct vm_page *pg, struct vm_txn *txn)
{
	if (!is_cached(pg) || is_pinned(pg))
		return EBUSY;
	return mach_pg_revoke(pg, VM_PROT_NONE, txn);
}
