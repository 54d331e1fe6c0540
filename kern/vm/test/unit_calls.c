/* SPDX-License-Identifier: MIT */
/*
 * unit_calls.c - kern/vm/mach/mach_calls.c: Mach's operations on maps.
 */
#include "lib/string.h"
#include "mem/failpoint.h"
#include "sync/counter.h"
#include "vm/mach/mach_calls.h"
#include "vm/test/unit_space.h"

static void
deallocate(void)
{
	struct vmspace *vs = space();
	uint64_t v;

	map(vs, 0, 4, 0);
	put(vs, 1, 1);
	EQUAL(mach_call_deallocate(vs, at(0), 0), EINVAL);
	EQUAL(mach_call_deallocate(vs, USER_MAX - 1, 2), EINVAL);
	EQUAL(mach_call_deallocate(vs, at(0), ~(size_t)0), EINVAL);
	/* A hole: nothing changes. */
	EQUAL(mach_call_deallocate(vs, at(1), 4 * PAGE_SIZE), ENOMEM);
	EQUAL(get(vs, 1), 1);
	/* Truncated and rounded: a byte is its page. */
	EQUAL(mach_call_deallocate(vs, at(1) + 5, 1), 0);
	EQUAL(host_read(vs, at(1), &v), EFAULT);
	EQUAL(get(vs, 2), 0);
	leave(vs);
}

static void
inherit(void)
{
	struct vmspace *vs = space(), *child;
	struct vm_region_row row;
	uint64_t v;

	map(vs, 0, 3, 0);
	for (unsigned i = 0; i < 3; i++)
		put(vs, i, 10 + i);
	EQUAL(mach_call_inherit(vs, at(0), PAGE_SIZE, 3), EINVAL);
	EQUAL(mach_call_inherit(vs, at(2), 2 * PAGE_SIZE, VM_INHERIT_NONE),
	    ENOMEM);
	EQUAL(mach_call_inherit(vs, at(0), PAGE_SIZE, VM_INHERIT_SHARE), 0);
	EQUAL(mach_call_inherit(vs, at(2), PAGE_SIZE, VM_INHERIT_NONE), 0);
	EQUAL(mach_call_region(vs, at(0), &row), 0);
	EQUAL(row.address, at(0));
	EQUAL(row.size, PAGE_SIZE);
	EQUAL(row.inheritance, VM_INHERIT_SHARE);
	EQUAL(mach_call_region(vs, at(3), &row), ENOENT);
	EQUAL(vmspace_fork(vs, &child), 0);
	put(child, 0, 20);
	put(child, 1, 21);
	EQUAL(get(vs, 0), 20);
	EQUAL(get(vs, 1), 11);
	EQUAL(host_read(child, at(2), &v), EFAULT);
	/* Alike again: one entry. */
	EQUAL(mach_call_inherit(vs, at(1), 2 * PAGE_SIZE, VM_INHERIT_COPY), 0);
	EQUAL(get(vs, 2), 12);
	leave(child);
	leave(vs);
}

/* Two spaces share an object whose page is still in the one below: when one of
 * them writes, the other must not go on reading the old page. */
static void
shared_sees_copies(void)
{
	struct vmspace *vs = space(), *other, *sharer;

	map(vs, 0, 1, 0);
	put(vs, 0, 1);
	EQUAL(vmspace_fork(vs, &other), 0); /* keeps the page below */
	EQUAL(mach_call_inherit(vs, at(0), PAGE_SIZE, VM_INHERIT_SHARE), 0);
	EQUAL(vmspace_fork(vs, &sharer), 0);
	EQUAL(get(sharer, 0), 1);
	host_switch_cpu(1);
	EQUAL(get(vs, 0), 1);
	put(vs, 0, 2);
	host_switch_cpu(0);
	EQUAL(get(sharer, 0), 2);
	EQUAL(get(other, 0), 1);
	leave(sharer);
	leave(other);
	leave(vs);
}

static void
maximum(void)
{
	struct vmspace *vs = space();
	struct vm_region_row row;

	map(vs, 0, 4, 0);
	put(vs, 1, 1);
	EQUAL(mach_call_set_max(vs, at(3), 2 * PAGE_SIZE, RW), ENOMEM);
	EQUAL(mach_call_set_max(vs, at(1), PAGE_SIZE, VM_PROT_READ), 0);
	/* It never rises again, not for a part of the range either. */
	EQUAL(mach_call_set_max(vs, at(0), 2 * PAGE_SIZE, RW), EACCES);
	EQUAL(host_write(vs, at(1), 2), EACCES);
	EQUAL(vm_protect(vs, at(1), PAGE_SIZE, RW), EACCES);
	EQUAL(get(vs, 1), 1);
	put(vs, 2, 3);
	EQUAL(mach_call_region(vs, at(1), &row), 0);
	EQUAL(row.max_protection, VM_PROT_READ);
	EQUAL(row.protection, VM_PROT_READ);
	leave(vs);
}

