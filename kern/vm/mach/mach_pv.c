/* SPDX-License-Identifier: MIT */
/*
 * mach_pv.c - physical to virtual: the leaves that show a page.
 *
 * Each frame has a head with room for one leaf, since most pages are shown
 * once; more leaves have an entry each.  The link word of a leaf says which it
 * is: 0 the head's, PV_UNMANAGED none, else the address of the entry.
 * Locks: one of a few by frame, below the pmap; so a leaf and its entry can go
 *	together while a pmap is scanned.  The other way round, from a page to
 *	its leaves, a batch is copied out and each place looked at again.
 */
#include "abi/errno.h"
#include "mem/kmem.h"
#include "vm/mach/mach_page.h"
#include "vm/swap.h"

#define NLOCKS	   64
#define CHUNK_BITS 15 /* heads of one allocation, 1 MiB */
#define CHUNKS	   128
#define BATCH	   16

struct pv_entry {
	struct list link;
	struct vmspace *vs;
	vaddr_t va;
};

struct pv_head {
	struct vmspace *vs; /* NULL: none in the head */
	vaddr_t va;
	struct list more;   /* of pv_entry; all zero: never used */
};

static struct kmem_cache entry_cache;
static struct pv_head *chunks[CHUNKS];
static struct spinlock locks[NLOCKS];

int
pv_setup(void)
{
	size_t n = (frame_array_size >> CHUNK_BITS) + 1;

	kmem_cache_init(&entry_cache, "pv_entry", sizeof(struct pv_entry));
	for (unsigned i = 0; i < NLOCKS; i++)
		spin_init(&locks[i], RANK_PV, "pv");
	if (n > CHUNKS)
		return ENOMEM;
	for (size_t i = 0; i < n; i++) {
		size_t left = frame_array_size - (i << CHUNK_BITS);

		if (left == 0)
			break;
		chunks[i] = kzalloc(MIN(left, (size_t)1 << CHUNK_BITS) *
		    sizeof(struct pv_head));
		if (chunks[i] == NULL)
			return ENOMEM;
	}
	return 0;
}

static inline struct pv_head *
head_of(const struct vm_page *pg)
{
	size_t i = (size_t)(pg - frame_array);

	return &chunks[i >> CHUNK_BITS][i & ((1u << CHUNK_BITS) - 1)];
}

static inline struct spinlock *
lock_of(const struct vm_page *pg)
{
	return &locks[(size_t)(pg - frame_array) % NLOCKS];
}

/* The head is taken: an entry of its own. */
static __attribute__((noinline)) int
enter_more(struct pv_head *h, struct vmspace *vs, vaddr_t va, uintptr_t *link)
{
	struct pv_entry *e = kmem_alloc(&entry_cache);

	if (e == NULL)
		return ENOMEM;
	e->vs = vs;
	e->va = va;
	if (h->more.next == NULL)
		list_init(&h->more);
	list_push_back(&h->more, &e->link);
	*link = (uintptr_t)e;
	return 0;
}

int
pv_enter(struct vm_page *pg, struct vmspace *vs, vaddr_t va, uintptr_t *link)
{
	struct pv_head *h = head_of(pg);
	struct spinlock *lock = lock_of(pg);
	int error = 0;

	*link = 0;
	spin_lock(lock);
	if (likely(h->vs == NULL)) {
		h->vs = vs;
		h->va = va;
	} else {
		error = enter_more(h, vs, va, link);
	}
	spin_unlock(lock);
	return error;
}

void
pv_remove(struct vm_page *pg, uintptr_t link)
{
	struct pv_entry *e = (struct pv_entry *)link;

	spin_lock(lock_of(pg));
	if (e == NULL)
		head_of(pg)->vs = NULL;
	else
		list_remove(&e->link);
	spin_unlock(lock_of(pg));
	if (e != NULL)
		kmem_free(&entry_cache, e);
}

bool
pv_empty(const struct vm_page *pg)
{
	const struct pv_head *h = head_of(pg);

	return h->vs == NULL && (h->more.next == NULL || list_empty(&h->more));
}

bool
pv_holds(struct vm_page *pg, uintptr_t link, const struct vmspace *vs,
    vaddr_t va)
{
	struct pv_head *h = head_of(pg);
	bool found = false;

	spin_lock(lock_of(pg));
	if (link == 0)
		found = h->vs == vs && h->va == va;
	else if (h->more.next != NULL)
		LIST_FOREACH(l, &h->more) {
			struct pv_entry *e =
			    LIST_ENTRY(l, struct pv_entry, link);

			found |= (uintptr_t)e == link && e->vs == vs &&
			    e->va == va;
		}
	spin_unlock(lock_of(pg));
	return found;
}

/* ---- from leaves ---- */

/* D that is lost with a leaf is kept for page-out and for al_dirty (rule 6). */
static void
note_dirty(struct vmspace *vs, vaddr_t va, struct vm_page *pg)
{
	if (!(page_flags(pg) & PG_DIRTY))
		__atomic_fetch_or(&pg->flags, PG_DIRTY, __ATOMIC_RELAXED);
	if (unlikely(!list_empty(&vs->overlays)))
		vm_overlay_dirtied(vs, va);
}

