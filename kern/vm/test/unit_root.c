/* SPDX-License-Identifier: MIT */
/*
 * unit_root.c - the root pager pages out: whom it chooses, who loses a mapping,
 * what stays, and that everything comes back.
 */
#include "vm/l4/root_pager.h"
#include "vm/swap.h"
#include "vm/test/unit.h"

#define BASE ((vaddr_t)0x155500000)
#define RW   (VM_PROT_READ | VM_PROT_WRITE)
#define N    4 /* pages of the area */

static struct vmspace *a, *b;

static vaddr_t
page(unsigned i)
{
	return BASE + i * PAGE_SIZE;
}

static void
write_page(struct vmspace *vs, unsigned i, uint64_t v)
{
	EQUAL(host_write(vs, page(i), v), 0);
}

static void
expect_page(struct vmspace *vs, unsigned i, uint64_t want)
{
	uint64_t v = 0;

	EQUAL(host_read(vs, page(i), &v), 0);
	EQUAL(v, want);
}

static void
start(unsigned flags)
{
	struct vm_mapreq rq = { .va = BASE, .size = N * PAGE_SIZE, .prot = RW,
		.maxprot = VM_PROT_ALL, .flags = VM_MAP_FIXED | flags };
	vaddr_t va;

	EQUAL(vmspace_create(&a), 0);
	EQUAL(vmspace_create(&b), 0);
	EQUAL(vm_map(a, &rq, &va), 0);
	for (unsigned i = 0; i < N; i++)
		write_page(a, i, 100 + i);
	EQUAL(vm_check(), 0);
}

static void
finish(void)
{
	EQUAL(vm_check(), 0);
	host_load(NULL);
	vmspace_drop(a);
	vmspace_drop(b);
	EQUAL(swap_used(), 0);
	EQUAL(vm_check(), 0);
}

/* Which pages the pager has in memory, one bit each. */
static unsigned
resident(struct vmspace *vs)
{
	unsigned bits = 0;

	for (unsigned i = 0; i < N; i++)
		bits |= (unsigned)vs->ops->resident(vs, page(i)) << i;
	return bits;
}

/* As the daemon: out, written, and the frames to whoever wants them. */
static unsigned
page_out(unsigned want)
{
	unsigned gone = vm_design->pageout(want);

	vm_object_flush(&swap_object);
	(void)frame_reclaim(64);
	EQUAL(vm_check(), 0);
	return gone;
}

static bool
is_mapped(struct vmspace *vs, unsigned i)
{
	struct pmap_leaf leaf;

	return pmap_get(vs->pmap, page(i), &leaf) == PMAP_LEAF;
}

/* Page @p i of a, to the same place of b. */
static void
give(enum l4_how how, unsigned i)
{
	struct l4_map m = { .from = a, .to = b, .src = page(i), .dst = page(i),
		.rights = RW, .how = how };
	struct tlb_gather tg;

	tlb_gather_init(&tg);
	EQUAL(l4_map(&m, &tg), 0);
	tlb_gather_flush(&tg);
}

/* The first look only clears A; what is used again stays. */
static void
second_chance(void)
{
	start(0);
	EQUAL(page_out(2), 2);
	EQUAL(resident(a), 0xc);
	write_page(a, 2, 7);
	EQUAL(page_out(1), 1);
	EQUAL(resident(a), 0x4);
	EQUAL(swap_used(), 3);
	finish();
}

static void
all_come_back(void)
{
	start(0);
	EQUAL(page_out(N), N);
	EQUAL(resident(a), 0);
	for (unsigned i = 0; i < N; i++) {
		EQUAL(is_mapped(a, i), false);
		expect_page(a, i, 100 + i);
	}
	/* Nobody shares them: no copy is made, and the slots are free. */
	EQUAL(swap_used(), 0);
	EQUAL(counter_read(TS_swap_ins), N);
	write_page(a, 1, 5);
	EQUAL(counter_read(TS_cow_copies), 0);
	finish();
}

/* Whoever has the page from the client loses it too, without being asked. */
static void
derived_mappings_go(void)
{
	start(0);
	give(L4_MAP, 1);
	CHECK(is_mapped(b, 1));
	EQUAL(page_out(N), N);
	CHECK(!is_mapped(b, 1));
	EQUAL(l4_of(b)->nnodes, 0);
	expect_page(a, 1, 101);
	finish();
}

