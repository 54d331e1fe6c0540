/* SPDX-License-Identifier: MIT */
/* unit_pmap.c - kern/vm/pmap: every kind of entry at every level. */
#include "lib/printf.h"
#include "lib/string.h"
#include "machine/pte.h"
#include "mem/failpoint.h"
#include "vm/test/unit.h"

#define VA  ((vaddr_t)0x1540000000) /* begins a gigabyte */
#define GIG ((vaddr_t)1 << 30)

static const unsigned orders[] = { PMAP_ORDER_4K, PMAP_ORDER_2M,
	PMAP_ORDER_1G };

static struct pmap *
create(enum pmap_type type, unsigned flags)
{
	struct pmap *pm;

	EQUAL(pmap_create(type, flags, &pm), 0);
	return pm;
}

/* Frames need not exist for entries of order > 0; those of pages do. */
static paddr_t
some_frame(void)
{
	return page_to_phys(frame_alloc(0));
}

static int
enter(struct pmap *pm, vaddr_t va, paddr_t pa, unsigned order, unsigned bits,
    struct tlb_gather *tg)
{
	struct pmap_new nw = { .pa = pa, .bits = bits, .order = order };

	return pmap_enter(pm, va, &nw, tg);
}

static void
flush(struct tlb_gather *tg)
{
	if (!tlb_gather_empty(tg))
		tlb_gather_flush(tg);
}

/* Each combination of rights, software bit, A and D at each level. */
static void
leaves(void)
{
	struct pmap *pm = create(PMAP_USER, 0);
	struct tlb_gather tg;
	struct pmap_leaf l;

	tlb_gather_init(&tg);
	for (unsigned o = 0; o < ARRAY_SIZE(orders); o++)
		for (unsigned bits = 0; bits < 64; bits++) {
			paddr_t pa = o == 0 ? some_frame() : 5 * GIG;
			unsigned want = bits;

			if ((bits & PMAP_W) && !(bits & PMAP_R))
				want |= PMAP_R; /* the machine has no W alone */
			EQUAL(enter(pm, VA, pa, orders[o], bits, &tg), 0);
			EQUAL(pmap_get(pm, VA, &l),
			    bits & PMAP_RWX ? PMAP_LEAF : PMAP_NOACCESS);
			EQUAL(l.bits, want);
			EQUAL(l.order, orders[o]);
			EQUAL(l.pa, pa);
			EQUAL(pm->nleaves, 1u << orders[o]);
			if ((bits & (PMAP_COW | PMAP_W)) !=
			    (PMAP_COW | PMAP_W))
				EQUAL(pmap_check(pm), 0);
			EQUAL(pmap_clear(pm, VA, 0, &l, &tg), 0);
			EQUAL(l.bits, want);
			EQUAL(pmap_get(pm, VA, &l), PMAP_EMPTY);
			EQUAL(pmap_clear(pm, VA, 0, NULL, &tg), ENOENT);
			pmap_trim(pm, VA, VA + GIG, &tg);
			flush(&tg);
		}
	pmap_drop(pm);
}

static void
expectations(void)
{
	struct pmap *pm = create(PMAP_USER, 0);
	struct pmap_leaf l, other = { .raw = 12345 };
	struct pmap_new nw = { .pa = some_frame(), .bits = PMAP_R,
		.seen = &l };
	struct pmap_edit ed = { .set = PMAP_W, .seen = &other };
	struct tlb_gather tg;

	tlb_gather_init(&tg);
	EQUAL(pmap_get(pm, VA, &l), PMAP_EMPTY);
	EQUAL(pmap_enter(pm, VA, &nw, &tg), 0);
	EQUAL(pmap_enter(pm, VA, &nw, &tg), EAGAIN);
	pmap_get(pm, VA, &l);
	/* A and D, set by the hardware meanwhile, are not compared. */
	EQUAL(pmap_change(pm, VA,
		  &(struct pmap_edit){ .set = PMAP_ACCESSED | PMAP_DIRTY },
		  &tg),
	    0);
	nw.pa = some_frame();
	EQUAL(pmap_enter(pm, VA, &nw, &tg), 0);
	EQUAL(tg.nnoted, 1);
	EQUAL(pmap_change(pm, VA, &ed, &tg), EAGAIN);
	EQUAL(pmap_change(pm, VA + PAGE_SIZE, &ed, &tg), ENOENT);
	/* The same through the place that was seen. */
	pmap_get(pm, VA, &l);
	CHECK(l.slot != NULL);
	EQUAL(enter(pm, VA, some_frame(), 0, PMAP_R, &tg), 0);
	ed.seen = &l;
	EQUAL(pmap_change(pm, VA, &ed, &tg), EAGAIN);
	EQUAL(pmap_clear(pm, VA, 0, NULL, &tg), 0);
	EQUAL(pmap_enter(pm, VA, &nw, &tg), EAGAIN);
	EQUAL(pmap_change(pm, VA, &ed, &tg), ENOENT);
	EQUAL(pmap_check(pm), 0);
	flush(&tg);
	pmap_drop(pm);
}

