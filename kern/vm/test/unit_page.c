/* SPDX-License-Identifier: MIT */
/*
 * unit_page.c - calls that page-out and the kernel make, under every design:
 * harvest, revoke, evict; pins of several pages, strings, listings, devices.
 */
#include "lib/printf.h"
#include "lib/string.h"
#include "vm/test/unit_space.h"

/* Not memory, so never touched here. */
#define DEVICE ((uint64_t)0x10000000)

static struct vmspace *
mapped(unsigned npages, unsigned flags)
{
	struct vmspace *vs = space();

	map(vs, 0, npages, flags);
	return vs;
}

static struct vm_page *
frame_at(struct vmspace *vs, unsigned page)
{
	struct pmap_leaf leaf;

	CHECK(pmap_get(vs->pmap, at(page), &leaf) != PMAP_EMPTY);
	return phys_to_page(leaf.pa);
}

static unsigned
harvest(struct vm_page *pg, unsigned clear)
{
	struct vm_txn txn;
	unsigned seen;

	tlb_gather_init(&txn.tg);
	seen = vm_design->pg_harvest(pg, clear, &txn);
	tlb_gather_flush(&txn.tg);
	return seen;
}

/* What the hardware noted is reported once, then again after another access;
 * the dirty bit of an overlay survives the harvest. */
static void
harvesting(void)
{
	struct vmspace *vs = mapped(2, 0);
	struct vm_page *pg;
	uint64_t bits = 0, v;

	EQUAL(vm_overlay_register(vs, BASE, PAGE_SIZE), 0);
	host_switch_cpu(1);
	EQUAL(host_write(vs, at(0), 1), 0);
	pg = frame_at(vs, 0);
	CHECK(harvest(pg, 0) & PG_HARVEST_DIRTY);
	CHECK(harvest(pg, PG_HARVEST_REF) & PG_HARVEST_REF);
	CHECK(!(harvest(pg, 0) & PG_HARVEST_REF));
	host_switch_cpu(1);
	EQUAL(host_read(vs, at(0), &v), 0);
	EQUAL(v, 1);
	CHECK(harvest(pg, PG_HARVEST_REF | PG_HARVEST_DIRTY) &
	    PG_HARVEST_DIRTY);
	EQUAL(vm_dirty(vs, BASE, PAGE_SIZE, &bits), 0);
	EQUAL(bits, 1);
	/* A store after the harvest is noticed, though the TLB had D. */
	EQUAL(host_write(vs, at(0), 2), 0);
	bits = 0;
	EQUAL(vm_dirty(vs, BASE, PAGE_SIZE, &bits), 0);
	EQUAL(bits, 1);
	leave(vs);
}

/* Rights of all mappings fall, on all CPUs, and come back with a fault. */
static void
revoking(void)
{
	struct vmspace *vs = mapped(1, VM_MAP_SHARED), *child;
	struct vm_txn txn;
	struct vm_page *pg;
	struct pmap_leaf leaf;
	uint64_t v;

	EQUAL(host_write(vs, at(0), 5), 0);
	EQUAL(vmspace_fork(vs, &child), 0);
	host_switch_cpu(1);
	EQUAL(host_write(child, at(0), 6), 0);
	pg = frame_at(vs, 0);
	CHECK(frame_at(child, 0) == pg);
	tlb_gather_init(&txn.tg);
	EQUAL(vm_design->pg_revoke(pg, VM_PROT_READ, &txn), 0);
	tlb_gather_flush(&txn.tg);
	CHECK(pmap_get(vs->pmap, at(0), &leaf) != PMAP_LEAF ||
	    !(leaf.bits & PMAP_W));
	CHECK(pmap_get(child->pmap, at(0), &leaf) != PMAP_LEAF ||
	    !(leaf.bits & PMAP_W));
	tlb_gather_init(&txn.tg);
	EQUAL(vm_design->pg_revoke(pg, VM_PROT_NONE, &txn), 0);
	tlb_gather_flush(&txn.tg);
	CHECK(pmap_get(vs->pmap, at(0), &leaf) != PMAP_LEAF);
	EQUAL(host_write(child, at(0), 7), 0);
	host_switch_cpu(0);
	EQUAL(host_read(vs, at(0), &v), 0);
	EQUAL(v, 7);
	leave(child);
	leave(vs);
}

