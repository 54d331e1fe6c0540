/* SPDX-License-Identifier: MIT */
/*
 * root_pager.c - the root pager's requests: map, unmap, protect, faults.
 *
 * Path: space.c, l4_fault.c -> HERE -> regions, pagesets; l4_map | l4_unmap.
 * Locks: see root_pager.h.
 * Order inside an operation: allocate what may fail, then change regions, then
 * take mappings away; an error leaves everything as it was.
 *
 *	fault message about	what the pager does
 *	a device		map it
 *	a file			root_file.c, unless there is a private copy
 *	a new page		map a frame from sigma0, zeroed
 *	known, not shared	map it with all rights; also a dataspace's
 *	shared (SLOT_COW)	read: without W; write: map a copy, unless alone
 *	paged out (SLOT_SWAP)	root_swap.c
 */
#include "abi/errno.h"
#include "mem/kmem.h"
#include "vm/l4/root_pager.h"

#include "vm/l4/no_pmap.h"

/* ---- spaces ---- */

int
root_as_init(struct vmspace *vs)
{
	static uint64_t last_id; /* [a] */
	struct root_client *rc = kzalloc(sizeof(*rc));

	if (rc == NULL)
		return ENOMEM;
	rc->id = __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
	l4_space_init(&rc->space);
	pageset_init(&rc->pages);
	region_map_init(&rc->regions);
	vs->regions = &rc->regions;
	vs->priv = &rc->space;
	return 0;
}

void
root_as_fini(struct vmspace *vs)
{
	KASSERT(vs->regions->nregions == 0 && l4_of(vs)->nnodes == 0);
	kfree(client_of(vs), sizeof(struct root_client));
}

int
root_as_clear(struct vmspace *vs, struct vm_txn *txn)
{
	/* Also what others have mapped to it, outside of all regions. */
	int error = root_flush(vs, USER_MIN, USER_MAX, VM_PROT_ALL, 0, txn);
	struct region *r;

	if (error != 0)
		return error;
	pageset_drop(&client_of(vs)->pages, 0, UINT64_MAX);
	while ((r = region_first(vs, 0)) != NULL) {
		region_remove(vs, r);
		region_free(r);
	}
	region_map_init(vs->regions);
	return 0;
}

/* ---- removing ---- */

int
root_flush(struct vmspace *vs, vaddr_t sva, vaddr_t eva, unsigned rights,
    unsigned flags, struct vm_txn *txn)
{
	struct l4_unmap u = { .space = vs, .sva = sva, .eva = eva,
		.rights = rights,
		.flags = flags | L4_UNMAP_SELF | L4_UNMAP_OWNER };

	return l4_unmap(&u, &txn->tg) == 0 ? 0 : root_restart(txn);
}

/* Forget the contents too.  The mappings are gone, or their frames wait in the
 * gather. */
static void
drop_pages(struct vmspace *vs, const struct region *r, vaddr_t sva, vaddr_t eva)
{
	if (!region_shared(r))
		pageset_drop(&client_of(vs)->pages, sva >> PAGE_SHIFT,
		    eva >> PAGE_SHIFT);
}

/* Remove what is in the range. @pre no region crosses its ends */
static int
clear_range(struct vmspace *vs, vaddr_t sva, vaddr_t eva, struct vm_txn *txn)
{
	struct region *r = region_first(vs, sva), *next;
	int error = root_flush(vs, sva, eva, VM_PROT_ALL, L4_UNMAP_TRIM, txn);

	if (error != 0)
		return error;
	for (; r != NULL && region_sva(r) < eva; r = next) {
		drop_pages(vs, r, region_sva(r), r->eva);
		next = region_next(r);
		region_remove(vs, r);
		region_free(r);
	}
	region_made_room(vs, eva);
	return 0;
}

int
root_unmap(struct vmspace *vs, vaddr_t sva, vaddr_t eva, struct vm_txn *txn)
{
	const struct region *first = region_first(vs, sva);
	int error = 0;

	if (first == NULL || region_sva(first) >= eva)
		return 0;
	if (region_sva(first) != sva || first->eva != eva)
		error = region_split(vs, sva, eva);
	return error == 0 ? clear_range(vs, sva, eva, txn) : error;
}

/* ---- mapping ---- */

int
root_map(struct vmspace *vs, const struct vm_mapreq *rq, vaddr_t *out,
    struct vm_txn *txn)
{
	struct region *r;
	vaddr_t va;
	int error = region_create(vs, rq, dataspace_create, &r);

	if (error != 0)
		return error;
	error = region_place(vs, rq, &va);
	if (error == EEXIST && !(rq->flags & VM_MAP_NOREPLACE))
		error = root_unmap(vs, va, va + rq->size, txn);
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

/* Part of @p r, or all of it, gets @p prot.  Rights that are new come with the
 * next fault: the pager is asked again. */
static int
protect_region(struct vmspace *vs, struct region *r, vaddr_t sva, vaddr_t eva,
    vm_prot_t prot, struct vm_txn *txn)
{
	if (r->prot & ~prot) {
		int error = root_flush(vs, sva, eva,
		    VM_PROT_ALL & ~pmap_rights(prot), 0, txn);

		if (error != 0)
			return error;
	}
	r->prot = (uint8_t)prot;
	region_merge(vs, r);
	return 0;
}

int
root_protect(struct vmspace *vs, vaddr_t sva, vaddr_t eva, vm_prot_t prot,
    struct vm_txn *txn)
{
	struct region *r = region_find(vs, sva);
	int error = region_check_protect(r, eva, prot);

