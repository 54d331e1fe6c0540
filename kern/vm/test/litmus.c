/* SPDX-License-Identifier: MIT */
/*
 * litmus.c - one small concurrent program for each condition C1-C12 of the
 * shootdown protocol (docs/design.md).
 *
 * Each runs on four simulated CPUs under a seeded scheduler (litmus_main.c).
 * What must never happen is a panic here or in the MMU.  A mutant of the kernel
 * (mutants/NAME.patch) must fail its test.
 * C10 (second stage) has no code to test yet.
 */
#include "vm/test/litmus.h"

#include "abi/errno.h"
#include "arch/host/os.h"
#include "proc/proc.h"
#include "sync/counter.h"

#define VA     LITMUS_VA
#define PAGE(n) (VA + (n) * PAGE_SIZE)
#define SECRET 0x5ec2e7ull
#define ROUNDS 8

struct litmus_state L;

static void
must(int error)
{
	if (error != 0)
		BAD("error %d", error);
}

static struct vmspace *
new_space(void)
{
	struct vmspace *vs;

	must(vmspace_create(&vs));
	return vs;
}

static void
map_flags(struct vmspace *vs, unsigned n, vm_prot_t prot, unsigned flags)
{
	struct vm_mapreq rq = { .va = VA, .size = n * PAGE_SIZE, .prot = prot,
		.maxprot = VM_PROT_ALL, .flags = VM_MAP_FIXED | flags };
	vaddr_t out;

	must(vm_map(vs, &rq, &out));
}

static void
map(struct vmspace *vs, unsigned n)
{
	map_flags(vs, n, VM_PROT_READ | VM_PROT_WRITE, 0);
}

/* Give freed frames to somebody else, full of secrets. */
static void
reuse_frames(void)
{
	struct vmspace *t = new_space();

	map(t, 6);
	for (unsigned i = 0; i < 6; i++)
		for (size_t off = 0; off < 64; off += 8)
			must(host_write(t, PAGE(i) + off, SECRET));
	host_load(NULL);
	vmspace_drop(t);
}

/* The current CPU's program reads; it must not find a secret. */
static bool
peek(vaddr_t va, uint64_t *value)
{
	struct host_op op = { .va = va, .access = VM_PROT_READ,
		.width = HOST_WORD };

	host_point(HOST_USER);
	if (host_try(&op) != 0)
		return false;
	if (op.value == SECRET)
		BAD("CPU %u reads somebody else's data", cpu_id());
	*value = op.value;
	return true;
}

/* A program that looks at pages until the others are done with it. */
static void
reader(void *arg)
{
	uint64_t v;

	(void)arg;
	host_load(L.s);
	while (!L.stop)
		for (unsigned i = 0; i < 4; i++)
			(void)peek(PAGE(i), &v);
	host_load(NULL);
}

/* ---- C1: unhook, invalidate, free ---- */

static void
c1_unmapper(void *arg)
{
	uint64_t v;

	(void)arg;
	for (unsigned i = 0; i < 4; i++) {
		must(vm_unmap(L.s, PAGE(i), PAGE_SIZE));
		reuse_frames();
	}
	host_load(L.s);
	if (peek(PAGE(0), &v))
		BAD("an unmapped page can be read");
	host_load(NULL);
	L.stop = true;
}

static void
play(uint64_t seed, host_fn *f0, host_fn *f1, host_fn *f2, host_fn *f3)
{
	host_fn *const fn[4] = { f0, f1, f2, f3 };
	void *const none[4] = { NULL };

	host_run_stacks(seed, 4, fn, none);
}

static void
c1(uint64_t seed)
{
	map(L.s, 4);
	for (unsigned c = 0; c < 3; c++) {
		host_switch_cpu(c);
		for (unsigned i = 0; i < 4; i++)
			must(host_write(L.s, PAGE(i), i));
	}
	play(seed, c1_unmapper, reader, reader, NULL);
}

/* ---- C2: a CPU that joins while others unmap ---- */