/* It may refuse, but contents stay. */
static void
evicting(void)
{
	struct vmspace *vs = mapped(1, 0);
	struct vm_txn txn;
	uint64_t v;
	int error;

	EQUAL(host_write(vs, at(0), 9), 0);
	tlb_gather_init(&txn.tg);
	error = vm_design->pg_evict(frame_at(vs, 0), &txn);
	CHECK(error == 0 || error == EBUSY);
	tlb_gather_flush(&txn.tg);
	EQUAL(host_read(vs, at(0), &v), 0);
	EQUAL(v, 9);
	leave(vs);
}

/* A batch ends after VM_PIN_MAX pages, or where nothing is mapped. */
static void
pins(void)
{
	static char in[3 * PAGE_SIZE], out[3 * PAGE_SIZE];
	struct vmspace *vs = mapped(12, 0);
	struct vm_pinned pin;

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (char)(i * 7 + i / 251);
	EQUAL(vm_pin(vs, at(1) - 100, sizeof(in), VM_PROT_WRITE, &pin), 0);
	EQUAL(pin.npages, 4);
	EQUAL(pin.size, sizeof(in));
	vm_pinned_write(&pin, 0, in, sizeof(in));
	vm_pinned_read(&pin, 0, out, sizeof(out));
	vm_unpin(&pin);
	EQUAL(memcmp(in, out, sizeof(in)), 0);
	memset(out, 0, sizeof(out));
	EQUAL(copyin(vs, out, at(1) - 100, sizeof(out)), 0);
	EQUAL(memcmp(in, out, sizeof(in)), 0);
	/* Whole pages. */
	EQUAL(vm_pin(vs, at(4), 2 * PAGE_SIZE, VM_PROT_WRITE, &pin), 0);
	vm_pinned_write(&pin, 0, in, 2 * PAGE_SIZE);
	vm_unpin(&pin);
	EQUAL(vm_pin(vs, at(0), 12 * PAGE_SIZE, VM_PROT_READ, &pin), 0);
	EQUAL(pin.size, VM_PIN_MAX * PAGE_SIZE);
	vm_unpin(&pin);
	EQUAL(vm_pin(vs, at(11), 4 * PAGE_SIZE, VM_PROT_READ, &pin), 0);
	EQUAL(pin.size, PAGE_SIZE);
	vm_unpin(&pin);
	EQUAL(vm_pin(vs, at(12), 2 * PAGE_SIZE, VM_PROT_READ, &pin), EFAULT);
	EQUAL(vm_pin(vs, at(0), 0, VM_PROT_READ, &pin), 0);
	EQUAL(pin.npages, 0);
	leave(vs);
}

static void
strings(void)
{
	struct vmspace *vs = mapped(2, 0);
	char text[32];

	EQUAL(copyout(vs, at(1) - 4, "over the edge", 14), 0);
	EQUAL(copyinstr(vs, text, at(1) - 4, sizeof(text)), 0);
	EQUAL(strcmp(text, "over the edge"), 0);
	EQUAL(copyinstr(vs, text, at(1) - 4, 13), ENAMETOOLONG);
	EQUAL(copyout(vs, at(2) - 3, "abc", 3), 0);
	EQUAL(copyinstr(vs, text, at(2) - 3, sizeof(text)), EFAULT);
	EQUAL(copyinstr(vs, text, USER_MAX, sizeof(text)), EFAULT);
	leave(vs);
}

