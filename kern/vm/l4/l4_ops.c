/* SPDX-License-Identifier: MIT */
/*
 * l4_ops.c - map, grant, copy, unmap and flush of single pages and ranges.
 *
 * Path: root_pager.c, sys_l4.c -> HERE -> the mapping database and pmaps.
 * Locks: the frame's, which guards its tree and every entry that has a node in
 *	it; when something else stands at the destination, two, by address.
 *	Then one pmap at a time.  Only take_leaf() goes the other way round, and
 *	only tries.
 * Invariants: an entry with a link is in the tree of its frame and holds one
 *	reference; no entry has a right that its parent's lacks, at any moment:
 *	giving starts at the parent, taking ends there.
 */
#include "abi/errno.h"
#include "lib/printf.h"
#include "vm/l4/l4.h"
#include "vm/l4/mapdb.h"

#define NLOCKS 256 /* frame locks: a frame's is chosen by its number */

static struct frame_lock {
	struct spinlock lock;
} __cacheline locks[NLOCKS];

void
l4_ops_init(void)
{
	for (unsigned i = 0; i < NLOCKS; i++)
		spin_init(&locks[i].lock, RANK_MAPPING, "frame");
	mapdb_init();
}

static inline struct spinlock *
lock_of(paddr_t pa)
{
	return &locks[(pa >> PAGE_SHIFT) % NLOCKS].lock;
}

static inline struct mapnode *
node_of(const struct pmap_leaf *leaf)
{
	return (struct mapnode *)leaf->link;
}

static inline bool
has_node(const struct pmap_leaf *leaf)
{
	return leaf->kind == PMAP_LEAF && leaf->link != 0;
}

/* Room for one frame in the gather, made before the first change. */
static inline bool
has_room(struct tlb_gather *tg)
{
	return likely(tg->next != tg->end) || tlb_gather_grow(tg) == 0;
}

static void
drop_after_flush(struct tlb_gather *tg, struct vm_page *pg)
{
	int error = tlb_gather_page(tg, pg);

	KASSERT(error == 0);
	(void)error;
}

/* ---- taking rights ---- */

struct revoke {
	struct mapdb_tree *tree;
	struct vm_page *pg;
	const struct vmspace *owner; /* its overlay remembers D */
	bool everyone; /* all overlays do */
	unsigned rights;
	unsigned reset;	   /* PMAP_ACCESSED | PMAP_DIRTY, or 0 */
	unsigned status;   /* OR of the bits met */
	unsigned nremoved; /* their references are ours now */
	struct tlb_gather *tg;
};

/* What goes when @p rights are taken: also what a machine cannot give without
 * giving them back, like W without R. */
static unsigned
all_taken(unsigned rights)
{
	unsigned taken = rights;

	if (pmap_rights(PMAP_W) & rights)
		taken |= PMAP_W;
	if (pmap_rights(PMAP_X) & rights)
		taken |= PMAP_X;
	return taken;
}

/* A and D that are about to be lost in one entry live on in the frame, and in
 * the overlay of the space (DESIGN rule 6). */
static void
remember(const struct vm_page *pg, struct vmspace *vs, vaddr_t va,
    unsigned bits, bool owner)
{
	uint32_t flags = (bits & PMAP_DIRTY ? PG_DIRTY : 0) |
	    (bits & PMAP_ACCESSED ? PG_REFERENCED : 0);

	if (~page_flags(pg) & flags)
		__atomic_fetch_or(&((struct vm_page *)(uintptr_t)pg)->flags,
		    flags, __ATOMIC_RELAXED);
	if ((bits & PMAP_DIRTY) && owner && !list_empty(&vs->overlays))
		vm_overlay_dirtied(vs, va);
}

/* While the kernel writes through a pin, the page stays written: what it has
 * yet to write would not set D again.  A pin sets D under the pmap lock. */
static void
keep_written(const struct revoke *rv, const struct mapnode *n)
{
	struct pmap_edit ed = { .set = PMAP_DIRTY };

	if (page_being_written(rv->pg) &&
	    pmap_change(n->space->pmap, mapnode_va(n), &ed, rv->tg) != 0)
		panic("l4: a mapping without an entry");
}