static void
c2_unmapper(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 4; i++) {
		must(vm_unmap(L.s, PAGE(i), PAGE_SIZE));
		L.done[i] = true;
		reuse_frames();
	}
	L.stop = true;
}

static void
look_at_all(void)
{
	uint64_t v;

	for (unsigned i = 0; i < 4; i++) {
		bool done = L.done[i];

		if (peek(PAGE(i), &v) && done)
			BAD("CPU %u reads a page after its unmap", cpu_id());
	}
}

static void
c2_joiner(void *arg)
{
	(void)arg;
	while (!L.stop) {
		host_load(L.s);
		look_at_all();
		host_load(NULL);
	}
}

static void
c2(uint64_t seed)
{
	map(L.s, 4);
	for (unsigned c = 0; c < 3; c++) {
		host_switch_cpu(c);
		for (unsigned i = 0; i < 4; i++)
			must(host_write(L.s, PAGE(i), i));
	}
	play(seed, c2_unmapper, c2_joiner, c2_joiner, NULL);
}

/* ---- C3: two flushes of one space overtake each other ---- */

static void
c3_writer(void *arg)
{
	unsigned me = cpu_id();

	(void)arg;
	host_load(L.s);
	must(host_write(L.s, PAGE(me), 100 + me)); /* copy on write */
	L.done[me] = true;
	host_load(NULL);
	if (++L.turn == 3)
		L.stop = true;
}

/* Who has seen the old frame must see the new one once the write returned. */
static void
c3_reader(void *arg)
{
	uint64_t v;

	(void)arg;
	host_load(L.s);
	while (!L.stop) {
		for (unsigned c = 0; c < 3; c++) {
			bool done = L.done[c];

			if (peek(PAGE(c), &v) && done && v != 100 + c)
				BAD("CPU %u reads %lu in the old copy of page "
				    "%u",
				    cpu_id(), (unsigned long)v, c);
		}
	}
	host_load(NULL);
}

static void
c3(uint64_t seed)
{
	map(L.s, 4);
	for (unsigned i = 0; i < 4; i++)
		must(host_write(L.s, PAGE(i), i));
	must(vmspace_fork(L.s, &L.t));
	for (unsigned c = 0; c < 4; c++) {
		uint64_t v;

		host_switch_cpu(c);
		for (unsigned i = 0; i < 4; i++)
			must(host_read(L.s, PAGE(i), &v));
	}
	play(seed, c3_writer, c3_writer, c3_writer, c3_reader);
}

/* ---- C4: entries of an ASID that is not loaded now ---- */

static void
c4_switcher(void *arg)
{
	(void)arg;
	while (!L.stop) {
		host_load(L.t);
		host_point(HOST_USER);
		host_load(L.s);
		look_at_all();
	}
	host_load(NULL);
}

static void
c4(uint64_t seed)
{
	L.t = new_space();
	map(L.t, 1);
	map(L.s, 4);
	for (unsigned c = 0; c < 3; c++) {
		host_switch_cpu(c);
		for (unsigned i = 0; i < 4; i++)
			must(host_write(L.s, PAGE(i), i));
		host_load(L.t);
	}
	play(seed, c2_unmapper, c4_switcher, c4_switcher, NULL);
}

/* ---- C5: a table page that is freed while others may walk it ---- */

#define OTHER_TABLE PAGE(512)

/* The engine may keep one empty table, so it takes two to free one. */
static void
c5_unmapper(void *arg)
{
	struct vm_mapreq rq = { .va = OTHER_TABLE, .size = PAGE_SIZE,
		.prot = VM_PROT_READ | VM_PROT_WRITE, .maxprot = VM_PROT_ALL,
		.flags = VM_MAP_FIXED };
	vaddr_t va;

	(void)arg;
	for (unsigned r = 0; r < 5; r++) {
		must(vm_map(L.s, &rq, &va));
		must(host_write(L.s, VA, r));
		must(host_write(L.s, OTHER_TABLE, r));
		host_load(NULL);
		must(vm_unmap(L.s, VA, 4 * PAGE_SIZE));
		for (unsigned i = 0; i < 4; i++)
			cpu_relax();
		must(vm_unmap(L.s, OTHER_TABLE, PAGE_SIZE));
		for (unsigned i = 0; i < 8; i++)
			cpu_relax(); /* the first table is free now */
		reuse_frames();
		map(L.s, 4);
	}
	L.stop = true;
}

