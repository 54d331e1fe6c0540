/* SPDX-License-Identifier: MIT */
/*
 * region.c - the regions of a space: find, split, merge, make room.
 *
 * Path: vm/space.c -> a design's slots (classic.c, l4/root_pager.c) -> HERE.
 * Locks: the space's, exclusive for everything that changes the tree;
 *	vm_object_lock where a region enters or leaves the list of its file.
 */
#include "vm/region.h"

#include "abi/errno.h"
#include "lib/printf.h"
#include "mem/kmem.h"
#include "sync/counter.h"

#define REGIONS_MAX 65536 /* per space, as vm.max_map_count */

static struct kmem_cache region_cache;

void
region_init(void)
{
	kmem_cache_init(&region_cache, "region", sizeof(struct region));
}

void
region_map_init(struct region_map *m)
{
	*m = (struct region_map){ .hint = REGION_TOP };
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

static void
drop_store(struct region_store *st)
{
	if (__atomic_sub_fetch(&st->refs, 1, __ATOMIC_ACQ_REL) == 0)
		st->destroy(st);
}

static __slowpath void
drop_source(struct region *r)
{
	if (r->store != NULL)
		drop_store(r->store);
	else
		r->object->ops->drop(r->object);
}

/* Where the pages of a new region come from. */
static int
find_source(const struct vmspace *vs, const struct vm_mapreq *rq,
    int (*create)(struct region_store **), struct region *r)
{
	const struct region *from;

	switch (rq->source) {
	case VM_PHYS:
		r->offset = rq->pa;
		return 0;
	case VM_ALIAS:
		from = region_find(vs, rq->alias_va);
		if (from == NULL || from->store == NULL ||
		    rq->size > from->eva - rq->alias_va)
			return EINVAL;
		if (rq->maxprot & ~from->maxprot)
			return EACCES;
		r->source = VM_ANON;
		r->store = from->store;
		__atomic_fetch_add(&r->store->refs, 1, __ATOMIC_RELAXED);
		r->offset = from->offset + (rq->alias_va - region_sva(from));
		r->flags |= VM_MAP_SHARED;
		return 0;
	case VM_ANON:
		return rq->flags & VM_MAP_SHARED ? create(&r->store) : 0;
	case VM_FILE:
		r->object = rq->object;
		r->object->ops->hold(r->object);
		r->offset = rq->offset;
		return 0;
	}
	return EINVAL;
}

/* RLIMIT_AS: what FIXED replaces does not count twice. */
static bool
within_limit(const struct vmspace *vs, const struct vm_mapreq *rq)
{
	size_t after = vs->size_bytes + rq->size;
	vaddr_t eva = rq->va + rq->size;
	const struct region *r;

	if (rq->flags & VM_MAP_FIXED)
		for (r = region_first(vs, rq->va);
		     r != NULL && region_sva(r) < eva; r = region_next(r))
			after -= MIN(r->eva, eva) - MAX(region_sva(r), rq->va);
	return after <= vs->limit_bytes;
}

int
region_create(const struct vmspace *vs, const struct vm_mapreq *rq,
    int (*create)(struct region_store **), struct region **out)
{
	struct region *r;
	int error;

	if (vs->regions->nregions >= REGIONS_MAX || !within_limit(vs, rq))
		return ENOMEM;
	r = kmem_alloc(&region_cache);
	if (r == NULL)
		return ENOMEM;
	r->prot = (uint8_t)rq->prot;
	r->maxprot = (uint8_t)rq->maxprot;
	r->source = (uint8_t)rq->source;
	r->flags = (uint8_t)(rq->flags &
	    (VM_MAP_SHARED | VM_MAP_STACK | VM_MAP_HEAP));
	r->writable = (rq->prot & VM_PROT_WRITE) != 0;
	r->store = NULL;
	r->object = NULL;
	r->offset = 0;
	error = find_source(vs, rq, create, r);
	if (error != 0) {
		region_free(r);
		return error;
	}
	*out = r;
	return 0;
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
	struct region_map *m = vs->regions;

	rb_insert(&m->tree, &r->node);
	m->last = r; /* it will be used soon */
	m->nregions++;
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
	struct region_map *m = vs->regions;

	rb_remove(&m->tree, &r->node);
	if (m->last == r)
		m->last = NULL;
	m->nregions--;
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
	struct rb_node *n = rb_find_le(&vs->regions->tree, va);
	struct region *r;

	if (n == NULL)
		return NULL;
	r = container_of(n, struct region, node);
	if (va >= r->eva)
		return NULL;
	/* Faults share the space's lock, so several may store at once. */
	__atomic_store_n(&vs->regions->last, r, __ATOMIC_RELAXED);
	return r;
}

struct region *
region_first(const struct vmspace *vs, vaddr_t va)
{
	struct region *r = region_find(vs, va);
	struct rb_node *n;

	if (likely(r != NULL))
		return r;
	n = rb_find_le(&vs->regions->tree, va);
	n = n != NULL ? rb_next(n) : rb_first(&vs->regions->tree);
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

int
region_check_protect(const struct region *r, vaddr_t eva, vm_prot_t prot)
{
	bool forbidden = false;

	for (;;) {
		vaddr_t end;

		if (r == NULL)
			return ENOMEM;
		forbidden |= (prot & ~(vm_prot_t)r->maxprot) != 0;
		end = r->eva;
		if (end >= eva)
			return forbidden ? EACCES : 0;
		r = region_next(r);
		if (r != NULL && region_sva(r) != end)
			return ENOMEM;
	}
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
	region_set_eva(r, va);
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
	region_set_eva(a, eva);
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
	struct rb_node *n = rb_find_le(&vs->regions->tree, top - 1);

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

static int
find_gap(struct vmspace *vs, vaddr_t hint, size_t size, vaddr_t *out)
{
	struct region_map *m = vs->regions;
	int error = ENOMEM;

	if (hint != 0 && is_free(vs, hint, size)) {
		*out = hint;
		return 0;
	}
	if (m->hint >= USER_MIN + size)
		error = search_down(vs, m->hint, size, out);
	if (error != 0)
		error = search_down(vs, USER_MAX, size, out);
	if (error == 0)
		m->hint = *out;
	return error;
}

int
region_place(struct vmspace *vs, const struct vm_mapreq *rq, vaddr_t *va)
{
	const struct region *r;

	if (!(rq->flags & VM_MAP_FIXED))
		return find_gap(vs, rq->va, rq->size, va);
	*va = rq->va;
	r = region_first(vs, rq->va);
	return r != NULL && region_sva(r) < rq->va + rq->size ? EEXIST : 0;
}

/* ---- checking ---- */

static int
complain(vaddr_t va, const char *what)
{
	kprintf("region_check: 0x%lx: %s\n", (unsigned long)va, what);
	return EINVAL;
}

int
region_check(const struct vmspace *vs)
{
	vaddr_t end = 0;
	size_t size = 0;
	unsigned n = 0;

	if (!rb_check(&vs->regions->tree))
		return complain(0, "broken tree of regions");
	for (const struct region *r = region_first(vs, 0); r != NULL;
	     r = region_next(r)) {
		if (region_sva(r) < MAX(end, USER_MIN) ||
		    r->eva <= region_sva(r) || r->eva > USER_MAX)
			return complain(region_sva(r), "region out of order");
		if (r->prot & ~r->maxprot)
			return complain(region_sva(r), "rights beyond maximum");
		end = r->eva;
		size += r->eva - region_sva(r);
		n++;
	}
	if (n != vs->regions->nregions || size != vs->size_bytes)
		return complain(0, "wrong count of regions or bytes");
	return 0;
}
