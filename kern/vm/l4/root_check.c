/* SPDX-License-Identifier: MIT */
/*
 * root_check.c - what holds of the root pager's areas and pages.
 *
 * R1 areas are in order, inside the user range, and counted.
 * R2 each page of a private set lies in a private area.
 * R3 what the pager mapped has no right beyond area and overlay, and none to
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

static int
check_areas(struct vmspace *vs)
{
	struct root_client *rc = client_of(vs);
	vaddr_t end = 0;
	size_t size = 0;
	unsigned n = 0;

	if (!rb_check(&rc->areas))
		return complain(0, "broken tree of areas");
	for (const struct area *r = area_first(vs, 0); r != NULL;
	     r = area_next(r)) {
		if (area_sva(r) < MAX(end, USER_MIN) ||
		    r->eva <= area_sva(r) || r->eva > USER_MAX)
			return complain(area_sva(r), "area out of order");
		if (r->prot & ~r->maxprot)
			return complain(area_sva(r), "rights beyond maximum");
		end = r->eva;
		size += r->eva - area_sva(r);
		n++;
	}
	if (n != rc->nareas || size != vs->size_bytes)
		return complain(0, "wrong count of areas or bytes");
	return 0;
}

int
root_check(struct vmspace *vs)
{
	struct pageset *ps = &client_of(vs)->pages;
	struct page_chunk *c;
	int error = check_areas(vs);

	spin_lock(&ps->lock);
	if (error == 0)
		error = pageset_check(ps);
	for (c = pageset_chunk(ps, 0); error == 0 && c != NULL;
	     c = pageset_chunk(ps, c->node.key + CHUNK_PAGES))
		for (unsigned i = 0; i < CHUNK_PAGES; i++) {
			vaddr_t va = (c->node.key + i) << PAGE_SHIFT;
			const struct area *r;

			if (c->slot[i] == 0)
				continue;
			r = area_find(vs, va);
			if (r == NULL || area_shared(r) ||
			    r->source == VM_PHYS)
				error = complain(va, "page without an area");
		}
	spin_unlock(&ps->lock);
	return error;
}

int
root_check_mapping(struct vmspace *vs, vaddr_t va, const struct vm_page *pg,
    unsigned rights)
{
	struct pageset *ps = &client_of(vs)->pages;
	const struct area *r = area_find(vs, va);
	unsigned most;
	uintptr_t *slot;

	if (r == NULL || area_shared(r))
		return 0; /* shared pages are checked by their objects */
	spin_lock(&ps->lock);
	slot = pageset_find(ps, va >> PAGE_SHIFT);
	if (slot == NULL || slot_swapped(*slot) || slot_page(*slot) != pg) {
		spin_unlock(&ps->lock);
		return 0; /* a file's, or somebody else mapped it here */
	}
	most = pmap_rights(area_rights(vs, r, va));
	if (*slot & SLOT_COW)
		most &= ~VM_PROT_WRITE;
	spin_unlock(&ps->lock);
	return rights & ~most ? complain(va, "exceeds area or overlay") : 0;
}
