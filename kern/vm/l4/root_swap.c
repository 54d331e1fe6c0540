/* SPDX-License-Identifier: MIT */
/*
 * root_swap.c - page-out by the root pager; the way back in.
 *
 * Path: pageout.c -> root_pageout; root_fault, swapped slot -> root_swap_in.
 * The pager does what any pager on L4 can: unmap with no rights says whether a
 * page was used, unmap with all of them takes it from its client and from
 * everybody who has it from there.
 * Locks: a client's space exclusively, so that no fault is under way in it;
 *	then vm_object_lock, because pages change hands with the swap cache;
 *	then the set.
 * Source: Babaoglu and Joy, Converting a swap-based system to do paging, 1981
 * (the clock); Aron et al., The SawMill Framework, 2001 (pagers on L4).
 */
/*
 *	page of			used	what happens
 *	any			yes	A is cleared: a second chance
 *	a set, alone or COW	no	unmapped; its slot becomes a word
 *	a dataspace, others	no	unmapped; the turn of the last one
 *	have it too			will find it alone
 *	a file's cache		no	unmapped; the cache has it
 *	a set, pinned or	no	unmapped, but stays in the set:
 *	granted away			who has it may write it
 *
 * The hand goes from client to client, and through each from its first region
 * to the last.
 */
#include "abi/errno.h"
#include "vm/l4/root_pager.h"
#include "vm/swap.h"

#include "vm/l4/no_pmap.h"

#define STRETCH (256 * PAGE_SIZE) /* looked at with the locks held */

/* Where the hand is. Only the daemon moves it. */
static struct {
	uint64_t client; /* id */
	vaddr_t va;
} hand;

struct sweep {
	struct vmspace *vs;
	const struct region *r;
	struct pageset *pages; /* of the region */
	struct tlb_gather tg;
	unsigned want;
	bool anything; /* also what was used lately */
	unsigned gone; /* mappings, and pages that had none */
};

/* ---- out ---- */

/* Ask about the client's mapping of @p pg, and take it if it was not used.
 * @return whether the page is unmapped here
 * @p status L4_*; L4_MAPPED: it was mapped until now */
static bool
take_mapping(struct sweep *s, vaddr_t va, const struct vm_page *pg,
    unsigned *status)
{
	struct l4_unmap u = { .space = s->vs, .sva = va, .eva = va + PAGE_SIZE,
		.flags = L4_UNMAP_SELF | L4_UNMAP_OWNER | L4_UNMAP_RESET };
	bool used = false;

	*status = 0;
	if (!l4_has(s->vs, va, pg))
		return true;
	if (!s->anything)
		used = l4_unmap(&u, &s->tg) != 0 || (u.status & L4_REFERENCED);
	u.sva = va;
	u.rights = VM_PROT_ALL;
	/* There is room for it: a sweep is shorter than the gather. */
	if (!used && l4_unmap(&u, &s->tg) == 0)
		s->gone++;
	else
		used = true;
	*status = u.status;
	return !used;
}

/* Whether nobody can write the page any more but through its slot.  A page
 * that several sets have was write-protected when they came to share it. */
static bool
may_go(uintptr_t slot, bool in_gather)
{
	const struct vm_page *pg = slot_page(slot);
	uint64_t cached = (page_flags(pg) & PG_CACHED) != 0;

	if (slot & SLOT_COW)
		return __atomic_load_n(&pg->pins, __ATOMIC_ACQUIRE) == 0;
	return __atomic_load_n(&pg->holds, __ATOMIC_ACQUIRE) ==
	    1 + in_gather + cached;
}

/* @locks vm_object_lock, s->pages */
static void
sweep_slot(struct sweep *s, vaddr_t va, uintptr_t *slot)
{
	struct vm_page *pg = slot_page(*slot);
	unsigned status;
	bool unmapped = take_mapping(s, va, pg, &status);
	bool now = status & L4_MAPPED;
	uint64_t n;

	/* The mapping starts anew, but this is remembered for al_dirty; shared
	 * memory is written by many, and only their overlays tell who. */
	if ((status & L4_WRITTEN) && s->r->store == NULL)
		*slot |= SLOT_DIRTY;
	if (!unmapped || !may_go(*slot, now) || swap_out(pg, &n) != 0)
		return;
	*slot = slot_word(n) | (*slot & SLOT_DIRTY);
	pageset_count_word(s->pages, 1);
	page_drop(pg); /* the cache has it now */
	s->gone += !now;
}

/* The pages of the set for [@p va, @p eva). @return where it ended */
static vaddr_t
sweep_set(struct sweep *s, vaddr_t va, vaddr_t eva)
{
	for (; va < eva && s->gone < s->want; va += PAGE_SIZE) {
		uintptr_t *slot = pageset_find(s->pages,
		    region_index(s->r, va));

		if (slot != NULL && !slot_swapped(*slot))
			sweep_slot(s, va, slot);
	}
	return va;
}

