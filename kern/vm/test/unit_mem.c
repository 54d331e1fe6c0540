/* SPDX-License-Identifier: MIT */
/* unit_mem.c - kern/mem: frames, kernel objects, failing allocations. */
#include "mem/failpoint.h"
#include "mem/frame.h"
#include "mem/kmem.h"
#include "lib/string.h"
#include "sync/counter.h"
#include "vm/test/unit.h"

static void
frames_return(void)
{
	static struct vm_page *pg[4096];
	size_t before = frame_free_count(), n = 0;

	while (n < ARRAY_SIZE(pg) && (pg[n] = frame_alloc(0)) != NULL) {
		EQUAL(pg[n]->refs, 1);
		EQUAL(pg[n]->pins, 0);
		EQUAL(pg[n]->state, FRAME_USED);
		memset(page_to_virt(pg[n]), 1, PAGE_SIZE);
		n++;
	}
	CHECK(n > 500 && n < before); /* the reserve stays */
	CHECK(frame_alloc(0) == NULL);
	pg[n] = frame_alloc(FRAME_RESERVE);
	CHECK(pg[n] != NULL);
	n++;
	EQUAL(frame_free_count(), before - n);
	while (n > 0)
		page_drop(pg[--n]);
	EQUAL(frame_free_count(), before);
}

/* Blocks are aligned, disjoint, and merge again completely. */
static void
orders(void)
{
	struct vm_page *pg[64];
	unsigned order[64], n = 0;
	size_t before, biggest = 0;

	frame_cache_drain();
	before = frame_free_count();
	for (unsigned i = 0; i < 64; i++) {
		order[n] = unit_random() % 6;
		pg[n] = frame_alloc_order(order[n], 0);
		if (pg[n] == NULL)
			continue;
		CHECK(IS_ALIGNED(page_to_phys(pg[n]), PAGE_SIZE << order[n]));
		for (unsigned k = 0; k < n; k++)
			CHECK(pg[k] + (1u << order[k]) <= pg[n] ||
			    pg[n] + (1u << order[n]) <= pg[k]);
		n++;
	}
	CHECK(n > 20);
	while (n > 0)
		frame_free(pg[--n]);
	frame_cache_drain();
	EQUAL(frame_free_count(), before);
	/* 4 MiB of RAM: a block of 1 MiB needs merging. */
	for (unsigned o = FRAME_MAX_ORDER + 1; o-- > 0;)
		if ((pg[0] = frame_alloc_order(o, FRAME_RESERVE)) != NULL) {
			biggest = (size_t)1 << o;
			frame_free(pg[0]);
			break;
		}
	CHECK(biggest >= 256);
	CHECK(frame_alloc_order(FRAME_MAX_ORDER + 1, 0) == NULL);
}

static void
write_after_free(void *arg)
{
	struct vm_page *pg = frame_alloc(0);
	char *p = page_to_virt(pg);

	(void)arg;
	page_drop(pg);
	p[100] = 0;
	for (unsigned i = 0; i < 2000 && frame_alloc(0) != NULL; i++)
		;
}

static void
poison(void)
{
	PANICS(write_after_free, NULL);
}

static void
holds_and_pins(void)
{
	struct vm_page *pg = frame_alloc(0);
	size_t before = frame_free_count();

	page_hold(pg);
	page_drop(pg);
	EQUAL(frame_free_count(), before);
	__atomic_fetch_add(&pg->holds, (uint64_t)1 << 32, __ATOMIC_RELAXED);
	EQUAL(pg->pins, 1);
	page_drop(pg); /* no references, but pinned: stays */
	EQUAL(frame_free_count(), before);
	page_unpin(pg, false);
	EQUAL(frame_free_count(), before + 1);
}

static void
drop_twice(void *arg)
{
	struct vm_page *pg = frame_alloc(0);

	(void)arg;
	page_drop(pg);
	page_drop(pg);
}

static void
double_drop(void)
{
	PANICS(drop_twice, NULL);
}

static void
objects(void)
{
	static struct kmem_cache c;
	static void *p[2000];
	size_t before = frame_free_count() + kmem_slab_frames();

	kmem_cache_init(&c, "test", 72);
	for (unsigned round = 0; round < 3; round++) {
		unsigned n = 0;

		while (n < ARRAY_SIZE(p) && (p[n] = kmem_alloc(&c)) != NULL) {
			CHECK(IS_ALIGNED((uintptr_t)p[n], 8));
			memset(p[n], (int)n, 72);
			host_switch_cpu(n % ncpu);
			n++;
		}
		EQUAL(n, ARRAY_SIZE(p));
		EQUAL(kmem_used(&c), n);
		for (unsigned i = 0; i < n; i++)
			for (unsigned k = 0; k < 72; k++)
				EQUAL(((uint8_t *)p[i])[k], (uint8_t)i);
		/* Freed on other CPUs and in another order. */
		for (unsigned i = 0; i < n; i++) {
			host_switch_cpu((i / 7) % ncpu);
			kmem_free(&c, p[i * 7 % n]);
		}
		EQUAL(kmem_used(&c), 0);
	}
	EQUAL(frame_free_count() + kmem_slab_frames(), before);
}

static void
sizes(void)
{
	static const size_t size[] = { 1, 16, 17, 63, 64, 100, 512, 1000, 1024,
		1025, 2048, 4096, 4097, 10000, 65536 };
	size_t before = frame_free_count() + kmem_slab_frames();
	uint64_t bytes = kmem_used_bytes();
	char *p[ARRAY_SIZE(size)];

	for (unsigned i = 0; i < ARRAY_SIZE(size); i++) {
		p[i] = kzalloc(size[i]);
		CHECK(p[i] != NULL);
		for (size_t k = 0; k < size[i]; k++)
			EQUAL(p[i][k], 0);
		memset(p[i], 0x5a, size[i]);
	}
	CHECK(kmem_used_bytes() > bytes);
	for (unsigned i = 0; i < ARRAY_SIZE(size); i++)
		kfree(p[i], size[i]);
	kfree(NULL, 0);
	EQUAL(kmem_used_bytes(), bytes);
	EQUAL(frame_free_count() + kmem_slab_frames(), before);
}

static void
failpoints(void)
{
	struct vm_page *pg[5];
	uint64_t failed = counter_read(TS_failed_allocs);

	fail_arm(3, NULL);
	for (unsigned i = 0; i < 5; i++) {
		pg[i] = frame_alloc(0);
		EQUAL(pg[i] == NULL, i == 2);
	}
	EQUAL(counter_read(TS_failed_allocs) - failed, 1);
	fail_arm(1, NULL);
	CHECK(kmalloc(100) == NULL);
	fail_arm(1, NULL);
	CHECK(frame_alloc(FRAME_NOFAIL_POINT) != NULL);
	fail_arm(0, NULL);
	CHECK(kmalloc(100) != NULL);
	/* Only the thread that it is meant for. */
	fail_arm(1, cpus[1].thread);
	CHECK(kmalloc(10) != NULL);
	host_switch_cpu(1);
	CHECK(kmalloc(10) == NULL);
}

const struct unit unit_mem[] = {
	{ "frames_return", frames_return, 0 },
	{ "orders", orders, 0 },
	{ "poison", poison, 0 },
	{ "holds_and_pins", holds_and_pins, 0 },
	{ "double_drop", double_drop, 0 },
	{ "objects", objects, 0 },
	{ "sizes", sizes, 0 },
	{ "failpoints", failpoints, 0 },
	{ NULL, NULL, 0 },
};
