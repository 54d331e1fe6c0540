/* SPDX-License-Identifier: MIT */
/*
 * unit_mach.c - kern/vm/mach: chains of objects, the paths of a fault, pages
 * and their leaves, listings.
 */
#include "lib/printf.h"
#include "lib/string.h"
#include "mem/kmem.h"
#include "sync/counter.h"
#include "vm/mach/mach_page.h"
#include "vm/test/unit_space.h"

static unsigned
depth(struct vmspace *vs)
{
	const struct vm_map_entry *e = vm_map_first(vm_map_of(vs), BASE);

	return e != NULL && e->object != NULL ? mach_object_depth(e->object) :
						0;
}

static struct vm_page *
page_at(struct vmspace *vs, unsigned page)
{
	struct pmap_leaf leaf;

	EQUAL(pmap_get(vs->pmap, BASE + page * PAGE_SIZE, &leaf), PMAP_LEAF);
	return phys_to_page(leaf.pa);
}

struct level {
	size_t frames;
	uint64_t objects;
};

static struct level
level(void)
{
	return (struct level){ frame_free_count() + pmap_tables_cached() +
		    kmem_slab_frames(),
		kmem_used_objects() };
}

/* ---- chains ---- */

/* A server: fork, the child writes, the parent writes, the child exits. */
static void
rounds_stay_shallow(void)
{
	struct vmspace *p = space();
	struct level before = level();
	unsigned deepest = 0;

	map(p, 0, 8, 0);
	for (unsigned i = 0; i < 8; i++)
		put(p, i, i);
	for (unsigned r = 0; r < 1000; r++) {
		struct vmspace *c = fork_of(p);

		if (r == 10)
			before = level();
		put(c, r % 8, 1000 + r);
		put(p, (r + 3) % 8, r);
		EQUAL(get(c, r % 8), 1000 + r);
		deepest = MAX(deepest, depth(p));
		leave(c);
		EQUAL(depth(p), 0); /* at once, without another fault */
		if (r == 10 + 8 * 120) { /* the same step of the cycle */
			c = fork_of(p);
			EQUAL(level().objects, before.objects);
			EQUAL(level().frames, before.frames);
			leave(c);
		}
	}
	CHECK(deepest >= 1 && deepest <= 2);
	EQUAL(vm_check(), 0);
	leave(p);
}

/* The parent has written meanwhile: the exit frees what the child saw alone,
 * though the parent neither faults nor forks after it. */
static void
exit_frees_what_it_saw(void)
{
	struct vmspace *p = space(), *c;
	uint64_t pages;

	map(p, 0, 8, 0);
	for (unsigned i = 0; i < 8; i++)
		put(p, i, i);
	pages = counter_read(TS_object_pages);
	c = fork_of(p);
	for (unsigned i = 0; i < 4; i++)
		put(p, i, 10 + i);
	EQUAL(counter_read(TS_object_pages), pages + 4);
	leave(c);
	EQUAL(counter_read(TS_object_pages), pages);
	EQUAL(depth(p), 0);
	EQUAL(vm_check(), 0);
	for (unsigned i = 0; i < 8; i++)
		EQUAL(get(p, i), i < 4 ? 10 + i : i);
	leave(p);
}

/* A chain of generations: each writes one page, and its parent dies. */
static void
generations_stay_shallow(void)
{
	struct vmspace *p = space();
	struct level before = level();
	unsigned deepest = 0;

	map(p, 0, 8, 0);
	for (unsigned i = 0; i < 8; i++)
		put(p, i, 100 + i);
	for (unsigned r = 0; r < 1000; r++) {
		struct vmspace *c = fork_of(p);

		put(c, r % 7, r);
		deepest = MAX(deepest, depth(c));
		leave(p);
		p = c;
		EQUAL(get(p, r % 7), r);
		EQUAL(get(p, 7), 107);
	}
	CHECK(deepest >= 1 && deepest <= 2);
	EQUAL(vm_check(), 0);
	vmspace_clear(p);
	CHECK(level().frames + 4 >= before.frames);
	leave(p);
}

