/* SPDX-License-Identifier: MIT */
/*
 * mach.c - the Mach design: the slots that work on ranges.
 *
 * Path: vm_map and friends (vm/space.c) -> HERE -> entries (vm_map.c), objects
 * (mach_object.c) and leaves (mach_pv.c).  Faults: mach_fault.c.
 * Locks: the space is locked exclusively by the caller.
 * Order inside an operation: allocate what may fail, then change entries, then
 * leaves; an error leaves everything as it was.
 */
#include "abi/errno.h"
#include "mem/kmem.h"
#include "vm/mach/mach_page.h"

/* ---- spaces ---- */

static void
mach_init(void)
{
	vm_map_setup();
	mach_object_setup();
	pager_setup();
	if (vm_resident_setup() != 0 || pv_setup() != 0 ||
	    pageout_setup() != 0)
		panic("mach: no memory for the tables of pages");
}

static int
mach_as_init(struct vmspace *vs)
{
	struct vm_map *map = kzalloc(sizeof(*map));

	if (map == NULL)
		return ENOMEM;
	spin_init(&map->lock, RANK_MAP, "vm_map");
	list_init(&map->entries);
	map->free_hint = VM_MAP_TOP;
	vs->priv = map;
	return 0;
}

static void
mach_as_fini(struct vmspace *vs)
{
	KASSERT(vm_map_of(vs)->nentries == 0);
	kfree(vs->priv, sizeof(struct vm_map));
}

/* ---- removing ---- */

/* The pages of an entry that nobody else can see; its leaves are gone. */
static int
free_pages(struct vm_map_entry *e, struct vm_txn *txn)
{
	struct mach_object *o = e->object;
	int error = 0;

	if (o == NULL || mach_object_refs(o) == 1)
		return 0; /* goes as a whole */
	spin_lock(&o->lock);
	if (o->one_mapping)
		error = mach_object_page_remove(o, e->offset,
		    e->offset + entry_npages(e), txn);
	spin_unlock(&o->lock);
	return error;
}

int
mach_entry_empty(struct vmspace *vs, struct vm_map_entry *e,
    struct vm_txn *txn)
{
	int error = pv_remove_range(vs, entry_sva(e), e->eva, txn);

	if (error != 0)
		return error;
	/* After the leaves, which a truncation must find; before the object,
	 * of which it must not find one half. */
	vm_map_leave_file(e);
	error = free_pages(e, txn);
	return error != 0 ? error : mach_object_deallocate(e, txn);
}

static int
delete_entry(struct vmspace *vs, struct vm_map_entry *e, struct vm_txn *txn)
{
	int error = mach_entry_empty(vs, e, txn);

	if (error != 0)
		return error;
	vm_map_unlink(vs, e);
	vm_map_entry_free(e);
	return 0;
}

static int
mach_as_clear(struct vmspace *vs, struct vm_txn *txn)
{
	struct vm_map *map = vm_map_of(vs);
	struct vm_map_entry *e;

	while ((e = vm_map_first(map, 0)) != NULL) {
		int error = delete_entry(vs, e, txn);

		if (error != 0)
			return error;
	}
	map->free_hint = VM_MAP_TOP;
	return 0;
}

/* Remove what is in the range. @pre no entry crosses its ends */
static int
delete_range(struct vmspace *vs, vaddr_t sva, vaddr_t eva, struct vm_txn *txn)
{
	struct vm_map *map = vm_map_of(vs);
	struct vm_map_entry *e = vm_map_first(map, sva), *next;

	for (; e != NULL && entry_sva(e) < eva; e = next) {
		int error;

		next = vm_map_next(map, e);
		error = delete_entry(vs, e, txn);
		if (error != 0)
			return error;
	}
	if (eva > map->free_hint && eva <= VM_MAP_TOP)
		map->free_hint = eva;
	return 0;
}

static int
mach_unmap(struct vmspace *vs, vaddr_t sva, vaddr_t eva, struct vm_txn *txn)
{
	const struct vm_map_entry *first = vm_map_first(vm_map_of(vs), sva);
	int error = 0;

	if (first == NULL || entry_sva(first) >= eva)
		return 0;
	if (entry_sva(first) != sva || first->eva != eva)
		error = vm_map_clip(vs, sva, eva);
	if (error == 0)
		error = delete_range(vs, sva, eva, txn);
	if (error == 0 && txn->tg.used) /* something was there */
		pmap_trim(vs->pmap, sva, eva, &txn->tg);
	return error;
}

/* ---- mapping ---- */

