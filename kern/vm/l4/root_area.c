/* SPDX-License-Identifier: MIT */
/*
 * root_area.c - the root pager's areas: what a client has asked for, and where.
 *
 * The kernel below knows mappings only; that an address means anything is
 * known here.  Areas stand in a red-black tree by first address and never
 * overlap; neighbours with equal attributes are merged, so that a listing does
 * not depend on how it came about.
 * Locks: the space's, exclusive for everything that changes the tree.
 */
#include "vm/l4/root_pager.h"

#include "abi/errno.h"
#include "mem/kmem.h"

#include "vm/l4/no_pmap.h"

static struct kmem_cache area_cache;

void
area_init(void)
{
	kmem_cache_init(&area_cache, "area", sizeof(struct area));
}

/* ---- single areas ---- */

struct area *
area_clone(const struct area *from)
{
	struct area *r = kmem_alloc(&area_cache);

	if (r == NULL)
		return NULL;
	*r = *from;
	if (r->ds != NULL)
		dataspace_hold(r->ds);
	if (r->object != NULL)
		r->object->ops->hold(r->object);
	return r;
}

void
area_free(struct area *r)
{
	if (r->ds != NULL)
		dataspace_drop(r->ds);
	if (r->object != NULL)
		r->object->ops->drop(r->object);
	kmem_free(&area_cache, r);
}

void
area_insert(struct vmspace *vs, struct area *r)
{
	struct root_client *cs = client_of(vs);

	rb_insert(&cs->areas, &r->node);
	cs->last = r; /* it will be used soon */
	cs->nareas++;
	vs->size_bytes += r->eva - area_sva(r);
	counter_add(TS_regions, 1);
	if (r->object == NULL)
		return;
	r->vs = vs;
	spin_lock(&vm_object_lock);
	list_push_back(&r->object->mappings, &r->mapping);
	spin_unlock(&vm_object_lock);
}

void
area_remove(struct vmspace *vs, struct area *r)
{
	struct root_client *cs = client_of(vs);

	rb_remove(&cs->areas, &r->node);
	if (cs->last == r)
		cs->last = NULL;
	cs->nareas--;
	vs->size_bytes -= r->eva - area_sva(r);
	counter_add(TS_regions, (uint64_t)-1);
	if (r->object == NULL)
		return;
	spin_lock(&vm_object_lock);
	list_remove(&r->mapping);
	spin_unlock(&vm_object_lock);
}

struct area *
area_next(const struct area *r)
{
	struct rb_node *n = rb_next(&r->node);

	return n != NULL ? container_of(n, struct area, node) : NULL;
}

static struct area *
area_prev(const struct area *r)
{
	struct rb_node *n = rb_prev(&r->node);

	return n != NULL ? container_of(n, struct area, node) : NULL;
}

__slowpath struct area *
area_search(const struct vmspace *vs, vaddr_t va)
{
	struct rb_node *n = rb_find_le(&client_of(vs)->areas, va);
	struct area *r;

	if (n == NULL)
		return NULL;
	r = container_of(n, struct area, node);
	if (va >= r->eva)
		return NULL;
	/* Faults share the space's lock, so several may store at once. */
	__atomic_store_n(&client_of(vs)->last, r, __ATOMIC_RELAXED);
	return r;
}

struct area *
area_first(const struct vmspace *vs, vaddr_t va)
{
	struct area *r = area_find(vs, va);
	struct rb_node *n;

	if (likely(r != NULL))
		return r;
	n = rb_find_le(&client_of(vs)->areas, va);
	n = n != NULL ? rb_next(n) : rb_first(&client_of(vs)->areas);
	return n != NULL ? container_of(n, struct area, node) : NULL;
}

bool
area_covers(const struct vmspace *vs, vaddr_t sva, vaddr_t eva)
{
	const struct area *r = area_find(vs, sva);

	while (r != NULL && r->eva < eva) {
		vaddr_t end = r->eva;

		r = area_next(r);
		if (r != NULL && area_sva(r) != end)
			return false;
	}
	return r != NULL;
}

/* ---- splitting and merging ---- */

/* @p tail becomes the part of @p r from @p va on.  Both cover it for a moment,
 * so that no revocation of an object misses it. */
static void
cut(struct vmspace *vs, struct area *r, vaddr_t va, struct area *tail)
{
	tail->node.key = va;
	tail->offset += va - area_sva(r);
	area_insert(vs, tail);
	vs->size_bytes -= r->eva - va; /* area_insert added it again */
	r->eva = va;
}

static struct area *
crossing(const struct vmspace *vs, vaddr_t va)
{
	struct area *r = area_find(vs, va);

	return r != NULL && area_sva(r) < va ? r : NULL;
}

int
area_split(struct vmspace *vs, vaddr_t sva, vaddr_t eva)
{
	struct area *a = crossing(vs, sva), *b = crossing(vs, eva);
	struct area *tail_a = NULL, *tail_b = NULL;

	if (a != NULL && (tail_a = area_clone(a)) == NULL)
		return ENOMEM;
	if (b != NULL && (tail_b = area_clone(b)) == NULL) {
		if (tail_a != NULL)
			area_free(tail_a);
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
can_merge(const struct area *a, const struct area *b)
{
	uint64_t size = a->eva - area_sva(a);

	if (a->prot != b->prot ||
	    a->maxprot != b->maxprot || a->source != b->source ||
	    a->flags != b->flags || a->ds != b->ds ||
	    a->object != b->object)
		return false;
	if (a->ds == NULL && a->source == VM_ANON)
		return true; /* offsets mean nothing */
	return a->offset + size == b->offset;
}

/* @p b disappears into @p a. */
static void
absorb(struct vmspace *vs, struct area *a, struct area *b)
{
	vaddr_t eva = b->eva;

	vs->size_bytes += eva - a->eva;
	a->eva = eva;
	area_remove(vs, b);
	area_free(b);
}

struct area *
area_merge(struct vmspace *vs, struct area *r)
{
	struct area *other = area_next(r);

	if (other != NULL && area_sva(other) == r->eva &&
	    can_merge(r, other))
		absorb(vs, r, other);
	other = area_prev(r);
	if (other != NULL && other->eva == area_sva(r) &&
	    can_merge(other, r)) {
		absorb(vs, other, r);
		return other;
	}
	return r;
}

/* ---- room for a new area ---- */

/* Where the place of @p r begins for others: a stack keeps its distance. */
static vaddr_t
guarded_sva(const struct area *r)
{
	vaddr_t sva = area_sva(r);

	return r->flags & VM_MAP_STACK ? sva - MIN(sva, VM_STACK_GUARD) : sva;
}

static bool
is_free(const struct vmspace *vs, vaddr_t va, size_t size)
{
	const struct area *r = area_first(vs, va);

	return r == NULL || guarded_sva(r) >= va + size;
}

/* Top-down from @p top: the highest gap of @p size that ends at or below. */
static int
search_down(const struct vmspace *vs, vaddr_t top, size_t size, vaddr_t *out)
{
	struct rb_node *n = rb_find_le(&client_of(vs)->areas, top - 1);

	for (;;) {
		struct area *r = n != NULL ?
		    container_of(n, struct area, node) :
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
area_find_gap(struct vmspace *vs, vaddr_t hint, size_t size, vaddr_t *out)
{
	struct root_client *cs = client_of(vs);
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