/* @pre no children if @p n loses everything */
static void
revoke_node(struct revoke *rv, struct mapnode *n)
{
	struct vmspace *vs = n->space;
	vaddr_t va = mapnode_va(n);
	struct pmap_edit ed = { .clear = rv->rights | rv->reset };
	bool owner = rv->everyone || vs == rv->owner;
	int error = pmap_change(vs->pmap, va, &ed, rv->tg);

	KASSERT(error == 0);
	(void)error;
	rv->status |= ed.old;
	if (ed.old & PMAP_RWX & ~rv->rights) {
		if (rv->reset) {
			remember(rv->pg, vs, va, ed.old, owner);
			keep_written(rv, n);
		}
		return;
	}
	remember(rv->pg, vs, va, ed.old, owner);
	(void)pmap_clear(vs->pmap, va, 0, NULL, rv->tg);
	mapdb->remove(rv->tree, n);
	rv->nremoved++;
}

/* Everything that came from @p n (NULL: sigma0), children first. */
static void
revoke_below(struct revoke *rv, struct mapnode *n)
{
	struct mapnode *m = mapdb->last(rv->tree, n), *prev;

	for (; m != n; m = prev) {
		prev = mapdb->prev(rv->tree, m);
		revoke_node(rv, m);
	}
}

/* One reference stays until the flush, and so does the frame. */
static void
drop_removed(struct revoke *rv)
{
	if (rv->nremoved == 0)
		return;
	while (--rv->nremoved > 0)
		page_drop(rv->pg);
	drop_after_flush(rv->tg, rv->pg);
}

int
l4_unmap_frame(struct vm_page *pg, unsigned rights, unsigned flags,
    unsigned *status, struct tlb_gather *tg)
{
	paddr_t pa = page_to_phys(pg);
	struct revoke rv = { .tree = mapdb_tree_of(pa), .pg = pg,
		.rights = all_taken(rights), .tg = tg,
		.everyone = flags & L4_UNMAP_OWNER,
		.reset = flags & L4_UNMAP_RESET ? L4_REFERENCED | L4_WRITTEN :
						  0 };

	if (!has_room(tg))
		return EAGAIN;
	spin_lock(lock_of(pa));
	revoke_below(&rv, NULL);
	drop_removed(&rv);
	spin_unlock(lock_of(pa));
	if (status != NULL)
		*status = rv.status & (L4_REFERENCED | L4_WRITTEN);
	return 0;
}

/* ---- ranges ---- */

struct take {
	struct l4_unmap *u;
	struct tlb_gather *tg;
	vaddr_t va; /* where it stopped */
};

enum { TAKE_SLOWLY = 1, TAKE_FULL = 2 };

static void
met(struct l4_unmap *u, vaddr_t va, unsigned bits)
{
	size_t i = (va - u->base) >> PAGE_SHIFT;

	u->status |= L4_MAPPED | (bits & (L4_REFERENCED | L4_WRITTEN));
	if (u->written != NULL && (bits & L4_WRITTEN))
		u->written[i / 64] |= (uint64_t)1 << (i % 64);
}

static unsigned
reset_bits(const struct l4_unmap *u)
{
	return u->flags & L4_UNMAP_RESET ? PMAP_ACCESSED | PMAP_DIRTY : 0;
}

/* What the space itself loses: nothing, if only others do. */
static unsigned
own_rights(const struct l4_unmap *u)
{
	return u->flags & L4_UNMAP_SELF ? u->rights : 0;
}

/* The frame is locked and nothing came from this entry. */
static int
take_leaf_locked(struct pmap_cursor *c, const struct pmap_leaf *leaf,
    struct take *tk)
{
	struct l4_unmap *u = tk->u;
	struct vm_page *pg = phys_to_page(leaf->pa);
	unsigned clear = own_rights(u) | reset_bits(u), old = leaf->bits;