/* Both sides have replaced all they could see: nothing is behind any more. */
static void
bypass_frees_the_original(void)
{
	struct vmspace *p = space(), *c;
	size_t frames;

	map(p, 0, 4, 0);
	for (unsigned i = 0; i < 4; i++)
		put(p, i, i);
	c = fork_of(p);
	frames = frame_free_count();
	for (unsigned i = 0; i < 4; i++) {
		put(c, i, 10 + i);
		put(p, i, 20 + i);
	}
	EQUAL(depth(p), 0);
	CHECK(frames - frame_free_count() <= 4 + 8); /* and tables, slabs */
	for (unsigned i = 0; i < 4; i++) {
		EQUAL(get(p, i), 20 + i);
		EQUAL(get(c, i), 10 + i);
	}
	leave(c);
	leave(p);
}

/* Links at different places: what is merged adds its offset. */
static void
offsets_add_up(void)
{
	struct vmspace *p = space(), *c, *d;

	map(p, 0, 8, 0);
	for (unsigned i = 0; i < 8; i++)
		put(p, i, 100 + i);
	c = fork_of(p);
	put(p, 7, 7); /* shadow at page 0 */
	EQUAL(vm_unmap(p, BASE, 2 * PAGE_SIZE), 0);
	d = fork_of(p);
	put(p, 6, 6); /* shadow at page 2 of it */
	EQUAL(depth(p), 2);
	leave(d);
	put(p, 5, 5);
	EQUAL(depth(p), 1);
	EQUAL(vm_check(), 0); /* leaves still show what the chain yields */
	EQUAL(get(p, 2), 102);
	EQUAL(get(p, 4), 104);
	for (unsigned i = 5; i < 8; i++)
		EQUAL(get(p, i), i);
	EQUAL(get(c, 5), 105);
	leave(c);
	leave(p);
}

/* ---- the paths of a fault ---- */

static void
paths_of_a_fault(void)
{
	struct vmspace *p = space(), *c, *g;
	uint64_t zero = counter_read(TS_zero_fills);
	uint64_t copies = counter_read(TS_cow_copies);
	uint64_t reuses;

	map(p, 0, 4, 0);
	put(p, 0, 1); /* first touch */
	put(p, 1, 2);
	EQUAL(counter_read(TS_zero_fills) - zero, 2);
	c = fork_of(p);
	put(c, 1, 3); /* copy up */
	g = fork_of(c);
	put(g, 2, 5); /* zero fill in the newest of three objects */
	EQUAL(depth(g), 2);
	EQUAL(get(g, 0), 1); /* read through two links */
	EQUAL(page_at(g, 0), page_at(p, 0));
	EQUAL(counter_read(TS_cow_copies) - copies, 1);
	EQUAL(counter_read(TS_zero_fills) - zero, 3);
	reuses = counter_read(TS_cow_reuses);
	leave(g);
	put(p, 1, 4); /* last reference: the child has its own */
	EQUAL(counter_read(TS_cow_reuses) - reuses, 1);
	EQUAL(counter_read(TS_cow_copies) - copies, 1);
	EQUAL(get(c, 1), 3);
	EQUAL(get(p, 1), 4);
	leave(c);
	leave(p);
}

/* ---- pages and their leaves ---- */

static void
page_side(void)
{
	struct vmspace *vs[20];
	struct vm_txn txn;
	struct vm_page *pg;

	tlb_gather_init(&txn.tg);
	vs[0] = space();
	map(vs[0], 0, 1, VM_MAP_SHARED);
	for (unsigned i = 1; i < ARRAY_SIZE(vs); i++)
		vs[i] = fork_of(vs[0]);
	for (unsigned i = 0; i < ARRAY_SIZE(vs); i++)
		put(vs[i], 0, i);
	pg = page_at(vs[7], 0);
	EQUAL(mach_pg_harvest(pg, PG_HARVEST_REF, &txn),
	    PG_HARVEST_REF | PG_HARVEST_DIRTY);
	tlb_gather_flush(&txn.tg);
	EQUAL(mach_pg_harvest(pg, 0, &txn), PG_HARVEST_DIRTY);
	EQUAL(mach_pg_revoke(pg, VM_PROT_READ, &txn), 0);
	tlb_gather_flush(&txn.tg);
	for (unsigned i = 0; i < ARRAY_SIZE(vs); i++) {
		struct pmap_leaf leaf;

		EQUAL(pmap_get(vs[i]->pmap, BASE, &leaf), PMAP_LEAF);
		EQUAL(leaf.bits & PMAP_W, 0);
	}
	EQUAL(mach_pg_revoke(pg, VM_PROT_NONE, &txn), 0);
	tlb_gather_flush(&txn.tg);
	CHECK(pv_empty(pg));
	EQUAL(mach_pg_evict(pg, &txn), EBUSY); /* no swap */
	for (unsigned i = 0; i < ARRAY_SIZE(vs); i++) {
		struct pmap_leaf leaf;

		EQUAL(pmap_get(vs[i]->pmap, BASE, &leaf), PMAP_EMPTY);
		EQUAL(get(vs[i], 0), ARRAY_SIZE(vs) - 1);
		EQUAL(page_at(vs[i], 0), pg);
	}
	EQUAL(vm_check(), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(vs); i++)
		leave(vs[i]);
}