static void
copies(void)
{
	struct vmspace *a = space(), *b = space();
	struct mach_copy mc = { .from = a, .to = b, .sva = at(0),
		.dva = at(8), .size = 4 * PAGE_SIZE };
	uint64_t v;

	map(a, 0, 4, 0);
	map(b, 8, 2, 0);
	for (unsigned i = 0; i < 3; i++) /* the fourth was never touched */
		put(a, i, 10 + i);
	put(b, 8, 99);
	EQUAL(mach_call_copy(&mc), ENOMEM); /* a hole at the end */
	EQUAL(get(b, 8), 99);
	map(b, 10, 2, 0); /* so that the borders differ */
	EQUAL(vm_protect(b, at(10), PAGE_SIZE, VM_PROT_READ), 0);
	EQUAL(mach_call_copy(&mc), EACCES);
	EQUAL(vm_protect(b, at(10), PAGE_SIZE, RW), 0);
	EQUAL(mach_call_copy(&mc), 0);
	for (unsigned i = 0; i < 4; i++)
		EQUAL(get(b, 8 + i), i < 3 ? 10 + i : 0);
	put(a, 1, 51);
	put(b, 10, 52);
	EQUAL(get(b, 9), 11);
	EQUAL(get(a, 2), 12);
	EQUAL(host_read(b, at(12), &v), EFAULT);
	/* To new memory, wherever it is. */
	mc.anywhere = true;
	EQUAL(mach_call_copy(&mc), 0);
	EQUAL(host_read(b, mc.dva + PAGE_SIZE, &v), 0);
	EQUAL(v, 51);
	leave(b);
	leave(a);
}

static void
copies_refused(void)
{
	struct vmspace *vs = space();
	struct mach_copy mc = { .from = vs, .to = vs, .sva = at(0),
		.dva = at(1), .size = 2 * PAGE_SIZE };

	map(vs, 0, 4, 0);
	map(vs, 8, 2, VM_MAP_SHARED);
	EQUAL(mach_call_copy(&mc), EINVAL); /* they overlap */
	mc.dva = at(2) + 8;
	EQUAL(mach_call_copy(&mc), EINVAL);
	mc.dva = at(8);
	EQUAL(mach_call_copy(&mc), EOPNOTSUPP); /* by bytes, please */
	mc.dva = at(2);
	mc.size = 0;
	EQUAL(mach_call_copy(&mc), EINVAL);
	mc.size = 2 * PAGE_SIZE;
	put(vs, 1, 7);
	EQUAL(mach_call_copy(&mc), 0);
	EQUAL(get(vs, 3), 7);
	leave(vs);
}

/* Each allocation of a copy to new memory fails once: nothing stays behind. */
static void
copies_without_memory(void)
{
	struct vmspace *vs = space();
	struct vm_region_row row;
	unsigned failed = 0;

	map(vs, 0, 2, 0);
	put(vs, 0, 5);
	for (unsigned n = 1;; n++) {
		struct mach_copy mc = { .from = vs, .to = vs, .sva = at(0),
			.size = 2 * PAGE_SIZE, .anywhere = true };
		uint64_t before = counter_read(TS_failed_allocs);
		int error;

		fail_arm(n, NULL);
		error = mach_call_copy(&mc);
		fail_arm(0, NULL);
		if (error == 0) {
			EQUAL(vm_unmap(vs, mc.dva, mc.size), 0);
			if (counter_read(TS_failed_allocs) == before)
				break;
			continue;
		}
		EQUAL(error, ENOMEM);
		failed++;
		EQUAL(get(vs, 0), 5);
		EQUAL(mach_call_region(vs, at(2), &row), ENOENT);
		EQUAL(mach_call_region(vs, USER_MIN, &row), 0);
		EQUAL(row.address, at(0));
		EQUAL(vm_check(), 0);
	}
	CHECK(failed > 0);
	leave(vs);
}

static void
statistics(void)
{
	struct vmspace *vs = space();
	struct vm_statistics before, after;

	mach_call_statistics(&before);
	map(vs, 0, 2, 0);
	put(vs, 0, 1);
	mach_call_statistics(&after);
	EQUAL(after.pagesize, PAGE_SIZE);
	EQUAL(after.zero_fill_count - before.zero_fill_count, 1);
	EQUAL(after.resident_count - before.resident_count, 1);
	CHECK(after.faults > before.faults);
	CHECK(after.free_count < before.free_count);
	leave(vs);
}

const struct unit unit_calls[] = {
	{ "deallocate", deallocate, 0 },
	{ "inherit", inherit, 0 },
	{ "shared_sees_copies", shared_sees_copies, 0 },
	{ "maximum", maximum, 0 },
	{ "copies", copies, 0 },
	{ "copies_refused", copies_refused, 0 },
	{ "copies_without_memory", copies_without_memory, 0 },
	{ "statistics", statistics, 0 },
	{ NULL, NULL, 0 },
};