	if (leaf->bits & PMAP_RWX & ~own_rights(u)) {
		if (reset_bits(u) && page_being_written(pg))
			clear &= ~PMAP_DIRTY; /* see keep_written() */
		if (leaf->bits & clear)
			old = pmap_cursor_change(c, clear, 0, tk->tg);
		if (reset_bits(u))
			remember(pg, u->space, c->va, old,
			    u->flags & L4_UNMAP_OWNER);
		met(u, c->va, old);
		return 0;
	}
	if (!has_room(tk->tg))
		return TAKE_FULL;
	/* Without rights no CPU sets A or D any more. */
	if (!list_empty(&u->space->overlays))
		old = pmap_cursor_change(c, PMAP_RWX, 0, tk->tg);
	remember(pg, u->space, c->va, old, u->flags & L4_UNMAP_OWNER);
	met(u, c->va, old);
	pmap_cursor_clear(c, 0, tk->tg);
	mapdb->remove(mapdb_tree_of(leaf->pa), node_of(leaf));
	drop_after_flush(tk->tg, pg);
	return 0;
}

/* The usual entry: it has no children, and nobody is at its frame. */
static int
take_leaf(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	struct take *tk = arg;
	struct spinlock *l = lock_of(leaf->pa);
	int r;

	tk->va = c->va;
	if (leaf->link == 0) { /* a device; nothing comes from it */
		if (!(tk->u->flags & L4_UNMAP_SELF))
			return 0;
		if (leaf->bits & PMAP_RWX & ~tk->u->rights)
			(void)pmap_cursor_change(c, tk->u->rights, 0, tk->tg);
		else
			pmap_cursor_clear(c, 0, tk->tg);
		return 0;
	}
	if (!spin_trylock(l))
		return TAKE_SLOWLY;
	r = mapdb->is_leaf(node_of(leaf)) ? take_leaf_locked(c, leaf, tk) :
					    TAKE_SLOWLY;
	spin_unlock(l);
	return r;
}

/* The frame first, then the pmaps. */
static int
take_slowly(struct take *tk)
{
	struct l4_unmap *u = tk->u;
	struct pmap_leaf leaf;
	struct revoke rv;
	struct mapnode *n;
	paddr_t pa;

	if (!has_room(tk->tg))
		return TAKE_FULL;
	for (;;) {
		(void)pmap_get(u->space->pmap, tk->va, &leaf);
		if (!has_node(&leaf))
			return 0;
		pa = leaf.pa;
		spin_lock(lock_of(pa));
		(void)pmap_get(u->space->pmap, tk->va, &leaf);
		if (has_node(&leaf) && leaf.pa == pa)
			break;
		spin_unlock(lock_of(pa));
	}
	n = node_of(&leaf);
	rv = (struct revoke){ .tree = mapdb_tree_of(pa),
		.pg = phys_to_page(pa), .rights = u->rights,
		.reset = reset_bits(u), .status = leaf.bits, .tg = tk->tg,
		.owner = u->flags & L4_UNMAP_OWNER ? u->space : NULL };
	revoke_below(&rv, n);
	rv.rights = own_rights(u);
	if (rv.rights != 0 || rv.reset != 0)
		revoke_node(&rv, n);
	met(u, tk->va, rv.status);
	drop_removed(&rv);
	spin_unlock(lock_of(pa));
	return 0;
}

int
l4_unmap(struct l4_unmap *u, struct tlb_gather *tg)
{
	struct take tk = { .u = u, .tg = tg };
	vaddr_t start = u->sva;

	u->rights = all_taken(u->rights);
	while (u->sva < u->eva) {
		int r = pmap_scan(u->space->pmap, u->sva, u->eva, take_leaf,
		    &tk);

		if (r == TAKE_SLOWLY)
			r = take_slowly(&tk);
		else if (r == 0)
			tk.va = u->eva - PAGE_SIZE;
		u->sva = tk.va + (r == 0 ? PAGE_SIZE : 0);
		if (r == TAKE_FULL)
			return EAGAIN;
	}
	if ((u->flags & L4_UNMAP_TRIM) && tg->used)
		pmap_trim(u->space->pmap, start, u->eva, tg);
	return 0;
}

