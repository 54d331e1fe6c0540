/* SPDX-License-Identifier: MIT */
/*
 * classic.c - the classic design: the slots that work on ranges.
 *
 * Path: vm_map and friends (vm/space.c) -> HERE -> regions (region.c) and
 * leaves (pmap).  Faults: classic_fault.c.  Fork: classic_fork.c.
 * Locks: the space is locked exclusively by the caller.
 * Order inside an operation: allocate what may fail, then change regions, then
 * leaves; an error leaves everything as it was.
 */
#include "vm/classic/classic.h"

#include "abi/errno.h"
#include "mem/kmem.h"

static int
restart(struct vm_txn *txn)
{
	txn->wait.wq = NULL; /* flush, then call again */
	return VM_WAIT;
}

/* ---- spaces ---- */

static int
classic_as_init(struct vmspace *vs)
{
	struct classic_space *cs = kzalloc(sizeof(*cs));

	if (cs == NULL)
		return ENOMEM;
	region_map_init(&cs->regions);
	vs->regions = &cs->regions;
	vs->priv = cs;
	return 0;
}

static void
classic_as_fini(struct vmspace *vs)
{
	KASSERT(vs->regions->nregions == 0);
	KASSERT(classic_of(vs)->nswapped == 0);
	kfree(vs->priv, sizeof(struct classic_space));
}

static int
classic_as_clear(struct vmspace *vs, struct vm_txn *txn)
{
	struct region *r;

	while ((r = region_first(vs, 0)) != NULL) {
		int error = classic_clear_leaves(vs, r, region_sva(r), r->eva,
		    txn);

		if (error != 0)
			return error;
		region_remove(vs, r);
		region_free(r);
	}
	region_map_init(vs->regions);
	return 0;
}

/* ---- removing ---- */

int
classic_clear_leaves(struct vmspace *vs, const struct region *r, vaddr_t sva,
    vaddr_t eva, struct vm_txn *txn)
{
	bool counted = r->source != VM_PHYS; /* leaves hold references */

	if (pmap_remove(vs->pmap, sva, eva, counted, &txn->tg) != 0)
		return restart(txn);
	if (unlikely(classic_of(vs)->nswapped > 0))
		classic_swap_clear(classic_of(vs), vs->pmap, sva, eva);
	return 0;
}

/* Remove what is in the range. @pre no region crosses its ends */
static int
clear_range(struct vmspace *vs, vaddr_t sva, vaddr_t eva, struct vm_txn *txn)
{
	struct region *r = region_first(vs, sva), *next;

	for (; r != NULL && region_sva(r) < eva; r = next) {
		int error = classic_clear_leaves(vs, r, region_sva(r), r->eva,
		    txn);

		if (error != 0)
			return error;
		next = region_next(r);
		region_remove(vs, r);
		region_free(r);
	}
	region_made_room(vs, eva);
	return 0;
}

static int
classic_unmap(struct vmspace *vs, vaddr_t sva, vaddr_t eva,
    struct vm_txn *txn)
{
	const struct region *first = region_first(vs, sva);
	int error = 0;

	if (first == NULL || region_sva(first) >= eva)
		return 0;
	if (region_sva(first) != sva || first->eva != eva)
		error = region_split(vs, sva, eva);
	if (error == 0)
		error = clear_range(vs, sva, eva, txn);
	if (error == 0 && txn->tg.used) /* something was there */
		pmap_trim(vs->pmap, sva, eva, &txn->tg);
	return error;
}

/* ---- mapping ---- */

static int
classic_map(struct vmspace *vs, const struct vm_mapreq *rq, vaddr_t *out,
    struct vm_txn *txn)
{
	struct region *r;
	vaddr_t va;
	int error = region_create(vs, rq, store_create, &r);

	if (error != 0)
		return error;
	error = region_place(vs, rq, &va);
	if (error == EEXIST && !(rq->flags & VM_MAP_NOREPLACE))
		error = classic_unmap(vs, va, va + rq->size, txn);
	if (error != 0) {
		region_free(r);
		return error;
	}
	r->node.key = va;
	r->eva = va + rq->size;
	region_insert(vs, r);
	region_merge(vs, r);
	*out = va;
	return 0;
}

