/* SPDX-License-Identifier: MIT */
/*
 * mach_check.c - invariants and listings.
 *
 * M1 entries are sorted, disjoint, in list and tree, and counted.
 * M2 each leaf shows the page that its entry's chain of objects yields, with no
 *    right beyond entry and overlay; W only on a page of the top object of an
 *    entry without needs_copy; its pv entry exists.
 * M3 pages of an object lie inside of it and are as many as it says; each is
 *    in a frame or on swap, not both.
 * Locks: the space; a chain hand over hand, since others share it.  Leaves are
 *	read in chunks first: their pmap comes after the objects.
 */
#include "abi/errno.h"
#include "lib/printf.h"
#include "vm/mach/mach_page.h"

#define CHUNK 8 /* of stack */

struct leaves {
	unsigned n;
	struct {
		vaddr_t va;
		struct pmap_leaf leaf;
	} e[CHUNK];
};

static int
complain(vaddr_t va, const char *what)
{
	kprintf("mach_check: 0x%lx: %s\n", (unsigned long)va, what);
	return EINVAL;
}

static int
collect(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	struct leaves *lv = arg;

	if (lv->n == CHUNK)
		return 1;
	lv->e[lv->n].va = c->va;
	lv->e[lv->n++].leaf = *leaf;
	return 0;
}

/* Is @p pg what the chain yields at @p va?  @p *depth: of its object. */
static bool
chain_yields(const struct vm_map_entry *e, vaddr_t va,
    const struct vm_page *pg, unsigned *depth)
{
	struct mach_object *o = e->object, *next;
	uint64_t i = entry_index(e, va);
	const struct vm_page *found = NULL;

	*depth = 0;
	spin_lock(&o->lock);
	while (o->file == NULL && (found = vm_page_lookup(o, i)) == NULL &&
	    !mach_object_has(o, i) && (next = o->shadow) != NULL) {
		spin_lock_nested(&next->lock);
		spin_unlock(&o->lock);
		i += o->shadow_offset;
		o = next;
		++*depth;
	}
	if (o->file != NULL) /* its cache has it until it is revoked */
		found = (page_flags(pg) & PG_CACHED) && pg->owner == o->file &&
			pg->offset == i ?
		    pg :
		    NULL;
	spin_unlock(&o->lock);
	return found == pg;
}

/* Others may empty a leaf of any space at any time (pv_page_protect), and no
 * fault fills it again while the space is locked. */
static bool
is_gone(struct vmspace *vs, vaddr_t va)
{
	struct pmap_leaf now;

	return pmap_get(vs->pmap, va, &now) == PMAP_EMPTY;
}

static int
check_leaf(struct vmspace *vs, const struct vm_map_entry *e, vaddr_t va,
    const struct pmap_leaf *leaf)
{
	struct vm_page *pg = phys_to_page(leaf->pa);
	unsigned depth;

	if (leaf->kind == PMAP_SOFT)
		return PMAP_SOFT_KIND(leaf->soft) == PMAP_SOFT_DIRTY &&
			e->source != VM_PHYS ?
		    0 :
		    complain(va, "wrong software word");
	/* The machine may lack W or X without R. */
	if (leaf->bits & PMAP_RWX & ~pmap_rights(mach_rights(vs, e, va)))
		return complain(va, "leaf exceeds entry and overlay");
	if ((leaf->link == PV_UNMANAGED) != (e->source == VM_PHYS))
		return complain(va, "leaf of the wrong kind");
	if (e->source == VM_PHYS)
		return 0;
	if (!pv_holds(pg, leaf->link, vs, va))
		return is_gone(vs, va) ?
		    0 :
		    complain(va, "leaf without a pv entry");
	if (e->object == NULL || !chain_yields(e, va, pg, &depth))
		return complain(va, "leaf shows a page not of its object");
	if ((leaf->bits & PMAP_W) && (depth > 0 || e->needs_copy))
		return complain(va, "writable leaf of a shared page");
	return 0;
}

static int
check_leaves(struct vmspace *vs, const struct vm_map_entry *e)
{
	vaddr_t va = entry_sva(e);
	struct leaves lv;
	int error = 0;

	do {
		lv.n = 0;
		pmap_scan(vs->pmap, va, e->eva, collect, &lv);
		for (unsigned i = 0; i < lv.n; i++)
			error |= check_leaf(vs, e, lv.e[i].va, &lv.e[i].leaf);
		if (lv.n > 0)
			va = lv.e[lv.n - 1].va + PAGE_SIZE;
	} while (lv.n == CHUNK);
	return error;
}

static int
check_object(struct mach_object *o)
{
	uint32_t n = 0;
	int error = 0;

	spin_lock(&o->lock);
	LIST_FOREACH(l, &o->memq) {
		const struct vm_page *pg = LIST_ENTRY(l, struct vm_page, link);

		n++;
		if (pg->owner != o || pg->offset >= o->npages)
			error = complain(pg->offset, "page not of its object");
	}
	if (n != o->nresident)
		error = complain(n, "wrong count of resident pages");
	n = 0;
	LIST_FOREACH(l, &o->paged) {
		const struct paged *p = LIST_ENTRY(l, struct paged, link);

		n++;
		if (p->object != o || p->index >= o->npages ||
		    vm_page_lookup(o, p->index) != NULL)
			error = complain(p->index, "wrong page on swap");
	}
	if (n != o->npaged)
		error = complain(n, "wrong count of pages on swap");
	if (o->shadow != NULL && o->npages > o->shadow->npages)
		error = complain(o->npages, "object larger than its shadow");
	spin_unlock(&o->lock);
	return error;
}