static void
c5_walker(void *arg)
{
	uint64_t v;
	unsigned i = 4;

	(void)arg;
	host_load(L.s);
	while (!L.stop) {
		/* Another page each time: only the table pointer is known. */
		(void)peek(PAGE(i++ % 500), &v);
		(void)host_read(L.s, PAGE(i % 4), &v);
	}
	host_load(NULL);
}

static void
c5(uint64_t seed)
{
	map(L.s, 4);
	play(seed, c5_unmapper, c5_walker, c5_walker, NULL);
}

/* ---- C6: never wait for answers with a lock held or interrupts off ---- */

static struct spinlock c6_lock = SPINLOCK_INIT(RANK_PAGE, "litmus");

static int
c6_with_lock(void *arg)
{
	struct tlb_gather tg;

	(void)arg;
	tlb_gather_init(&tg);
	spin_lock(&c6_lock);
	tlb_gather_flush(&tg);
	return 0;
}

static int
c6_interrupts_off(void *arg)
{
	struct tlb_gather tg;

	(void)arg;
	tlb_gather_init(&tg);
	(void)intr_disable();
	tlb_gather_flush(&tg);
	return 0;
}

/* All CPUs shoot at all others at the same time. */
static void
c6_writer(void *arg)
{
	unsigned me = cpu_id();

	(void)arg;
	host_load(L.s);
	for (unsigned i = 0; i < 4; i++)
		must(host_write(L.s, PAGE(4 * i + me), i));
	L.turn++;
	while (L.turn < 4)
		cpu_relax();
	host_load(NULL);
}

static void
c6(uint64_t seed)
{
	if (seed == 1) {
		if (os_run(c6_with_lock, NULL, 10000, true) != HOST_EXIT_PANIC)
			BAD("a shootdown with a spin lock held is accepted");
		if (os_run(c6_interrupts_off, NULL, 10000, true) !=
		    HOST_EXIT_PANIC)
			BAD("a shootdown with interrupts off is accepted");
	}
	map(L.s, 16);
	for (unsigned i = 0; i < 16; i++)
		must(host_write(L.s, PAGE(i), i));
	must(vmspace_fork(L.s, &L.t));
	play(seed, c6_writer, c6_writer, c6_writer, c6_writer);
}

/* ---- C7: flushed before the lock drops: who sees the change sees no old
 * translation ---- */

static void
c7_protector(void *arg)
{
	(void)arg;
	must(vm_protect(L.s, VA, PAGE_SIZE, VM_PROT_READ));
}

static void
c7_observer(void *arg)
{
	struct vm_region_info r;

	(void)arg;
	do {
		host_point(HOST_USER);
		must(vm_region(L.s, VA, &r));
	} while (r.prot & VM_PROT_WRITE);
	L.done[0] = true;
}

static void
c7_writer(void *arg)
{
	struct host_op op = { .va = VA, .access = VM_PROT_WRITE,
		.width = HOST_WORD };

	(void)arg;
	host_load(L.s);
	for (;;) {
		bool done = L.done[0];

		host_point(HOST_USER);
		if (host_try(&op) != 0)
			break;
		if (done)
			BAD("a write after somebody saw the page read-only");
	}
	host_load(NULL);
}

static void
c7(uint64_t seed)
{
	map(L.s, 1);
	for (unsigned c = 0; c < 4; c++) {
		host_switch_cpu(c);
		must(host_write(L.s, VA, c));
	}
	play(seed, c7_protector, c7_observer, c7_writer, c7_writer);
}