/* The memory of a new entry from that at another place. */
static int
alias_source(struct vmspace *vs, const struct vm_mapreq *rq,
    struct vm_map_entry *e)
{
	const struct vm_map_entry *from =
	    vm_map_lookup(vm_map_of(vs), rq->alias_va);

	if (from == NULL || from->source != VM_ANON || !entry_shared(from) ||
	    rq->size > from->eva - rq->alias_va)
		return EINVAL;
	if (rq->maxprot & ~(vm_prot_t)from->maxprot)
		return EACCES;
	mach_object_reference(from->object);
	e->object = from->object;
	e->offset = entry_index(from, rq->alias_va);
	e->flags |= VM_MAP_SHARED;
	e->inheritance = VM_INHERIT_SHARE;
	return 0;
}

/* Fill in where the pages of a new entry come from. */
static int
find_source(struct vmspace *vs, const struct vm_mapreq *rq,
    struct vm_map_entry *e)
{
	switch (rq->source) {
	case VM_PHYS:
		e->source = VM_PHYS;
		e->source_offset = rq->pa;
		return 0;
	case VM_ALIAS:
		return alias_source(vs, rq, e);
	case VM_ANON:
		if (!(rq->flags & VM_MAP_SHARED))
			return 0;
		e->object = mach_object_create(rq->size >> PAGE_SHIFT);
		if (e->object == NULL)
			return ENOMEM;
		e->object->one_mapping = false;
		return 0;
	case VM_FILE:
		e->source = VM_FILE;
		e->source_offset = rq->offset;
		e->vnode = mach_object_of_file(rq->object);
		if (e->vnode == NULL)
			return ENOMEM;
		mach_object_reference(e->vnode);
		e->object = e->vnode;
		e->offset = rq->offset >> PAGE_SHIFT;
		e->needs_copy = !(rq->flags & VM_MAP_SHARED);
		return 0;
	}
	return EINVAL;
}

/* Choose or clear the place. */
static int
find_place(struct vmspace *vs, const struct vm_mapreq *rq, vaddr_t *va,
    struct vm_txn *txn)
{
	const struct vm_map_entry *e;

	if (!(rq->flags & VM_MAP_FIXED))
		return vm_map_find_space(vs, rq->va, rq->size, va);
	*va = rq->va;
	e = vm_map_first(vm_map_of(vs), rq->va);
	if (e == NULL || entry_sva(e) >= rq->va + rq->size)
		return 0;
	if (rq->flags & VM_MAP_NOREPLACE)
		return EEXIST;
	return mach_unmap(vs, rq->va, rq->va + rq->size, txn);
}

/* RLIMIT_AS: what FIXED replaces does not count twice. */
static bool
within_limit(struct vmspace *vs, const struct vm_mapreq *rq)
{
	size_t after = vs->size_bytes + rq->size;
	vaddr_t eva = rq->va + rq->size;
	struct vm_map *map = vm_map_of(vs);
	const struct vm_map_entry *e;

	if (rq->flags & VM_MAP_FIXED)
		for (e = vm_map_first(map, rq->va);
		     e != NULL && entry_sva(e) < eva; e = vm_map_next(map, e))
			after -= MIN(e->eva, eva) - MAX(entry_sva(e), rq->va);
	return after <= vs->limit_bytes;
}

/* An entry for @p rq, in no map yet. */
static int
make_entry(struct vmspace *vs, const struct vm_mapreq *rq,
    struct vm_map_entry **out)
{
	const struct vm_map_entry template = {
		.prot = (uint8_t)rq->prot,
		.maxprot = (uint8_t)rq->maxprot,
		.source = VM_ANON,
		.flags = (uint8_t)(rq->flags &
		    (VM_MAP_SHARED | VM_MAP_STACK | VM_MAP_HEAP)),
		.inheritance = rq->flags & VM_MAP_SHARED ? VM_INHERIT_SHARE :
							   VM_INHERIT_COPY,
	};
	struct vm_map_entry *e = vm_map_entry_copy(&template);
	int error;

	if (e == NULL)
		return ENOMEM;
	error = find_source(vs, rq, e);
	if (error != 0) {
		vm_map_entry_free(e);
		return error;
	}
	*out = e;
	return 0;
}

static int
mach_map(struct vmspace *vs, const struct vm_mapreq *rq, vaddr_t *out,
    struct vm_txn *txn)
{
	struct vm_map_entry *e;
	vaddr_t va;
	int error;