static int
check_entry(struct vmspace *vs, const struct vm_map_entry *e)
{
	const struct mach_object *o = e->object;
	int error = 0;

	if (e->prot & ~e->maxprot)
		error = complain(entry_sva(e), "rights beyond maximum");
	if (o != NULL && e->offset + entry_npages(e) > o->npages)
		error = complain(entry_sva(e), "entry larger than its object");
	if (o != NULL && o->file != NULL &&
	    e->needs_copy == entry_shared(e))
		error = complain(entry_sva(e), "private entry writes a file");
	if (o != NULL && o->file == NULL)
		error |= check_object(e->object);
	return error | check_leaves(vs, e);
}

static int
any_leaf(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	(void)c, (void)leaf, (void)arg;
	return 1;
}

int
mach_check(struct vmspace *vs)
{
	struct vm_map *map = vm_map_of(vs);
	vaddr_t end = 0;
	size_t size = 0;
	unsigned n = 0;
	int error = 0;

	if (!rb_check(&map->tree))
		error = complain(0, "broken tree of entries");
	for (const struct vm_map_entry *e = vm_map_first(map, 0); e != NULL;
	     e = vm_map_next(map, e)) {
		if (entry_sva(e) < MAX(end, USER_MIN) ||
		    e->eva <= entry_sva(e) || e->eva > USER_MAX)
			error = complain(entry_sva(e), "entry out of order");
		if (pmap_scan(vs->pmap, end, entry_sva(e), any_leaf, NULL))
			error = complain(end, "leaf outside of all entries");
		error |= check_entry(vs, e);
		end = e->eva;
		size += e->eva - entry_sva(e);
		n++;
	}
	if (pmap_scan(vs->pmap, end, USER_MAX, any_leaf, NULL) != 0)
		error = complain(end, "leaf outside of all entries");
	if (n != map->nentries || size != vs->size_bytes)
		error = complain(0, "wrong count of entries or bytes");
	return error;
}

/* ---- references ---- */

struct count_arg {
	void (*count)(struct vm_page *, void *);
	void *arg;
};

/* Leaves hold the pages of files only. */
static int
count_leaf(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	const struct count_arg *ca = arg;

	(void)c;
	if (leaf->kind != PMAP_SOFT && leaf->link != PV_UNMANAGED &&
	    (page_flags(phys_to_page(leaf->pa)) & PG_CACHED))
		ca->count(phys_to_page(leaf->pa), ca->arg);
	return 0;
}

void
mach_count_refs(struct vmspace *vs, void (*count)(struct vm_page *, void *),
    void *arg)
{
	struct count_arg ca = { count, arg };

	if (vs != NULL) {
		pmap_scan(vs->pmap, 0, USER_MAX, count_leaf, &ca);
		return;
	}
	vm_resident_count(count, arg);
	pager_check_words();
}

/* ---- listing ---- */

static void
dump_object(const struct mach_object *o, struct sink *sk)
{
	sink_printf(sk, " -> %lu pages, %u resident", (unsigned long)o->npages,
	    o->nresident);
	if (o->npaged > 0)
		sink_printf(sk, ", %u on swap", o->npaged);
	sink_printf(sk, ", refs %u", mach_object_refs(o));
}

/* One line a link of the chain: pages, and how many of them are resident. */
static void
dump_chain(struct mach_object *o, struct sink *sk)
{
	struct mach_object *next;

	spin_lock(&o->lock);
	for (;; o = next) {
		if (o->file != NULL)
			sink_printf(sk, " -> file");
		else
			dump_object(o, sk);
		next = o->shadow;
		if (next == NULL)
			break;
		sink_printf(sk, " (+%lu)", (unsigned long)o->shadow_offset);
		spin_lock_nested(&next->lock);
		spin_unlock(&o->lock);
	}
	spin_unlock(&o->lock);
}

void
mach_dump(struct vmspace *vs, struct sink *sk)
{
	static const char *const inherit[] = { "share", "copy", "none" };
	struct vm_map *map = vm_map_of(vs);

	for (const struct vm_map_entry *e = vm_map_first(map, 0); e != NULL;
	     e = vm_map_next(map, e)) {
		sink_printf(sk, "%lx-%lx %c%c%c/%c%c%c %s%s",
		    (unsigned long)entry_sva(e), (unsigned long)e->eva,
		    e->prot & VM_PROT_READ ? 'r' : '-',
		    e->prot & VM_PROT_WRITE ? 'w' : '-',
		    e->prot & VM_PROT_EXECUTE ? 'x' : '-',
		    e->maxprot & VM_PROT_READ ? 'r' : '-',
		    e->maxprot & VM_PROT_WRITE ? 'w' : '-',
		    e->maxprot & VM_PROT_EXECUTE ? 'x' : '-',
		    inherit[e->inheritance],
		    e->needs_copy ? " needs_copy" : "");
		if (e->source == VM_PHYS)
			sink_printf(sk, " -> phys %lx",
			    (unsigned long)e->source_offset);
		else if (e->object != NULL)
			dump_chain(e->object, sk);
		sink_printf(sk, "\n");
	}
}
