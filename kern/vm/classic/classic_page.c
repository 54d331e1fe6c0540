/* SPDX-License-Identifier: MIT */
/*
 * classic_page.c - page-side slots, invariants and listings.
 *
 * Classic keeps no reverse map: to find the leaves of a frame it walks the
 * tables of all spaces, as early Unix did.  The cost is part of the lesson.
 * Locks: the list of spaces shared; each pmap while it is scanned.
 */
#include "abi/errno.h"
#include "lib/printf.h"
#include "vm/classic/classic.h"
#include "vm/swap.h"

/* ---- page side ---- */

struct page_walk {
	struct vmspace *vs;
	paddr_t pa;
	unsigned clear; /* bits to take from each leaf */
	unsigned seen;	/* OR of all old bits */
	struct tlb_gather *tg;
};

static int
visit_leaf(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	struct page_walk *w = arg;
	unsigned old;

	if (leaf->pa != w->pa)
		return 0;
	old = pmap_cursor_change(c, w->clear, 0, w->tg);
	w->seen |= old;
	/* Rule 6: every D that is cleared is remembered, for page-out in the
	 * frame and for al_dirty in the overlay. */
	if (old & w->clear & PMAP_DIRTY) {
		__atomic_fetch_or(&phys_to_page(w->pa)->flags, PG_DIRTY,
		    __ATOMIC_RELAXED);
		vm_overlay_dirtied(w->vs, c->va);
	}
	return 0;
}

static int
visit_space(struct vmspace *vs, void *arg)
{
	struct page_walk *w = arg;

	w->vs = vs;
	pmap_scan(vs->pmap, USER_MIN, USER_MAX, visit_leaf, w);
	return 0;
}

static unsigned
walk_page(struct vm_page *pg, unsigned clear, struct tlb_gather *tg)
{
	struct page_walk w = { .pa = page_to_phys(pg), .clear = clear,
		.tg = tg };

	(void)vmspace_foreach(visit_space, &w);
	return w.seen;
}

unsigned
classic_pg_harvest(struct vm_page *pg, unsigned clear, struct vm_txn *txn)
{
	unsigned bits = 0, seen, answer = 0;

	if (clear & PG_HARVEST_REF)
		bits |= PMAP_ACCESSED;
	if (clear & PG_HARVEST_DIRTY)
		bits |= PMAP_DIRTY;
	seen = walk_page(pg, bits, &txn->tg);
	if (seen & PMAP_ACCESSED)
		answer |= PG_HARVEST_REF;
	if ((seen & PMAP_DIRTY) || (page_flags(pg) & PG_DIRTY))
		answer |= PG_HARVEST_DIRTY;
	return answer;
}

int
classic_pg_revoke(struct vm_page *pg, vm_prot_t keep, struct vm_txn *txn)
{
	walk_page(pg, PMAP_RWX & ~keep, &txn->tg);
	return 0;
}

int
classic_pg_evict(struct vm_page *pg, struct vm_txn *txn)
{
	(void)pg, (void)txn;
	return EBUSY; /* anonymous memory needs swap, which there is not yet */
}

/* ---- invariants: C1 regions, C2 leaves ---- */

struct check_arg {
	struct vmspace *vs;
	int error;
	size_t nswapped;
};

static void
complain(struct check_arg *ca, vaddr_t va, const char *what)
{
	kprintf("classic_check: 0x%lx: %s\n", (unsigned long)va, what);
	ca->error = EINVAL;
}

