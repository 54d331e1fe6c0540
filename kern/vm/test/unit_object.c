/* SPDX-License-Identifier: MIT */
/*
 * unit_object.c - kern/vm/object.c and mappings of objects, with a disk of some
 * words: one word at the start of each page is what counts.
 *
 * The host port's TLBs forget nothing that was not flushed, so a store that
 * goes unnoticed after cleaning, or a page that is seen after truncation, is
 * seen every time.
 */
#include "lib/string.h"
#include "sync/counter.h"
#include "vm/test/unit.h"
#include "vm/vm.h"

#define VA     ((vaddr_t)0x1540000000)
#define NPAGES 64u
#define HOLE   UINT64_MAX

static uint64_t disk[NPAGES];
static int refs, bad_page;
static struct vm_object object;

static uint64_t *
word_of(const struct vm_page *pg)
{
	return page_to_virt(pg);
}

static void
hold(struct vm_object *o)
{
	refs++;
}

static void
drop(struct vm_object *o)
{
	refs--;
}

static void
enter(struct vm_object *o, bool write)
{
}

static int
read_page(struct vm_object *o, struct vm_page *pg)
{
	CHECK(pg->flags & PG_BUSY);
	if ((int)pg->offset == bad_page)
		return EIO;
	memset(word_of(pg), 0, PAGE_SIZE);
	if (disk[pg->offset] == HOLE)
		pg->flags |= PG_HOLE;
	else
		*word_of(pg) = disk[pg->offset];
	return 0;
}

static int
back_page(struct vm_object *o, struct vm_page *pg)
{
	if ((int)pg->offset == bad_page)
		return ENOSPC;
	pg->flags &= ~(uint32_t)PG_HOLE;
	disk[pg->offset] = 0;
	return 0;
}

static int
write_pages(struct vm_object *o, struct vm_page *const *pages, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if ((int)pages[i]->offset == bad_page)
			return EIO;
		CHECK(disk[pages[i]->offset] != HOLE);
		disk[pages[i]->offset] = *word_of(pages[i]);
	}
	return 0;
}

static int
sync_object(struct vm_object *o)
{
	vm_object_flush(o);
	return vm_object_error(o);
}

static const struct vm_object_ops ops = {
	.hold = hold,
	.drop = drop,
	.enter = enter,
	.leave = enter,
	.read = read_page,
	.back = back_page,
	.write = write_pages,
	.sync = sync_object,
};

static void
start(void)
{
	bad_page = -1;
	for (unsigned i = 0; i < NPAGES; i++)
		disk[i] = i % 8 == 7 ? HOLE : 100 + i;
	vm_object_init(&object, &ops);
	vm_object_resize(&object, NPAGES);
}

static struct vmspace *
map(unsigned flags, vm_prot_t prot)
{
	struct vm_mapreq rq = { .va = VA,
		.size = (NPAGES + 2) * PAGE_SIZE,
		.prot = prot,
		.maxprot = VM_PROT_ALL,
		.flags = flags | VM_MAP_FIXED,
		.source = VM_FILE,
		.object = &object };
	struct vmspace *vs;
	vaddr_t va;

	EQUAL(vmspace_create(&vs), 0);
	EQUAL(vm_map(vs, &rq, &va), 0);
	return vs;
}

static uint64_t
value(struct vmspace *vs, unsigned page)
{
	uint64_t v = 0;

	EQUAL(host_read(vs, VA + page * PAGE_SIZE, &v), 0);
	return v;
}

static int
store(struct vmspace *vs, unsigned page, uint64_t v)
{
	return host_write(vs, VA + page * PAGE_SIZE, v);
}

/* @p other may be NULL. */
static void
finish(struct vmspace *vs, struct vmspace *other)
{
	EQUAL(vm_check(), 0);
	for (unsigned c = ncpu; c-- > 0;) {
		host_switch_cpu(c);
		host_load(NULL);
	}
	vmspace_drop(vs);
	if (other != NULL)
		vmspace_drop(other);
	EQUAL(refs, 0);
	EQUAL(vm_check(), 0);
}

#define RW (VM_PROT_READ | VM_PROT_WRITE)

