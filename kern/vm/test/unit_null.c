/* SPDX-License-Identifier: MIT */
/*
 * unit_null.c - kern/vm/null: what the skeleton of a design answers through
 * the interface.  A design that has been begun by copying it starts here.
 */
#include "vm/test/unit.h"

#define BASE ((vaddr_t)0x1555555000)
#define SIZE ((size_t)4 * PAGE_SIZE)

static struct vmspace *
space(void)
{
	struct vmspace *vs;

	EQUAL(vmspace_create(&vs), 0);
	return vs;
}

/* The one thing that it cannot do, it says; all else is true of nothing. */
static void
maps_nothing(void)
{
	struct vm_mapreq rq = { .size = SIZE, .prot = VM_PROT_READ,
		.maxprot = VM_PROT_ALL };
	struct vmspace *vs = space();
	struct vm_region_info info;
	uint8_t vec[SIZE / PAGE_SIZE];
	vaddr_t va = 1;

	EQUAL(vm_map(vs, &rq, &va), ENOSYS);
	EQUAL(va, 1);
	EQUAL(vs->size_bytes, 0);
	EQUAL(vm_unmap(vs, BASE, SIZE), 0);
	EQUAL(vm_protect(vs, BASE, SIZE, VM_PROT_READ), ENOMEM);
	EQUAL(vm_sync(vs, BASE, SIZE, VM_SYNC_DISCARD), ENOMEM);
	EQUAL(vm_mincore(vs, BASE, SIZE, vec), ENOMEM);
	EQUAL(vm_region(vs, 0, &info), ENOENT);
	vmspace_drop(vs);
}

static void
faults_are_of_nobody(void)
{
	struct vmspace *vs = space();
	struct vm_pinned pinned;
	uint64_t word = 0;

	EQUAL(host_read(vs, BASE, &word), EFAULT);
	EQUAL(host_write(vs, BASE, word), EFAULT);
	EQUAL(vm_pin(vs, BASE, 8, VM_PROT_READ, &pinned), EFAULT);
	EQUAL(copyin(vs, &word, BASE, sizeof(word)), EFAULT);
	EQUAL(copyout(vs, BASE, &word, sizeof(word)), EFAULT);
	host_load(NULL);
	vmspace_drop(vs);
}

/* Appel-Li rights are kept above the designs. */
static void
overlays_work(void)
{
	struct page_op op = { BASE, BASE + SIZE, VM_PROT_NONE };
	struct vmspace *vs = space();
	uint64_t bitmap = 0;

	EQUAL(vm_overlay_register(vs, BASE, SIZE), 0);
	EQUAL(vm_prot_pages(vs, &op, 1), 0);
	EQUAL(vm_overlay_cap(vs, BASE), VM_PROT_NONE);
	EQUAL(vm_dirty(vs, BASE, SIZE, &bitmap), 0);
	EQUAL(bitmap, 0);
	vmspace_drop(vs);
}

/* Frames and spaces come back, and the whole layer is sound in between. */
static void
spaces_come_and_go(void)
{
	struct vmspace *parent = space(), *child;
	uint64_t before;

	vmspace_drop(space()); /* caches are filled */
	before = frame_free_count() + pmap_tables_cached();
	for (unsigned i = 0; i < 100; i++) {
		EQUAL(vmspace_fork(parent, &child), 0);
		EQUAL(vm_check(), 0);
		vmspace_clear(child);
		vmspace_drop(child);
	}
	EQUAL(frame_free_count() + pmap_tables_cached(), before);
	EQUAL(vm_design->pageout(1), 0);
	vmspace_drop(parent);
	EQUAL(vm_check(), 0);
}

/* check() is not an empty function: it sees a leaf that no region has. */
static void
stray_leaf_is_found(void)
{
	struct vmspace *vs = space();
	struct pmap_new leaf = { .pa = page_to_phys(frame_alloc(0)),
		.bits = PMAP_R };
	struct tlb_gather tg;

	tlb_gather_init(&tg);
	EQUAL(vm_design->check(vs), 0);
	EQUAL(pmap_enter(vs->pmap, BASE, &leaf, &tg), 0);
	EQUAL(vm_design->check(vs), EINVAL);
}

const struct unit unit_null[] = {
	{ "maps_nothing", maps_nothing, 0 },
	{ "faults_are_of_nobody", faults_are_of_nobody, 0 },
	{ "overlays_work", overlays_work, 0 },
	{ "spaces_come_and_go", spaces_come_and_go, 0 },
	{ "stray_leaf_is_found", stray_leaf_is_found, 0 },
	{ NULL, NULL, 0 },
};
