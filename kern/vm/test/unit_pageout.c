/* SPDX-License-Identifier: MIT */
/*
 * unit_pageout.c - kern/vm/mach with swap: pages go and come back, chains of
 * objects that are on swap, and the kernel's victims against the simulator's.
 */
#include "lib/string.h"
#include "mem/kmem.h"
#include "sync/counter.h"
#include "vm/mach/mach_page.h"
#include "vm/pageout.h"
#include "vm/pd_policy.h"
#include "vm/swap.h"
#include "vm/test/unit_space.h"

static unsigned
depth(struct vmspace *vs)
{
	const struct vm_map_entry *e = vm_map_first(vm_map_of(vs), BASE);

	return e != NULL && e->object != NULL ? mach_object_depth(e->object) :
						0;
}

/* Everything that can go goes, to the disk and out of the cache. */
static void
squeeze(void)
{
	unsigned idle = 0;

	while (idle < 4)
		idle = mach_pageout(64) > 0 ? 0 : idle + 1;
	vm_object_flush(&swap_object);
	while (frame_reclaim(64) > 0)
		;
	EQUAL(vm_check(), 0);
}

struct level {
	size_t frames, slots;
	uint64_t objects;
};

static struct level
level(void)
{
	return (struct level){ frame_free_count() + pmap_tables_cached() +
		    kmem_slab_frames() + vm_object_cached(),
		swap_used(), kmem_used_objects() };
}

static void
flat(struct level before)
{
	struct level now = level();

	EQUAL(now.objects, before.objects);
	EQUAL(now.slots, before.slots);
	EQUAL(now.frames, before.frames);
}

/* ---- out and in ---- */

static void
out_and_in(void)
{
	struct level before = level();
	struct vmspace *vs = space();
	uint64_t outs = counter_read(TS_swap_outs);

	map(vs, 0, 100, 0);
	for (unsigned i = 0; i < 100; i++)
		put(vs, i, 1000 + i);
	squeeze();
	EQUAL(swap_used(), 100);
	EQUAL(counter_read(TS_swap_outs) - outs, 100);
	EQUAL(counter_read(TS_object_pages), 0);
	for (unsigned i = 0; i < 100; i += 2)
		EQUAL(get(vs, i), 1000 + i);
	EQUAL(swap_used(), 50); /* a page is in one place */
	for (unsigned i = 0; i < 100; i += 4)
		put(vs, i, 2000 + i);
	squeeze();
	for (unsigned i = 0; i < 100; i++)
		EQUAL(get(vs, i), (i % 4 ? 1000 : 2000) + i);
	squeeze();
	EQUAL(vm_unmap(vs, at(10), 20 * PAGE_SIZE), 0);
	EQUAL(swap_used(), 80);
	EQUAL(vm_sync(vs, at(50), 5 * PAGE_SIZE, VM_SYNC_DISCARD), 0);
	EQUAL(swap_used(), 75);
	EQUAL(get(vs, 52), 0);
	leave(vs);
	flat(before);
}

/* A page that was not written yet, or is not gone yet, needs no disk. */
static void
back_before_it_is_gone(void)
{
	struct vmspace *vs = space();
	uint64_t ins = counter_read(TS_swap_ins);

	map(vs, 0, 8, 0);
	for (unsigned i = 0; i < 8; i++)
		put(vs, i, i);
	while (swap_used() < 8)
		(void)mach_pageout(8);
	for (unsigned i = 0; i < 4; i++)
		EQUAL(get(vs, i), i);
	vm_object_flush(&swap_object);
	for (unsigned i = 4; i < 8; i++)
		EQUAL(get(vs, i), i);
	EQUAL(counter_read(TS_swap_ins), ins);
	EQUAL(swap_used(), 0);
	leave(vs);
}

/* What does not fit stays where it is. */
static void
swap_is_full(void)
{
	struct vmspace *vs = space();
	unsigned n = (unsigned)swap_total() + 40;

	map(vs, 0, n, 0);
	for (unsigned i = 0; i < n; i++)
		put(vs, i, 7 * i);
	squeeze();
	EQUAL(swap_used(), swap_total());
	EQUAL(counter_read(TS_object_pages), 40);
	for (unsigned i = 0; i < n; i++)
		EQUAL(get(vs, i), 7 * i);
	EQUAL(vm_check(), 0);
	leave(vs);
	EQUAL(swap_used(), 0);
}