unsigned
l4_unmap_page(struct vmspace *vs, vaddr_t va, unsigned rights, unsigned flags,
    struct tlb_gather *tg)
{
	struct l4_unmap u = { .space = vs, .sva = va, .eva = va + PAGE_SIZE,
		.rights = rights, .flags = flags };
	int error = l4_unmap(&u, tg);

	KASSERT(error == 0);
	(void)error;
	return u.status;
}

bool
l4_has(struct vmspace *vs, vaddr_t va, const struct vm_page *pg)
{
	struct pmap_leaf leaf;

	(void)pmap_get(vs->pmap, va, &leaf);
	return has_node(&leaf) && leaf.pa == page_to_phys(pg);
}

/* ---- giving ---- */

/* One map on its way: what is at both ends, with their frames locked. */
struct give {
	const struct l4_map *m;
	struct tlb_gather *tg;
	paddr_t pa;
	struct mapnode *src;  /* NULL: sigma0 */
	unsigned bits;	      /* of the sender's entry */
	struct pmap_leaf old; /* at the destination */
	struct spinlock *l1, *l2; /* l2 NULL: one suffices */
};

static void
unlock_ends(struct give *g)
{
	if (g->l2 != NULL)
		spin_unlock(g->l2);
	spin_unlock(g->l1);
}

static void
lock_ends(struct give *g, paddr_t a, paddr_t b)
{
	struct spinlock *la = lock_of(a), *lb = lock_of(b);

	g->l1 = MIN(la, lb);
	g->l2 = la != lb ? MAX(la, lb) : NULL;
	spin_lock(g->l1);
	if (g->l2 != NULL)
		spin_lock_nested(g->l2);
}

static bool
is_locked(const struct give *g, paddr_t pa)
{
	return lock_of(pa) == g->l1 || lock_of(pa) == g->l2;
}

static int
look_at_source(struct give *g)
{
	struct pmap_leaf leaf;

	if (g->m->from == NULL) {
		g->pa = g->m->src;
		g->bits = PMAP_RWX;
		return 0;
	}
	(void)pmap_get(g->m->from->pmap, g->m->src, &leaf);
	if (!has_node(&leaf))
		return ENOENT;
	g->pa = leaf.pa;
	g->src = node_of(&leaf);
	g->bits = leaf.bits;
	return 0;
}

/* Until what was seen is what is locked. */
static int
lock_and_look(struct give *g)
{
	int error = look_at_source(g);
	paddr_t pa = g->pa, other = pa;

	while (error == 0) {
		lock_ends(g, pa, other);
		if (g->m->from != NULL)
			error = look_at_source(g);
		if (error == 0) {
			(void)pmap_get(g->m->to->pmap, g->m->dst, &g->old);
			pa = g->pa;
			other = has_node(&g->old) ? g->old.pa : pa;
			if (is_locked(g, pa) && is_locked(g, other))
				return 0;
		}
		unlock_ends(g);
	}
	return error;
}

/* What stands at the destination goes, but for the entry itself: it is
 * replaced in one step, so that no fault sees a hole. */
static void
clear_below_old(struct give *g)
{
	struct revoke rv = { .tree = mapdb_tree_of(g->old.pa),
		.pg = phys_to_page(g->old.pa), .rights = PMAP_RWX,
		.tg = g->tg };

	revoke_below(&rv, node_of(&g->old));
	while (rv.nremoved-- > 0)
		page_drop(rv.pg); /* the entry has one */
}

static void
forget_old(struct give *g)
{
	struct vm_page *pg = phys_to_page(g->old.pa);

	/* The new entry replaces it as written, if it was. */
	remember(pg, g->m->to, g->m->dst, g->old.bits, false);
	mapdb->remove(mapdb_tree_of(g->old.pa), node_of(&g->old));
	drop_after_flush(g->tg, pg);
}

static int
enter(struct give *g, struct mapnode *n, unsigned bits)
{
	struct pmap_new nw = { .pa = g->pa, .link = (uintptr_t)n,
		.bits = bits, .seen = &g->old };
	bool had_node = has_node(&g->old);
	int error;

	if (had_node)
		clear_below_old(g);
	error = pmap_enter(g->m->to->pmap, g->m->dst, &nw, g->tg);
	KASSERT(error == 0 || !had_node); /* its frame is locked */
	if (error == 0 && had_node)
		forget_old(g);
	return error;
}

