/* SPDX-License-Identifier: MIT */
/*
 * mach_file.c - the object at the bottom is a file.
 *
 * The page cache of files (vm/object.h) is the pager: its pages are shown, or
 * copied into an object above, and are in no resident page table of ours.
 * Path: fault_walk -> HERE; vm_object_flush, _resize -> mach_obj_revoke.
 * Locks: the top object, then vm_object_lock from the look at the page to its
 *	leaf, so that a page is never shown after it was truncated, nor with W
 *	after it was cleaned.  mach_obj_revoke holds vm_object_lock and needs
 *	objects: it tries, and backs off.
 */
/*
 *	mapping		access	page in the cache	what happens
 *	any		any	none, or BUSY		VM_WAIT: fill, wait
 *	any		any	beyond the end		ENXIO: SIGBUS
 *	private		write	yes			copy it up
 *	private		other	yes			show it without W
 *	shared		write	a hole			VM_WAIT: find a place
 *	shared		write	yes			W, MODIFIED
 *	shared		other	yes			W if MODIFIED
 */
#include "abi/errno.h"
#include "vm/mach/mach_page.h"

/* @locks vm_object_lock */
static int
shared_locked(const struct fault *f, struct vm_page *pg)
{
	bool write = f->access == PMAP_W;
	unsigned bits = f->bits;
	int error;

	if (write && !vm_object_may_modify(pg, f->txn))
		return VM_WAIT;
	if (!write && !(page_flags(pg) & PG_MODIFIED))
		bits &= ~PMAP_W;
	error = fault_enter(f, pg, bits);
	if (error == 0 && write)
		vm_object_modify(pg);
	return error;
}

__attribute__((noinline)) int
mach_file_fault(const struct fault *f, struct vm_object *file, uint64_t index)
{
	/* Of the file itself, not of a copy that relatives share. */
	bool shared = f->top->file != NULL && entry_shared(f->entry);
	bool write = f->access == PMAP_W;
	struct vm_page *pg;
	int error;

	spin_lock(&vm_object_lock);
	pg = vm_object_find(file, index);
	if (index >= file->npages) {
		error = ENXIO;
	} else if (pg == NULL || (page_flags(pg) & PG_BUSY) ||
	    (write && shared && (page_flags(pg) & PG_HOLE))) {
		error = vm_object_wait(file, index, write && shared, f->txn);
	} else if (write && !shared) {
		page_hold(pg);
		spin_unlock(&vm_object_lock);
		error = fault_copy_up(f, pg);
		page_drop(pg);
		return error;
	} else if (shared) {
		error = shared_locked(f, pg);
	} else {
		error = fault_enter(f, pg, f->bits & ~PMAP_W);
	}
	spin_unlock(&vm_object_lock);
	return error;
}

/* ---- taking rights back; vm_object_lock is held ---- */

/* Pages [@p first, @p end) of the copies above the file go. */
static int
remove_copies(struct vm_map_entry *e, uint64_t first, uint64_t end,
    struct vm_txn *txn)
{
	struct spinlock *map_lock = &vm_map_of(e->vs)->lock;
	struct mach_object *o, *above = NULL;
	int error = 0;

	if (!spin_trylock(map_lock))
		return mach_restart(txn);
	first += e->offset;
	end += e->offset;
	/* Hand over hand: a collapse may free what is not locked. */
	for (o = e->object; error == 0 && o->file == NULL; o = o->shadow) {
		if (!spin_trylock(&o->lock)) {
			error = mach_restart(txn);
			break;
		}
		if (above != NULL)
			spin_unlock(&above->lock);
		above = o;
		error = mach_object_page_remove_locked(o, first, end, txn);
		first += o->shadow_offset;
		end += o->shadow_offset;
	}
	if (above != NULL)
		spin_unlock(&above->lock);
	spin_unlock(map_lock);
	return error;
}

/* Nothing of [@p from, @p to) of entry @p e may be seen any more. */
static int
revoke_all(struct vm_map_entry *e, uint64_t from, uint64_t to,
    struct vm_txn *txn)
{
	vaddr_t sva = entry_sva(e) + (from << PAGE_SHIFT);
	vaddr_t eva = entry_sva(e) + (to << PAGE_SHIFT);
	int error = pv_remove_range(e->vs, sva, eva, txn);

	if (error == 0)
		error = remove_copies(e, from, to, txn);
	return error;
}

static int
revoke_write(struct vm_object *file, uint64_t first, uint64_t end,
    struct vm_txn *txn)
{
	for (uint64_t i = first; i < MIN(end, file->npages); i++) {
		struct vm_page *pg = vm_object_find(file, i);

		if (pg != NULL)
			(void)pv_page_protect(pg, PMAP_W, false, txn);
	}
	return 0;
}

int
mach_obj_revoke(struct vm_object *file, uint64_t first, uint64_t end,
    vm_prot_t keep, struct vm_txn *txn)
{
	int error = 0;

	if (keep != VM_PROT_NONE)
		return keep & VM_PROT_WRITE ?
		    0 :
		    revoke_write(file, first, end, txn);
	LIST_FOREACH(l, &file->mappings) {
		struct vm_map_entry *e =
		    LIST_ENTRY(l, struct vm_map_entry, mapping);
		uint64_t start = e->source_offset >> PAGE_SHIFT;
		uint64_t from = MAX(first, start);
		uint64_t to = MIN(end, start + entry_npages(e));

		if (from < to)
			error = revoke_all(e, from - start, to - start, txn);
		if (error != 0)
			break;
	}
	return error;
}