static void
pages(void)
{
	struct vm_page *a, *b;

	start();
	EQUAL(vm_object_get(&object, 3, OBJ_READ, &a), 0);
	EQUAL(*word_of(a), 103);
	EQUAL(vm_object_get(&object, 3, OBJ_LOCK, &b), 0);
	CHECK(a == b);
	*word_of(b) = 1;
	vm_object_put(b, true);
	EQUAL(vm_object_unsaved(), 1);
	EQUAL(disk[3], 103);
	vm_object_flush(&object);
	EQUAL(disk[3], 1);
	EQUAL(vm_object_unsaved(), 0);
	EQUAL(vm_object_get(&object, 4, OBJ_NEW, &b), 0);
	EQUAL(*word_of(b), 0); /* it was not read */
	vm_object_put(b, false);
	CHECK(!vm_object_purge(&object)); /* we have one */
	page_drop(a);
	CHECK(vm_object_purge(&object));
	EQUAL(vm_object_cached(), 0);
	bad_page = 5;
	EQUAL(vm_object_get(&object, 5, OBJ_READ, &a), EIO);
	bad_page = -1;
	EQUAL(vm_object_get(&object, 5, OBJ_READ, &a), 0);
	page_drop(a);
}

/* Cleaned on one CPU while another one has the page writable in its TLB. */
static void
store_after_cleaning(void)
{
	struct vmspace *vs;

	start();
	vs = map(VM_MAP_SHARED, RW);
	host_switch_cpu(1);
	EQUAL(value(vs, 2), 102);
	EQUAL(store(vs, 2, 7), 0);
	host_switch_cpu(0);
	EQUAL(value(vs, 2), 7);
	EQUAL(disk[2], 102);
	vm_object_flush(&object);
	EQUAL(disk[2], 7);
	host_switch_cpu(1);
	EQUAL(store(vs, 2, 8), 0);
	EQUAL(vm_object_unsaved(), 1);
	host_switch_cpu(0);
	vm_object_flush(&object);
	EQUAL(disk[2], 8);
	EQUAL(value(vs, 2), 8);
	finish(vs, NULL);
}

/* The kernel has yet to write through a pin: the page stays modified. */
static void
pinned_while_cleaned(void)
{
	struct vm_pinned pin;
	struct vmspace *vs;
	uint64_t v = 55;

	start();
	vs = map(VM_MAP_SHARED, RW);
	EQUAL(vm_pin(vs, VA, 8, VM_PROT_WRITE, &pin), 0);
	vm_object_flush(&object);
	vm_pinned_write(&pin, 0, &v, sizeof(v));
	vm_unpin(&pin);
	vm_object_flush(&object);
	EQUAL(disk[0], 55);
	EQUAL(vm_object_unsaved(), 0);
	finish(vs, NULL);
}

static void
truncation(void)
{
	struct vmspace *s, *p;
	uint64_t v;

	start();
	s = map(VM_MAP_SHARED, RW);
	p = map(0, RW);
	host_switch_cpu(1);
	EQUAL(value(s, 9), 109);
	EQUAL(store(s, 10, 1), 0);
	host_switch_cpu(2);
	EQUAL(value(p, 9), 109);
	EQUAL(store(p, 10, 2), 0);
	EQUAL(store(p, 3, 3), 0);
	host_switch_cpu(0);
	vm_object_resize(&object, 9);
	EQUAL(vm_object_unsaved(), 0);
	host_switch_cpu(1);
	EQUAL(host_read(s, VA + 9 * PAGE_SIZE, &v), ENXIO);
	EQUAL(store(s, 10, 1), ENXIO);
	EQUAL(value(s, 8), 108);
	host_switch_cpu(2);
	EQUAL(host_read(p, VA + 9 * PAGE_SIZE, &v), ENXIO);
	EQUAL(host_read(p, VA + 10 * PAGE_SIZE, &v), ENXIO);
	EQUAL(value(p, 3), 3);
	vm_object_resize(&object, NPAGES);
	EQUAL(value(p, 10), 110);
	finish(p, s);
}