/* What is mapped of the file itself. @return where it ended */
static vaddr_t
sweep_file(struct sweep *s, vaddr_t va, vaddr_t eva)
{
	struct l4_unmap any = { .space = s->vs, .sva = va, .eva = eva,
		.flags = L4_UNMAP_SELF };
	uint64_t start = s->r->offset - region_sva(s->r);
	unsigned status;

	if (l4_unmap(&any, &s->tg) != 0 || !(any.status & L4_MAPPED))
		return eva;
	for (; va < eva && s->gone < s->want; va += PAGE_SIZE) {
		struct vm_page *pg = vm_object_find(s->r->object,
		    (start + va) >> PAGE_SHIFT);

		if (pg != NULL)
			(void)take_mapping(s, va, pg, &status);
	}
	return va;
}

/* Where the next page of the set is, from @p va on, or the region's end. */
static vaddr_t
skip_hole(const struct sweep *s, vaddr_t va)
{
	uint64_t index = region_index(s->r, va);
	const struct page_chunk *c = pageset_chunk(s->pages, index);

	if (c == NULL)
		return s->r->eva;
	if (c->node.key <= index)
		return va;
	return MIN(s->r->eva, va + ((c->node.key - index) << PAGE_SHIFT));
}

/* One stretch of one region, from @p va on. @return where it ended */
static vaddr_t
sweep_stretch(struct sweep *s, vaddr_t va)
{
	vaddr_t eva;

	s->pages = region_pages(s->vs, s->r);
	spin_lock(&vm_object_lock);
	spin_lock(&s->pages->lock);
	if (s->r->object == NULL)
		va = skip_hole(s, va);
	eva = MIN(s->r->eva, va + STRETCH);
	if (s->r->object != NULL)
		eva = sweep_file(s, va, eva);
	if (!(s->r->object != NULL && region_shared(s->r)))
		eva = sweep_set(s, va, eva);
	spin_unlock(&s->pages->lock);
	spin_unlock(&vm_object_lock);
	return eva;
}

/* Whether anything of the region can go: its own pages only into a slot. */
static bool
is_worth_it(const struct region *r)
{
	return r->source != VM_PHYS &&
	    (r->object != NULL || swap_used() < swap_total());
}

/* One client, from the hand on. */
static int
sweep_client(struct vmspace *vs, void *arg)
{
	uint64_t id = client_of(vs)->id;
	struct sweep *s = arg;
	vaddr_t va = id == hand.client ? hand.va : 0;

	if (id < hand.client)
		return 0;
	sleep_lock(&vs->lock); /* nobody waits for memory with it */
	s->vs = vs;
	for (s->r = region_first(vs, va); s->r != NULL && s->gone < s->want;
	     s->r = region_first(vs, va)) {
		va = MAX(va, region_sva(s->r));
		va = is_worth_it(s->r) ? sweep_stretch(s, va) : s->r->eva;
	}
	hand.client = s->r == NULL ? id + 1 : id;
	hand.va = s->r == NULL ? 0 : va;
	if (!tlb_gather_empty(&s->tg))
		tlb_gather_flush(&s->tg);
	vs->version++;
	sleep_unlock(&vs->lock);
	return s->gone >= s->want;
}

unsigned
root_pageout(unsigned want)
{
	struct sweep s = { .want = MIN(want, TLB_GATHER_PAGES) };

	tlb_gather_init(&s.tg);
	/* The rest of this revolution and two whole ones: the first clears A,
	 * the second finds what was not used since.  All of it is in use: then
	 * whatever the hand meets. */
	for (unsigned turn = 0; turn < 4 && s.gone < s.want; turn++) {
		s.anything = turn == 3;
		if (vmspace_foreach(sweep_client, &s) == 0)
			hand.client = hand.va = 0;
	}
	return s.gone;
}

/* ---- in ---- */

/* The page of a swapped slot is in the cache: it is the set's again. */
static void
take_back(const struct root_fault *f, uintptr_t *slot, struct vm_page *pg)
{
	uint64_t n = slot_swap(*slot);
	bool cow;

	if (f->txn->held == pg)
		vm_object_done(f->txn); /* it would look like a sharer's */
	/* A dataspace has one word for it, and all clients share that. */
	cow = f->r->store == NULL && !swap_is_last(n, pg);
	page_hold(pg);
	*slot = (uintptr_t)pg | (*slot & SLOT_DIRTY) | (cow ? SLOT_COW : 0);
	pageset_count_word(f->pages, -1);
	swap_drop(n);
}

int
root_swap_in(const struct root_fault *f)
{
	struct vm_page *pg;
	uintptr_t *slot;
	int error;

	spin_lock(&vm_object_lock);
	spin_lock(&f->pages->lock);
	slot = pageset_find(f->pages, f->index);
	if (slot == NULL || !slot_swapped(*slot)) {
		error = root_restart(f->txn); /* another thread was faster */
		goto out;
	}
	pg = vm_object_find(&swap_object, slot_swap(*slot));
	if (pg == NULL || (page_flags(pg) & PG_BUSY)) {
		error = vm_object_wait(&swap_object, slot_swap(*slot), false,
		    f->txn);
		goto out;
	}
	take_back(f, slot, pg);
	error = root_answer_slot(f, slot);
out:
	spin_unlock(&f->pages->lock);
	spin_unlock(&vm_object_lock);
	return error;
}