/* The table of a place that was seen goes, and serves another range. */
static void
stale_places(void)
{
	struct pmap *pm = create(PMAP_USER, 0);
	struct pmap_leaf l, now;
	struct pmap_new nw = { .pa = some_frame(), .bits = PMAP_R,
		.seen = &l };
	struct pmap_edit ed = { .set = PMAP_W, .seen = &l };
	struct tlb_gather tg;
	paddr_t pa = some_frame();

	tlb_gather_init(&tg);
	EQUAL(pmap_reserve(pm, VA, VA + PAGE_SIZE), 0);
	EQUAL(pmap_get(pm, VA, &l), PMAP_EMPTY);
	CHECK(l.slot != NULL);
	pmap_trim(pm, 0, USER_MAX, &tg);
	flush(&tg);
	/* The freed tables are taken again, newest first. */
	EQUAL(enter(pm, VA + GIG, pa, 0, PMAP_R, &tg), 0);
	EQUAL(pmap_enter(pm, VA, &nw, &tg), 0);
	EQUAL(pmap_get(pm, VA, &now), PMAP_LEAF);
	EQUAL(now.pa, nw.pa);
	EQUAL(pmap_get(pm, VA + GIG, &now), PMAP_LEAF);
	EQUAL(now.pa, pa);
	/* And for a leaf. */
	EQUAL(pmap_get(pm, VA, &l), PMAP_LEAF);
	EQUAL(pmap_clear(pm, VA, 0, NULL, &tg), 0);
	pmap_trim(pm, 0, USER_MAX, &tg);
	EQUAL(pmap_change(pm, VA, &ed, &tg), ENOENT);
	EQUAL(pmap_clear(pm, VA + GIG, 0, NULL, &tg), 0);
	EQUAL(pmap_check(pm), 0);
	flush(&tg);
	pmap_drop(pm);
}

/* pmap_protect() against a model of 1,200 pages and a superpage behind them. */
static void
protect_ranges(void)
{
	enum { N = 1200 };
	static uint8_t model[N]; /* bits; 0xff: nothing there */
	struct pmap *pm = create(PMAP_USER, 0);
	vaddr_t large = VA + GIG;
	struct tlb_gather tg;
	struct pmap_leaf l;
	uint32_t rnd = 1;

	tlb_gather_init(&tg);
	for (unsigned i = 0; i < N; i++) {
		rnd = rnd * 1664525 + 1013904223;
		model[i] = 0xff;
		if (i / 97 % 3 == 1 || rnd >> 30 == 0)
			continue;
		model[i] = (uint8_t)(rnd >> 16 & PMAP_RWX);
		if (rnd >> 28 & 1)
			model[i] = (model[i] & ~PMAP_W) | PMAP_COW;
		if (model[i] & PMAP_W)
			model[i] |= PMAP_R;
		EQUAL(enter(pm, VA + i * PAGE_SIZE, some_frame(), 0, model[i],
			  &tg),
		    0);
	}
	EQUAL(enter(pm, large, 5 * GIG, PMAP_ORDER_2M, PMAP_R, &tg), 0);
	for (unsigned turn = 0; turn < 60; turn++) {
		unsigned a = (rnd = rnd * 1664525 + 1013904223) >> 8, n;
		unsigned set = turn % 4 == 0 ? 0 : PMAP_R | (a & PMAP_RWX);
		unsigned clear = PMAP_RWX & ~set;

		a %= N;
		n = turn % 3 == 0 ? 1 : (rnd >> 4) % (N - a) + 1;
		flush(&tg);
		pmap_protect(pm, VA + a * PAGE_SIZE, VA + (a + n) * PAGE_SIZE,
		    clear, set, &tg);
		for (unsigned i = a; i < a + n; i++) {
			if (model[i] == 0xff)
				continue;
			model[i] = (uint8_t)((model[i] & ~clear) | set);
			if (model[i] & PMAP_COW)
				model[i] &= (uint8_t)~PMAP_W;
		}
	}
	pmap_protect(pm, VA, large + GIG, PMAP_R, PMAP_X, &tg);
	for (unsigned i = 0; i < N; i++) {
		enum pmap_entry kind = pmap_get(pm, VA + i * PAGE_SIZE, &l);

		if (model[i] == 0xff) {
			EQUAL(kind, PMAP_EMPTY);
			continue;
		}
		model[i] = (uint8_t)((model[i] & ~PMAP_R) | PMAP_X);
		if (model[i] & PMAP_W)
			model[i] |= PMAP_R; /* the machine has no W alone */
		EQUAL(l.bits, model[i]);
	}
	EQUAL(pmap_get(pm, large, &l), PMAP_LEAF);
	EQUAL(l.bits, PMAP_X);
	EQUAL(pmap_check(pm), 0);
	for (unsigned i = 0; i < N; i++)
		if (model[i] != 0xff)
			EQUAL(pmap_clear(pm, VA + i * PAGE_SIZE, 0, NULL, &tg),
			    0);
	EQUAL(pmap_clear(pm, large, 0, NULL, &tg), 0);
	flush(&tg);
	pmap_drop(pm);
}

