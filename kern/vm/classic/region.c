/* SPDX-License-Identifier: MIT */
/*
 * region.c - the regions of a space, and the stores of shared ones.
 *
 * Regions stand in a red-black tree by first address and never overlap.
 * Neighbours with equal attributes are merged, so that a listing of the space
 * does not depend on how it came about.
 * Locks: the space's, exclusive for everything that changes the tree.
 */
#include "vm/classic/classic.h"
#include "vm/swap.h"

#include "abi/errno.h"
#include "mem/kmem.h"
#include "sync/counter.h"

static struct kmem_cache region_cache;
static struct spinlock stores_lock = SPINLOCK_INIT(RANK_MISC, "stores");
static struct list stores = LIST_INIT(stores); /* [stores_lock] */

void
region_init(void)
{
	kmem_cache_init(&region_cache, "region", sizeof(struct region));
}

/* ---- stores ---- */

int
store_create(struct classic_store **out)
{
	struct classic_store *st = kmalloc(sizeof(*st));
	int error;

	if (st == NULL)
		return ENOMEM;
	st->refs = 1;
	error = pmap_create(PMAP_STORE, 0, &st->table);
	if (error != 0) {
		kfree(st, sizeof(*st));
		return error;
	}
	spin_lock(&stores_lock);
	list_push_back(&stores, &st->link);
	spin_unlock(&stores_lock);
	*out = st;
	return 0;
}

void
store_foreach_table(pmap_scan_fn *fn, void *arg)
{
	/* For vm_check() only: no operation is under way, no lock needed. */
	LIST_FOREACH(l, &stores)
		pmap_scan(LIST_ENTRY(l, struct classic_store, link)->table, 0,
		    USER_MAX, fn, arg);
}

static int
drop_page(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	/* Never loaded by a CPU, so there is nothing to flush; leaves of spaces
	 * hold references of their own. */
	if (leaf->kind == PMAP_SOFT)
		return 0;
	pmap_cursor_clear(c, 0, arg);
	page_drop(phys_to_page(leaf->pa));
	return 0;
}

