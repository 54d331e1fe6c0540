/* SPDX-License-Identifier: MIT */
/**
 * @file unit_space.h
 * For unit tests that work on pages of one range: page n stands at BASE + n
 * pages, and holds one word.
 */
#ifndef VM_TEST_UNIT_SPACE_H
#define VM_TEST_UNIT_SPACE_H

#include "vm/test/unit.h"
#include "vm/vm.h"

#define BASE ((vaddr_t)0x1555555000)
#define RW   (VM_PROT_READ | VM_PROT_WRITE)

static inline vaddr_t
at(unsigned page)
{
	return BASE + page * PAGE_SIZE;
}

static inline struct vmspace *
space(void)
{
	struct vmspace *vs;

	EQUAL(vmspace_create(&vs), 0);
	return vs;
}

static inline struct vmspace *
fork_of(struct vmspace *parent)
{
	struct vmspace *child;

	EQUAL(vmspace_fork(parent, &child), 0);
	return child;
}

/** No CPU runs it any more, and it goes. */
static inline void
depart(struct vmspace *vs)
{
	for (unsigned c = ncpu; c-- > 0;) {
		host_switch_cpu(c);
		if (host_loaded() == vs)
			host_load(NULL);
	}
	vmspace_drop(vs);
}

static inline void
leave(struct vmspace *vs)
{
	EQUAL(vm_check(), 0);
	depart(vs);
}

/** @p n pages from @p first on, read and write; @p flags VM_MAP_* */
static inline void
map(struct vmspace *vs, unsigned first, unsigned n, unsigned flags)
{
	struct vm_mapreq rq = { .va = at(first), .size = n * PAGE_SIZE,
		.prot = RW, .maxprot = VM_PROT_ALL,
		.flags = VM_MAP_FIXED | flags };
	vaddr_t va;

	EQUAL(vm_map(vs, &rq, &va), 0);
}

static inline void
put(struct vmspace *vs, unsigned page, uint64_t value)
{
	EQUAL(host_write(vs, at(page), value), 0);
}

static inline uint64_t
get(struct vmspace *vs, unsigned page)
{
	uint64_t value = 0;

	EQUAL(host_read(vs, at(page), &value), 0);
	return value;
}

#endif
