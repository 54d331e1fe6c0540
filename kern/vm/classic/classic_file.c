/* SPDX-License-Identifier: MIT */
/*
 * classic_file.c - mappings of files: their faults, and taking rights back.
 *
 *	mapping		access	page in the cache	what happens
 *	any		any	none, or BUSY		VM_WAIT: fill, wait
 *	any		any	beyond the end		ENXIO: SIGBUS
 *	private		write	yes			copy it
 *	private		other	yes			enter it COW
 *	shared		write	a hole			VM_WAIT: find a place
 *	shared		write	yes			enter with W, MODIFIED
 *	shared		other	yes			enter, W if MODIFIED
 *
 * Path: classic_fault -> HERE; vm_object_flush, _resize -> classic_obj_revoke.
 * Locks: vm_object_lock from the look at the page to its leaf, so that a page
 *	is never mapped after it was truncated, nor W after it was cleaned.
 * The regions of an object are its reverse map.
 */
#include "abi/errno.h"
#include "sync/counter.h"
#include "vm/classic/classic.h"

/* The entry changed, or is not what it should be: look again. */
static int
restart(struct vm_txn *txn)
{
	txn->wait.wq = NULL;
	return VM_WAIT;
}

/* A store into a private mapping. @p pg has a reference for us. */
static int
copy_page(const struct fault *f, struct vm_page *pg,
    const struct pmap_leaf *seen)
{
	struct vm_page *new = frame_alloc(FRAME_DEFAULT);
	struct pmap_new nw = { .bits = f->bits, .seen = seen };
	int error = ENOMEM;

	if (new != NULL) {
		page_copy(page_to_virt(new), page_to_virt(pg));
		nw.pa = page_to_phys(new);
		error = pmap_enter(f->vs->pmap, f->va, &nw, &f->txn->tg);
		if (error != 0)
			page_drop(new);
		else
			counter_add(TS_cow_copies, 1);
	}
	page_drop(pg);
	return error == EAGAIN ? restart(f->txn) : error;
}

/* @locks vm_object_lock */
static int
enter_locked(const struct fault *f, struct vm_page *pg, unsigned bits,
    const struct pmap_leaf *seen)
{
	struct pmap_new nw = { .pa = page_to_phys(pg), .bits = bits,
		.seen = seen };
	int error;

	if (seen->raw != 0) {
		struct pmap_edit ed = { .set = bits, .seen = seen };

		/* The leaf is revoked before its page leaves the cache. */
		if (seen->pa != nw.pa ||
		    pmap_change(f->vs->pmap, f->va, &ed, &f->txn->tg) != 0)
			return restart(f->txn);
		return 0;
	}
	page_hold(pg);
	error = pmap_enter(f->vs->pmap, f->va, &nw, &f->txn->tg);
	if (error != 0)
		page_drop(pg); /* not the last: the cache has one */
	return error == EAGAIN ? restart(f->txn) : error;
}

static int
fault_locked(const struct fault *f, struct vm_page *pg,
    const struct pmap_leaf *seen)
{
	bool write = f->access == PMAP_W;
	unsigned bits = f->bits;
	int error;

	if (!region_shared(f->r))
		return enter_locked(f, pg, (bits & ~PMAP_W) | PMAP_COW, seen);
	if (write && !vm_object_may_modify(pg, f->txn))
		return VM_WAIT;
	if (!write && !(page_flags(pg) & PG_MODIFIED))
		bits &= ~PMAP_W;
	error = enter_locked(f, pg, bits, seen);
	if (error == 0 && write)
		vm_object_modify(pg);
	return error;
}

__attribute__((noinline)) int
classic_file_fault(const struct fault *f, const struct pmap_leaf *seen)
{
	struct vm_object *o = f->r->object;
	uint64_t index = (f->r->offset + (f->va - region_sva(f->r))) >>
	    PAGE_SHIFT;
	bool write = f->access == PMAP_W, shared = region_shared(f->r);
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
		return copy_page(f, pg, seen);
	} else {
		error = fault_locked(f, pg, seen);
	}
	spin_unlock(&vm_object_lock);
	return error;
}

static int
lose_write(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	if (leaf->bits & PMAP_W)
		pmap_cursor_change(c, PMAP_W, 0, arg);
	return 0;
}

int
classic_obj_revoke(struct vm_object *o, uint64_t first, uint64_t end,
    vm_prot_t keep, struct vm_txn *txn)
{
	int error = 0;

	LIST_FOREACH(l, &o->mappings) {
		struct region *r = LIST_ENTRY(l, struct region, mapping);
		uint64_t start = r->offset >> PAGE_SHIFT;
		uint64_t n = region_npages(r);
		uint64_t from = MAX(first, start), to = MIN(end, start + n);
		vaddr_t sva, eva;

		if (from >= to)
			continue;
		sva = region_sva(r) + ((from - start) << PAGE_SHIFT);
		eva = region_sva(r) + ((to - start) << PAGE_SHIFT);
		if (keep == VM_PROT_NONE) {
			error = pmap_remove(r->vs->pmap, sva, eva, true,
			    &txn->tg);
			if (error == 0)
				classic_swap_clear_locked(classic_of(r->vs),
				    r->vs->pmap, sva, eva);
			else
				error = restart(txn);
		} else if (region_shared(r) && !(keep & VM_PROT_WRITE))
			(void)pmap_scan(r->vs->pmap, sva, eva, lose_write,
			    &txn->tg);
		if (error != 0)
			return error;
	}
	return 0;
}