void
pv_left(struct vmspace *vs, vaddr_t va, const struct pmap_leaf *old,
    struct tlb_gather *tg)
{
	struct vm_page *pg;
	bool cached, gathered;

	if (old->link == PV_UNMANAGED)
		return;
	pg = phys_to_page(old->pa);
	if (old->bits & PMAP_DIRTY)
		note_dirty(vs, va, pg);
	/* Leaves hold pages of files; pages of objects their object does.  But
	 * until the flush some CPU may use this one: page-out, which may come
	 * at any time once no leaf is there, waits for all but one reference
	 * to go. */
	cached = is_cached(pg);
	gathered = cached || swap_total() != 0;
	if (gathered && !cached)
		page_hold(pg);
	pv_remove(pg, old->link);
	if (gathered && tlb_gather_page(tg, pg) != 0)
		panic("mach: no room for a page in the gather");
}

struct remove_arg {
	struct vmspace *vs;
	struct vm_page *pg; /* only leaves that show it; NULL: all */
	struct tlb_gather *tg;
};

/* A word says that the leaf which page-out took was dirty. */
static bool
shows(const struct pmap_leaf *leaf, const struct vm_page *pg)
{
	return (leaf->kind == PMAP_LEAF || leaf->kind == PMAP_NOACCESS) &&
	    leaf->pa == page_to_phys(pg);
}

static bool
has_room(struct tlb_gather *tg)
{
	return tg->next != tg->end || tlb_gather_grow(tg) == 0;
}

static int
remove_leaf(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	const struct remove_arg *ra = arg;
	struct pmap_leaf old = *leaf;

	if (ra->pg != NULL && !shows(leaf, ra->pg))
		return 0;
	if (leaf->kind == PMAP_SOFT) {
		(void)pmap_cursor_clear(c, 0, ra->tg);
		return 0;
	}
	if (!has_room(ra->tg))
		return 1;
	old.bits = (uint16_t)pmap_cursor_clear(c, 0, ra->tg);
	pv_left(ra->vs, c->va, &old, ra->tg);
	return 0;
}

int
pv_remove_range(struct vmspace *vs, vaddr_t sva, vaddr_t eva,
    struct vm_txn *txn)
{
	struct remove_arg ra = { vs, NULL, &txn->tg };

	return pmap_scan(vs->pmap, sva, eva, remove_leaf, &ra) == 0 ?
	    0 :
	    mach_restart(txn);
}

/* ---- chaos: the pmap is a cache ---- */

/* D has no place but the leaf while no overlay covers it, and a program may
 * register one later and ask: such a leaf only loses its rights. */
static int
drop_leaf(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	const struct remove_arg *ra = arg;
	unsigned old;

	/* One without rights is perhaps not flushed by who took them. */
	if (leaf->kind != PMAP_LEAF)
		return 0;
	/* Pinned is wired: what is written through the pin shall find D. */
	if (leaf->link != PV_UNMANAGED && is_pinned(phys_to_page(leaf->pa)))
		return 0;
	old = pmap_cursor_change(c, PMAP_RWX, 0, ra->tg);
	if (!(old & PMAP_DIRTY) ||
	    vm_overlay_covers(ra->vs, c->va, c->va + PAGE_SIZE))
		(void)remove_leaf(c, leaf, arg);
	return 1;
}

static uint32_t
chaos_random(void)
{
	static uint32_t state = 1; /* a lost update does no harm */
	uint32_t x = __atomic_load_n(&state, __ATOMIC_RELAXED) * 1664525u +
	    1013904223u;

	__atomic_store_n(&state, x, __ATOMIC_RELAXED);
	return x >> 8;
}

__slowpath void
pv_chaos(struct vmspace *vs, struct vm_txn *txn)
{
	struct remove_arg ra = { vs, NULL, &txn->tg };
	struct vm_map *map = vm_map_of(vs);
	const struct vm_map_entry *e = vm_map_first(map, 0);
	vaddr_t va;

	if (chaos_random() % vm_chaos != 0 || e == NULL)
		return;
	for (unsigned n = chaos_random() % map->nentries; n > 0; n--)
		e = vm_map_next(map, e);
	va = entry_sva(e) +
	    (chaos_random() % entry_npages(e) << PAGE_SHIFT);
	if (pmap_scan(vs->pmap, va, e->eva, drop_leaf, &ra) == 0)
		(void)pmap_scan(vs->pmap, entry_sva(e), va, drop_leaf, &ra);
}

/* ---- from pages ---- */

struct place {
	struct vmspace *vs;
	struct pmap *pm; /* with a reference */
	vaddr_t va;
};

static void
add_place(struct place *p, struct vmspace *vs, vaddr_t va)
{
	p->vs = vs;
	p->va = va;
	p->pm = vs->pmap;
	pmap_hold(p->pm);
}

/* Up to BATCH places; the entries go to the end of the list, so that the next
 * call finds others. @p left counts down what is to be visited */