static void
pinned_pages_stay(void)
{
	struct vmspace *vs = space();
	struct vm_pinned pin;
	uint64_t v = 0;

	map(vs, 0, 8, 0);
	for (unsigned i = 0; i < 8; i++)
		put(vs, i, i);
	EQUAL(vm_pin(vs, at(3), PAGE_SIZE, VM_PROT_WRITE, &pin), 0);
	squeeze();
	EQUAL(swap_used(), 7);
	v = 33;
	vm_pinned_write(&pin, 0, &v, sizeof(v));
	vm_unpin(&pin);
	squeeze();
	EQUAL(swap_used(), 8);
	EQUAL(get(vs, 3), 33);
	leave(vs);
}

/* "Written" outlives the leaf, also for who asks only afterwards. */
static void
dirty_outlives_the_leaf(void)
{
	struct vmspace *vs = space();
	uint64_t bits = 0;

	map(vs, 0, 8, 0);
	for (unsigned i = 0; i < 8; i++)
		EQUAL(get(vs, i), 0);
	put(vs, 1, 1);
	put(vs, 6, 1);
	squeeze();
	EQUAL(vm_overlay_register(vs, BASE, 8 * PAGE_SIZE), 0);
	EQUAL(get(vs, 1), 1); /* one with a leaf, one without */
	EQUAL(vm_dirty(vs, BASE, 8 * PAGE_SIZE, &bits), 0);
	EQUAL(bits, 0x42);
	put(vs, 2, 1);
	squeeze();
	bits = 0;
	EQUAL(vm_dirty(vs, BASE, 8 * PAGE_SIZE, &bits), 0);
	EQUAL(bits, 4);
	bits = 0;
	EQUAL(get(vs, 2), 1);
	EQUAL(vm_dirty(vs, BASE, 8 * PAGE_SIZE, &bits), 0);
	EQUAL(bits, 0);
	leave(vs);
}

/* ---- chains that are on swap ---- */

/* A server: fork, both write, the child exits; memory is short all the time. */
static void
rounds_on_swap(void)
{
	struct vmspace *p = space();
	struct level before = level();
	unsigned deepest = 0;

	map(p, 0, 8, 0);
	for (unsigned i = 0; i < 8; i++)
		put(p, i, i);
	for (unsigned r = 0; r < 1000; r++) {
		struct vmspace *c;

		squeeze();
		if (r == 10)
			before = level();
		c = fork_of(p);
		put(c, r % 8, 1000 + r);
		if (r % 2)
			squeeze();
		put(p, (r + 3) % 8, r);
		if (r % 3 == 0)
			squeeze();
		EQUAL(get(c, r % 8), 1000 + r);
		EQUAL(get(p, (r + 3) % 8), r);
		deepest = MAX(deepest, depth(p));
		leave(c);
		EQUAL(depth(p), 0);
		CHECK(swap_used() <= 8);
	}
	CHECK(deepest >= 1 && deepest <= 2);
	squeeze();
	flat(before);
	leave(p);
	EQUAL(swap_used(), 0);
}

/* Each generation writes one page, and its parent dies. */
static void
generations_on_swap(void)
{
	struct vmspace *p = space();
	struct level before = level();
	unsigned deepest = 0;

	map(p, 0, 8, 0);
	for (unsigned i = 0; i < 8; i++)
		put(p, i, 100 + i);
	for (unsigned r = 0; r < 1000; r++) {
		struct vmspace *c;

		if (r % 3 != 1)
			squeeze();
		if (r == 9)
			before = level();
		c = fork_of(p);
		put(c, r % 7, r);
		if (r % 2)
			squeeze();
		deepest = MAX(deepest, depth(c));
		leave(p);
		p = c;
		EQUAL(get(p, r % 7), r);
		EQUAL(get(p, 7), 107);
		CHECK(swap_used() <= 16);
	}
	CHECK(deepest >= 1 && deepest <= 2);
	squeeze();
	flat(before);
	leave(p);
	EQUAL(swap_used(), 0);
}