/* A new node below @p parent. */
static int
give_node(struct give *g, struct mapnode *parent, unsigned bits)
{
	struct mapdb_tree *t = mapdb_tree_of(g->pa);
	struct vm_page *pg = phys_to_page(g->pa);
	struct mapnode *n;
	int error;

	if (mapnode_depth(parent) >= MAPDB_DEPTH_MAX || l4_is_full(g->m->to))
		return EMLINK;
	n = mapdb->insert(t, parent, g->m->to, g->m->dst);
	if (n == NULL)
		return ENOMEM;
	page_hold(pg);
	error = enter(g, n, bits);
	if (error != 0) {
		mapdb->remove(t, n);
		page_drop(pg); /* not the last: the sender has one */
	}
	return error;
}

/* The sender's node becomes the receiver's, reference and children included.
 * The flush keeps a reference of its own, since the receiver may lose his
 * before the granter's translation is gone everywhere. */
static int
grant_node(struct give *g, unsigned bits)
{
	struct revoke rv = { .tree = mapdb_tree_of(g->pa),
		.pg = phys_to_page(g->pa), .tg = g->tg,
		.rights = PMAP_RWX & ~bits };
	int error;

	if (has_node(&g->old))
		return EBUSY; /* l4_map() removes it first */
	if (l4_is_full(g->m->to))
		return EMLINK;
	if (!has_room(g->tg))
		return EAGAIN;
	error = pmap_reserve(g->m->to->pmap, g->m->dst,
	    g->m->dst + PAGE_SIZE);
	if (error != 0)
		return error;
	if (rv.rights != 0)
		revoke_below(&rv, g->src);
	error = enter(g, g->src, bits | (g->bits & ~PMAP_RWX));
	if (error == 0) {
		(void)pmap_clear(g->m->from->pmap, g->m->src, 0, NULL, g->tg);
		mapdb_move(g->src, g->m->to, g->m->dst);
	}
	page_hold(rv.pg);
	rv.nremoved++;
	drop_removed(&rv);
	return error;
}

/* The same frame is there already.  @return whether that is all */
static bool
same_frame(struct give *g, unsigned bits, int *error)
{
	struct mapdb_tree *t = mapdb_tree_of(g->pa);
	struct mapnode *old = node_of(&g->old), *parent = g->src;
	/* COW does not exist here; clearing it is the engine's short way. */
	struct pmap_edit ed = { .clear = PMAP_COW, .set = bits,
		.seen = &g->old };

	*error = 0;
	if (g->src != NULL && mapdb_is_above(t, old, g->src))
		return true; /* the receiver has it from above */
	if (g->m->how == L4_GRANT)
		return false;
	if (g->m->how == L4_COPY && g->src != NULL)
		parent = mapdb->parent(t, g->src);
	if (mapnode_depth(old) != mapnode_depth(parent) + 1 ||
	    mapdb->parent(t, old) != parent)
		return false;
	/* Fast overmap: rights are added, the tree stays. */
	*error = pmap_change(g->m->to->pmap, g->m->dst, &ed, g->tg);
	KASSERT(*error == 0);
	return true;
}

static int
give_locked(struct give *g)
{
	const struct l4_map *m = g->m;
	unsigned rights = m->rights & g->bits & PMAP_RWX;
	unsigned bits = rights | m->touched;
	bool same = has_node(&g->old) && g->old.pa == g->pa;
	int error;

	if (rights == 0)
		return EACCES;
	if (same && same_frame(g, bits, &error))
		return error;
	if (has_node(&g->old) && !has_room(g->tg))
		return EAGAIN;
	switch (m->how) {
	case L4_MAP:
		return give_node(g, g->src, bits);
	case L4_COPY:
		return give_node(g, g->src != NULL ?
			mapdb->parent(mapdb_tree_of(g->pa), g->src) : NULL,
		    bits);
	case L4_GRANT:
		return g->src != NULL ? grant_node(g, bits) : EINVAL;
	}
	return EINVAL;
}