static int
check_leaf(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	struct check_arg *ca = arg;
	const struct region *r = region_find(ca->vs, c->va);
	unsigned rights;

	if (r == NULL) {
		complain(ca, c->va, "entry outside of all regions");
		return 0;
	}
	if (leaf->kind == PMAP_SOFT) {
		ca->nswapped++;
		if (region_shared(r) || r->source == VM_PHYS ||
		    swap_slot(leaf->soft) >= swap_total())
			complain(ca, c->va, "software word in a wrong place");
		return 0;
	}
	/* The machine may lack W or X without R. */
	rights = pmap_rights(region_rights(ca->vs, r, c->va));
	if (leaf->bits & PMAP_RWX & ~rights)
		complain(ca, c->va, "leaf exceeds region and overlay");
	if (r->source == VM_PHYS)
		return 0;
	if (phys_to_page(leaf->pa)->refs == 0)
		complain(ca, c->va, "leaf of a free frame");
	/* No writable page is shared privately. */
	if (!region_shared(r) && (leaf->bits & PMAP_W) &&
	    phys_to_page(leaf->pa)->refs != 1)
		complain(ca, c->va, "writable private page is shared");
	if (region_shared(r) && (leaf->bits & PMAP_COW))
		complain(ca, c->va, "copy-on-write leaf in a shared region");
	return 0;
}

int
classic_check(struct vmspace *vs)
{
	struct classic_space *cs = classic_of(vs);
	struct check_arg ca = { .vs = vs, .error = region_check(vs) };

	pmap_scan(vs->pmap, 0, USER_MAX, check_leaf, &ca);
	if (ca.nswapped != cs->nswapped)
		complain(&ca, 0, "wrong count of software words");
	return ca.error;
}

/* ---- references ---- */

struct count_arg {
	struct vmspace *vs; /* NULL: a store */
	void (*count)(struct vm_page *, void *);
	void *arg;
};

static int
count_leaf(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	struct count_arg *ca = arg;

	if (leaf->kind == PMAP_SOFT) {
		swap_check_word(swap_slot(leaf->soft));
		return 0;
	}
	if (ca->vs != NULL && region_find(ca->vs, c->va)->source == VM_PHYS)
		return 0;
	ca->count(phys_to_page(leaf->pa), ca->arg);
	return 0;
}

void
classic_count_refs(struct vmspace *vs, void (*count)(struct vm_page *, void *),
    void *arg)
{
	struct count_arg ca = { vs, count, arg };

	if (vs != NULL)
		pmap_scan(vs->pmap, 0, USER_MAX, count_leaf, &ca);
	else
		store_foreach_table(count_leaf, &ca);
}

/* ---- listing ---- */

struct dump_arg {
	struct sink *sk;
	vaddr_t next; /* expected; a gap is printed as one '.' a run */
};

static int
dump_leaf(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	struct dump_arg *da = arg;
	char mark = leaf->kind == PMAP_SOFT	? 's' :
	    leaf->kind == PMAP_NOACCESS		? 'n' :
	    leaf->bits & PMAP_COW		? 'c' :
	    leaf->bits & PMAP_W			? 'w' :
						  'r';

	if (c->va != da->next)
		sink_printf(da->sk, " +%lu",
		    (unsigned long)((c->va - da->next) >> PAGE_SHIFT));
	sink_printf(da->sk, " %c%s", mark,
	    leaf->bits & PMAP_DIRTY ? "*" : "");
	da->next = c->va + PAGE_SIZE;
	return 0;
}

void
classic_dump(struct vmspace *vs, struct sink *sk)
{
	for (const struct region *r = region_first(vs, 0); r != NULL;
	     r = region_next(r)) {
		struct dump_arg da = { sk, region_sva(r) };

		sink_printf(sk, "%lx-%lx %c%c%c%c %s:", (unsigned long)da.next,
		    (unsigned long)r->eva, r->prot & VM_PROT_READ ? 'r' : '-',
		    r->prot & VM_PROT_WRITE ? 'w' : '-',
		    r->prot & VM_PROT_EXECUTE ? 'x' : '-',
		    region_shared(r) ? 's' : 'p',
		    r->source == VM_PHYS     ? "phys" :
			r->source == VM_FILE ? "file" :
					       "anon");
		pmap_scan(vs->pmap, da.next, r->eva, dump_leaf, &da);
		sink_printf(sk, "\n");
	}
}