/* Larger over smaller and smaller under larger are refused, not done. */
static void
sizes_collide(void)
{
	struct pmap *pm = create(PMAP_USER, 0);
	struct tlb_gather tg;

	tlb_gather_init(&tg);
	EQUAL(enter(pm, VA, 5 * GIG, PMAP_ORDER_2M, PMAP_R, &tg), 0);
	EQUAL(enter(pm, VA + PAGE_SIZE, some_frame(), 0, PMAP_R, &tg), EBUSY);
	EQUAL(enter(pm, VA, 5 * GIG, PMAP_ORDER_1G, PMAP_R, &tg), EBUSY);
	EQUAL(pm->nleaves, 512);
	EQUAL(pmap_check(pm), 0);
	EQUAL(pmap_clear(pm, VA, 0, NULL, &tg), 0);
	flush(&tg);
	pmap_drop(pm);
}

static void
change(void)
{
	struct pmap *pm = create(PMAP_USER, 0);
	struct pmap_edit ed = { 0 };
	paddr_t pa = some_frame();
	struct tlb_gather tg;
	struct pmap_leaf l;

	tlb_gather_init(&tg);
	EQUAL(enter(pm, VA, pa, 0, PMAP_R, &tg), 0);
	ed.set = PMAP_W | PMAP_DIRTY;
	EQUAL(pmap_change(pm, VA, &ed, &tg), 0);
	EQUAL(ed.old, PMAP_R);
	CHECK(tlb_gather_empty(&tg)); /* only wider */
	ed = (struct pmap_edit){ .clear = PMAP_DIRTY };
	EQUAL(pmap_change(pm, VA, &ed, &tg), 0);
	EQUAL(ed.old, PMAP_R | PMAP_W | PMAP_DIRTY);
	EQUAL(tg.nnoted, 1);
	flush(&tg);
	/* No rights left: the frame stays, the hardware faults; and back. */
	ed = (struct pmap_edit){ .clear = PMAP_RWX };
	EQUAL(pmap_change(pm, VA, &ed, &tg), 0);
	EQUAL(pmap_get(pm, VA, &l), PMAP_NOACCESS);
	EQUAL(l.pa, pa);
	flush(&tg);
	ed = (struct pmap_edit){ .set = PMAP_R | PMAP_X };
	EQUAL(pmap_change(pm, VA, &ed, &tg), 0);
	EQUAL(pmap_get(pm, VA, &l), PMAP_LEAF);
	EQUAL(l.bits, PMAP_R | PMAP_X);
	ed = (struct pmap_edit){ .set = PMAP_W | PMAP_COW };
	EQUAL(pmap_change(pm, VA, &ed, &tg), 0);
	pmap_get(pm, VA, &l);
	EQUAL(l.bits, PMAP_R | PMAP_X | PMAP_COW); /* COW keeps W away */
	EQUAL(pmap_clear(pm, VA, 0, NULL, &tg), 0);
	flush(&tg);
	pmap_drop(pm);
}