/* ---- C8: a page is clean only after D is cleared and flushed ---- */

static void
c8_writer(void *arg)
{
	uint64_t v = 1;

	(void)arg;
	for (unsigned i = 0; i < 30; i++)
		must(host_write(L.s, VA, v++));
	L.stop = true;
	host_load(NULL);
}

/*
 * Fetch, look, fetch, look: if the value changed between two looks, the write
 * lies before or after the fetch between them, so one of this fetch and the
 * next must report it.
 */
static void
c8_fetcher(void *arg)
{
	uint64_t bit = 0, last = 0, now = 0;
	bool owed = false, stop;

	(void)arg;
	do {
		stop = L.stop;
		bit = 0;
		must(vm_dirty(L.s, VA, PAGE_SIZE, &bit));
		if (owed && !bit)
			BAD("a write was never reported");
		must(host_read(L.s, VA, &now));
		owed = now != last && !bit;
		last = now;
	} while (!stop || owed);
	host_load(NULL);
}

static void
c8(uint64_t seed)
{
	uint64_t bit;

	map(L.s, 1);
	must(vm_overlay_register(L.s, VA, PAGE_SIZE));
	for (unsigned c = 0; c < 2; c++) {
		host_switch_cpu(c);
		must(host_write(L.s, VA, 0));
	}
	must(vm_dirty(L.s, VA, PAGE_SIZE, &bit));
	play(seed, c8_writer, c8_fetcher, NULL, NULL);
}

/* ---- C9: widening without a shootdown ---- */

static void
c9_owner(void *arg)
{
	(void)arg;
	for (unsigned r = 0; r < ROUNDS; r++) {
		must(vm_protect(L.s, VA, PAGE_SIZE, VM_PROT_READ));
		must(vm_protect(L.s, VA, PAGE_SIZE,
		    VM_PROT_READ | VM_PROT_WRITE));
		L.done[0] = true;
		must(host_write(L.s, VA, r));
	}
	map(L.s, 2);
	L.stop = true;
	host_load(NULL);
}

/* Reads, then writes through the narrow entry that it keeps; knows the second
 * page as invalid until it is mapped. */
static void
c9_user(void *arg)
{
	uint64_t v;
	bool stop;

	(void)arg;
	host_load(L.s);
	do {
		stop = L.stop;
		(void)host_read(L.s, VA, &v);
		(void)host_write(L.s, VA, 1);
		if (!peek(PAGE(1), &v) && stop)
			must(host_read(L.s, PAGE(1), &v));
	} while (!stop);
	must(host_write(L.s, VA, 2));
	must(host_write(L.s, PAGE(1), 2));
	host_load(NULL);
}

static void
c9(uint64_t seed)
{
	map(L.s, 1);
	play(seed, c9_owner, c9_user, c9_user, c9_user);
}

/* ---- C11: leaving a space ---- */

static void
c11_leaver(void *arg)
{
	uint64_t v;

	(void)arg;
	for (unsigned i = 0; i < 3; i++) {
		host_load(L.s);
		must(host_read(L.s, VA, &v));
		host_load(NULL);
	}
	L.turn++;
	while (!L.stop)
		cpu_relax();
}

static void
c11_dropper(void *arg)
{
	struct vmspace *vs = L.s;
	uint64_t n;

	(void)arg;
	while (L.turn < 3)
		cpu_relax();
	/* Nobody runs it: nobody is interrupted for it. */
	n = counter_read(TS_ipis_sent) + counter_read(TS_shootdown_targets);
	must(vm_protect(vs, VA, PAGE_SIZE, VM_PROT_READ));
	if (tlb_policy.targets == TLB_TARGETS_MASK &&
	    tlb_policy.catchup == TLB_CATCHUP_GEN &&
	    counter_read(TS_ipis_sent) + counter_read(TS_shootdown_targets) !=
		n)
		BAD("CPUs that have left are interrupted");
	L.s = NULL;
	vmspace_drop(vs);
	reuse_frames();
	L.stop = true;
}

