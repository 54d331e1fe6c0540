/* SPDX-License-Identifier: MIT */
/*
 * invariants.c - vm_check(): what must hold when no operation is under way.
 *
 * I1 every pmap is sound (pmap_check) and every space too (the design's check).
 * I2 a frame's references equal the leaves and other holders that the designs
 *    report; so no mapped frame is free, and none is lost or counted twice.
 * I3 the count of a swap slot equals the software words that name it.
 * Run by tests and fuzzers after each operation, and on demand in the kernel.
 */
#include "abi/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mem/kmem.h"
#include "vm/swap.h"
#include "vm/vm.h"

struct census {
	uint16_t *count; /* by frame number - base */
	int error;
};

static void
count_one(struct vm_page *pg, void *arg)
{
	struct census *c = arg;

	c->count[pg - frame_array]++;
}

static int
check_space(struct vmspace *vs, void *arg)
{
	struct census *c = arg;

	if (pmap_check(vs->pmap) != 0 || vs->ops->check(vs) != 0)
		c->error = EINVAL;
	vs->ops->count_refs(vs, count_one, c);
	return 0;
}

static void
check_frames(struct census *c)
{
	for (size_t i = 0; i < frame_array_size; i++) {
		const struct vm_page *pg = &frame_array[i];

		if (c->count[i] == 0 || pg->state == FRAME_RESERVED)
			continue;
		if (pg->state == FRAME_USED && pg->refs == c->count[i])
			continue;
		kprintf("vm_check: frame 0x%lx: %u references counted, refs "
			"%u, state %u\n",
		    (unsigned long)page_to_phys(pg), c->count[i], pg->refs,
		    pg->state);
		c->error = EINVAL;
	}
}

int
vm_check(void)
{
	size_t size = frame_array_size * sizeof(uint16_t);
	struct census c = { .count = kzalloc(size) };

	if (c.count == NULL)
		return ENOMEM;
	swap_check_begin();
	(void)vmspace_foreach(check_space, &c);
	vm_design->count_refs(NULL, count_one, &c);
	vm_object_count_refs(count_one, &c);
	check_frames(&c);
	if (swap_check_end() != 0)
		c.error = EINVAL;
	kfree(c.count, size);
	return c.error;
}
