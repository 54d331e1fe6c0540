/* SPDX-License-Identifier: MIT */
/*
 * mach_calls.c - what Mach's system calls do to a map.
 *
 * Path: sys/sys_mach.c -> HERE -> vm_design_call (vm/space.c), which locks the
 * spaces and owns the transaction -> an operation below.
 * Locks: the spaces exclusively, two of them by address.
 * Source: Loepere, Mach 3 Kernel Interfaces, 1992, chapter 5.
 */
#include "vm/mach/mach_calls.h"

#include "abi/errno.h"
#include "sync/counter.h"
#include "vm/mach/mach.h"

struct range {
	vaddr_t sva, eva;
	unsigned value; /* inheritance or rights */
};

static int
make_range(vaddr_t va, size_t size, unsigned value, struct range *r)
{
	if (size == 0 || size > USER_MAX || va < USER_MIN ||
	    va > USER_MAX - size)
		return EINVAL;
	r->sva = ROUND_DOWN(va, PAGE_SIZE);
	r->eva = ROUND_UP(va + size, PAGE_SIZE);
	r->value = value;
	return 0;
}

/* ---- deallocate, inherit, set the maximum ---- */

static int
op_deallocate(struct vmspace *vs, struct vmspace *other, void *arg,
    struct vm_txn *txn)
{
	const struct range *r = arg;

	(void)other;
	if (!vm_map_covers(vm_map_of(vs), r->sva, r->eva))
		return ENOMEM;
	return vs->ops->unmap(vs, r->sva, r->eva, txn);
}

int
mach_call_deallocate(struct vmspace *vs, vaddr_t va, size_t size)
{
	struct range r;
	int error = make_range(va, size, 0, &r);

	return error != 0 ? error : vm_design_call(vs, vs, op_deallocate, &r);
}

static int
op_inherit(struct vmspace *vs, struct vmspace *other, void *arg,
    struct vm_txn *txn)
{
	struct vm_map *map = vm_map_of(vs);
	const struct range *r = arg;
	int error;

	(void)other, (void)txn;
	if (!vm_map_covers(map, r->sva, r->eva))
		return ENOMEM;
	error = vm_map_clip(vs, r->sva, r->eva);
	for (vaddr_t va = r->sva; error == 0 && va < r->eva;) {
		struct vm_map_entry *e = vm_map_lookup(map, va);

		va = e->eva;
		e->inheritance = (uint8_t)r->value;
		vm_map_simplify(vs, e);
	}
	return error;
}

int
mach_call_inherit(struct vmspace *vs, vaddr_t va, size_t size,
    unsigned inherit)
{
	struct range r;
	int error = make_range(va, size, inherit, &r);

	if (inherit > VM_INHERIT_NONE)
		error = EINVAL;
	return error != 0 ? error : vm_design_call(vs, vs, op_inherit, &r);
}

static int
op_set_max(struct vmspace *vs, struct vmspace *other, void *arg,
    struct vm_txn *txn)
{
	struct vm_map *map = vm_map_of(vs);
	const struct range *r = arg;
	int error;

	(void)other;
	if (!vm_map_covers(map, r->sva, r->eva))
		return ENOMEM;
	for (const struct vm_map_entry *e = vm_map_lookup(map, r->sva);
	     e != NULL && entry_sva(e) < r->eva; e = vm_map_next(map, e))
		if (r->value & ~(unsigned)e->maxprot)
			return EACCES;
	error = vm_map_clip(vs, r->sva, r->eva);
	for (vaddr_t va = r->sva; error == 0 && va < r->eva;) {
		struct vm_map_entry *e = vm_map_lookup(map, va);
		vaddr_t sva = va;

		va = e->eva;
		e->maxprot = (uint8_t)r->value;
		error = vs->ops->protect(vs, sva, va, e->prot & r->value, txn);
	}
	return error;
}

int
mach_call_set_max(struct vmspace *vs, vaddr_t va, size_t size, vm_prot_t prot)
{
	struct range r;
	int error = make_range(va, size, prot, &r);

	return error != 0 ? error : vm_design_call(vs, vs, op_set_max, &r);
}

/* ---- virtual copy ---- */

/* All of it mapped with @p right, and of a kind that can be copied lazily? */
static int
check_side(struct vmspace *vs, vaddr_t sva, size_t size, vm_prot_t right)
{
	struct vm_map *map = vm_map_of(vs);
	bool eager = false;

	if (!vm_map_covers(map, sva, sva + size))
		return ENOMEM;
	for (const struct vm_map_entry *e = vm_map_lookup(map, sva);
	     e != NULL && entry_sva(e) < sva + size; e = vm_map_next(map, e)) {
		if (!(e->prot & right))
			return EACCES;
		eager |= entry_shared(e) || e->source == VM_PHYS;
	}
	return eager ? EOPNOTSUPP : 0;
}