	if (vm_map_of(vs)->nentries >= VM_MAP_ENTRIES_MAX ||
	    !within_limit(vs, rq))
		return ENOMEM;
	error = make_entry(vs, rq, &e);
	if (error != 0)
		return error;
	error = find_place(vs, rq, &va, txn);
	if (error != 0) {
		/* Nobody has touched its object: nothing is in the way. */
		KASSERT_ALWAYS(mach_object_deallocate(e, txn) == 0);
		vm_map_entry_free(e);
		return error;
	}
	e->node.key = va;
	e->eva = va + rq->size;
	vm_map_link(vs, e);
	vm_map_simplify(vs, e);
	*out = va;
	return 0;
}

/* ---- protection ---- */

/* The leaves of one range get the rights that the entry and a cap allow.  W is
 * given by a fault only, which knows whose page it is. */
static void
protect_leaves(struct vmspace *vs, const struct vm_map_entry *e, vaddr_t sva,
    vaddr_t eva, struct vm_txn *txn)
{
	unsigned rights = e->prot;

	if (likely(list_empty(&vs->overlays))) {
		pmap_protect(vs->pmap, sva, eva, PMAP_RWX & ~rights,
		    rights & ~PMAP_W, &txn->tg);
		return;
	}
	for (vaddr_t va = sva; va < eva; va += PAGE_SIZE) {
		rights = mach_rights(vs, e, va);
		pmap_protect(vs->pmap, va, va + PAGE_SIZE, PMAP_RWX & ~rights,
		    rights & ~PMAP_W, &txn->tg);
	}
}

/* All of it mapped, and the rights within each maximum? */
static int
check_protect(struct vm_map *map, const struct vm_map_entry *e, vaddr_t eva,
    vm_prot_t prot)
{
	bool forbidden = false;

	for (;;) {
		vaddr_t end;

		if (e == NULL)
			return ENOMEM;
		forbidden |= (prot & ~(vm_prot_t)e->maxprot) != 0;
		end = e->eva;
		if (end >= eva)
			return forbidden ? EACCES : 0;
		e = vm_map_next(map, e);
		if (e != NULL && entry_sva(e) != end)
			return ENOMEM;
	}
}

/* All of @p e, or the part of it in the range if its rights stay. */
static void
protect_entry(struct vmspace *vs, struct vm_map_entry *e, vm_prot_t prot,
    struct vm_txn *txn)
{
	if (e->prot != prot) {
		e->prot = (uint8_t)prot;
		protect_leaves(vs, e, entry_sva(e), e->eva, txn);
	}
	vm_map_simplify(vs, e);
}

static int
mach_protect(struct vmspace *vs, vaddr_t sva, vaddr_t eva, vm_prot_t prot,
    struct vm_txn *txn)
{
	struct vm_map *map = vm_map_of(vs);
	struct vm_map_entry *e = vm_map_lookup(map, sva);
	int error = check_protect(map, e, eva, prot);

	if (error != 0)
		return error;
	if (entry_sva(e) != sva || e->eva != eva)
		error = vm_map_clip(vs, sva, eva);
	for (vaddr_t va = sva; error == 0 && va < eva;) {
		vaddr_t end;

		e = vm_map_lookup(map, va);
		end = e->eva; /* it may become part of another */
		protect_entry(vs, e, prot, txn);
		va = end;
	}
	return error;
}

/* ---- madvise, msync ---- */

/* The private contents of @p e are forgotten. @pre no leaf shows them */
static int
discard_object(struct vm_map_entry *e, struct vm_txn *txn)
{
	int error;

	vm_map_leave_file(e); /* a truncation must not find half of it */
	error = mach_object_deallocate(e, txn);
	if (error != 0)
		return error;
	e->needs_copy = false;
	e->offset = 0;
	if (e->vnode != NULL) { /* back to what the file has */
		mach_object_reference(e->vnode);
		e->object = e->vnode;
		e->offset = e->source_offset >> PAGE_SHIFT;
		e->needs_copy = true;
	}
	vm_map_join_file(e);
	return 0;
}

/* Only this entry sees the pages, and nothing is behind them. */
static bool
is_alone(const struct vm_map_entry *e)
{
	return e->object == NULL ||
	    (e->object->one_mapping && !e->needs_copy &&
		!mach_object_shadows(e->object));
}

static int
discard(struct vmspace *vs, struct vm_map_entry *e, vaddr_t sva, vaddr_t eva,
    struct vm_txn *txn)
{
	struct mach_object *o = e->object;
	int error = pv_remove_range(vs, sva, eva, txn);

	if (error != 0 || entry_shared(e) || o == NULL)
		return error;
	if (!is_alone(e))
		return discard_object(e, txn);
	spin_lock(&o->lock);
	error = mach_object_page_remove(o, entry_index(e, sva),
	    entry_index(e, eva), txn);
	spin_unlock(&o->lock);
	return error;
}

