/* SPDX-License-Identifier: MIT */
/*
 * classic_swap.c - page-out by a clock over the page tables; software words.
 *
 * Path: pageout.c -> classic_pageout; classic_fault -> classic_swap_in.
 * Locks: a space is taken exclusively, so that no fault is under way in it;
 *	vm_object_lock while leaves are looked at, because pages change
 *	hands with the swap cache.
 * Sources: Bach, The Design of the UNIX Operating System, 1986, 9.2; Babaoglu
 * and Joy, Converting a swap-based system to do paging, 1981 (the clock).
 */
/*
 *	leaf of			used lately	what happens
 *	any, pinned		any		stays
 *	any			yes (A)		A is cleared: a second chance
 *	private, anonymous	no		software word; swap_out(page)
 *	private, of a file	no		goes; the cache has the page
 *	shared (store, file)	no		goes; store or cache have it
 *	store's own, last	no		software word in its table
 *
 * The hand goes from space to space, and through each from its regions' first
 * page to the last.
 */
#include "abi/errno.h"
#include "vm/classic/classic.h"
#include "vm/swap.h"

#define STEPS	      256 /* entries looked at with the lock held */
#define CLEAR_STRETCH ((vaddr_t)64 << 20)

/* Where the hand is. Only the daemon moves it. */
static struct {
	uint64_t pmap_id; /* of the space */
	vaddr_t va;
} hand;

struct sweep {
	struct vmspace *vs;
	const struct region *r;
	struct vm_txn txn;
	unsigned want, steps;
	bool anything; /* also what was used lately */
	unsigned gone; /* leaves */
	vaddr_t end;   /* of what was looked at */
};

/* Whether the scan shall stop before this entry, or pass over it. */
enum verdict { STOP, STAY, GO };

static enum verdict
judge(struct sweep *s, struct pmap_cursor *c, const struct pmap_leaf *leaf)
{
	const struct vm_page *pg = phys_to_page(leaf->pa);

	if (s->steps == 0 || s->gone >= s->want)
		return STOP;
	s->steps--;
	if (leaf->kind == PMAP_SOFT ||
	    __atomic_load_n(&pg->pins, __ATOMIC_ACQUIRE) != 0)
		return STAY;
	if ((leaf->bits & PMAP_ACCESSED) && !s->anything) {
		pmap_cursor_change(c, PMAP_ACCESSED, 0, &s->txn.tg);
		return STAY;
	}
	return GO;
}

/* Whether somebody else has the contents, so that the leaf may just go. */
static bool
is_elsewhere(const struct region *r, const struct vm_page *pg)
{
	return region_shared(r) ||
	    ((page_flags(pg) & PG_CACHED) && pg->owner != &swap_object);
}

static int
sweep_leaf(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	struct vm_page *pg = phys_to_page(leaf->pa);
	struct sweep *s = arg;
	uint64_t word = 0, slot;

	switch (judge(s, c, leaf)) {
	case STOP:
		s->end = c->va;
		return 1;
	case STAY:
		return 0;
	case GO:
		break;
	}
	if (!is_elsewhere(s->r, pg)) {
		if (swap_out(pg, &slot) != 0)
			return 0;
		word = swap_word(slot, leaf->bits & PMAP_DIRTY);
		__atomic_fetch_add(&classic_of(s->vs)->nswapped, 1,
		    __ATOMIC_RELAXED);
	}
	if (word == 0 && (leaf->bits & PMAP_DIRTY))
		vm_overlay_dirtied(s->vs, c->va);
	pmap_cursor_clear(c, word, &s->txn.tg);
	s->gone++;
	/* There is room for it: a sweep is shorter than the gather. */
	return tlb_gather_page(&s->txn.tg, pg);
}

/* A store's own entry, when no leaf is left: nothing to flush. */
static int
sweep_stored(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	struct vm_page *pg = phys_to_page(leaf->pa);
	struct sweep *s = arg;
	uint64_t slot;

	switch (judge(s, c, leaf)) {
	case STOP:
		return 1;
	case STAY:
		return 0;
	case GO:
		break;
	}
	if (pg->refs != 1 || swap_out(pg, &slot) != 0)
		return 0;
	pmap_cursor_clear(c, swap_word(slot, false), &s->txn.tg);
	page_drop(pg); /* the cache has it now */
	s->gone++;
	return 0;
}

/* One stretch of one region, from @p va on. @return where it ended */
static vaddr_t
sweep_stretch(struct sweep *s, vaddr_t va)
{
	const struct region *r = s->r;
	uint64_t off = r->offset + (va - region_sva(r));

	s->steps = 2 * STEPS;
	s->end = MIN(r->eva, va + STEPS * PAGE_SIZE);
	spin_lock(&vm_object_lock);
	(void)pmap_scan(s->vs->pmap, va, s->end, sweep_leaf, s);
	if (r->store != NULL)
		(void)pmap_scan(store_of(r)->table, off, off + (s->end - va),
		    sweep_stored, s);
	spin_unlock(&vm_object_lock);
	return s->end;
}