void
store_drop(struct classic_store *st)
{
	struct tlb_gather none;

	if (__atomic_sub_fetch(&st->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	spin_lock(&stores_lock);
	list_remove(&st->link);
	spin_unlock(&stores_lock);
	tlb_gather_init(&none);
	pmap_scan(st->table, 0, USER_MAX, drop_page, &none);
	if (swap_used() > 0)
		classic_swap_clear(NULL, st->table, 0, USER_MAX);
	KASSERT(tlb_gather_empty(&none));
	pmap_drop(st->table);
	kfree(st, sizeof(*st));
}

/* ---- single regions ---- */

/* What its pages come from, if not from nowhere. */
static inline bool
has_source(const struct region *r)
{
	return ((uintptr_t)r->store | (uintptr_t)r->object) != 0;
}

static __slowpath void
hold_source(struct region *r)
{
	if (r->store != NULL)
		__atomic_fetch_add(&r->store->refs, 1, __ATOMIC_RELAXED);
	else
		r->object->ops->hold(r->object);
}

static __slowpath void
drop_source(struct region *r)
{
	if (r->store != NULL)
		store_drop(r->store);
	else
		r->object->ops->drop(r->object);
}

struct region *
region_alloc(void)
{
	struct region *r = kmem_alloc(&region_cache);

	if (r != NULL) {
		r->store = NULL;
		r->object = NULL;
		r->offset = 0;
	}
	return r;
}

struct region *
region_clone(const struct region *from)
{
	struct region *r = kmem_alloc(&region_cache);

	if (r == NULL)
		return NULL;
	/* Field by field: links and space belong to a place in a space. */
	r->node.key = from->node.key;
	r->eva = from->eva;
	r->prot = from->prot;
	r->maxprot = from->maxprot;
	r->source = from->source;
	r->flags = from->flags;
	r->writable = from->writable;
	r->store = from->store;
	r->offset = from->offset;
	r->object = from->object;
	if (unlikely(has_source(r)))
		hold_source(r);
	return r;
}

void
region_free(struct region *r)
{
	if (unlikely(has_source(r)))
		drop_source(r);
	kmem_free(&region_cache, r);
}

void
region_insert(struct vmspace *vs, struct region *r)
{
	struct classic_space *cs = classic_of(vs);

	rb_insert(&cs->regions, &r->node);
	cs->last = r; /* it will be used soon */
	cs->nregions++;
	vs->size_bytes += r->eva - region_sva(r);
	counter_add(TS_regions, 1);
	if (r->object == NULL)
		return;
	r->vs = vs;
	spin_lock(&vm_object_lock);
	list_push_back(&r->object->mappings, &r->mapping);
	spin_unlock(&vm_object_lock);
}

void
region_remove(struct vmspace *vs, struct region *r)
{
	struct classic_space *cs = classic_of(vs);

	rb_remove(&cs->regions, &r->node);
	if (cs->last == r)
		cs->last = NULL;
	cs->nregions--;
	vs->size_bytes -= r->eva - region_sva(r);
	counter_add(TS_regions, (uint64_t)-1);
	if (r->object == NULL)
		return;
	spin_lock(&vm_object_lock);
	list_remove(&r->mapping);
	spin_unlock(&vm_object_lock);
}

struct region *
region_next(const struct region *r)
{
	struct rb_node *n = rb_next(&r->node);

	return n != NULL ? container_of(n, struct region, node) : NULL;
}

static struct region *
region_prev(const struct region *r)
{
	struct rb_node *n = rb_prev(&r->node);

	return n != NULL ? container_of(n, struct region, node) : NULL;
}

__slowpath struct region *
region_search(const struct vmspace *vs, vaddr_t va)
{
	struct rb_node *n = rb_find_le(&classic_of(vs)->regions, va);
	struct region *r;

	if (n == NULL)
		return NULL;
	r = container_of(n, struct region, node);
	if (va >= r->eva)
		return NULL;
	/* Faults share the space's lock, so several may store at once. */
	__atomic_store_n(&classic_of(vs)->last, r, __ATOMIC_RELAXED);
	return r;
}

struct region *
region_first(const struct vmspace *vs, vaddr_t va)
{
	struct region *r = region_find(vs, va);
	struct rb_node *n;

	if (likely(r != NULL))
		return r;
	n = rb_find_le(&classic_of(vs)->regions, va);
	n = n != NULL ? rb_next(n) : rb_first(&classic_of(vs)->regions);
	return n != NULL ? container_of(n, struct region, node) : NULL;
}

bool
region_covers(const struct vmspace *vs, vaddr_t sva, vaddr_t eva)
{
	const struct region *r = region_find(vs, sva);

	while (r != NULL && r->eva < eva) {
		vaddr_t end = r->eva;

		r = region_next(r);
		if (r != NULL && region_sva(r) != end)
			return false;
	}
	return r != NULL;
}

/* ---- splitting and merging ---- */

/* @p tail becomes the part of @p r from @p va on.  Both cover it for a moment,
 * so that no revocation of an object misses it. */
static void
cut(struct vmspace *vs, struct region *r, vaddr_t va, struct region *tail)
{
	tail->node.key = va;
	tail->offset += va - region_sva(r);
	region_insert(vs, tail);
	vs->size_bytes -= r->eva - va; /* region_insert added it again */
	r->eva = va;
}

static struct region *
crossing(const struct vmspace *vs, vaddr_t va)
{
	struct region *r = region_find(vs, va);

	return r != NULL && region_sva(r) < va ? r : NULL;
}

int
region_split(struct vmspace *vs, vaddr_t sva, vaddr_t eva)
{
	struct region *a = crossing(vs, sva), *b = crossing(vs, eva);
	struct region *tail_a = NULL, *tail_b = NULL;

	if (a != NULL && (tail_a = region_clone(a)) == NULL)
		return ENOMEM;
	if (b != NULL && (tail_b = region_clone(b)) == NULL) {
		if (tail_a != NULL)
			region_free(tail_a);
		return ENOMEM;
	}
	/* The later place first: then both names still mean what they did. */
	if (b != NULL)
		cut(vs, b, eva, tail_b);
	if (a != NULL) {
		tail_a->eva = a->eva; /* b may just have shortened it */
		cut(vs, a, sva, tail_a);
	}
	return 0;
}

/* @p a ends where @p b begins. */
static bool
can_merge(const struct region *a, const struct region *b)
{
	uint64_t size = a->eva - region_sva(a);

	if (a->prot != b->prot ||
	    a->maxprot != b->maxprot || a->source != b->source ||
	    a->flags != b->flags || a->store != b->store ||
	    a->object != b->object)
		return false;
	if (a->store == NULL && a->source == VM_ANON)
		return true; /* offsets mean nothing */
	return a->offset + size == b->offset;
}

/* @p b disappears into @p a. */
static __attribute__((noinline)) void
absorb(struct vmspace *vs, struct region *a, struct region *b)
{
	vaddr_t eva = b->eva;

	vs->size_bytes += eva - a->eva;
	a->eva = eva;
	a->writable |= b->writable;
	region_remove(vs, b);
	region_free(b);
}

struct region *
region_merge(struct vmspace *vs, struct region *r)
{
	struct region *other = region_next(r);

	if (other != NULL && region_sva(other) == r->eva &&
	    can_merge(r, other))
		absorb(vs, r, other);
	other = region_prev(r);
	if (other != NULL && other->eva == region_sva(r) &&
	    can_merge(other, r)) {
		absorb(vs, other, r);
		return other;
	}
	return r;
}

/* ---- room for a new region ---- */

/* Where the place of @p r begins for others: a stack keeps its distance. */
static vaddr_t
guarded_sva(const struct region *r)
{
	vaddr_t sva = region_sva(r);

	return r->flags & VM_MAP_STACK ? sva - MIN(sva, VM_STACK_GUARD) : sva;
}

static bool
is_free(const struct vmspace *vs, vaddr_t va, size_t size)
{
	const struct region *r = region_first(vs, va);

	return r == NULL || guarded_sva(r) >= va + size;
}

/* Top-down from @p top: the highest gap of @p size that ends at or below. */
static int
search_down(const struct vmspace *vs, vaddr_t top, size_t size, vaddr_t *out)
{
	struct rb_node *n = rb_find_le(&classic_of(vs)->regions, top - 1);

	for (;;) {
		struct region *r = n != NULL ?
		    container_of(n, struct region, node) :
		    NULL;
		vaddr_t floor = r != NULL ? r->eva : USER_MIN;

		if (top >= floor && top - floor >= size) {
			*out = top - size;
			return 0;
		}
		if (r == NULL)
			return ENOMEM;
		top = MIN(top, guarded_sva(r));
		n = rb_prev(n);
	}
}

int
region_find_gap(struct vmspace *vs, vaddr_t hint, size_t size, vaddr_t *out)
{
	struct classic_space *cs = classic_of(vs);
	int error = ENOMEM;

	if (hint != 0 && is_free(vs, hint, size)) {
		*out = hint;
		return 0;
	}
	if (cs->hint >= USER_MIN + size)
		error = search_down(vs, cs->hint, size, out);
	if (error != 0)
		error = search_down(vs, USER_MAX, size, out);
	if (error == 0)
		cs->hint = *out;
	return error;
}