static void
software_words(void)
{
	uint64_t word = PMAP_SOFT_WORD(PMAP_SOFT_SWAP, 0x123456789abcull);
	struct pmap *pm = create(PMAP_USER, 0);
	struct tlb_gather tg;
	struct pmap_leaf l;

	tlb_gather_init(&tg);
	EQUAL(enter(pm, VA, some_frame(), 0, PMAP_R, &tg), 0);
	EQUAL(pmap_clear(pm, VA, word, &l, &tg), 0);
	EQUAL(l.kind, PMAP_LEAF);
	EQUAL(pmap_get(pm, VA, &l), PMAP_SOFT);
	EQUAL(l.soft, word);
	EQUAL(PMAP_SOFT_KIND(l.soft), PMAP_SOFT_SWAP);
	EQUAL(PMAP_SOFT_VALUE(l.soft), 0x123456789abcull);
	EQUAL(pm->nleaves, 0);
	EQUAL(pmap_check(pm), 0);
	EQUAL(pmap_change(pm, VA, &(struct pmap_edit){ 0 },
		  &tg),
	    ENOENT);
	EQUAL(enter(pm, VA, some_frame(), 0, PMAP_R, &tg), 0);
	EQUAL(pmap_clear(pm, VA, 0, &l, &tg), 0);
	EQUAL(l.kind, PMAP_LEAF);
	flush(&tg);
	pmap_drop(pm);
}

struct seen {
	unsigned n;
	vaddr_t va[64];
	unsigned kind[64];
	int stop_at;
};

static int
see(struct pmap_cursor *c, const struct pmap_leaf *l, void *arg)
{
	struct seen *s = arg;

	CHECK(s->n < 64);
	s->va[s->n] = c->va;
	s->kind[s->n++] = l->kind;
	return (int)s->n == s->stop_at ? 77 : 0;
}

/* Visited in order: pages at table borders, software words, superpages. */
static void
scan(void)
{
	static const vaddr_t off[] = { 0, 0x1000, 0x7000, 0x8000, 0x1ff000,
		0x200000, 0x3ff000, 0x40000000, 0x40200000, 0x40201000 };
	struct pmap *pm = create(PMAP_USER, 0);
	struct seen s = { 0 };
	struct tlb_gather tg;

	tlb_gather_init(&tg);
	for (unsigned i = 0; i < ARRAY_SIZE(off); i++)
		EQUAL(enter(pm, VA + off[i], some_frame(), 0, PMAP_R, &tg), 0);
	EQUAL(pmap_clear(pm, VA + 0x7000, 6, NULL, &tg), 0);
	EQUAL(enter(pm, VA + 2 * GIG, 8 * GIG, PMAP_ORDER_2M, PMAP_R, &tg), 0);
	EQUAL(pmap_scan(pm, VA, VA + 4 * GIG, see, &s), 0);
	EQUAL(s.n, ARRAY_SIZE(off) + 1);
	for (unsigned i = 0; i < ARRAY_SIZE(off); i++) {
		EQUAL(s.va[i], VA + off[i]);
		EQUAL(s.kind[i], off[i] == 0x7000 ? PMAP_SOFT : PMAP_LEAF);
	}
	s = (struct seen){ .stop_at = 3 };
	EQUAL(pmap_scan(pm, VA + 0x1000, USER_MAX, see, &s), 77);
	EQUAL(s.va[2], VA + 0x8000);
	s = (struct seen){ 0 };
	EQUAL(pmap_scan(pm, VA + 0x2000, VA + 0x7000, see, &s), 0);
	EQUAL(s.n, 0);
	EQUAL(pmap_scan(pm, 0, VA, see, &s), 0);
	EQUAL(s.n, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(off); i++)
		EQUAL(pmap_clear(pm, VA + off[i], 0, NULL, &tg), 0);
	EQUAL(pmap_clear(pm, VA + 2 * GIG, 0, NULL, &tg), 0);
	flush(&tg);
	pmap_drop(pm);
}