/* ---- protection ---- */

/* An overlay may cap each page differently; and W of a file's page is given by
 * a fault only, since that modifies it. */
static __slowpath void
protect_leaves(struct vmspace *vs, const struct region *r, vaddr_t sva,
    vaddr_t eva, struct vm_txn *txn)
{
	vaddr_t step = list_empty(&vs->overlays) ? eva - sva : PAGE_SIZE;

	for (vaddr_t va = sva; va < eva; va += step) {
		unsigned rights = region_rights(vs, r, va);

		pmap_protect(vs->pmap, va, va + step, PMAP_RWX & ~rights,
		    r->object != NULL ? rights & ~PMAP_W : rights, &txn->tg);
	}
}

/* Part of @p r, or all of it, gets @p prot. */
static __always_inline void
protect_region(struct vmspace *vs, struct region *r, vaddr_t sva, vaddr_t eva,
    vm_prot_t prot, struct vm_txn *txn)
{
	if (r->prot != prot) {
		r->prot = (uint8_t)prot;
		r->writable |= (prot & VM_PROT_WRITE) != 0;
		if (likely(list_empty(&vs->overlays) && r->object == NULL))
			pmap_protect(vs->pmap, sva, eva, PMAP_RWX & ~prot,
			    prot, &txn->tg);
		else
			protect_leaves(vs, r, sva, eva, txn);
	}
	region_merge(vs, r);
}

/* Parts of regions, or several. */
static __attribute__((noinline)) int
protect_parts(struct vmspace *vs, vaddr_t sva, vaddr_t eva, vm_prot_t prot,
    struct vm_txn *txn)
{
	int error = region_check_protect(region_find(vs, sva), eva, prot);

	if (error == 0)
		error = region_split(vs, sva, eva);
	for (vaddr_t va = sva; error == 0 && va < eva;) {
		struct region *r = region_find(vs, va);
		vaddr_t end = MIN(r->eva, eva);

		protect_region(vs, r, va, end, prot, txn);
		va = end;
	}
	return error;
}

static int
classic_protect(struct vmspace *vs, vaddr_t sva, vaddr_t eva, vm_prot_t prot,
    struct vm_txn *txn)
{
	struct region *r = region_find(vs, sva);

	if (unlikely(r == NULL || region_sva(r) != sva || r->eva != eva))
		return protect_parts(vs, sva, eva, prot, txn);
	if (prot & ~(vm_prot_t)r->maxprot)
		return EACCES;
	protect_region(vs, r, sva, eva, prot, txn);
	return 0;
}

/* ---- madvise, msync ---- */

struct dirty_arg {
	struct vmspace *vs;
	struct tlb_gather *tg;
};

/* The leaf goes, "was written" stays (rule 6).  W goes with D, so that no CPU
 * can set D again in between. */
static int
remember_dirty(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	const struct dirty_arg *da = arg;

	(void)leaf;
	if (pmap_cursor_change(c, PMAP_W | PMAP_DIRTY, 0, da->tg) &
	    PMAP_DIRTY)
		vm_overlay_dirtied(da->vs, c->va);
	return 0;
}

static int
classic_sync(struct vmspace *vs, vaddr_t sva, vaddr_t eva, unsigned flags,
    struct vm_txn *txn)
{
	struct dirty_arg da = { vs, &txn->tg };
	struct region *r;
	int error;

	if (!region_covers(vs, sva, eva))
		return ENOMEM;
	if (!(flags & VM_SYNC_DISCARD))
		return 0; /* files are written through their objects */
	for (r = region_first(vs, sva); r != NULL && region_sva(r) < eva;
	     r = region_next(r)) {
		vaddr_t from = MAX(sva, region_sva(r)), to = MIN(eva, r->eva);

		if (r->source == VM_PHYS)
			return EINVAL;
		if (region_shared(r) && !list_empty(&vs->overlays))
			pmap_scan(vs->pmap, from, to, remember_dirty, &da);
		error = classic_clear_leaves(vs, r, from, to, txn);
		if (error != 0)
			return error;
		/* Private contents change to zeroes: that is a write. */
		for (vaddr_t va = from; !list_empty(&vs->overlays) &&
		     !region_shared(r) && va < to;
		     va += PAGE_SIZE)
			vm_overlay_dirtied(vs, va);
	}
	return 0;
}

