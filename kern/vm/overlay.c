/* SPDX-License-Identifier: MIT */
/*
 * overlay.c - Appel-Li rights and dirty bits beside a space (DESIGN rule 6).
 *
 * An overlay covers a range that the program registered once: for each page a
 * cap of its rights and one bit "was written, and D has been cleared since".
 * It belongs to the space and not to the page table, so a design may drop or
 * swap out a leaf without losing what the program asked for.
 * Locks: the space's; shared to read, exclusive to change, except the dirty
 * bits, which are set with an atomic OR under the shared lock.
 * Source: Appel and Li, Virtual Memory Primitives for User Programs, 1991.
 */
#include "abi/errno.h"
#include "lib/string.h"
#include "mem/kmem.h"
#include "vm/vm.h"

struct vm_overlay {
	struct list link;
	vaddr_t sva, eva;
	uint8_t *cap;	   /* one a page */
	uint64_t *dirtied; /* one bit a page */
};

static size_t
npages_of(const struct vm_overlay *o)
{
	return (o->eva - o->sva) >> PAGE_SHIFT;
}

static size_t
bitmap_bytes(size_t npages)
{
	return (npages + 63) / 64 * sizeof(uint64_t);
}

static size_t
page_index(const struct vm_overlay *o, vaddr_t va)
{
	return (va - o->sva) >> PAGE_SHIFT;
}

static struct vm_overlay *
find(const struct vmspace *vs, vaddr_t va)
{
	LIST_FOREACH(l, &vs->overlays) {
		struct vm_overlay *o = LIST_ENTRY(l, struct vm_overlay, link);

		if (o->sva <= va && va < o->eva)
			return o;
	}
	return NULL;
}

vm_prot_t
vm_overlay_cap_slow(const struct vmspace *vs, vaddr_t va)
{
	const struct vm_overlay *o = find(vs, va);

	return o != NULL ? o->cap[page_index(o, va)] : VM_PROT_ALL;
}

void
vm_overlay_dirtied(struct vmspace *vs, vaddr_t va)
{
	struct vm_overlay *o = find(vs, va);
	size_t i;

	if (o == NULL)
		return;
	i = page_index(o, va);
	__atomic_fetch_or(&o->dirtied[i / 64], (uint64_t)1 << (i % 64),
	    __ATOMIC_RELAXED);
}

static void
overlay_free(struct vm_overlay *o)
{
	size_t n = npages_of(o);

	kfree(o->cap, n);
	kfree(o->dirtied, bitmap_bytes(n));
	kfree(o, sizeof(*o));
}

static struct vm_overlay *
overlay_alloc(vaddr_t sva, vaddr_t eva)
{
	struct vm_overlay *o = kmalloc(sizeof(*o));
	size_t n = (eva - sva) >> PAGE_SHIFT;

	if (o == NULL)
		return NULL;
	o->sva = sva;
	o->eva = eva;
	o->cap = kmalloc(n);
	o->dirtied = kzalloc(bitmap_bytes(n));
	if (o->cap == NULL || o->dirtied == NULL) {
		overlay_free(o);
		return NULL;
	}
	memset(o->cap, VM_PROT_ALL, n);
	return o;
}

int
vm_overlay_add(struct vmspace *vs, vaddr_t sva, vaddr_t eva)
{
	struct vm_overlay *o;

	LIST_FOREACH(l, &vs->overlays) {
		o = LIST_ENTRY(l, struct vm_overlay, link);
		if (sva < o->eva && o->sva < eva)
			return EEXIST;
	}
	o = overlay_alloc(sva, eva);
	if (o == NULL)
		return ENOMEM;
	list_push_back(&vs->overlays, &o->link);
	return 0;
}

int
vm_overlay_remove(struct vmspace *vs, vaddr_t sva, vaddr_t eva)
{
	struct vm_overlay *o = find(vs, sva);

	if (o == NULL || o->sva != sva || o->eva != eva)
		return EINVAL;
	list_remove(&o->link);
	overlay_free(o);
	return 0;
}

int
vm_overlay_fork(const struct vmspace *parent, struct vmspace *child)
{
	LIST_FOREACH(l, &parent->overlays) {
		const struct vm_overlay *o =
		    LIST_ENTRY(l, struct vm_overlay, link);
		struct vm_overlay *copy = overlay_alloc(o->sva, o->eva);

		if (copy == NULL)
			return ENOMEM;
		memcpy(copy->cap, o->cap, npages_of(o));
		memcpy(copy->dirtied, o->dirtied,
		    bitmap_bytes(npages_of(o)));
		list_push_back(&child->overlays, &copy->link);
	}
	return 0;
}

void
vm_overlay_clear(struct vmspace *vs)
{
	struct list *l;

	while ((l = list_pop_front(&vs->overlays)) != NULL)
		overlay_free(LIST_ENTRY(l, struct vm_overlay, link));
}

void
vm_overlay_reset(struct vmspace *vs, vaddr_t sva, vaddr_t eva)
{
	LIST_FOREACH(l, &vs->overlays) {
		struct vm_overlay *o = LIST_ENTRY(l, struct vm_overlay, link);

		for (vaddr_t va = MAX(sva, o->sva); va < MIN(eva, o->eva);
		     va += PAGE_SIZE) {
			size_t i = page_index(o, va);

			o->cap[i] = VM_PROT_ALL;
			o->dirtied[i / 64] &= ~((uint64_t)1 << (i % 64));
		}
	}
}

bool
vm_overlay_covers(const struct vmspace *vs, vaddr_t sva, vaddr_t eva)
{
	const struct vm_overlay *o = find(vs, sva);

	return o != NULL && eva <= o->eva;
}

void
vm_overlay_set_cap(struct vmspace *vs, const struct page_op *op)
{
	struct vm_overlay *o = find(vs, op->sva);

	memset(&o->cap[page_index(o, op->sva)], (int)op->cap,
	    (op->eva - op->sva) >> PAGE_SHIFT);
}

void
vm_overlay_take_dirty(struct vmspace *vs, vaddr_t sva, vaddr_t eva,
    uint64_t *bitmap)
{
	struct vm_overlay *o = find(vs, sva);

	for (vaddr_t va = sva; va < eva; va += PAGE_SIZE) {
		size_t i = page_index(o, va), k = (va - sva) >> PAGE_SHIFT;
		uint64_t bit = (uint64_t)1 << (i % 64);

		if (!(o->dirtied[i / 64] & bit))
			continue;
		o->dirtied[i / 64] &= ~bit;
		bitmap[k / 64] |= (uint64_t)1 << (k % 64);
	}
}