/* 1 GiB to 2 MiB to 4 KiB: same translation, rights, A and D. */
static void
split(void)
{
	unsigned bits = PMAP_R | PMAP_X | PMAP_COW | PMAP_ACCESSED | PMAP_DIRTY;
	struct pmap *pm = create(PMAP_USER, 0);
	struct tlb_gather tg;
	struct pmap_leaf l;

	tlb_gather_init(&tg);
	EQUAL(enter(pm, VA, 7 * GIG, PMAP_ORDER_1G, bits, &tg), 0);
	EQUAL(pmap_split(pm, VA + 0x345678, &tg), 0);
	flush(&tg);
	EQUAL(pmap_split(pm, VA + 0x345678, &tg), 0);
	CHECK(tg.range[0].sva == VA + 0x200000);
	CHECK(tg.range[0].eva == VA + 0x400000);
	flush(&tg);
	EQUAL(pmap_split(pm, VA + 0x345678, &tg), ENOENT);
	EQUAL(pmap_get(pm, VA + 0x345000, &l), PMAP_LEAF);
	EQUAL(l.order, 0);
	EQUAL(l.pa, 7 * GIG + 0x345000);
	EQUAL(l.bits, bits);
	EQUAL(pmap_get(pm, VA + 0x500000, &l), PMAP_LEAF);
	EQUAL(l.order, PMAP_ORDER_2M);
	EQUAL(l.pa, 7 * GIG + 0x400000);
	EQUAL(l.bits, bits);
	EQUAL(pm->nleaves, 1u << PMAP_ORDER_1G);
	EQUAL(pmap_check(pm), 0);
	EQUAL(pmap_split(pm, VA + 2 * GIG, &tg), ENOENT);
	fail_arm(1, NULL);
	EQUAL(pmap_split(pm, VA + 0x500000, &tg), ENOMEM);
	EQUAL(pmap_check(pm), 0);
}

static void
reserve(void)
{
	struct pmap *pm = create(PMAP_USER, 0);
	struct tlb_gather tg;
	struct pmap_leaf l;

	tlb_gather_init(&tg);
	EQUAL(pmap_reserve(pm, VA + 0x1ff000, VA + 0x202000), 0);
	EQUAL(pm->ntables, 4);
	/* No memory at all, and it still works. */
	while (frame_alloc(FRAME_RESERVE) != NULL)
		;
	for (vaddr_t va = VA + 0x1ff000; va < VA + 0x202000; va += PAGE_SIZE)
		EQUAL(enter(pm, va, HOST_RAM_BASE + PAGE_SIZE, 0, PMAP_R, &tg),
		    0);
	EQUAL(enter(pm, VA + 4 * GIG, HOST_RAM_BASE + PAGE_SIZE, 0, PMAP_R,
		  &tg),
	    ENOMEM);
	EQUAL(pmap_get(pm, VA + 4 * GIG, &l), PMAP_EMPTY);
	EQUAL(pmap_check(pm), 0);
}

static size_t
frames_left(void)
{
	return frame_free_count() + pmap_tables_cached();
}

/* Tables without entries go through the gather, and all come back. */
static void
trim(void)
{
	struct pmap *pm = create(PMAP_USER, 0);
	paddr_t pa = some_frame();
	struct tlb_gather tg;
	size_t before = frames_left();

	tlb_gather_init(&tg);
	for (unsigned i = 0; i < 8; i++)
		EQUAL(enter(pm, VA + i * GIG / 4, pa, 0, PMAP_R, &tg), 0);
	EQUAL(pm->ntables, 1 + 2 + 8);
	EQUAL(frames_left(), before - 10);
	EQUAL(pmap_clear(pm, VA + GIG / 4, 0, NULL, &tg), 0);
	pmap_trim(pm, 0, USER_MAX, &tg);
	flush(&tg);
	EQUAL(pmap_check(pm), 0);
	for (unsigned i = 0; i < 8; i++)
		(void)pmap_clear(pm, VA + i * GIG / 4, 0, NULL, &tg);
	pmap_trim(pm, VA + 2 * PAGE_SIZE, VA + 3 * GIG, &tg);
	flush(&tg);
	EQUAL(pmap_check(pm), 0);
	CHECK(pm->ntables <= 3); /* one branch may be kept for the next use */
	pmap_drop(pm);
	EQUAL(frames_left(), before + 1);
}

