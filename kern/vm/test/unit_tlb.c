/* SPDX-License-Identifier: MIT */
/* unit_tlb.c - kern/vm/tlb.c and asid.c: the gather, targets, roll-over. */
#include "mem/failpoint.h"
#include "mem/oracle.h"
#include "sync/counter.h"
#include "vm/pmap_priv.h"
#include "vm/test/unit.h"

#define VA ((vaddr_t)0x1540000000)

static struct pmap *
create(void)
{
	struct pmap *pm;

	EQUAL(pmap_create(PMAP_USER, 0, &pm), 0);
	return pm;
}

static void
run_on(unsigned cpu, struct pmap *pm)
{
	host_switch_cpu(cpu);
	(void)intr_disable();
	if (pm != NULL)
		pmap_activate(pm);
	else
		pmap_lazy();
	intr_enable();
}

static void
merging(void)
{
	struct pmap *a = create(), *b = create();
	struct tlb_gather tg;

	tlb_gather_init(&tg);
	CHECK(tlb_gather_empty(&tg));
	tlb_gather_note(&tg, a, VA, VA + PAGE_SIZE);
	tlb_gather_note(&tg, a, VA + 4 * PAGE_SIZE, VA + 5 * PAGE_SIZE);
	tlb_gather_note(&tg, b, VA, VA + PAGE_SIZE);
	tlb_gather_note(&tg, a, VA - PAGE_SIZE, VA);
	CHECK(!tlb_gather_empty(&tg));
	EQUAL(tg.nranges, 2);
	CHECK(tg.range[0].pm == a && tg.range[1].pm == b);
	EQUAL(tg.range[0].sva, VA - PAGE_SIZE);
	EQUAL(tg.range[0].eva, VA + 5 * PAGE_SIZE);
	EQUAL(tg.nnoted, 4);
	EQUAL(tg.rare, 0);
	EQUAL(a->refs, 2); /* the gather holds them */
	tlb_gather_flush(&tg);
	EQUAL(a->refs, 1);
	EQUAL(b->refs, 1);
	CHECK(tlb_gather_empty(&tg));
}

/* One space more than there are ranges: everything goes, everywhere. */
static void
overflow(void)
{
	struct pmap *pm[TLB_GATHER_SPACES + 2];
	struct tlb_gather tg;
	uint64_t gen;

	tlb_gather_init(&tg);
	for (unsigned i = 0; i < ARRAY_SIZE(pm); i++) {
		pm[i] = create();
		run_on(i % ncpu, pm[i]);
	}
	host_switch_cpu(0);
	gen = pm[TLB_GATHER_SPACES]->gen;
	for (unsigned i = 0; i < ARRAY_SIZE(pm); i++)
		tlb_gather_note(&tg, pm[i], VA, VA + PAGE_SIZE);
	EQUAL(tg.rare, TLB_RARE_EVERYTHING);
	EQUAL(tg.nranges, TLB_GATHER_SPACES);
	tlb_gather_flush(&tg);
	for (unsigned c = 0; c < ncpu; c++)
		CHECK(host_flushes[c].all >= 1);
	/* Those without a range must catch up when they are joined again. */
	CHECK(pm[TLB_GATHER_SPACES]->gen > gen);
}

/* More pages than the gather has room for: in frames of their own. */
static void
batches(void)
{
	size_t before = frame_free_count();
	struct tlb_gather tg;
	unsigned n = TLB_GATHER_PAGES + 600;

	tlb_gather_init(&tg);
	for (unsigned i = 0; i < n; i++) {
		struct vm_page *pg = frame_alloc(0);

		CHECK(pg != NULL);
		EQUAL(tlb_gather_page(&tg, pg), 0);
	}
	CHECK(tg.batch != NULL);
	CHECK(frame_free_count() < before - n);
	CHECK(!tlb_gather_empty(&tg));
	tlb_gather_flush(&tg);
	EQUAL(frame_free_count(), before);
}

static void
no_room(void)
{
	size_t before = frame_free_count();
	struct vm_page *pg = NULL;
	struct tlb_gather tg;

	tlb_gather_init(&tg);
	for (unsigned i = 0; i < TLB_GATHER_PAGES; i++)
		EQUAL(tlb_gather_page(&tg, frame_alloc(0)), 0);
	pg = frame_alloc(0);
	fail_arm(1, NULL);
	EQUAL(tlb_gather_page(&tg, pg), EAGAIN);
	fail_arm(0, NULL);
	tlb_gather_flush(&tg);
	EQUAL(frame_free_count(), before - 1); /* it was not taken over */
	EQUAL(tlb_gather_page(&tg, pg), 0);
	tlb_gather_flush(&tg);
	EQUAL(frame_free_count(), before);
}