static void
private_copies(void)
{
	struct vmspace *vs, *child;
	struct vm_page *pg;

	start();
	vs = map(0, RW);
	EQUAL(value(vs, 0), 100);
	EQUAL(store(vs, 1, 11), 0); /* copied at once */
	EQUAL(store(vs, 0, 10), 0); /* seen first */
	EQUAL(vmspace_fork(vs, &child), 0);
	EQUAL(store(child, 1, 21), 0);
	EQUAL(store(child, 2, 22), 0);
	EQUAL(value(child, 0), 10);
	EQUAL(value(vs, 1), 11);
	EQUAL(value(vs, 2), 102);
	EQUAL(vm_object_unsaved(), 0);
	EQUAL(vm_object_get(&object, 1, OBJ_READ, &pg), 0);
	EQUAL(*word_of(pg), 101);
	page_drop(pg);
	EQUAL(vm_protect(vs, VA, 4 * PAGE_SIZE, VM_PROT_READ), 0);
	EQUAL(store(vs, 1, 12), EACCES);
	EQUAL(vm_protect(vs, VA, 4 * PAGE_SIZE, RW), 0);
	EQUAL(store(vs, 3, 13), 0);
	EQUAL(vm_sync(vs, VA, 4 * PAGE_SIZE, VM_SYNC_DISCARD), 0);
	EQUAL(value(vs, 1), 101);
	finish(child, vs);
}

static void
holes_and_errors(void)
{
	struct vmspace *vs;
	uint64_t v;

	start();
	vs = map(VM_MAP_SHARED, RW);
	EQUAL(value(vs, 7), 0);
	EQUAL(disk[7], HOLE); /* looking takes no place */
	bad_page = 7;
	EQUAL(store(vs, 7, 1), ENOSPC);
	bad_page = -1;
	EQUAL(store(vs, 7, 1), 0);
	bad_page = 20;
	EQUAL(host_read(vs, VA + 20 * PAGE_SIZE, &v), EIO);
	EQUAL(store(vs, 20, 1), EIO);
	bad_page = 7;
	vm_object_flush(&object);
	EQUAL(vm_object_error(&object), EIO);
	EQUAL(vm_object_error(&object), 0);
	EQUAL(vm_object_unsaved(), 0);
	EQUAL(host_read(vs, VA + NPAGES * PAGE_SIZE, &v), ENXIO);
	finish(vs, NULL);
}

/* Whoever allocates gets clean pages that nobody uses, and only those. */
static void
reclaiming(void)
{
	static struct vm_page *taken[2048];
	struct vm_page *used, *pg;
	struct vmspace *vs;
	size_t n = 0;

	start();
	vs = map(VM_MAP_SHARED, RW);
	for (unsigned i = 0; i < NPAGES; i++) {
		EQUAL(vm_object_get(&object, i, OBJ_READ, &pg), 0);
		page_drop(pg);
	}
	EQUAL(value(vs, 1), 101);   /* mapped */
	EQUAL(store(vs, 2, 77), 0); /* and modified */
	EQUAL(vm_object_get(&object, 3, OBJ_READ, &used), 0);
	EQUAL(vm_object_cached(), NPAGES);
	while (n < ARRAY_SIZE(taken) &&
	    (taken[n] = frame_alloc(FRAME_DEFAULT)) != NULL)
		n++;
	CHECK(n < ARRAY_SIZE(taken));
	EQUAL(vm_object_cached(), 3);
	EQUAL(*word_of(used), 103);
	while (n > 0)
		frame_free(taken[--n]);
	page_drop(used);
	EQUAL(value(vs, 2), 77);
	EQUAL(value(vs, 4), 104);
	vm_object_flush(&object);
	EQUAL(disk[2], 77);
	finish(vs, NULL);
}

const struct unit unit_object[] = {
	{ "pages", pages, 0 },
	{ "store_after_cleaning", store_after_cleaning, 0 },
	{ "pinned_while_cleaned", pinned_while_cleaned, 0 },
	{ "truncation", truncation, 0 },
	{ "private_copies", private_copies, 0 },
	{ "holes_and_errors", holes_and_errors, 0 },
	{ "reclaiming", reclaiming, 0 },
	{ NULL, NULL, 0 },
};