static void
listings(void)
{
	struct vmspace *vs = mapped(4, 0);
	struct vm_region_info info;
	struct buf_sink b;
	char text[400];
	uint8_t vec[5];

	EQUAL(host_write(vs, at(1), 1), 0);
	EQUAL(vm_region_held(vs, at(2), &info), 0);
	EQUAL(info.sva, at(0));
	EQUAL(info.eva, at(4));
	CHECK(info.object == NULL);
	EQUAL(vm_mincore(vs, at(0), 0, vec), 0);
	EQUAL(vm_mincore(vs, at(0) + 1, 0, vec), EINVAL);
	EQUAL(vm_mincore(vs, at(0) + 1, 1, vec), EINVAL);
	EQUAL(vm_mincore(vs, at(0), 5 * PAGE_SIZE, vec), ENOMEM);
	EQUAL(vm_mincore(vs, at(0), 4 * PAGE_SIZE, vec), 0);
	EQUAL(vec[0], 0);
	EQUAL(vec[1], 1);
	EQUAL(vm_sync(vs, at(0), 0, 0), 0);
	EQUAL(vm_sync(vs, at(0) + 1, 0, 0), EINVAL);
	EQUAL(vm_sync(vs, at(0) + 1, 1, 0), EINVAL);
	EQUAL(vm_sync(vs, USER_MAX, PAGE_SIZE, 0), ENOMEM);
	buf_sink_init(&b, text, sizeof(text) - 1, 0);
	vm_dump(vs, &b.sink);
	text[MIN(b.total, sizeof(text) - 1)] = '\0';
	/* Each design has its own form; the region's start is in all. */
	CHECK(strncmp(text, "1555555000", 10) == 0);
	leave(vs);
}

/* Entered without a frame to count; the kernel does not touch it. */
static void
devices(void)
{
	struct vmspace *vs, *child;
	struct vm_mapreq rq = { .va = BASE, .size = 2 * PAGE_SIZE,
		.prot = RW, .maxprot = RW, .flags = VM_MAP_FIXED,
		.source = VM_PHYS, .pa = DEVICE };
	struct vm_fault f = { .va = at(1) + 8, .access = VM_PROT_WRITE };
	struct pmap_leaf leaf;
	vaddr_t va;
	uint64_t v;

	EQUAL(vmspace_create(&vs), 0);
	EQUAL(vm_map(vs, &rq, &va), 0);
	EQUAL(vm_fault(vs, &f), 0);
	EQUAL(pmap_get(vs->pmap, at(1), &leaf), PMAP_LEAF);
	EQUAL(leaf.pa, DEVICE + PAGE_SIZE);
	EQUAL(copyin(vs, &v, at(1), 8), EFAULT);
	EQUAL(copyout(vs, at(0), &v, 8), EFAULT);
	EQUAL(vm_protect(vs, at(1), PAGE_SIZE, VM_PROT_READ), 0);
	EQUAL(vm_fault(vs, &f), EACCES);
	EQUAL(vmspace_fork(vs, &child), 0);
	leave(child);
	EQUAL(vm_unmap(vs, BASE, 2 * PAGE_SIZE), 0);
	EQUAL(pmap_get(vs->pmap, at(1), &leaf), PMAP_EMPTY);
	leave(vs);
}

/* So few frames that a fault finds its page and not the table for it: it ends,
 * and what it had is free again. */
static void
last_frames(void)
{
	static struct vm_page *taken[8192];
	struct vmspace *vs = mapped(1, 0);
	bool failed = false;

	for (unsigned left = 0; left < 6; left++) {
		size_t n = 0;
		int error;

		while ((taken[n] = frame_alloc(FRAME_NOFAIL_POINT)) != NULL)
			n++;
		for (unsigned i = 0; i < left; i++)
			frame_free(taken[--n]);
		error = host_write(vs, BASE, 1);
		CHECK(error == 0 || error == ENOMEM);
		failed |= left > 0 && error != 0;
		while (n > 0)
			frame_free(taken[--n]);
		if (error == 0)
			break;
	}
	CHECK(failed);
	EQUAL(host_write(vs, BASE, 1), 0);
	leave(vs);
}

const struct unit unit_page[] = {
	{ "harvesting", harvesting, 0 },
	{ "revoking", revoking, 0 },
	{ "evicting", evicting, 0 },
	{ "pins", pins, 0 },
	{ "strings", strings, 0 },
	{ "listings", listings, 0 },
	{ "devices", devices, 0 },
	{ "last_frames", last_frames, 0 },
	{ NULL, NULL, 0 },
};
