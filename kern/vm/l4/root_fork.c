/* SPDX-License-Identifier: MIT */
/*
 * root_fork.c - fork on L4: take W from the parent, share the pages' names.
 *
 * Chunk by chunk: the parent's own mappings lose W, then each page goes into
 * the child's set too.  Nothing is mapped to the child: most children touch a
 * few pages and leave, and its faults find the rest, without W.  The next write
 * on either side is a fault message, and the pager copies.  Shared regions need
 * no pages: the child finds them in the dataspace or the file.
 * Locks: both spaces exclusively; the parent's set, then the child's, since the
 *	child's regions of files can be revoked already.  vm_object_lock before
 *	them if words of swap slots are copied.
 * A frame that the kernel is writing (wpins) is copied at once: without W in
 * the parent, it would still change under the child.
 */
#include "abi/errno.h"
#include "vm/l4/root_pager.h"
#include "vm/swap.h"

#include "vm/l4/no_pmap.h"

struct fork {
	struct vmspace *parent, *child;
	const struct region *r;
	struct vm_txn *txn;
};

/* The child's slot for a page of the parent, with a reference; 0: no memory. */
static uintptr_t
share(uintptr_t *slot)
{
	struct vm_page *pg, *copy;

	if (slot_swapped(*slot)) {
		swap_hold(slot_swap(*slot));
		return *slot;
	}
	pg = slot_page(*slot);
	/* W is taken already, so that no new pin to write can come. */
	if (!page_being_written(pg)) {
		*slot |= SLOT_COW;
		page_hold(pg);
		return *slot;
	}
	copy = sigma0_alloc();
	if (copy != NULL)
		page_copy(page_to_virt(copy), page_to_virt(pg));
	return (uintptr_t)copy;
}

static int
fork_page(const struct fork *f, vaddr_t va, uintptr_t *slot)
{
	uintptr_t theirs = share(slot);
	int error;

	if (theirs == 0)
		return ENOMEM;
	error = pageset_add(&client_of(f->child)->pages, va >> PAGE_SHIFT,
	    theirs);
	if (error != 0) {
		slot_drop(theirs);
		return error;
	}
	/* What the parent wrote is written in the child too. */
	if (!list_empty(&f->parent->overlays) &&
	    (l4_unmap_page(f->parent, va, 0, L4_UNMAP_SELF, &f->txn->tg) &
		L4_WRITTEN))
		vm_overlay_dirtied(f->child, va);
	return 0;
}

/* The pages of one chunk; @p *va is where it ended. */
static int
fork_chunk(const struct fork *f, struct page_chunk *c, vaddr_t *va)
{
	vaddr_t first = c->node.key << PAGE_SHIFT;
	vaddr_t sva = MAX(*va, first);
	vaddr_t eva = MIN(f->r->eva, first + CHUNK_PAGES * PAGE_SIZE);
	struct l4_unmap u = { .space = f->parent, .sva = sva, .eva = eva,
		.rights = VM_PROT_WRITE,
		.flags = L4_UNMAP_SELF | L4_UNMAP_OWNER };
	int error = 0;

	if ((f->r->prot & VM_PROT_WRITE) && l4_unmap(&u, &f->txn->tg) != 0)
		return ENOMEM;
	for (; error == 0 && sva < eva; sva += PAGE_SIZE) {
		uintptr_t *slot = &c->slot[(sva >> PAGE_SHIFT) % CHUNK_PAGES];

		if (*slot != 0)
			error = fork_page(f, sva, slot);
	}
	*va = eva;
	return error;
}

static int
fork_pages(const struct fork *f)
{
	struct pageset *ps = &client_of(f->parent)->pages;
	/* Words come with the space locked, so 0 stays 0. */
	bool words = __atomic_load_n(&ps->nswapped, __ATOMIC_RELAXED) > 0;
	vaddr_t va = region_sva(f->r);
	struct page_chunk *c;
	int error = 0;

	while (error == 0 && va < f->r->eva) {
		if (words)
			spin_lock(&vm_object_lock);
		spin_lock(&ps->lock);
		spin_lock_nested(&client_of(f->child)->pages.lock);
		c = pageset_chunk(ps, va >> PAGE_SHIFT);
		if (c == NULL || c->node.key << PAGE_SHIFT >= f->r->eva)
			va = f->r->eva;
		else
			error = fork_chunk(f, c, &va);
		spin_unlock(&client_of(f->child)->pages.lock);
		spin_unlock(&ps->lock);
		if (words)
			spin_unlock(&vm_object_lock);
	}
	return error;
}

int
root_as_fork(struct vmspace *parent, struct vmspace *child,
    struct vm_txn *txn)
{
	struct fork f = { .parent = parent, .child = child, .txn = txn };
	struct region *r, *copy;
	int error;

	for (r = region_first(parent, 0); r != NULL; r = region_next(r)) {
		copy = region_clone(r);
		if (copy == NULL)
			return ENOMEM;
		region_insert(child, copy);
		if (region_shared(r) || r->source == VM_PHYS)
			continue;
		f.r = r;
		error = fork_pages(&f);
		if (error != 0)
			return error;
	}
	child->regions->hint = parent->regions->hint;
	return 0;
}
