/* SPDX-License-Identifier: MIT */
/*
 * classic_fault.c - a fault is a switch on the page-table entry.
 *
 *	entry		access	region		what happens
 *	empty		any	private		zero-fill a new frame
 *	empty		any	shared		frame of the store, or a new one
 *	empty		any	physical, file	enter the frame; classic_file.c
 *	leaf, enough	any	any		spurious: fence here, retry (C9)
 *	leaf, COW	write	private		last owner: make writable
 *						else: copy, replace, flush
 *	leaf, narrower	any	shared file	classic_file.c
 *	(or no-access)	any	any other	widen to region and overlay
 *
 * Path: vm_fault (vm/fault.c) -> HERE -> pmap_enter | pmap_change (vm/pmap.c).
 * Locks: the space shared, so other threads fault here too: each edit names the
 * entry that was seen, and EAGAIN means that somebody was faster.
 */
#include "abi/errno.h"
#include "sync/counter.h"
#include "vm/classic/classic.h"

static int
try_again(struct vm_txn *txn)
{
	txn->wait.wq = NULL;
	return VM_WAIT;
}

/* Enter @p pg where @p seen was; takes over one reference on success. */
static inline int
enter(const struct fault *f, struct vm_page *pg, uint64_t seen)
{
	struct pmap_new nw = {
		.pa = page_to_phys(pg),
		.bits = f->bits,
		.expect = seen,
	};
	int error = pmap_enter(f->vs->pmap, f->va, &nw, &f->txn->tg);

	if (likely(error == 0))
		return 0;
	page_drop(pg);
	return error == EAGAIN ? try_again(f->txn) : error;
}

static int
zero_fill(const struct fault *f)
{
	struct vm_page *pg = frame_alloc(FRAME_DEFAULT);

	if (pg == NULL)
		return ENOMEM;
	page_zero(page_to_virt(pg));
	counter_add(TS_zero_fills, 1);
	return enter(f, pg, 0);
}

/* The store's frame at @p off, zero-filled if there is none yet. */
static int
store_page(const struct fault *f, uint64_t off, struct vm_page **out)
{
	struct pmap *table = f->r->store->table;
	struct pmap_new nw = { .bits = PMAP_R | PMAP_W, .expect = 0 };
	struct pmap_leaf leaf;
	struct vm_page *pg;
	int error;

	if (pmap_get(table, off, &leaf) == PMAP_LEAF) {
		*out = phys_to_page(leaf.pa);
		return 0;
	}
	pg = frame_alloc(FRAME_DEFAULT);
	if (pg == NULL)
		return ENOMEM;
	page_zero(page_to_virt(pg));
	nw.pa = page_to_phys(pg);
	error = pmap_enter(table, off, &nw, &f->txn->tg);
	if (error != 0) {
		page_drop(pg);
		return error == EAGAIN ? try_again(f->txn) : error;
	}
	counter_add(TS_zero_fills, 1);
	*out = pg;
	return 0;
}

static __attribute__((noinline)) int
shared_fill(const struct fault *f)
{
	uint64_t off = f->r->offset + (f->va - region_sva(f->r));
	struct vm_page *pg;
	int error = store_page(f, off, &pg);

	if (error != 0)
		return error;
	page_hold(pg); /* the store keeps its own while the region exists */
	return enter(f, pg, 0);
}

static __slowpath int
physical_fill(const struct fault *f)
{
	struct pmap_new nw = {
		.pa = f->r->offset + (f->va - region_sva(f->r)),
		.bits = f->bits,
		.expect = 0,
	};
	int error = pmap_enter(f->vs->pmap, f->va, &nw, &f->txn->tg);

	return error == EAGAIN ? try_again(f->txn) : error;
}

/* Give the leaf more bits in place. */
static int
widen(const struct fault *f, const struct pmap_leaf *seen, unsigned clear,
    unsigned set)
{
	struct pmap_edit ed = { clear, set, seen->raw, 0 };

	if (pmap_change(f->vs->pmap, f->va, &ed, &f->txn->tg) != 0)
		return try_again(f->txn);
	return 0;
}