static void
links(void)
{
	struct pmap *pm = create(PMAP_USER, PMAP_LINKS);
	struct pmap_new nw = { .pa = some_frame(), .bits = PMAP_R,
		.link = 0xabc0 };
	size_t before = frames_left();
	struct tlb_gather tg;
	struct pmap_leaf l;

	tlb_gather_init(&tg);
	for (unsigned i = 0; i < 512; i += 73) {
		nw.link = 0xabc0 + i;
		EQUAL(pmap_enter(pm, VA + i * PAGE_SIZE, &nw, &tg), 0);
	}
	for (unsigned i = 0; i < 512; i += 73) {
		EQUAL(pmap_get(pm, VA + i * PAGE_SIZE, &l), PMAP_LEAF);
		EQUAL(l.link, 0xabc0 + i);
	}
	pmap_setlink(pm, VA + 73 * PAGE_SIZE, 42);
	EQUAL(pmap_clear(pm, VA + 73 * PAGE_SIZE, 0, &l, &tg), 0);
	EQUAL(l.link, 42);
	for (unsigned i = 0; i < 512; i += 73)
		(void)pmap_clear(pm, VA + i * PAGE_SIZE, 0, NULL, &tg);
	flush(&tg);
	pmap_drop(pm);
	EQUAL(frames_left(), before + 1);
}

/* A table of frames by offset: never loaded, so nothing to flush. */
static void
store(void)
{
	struct pmap *pm = create(PMAP_STORE, 0);
	struct tlb_gather tg;

	tlb_gather_init(&tg);
	EQUAL(enter(pm, 0, some_frame(), 0, PMAP_R | PMAP_W, &tg), 0);
	EQUAL(pmap_clear(pm, 0, 0, NULL, &tg), 0);
	CHECK(tlb_gather_empty(&tg));
	pmap_drop(pm);
}

static void
pins(void)
{
	struct pmap *pm = create(PMAP_USER, 0);
	struct vm_page *pg, *small = frame_alloc(0),
			    *big = frame_alloc_order(PMAP_ORDER_2M, 0);
	struct tlb_gather tg;
	struct pmap_leaf l;

	tlb_gather_init(&tg);
	EQUAL(enter(pm, VA, page_to_phys(small), 0, PMAP_R, &tg), 0);
	EQUAL(pmap_get_pin(pm, VA, PMAP_W, &pg), EFAULT);
	EQUAL(pmap_get_pin(pm, VA + PAGE_SIZE, PMAP_R, &pg), EFAULT);
	EQUAL(pmap_get_pin(pm, VA, PMAP_R, &pg), 0);
	CHECK(pg == small && small->pins == 1 && small->wpins == 0);
	pmap_get(pm, VA, &l);
	EQUAL(l.bits, PMAP_R | PMAP_ACCESSED);
	page_unpin(pg, false);
	CHECK(big != NULL);
	EQUAL(enter(pm, VA + GIG, page_to_phys(big), PMAP_ORDER_2M,
		  PMAP_R | PMAP_W, &tg),
	    0);
	EQUAL(pmap_get_pin(pm, VA + GIG + 5 * PAGE_SIZE, PMAP_W, &pg), 0);
	CHECK(pg == big + 5 && pg->wpins == 1);
	pmap_get(pm, VA + GIG, &l);
	CHECK(l.bits & PMAP_DIRTY);
}

static void
fixup(void)
{
	struct pmap *pm = create(PMAP_USER, 0);
	struct tlb_gather tg;
	uint64_t n;

	tlb_gather_init(&tg);
	(void)intr_disable();
	pmap_activate(pm);
	intr_enable();
	EQUAL(enter(pm, VA, some_frame(), 0, PMAP_R, &tg), 0);
	n = host_flushes[0].ranges;
	CHECK(!pmap_fixup(pm, VA, PMAP_W));
	CHECK(!pmap_fixup(pm, VA + PAGE_SIZE, PMAP_R));
	EQUAL(host_flushes[0].ranges, n);
	CHECK(pmap_fixup(pm, VA + 123, PMAP_R));
	EQUAL(host_flushes[0].ranges, n + 1);
	EQUAL(host_flushes[0].pages, 1);
}

/* The checker must see what it is there to see. */
static void
check_sees(void)
{
	struct pmap *pm = create(PMAP_USER, 0);
	struct tlb_gather tg;

	tlb_gather_init(&tg);
	EQUAL(enter(pm, VA, some_frame(), 0, PMAP_R, &tg), 0);
	EQUAL(pmap_check(pm), 0);
	pm->nleaves++;
	EQUAL(pmap_check(pm), EINVAL);
	pm->nleaves--;
	pm->ntables--;
	EQUAL(pmap_check(pm), EINVAL);
	pm->ntables++;
	EQUAL(enter(pm, VA, some_frame(), 0, PMAP_R | PMAP_W | PMAP_COW, &tg),
	    0);
	EQUAL(pmap_check(pm), EINVAL);
}