static unsigned
take_places(struct vm_page *pg, struct place *p, bool first, unsigned *left)
{
	struct pv_head *h = head_of(pg);
	unsigned n = 0;

	spin_lock(lock_of(pg));
	if (first) {
		*left = 0;
		if (h->more.next != NULL)
			LIST_FOREACH(l, &h->more)
				++*left;
		if (h->vs != NULL)
			add_place(&p[n++], h->vs, h->va);
	}
	while (n<BATCH && * left> 0 && !list_empty(&h->more)) {
		struct list *l = list_pop_front(&h->more);
		struct pv_entry *e = LIST_ENTRY(l, struct pv_entry, link);

		list_push_back(&h->more, l);
		add_place(&p[n++], e->vs, e->va);
		--*left;
	}
	spin_unlock(lock_of(pg));
	return n;
}

/* Take @p clear from the leaf there, if it shows the page. */
static unsigned
narrow(const struct place *p, struct vm_page *pg, unsigned clear,
    struct vm_txn *txn)
{
	struct pmap_leaf leaf;
	struct pmap_edit ed = { .clear = clear, .seen = &leaf };

	do {
		(void)pmap_get(p->pm, p->va, &leaf);
		if (!shows(&leaf, pg))
			return 0;
	} while (pmap_change(p->pm, p->va, &ed, &txn->tg) != 0);
	if (ed.old & clear & PMAP_DIRTY)
		note_dirty(p->vs, p->va, pg);
	return ed.old;
}

static unsigned
empty(const struct place *p, struct vm_page *pg, struct vm_txn *txn)
{
	struct remove_arg ra = { p->vs, pg, &txn->tg };
	struct pmap_leaf leaf;

	(void)pmap_get(p->pm, p->va, &leaf);
	if (!shows(&leaf, pg))
		return 0;
	(void)pmap_scan(p->pm, p->va, p->va + PAGE_SIZE, remove_leaf, &ra);
	return leaf.bits;
}

unsigned
pv_page_protect(struct vm_page *pg, unsigned clear, bool remove,
    struct vm_txn *txn)
{
	struct place p[BATCH];
	unsigned seen = 0, left = 0, n = take_places(pg, p, true, &left);

	while (n > 0) {
		for (unsigned i = 0; i < n; i++) {
			seen |= remove ? empty(&p[i], pg, txn) :
					 narrow(&p[i], pg, clear, txn);
			pmap_drop(p[i].pm);
		}
		n = take_places(pg, p, false, &left);
	}
	return seen;
}

/* ---- page-out ---- */

struct vmspace *
pv_space(const struct vm_page *pg)
{
	const struct pv_head *h = head_of(pg);
	struct vmspace *vs;

	spin_lock(lock_of(pg));
	vs = h->vs;
	if (vs == NULL && h->more.next != NULL && !list_empty(&h->more))
		vs = LIST_ENTRY(h->more.next, struct pv_entry, link)->vs;
	spin_unlock(lock_of(pg));
	return vs;
}

static unsigned
places_in(const struct vm_page *pg, const struct vmspace *vs, vaddr_t *va)
{
	const struct pv_head *h = head_of(pg);
	unsigned n = 0;

	spin_lock(lock_of(pg));
	if (h->vs == vs)
		va[n++] = h->va;
	if (h->more.next != NULL)
		LIST_FOREACH(l, &h->more) {
			const struct pv_entry *e =
			    LIST_ENTRY(l, struct pv_entry, link);

			if (e->vs == vs && n < BATCH)
				va[n++] = e->va;
		}
	spin_unlock(lock_of(pg));
	return n;
}

/* First the rights, so that no CPU sets D any more; then it is known whether a
 * word has to keep D for a program that asks later (rule 6). */
static int
page_out_leaf(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	const struct remove_arg *ra = arg;
	struct pmap_leaf old = *leaf;
	uint64_t word = 0;

	/* What is being written through a pin shall find D. */
	if (!shows(leaf, ra->pg) || is_pinned(ra->pg))
		return 0;
	if (!has_room(ra->tg))
		return 1;
	old.bits = (uint16_t)pmap_cursor_change(c, PMAP_RWX, 0, ra->tg);
	if ((old.bits & PMAP_DIRTY) &&
	    !vm_overlay_covers(ra->vs, c->va, c->va + PAGE_SIZE))
		word = PMAP_SOFT_WORD(PMAP_SOFT_DIRTY, 0);
	(void)pmap_cursor_clear(c, word, ra->tg);
	pv_left(ra->vs, c->va, &old, ra->tg);
	return 0;
}

int
pv_page_out(struct vm_page *pg, struct vmspace *vs, struct vm_txn *txn)
{
	struct remove_arg ra = { vs, pg, &txn->tg };
	vaddr_t va[BATCH];
	unsigned n;

	do {
		n = places_in(pg, vs, va);
		for (unsigned i = 0; i < n; i++)
			if (pmap_scan(vs->pmap, va[i], va[i] + PAGE_SIZE,
				page_out_leaf, &ra) != 0)
				return mach_restart(txn);
	} while (n == BATCH && !is_pinned(pg));
	return 0;
}
