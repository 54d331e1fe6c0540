/* SPDX-License-Identifier: MIT */
/*
 * vm_map.c - the entries of an address map.
 *
 * Entries stand in a sorted, doubly linked list, as the papers have it, and in
 * a red-black tree by first address for searches that the hint does not
 * answer.  They never overlap.  Neighbours that are alike are coalesced.
 * Locks: the space's, exclusive for everything that changes the list.
 */
#include "abi/errno.h"
#include "mem/kmem.h"
#include "sync/counter.h"
#include "vm/mach/mach.h"

static struct kmem_cache entry_cache;

void
vm_map_setup(void)
{
	kmem_cache_init(&entry_cache, "vm_map_entry",
	    sizeof(struct vm_map_entry));
}

/* ---- single entries ---- */

struct vm_map_entry *
vm_map_entry_copy(const struct vm_map_entry *from)
{
	struct vm_map_entry *e = kmem_alloc(&entry_cache);

	if (e == NULL)
		return NULL;
	if (from->vnode != NULL) /* others join and leave beside it */
		spin_lock(&vm_object_lock);
	*e = *from;
	if (from->vnode != NULL)
		spin_unlock(&vm_object_lock);
	list_init(&e->mapping);
	if (e->object != NULL)
		mach_object_reference(e->object);
	if (e->vnode != NULL)
		mach_object_reference(e->vnode);
	return e;
}

void
vm_map_entry_free(struct vm_map_entry *e)
{
	KASSERT(e->object == NULL);
	if (e->vnode != NULL)
		mach_object_drop_file(e->vnode);
	kmem_free(&entry_cache, e);
}

static struct vm_map_entry *
entry_of(struct vm_map *map, struct list *l)
{
	return l != &map->entries ? LIST_ENTRY(l, struct vm_map_entry, link) :
				    NULL;
}

struct vm_map_entry *
vm_map_next(struct vm_map *map, const struct vm_map_entry *e)
{
	return entry_of(map, e->link.next);
}

struct vm_map_entry *
vm_map_prev(struct vm_map *map, const struct vm_map_entry *e)
{
	return entry_of(map, e->link.prev);
}

/* Last entry that begins at or before @p va. */
static struct vm_map_entry *
search_le(struct vm_map *map, vaddr_t va)
{
	struct rb_node *n = rb_find_le(&map->tree, va);

	return n != NULL ? container_of(n, struct vm_map_entry, node) : NULL;
}

void
vm_map_join_file(struct vm_map_entry *e)
{
	if (e->vnode == NULL)
		return;
	spin_lock(&vm_object_lock);
	list_push_back(&e->vnode->file->mappings, &e->mapping);
	spin_unlock(&vm_object_lock);
}

void
vm_map_leave_file(struct vm_map_entry *e)
{
	if (e->vnode == NULL)
		return;
	spin_lock(&vm_object_lock);
	list_remove(&e->mapping);
	spin_unlock(&vm_object_lock);
}

/* Its end; a truncation that looks at it sees one or the other. */
static void
set_eva(struct vm_map_entry *e, vaddr_t eva)
{
	if (e->vnode != NULL)
		spin_lock(&vm_object_lock);
	e->eva = eva;
	if (e->vnode != NULL)
		spin_unlock(&vm_object_lock);
}

void
vm_map_link(struct vmspace *vs, struct vm_map_entry *e)
{
	struct vm_map *map = vm_map_of(vs);
	struct vm_map_entry *before = search_le(map, entry_sva(e));

	list_insert_after(before != NULL ? &before->link : &map->entries,
	    &e->link);
	rb_insert(&map->tree, &e->node);
	map->hint = e; /* it will be used soon */
	map->nentries++;
	vs->size_bytes += e->eva - entry_sva(e);
	counter_add(TS_regions, 1);
	e->vs = vs;
	vm_map_join_file(e);
}

void
vm_map_unlink(struct vmspace *vs, struct vm_map_entry *e)
{
	struct vm_map *map = vm_map_of(vs);

	list_remove(&e->link);
	rb_remove(&map->tree, &e->node);
	if (map->hint == e)
		map->hint = NULL;
	map->nentries--;
	vs->size_bytes -= e->eva - entry_sva(e);
	counter_add(TS_regions, (uint64_t)-1);
	vm_map_leave_file(e);
}

/* ---- look-up ---- */

__slowpath struct vm_map_entry *
vm_map_search(struct vm_map *map, vaddr_t va)
{
	struct vm_map_entry *e = search_le(map, va);

	if (e == NULL || va >= e->eva)
		return NULL;
	/* Faults share the space's lock, so several may store at once. */
	__atomic_store_n(&map->hint, e, __ATOMIC_RELAXED);
	return e;
}

struct vm_map_entry *
vm_map_first(struct vm_map *map, vaddr_t va)
{
	struct vm_map_entry *e = vm_map_lookup(map, va);

	if (likely(e != NULL))
		return e;
	e = search_le(map, va);
	return entry_of(map, e != NULL ? e->link.next : map->entries.next);
}

bool
vm_map_covers(struct vm_map *map, vaddr_t sva, vaddr_t eva)
{
	const struct vm_map_entry *e = vm_map_lookup(map, sva);

	while (e != NULL && e->eva < eva) {
		vaddr_t end = e->eva;

		e = vm_map_next(map, e);
		if (e != NULL && entry_sva(e) != end)
			return false;
	}
	return e != NULL;
}

/* ---- clip and coalesce ---- */

/* @p tail becomes the part of @p e from @p va on.  Both cover it for a moment,
 * so that no revocation of a file misses it. */