/* A page that was granted away is written by somebody whom the pager does not
 * know: its frame stays. */
static void
granted_page_stays(void)
{
	start(0);
	give(L4_GRANT, 1);
	EQUAL(page_out(N), N - 1);
	EQUAL(resident(a), 0x2);
	CHECK(is_mapped(b, 1));
	/* By the hardware: b has no area there, and needs none. */
	struct host_op op = { .va = page(1), .access = VM_PROT_WRITE,
		.width = HOST_WORD, .value = 42 };

	host_load(b);
	EQUAL(host_try(&op), 0);
	host_load(NULL);
	expect_page(a, 1, 42);
	finish();
}

/* Kernel accesses too. */
static void
pinned_page_stays(void)
{
	struct vm_pinned pin;

	start(0);
	EQUAL(vm_pin(a, page(2), 8, VM_PROT_WRITE, &pin), 0);
	EQUAL(page_out(N), N);
	EQUAL(resident(a), 0x4);
	uint64_t v = 9;

	vm_pinned_write(&pin, 0, &v, 8);
	vm_unpin(&pin);
	expect_page(a, 2, 9);
	EQUAL(page_out(N), 1);
	expect_page(a, 2, 9);
	finish();
}

/* Parent and child have the same slots, then the same frames, until one of
 * them writes. */
static void
fork_shares_slots(void)
{
	start(0);
	EQUAL(page_out(N), N);
	vmspace_drop(b);
	EQUAL(vmspace_fork(a, &b), 0);
	EQUAL(swap_used(), N);
	expect_page(b, 0, 100);
	EQUAL(swap_used(), N); /* a's word is there still */
	write_page(b, 0, 1);
	expect_page(a, 0, 100);
	EQUAL(swap_used(), N - 1);
	EQUAL(vm_unmap(a, BASE, N * PAGE_SIZE), 0);
	EQUAL(swap_used(), N - 1); /* b's words */
	expect_page(b, 3, 103);
	expect_page(b, 0, 1);
	finish();
}

/* A frame of a dataspace goes when the last of its clients has lost it. */
static void
dataspace(void)
{
	start(VM_MAP_SHARED);
	vmspace_drop(b);
	EQUAL(vmspace_fork(a, &b), 0);
	write_page(b, 0, 55);
	EQUAL(page_out(TLB_GATHER_PAGES), N + 1);
	EQUAL(resident(a), 0);
	EQUAL(resident(b), 0);
	EQUAL(swap_used(), N);
	expect_page(a, 0, 55);
	write_page(a, 3, 66);
	expect_page(b, 3, 66);
	finish();
}

/* No slot left: the page stays, and so does what is in it. */
static void
swap_is_full(void)
{
	unsigned n = 0;
	uint64_t slot;
	struct vm_page *pg;

	start(0);
	spin_lock(&vm_object_lock);
	while ((pg = frame_alloc(FRAME_DEFAULT)) != NULL) {
		if (swap_out(pg, &slot) != 0)
			break;
		page_drop(pg);
		n++;
	}
	spin_unlock(&vm_object_lock);
	EQUAL(n, swap_total());
	page_drop(pg);
	EQUAL(vm_design->pageout(N), 0);
	EQUAL(resident(a), 0xf);
	for (unsigned i = 0; i < N; i++)
		expect_page(a, i, 100 + i);
	spin_lock(&vm_object_lock);
	for (slot = 0; slot < swap_total(); slot++)
		swap_drop(slot);
	spin_unlock(&vm_object_lock);
	finish();
}

const struct unit unit_root[] = {
	{ "second_chance", second_chance, 0 },
	{ "all_come_back", all_come_back, 0 },
	{ "derived_mappings_go", derived_mappings_go, 0 },
	{ "granted_page_stays", granted_page_stays, 0 },
	{ "pinned_page_stays", pinned_page_stays, 0 },
	{ "fork_shares_slots", fork_shares_slots, 0 },
	{ "dataspace", dataspace, 0 },
	{ "swap_is_full", swap_is_full, 0 },
	{ NULL, NULL, 0 },
};