static void
dump(void)
{
	struct pmap *pm = create(PMAP_USER, 0);
	struct tlb_gather tg;
	struct buf_sink b;
	char text[300];

	tlb_gather_init(&tg);
	EQUAL(enter(pm, VA, 7 * GIG, PMAP_ORDER_1G, PMAP_R | PMAP_W, &tg), 0);
	EQUAL(enter(pm, VA + GIG, HOST_RAM_BASE, 0, 0, &tg), 0);
	buf_sink_init(&b, text, sizeof(text), 0);
	pmap_dump(pm, &b.sink);
	text[b.total] = '\0';
	CHECK(strcmp(text,
		  "1540000000 leaf order 18 rw- pa 1c0000000 soft 0\n"
		  "1580000000 noaccess order 0 --- pa 80000000 soft 0\n") ==
	    0);
}

/* For share(): plain pages, and what is named to the caller. */
static const unsigned share_bits[] = { PMAP_R | PMAP_W | PMAP_DIRTY,
	PMAP_R | PMAP_ACCESSED, 0, PMAP_R | PMAP_COW, PMAP_R | PMAP_W,
	PMAP_R | PMAP_X };
static const vaddr_t share_at[] = { 0, 1, 7, 8, 511, 700 };
enum { SOFT_AT = 9, PINNED_AT = 300, CACHED_AT = 512 };

static void
share_fill(struct pmap *pm, struct vm_page **pg, struct vm_page **odd)
{
	struct vm_page *pinned;
	struct tlb_gather tg;

	tlb_gather_init(&tg);
	for (unsigned i = 0; i < ARRAY_SIZE(share_at); i++) {
		pg[i] = frame_alloc(0);
		EQUAL(enter(pm, VA + share_at[i] * PAGE_SIZE,
			  page_to_phys(pg[i]), 0, share_bits[i], &tg),
		    0);
	}
	odd[0] = frame_alloc(0);
	odd[1] = frame_alloc(0);
	odd[1]->flags |= PG_CACHED;
	EQUAL(enter(pm, VA + PINNED_AT * PAGE_SIZE, page_to_phys(odd[0]), 0,
		  PMAP_R | PMAP_W, &tg),
	    0);
	EQUAL(pmap_get_pin(pm, VA + PINNED_AT * PAGE_SIZE, PMAP_W, &pinned),
	    0);
	EQUAL(enter(pm, VA + CACHED_AT * PAGE_SIZE, page_to_phys(odd[1]), 0,
		  PMAP_R, &tg),
	    0);
	(void)pmap_clear(pm, VA + SOFT_AT * PAGE_SIZE,
	    PMAP_SOFT_WORD(PMAP_SOFT_SWAP, 5), NULL, &tg);
	flush(&tg);
}

/* Of 4 MiB with pages here and there: what is plain is in both tables, copy on
 * write, and counted; the others are named one after the other. */
