/* SPDX-License-Identifier: MIT */
/*
 * mach_fault.c - find the page of a fault in the chain of its objects.
 *
 * Path: vm_fault (vm/fault.c) -> HERE -> fault_enter -> pmap_enter.
 * Locks: the space shared; map->lock until the top object is locked, which
 *	stays locked to the end; below it hand over hand.
 */
/*
 *	leaf	page found	access	what happens
 *	enough	-		any	spurious: fence here, retry (C9)
 *	-	top object	any	resident: show it
 *	-	on swap, where	any	VM_WAIT while it is read; then it is
 *		it is found		resident there
 *	-	in a shadow	write	last reference: move it to the top
 *					else: copy it up
 *	-	in a shadow	other	read through: show it without W
 *	-	nowhere		any	zero-fill the top object
 *	-	the chain ends	any	mach_file.c: the pager is the page
 *		at a file		cache; VM_WAIT while it reads
 *	-	PHYS, no chain	any	the frame itself
 *
 * Before that, on a write: an entry with needs_copy gets a shadow object, or
 * only loses the mark if nobody else has the object.  So does one that would
 * zero-fill an object in common (Mach does fill it): what one side touches is
 * not resident for the other.  After a write: collapse.
 */
#include "abi/errno.h"
#include "sync/counter.h"
#include "vm/mach/mach_page.h"

/* Nothing is there to read, and the top object is in common. */
#define NEEDS_SHADOW (-2)

/* ---- showing a page ---- */

/* The leaf that was seen shows the page already: give it more bits. */
static int
widen(const struct fault *f, unsigned bits)
{
	struct pmap_edit ed = { .clear = PMAP_COW, .set = bits,
		.seen = &f->seen };

	return pmap_change(f->vs->pmap, f->va, &ed, &f->txn->tg) == 0 ?
	    0 :
	    mach_restart(f->txn);
}

static bool
is_leaf(const struct pmap_leaf *leaf)
{
	return leaf->kind == PMAP_LEAF || leaf->kind == PMAP_NOACCESS;
}

int
fault_enter(const struct fault *f, struct vm_page *pg, unsigned bits)
{
	struct pmap_new nw = { .pa = page_to_phys(pg), .bits = bits,
		.seen = &f->seen };
	bool cached = is_cached(pg);
	int error;

	if (is_leaf(&f->seen) && f->seen.pa == nw.pa)
		return widen(f, bits);
	if (unlikely(f->seen.kind == PMAP_SOFT))
		nw.bits |= PMAP_DIRTY; /* what page-out took was */
	if (pv_enter(pg, f->vs, f->va, &nw.link) != 0)
		return ENOMEM;
	if (cached) {
		page_hold(pg);
		pageout_arrived(pg);
	}
	error = pmap_enter(f->vs->pmap, f->va, &nw, &f->txn->tg);
	if (likely(error == 0)) {
		if (is_leaf(&f->seen))
			pv_left(f->vs, f->va, &f->seen, &f->txn->tg);
		return 0;
	}
	pv_remove(pg, nw.link);
	if (cached)
		page_drop(pg); /* not the last: the cache has one */
	return error == EAGAIN ? mach_restart(f->txn) : error;
}

/* ---- the cases; the top object is locked ---- */

static int
fault_zero_fill(const struct fault *f)
{
	struct vm_page *pg = frame_alloc(FRAME_DEFAULT);

	if (pg == NULL)
		return ENOMEM;
	page_zero(page_to_virt(pg));
	counter_add(TS_zero_fills, 1);
	vm_page_insert(pg, f->top, f->index);
	return fault_enter(f, pg, f->bits);
}

/* The kernel reads the page for somebody who shared it once: what is written
 * from now on goes to another frame. */
static __slowpath int
fault_pinned(const struct fault *f, struct vm_page *old)
{
	struct vm_page *pg = frame_alloc(FRAME_DEFAULT);

	if (pg == NULL)
		return ENOMEM;
	(void)pv_page_protect(old, 0, true, f->txn);
	if (!pv_empty(old) || tlb_gather_page(&f->txn->tg, old) != 0) {
		page_drop(pg);
		return mach_restart(f->txn);
	}
	page_copy(page_to_virt(pg), page_to_virt(old));
	vm_page_remove(old);
	vm_page_insert(pg, f->top, f->index);
	counter_add(TS_cow_copies, 1);
	return mach_restart(f->txn); /* and find the new one */
}

static int
fault_resident(const struct fault *f, struct vm_page *pg, unsigned bits)
{
	/* It was shared, so its leaf had no W. */
	if (f->access == PMAP_W && !f->top->one_mapping &&
	    !entry_shared(f->entry))
		counter_add(TS_cow_reuses, 1);
	if (unlikely(is_pinned(pg)) &&
	    !entry_shared(f->entry) && (bits & PMAP_W)) {
		if (f->access != PMAP_W)
			bits &= ~PMAP_W;
		else if (!page_being_written(pg))
			return fault_pinned(f, pg);
	}
	return fault_enter(f, pg, bits);
}