/* Whether anything of region @p r can go: its own pages only into a slot. */
static bool
is_worth_it(const struct region *r)
{
	return r->source != VM_PHYS &&
	    (r->object != NULL || swap_used() < swap_total());
}

/* One space, from the hand on. */
static int
sweep_space(struct vmspace *vs, void *arg)
{
	struct sweep *s = arg;
	vaddr_t va = vs->pmap->id == hand.pmap_id ? hand.va : 0;

	if (vs->pmap->id < hand.pmap_id)
		return 0;
	sleep_lock(&vs->lock); /* nobody waits for memory with it */
	s->vs = vs;
	for (s->r = region_first(vs, va); s->r != NULL && s->gone < s->want;
	     s->r = region_first(vs, va)) {
		va = MAX(va, region_sva(s->r));
		va = is_worth_it(s->r) ? sweep_stretch(s, va) : s->r->eva;
	}
	hand.pmap_id = s->r == NULL ? vs->pmap->id + 1 : vs->pmap->id;
	hand.va = s->r == NULL ? 0 : va;
	if (!tlb_gather_empty(&s->txn.tg))
		tlb_gather_flush(&s->txn.tg);
	vs->version++;
	sleep_unlock(&vs->lock);
	return s->gone >= s->want;
}

unsigned
classic_pageout(unsigned want)
{
	struct sweep s = { .want = MIN(want, TLB_GATHER_PAGES) };

	tlb_gather_init(&s.txn.tg);
	/* The rest of this revolution and two whole ones: the first clears A,
	 * the second finds what was not used since.  All of it is in use: then
	 * whatever the hand meets. */
	for (unsigned turn = 0; turn < 4 && s.gone < s.want; turn++) {
		s.anything = turn == 3;
		if (vmspace_foreach(sweep_space, &s) == 0)
			hand.pmap_id = hand.va = 0;
	}
	return s.gone;
}

/* ---- software words ---- */

int
classic_swap_in(struct classic_space *cs, struct pmap *table, vaddr_t va,
    unsigned bits, const struct pmap_leaf *seen, struct vm_txn *txn)
{
	uint64_t slot = swap_slot(seen->soft);
	struct pmap_new nw = { .bits = bits, .seen = seen };
	struct vm_page *pg;
	int error;

	spin_lock(&vm_object_lock);
	pg = vm_object_find(&swap_object, slot);
	if (pg == NULL || (page_flags(pg) & PG_BUSY)) {
		error = vm_object_wait(&swap_object, slot, false, txn);
		goto out;
	}
	if (swap_dirty(seen->soft))
		nw.bits |= PMAP_DIRTY;
	/* While a store's page has one word, the store's, nobody shares it. */
	if (cs != NULL && !swap_is_last(slot, pg))
		nw.bits = (nw.bits & ~PMAP_W) | PMAP_COW;
	nw.pa = page_to_phys(pg);
	page_hold(pg);
	/* EAGAIN: the word that was seen is gone, and the slot perhaps not
	 * what it was. */
	error = pmap_enter(table, va, &nw, &txn->tg);
	if (error == 0) {
		swap_drop(slot);
		if (cs != NULL)
			__atomic_fetch_sub(&cs->nswapped, 1, __ATOMIC_RELAXED);
	} else {
		page_drop(pg); /* not the last: the cache has one */
	}
out:
	spin_unlock(&vm_object_lock);
	if (error == EAGAIN) {
		txn->wait.wq = NULL;
		return VM_WAIT;
	}
	return error;
}

struct words {
	struct classic_space *cs;
	struct tlb_gather none; /* words are in no TLB */
};

static int
clear_word(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	struct words *w = arg;

	if (leaf->kind != PMAP_SOFT)
		return 0;
	pmap_cursor_clear(c, 0, &w->none);
	swap_drop(swap_slot(leaf->soft));
	if (w->cs != NULL)
		__atomic_fetch_sub(&w->cs->nswapped, 1, __ATOMIC_RELAXED);
	return 0;
}

void
classic_swap_clear_locked(struct classic_space *cs, struct pmap *table,
    vaddr_t sva, vaddr_t eva)
{
	struct words w = { .cs = cs };

	tlb_gather_init(&w.none);
	(void)pmap_scan(table, sva, eva, clear_word, &w);
	KASSERT(tlb_gather_empty(&w.none));
}

void
classic_swap_clear(struct classic_space *cs, struct pmap *table, vaddr_t sva,
    vaddr_t eva)
{
	/* In stretches: the lock is everybody's. */
	for (vaddr_t va = sva, next; va < eva; va = next) {
		next = MIN(eva, va + CLEAR_STRETCH);
		spin_lock(&vm_object_lock);
		classic_swap_clear_locked(cs, table, va, next);
		spin_unlock(&vm_object_lock);
	}
}