	if (error != 0)
		return error;
	if (likely(region_sva(r) == sva && r->eva == eva))
		return protect_region(vs, r, sva, eva, prot, txn);
	error = region_split(vs, sva, eva);
	for (vaddr_t va = sva; error == 0 && va < eva;) {
		vaddr_t end;

		r = region_find(vs, va);
		end = MIN(r->eva, eva);
		error = protect_region(vs, r, va, end, prot, txn);
		va = end;
	}
	return error;
}

/* ---- madvise, Appel-Li, listing ---- */

int
root_sync(struct vmspace *vs, vaddr_t sva, vaddr_t eva, unsigned flags,
    struct vm_txn *txn)
{
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
		error = root_flush(vs, from, to, VM_PROT_ALL, 0, txn);
		if (error != 0)
			return error;
		drop_pages(vs, r, from, to);
		/* Private contents change to zeroes: that is a write. */
		for (vaddr_t va = from; !list_empty(&vs->overlays) &&
		     !region_shared(r) && va < to;
		     va += PAGE_SIZE)
			vm_overlay_dirtied(vs, va);
	}
	return 0;
}

int
root_prot_pages(struct vmspace *vs, const struct page_op *op, size_t n,
    struct vm_txn *txn)
{
	int error = 0;

	/* A lifted cap needs no work: the next fault asks again. */
	for (size_t i = 0; error == 0 && i < n; i++)
		if (op[i].cap != VM_PROT_ALL)
			error = root_flush(vs, op[i].sva, op[i].eva,
			    VM_PROT_ALL & ~pmap_rights(op[i].cap), 0, txn);
	return error;
}

/* The page that the pager has in memory for @p va, or NULL.  With @p dirty its
 * SLOT_DIRTY moves there. */
static struct vm_page *
page_at(struct vmspace *vs, vaddr_t va, bool *dirty)
{
	const struct region *r = region_find(vs, va);
	struct vm_page *pg = NULL;
	struct pageset *ps;
	uintptr_t *slot;

	if (r == NULL)
		return NULL;
	ps = region_pages(vs, r);
	spin_lock(&ps->lock);
	slot = pageset_find(ps, region_index(r, va));
	if (slot != NULL && dirty != NULL) {
		*dirty = *slot & SLOT_DIRTY;
		*slot &= ~SLOT_DIRTY;
	}
	if (slot != NULL && !slot_swapped(*slot))
		pg = slot_page(*slot);
	spin_unlock(&ps->lock);
	return pg;
}

bool
root_resident(struct vmspace *vs, vaddr_t va)
{
	return page_at(vs, va, NULL) != NULL;
}

/* What was written before its mapping went to page-out.  And a page that the
 * kernel is writing is so without a mapping too: a private one is written by
 * this space; a shared one if it was when its mapping went. */
static void
keep_dirty(struct vmspace *vs, vaddr_t va, uint64_t *word, uint64_t bit)
{
	bool dirty = false;
	const struct vm_page *pg = page_at(vs, va, &dirty);

	if (dirty)
		*word |= bit;
	if (pg == NULL || !page_being_written(pg) || l4_has(vs, va, pg))
		return; /* l4_unmap() kept it as written */
	if (!region_shared(region_find(vs, va)))
		*word |= bit;
	else if (*word & bit)
		vm_overlay_dirtied(vs, va);
}

int
root_dirty(struct vmspace *vs, vaddr_t sva, vaddr_t eva, uint64_t *bitmap,
    struct vm_txn *txn)
{
	struct l4_unmap u = { .space = vs, .sva = sva, .eva = eva,
		.flags = L4_UNMAP_SELF | L4_UNMAP_RESET, .written = bitmap,
		.base = sva };

	if (l4_unmap(&u, &txn->tg) != 0)
		return root_restart(txn);
	for (vaddr_t va = sva; va < eva; va += PAGE_SIZE)
		keep_dirty(vs, va, &bitmap[(va - sva) >> PAGE_SHIFT >> 6],
		    (uint64_t)1 << ((va - sva) >> PAGE_SHIFT & 63));
	return 0;
}

int
root_region(struct vmspace *vs, vaddr_t va, struct vm_region_info *info)
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

/* ---- fault messages ---- */

int
root_answer(const struct root_fault *f, struct vm_page *pg, unsigned rights)
{
	struct l4_map m = { .to = f->vs, .src = page_to_phys(pg),
		.dst = f->va, .rights = rights, .touched = f->touched,
		.how = L4_MAP };
	int error = l4_map(&m, &f->txn->tg);

	if (likely(error == 0))
		return 0;
	if (error == EMLINK)
		return EFAULT; /* its mappings are used up: no use in waiting */
	return error == EAGAIN ? root_restart(f->txn) : error;
}