/* Leaves that show @p from are about to go.  Once the objects are unlocked a
 * relative may free it, with a gather that knows nothing of our leaves.  Each
 * leaf of a page of a file holds it anyway. */
static int
keep_until_flush(const struct fault *f, struct vm_page *from)
{
	if (is_cached(from) ||
	    (!is_leaf(&f->seen) && mach_object_refs(f->top) == 1))
		return 0;
	if (tlb_gather_page(&f->txn->tg, from) != 0)
		return mach_restart(f->txn);
	page_hold(from);
	return 0;
}

int
fault_copy_up(const struct fault *f, struct vm_page *from)
{
	struct vm_page *pg;
	int error = keep_until_flush(f, from);

	if (error != 0)
		return error;
	pg = frame_alloc(FRAME_DEFAULT);
	if (pg == NULL)
		return ENOMEM;
	page_copy(page_to_virt(pg), page_to_virt(from));
	vm_page_insert(pg, f->top, f->index);
	counter_add(TS_cow_copies, 1);
	/* Others that have the top object too must stop reading the old one. */
	if (unlikely(mach_object_refs(f->top) > 1))
		(void)pv_page_protect(from, 0, true, f->txn);
	return fault_enter(f, pg, f->bits);
}

/* Page @p i of @p o, brought back if it is on swap; NULL: it has none.
 * @locks o @retval VM_WAIT it must be read first */
static __always_inline int
find_page(const struct fault *f, struct mach_object *o, uint64_t i,
    struct vm_page **pg)
{
	*pg = vm_page_lookup(o, i);
	if (*pg != NULL || likely(o->npaged == 0) || !pager_lookup(o, i))
		return 0;
	return pager_page_in(o, i, pg, f->txn);
}

/* Found as page @p i of @p o, below the top; both are locked. */
static int
fault_below(const struct fault *f, struct mach_object *o, struct vm_page *pg)
{
	if (f->access != PMAP_W)
		return fault_enter(f, pg, f->bits & ~PMAP_W);
	if (o != f->top->shadow || is_pinned(pg) ||
	    !mach_object_last_reference(f->top, pg->offset))
		return fault_copy_up(f, pg);
	vm_page_rename(pg, f->top, f->index);
	counter_add(TS_cow_reuses, 1);
	return fault_enter(f, pg, f->bits);
}

/* Down the chain, hand over hand. */
static __attribute__((noinline)) int
fault_walk(const struct fault *f)
{
	struct mach_object *o = f->top, *next;
	uint64_t i = f->index;
	struct vm_page *pg = NULL;
	int error = 0;

	while (pg == NULL && error == 0 && o->file == NULL &&
	    (next = o->shadow) != NULL) {
		spin_lock_nested(&next->lock);
		i += o->shadow_offset;
		if (o != f->top)
			spin_unlock(&o->lock);
		o = next;
		if (o->file == NULL)
			error = find_page(f, o, i, &pg);
	}
	if (error != 0)
		;
	else if (pg != NULL)
		error = fault_below(f, o, pg);
	else if (o->file != NULL)
		error = mach_file_fault(f, o->file, i);
	else
		error = f->needs_copy ? NEEDS_SHADOW : fault_zero_fill(f);
	if (o != f->top)
		spin_unlock(&o->lock);
	if (f->access == PMAP_W && o != f->top)
		mach_object_collapse(f->top, f->txn);
	return error;
}

/* ---- before: the top object ---- */

/* The object of an entry with needs_copy is about to change.
 * @locks map, and @p *top, which becomes the object to use */
static int
resolve_copy(struct vm_map_entry *e, struct mach_object **top)
{
	struct mach_object *o = *top, *s;

	if (o->file == NULL && mach_object_refs(o) == 1) {
		e->needs_copy = false; /* the others are gone */
		return 0;
	}
	s = mach_object_shadow(e);
	if (s == NULL)
		return ENOMEM;
	spin_unlock(&o->lock);
	spin_lock(&s->lock);
	*top = s;
	return 0;
}

/* Lock the entry's object; there is one from now on. @p change: of its own */
static int
lock_top(struct fault *f, bool change)
{
	struct spinlock *map_lock = &vm_map_of(f->vs)->lock;
	struct vm_map_entry *e = f->entry;
	int error = 0;

	spin_lock(map_lock);
	f->top = e->object;
	if (unlikely(f->top == NULL)) {
		f->top = mach_object_create(entry_npages(e));
		if (f->top == NULL) {
			spin_unlock(map_lock);
			return ENOMEM;
		}
		e->offset = 0;
		e->object = f->top;
	}
	spin_lock(&f->top->lock);
	if (unlikely(e->needs_copy) && change)
		error = resolve_copy(e, &f->top);
	f->index = entry_index(e, f->va);
	f->needs_copy = e->needs_copy;
	spin_unlock(map_lock);
	if (error != 0)
		spin_unlock(&f->top->lock);
	return error;
}

