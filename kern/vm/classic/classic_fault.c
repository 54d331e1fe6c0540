/* SPDX-License-Identifier: MIT */
/*
 * classic_fault.c - a fault is a switch on the page-table entry.
 *
 * Path: vm_fault (vm/fault.c) -> HERE -> pmap_enter | pmap_change (vm/pmap.c).
 * Locks: the space shared, so other threads fault here too: each edit names the
 * entry that was seen, and EAGAIN means that somebody was faster.
 */
/*
 *	entry		access	region		what happens
 *	empty		any	private		zero-fill a new frame
 *	empty		any	shared		frame of the store, or a new one
 *	empty		any	physical, file	enter the frame; classic_file.c
 *	leaf, enough	any	any		spurious: fence here, retry (C9)
 *	leaf, COW	write	private		last owner: make writable
 *						else: copy, replace, flush
 *	leaf, narrower	any	shared file	classic_file.c
 *	(or no-access)	any	any other	widen to region and overlay
 *	software word	any	private		back from swap; classic_swap.c
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

static __slowpath int
enter_failed(paddr_t pa, int error, struct vm_txn *txn)
{
	page_drop(phys_to_page(pa));
	return error == EAGAIN ? try_again(txn) : error;
}

/* Enter frame @p pa where @p seen was; takes over one reference on success. */
static __always_inline int
enter(struct vmspace *vs, vaddr_t va, paddr_t pa, unsigned bits,
    const struct pmap_leaf *seen, struct vm_txn *txn)
{
	struct pmap_new nw = { .pa = pa, .bits = bits, .seen = seen };
	int error = pmap_enter(vs->pmap, va, &nw, &txn->tg);

	return likely(error == 0) ? 0 : enter_failed(pa, error, txn);
}

static __always_inline int
zero_fill(struct vmspace *vs, vaddr_t va, unsigned bits,
    const struct pmap_leaf *seen, struct vm_txn *txn)
{
	struct vm_page *pg = frame_alloc(FRAME_DEFAULT);
	paddr_t pa;

	if (pg == NULL)
		return ENOMEM;
	pa = page_to_phys(pg);
	page_zero(phys_to_virt(pa));
	counter_add(TS_zero_fills, 1);
	return enter(vs, va, pa, bits, seen, txn);
}