/* ---- Appel-Li ---- */

struct page_arg {
	struct tlb_gather *tg;
	vaddr_t sva;
	uint64_t *bitmap;
};

static int
classic_prot_pages(struct vmspace *vs, const struct page_op *op, size_t n,
    struct vm_txn *txn)
{
	/* A lifted cap needs no work: the next fault widens the leaf (C9). */
	for (size_t i = 0; i < n; i++)
		if (op[i].cap != VM_PROT_ALL)
			pmap_protect(vs->pmap, op[i].sva, op[i].eva,
			    PMAP_RWX & ~op[i].cap, 0, &txn->tg);
	return 0;
}

static int
take_dirty(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	const struct page_arg *pa = arg;
	size_t i = (c->va - pa->sva) >> PAGE_SHIFT;
	unsigned bits = leaf->bits;

	if (leaf->kind == PMAP_SOFT) {
		bits = swap_dirty(leaf->soft) ? PMAP_DIRTY : 0;
		pmap_cursor_clear(c, swap_word(swap_slot(leaf->soft), false),
		    pa->tg);
		goto out;
	}
	/* While the kernel writes through a pin the page stays dirty: what it
	 * has yet to write would not set D again. */
	if (!phys_is_ram(leaf->pa) ||
	    !page_being_written(phys_to_page(leaf->pa)))
		bits = pmap_cursor_change(c, PMAP_DIRTY, 0, pa->tg);
out:
	if (bits & PMAP_DIRTY)
		pa->bitmap[i / 64] |= (uint64_t)1 << (i % 64);
	return 0;
}

static int
classic_dirty(struct vmspace *vs, vaddr_t sva, vaddr_t eva, uint64_t *bitmap,
    struct vm_txn *txn)
{
	struct page_arg pa = { .tg = &txn->tg, .sva = sva, .bitmap = bitmap };

	return pmap_scan(vs->pmap, sva, eva, take_dirty, &pa);
}

/* ---- listing ---- */

static int
classic_region(struct vmspace *vs, vaddr_t va, struct vm_region_info *info)
{
	const struct region *r = region_first(vs, va);

	if (r == NULL)
		return ENOENT;
	*info = (struct vm_region_info){
		.sva = region_sva(r),
		.eva = r->eva,
		.prot = r->prot,
		.maxprot = r->maxprot,
		.flags = r->flags,
		.source = r->source,
		.object = r->object,
		.offset = r->offset,
	};
	return 0;
}

static bool
classic_resident(struct vmspace *vs, vaddr_t va)
{
	struct pmap_leaf leaf;

	pmap_get(vs->pmap, va, &leaf);
	return leaf.kind == PMAP_LEAF || leaf.kind == PMAP_NOACCESS;
}

const struct vm_ops classic_ops = {
	.name = "classic",
	.pmap_flags = 0,
	.init = region_init,
	.as_init = classic_as_init,
	.as_fork = classic_fork,
	.as_clear = classic_as_clear,
	.as_fini = classic_as_fini,
	.map = classic_map,
	.unmap = classic_unmap,
	.protect = classic_protect,
	.fault = classic_fault,
	.pin = classic_pin,
	.sync = classic_sync,
	.prot_pages = classic_prot_pages,
	.dirty = classic_dirty,
	.region = classic_region,
	.resident = classic_resident,
	.pg_harvest = classic_pg_harvest,
	.pg_revoke = classic_pg_revoke,
	.pg_evict = classic_pg_evict,
	.obj_revoke = classic_obj_revoke,
	.pageout = classic_pageout,
	.check = classic_check,
	.count_refs = classic_count_refs,
	.dump = classic_dump,
};