static void
share(void)
{
	struct pmap *from = create(PMAP_USER, 0), *to = create(PMAP_USER, 0);
	vaddr_t va = VA, eva = VA + 1024 * PAGE_SIZE;
	struct vm_page *pg[ARRAY_SIZE(share_at)], *odd[2];
	struct pmap_leaf l, m;
	struct tlb_gather tg;

	share_fill(from, pg, odd);
	tlb_gather_init(&tg);
	EQUAL(pmap_share(from, to, &va, eva, &tg), EBUSY);
	EQUAL(va, VA + SOFT_AT * PAGE_SIZE);
	CHECK(tg.nranges == 1 && tg.range[0].pm == from);
	EQUAL(tg.range[0].sva, VA);
	EQUAL(tg.range[0].eva, VA + PAGE_SIZE);
	va += PAGE_SIZE;
	EQUAL(pmap_share(from, to, &va, eva, &tg), EBUSY);
	EQUAL(va, VA + PINNED_AT * PAGE_SIZE);
	pmap_get(from, va, &l);
	CHECK(l.bits & PMAP_W); /* left as it was */
	va += PAGE_SIZE;
	EQUAL(pmap_share(from, to, &va, eva, &tg), 0); /* one table */
	EQUAL(va, VA + CACHED_AT * PAGE_SIZE);
	EQUAL(tg.range[0].eva, VA + 512 * PAGE_SIZE);
	EQUAL(pmap_share(from, to, &va, eva, &tg), EBUSY);
	EQUAL(va, VA + CACHED_AT * PAGE_SIZE);
	va += PAGE_SIZE;
	EQUAL(pmap_share(from, to, &va, eva - 10 * PAGE_SIZE, &tg), 0);
	EQUAL(va, eva - 10 * PAGE_SIZE);

	for (unsigned i = 0; i < ARRAY_SIZE(share_at); i++) {
		unsigned want = (share_bits[i] & ~PMAP_W) | PMAP_COW;

		va = VA + share_at[i] * PAGE_SIZE;
		EQUAL(pmap_get(from, va, &l),
		    share_bits[i] != 0 ? PMAP_LEAF : PMAP_NOACCESS);
		EQUAL(pmap_get(to, va, &m), l.kind);
		EQUAL(l.bits, want);
		EQUAL(m.bits, want);
		CHECK(l.pa == page_to_phys(pg[i]) && m.pa == l.pa);
		EQUAL(pg[i]->refs, 2);
	}
	EQUAL(to->nleaves, ARRAY_SIZE(share_at));
	CHECK(odd[0]->refs == 1 && odd[1]->refs == 1);
	EQUAL(pmap_check(from), 0);
	EQUAL(pmap_check(to), 0);
	flush(&tg);
}

/* Without memory for a table nothing is shared, and nothing lost. */
static void
share_without_memory(void)
{
	struct pmap *from = create(PMAP_USER, 0), *to = create(PMAP_USER, 0);
	struct vm_page *pg = frame_alloc(0);
	struct tlb_gather tg;
	struct pmap_leaf l;
	vaddr_t va = VA;

	tlb_gather_init(&tg);
	EQUAL(enter(from, VA + PAGE_SIZE, page_to_phys(pg), 0, PMAP_R | PMAP_W,
		  &tg),
	    0);
	fail_arm(1, NULL);
	EQUAL(pmap_share(from, to, &va, VA + GIG, &tg), ENOMEM);
	EQUAL(va, VA + PAGE_SIZE);
	EQUAL(pg->refs, 1);
	pmap_get(from, va, &l);
	CHECK(l.bits & PMAP_W);
	CHECK(tlb_gather_empty(&tg));
	EQUAL(pmap_share(from, to, &va, VA + GIG, &tg), 0);
	EQUAL(pg->refs, 2);
	EQUAL(to->nleaves, 1);
	EQUAL(pmap_check(to), 0);
	/* Where there is no table it goes on behind it. */
	va = VA + 4 * GIG;
	EQUAL(pmap_share(from, to, &va, VA + 8 * GIG, &tg), 0);
	EQUAL(va, VA + 5 * GIG);
	flush(&tg);
}

static void
drop_with_leaf(void *arg)
{
	struct pmap *pm = create(PMAP_USER, 0);
	struct tlb_gather tg;

	(void)arg;
	tlb_gather_init(&tg);
	EQUAL(enter(pm, VA, some_frame(), 0, PMAP_R, &tg), 0);
	pmap_drop(pm);
}

static void
drop_needs_empty(void)
{
	PANICS(drop_with_leaf, NULL);
}

const struct unit unit_pmap[] = {
	{ "leaves", leaves, 0 },
	{ "expectations", expectations, 0 },
	{ "stale_places", stale_places, 0 },
	{ "protect_ranges", protect_ranges, 0 },
	{ "sizes_collide", sizes_collide, 0 },
	{ "change", change, 0 },
	{ "software_words", software_words, 0 },
	{ "scan", scan, 0 },
	{ "split", split, 0 },
	{ "reserve", reserve, 0 },
	{ "trim", trim, 0 },
	{ "links", links, 0 },
	{ "store", store, 0 },
	{ "pins", pins, 0 },
	{ "share", share, 0 },
	{ "share_without_memory", share_without_memory, 0 },
	{ "fixup", fixup, 0 },
	{ "check_sees", check_sees, 0 },
	{ "dump", dump, 0 },
	{ "drop_needs_empty", drop_needs_empty, 0 },
	{ NULL, NULL, 0 },
};