/* Cut both ranges at each other's borders: then entries pair up. */
static int
clip_alike(struct vmspace *a, vaddr_t sva, struct vmspace *b, vaddr_t dva,
    size_t size)
{
	struct vm_map *map = vm_map_of(a);
	vaddr_t va = sva;
	int error = vm_map_clip(b, dva, dva + size);

	while (error == 0 && va < sva + size) {
		struct vm_map_entry *e = vm_map_lookup(map, va);

		va = e->eva;
		if (va < sva + size)
			error = vm_map_clip(b, dva + (va - sva),
			    dva + (va - sva));
	}
	return error;
}

/* @p d loses what it has and gets a copy of what @p s has. */
static int
copy_pair(const struct mach_copy *mc, struct vm_map_entry *s,
    struct vm_map_entry *d, struct vm_txn *txn)
{
	struct vm_map_entry *c = vm_map_entry_copy(s);
	int error;

	if (c == NULL)
		return ENOMEM;
	error = mach_entry_empty(mc->to, d, txn);
	if (error != 0) {
		vm_map_entry_discard(c);
		return error;
	}
	c->node.key = entry_sva(d);
	c->eva = d->eva;
	c->prot = d->prot;
	c->maxprot = d->maxprot;
	c->inheritance = d->inheritance;
	c->flags = d->flags;
	if (s->object != NULL)
		error = mach_share_object(mc->from, s, c, txn);
	vm_map_unlink(mc->to, d);
	vm_map_link(mc->to, c);
	vm_map_entry_free(d);
	return error;
}

static int
op_copy(struct vmspace *from, struct vmspace *to, void *arg,
    struct vm_txn *txn)
{
	const struct mach_copy *mc = arg;
	vaddr_t sva = mc->sva, dva = mc->dva;
	int error = check_side(from, sva, mc->size, VM_PROT_READ);

	if (error == 0)
		error = check_side(to, dva, mc->size, VM_PROT_WRITE);
	if (error == 0)
		error = clip_alike(to, dva, from, sva, mc->size);
	if (error == 0)
		error = clip_alike(from, sva, to, dva, mc->size);
	while (error == 0 && sva < mc->sva + mc->size) {
		struct vm_map_entry *s = vm_map_lookup(vm_map_of(from), sva);
		struct vm_map_entry *d = vm_map_lookup(vm_map_of(to), dva);

		sva = s->eva;
		dva = d->eva;
		error = copy_pair(mc, s, d, txn);
	}
	return error;
}

static int
new_memory(struct mach_copy *mc)
{
	struct vm_mapreq rq = { .size = mc->size,
		.prot = VM_PROT_READ | VM_PROT_WRITE,
		.maxprot = VM_PROT_ALL };

	return vm_map(mc->to, &rq, &mc->dva);
}

int
mach_call_copy(struct mach_copy *mc)
{
	struct range r;
	int error = mc->anywhere ? new_memory(mc) : 0;

	if (error != 0)
		return error;
	if (!IS_ALIGNED(mc->sva | mc->dva | mc->size, PAGE_SIZE) ||
	    make_range(mc->sva, mc->size, 0, &r) != 0 ||
	    make_range(mc->dva, mc->size, 0, &r) != 0 ||
	    (mc->from == mc->to && mc->sva < mc->dva + mc->size &&
		mc->dva < mc->sva + mc->size))
		error = EINVAL;
	if (error == 0)
		error = vm_design_call(mc->from, mc->to, op_copy, mc);
	if (error != 0 && error != EOPNOTSUPP && mc->anywhere)
		(void)vm_unmap(mc->to, mc->dva, mc->size);
	return error;
}

/* ---- listings ---- */

struct region_arg {
	vaddr_t va;
	struct vm_region_row *row;
};

static int
op_region(struct vmspace *vs, struct vmspace *other, void *arg,
    struct vm_txn *txn)
{
	const struct region_arg *ra = arg;
	const struct vm_map_entry *e = vm_map_first(vm_map_of(vs), ra->va);

	(void)other, (void)txn;
	if (e == NULL)
		return ENOENT;
	*ra->row = (struct vm_region_row){
		.address = entry_sva(e),
		.size = e->eva - entry_sva(e),
		.protection = e->prot,
		.max_protection = e->maxprot,
		.inheritance = e->inheritance,
		.shared = entry_shared(e),
		.needs_copy = e->needs_copy,
		.depth = e->object != NULL ? mach_object_depth(e->object) : 0,
		.offset = e->offset << PAGE_SHIFT,
	};
	return 0;
}

int
mach_call_region(struct vmspace *vs, vaddr_t va, struct vm_region_row *row)
{
	struct region_arg ra = { va, row };

	return vm_design_call(vs, vs, op_region, &ra);
}

void
mach_call_statistics(struct vm_statistics *st)
{
	*st = (struct vm_statistics){
		.pagesize = PAGE_SIZE,
		.free_count = frame_free_count(),
		.resident_count = counter_read(TS_object_pages),
		.zero_fill_count = counter_read(TS_zero_fills),
		.faults = counter_read(TS_faults),
		.cow_faults = counter_read(TS_cow_copies),
		.collapses = counter_read(TS_collapses),
		.bypasses = counter_read(TS_bypasses),
	};
}