/* The store has no frame at @p off: a new one, or back from swap. */
static __attribute__((noinline)) int
store_fill(const struct fault *f, uint64_t off)
{
	struct pmap *table = store_of(f->r)->table;
	struct pmap_leaf leaf;
	struct pmap_new nw = { .bits = PMAP_R | PMAP_W, .seen = &leaf };
	struct vm_page *pg;
	int error;

	switch (pmap_get(table, off, &leaf)) {
	case PMAP_SOFT:
		return classic_swap_in(NULL, table, off, PMAP_R | PMAP_W,
		    &leaf, f->txn);
	case PMAP_EMPTY:
		break;
	default:
		return 0; /* somebody was faster */
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
	return 0;
}

static __attribute__((noinline)) int
shared_fill(const struct fault *f, const struct pmap_leaf *seen)
{
	uint64_t off = f->r->offset + (f->va - region_sva(f->r));
	struct pmap *table = store_of(f->r)->table;
	struct vm_page *pg;
	int error;

	/* The pin keeps the page from page-out until the leaf is there. */
	while (pmap_get_pin(table, off, PMAP_R, &pg) != 0) {
		error = store_fill(f, off);
		if (error != 0)
			return error;
	}
	page_hold(pg); /* the store keeps its own while the region exists */
	error = enter(f->vs, f->va, page_to_phys(pg), f->bits, seen, f->txn);
	page_unpin(pg, false);
	return error;
}

static __slowpath int
physical_fill(const struct fault *f, const struct pmap_leaf *seen)
{
	struct pmap_new nw = {
		.pa = f->r->offset + (f->va - region_sva(f->r)),
		.bits = f->bits,
		.seen = seen,
	};
	int error = pmap_enter(f->vs->pmap, f->va, &nw, &f->txn->tg);

	return error == EAGAIN ? try_again(f->txn) : error;
}

/* Give the leaf more bits in place. */
static int
widen(struct vmspace *vs, vaddr_t va, unsigned clear, unsigned set,
    const struct pmap_leaf *seen, struct vm_txn *txn)
{
	struct pmap_edit ed = { .clear = clear, .set = set, .seen = seen };

	return pmap_change(vs->pmap, va, &ed, &txn->tg) == 0 ? 0 :
							       try_again(txn);
}

static __attribute__((noinline)) int
copy(struct vmspace *vs, vaddr_t va, unsigned bits,
    const struct pmap_leaf *seen, struct vm_txn *txn)
{
	struct vm_page *pg = frame_alloc(FRAME_DEFAULT);
	paddr_t pa;
	int error;

	if (pg == NULL)
		return ENOMEM;
	pa = page_to_phys(pg);
	page_copy(phys_to_virt(pa), phys_to_virt(seen->pa));
	error = enter(vs, va, pa, bits, seen, txn);
	if (error != 0)
		return error;
	counter_add(TS_cow_copies, 1);
	/* Our reference goes when no CPU reads the old frame any more. */
	tlb_gather_page_first(&txn->tg, phys_to_page(seen->pa));
	return 0;
}

static __always_inline int
write_private(struct vmspace *vs, vaddr_t va, unsigned bits,
    const struct pmap_leaf *seen, struct vm_txn *txn)
{
	/* Alone with it: no other leaf, and no kernel access of a former
	 * sharer that would read what we write from now on. */
	if (__atomic_load_n(&phys_to_page(seen->pa)->holds,
		__ATOMIC_ACQUIRE) != 1)
		return copy(vs, va, bits, seen, txn);
	counter_add(TS_cow_reuses, 1);
	return widen(vs, va, PMAP_COW, bits, seen, txn);
}

static int
fault_empty(const struct fault *f, const struct pmap_leaf *seen)
{
	switch (f->r->source) {
	case VM_FILE:
		return classic_file_fault(f, seen);
	case VM_PHYS:
		return physical_fill(f, seen);
	default:
		return shared_fill(f, seen);
	}
}

/* All but the zero-fill and the copy. */
static __attribute__((noinline)) int
fault_other(const struct fault *f, const struct pmap_leaf *seen)
{
	if (seen->raw == 0)
		return fault_empty(f, seen);
	if (seen->kind == PMAP_SOFT)
		return classic_swap_in(classic_of(f->vs), f->vs->pmap, f->va,
		    f->bits, seen, f->txn);
	if (seen->kind == PMAP_LEAF && (seen->bits & f->access) == f->access)
		return pmap_fixup(f->vs->pmap, f->va, f->access) ?
		    0 :
		    try_again(f->txn);
	if (f->r->object != NULL && region_shared(f->r))
		return classic_file_fault(f, seen);
	/* COW stays, without W. */
	return widen(f->vs, f->va, seen->bits & PMAP_COW ? 0 : PMAP_COW,
	    f->bits, seen, f->txn);
}

int
classic_fault(struct vmspace *vs, const struct vm_fault *vf,
    struct vm_txn *txn)
{
	const struct region *r = region_find(vs, vf->va);
	vaddr_t va = ROUND_DOWN(vf->va, PAGE_SIZE);
	struct pmap_leaf seen;
	unsigned bits;

	if (r == NULL)
		return EFAULT;
	bits = region_rights(vs, r, va);
	if ((bits & vf->access) != vf->access)
		return EACCES;
	/* What the hardware would set a moment later. */
	bits |= PMAP_ACCESSED | (vf->access == PMAP_W ? PMAP_DIRTY : 0);

	pmap_get(vs->pmap, va, &seen);
	if (seen.raw == 0 && r->store == NULL && r->source == VM_ANON)
		return zero_fill(vs, va, bits, &seen, txn);
	if ((seen.bits & PMAP_COW) && vf->access == PMAP_W)
		return write_private(vs, va, bits, &seen, txn);
	return fault_other(
	    &(struct fault){ vs, r, va, vf->access, bits, txn }, &seen);
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