static __slowpath int
fault_physical(const struct fault *f)
{
	const struct vm_map_entry *e = f->entry;
	struct pmap_new nw = {
		.pa = e->source_offset + (f->va - entry_sva(e)),
		.bits = f->bits,
		.link = PV_UNMANAGED,
		.seen = &f->seen,
	};
	int error;

	if (is_leaf(&f->seen))
		return widen(f, f->bits);
	error = pmap_enter(f->vs->pmap, f->va, &nw, &f->txn->tg);
	return error == EAGAIN ? mach_restart(f->txn) : error;
}

static __slowpath int
fault_spurious(const struct fault *f)
{
	return pmap_fixup(f->vs->pmap, f->va, f->access) ?
	    0 :
	    mach_restart(f->txn);
}

/* The leaf does not permit the access. */
static __always_inline int
fault_object(struct fault *f, bool change)
{
	struct vm_page *pg;
	unsigned bits;
	int error = lock_top(f, change);

	if (error != 0)
		return error;
	bits = f->needs_copy ? f->bits & ~PMAP_W : f->bits;
	pg = NULL;
	if (f->top->file == NULL)
		error = find_page(f, f->top, f->index, &pg);
	if (error != 0)
		;
	else if (pg != NULL)
		error = fault_resident(f, pg, bits);
	else if (likely(f->top->shadow == NULL && f->top->file == NULL &&
		     !f->needs_copy))
		error = fault_zero_fill(f); /* the usual first touch */
	else
		error = fault_walk(f);
	spin_unlock(&f->top->lock);
	return error;
}

/* The entry needs an object of its own, though nothing is written. */
static __slowpath int
fault_own_object(struct fault *f)
{
	return fault_object(f, true);
}

int
mach_fault(struct vmspace *vs, const struct vm_fault *vf, struct vm_txn *txn)
{
	struct fault f = { .vs = vs, .access = vf->access, .txn = txn };
	int error;

	f.va = ROUND_DOWN(vf->va, PAGE_SIZE);
	f.entry = vm_map_lookup(vm_map_of(vs), vf->va);
	if (f.entry == NULL)
		return EFAULT;
	if (unlikely(vm_chaos != 0))
		pv_chaos(vs, txn);
	f.bits = mach_rights(vs, f.entry, f.va);
	if ((f.bits & vf->access) != vf->access)
		return EACCES;
	/* What the hardware would set a moment later. */
	f.bits |= PMAP_ACCESSED | (vf->access == PMAP_W ? PMAP_DIRTY : 0);
	pmap_get(vs->pmap, f.va, &f.seen);
	if (f.seen.kind == PMAP_LEAF &&
	    (f.seen.bits & vf->access) == vf->access)
		return fault_spurious(&f);
	if (f.entry->source == VM_PHYS)
		return fault_physical(&f);
	error = fault_object(&f, f.access == PMAP_W);
	return likely(error != NEEDS_SHADOW) ? error : fault_own_object(&f);
}

bool
mach_resident(struct vmspace *vs, vaddr_t va)
{
	struct vm_map_entry *e = vm_map_lookup(vm_map_of(vs), va);
	struct spinlock *map_lock = &vm_map_of(vs)->lock;
	struct mach_object *o, *next;
	struct vm_page *pg = NULL;
	uint64_t i;

	if (e->source == VM_PHYS)
		return true;
	spin_lock(map_lock);
	o = e->object;
	i = entry_index(e, va);
	if (o != NULL)
		spin_lock(&o->lock);
	spin_unlock(map_lock);
	if (o == NULL)
		return false;
	while (o->file == NULL && (pg = vm_page_lookup(o, i)) == NULL &&
	    !mach_object_has(o, i) && (next = o->shadow) != NULL) {
		spin_lock_nested(&next->lock);
		i += o->shadow_offset;
		spin_unlock(&o->lock);
		o = next;
	}
	if (o->file != NULL) {
		spin_lock(&vm_object_lock);
		pg = vm_object_find(o->file, i);
		spin_unlock(&vm_object_lock);
	}
	spin_unlock(&o->lock);
	return pg != NULL;
}

int
mach_pin(struct vmspace *vs, vaddr_t va, vm_prot_t access,
    struct vm_page **out, struct vm_txn *txn)
{
	struct vm_fault vf = { .va = va, .access = access };
	int error = mach_fault(vs, &vf, txn);

	if (error != 0)
		return error;
	if (pmap_get_pin(vs->pmap, va, access, out) == 0)
		return 0;
	/* Device memory has no struct vm_page to pin. */
	if (vm_map_lookup(vm_map_of(vs), va)->source == VM_PHYS)
		return EFAULT;
	return mach_restart(txn); /* dropped again in between */
}
