/* SPDX-License-Identifier: MIT */
/*
 * classic_fork.c - copy a space: the same frames, read-only on both sides.
 *
 * Regions first, then leaves in chunks: with the parent's pmap locked a chunk
 * is marked copy-on-write and remembered, then it is entered into the child,
 * which may need memory for tables.  Shared regions need no leaves: the child
 * finds the frames in the store; nor do pages of files that were not copied.
 * Locks: both spaces exclusively; the child is not published yet.
 * A frame that the kernel is writing (wpins) is copied at once: marked
 * read-only, it would still change under the child.
 */
#include "abi/errno.h"
#include "vm/classic/classic.h"
#include "vm/swap.h"

#define CHUNK 32

struct chunk {
	struct tlb_gather *tg;
	bool file; /* pages of the cache are found there again */
	unsigned n;
	struct {
		vaddr_t va;
		struct vm_page *pg;
		uint64_t word; /* software word; 0: a leaf */
		uint16_t bits;
		bool copy; /* being written by the kernel: not shared */
	} e[CHUNK];
};

static int
share_leaf(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	struct chunk *ch = arg;
	struct vm_page *pg = phys_to_page(leaf->pa);
	bool copy = leaf->kind != PMAP_SOFT &&
	    __atomic_load_n(&pg->wpins, __ATOMIC_ACQUIRE) != 0;
	unsigned bits = leaf->bits;

	if (ch->n == CHUNK)
		return 1;
	ch->e[ch->n].va = c->va;
	ch->e[ch->n].word = 0;
	if (leaf->kind == PMAP_SOFT) {
		ch->e[ch->n++].word = leaf->soft;
		return 0;
	}
	/* Of a file and not ours alone: the child faults. */
	if (ch->file && (pg->flags & PG_CACHED) && pg->owner != &swap_object)
		return 0;
	if (!copy) {
		page_hold(pg);
		if (!(bits & PMAP_COW))
			bits = pmap_cursor_change(c, PMAP_W, PMAP_COW, ch->tg);
		bits = (bits & ~PMAP_W) | PMAP_COW;
	}
	ch->e[ch->n].pg = pg;
	ch->e[ch->n].bits = (uint16_t)bits;
	ch->e[ch->n].copy = copy;
	ch->n++;
	return 0;
}

/* The child shares the slot. */
static __attribute__((noinline)) int
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

/* Enter element @p i into the child; the reference is used up in any case. */
static int
enter_child(struct vmspace *child, struct chunk *ch, unsigned i)
{
	struct vm_page *pg = ch->e[i].pg;
	struct pmap_new nw = { .bits = ch->e[i].bits };
	int error;

	if (ch->e[i].word != 0)
		return enter_word(child, ch->e[i].va, ch->e[i].word, ch->tg);
	if (ch->e[i].copy) {
		struct vm_page *new = frame_alloc(FRAME_DEFAULT);

		if (new == NULL)
			return ENOMEM;
		page_copy(page_to_virt(new), page_to_virt(pg));
		pg = new;
	}
	nw.pa = page_to_phys(pg);
	error = pmap_enter(child->pmap, ch->e[i].va, &nw, ch->tg);
	if (error != 0)
		page_drop(pg);
	return error;
}

static int
fork_leaves(struct vmspace *parent, struct vmspace *child,
    const struct region *r, struct tlb_gather *tg)
{
	vaddr_t va = region_sva(r);
	struct chunk ch;
	int error = 0;

	ch.tg = tg;
	ch.file = r->object != NULL;
	do {
		unsigned i;

		ch.n = 0;
		pmap_scan(parent->pmap, va, r->eva, share_leaf, &ch);
		for (i = 0; error == 0 && i < ch.n; i++)
			error = enter_child(child, &ch, i);
		for (; i < ch.n; i++) /* after an error */
			if (!ch.e[i].copy && ch.e[i].word == 0)
				page_drop(ch.e[i].pg);
		if (ch.n > 0)
			va = ch.e[ch.n - 1].va + PAGE_SIZE;
	} while (error == 0 && ch.n == CHUNK);
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
	classic_of(child)->hint = classic_of(parent)->hint;
	return 0;
}