/* Both sides have replaced what they saw: it leaves swap too. */
static void
bypass_frees_slots(void)
{
	struct vmspace *p = space(), *c;

	map(p, 0, 4, 0);
	for (unsigned i = 0; i < 4; i++)
		put(p, i, i);
	c = fork_of(p);
	squeeze();
	EQUAL(swap_used(), 4);
	for (unsigned i = 0; i < 4; i++) {
		put(c, i, 10 + i);
		put(p, i, 20 + i);
		squeeze();
	}
	EQUAL(depth(p), 0);
	EQUAL(swap_used(), 8);
	for (unsigned i = 0; i < 4; i++) {
		EQUAL(get(p, i), 20 + i);
		EQUAL(get(c, i), 10 + i);
	}
	leave(c);
	leave(p);
}

/* As many pages as below, but others: what is on swap is still seen. */
static void
bypass_sees_swap(void)
{
	struct vmspace *p = space(), *c;

	map(p, 0, 8, 0);
	for (unsigned i = 0; i < 4; i++)
		put(p, i, i);
	c = fork_of(p);
	squeeze();
	for (unsigned i = 4; i < 8; i++)
		put(p, i, i);
	EQUAL(depth(p), 1);
	for (unsigned i = 0; i < 8; i++)
		EQUAL(get(p, i), i);
	leave(c);
	leave(p);
}

/* The older page is in memory, the one that replaced it on swap. */
static void
collapse_keeps_the_newer(void)
{
	struct vmspace *p = space(), *c;

	map(p, 0, 4, 0);
	put(p, 0, 1);
	put(p, 1, 3);
	c = fork_of(p);
	put(c, 0, 2);
	squeeze();
	EQUAL(get(p, 0), 1);
	EQUAL(swap_used(), 2);
	EQUAL(depth(c), 1);
	leave(p);
	EQUAL(depth(c), 0);
	EQUAL(swap_used(), 2);
	EQUAL(counter_read(TS_object_pages), 0);
	EQUAL(vm_check(), 0);
	EQUAL(get(c, 0), 2);
	EQUAL(get(c, 1), 3);
	leave(c);
	EQUAL(swap_used(), 0);
}

/* ---- the device fails ---- */

static uint64_t bad_slot;

static bool
one_is_bad(uint64_t slot, bool write)
{
	return write && slot == bad_slot;
}

static bool
none_is_stored(uint64_t slot, bool write)
{
	(void)slot;
	return write;
}

/* Written between the pages of good slots: it alone stays in memory. */
static void
bad_slot_keeps_its_page(void)
{
	struct level before = level();
	struct vmspace *vs = space();
	uint64_t ins = counter_read(TS_swap_ins);

	map(vs, 0, 40, 0);
	for (unsigned i = 0; i < 40; i++)
		put(vs, i, 300 + i);
	bad_slot = 10;
	host_swap_fails = one_is_bad;
	for (unsigned i = 0; i < 3; i++) /* tried again each time */
		squeeze();
	EQUAL(swap_used(), 40);
	EQUAL(swap_object.nmodified, 1);
	for (unsigned i = 0; i < 40; i++)
		EQUAL(get(vs, i), 300 + i);
	EQUAL(counter_read(TS_swap_ins) - ins, 39);
	leave(vs);
	host_swap_fails = NULL;
	flat(before);
}

/* What cannot be stored is not lost, and no more is sent after it. */
static void
dead_device_keeps_all(void)
{
	struct level before = level();
	struct vmspace *vs = space();

	map(vs, 0, 200, 0);
	for (unsigned i = 0; i < 200; i++)
		put(vs, i, 400 + i);
	host_swap_fails = none_is_stored;
	while (swap_used() == 0)
		(void)mach_pageout(16);
	vm_object_flush(&swap_object);
	squeeze();
	CHECK(swap_used() < 100);
	for (unsigned i = 0; i < 200; i += 3)
		EQUAL(get(vs, i), 400 + i);
	host_swap_fails = NULL; /* the cable is in again */
	squeeze();
	squeeze();
	EQUAL(swap_used(), 200);
	for (unsigned i = 0; i < 200; i++)
		EQUAL(get(vs, i), 400 + i);
	leave(vs);
	flat(before);
}

