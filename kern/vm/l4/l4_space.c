/* SPDX-License-Identifier: MIT */
/*
 * l4_space.c - the L4 design as a table of slots; page side, checks, listings.
 *
 * Requests about ranges go to the root pager, which is the default pager of
 * every space; faults go through l4_fault.c.  What is asked about a frame is
 * asked of its mapping tree.
 * Locks: as vm.h says for each slot.
 */
#include "abi/errno.h"
#include "lib/printf.h"
#include "vm/l4/l4_fault.h"
#include "vm/l4/mapdb.h"
#include "vm/l4/root_pager.h"

void
l4_space_init(struct l4_space *ls)
{
	ls->nnodes = 0;
	ls->max_nodes = L4_NODES_MAX;
}

static void
l4_init(void)
{
	l4_ops_init();
	region_init();
	pages_init();
}

/* Mapped, or ready to be mapped again. */
static bool
l4_resident(struct vmspace *vs, vaddr_t va)
{
	struct pmap_leaf leaf;

	return pmap_get(vs->pmap, va, &leaf) == PMAP_LEAF ||
	    root_resident(vs, va);
}

/* ---- page side ---- */

static unsigned
l4_pg_harvest(struct vm_page *pg, unsigned clear, struct vm_txn *txn)
{
	unsigned status = 0, answer = 0;

	/* One reset takes both, and remembers both in the frame. */
	if (l4_unmap_frame(pg, 0, L4_UNMAP_OWNER |
		(clear != 0 ? L4_UNMAP_RESET : 0), &status,
		&txn->tg) != 0)
		return PG_HARVEST_UNKNOWN;
	if (status & L4_REFERENCED)
		answer |= PG_HARVEST_REF;
	if ((status & L4_WRITTEN) || (page_flags(pg) & PG_DIRTY))
		answer |= PG_HARVEST_DIRTY;
	return answer;
}

static int
l4_pg_revoke(struct vm_page *pg, vm_prot_t keep, struct vm_txn *txn)
{
	int error = l4_unmap_frame(pg, VM_PROT_ALL & ~keep, L4_UNMAP_OWNER,
	    NULL, &txn->tg);

	return error == 0 ? 0 : EBUSY;
}

/* Nothing leads from a frame to the pager's sets: pages go out through them,
 * by the pageout slot. */
static int
l4_pg_evict(struct vm_page *pg, struct vm_txn *txn)
{
	(void)pg, (void)txn;
	return EBUSY;
}

/* ---- invariants ---- */

#define CHECK_BATCH 32

struct batch {
	unsigned n;
	vaddr_t next;
	struct {
		vaddr_t va;
		struct vm_page *pg;
		unsigned rights;
	} e[CHECK_BATCH];
};

static int
collect(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	struct batch *b = arg;

	if (b->n == CHECK_BATCH)
		return 1;
	b->next = c->va + PAGE_SIZE;
	if (leaf->link == 0)
		return 0;
	b->e[b->n].va = c->va;
	b->e[b->n].pg = phys_to_page(leaf->pa);
	b->e[b->n++].rights = leaf->bits & PMAP_RWX;
	return 0;
}

/* DEBUG checks after each operation.  A mapping costs a look at its frame's
 * tree, so a program that fills the memory is checked now and then only. */
#define CHECK_ALWAYS 4096 /* mappings */
#define CHECK_EVERY  64	  /* operations */

static int
l4_check(struct vmspace *vs)
{
	struct batch b = { 0 };
	int error;

	if (l4_of(vs)->nnodes > CHECK_ALWAYS && vs->version % CHECK_EVERY != 0)
		return 0;
	error = root_check(vs);
	if (error == 0)
		error = l4_check_mappings(vs);
	do {
		b.n = 0;
		(void)pmap_scan(vs->pmap, b.next, USER_MAX, collect, &b);
		for (unsigned i = 0; error == 0 && i < b.n; i++)
			error = root_check_mapping(vs, b.e[i].va, b.e[i].pg,
			    b.e[i].rights);
	} while (error == 0 && b.n == CHECK_BATCH);
	return error;
}

struct count_arg {
	void (*count)(struct vm_page *, void *);
	void *arg;
};

static int
count_leaf(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	const struct count_arg *ca = arg;

	(void)c;
	if (leaf->link != 0)
		ca->count(phys_to_page(leaf->pa), ca->arg);
	return 0;
}

static void
l4_count_refs(struct vmspace *vs, void (*count)(struct vm_page *, void *),
    void *arg)
{
	struct count_arg ca = { count, arg };

	root_count_refs(vs, count, arg);
	if (vs != NULL)
		pmap_scan(vs->pmap, 0, USER_MAX, count_leaf, &ca);
}

/* ---- listing ---- */

struct dump_arg {
	struct sink *sk;
	vaddr_t next; /* expected; a gap is printed as +pages */
};

/* Rights, depth in the mapping tree, and * if written. */
static int
dump_leaf(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	const struct mapnode *n = (struct mapnode *)leaf->link;
	struct dump_arg *da = arg;

	if (c->va != da->next)
		sink_printf(da->sk, " +%lu",
		    (unsigned long)((c->va - da->next) >> PAGE_SHIFT));
	sink_printf(da->sk, " %c%u%s", leaf->bits & PMAP_W ? 'w' : 'r',
	    mapnode_depth(n), leaf->bits & PMAP_DIRTY ? "*" : "");
	da->next = c->va + PAGE_SIZE;
	return 0;
}

static void
l4_dump(struct vmspace *vs, struct sink *sk)
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

const struct vm_ops l4_ops = {
	.name = "l4",
	.pmap_flags = PMAP_LINKS,
	.init = l4_init,
	.as_init = root_as_init,
	.as_fork = root_as_fork,
	.as_clear = root_as_clear,
	.as_fini = root_as_fini,
	.map = root_map,
	.unmap = root_unmap,
	.protect = root_protect,
	.fault = l4_fault,
	.pin = l4_pin,
	.sync = root_sync,
	.prot_pages = root_prot_pages,
	.dirty = root_dirty,
	.region = root_region,
	.resident = l4_resident,
	.pg_harvest = l4_pg_harvest,
	.pg_revoke = l4_pg_revoke,
	.pg_evict = l4_pg_evict,
	.pageout = root_pageout,
	.obj_revoke = root_obj_revoke,
	.check = l4_check,
	.count_refs = l4_count_refs,
	.dump = l4_dump,
};
