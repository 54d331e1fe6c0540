/* SPDX-License-Identifier: MIT */
/*
 * unit_swap.c - pages that come back from swap, in every design.
 */
#include "vm/swap.h"
#include "vm/test/unit_space.h"

#define N 4u

/* Out of every space, to the disk, and out of the cache. */
static void
page_out(void)
{
	for (unsigned idle = 0; idle < 4;)
		idle = vm_design->pageout(N) > 0 ? 0 : idle + 1;
	vm_object_flush(&swap_object);
	(void)frame_reclaim(64);
	EQUAL(swap_used(), N);
	EQUAL(vm_check(), 0);
}

static uint64_t
pinned_word(const struct vm_pinned *pin)
{
	uint64_t value = 0;

	vm_pinned_read(pin, 0, &value, sizeof(value));
	return value;
}

/* The kernel reads for a process, which leaves meanwhile: whoever shared the
 * page is alone with it now, and its writes must not be read. */
static void
pin_of_a_former_sharer(void)
{
	struct vmspace *parent = space(), *child;
	struct vm_pinned pin;

	map(parent, 0, N, 0);
	for (unsigned i = 0; i < N; i++)
		put(parent, i, 100 + i);
	child = fork_of(parent);
	page_out();
	EQUAL(vm_pin(parent, at(1), 8, VM_PROT_READ, &pin), 0);
	depart(parent);
	put(child, 1, 9);
	EQUAL(pinned_word(&pin), 101);
	vm_unpin(&pin);
	EQUAL(get(child, 1), 9);
	for (unsigned i = 2; i < N; i++)
		EQUAL(get(child, i), 100 + i);
	leave(child);
	EQUAL(swap_used(), 0);
}

const struct unit unit_swap[] = {
	{ "pin_of_a_former_sharer", pin_of_a_former_sharer, 0 },
	{ NULL, NULL, 0 },
};