static int
copy_on_write(const struct fault *f, const struct pmap_leaf *seen)
{
	struct vm_page *old = phys_to_page(seen->pa), *pg;
	int error;

	/* Alone with it: no other leaf, and no kernel access of a former
	 * sharer that would read what we write from now on. */
	if (__atomic_load_n(&old->holds, __ATOMIC_ACQUIRE) == 1) {
		counter_add(TS_cow_reuses, 1);
		return widen(f, seen, PMAP_COW, f->bits);
	}
	pg = frame_alloc(FRAME_DEFAULT);
	if (pg == NULL)
		return ENOMEM;
	page_copy(page_to_virt(pg), page_to_virt(old));
	error = enter(f, pg, seen->raw);
	if (error != 0)
		return error;
	counter_add(TS_cow_copies, 1);
	/* Our reference goes when no CPU reads the old frame any more. The
	 * gather is fresh: there is room for one page. */
	error = tlb_gather_page(&f->txn->tg, old);
	KASSERT(error == 0);
	return 0;
}

static __attribute__((noinline)) int
fault_present(const struct fault *f, const struct pmap_leaf *seen)
{
	if (seen->kind == PMAP_LEAF && (seen->bits & f->access) == f->access)
		return pmap_fixup(f->vs->pmap, f->va, f->access) ?
		    0 :
		    try_again(f->txn);
	if (f->r->object != NULL && region_shared(f->r))
		return classic_file_fault(f, seen);
	if (!(seen->bits & PMAP_COW))
		return widen(f, seen, 0, f->bits);
	if (f->access == PMAP_W)
		return copy_on_write(f, seen);
	return widen(f, seen, 0, f->bits & ~PMAP_W);
}

static int
fault_empty(const struct fault *f, const struct pmap_leaf *seen)
{
	switch (f->r->source) {
	case VM_FILE:
		return classic_file_fault(f, seen);
	case VM_PHYS:
		return physical_fill(f);
	default:
		return f->r->store != NULL ? shared_fill(f) : zero_fill(f);
	}
}

int
classic_fault(struct vmspace *vs, const struct vm_fault *vf,
    struct vm_txn *txn)
{
	struct fault f = {
		.vs = vs,
		.r = region_find(vs, vf->va),
		.va = ROUND_DOWN(vf->va, PAGE_SIZE),
		.access = vf->access,
		.txn = txn,
	};
	struct pmap_leaf seen;

	if (f.r == NULL)
		return EFAULT;
	f.bits = classic_rights(vs, f.r, f.va);
	if ((f.bits & f.access) != f.access)
		return EACCES;
	/* What the hardware would set a moment later. */
	f.bits |= PMAP_ACCESSED | (f.access == PMAP_W ? PMAP_DIRTY : 0);

	switch (pmap_get(vs->pmap, f.va, &seen)) {
	case PMAP_EMPTY:
		return fault_empty(&f, &seen);
	case PMAP_LEAF:
	case PMAP_NOACCESS:
		return fault_present(&f, &seen);
	case PMAP_SOFT:
	case PMAP_TABLE:
		break;
	}
	panic("classic: software word 0x%lx without swap",
	    (unsigned long)seen.raw);
}

int
classic_pin(struct vmspace *vs, vaddr_t va, vm_prot_t access,
    struct vm_page **out, struct vm_txn *txn)
{
	struct vm_fault vf = { .va = va, .access = access };
	int error = classic_fault(vs, &vf, txn);
	struct region *r;

	if (error != 0)
		return error;
	if (pmap_get_pin(vs->pmap, va, access, out) == 0)
		return 0;
	/* Device memory has no struct vm_page to pin. */
	r = region_find(vs, va);
	if (r->source == VM_PHYS)
		return EFAULT;
	return try_again(txn); /* changed again in between */
}