static void
c11(uint64_t seed)
{
	map(L.s, 2);
	must(host_write(L.s, VA, 1));
	host_load(NULL);
	play(seed, c11_dropper, c11_leaver, c11_leaver, c11_leaver);
}

/* ---- C12: a new kernel stack is fenced on its CPU first ---- */

static uintptr_t c12_top;

static void
use_stack(uintptr_t top)
{
	for (unsigned i = 1; i <= KSTACK_PAGES; i++)
		if (!host_kernel_try(top - i * PAGE_SIZE))
			BAD("CPU %u faults on a kernel stack", cpu_id());
}

static void
c12_creator(void *arg)
{
	(void)arg;
	for (unsigned r = 0; r < 6; r++) {
		uintptr_t top = kstack_alloc();

		if (top == 0)
			BAD("no kernel stack");
		use_stack(top);
		c12_top = top; /* a thread for the other CPU */
		while (c12_top != 0)
			cpu_relax();
	}
	kstack_trim();
	L.stop = true;
}

/* The other CPU: its MMU has looked at the window before. */
static void
c12_runner(void *arg)
{
	(void)arg;
	while (!L.stop) {
		uintptr_t top = c12_top;

		for (vaddr_t va = KSTACK_BASE;
		     va < KSTACK_BASE + 64 * PAGE_SIZE; va += PAGE_SIZE)
			(void)host_kernel_try(va);
		host_point(HOST_USER);
		if (top == 0)
			continue;
		kstack_fence(); /* as the switch to the thread does */
		use_stack(top);
		kstack_free(top);
		c12_top = 0;
	}
}

static void
c12(uint64_t seed)
{
	play(seed, c12_creator, c12_runner, NULL, NULL);
	for (vaddr_t va = KSTACK_BASE; va < KSTACK_BASE + 64 * PAGE_SIZE;
	     va += PAGE_SIZE)
		if (host_kernel_try(va))
			BAD("a stack that was given back can be reached");
}

/* ---- ASIDs: two bits, more spaces than numbers ---- */

static void
asid_hopper(void *arg)
{
	unsigned me = cpu_id();
	uint64_t v;

	(void)arg;
	for (unsigned r = 0; r < ROUNDS; r++) {
		struct vmspace *mine = new_space();

		map(mine, 2);
		must(host_write(mine, VA, 10 * me + r));
		must(host_read(mine, VA, &v));
		if (v != 10 * me + r)
			BAD("CPU %u sees another space", me);
		host_load(L.s);
		look_at_all();
		host_load(mine);
		must(host_read(mine, VA, &v));
		if (v != 10 * me + r)
			BAD("CPU %u sees another space", me);
		host_load(NULL);
		vmspace_drop(mine);
	}
	if (++L.turn == 3)
		L.stop = true;
}

static void
asid(uint64_t seed)
{
	map(L.s, 4);
	for (unsigned i = 0; i < 4; i++)
		must(host_write(L.s, PAGE(i), i));
	play(seed, asid_hopper, asid_hopper, asid_hopper, c2_unmapper);
}

const struct litmus litmus_tests[] = {
	{ "c1", "unhook, invalidate, free", c1, -1 },
	{ "c2", "join: mask, fence, generation, root", c2, -1 },
	{ "c3", "a range alone only at local generation + 1", c3, -1 },
	{ "c4", "stale marks for inactive ASIDs first", c4, -1 },
	{ "c5", "table pages obey C1", c5, -1 },
	{ "c6", "no wait with locks held or interrupts off", c6, -1 },
	{ "c7", "flush before the lock drops", c7, -1 },
	{ "c8", "clean only after clear and flush", c8, -1 },
	{ "c9", "lazy widening: fixup fences", c9, -1 },
	{ "c11", "leaving: mask bit, kernel root, free", c11, -1 },
	{ "c12", "new kernel stack: fence first", c12, -1 },
	{ "asid", "roll-over with two bits", asid, 2 },
	{ NULL, NULL, NULL, 0 },
};