/* ---- a page-in is in flight ---- */

static struct vmspace *victim_space;
static unsigned hooked;

static void
terminate(void)
{
	host_swap_hook = NULL;
	hooked++;
	EQUAL(vm_unmap(victim_space, BASE, 4 * PAGE_SIZE), 0);
	EQUAL(swap_used(), 0); /* the slot that is being read is free */
}

/* The object goes while its page is read: the fault finds nothing mapped. */
static void
terminated_in_flight(void)
{
	struct level before = level();
	uint64_t v;

	victim_space = space();
	map(victim_space, 0, 4, 0);
	for (unsigned i = 0; i < 4; i++)
		put(victim_space, i, i);
	squeeze();
	host_swap_hook = terminate;
	EQUAL(host_read(victim_space, at(2), &v), EFAULT);
	EQUAL(hooked, 1);
	EQUAL(vm_check(), 0);
	leave(victim_space);
	flat(before);
}

static struct vmspace *other_space;

static void
collapse_meanwhile(void)
{
	host_swap_hook = NULL;
	hooked++;
	depart(other_space); /* a page is under way: nothing to check */
	host_switch_cpu(0);
}

/* The chain collapses while a page at its bottom is read: the slot has moved
 * up, and the fault finds it there. */
static void
collapsed_in_flight(void)
{
	struct level before = level();
	struct vmspace *c;

	other_space = space();
	map(other_space, 0, 4, 0);
	for (unsigned i = 0; i < 4; i++)
		put(other_space, i, 50 + i);
	c = fork_of(other_space);
	put(c, 0, 9);
	squeeze();
	EQUAL(depth(c), 1);
	host_swap_hook = collapse_meanwhile;
	EQUAL(get(c, 2), 52);
	EQUAL(hooked, 1);
	EQUAL(depth(c), 0);
	EQUAL(get(c, 0), 9);
	EQUAL(get(c, 3), 53);
	EQUAL(vm_check(), 0);
	leave(c);
	flat(before);
}

/* ---- the kernel's victims ---- */

#define NPAGES 24
#define NREFS  900

static struct {
	struct pd_page pd;
	bool resident;
	unsigned bits;
} sim[NPAGES];

static unsigned
sim_bits(struct pd_page *p, unsigned clear, void *arg)
{
	unsigned i = (unsigned)(container_of(p, __typeof__(sim[0]), pd) - sim);
	unsigned bits = sim[i].bits;

	(void)arg;
	sim[i].bits &= ~clear;
	return bits;
}

static unsigned
sim_victim(struct pd_set *s)
{
	struct pd_page *p;
	unsigned i;

	pd_tick(s);
	p = pd_victim(s);
	i = (unsigned)(container_of(p, __typeof__(sim[0]), pd) - sim);
	sim[i].resident = false;
	return i;
}

static bool
is_resident(struct vmspace *vs, unsigned page)
{
	return mach_resident(vs, at(page));
}

/* A reference string through the kernel: its page tables, its queues and its
 * pager on one side, the policy alone on the other. */