/* @return EAGAIN: it is empty now; ENOBUFS: the gather is full */
static int
clear_destination(const struct l4_map *m, struct tlb_gather *tg)
{
	struct l4_unmap u = { .space = m->to, .sva = m->dst,
		.eva = m->dst + PAGE_SIZE, .rights = PMAP_RWX,
		.flags = L4_UNMAP_SELF };

	return l4_unmap(&u, tg) == 0 ? EAGAIN : ENOBUFS;
}

int
l4_map(const struct l4_map *m, struct tlb_gather *tg)
{
	struct give g; /* large: only what is read before it is set */
	int error;

	g.m = m;
	g.tg = tg;
	g.src = NULL;
	do {
		error = lock_and_look(&g);
		if (error != 0)
			return error;
		error = give_locked(&g);
		unlock_ends(&g);
		if (error == EBUSY)
			error = clear_destination(m, tg);
		/* Another frame came to an empty destination meanwhile. */
	} while (error == EAGAIN && has_room(tg));
	return error == ENOBUFS ? EAGAIN : error;
}

int
l4_map_device(const struct l4_map *m, struct tlb_gather *tg)
{
	struct pmap_leaf old;
	struct pmap_new nw = { .pa = m->src, .bits = m->rights | m->touched,
		.seen = &old };

	(void)pmap_get(m->to->pmap, m->dst, &old);
	if (has_node(&old))
		return EBUSY;
	return pmap_enter(m->to->pmap, m->dst, &nw, tg);
}

/* ---- checking ---- */

static int
complain(const struct mapnode *n, const char *what)
{
	kprintf("l4_check: mapping at 0x%lx, depth %u: %s\n",
	    (unsigned long)mapnode_va(n), mapnode_depth(n), what);
	return EINVAL;
}

/* The whole tree of one frame, locked. */
static int
check_tree(struct mapdb_tree *t, paddr_t pa)
{
	unsigned bits[MAPDB_DEPTH_MAX + 1] = { PMAP_RWX };
	int error = mapdb_check(t);

	for (struct mapnode *n = t->first; error == 0 && n != NULL;
	     n = n->next) {
		unsigned depth = mapnode_depth(n);
		struct pmap_leaf leaf;

		(void)pmap_get(n->space->pmap, mapnode_va(n), &leaf);
		if (leaf.kind != PMAP_LEAF || leaf.pa != pa ||
		    node_of(&leaf) != n)
			return complain(n, "the entry is another's");
		bits[depth] = leaf.bits & PMAP_RWX;
		if (bits[depth] & ~bits[depth - 1])
			return complain(n, "more rights than its parent");
	}
	return error;
}

#define CHECK_BATCH 32

struct batch {
	unsigned n;
	vaddr_t next;
	paddr_t pa[CHECK_BATCH];
	uint32_t nnodes;
	int error;
	struct vmspace *vs;
};

static int
collect(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	struct batch *b = arg;

	if (b->n == CHECK_BATCH)
		return 1;
	b->next = c->va + PAGE_SIZE;
	if (leaf->kind != PMAP_LEAF)
		b->error = EINVAL;
	if (leaf->link == 0)
		return 0;
	/* Everything that may change it needs its pmap or its frame. */
	if (phys_to_page(leaf->pa)->refs == 0)
		b->error = EINVAL;
	b->nnodes++;
	b->pa[b->n++] = leaf->pa;
	return 0;
}

int
l4_check_mappings(struct vmspace *vs)
{
	struct batch b = { .vs = vs };
	int error = 0;

	do {
		b.n = 0;
		(void)pmap_scan(vs->pmap, b.next, USER_MAX, collect, &b);
		for (unsigned i = 0; error == 0 && i < b.n; i++) {
			spin_lock(lock_of(b.pa[i]));
			error = check_tree(mapdb_tree_of(b.pa[i]), b.pa[i]);
			spin_unlock(lock_of(b.pa[i]));
		}
	} while (error == 0 && b.n == CHECK_BATCH);
	if (b.error != 0)
		kprintf("l4_check: no mapping, or of a free frame\n");
	return error != 0 ? error : b.error;
}