static __slowpath int
answer_device(const struct root_fault *f)
{
	struct l4_map m = { .to = f->vs, .dst = f->va, .rights = f->rights,
		.src = f->r->offset + (f->va - region_sva(f->r)),
		.touched = f->touched };
	int error = l4_map_device(&m, &f->txn->tg);

	if (error == EBUSY) /* somebody's mapping stands there */
		error = root_flush(f->vs, f->va, f->va + PAGE_SIZE,
		    VM_PROT_ALL, 0, f->txn);
	else if (error == 0)
		return 0;
	return error == EAGAIN || error == 0 ? root_restart(f->txn) : error;
}

static inline struct vm_page *
zero_page(void)
{
	struct vm_page *pg = sigma0_alloc();

	if (likely(pg != NULL))
		page_zero(page_to_virt(pg));
	return pg;
}

/* Map a copy over the page that others may have too. @locks the set */
static __attribute__((noinline)) int
answer_copy(const struct root_fault *f, uintptr_t *slot)
{
	struct vm_page *old = slot_page(*slot), *pg = sigma0_alloc();
	int error;

	if (pg == NULL)
		return ENOMEM;
	page_copy(page_to_virt(pg), page_to_virt(old));
	error = root_answer(f, pg, f->rights);
	if (error != 0) {
		page_drop(pg);
		return error;
	}
	counter_add(TS_cow_copies, 1);
	*slot = (uintptr_t)pg;
	page_drop(old); /* if it was mapped here, the gather has it still */
	return 0;
}

int
root_answer_slot(const struct root_fault *f, uintptr_t *slot)
{
	struct vm_page *pg = slot_page(*slot);
	uint64_t mine;

	if (!(*slot & SLOT_COW))
		return root_answer(f, pg, f->rights);
	if (f->access != VM_PROT_WRITE)
		return root_answer(f, pg, f->rights & ~VM_PROT_WRITE);
	/* Alone with it: no other set, no mapping but ours, and no kernel
	 * access of a former sharer that would read what we write. */
	mine = 1 + l4_has(f->vs, f->va, pg);
	if (__atomic_load_n(&pg->holds, __ATOMIC_ACQUIRE) != mine)
		return answer_copy(f, slot);
	counter_add(TS_cow_reuses, 1);
	*slot &= ~SLOT_COW;
	return root_answer(f, pg, f->rights);
}

static int
answer_zero(const struct root_fault *f)
{
	struct vm_page *pg = zero_page();
	int error;

	if (pg == NULL)
		return ENOMEM;
	spin_lock(&f->pages->lock);
	if (unlikely(pageset_find(f->pages, f->index) != NULL))
		error = root_restart(f->txn); /* another thread was faster */
	else
		error = pageset_add(f->pages, f->index, (uintptr_t)pg);
	if (likely(error == 0)) {
		counter_add(TS_zero_fills, 1);
		error = root_answer(f, pg, f->rights);
		pg = NULL; /* the set has it, whatever the answer */
	}
	spin_unlock(&f->pages->lock);
	if (pg != NULL)
		page_drop(pg);
	return error;
}

/* The set stays locked over the mapping: nobody pages out meanwhile. */
static inline int
answer_anonymous(const struct root_fault *f)
{
	uintptr_t *slot, word = 0;
	int error = 0;

	spin_lock(&f->pages->lock);
	slot = pageset_find(f->pages, f->index);
	if (slot != NULL) {
		word = *slot;
		if (likely(!slot_swapped(word)))
			error = root_answer_slot(f, slot);
	}
	spin_unlock(&f->pages->lock);
	if (unlikely(slot_swapped(word)))
		return root_swap_in(f);
	if (word != 0)
		return error;
	return f->r->object != NULL ? root_file_fault(f) : answer_zero(f);
}

int
root_fault(struct vmspace *vs, const struct vm_fault *vf, struct vm_txn *txn)
{
	struct root_fault f = { .vs = vs, .r = region_find(vs, vf->va),
		.va = ROUND_DOWN(vf->va, PAGE_SIZE), .access = vf->access,
		.txn = txn };

	if (f.r == NULL)
		return EFAULT;
	f.rights = region_rights(vs, f.r, f.va);
	if ((f.rights & vf->access) != vf->access)
		return EACCES;
	/* What the hardware would set a moment later. */
	f.touched = L4_REFERENCED |
	    (vf->access == VM_PROT_WRITE ? L4_WRITTEN : 0);
	f.pages = region_pages(vs, f.r);
	f.index = region_index(f.r, f.va);
	if (likely(f.r->source == VM_ANON))
		return answer_anonymous(&f);
	if (f.r->source == VM_PHYS)
		return answer_device(&f);
	return region_shared(f.r) ? root_file_fault(&f) : answer_anonymous(&f);
}

/* ---- invariants ---- */

void
root_count_refs(struct vmspace *vs, void (*count)(struct vm_page *, void *),
    void *arg)
{
	if (vs != NULL)
		pageset_count(&client_of(vs)->pages, count, arg);
	else
		dataspace_count_all(count, arg);
}