/* Cut out what has to be replaced as a whole. */
static int
clip_for_discard(struct vmspace *vs, vaddr_t sva, vaddr_t eva)
{
	struct vm_map *map = vm_map_of(vs);

	for (const struct vm_map_entry *e = vm_map_first(map, sva);
	     e != NULL && entry_sva(e) < eva; e = vm_map_next(map, e)) {
		if (e->source == VM_PHYS)
			return EINVAL;
		if (!entry_shared(e) && !is_alone(e))
			return vm_map_clip(vs, sva, eva);
	}
	return 0;
}

static int
mach_sync(struct vmspace *vs, vaddr_t sva, vaddr_t eva, unsigned flags,
    struct vm_txn *txn)
{
	struct vm_map *map = vm_map_of(vs);
	struct vm_map_entry *e;
	int error;

	if (!vm_map_covers(map, sva, eva))
		return ENOMEM;
	if (!(flags & VM_SYNC_DISCARD))
		return 0; /* files are written through their objects */
	error = clip_for_discard(vs, sva, eva);
	if (error != 0)
		return error;
	for (vaddr_t va = sva; va < eva;) {
		vaddr_t to;

		e = vm_map_lookup(map, va);
		to = MIN(eva, e->eva);
		error = discard(vs, e, va, to, txn);
		if (error != 0)
			return error;
		/* Private contents change to zeroes: that is a write. */
		for (; !list_empty(&vs->overlays) && !entry_shared(e) &&
		     va < to;
		     va += PAGE_SIZE)
			vm_overlay_dirtied(vs, va);
		va = to;
		vm_map_simplify(vs, e);
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
mach_prot_pages(struct vmspace *vs, const struct page_op *op, size_t n,
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

	if (leaf->kind == PMAP_SOFT) { /* D of what is on swap */
		(void)pmap_cursor_clear(c, 0, pa->tg);
		pa->bitmap[i / 64] |= (uint64_t)1 << (i % 64);
		return 0;
	}
	/* While the kernel writes through a pin the page stays dirty: what it
	 * has yet to write would not set D again. */
	if (leaf->link == PV_UNMANAGED ||
	    !page_being_written(phys_to_page(leaf->pa)))
		bits = pmap_cursor_change(c, PMAP_DIRTY, 0, pa->tg);
	if (bits & PMAP_DIRTY) {
		pa->bitmap[i / 64] |= (uint64_t)1 << (i % 64);
		if (leaf->link != PV_UNMANAGED)
			__atomic_fetch_or(&phys_to_page(leaf->pa)->flags,
			    PG_DIRTY, __ATOMIC_RELAXED);
	}
	return 0;
}

static int
mach_dirty(struct vmspace *vs, vaddr_t sva, vaddr_t eva, uint64_t *bitmap,
    struct vm_txn *txn)
{
	struct page_arg pa = { .tg = &txn->tg, .sva = sva, .bitmap = bitmap };

	return pmap_scan(vs->pmap, sva, eva, take_dirty, &pa);
}

/* ---- listing ---- */

static int
mach_region(struct vmspace *vs, vaddr_t va, struct vm_region_info *info)
{
	const struct vm_map_entry *e = vm_map_first(vm_map_of(vs), va);

	if (e == NULL)
		return ENOENT;
	*info = (struct vm_region_info){
		.sva = entry_sva(e),
		.eva = e->eva,
		.prot = e->prot,
		.maxprot = e->maxprot,
		.flags = e->flags,
		.source = e->source,
		.object = e->vnode != NULL ? e->vnode->file : NULL,
		.offset = e->source_offset,
	};
	return 0;
}

const struct vm_ops mach_ops = {
	.name = "mach",
	.pmap_flags = PMAP_LINKS,
	.init = mach_init,
	.as_init = mach_as_init,
	.as_fork = mach_fork,
	.as_clear = mach_as_clear,
	.as_fini = mach_as_fini,
	.map = mach_map,
	.unmap = mach_unmap,
	.protect = mach_protect,
	.fault = mach_fault,
	.pin = mach_pin,
	.sync = mach_sync,
	.prot_pages = mach_prot_pages,
	.dirty = mach_dirty,
	.region = mach_region,
	.resident = mach_resident,
	.pg_harvest = mach_pg_harvest,
	.pg_revoke = mach_pg_revoke,
	.pg_evict = mach_pg_evict,
	.pageout = mach_pageout,
	.obj_revoke = mach_obj_revoke,
	.check = mach_check,
	.count_refs = mach_count_refs,
	.dump = mach_dump,
};