static void
clip_at(struct vmspace *vs, struct vm_map_entry *e, vaddr_t va,
    struct vm_map_entry *tail)
{
	tail->node.key = va;
	tail->eva = e->eva;
	tail->offset += (va - entry_sva(e)) >> PAGE_SHIFT;
	tail->source_offset += va - entry_sva(e);
	vm_map_link(vs, tail);
	vs->size_bytes -= e->eva - va; /* vm_map_link added it again */
	set_eva(e, va);
}

static struct vm_map_entry *
crossing(struct vm_map *map, vaddr_t va)
{
	struct vm_map_entry *e = vm_map_lookup(map, va);

	return e != NULL && entry_sva(e) < va ? e : NULL;
}

void
vm_map_entry_discard(struct vm_map_entry *e)
{
	struct mach_object *o = e->object;

	/* Never the last reference: the original has one. */
	if (o != NULL)
		__atomic_fetch_sub(&o->refs, 1, __ATOMIC_RELEASE);
	e->object = NULL;
	vm_map_entry_free(e);
}

int
vm_map_clip(struct vmspace *vs, vaddr_t sva, vaddr_t eva)
{
	struct vm_map *map = vm_map_of(vs);
	struct vm_map_entry *a = crossing(map, sva), *b = crossing(map, eva);
	struct vm_map_entry *tail_a = NULL, *tail_b = NULL;

	if (a != NULL && (tail_a = vm_map_entry_copy(a)) == NULL)
		return ENOMEM;
	if (b != NULL && (tail_b = vm_map_entry_copy(b)) == NULL) {
		if (tail_a != NULL)
			vm_map_entry_discard(tail_a);
		return ENOMEM;
	}
	/* The later place first: then both names still mean what they did. */
	if (b != NULL)
		clip_at(vs, b, eva, tail_b);
	if (a != NULL)
		clip_at(vs, a, sva, tail_a);
	return 0;
}

/* @p a ends where @p b begins: the same memory, or none yet? */
static bool
same_memory(const struct vm_map_entry *a, const struct vm_map_entry *b)
{
	struct mach_object *o = a->object;

	if (a->source != VM_ANON &&
	    a->source_offset + (a->eva - entry_sva(a)) != b->source_offset)
		return false;
	if (a->vnode != b->vnode)
		return false;
	if (o == b->object)
		return o == NULL || (a->needs_copy == b->needs_copy &&
			a->offset + entry_npages(a) == b->offset);
	/* The object of a can grow over what nobody has touched. */
	return b->object == NULL && o != NULL && mach_object_refs(o) == 1 &&
	    o->one_mapping && !mach_object_shadows(o) &&
	    a->offset + entry_npages(a) == o->npages;
}

static bool
can_coalesce(const struct vm_map_entry *a, const struct vm_map_entry *b)
{
	return a->eva == entry_sva(b) && a->prot == b->prot &&
	    a->maxprot == b->maxprot && a->source == b->source &&
	    a->flags == b->flags && a->inheritance == b->inheritance &&
	    same_memory(a, b);
}

/* @p b disappears into @p a. */
static void
absorb(struct vmspace *vs, struct vm_map_entry *a, struct vm_map_entry *b)
{
	vaddr_t eva = b->eva;

	if (a->object != NULL && b->object == NULL)
		a->object->npages += entry_npages(b);
	vs->size_bytes += eva - a->eva;
	set_eva(a, eva);
	vm_map_unlink(vs, b);
	vm_map_entry_discard(b);
}

struct vm_map_entry *
vm_map_simplify(struct vmspace *vs, struct vm_map_entry *e)
{
	struct vm_map *map = vm_map_of(vs);
	struct vm_map_entry *other = vm_map_next(map, e);

	if (other != NULL && can_coalesce(e, other))
		absorb(vs, e, other);
	other = vm_map_prev(map, e);
	if (other == NULL || !can_coalesce(other, e))
		return e;
	absorb(vs, other, e);
	return other;
}

/* ---- room for a new entry ---- */

/* Where the place of @p e begins for others: a stack keeps its distance. */
static vaddr_t
guarded_sva(const struct vm_map_entry *e)
{
	vaddr_t sva = entry_sva(e);

	return e->flags & VM_MAP_STACK ? sva - MIN(sva, VM_STACK_GUARD) : sva;
}

static bool
is_free(struct vm_map *map, vaddr_t va, size_t size)
{
	const struct vm_map_entry *e = vm_map_first(map, va);

	return e == NULL || guarded_sva(e) >= va + size;
}

/* Top-down from @p top: the highest gap of @p size that ends at or below. */
static int
search_down(struct vm_map *map, vaddr_t top, size_t size, vaddr_t *out)
{
	const struct vm_map_entry *e = search_le(map, top - 1);

	for (;;) {
		vaddr_t floor = e != NULL ? e->eva : USER_MIN;

		if (top >= floor && top - floor >= size) {
			*out = top - size;
			return 0;
		}
		if (e == NULL)
			return ENOMEM;
		top = MIN(top, guarded_sva(e));
		e = vm_map_prev(map, e);
	}
}

int
vm_map_find_space(struct vmspace *vs, vaddr_t hint, size_t size, vaddr_t *out)
{
	struct vm_map *map = vm_map_of(vs);
	vaddr_t top = map->free_hint;
	int error = ENOMEM;

	if (hint != 0 && is_free(map, hint, size)) {
		*out = hint;
		return 0;
	}
	if (top >= USER_MIN + size)
		error = search_down(map, top, size, out);
	if (error != 0)
		error = search_down(map, USER_MAX, size, out);
	if (error == 0)
		map->free_hint = *out;
	return error;
}
