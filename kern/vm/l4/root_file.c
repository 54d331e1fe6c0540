/* SPDX-License-Identifier: MIT */
/*
 * root_file.c - the root pager's mappings of files.
 *
 *	mapping		access	page in the cache	what the pager does
 *	any		any	none, or BUSY		VM_WAIT: fill, wait
 *	any		any	beyond the end		ENXIO: SIGBUS
 *	private		write	yes			map a copy, keep it
 *	private		other	yes			map it without W
 *	shared		write	a hole			VM_WAIT: find a place
 *	shared		write	yes			map it with W, MODIFIED
 *	shared		other	yes			map it, W if MODIFIED
 *
 * Path: root_fault -> HERE; vm_object_flush, _resize -> root_obj_revoke.
 * Locks: vm_object_lock from the look at the page to its mapping, then the set.
 */
#include "abi/errno.h"
#include "vm/l4/root_pager.h"

#include "vm/l4/no_pmap.h"

/* Keep and map @p copy of @p pg, if that is still the page of the file. */
static int
keep_copy(const struct root_fault *f, uint64_t index, struct vm_page *pg,
    struct vm_page *copy)
{
	struct pageset *ps = f->pages;
	int error;

	spin_lock(&vm_object_lock);
	spin_lock(&ps->lock);
	if (vm_object_find(f->r->object, index) != pg ||
	    pageset_find(ps, f->index) != NULL)
		error = root_restart(f->txn);
	else
		error = pageset_add(ps, f->index, (uintptr_t)copy);
	if (error == 0) {
		page_hold(copy);
		counter_add(TS_cow_copies, 1);
		error = root_answer(f, copy, f->rights);
	}
	spin_unlock(&ps->lock);
	spin_unlock(&vm_object_lock);
	return error;
}

/* A store into a private mapping. @p pg has a reference for us. */
static int
answer_copy(const struct root_fault *f, uint64_t index, struct vm_page *pg)
{
	struct vm_page *copy = sigma0_alloc();
	int error = ENOMEM;

	if (copy != NULL) {
		page_copy(page_to_virt(copy), page_to_virt(pg));
		error = keep_copy(f, index, pg, copy);
		page_drop(copy);
	}
	page_drop(pg);
	return error;
}

static int
answer_locked(const struct root_fault *f, struct vm_page *pg)
{
	bool write = f->access == VM_PROT_WRITE;
	unsigned rights = f->rights;
	int error;

	if (!region_shared(f->r))
		return root_answer(f, pg, rights & ~VM_PROT_WRITE);
	if (write && !vm_object_may_modify(pg, f->txn))
		return VM_WAIT;
	if (!write && !(page_flags(pg) & PG_MODIFIED))
		rights &= ~VM_PROT_WRITE;
	error = root_answer(f, pg, rights);
	if (error == 0 && write)
		vm_object_modify(pg);
	return error;
}

__attribute__((noinline)) int
root_file_fault(const struct root_fault *f)
{
	struct vm_object *o = f->r->object;
	uint64_t index = (f->r->offset + (f->va - region_sva(f->r))) >>
	    PAGE_SHIFT;
	bool write = f->access == VM_PROT_WRITE, shared = region_shared(f->r);
	struct vm_page *pg;
	int error;

	spin_lock(&vm_object_lock);
	pg = vm_object_find(o, index);
	if (index >= o->npages) {
		error = ENXIO;
	} else if (pg == NULL || (page_flags(pg) & PG_BUSY) ||
	    (write && shared && (page_flags(pg) & PG_HOLE))) {
		error = vm_object_wait(o, index, write && shared, f->txn);
	} else if (write && !shared) {
		page_hold(pg);
		spin_unlock(&vm_object_lock);
		return answer_copy(f, index, pg);
	} else {
		error = answer_locked(f, pg);
	}
	spin_unlock(&vm_object_lock);
	return error;
}

/* ---- taking rights back: who maps a page of the cache stands in the mapping
 * database; private copies are found through the regions ---- */

/* The part of a region that shows [@p first, @p end) loses everything. */
static int
revoke_region(struct region *r, uint64_t first, uint64_t end,
    struct vm_txn *txn)
{
	uint64_t start = r->offset >> PAGE_SHIFT;
	uint64_t n = region_npages(r);
	uint64_t from = MAX(first, start), to = MIN(end, start + n);
	struct l4_unmap u = { .space = r->vs, .rights = VM_PROT_ALL,
		.flags = L4_UNMAP_SELF };

	if (from >= to)
		return 0;
	u.sva = region_sva(r) + ((from - start) << PAGE_SHIFT);
	u.eva = region_sva(r) + ((to - start) << PAGE_SHIFT);
	from = u.sva >> PAGE_SHIFT;
	if (l4_unmap(&u, &txn->tg) != 0)
		return root_restart(txn);
	if (!region_shared(r))
		pageset_drop_locked(&client_of(r->vs)->pages, from,
		    u.eva >> PAGE_SHIFT);
	return 0;
}

/* Whoever else got pages of the cache by map and grant. */
static int
revoke_cached(const struct list *head, uint64_t first, uint64_t end,
    struct vm_txn *txn)
{
	LIST_FOREACH(l, head) {
		struct vm_page *pg = LIST_ENTRY(l, struct vm_page, link);

		if (pg->offset >= first && pg->offset < end &&
		    l4_unmap_frame(pg, VM_PROT_ALL, 0, NULL, &txn->tg) != 0)
			return root_restart(txn);
	}
	return 0;
}

static int
revoke_all(struct vm_object *o, uint64_t first, uint64_t end,
    struct vm_txn *txn)
{
	int error = 0;

	LIST_FOREACH(l, &o->mappings) {
		error = revoke_region(LIST_ENTRY(l, struct region, mapping),
		    first, end, txn);
		if (error != 0)
			return error;
	}
	error = revoke_cached(&o->clean, first, end, txn);
	if (error == 0)
		error = revoke_cached(&o->modified, first, end, txn);
	return error;
}

int
root_obj_revoke(struct vm_object *o, uint64_t first, uint64_t end,
    vm_prot_t keep, struct vm_txn *txn)
{
	if (keep == VM_PROT_NONE)
		return revoke_all(o, first, end, txn);
	for (uint64_t i = first; i < MIN(end, o->npages); i++) {
		struct vm_page *pg = vm_object_find(o, i);

		if (pg != NULL && l4_unmap_frame(pg, VM_PROT_ALL & ~keep, 0,
			NULL, &txn->tg) != 0)
			panic("l4: no room to take W back");
	}
	return 0;
}