/* Only CPUs that run the space are asked; ranges stay ranges. */
static void
targets(void)
{
	struct pmap *a = create(), *b = create();
	uint64_t n = counter_read(TS_shootdown_targets);
	uint64_t pages, whole;
	struct tlb_gather tg;

	run_on(1, a);
	run_on(2, a);
	run_on(3, b);
	run_on(0, b);
	pages = host_flushes[1].pages;
	whole = host_flushes[3].asids + host_flushes[3].ranges;
	tlb_gather_init(&tg);
	tlb_gather_note(&tg, a, VA, VA + 3 * PAGE_SIZE);
	tlb_gather_flush(&tg);
	EQUAL(counter_read(TS_shootdown_targets) - n, 2);
	EQUAL(host_flushes[1].pages - pages, 3);
	EQUAL(host_flushes[3].asids + host_flushes[3].ranges, whole);
	/* CPU 1 leaves: one less; a large hull: the whole space. */
	run_on(1, NULL);
	run_on(0, b);
	whole = host_flushes[2].asids;
	tlb_gather_note(&tg, a, VA, VA + (TLB_RANGE_MAX + 1) * PAGE_SIZE);
	tlb_gather_flush(&tg);
	EQUAL(counter_read(TS_shootdown_targets) - n, 3);
	EQUAL(host_flushes[2].asids - whole, 1);
	/* CPU 1 comes back and catches up. */
	whole = host_flushes[1].asids;
	run_on(1, a);
	EQUAL(host_flushes[1].asids - whole, 1);
	whole = host_flushes[1].asids;
	run_on(1, NULL);
	run_on(1, a);
	EQUAL(host_flushes[1].asids, whole); /* nothing was missed */
}

/* With n bits, n spaces more than numbers: each keeps to its own data. */
static void
many_spaces(void)
{
	struct vmspace *vs[7];
	struct vm_mapreq rq = { .va = VA, .size = PAGE_SIZE, .prot = 3,
		.maxprot = 7, .flags = VM_MAP_FIXED };
	uint64_t v;
	vaddr_t va;

	for (unsigned i = 0; i < ARRAY_SIZE(vs); i++) {
		EQUAL(vmspace_create(&vs[i]), 0);
		EQUAL(vm_map(vs[i], &rq, &va), 0);
	}
	for (unsigned round = 0; round < 60; round++) {
		unsigned i = unit_random() % ARRAY_SIZE(vs);

		host_switch_cpu(unit_random() % ncpu);
		EQUAL(host_write(vs[i], VA, i + 1), 0);
		host_switch_cpu(unit_random() % ncpu);
		i = unit_random() % ARRAY_SIZE(vs);
		EQUAL(host_read(vs[i], VA, &v), 0);
		CHECK(v == i + 1 || v == 0);
	}
}

static void
roll_over(void)
{
	uint64_t n = counter_read(TS_asid_rollovers);

	many_spaces();
	CHECK(counter_read(TS_asid_rollovers) > n);
}

/* A frame that a CPU may still reach is handed out: the oracle says so. */
static void
reuse_too_early(void *arg)
{
	struct vm_page *pg = frame_alloc(0);
	struct pmap *pm = create();

	(void)arg;
	run_on(1, pm);
	host_switch_cpu(0);
	tlb_oracle_released(pg, pm);
	page_drop(pg);
	for (unsigned i = 0; i < 2000 && frame_alloc(0) != NULL; i++)
		;
}

static void
oracle_sees(void)
{
	PANICS(reuse_too_early, NULL);
}

static void
unknown_policy(void)
{
	struct tlb_policy p = { .deliver = TLB_DELIVER_SBI, .asid_bits = -1 };

	host_options.sbi = false;
	CHECK(tlb_init(&p) != 0);
	host_options.sbi = true;
	EQUAL(tlb_init(&p), 0);
}

const struct unit unit_tlb[] = {
	{ "merging", merging, 0 },
	{ "overflow", overflow, 0 },
	{ "batches", batches, 0 },
	{ "no_room", no_room, 0 },
	{ "targets", targets, 0 },
	{ "many_spaces", many_spaces, 0 },
	{ "roll_over_2_bits", roll_over, 2 },
	{ "roll_over_1_bit", roll_over, 1 },
	{ "oracle_sees", oracle_sees, 0 },
	{ "unknown_policy", unknown_policy, 0 },
	{ NULL, NULL, 0 },
};