static unsigned
run_string(struct vmspace *vs, struct pd_set *s, unsigned nframes)
{
	unsigned victims = 0;

	for (unsigned r = 0; r < NREFS; r++) {
		uint64_t x = unit_random();
		unsigned page = (unsigned)(x % 4 ?
			(r / 32 + (x >> 8) % 6) % NPAGES :
			(x >> 8) % NPAGES);
		bool write = (x >> 40) % 3 == 0 || !sim[page].resident;
		uint64_t v;

		EQUAL(is_resident(vs, page), sim[page].resident);
		if (!sim[page].resident && s->npages == nframes) {
			unsigned i = sim_victim(s);

			EQUAL(mach_pageout(1), 1);
			for (unsigned k = 0; k < NPAGES; k++)
				if (is_resident(vs, k) != sim[k].resident)
					panic("reference %u: the kernel %s "
					      "page %u, the simulator "
					      "evicts %u",
					    r,
					    sim[k].resident ? "evicts" :
							      "keeps",
					    k, i);
			victims++;
		}
		if (write)
			put(vs, page, page);
		else
			EQUAL(host_read(vs, at(page), &v), 0);
		sim[page].bits |= PD_REFERENCED | (write ? PD_MODIFIED : 0);
		if (!sim[page].resident) {
			/* The fault was the first use; now it queues up. */
			sim[page].resident = true;
			sim[page].bits = PD_REFERENCED | PD_MODIFIED;
			pd_insert(s, &sim[page].pd);
			EQUAL(mach_pageout(0), 0);
		}
	}
	return victims;
}

static void
same_victims(const char *policy)
{
	struct vmspace *vs = space();

	EQUAL(pageout_choose(policy), 0);
	EQUAL(pageout_setup(), 0); /* nothing has queued up yet */
	map(vs, 0, NPAGES, 0);
	for (unsigned nframes = 1; nframes < 12; nframes += 2) {
		struct pd_set s;

		pd_set_init(&s, pd_policy_find(policy));
		s.bits = sim_bits;
		s.window = PAGEOUT_WINDOW;
		memset(sim, 0, sizeof(sim));
		CHECK(run_string(vs, &s, nframes) > 100);
		EQUAL(vm_check(), 0);
		EQUAL(vm_sync(vs, BASE, NPAGES * PAGE_SIZE, VM_SYNC_DISCARD),
		    0);
		EQUAL(mach_pageout(64), 0); /* the queues are empty again */
	}
	leave(vs);
	EQUAL(swap_used(), 0);
}

static void
victims_fifo(void)
{
	same_victims("fifo");
}

static void
victims_second(void)
{
	same_victims("second");
}

static void
victims_clock(void)
{
	same_victims("clock");
}

static void
victims_nru(void)
{
	same_victims("nru");
}

static void
victims_aging(void)
{
	same_victims("aging");
}

static void
victims_ws(void)
{
	same_victims("ws");
}

static void
victims_mach(void)
{
	same_victims("mach");
}

/* Exact LRU sees each reference, which no kernel does. */
static void
lru_is_refused(void)
{
	EQUAL(pageout_choose("lru"), ENOENT);
	EQUAL(pageout_choose("random"), ENOENT);
	CHECK(pageout_policy() == pd_policy_find("mach"));
}

const struct unit unit_pageout[] = {
	{ "out_and_in", out_and_in, 0 },
	{ "back_before_it_is_gone", back_before_it_is_gone, 0 },
	{ "swap_is_full", swap_is_full, 0 },
	{ "pinned_pages_stay", pinned_pages_stay, 0 },
	{ "dirty_outlives_the_leaf", dirty_outlives_the_leaf, 0 },
	{ "rounds_on_swap", rounds_on_swap, 0 },
	{ "generations_on_swap", generations_on_swap, 0 },
	{ "bypass_frees_slots", bypass_frees_slots, 0 },
	{ "bypass_sees_swap", bypass_sees_swap, 0 },
	{ "collapse_keeps_the_newer", collapse_keeps_the_newer, 0 },
	{ "bad_slot_keeps_its_page", bad_slot_keeps_its_page, 0 },
	{ "dead_device_keeps_all", dead_device_keeps_all, 0 },
	{ "terminated_in_flight", terminated_in_flight, 0 },
	{ "collapsed_in_flight", collapsed_in_flight, 0 },
	{ "victims_fifo", victims_fifo, 0 },
	{ "victims_second", victims_second, 0 },
	{ "victims_clock", victims_clock, 0 },
	{ "victims_nru", victims_nru, 0 },
	{ "victims_aging", victims_aging, 0 },
	{ "victims_ws", victims_ws, 0 },
	{ "victims_mach", victims_mach, 0 },
	{ "lru_is_refused", lru_is_refused, 0 },
	{ NULL, NULL, 0 },
};
