/* SPDX-License-Identifier: MIT */
/*
 * classic_fork.c - copy a space: the same frames, read-only on both sides.
 *
 * Regions first, then their pages: the engine shares a table of ordinary leaves
 * at a time, and leaves the others to us.  Shared regions need no leaves: the
 * child finds the frames in the store; nor do pages of files that were not
 * copied.
 * Locks: both spaces exclusively; the child is not published yet.
 * A frame that the kernel is writing (wpins) is copied at once: marked
 * read-only, it would still change under the child.
 */
#include "abi/errno.h"
#include "vm/classic/classic.h"
#include "vm/swap.h"

/* An entry that pmap_share() does not take, and what the child gets. */
struct odd {
	const struct region *r;
	struct tlb_gather *tg;
	uint64_t word;	    /* software word; 0: a leaf */
	struct vm_page *pg; /* with a reference; NULL: nothing */
	unsigned bits;
	bool copy;	    /* being written by the kernel: not shared */
};

/* Under the lock of the parent's pmap, so that the page stays. */
static int
take_odd(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	struct vm_page *pg = phys_to_page(leaf->pa);
	struct odd *o = arg;

	if (leaf->kind == PMAP_SOFT) {
		o->word = leaf->soft;
		return 0;
	}
	/* Of a file and not ours alone: the child faults. */
	if (o->r->object != NULL && (page_flags(pg) & PG_CACHED) &&
	    pg->owner != &swap_object)
		return 0;
	page_hold(pg);
	o->pg = pg;
	o->bits = leaf->bits;
	o->copy = page_being_written(pg);
	if (o->copy)
		return 0;
	if (!(leaf->bits & PMAP_COW))
		o->bits = pmap_cursor_change(c, PMAP_W, PMAP_COW, o->tg);
	o->bits = (o->bits & ~PMAP_W) | PMAP_COW;
	return 0;
}

/* The child shares the slot. */
static int
enter_word(struct vmspace *child, vaddr_t va, uint64_t word,
    struct tlb_gather *tg)
{
	int error = pmap_reserve(child->pmap, va, va + PAGE_SIZE);

	if (error != 0)
		return error;
	spin_lock(&vm_object_lock);
	swap_hold(swap_slot(word));
	(void)pmap_clear(child->pmap, va, word, NULL, tg);
	spin_unlock(&vm_object_lock);
	classic_of(child)->nswapped++;
	return 0;
}

/* Enter the page into the child; the reference is used up in any case. */
static int
enter_page(struct vmspace *child, vaddr_t va, const struct odd *o)
{
	struct pmap_new nw = { .bits = o->bits };
	struct vm_page *pg = o->pg;
	int error;

	if (o->copy) {
		pg = frame_alloc(FRAME_DEFAULT);
		if (pg != NULL)
			page_copy(page_to_virt(pg), page_to_virt(o->pg));
		page_drop(o->pg);
		if (pg == NULL)
			return ENOMEM;
	}
	nw.pa = page_to_phys(pg);
	error = pmap_enter(child->pmap, va, &nw, o->tg);
	if (error != 0)
		page_drop(pg);
	return error;
}

static int
fork_odd(struct vmspace *parent, struct vmspace *child,
    const struct region *r, vaddr_t va, struct tlb_gather *tg)
{
	struct odd o = { .r = r, .tg = tg };

	(void)pmap_scan(parent->pmap, va, va + PAGE_SIZE, take_odd, &o);
	if (o.word != 0)
		return enter_word(child, va, o.word, tg);
	return o.pg != NULL ? enter_page(child, va, &o) : 0;
}

static int
fork_leaves(struct vmspace *parent, struct vmspace *child,
    const struct region *r, struct tlb_gather *tg)
{
	vaddr_t va = region_sva(r);
	int error = 0;

	while (error == 0 && va < r->eva) {
		error = pmap_share(parent->pmap, child->pmap, &va, r->eva, tg);
		if (error == EBUSY) {
			error = fork_odd(parent, child, r, va, tg);
			va += PAGE_SIZE;
		}
	}
	return error;
}

int
classic_fork(struct vmspace *parent, struct vmspace *child,
    struct vm_txn *txn)
{
	struct region *r, *copy;
	int error;

	for (r = region_first(parent, 0); r != NULL; r = region_next(r)) {
		copy = region_clone(r);
		if (copy == NULL)
			return ENOMEM;
		region_insert(child, copy);
		if (region_shared(r) || r->source == VM_PHYS ||
		    (r->object != NULL && !r->writable))
			continue;
		error = fork_leaves(parent, child, r, &txn->tg);
		if (error != 0)
			return error;
	}
	child->regions->hint = parent->regions->hint;
	return 0;
}
