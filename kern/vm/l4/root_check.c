/* SPDX-License-Identifier: MIT */
/*
 * root_check.c - what holds of the root pager's regions and pages.
 *
 * R1 regions are in order, inside the user range, and counted (region_check).
 * R2 each page of a private set lies in a private region.
 * R3 what the pager mapped has no right beyond region and overlay, and none to
 *    write while the page may be shared.
 * Locks: the space exclusively.
 */
#include "abi/errno.h"
#include "lib/printf.h"
#include "vm/l4/root_pager.h"

#include "vm/l4/no_pmap.h"

static int
complain(vaddr_t va, const char *what)
{
	kprintf("root_check: 0x%lx: %s\n", (unsigned long)va, what);
	return EINVAL;
}

int
root_check(struct vmspace *vs)
{
	struct pageset *ps = &client_of(vs)->pages;
	struct page_chunk *c;
	int error = region_check(vs);

	spin_lock(&ps->lock);
	if (error == 0)
		error = pageset_check(ps);
	for (c = pageset_chunk(ps, 0); error == 0 && c != NULL;
	     c = pageset_chunk(ps, c->node.key + CHUNK_PAGES))
		for (unsigned i = 0; i < CHUNK_PAGES; i++) {
			vaddr_t va = (c->node.key + i) << PAGE_SHIFT;
			const struct region *r;

			if (c->slot[i] == 0)
				continue;
			r = region_find(vs, va);
			if (r == NULL || region_shared(r) ||
			    r->source == VM_PHYS)
				error = complain(va, "page without a region");
		}
	spin_unlock(&ps->lock);
	return error;
}

int
root_check_mapping(struct vmspace *vs, vaddr_t va, const struct vm_page *pg,
    unsigned rights)
{
	struct pageset *ps = &client_of(vs)->pages;
	const struct region *r = region_find(vs, va);
	unsigned most;
	uintptr_t *slot;

	if (r == NULL || region_shared(r))
		return 0; /* shared pages are checked by their objects */
	spin_lock(&ps->lock);
	slot = pageset_find(ps, va >> PAGE_SHIFT);
	if (slot == NULL || slot_swapped(*slot) || slot_page(*slot) != pg) {
		spin_unlock(&ps->lock);
		return 0; /* a file's, or somebody else mapped it here */
	}
	most = pmap_rights(region_rights(vs, r, va));
	if (*slot & SLOT_COW)
		most &= ~VM_PROT_WRITE;
	spin_unlock(&ps->lock);
	return rights & ~most ? complain(va, "exceeds region or overlay") : 0;
}