/* The invariants find a leaf that shows another page than its object's. */
static void
check_finds_a_foreign_leaf(void)
{
	struct vmspace *vs = space();
	struct pmap_leaf a, b;
	struct tlb_gather tg;

	map(vs, 0, 2, 0);
	put(vs, 0, 1);
	put(vs, 1, 2);
	EQUAL(mach_check(vs), 0);
	EQUAL(pmap_get(vs->pmap, BASE, &a), PMAP_LEAF);
	EQUAL(pmap_get(vs->pmap, BASE + PAGE_SIZE, &b), PMAP_LEAF);
	tlb_gather_init(&tg);
	EQUAL(pmap_enter(vs->pmap, BASE,
		  &(struct pmap_new){ .pa = b.pa, .bits = a.bits,
		      .link = a.link },
		  &tg),
	    0);
	tlb_gather_flush(&tg);
	CHECK(mach_check(vs) != 0);
}

/* ---- listings ---- */

static void
golden_dump(void)
{
	static char text[1024];
	struct vmspace *p = space(), *c;
	struct buf_sink b;

	map(p, 0, 4, 0);
	put(p, 0, 1);
	put(p, 1, 1);
	c = fork_of(p);
	put(c, 0, 2);
	map(c, 8, 2, VM_MAP_SHARED);
	EQUAL(vm_protect(c, BASE + 3 * PAGE_SIZE, PAGE_SIZE, VM_PROT_READ), 0);
	buf_sink_init(&b, text, sizeof(text), 0);
	vm_dump(c, &b.sink);
	if (strcmp(text,
		"1555555000-1555558000 rw-/rwx copy"
		" -> 4 pages, 1 resident, refs 2 (+0)"
		" -> 4 pages, 2 resident, refs 2\n"
		"1555558000-1555559000 r--/rwx copy"
		" -> 4 pages, 1 resident, refs 2 (+0)"
		" -> 4 pages, 2 resident, refs 2\n"
		"155555d000-155555f000 rw-/rwx share"
		" -> 2 pages, 0 resident, refs 1\n") != 0)
		panic("%s", text);
	leave(c);
	leave(p);
}

/* The kernel reads a page through a pin while its program writes: the program
 * gets a copy, and the reader sees what was there. */
static void
pinned_is_copied(void)
{
	struct vmspace *p = space();
	struct vm_pinned pin;
	struct vm_txn txn;
	uint64_t v = 0;

	map(p, 0, 1, 0);
	put(p, 0, 1);
	EQUAL(vm_pin(p, BASE, 8, VM_PROT_READ, &pin), 0);
	tlb_gather_init(&txn.tg);
	EQUAL(vm_design->pg_revoke(page_at(p, 0), VM_PROT_READ, &txn), 0);
	tlb_gather_flush(&txn.tg);
	put(p, 0, 2);
	vm_pinned_read(&pin, 0, &v, 8);
	EQUAL(v, 1);
	EQUAL(get(p, 0), 2);
	CHECK(page_at(p, 0) != pin.page[0]);
	vm_unpin(&pin);
	leave(p);
}

const struct unit unit_mach[] = {
	{ "rounds_stay_shallow", rounds_stay_shallow, 0 },
	{ "exit_frees_what_it_saw", exit_frees_what_it_saw, 0 },
	{ "generations_stay_shallow", generations_stay_shallow, 0 },
	{ "bypass_frees_the_original", bypass_frees_the_original, 0 },
	{ "offsets_add_up", offsets_add_up, 0 },
	{ "paths_of_a_fault", paths_of_a_fault, 0 },
	{ "page_side", page_side, 0 },
	{ "check_finds_a_foreign_leaf", check_finds_a_foreign_leaf, 0 },
	{ "pinned_is_copied", pinned_is_copied, 0 },
	{ "golden_dump", golden_dump, 0 },
	{ NULL, NULL, 0 },
};
