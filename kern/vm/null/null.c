/* SPDX-License-Identifier: MIT */
/*
 * null.c - a VM design that maps nothing: the skeleton of a new one.
 *
 * Copy the folder, rename null, list it (docs/howto/add-design.md), then fill
 * one slot after the other.  Every slot here tells the truth about a space
 * without mappings, so the whole contract of vm.h holds from the first day:
 * spaces are made, forked, cleared, checked and freed.  Only null_map() cannot
 * do what it is asked for, and says ENOSYS.
 *
 * Path: vm_map and friends (vm/space.c), vm_fault (vm/fault.c) -> HERE.
 * Locks: the caller holds the space's lock, shared for fault, pin, region and
 * resident, else exclusively; page-side slots are called without.
 */
#include "abi/errno.h"
#include "lib/printf.h"
#include "vm/vm.h"

/* Slab caches and tables of the whole design; there is no way to fail. */
static void
null_init(void)
{
	kprintf("vm=null: a skeleton that maps nothing: no program can run\n");
	kprintf("vm=null: first write its slots map, fault, unmap, as_clear "
		"(docs/howto/add-design.md)\n");
}

/* ---- spaces ---- */

/* Allocate what the design keeps for a space, hang it on vs->priv. */
static int
null_as_init(struct vmspace *vs)
{
	vs->priv = NULL;
	return 0;
}

static void
null_as_fini(struct vmspace *vs)
{
	KASSERT(vs->priv == NULL); /* kfree() of what as_init allocated */
}

/* A copy of nothing.  A real one first allocates all that may fail. */
static int
null_as_fork(struct vmspace *parent, struct vmspace *child,
    struct vm_txn *txn)
{
	return 0;
}

/* Remove every region and leaf; VM_WAIT when the gather is full. */
static int
null_as_clear(struct vmspace *vs, struct vm_txn *txn)
{
	return 0;
}

/* ---- ranges ---- */

/* Find room or clear it, remember the region; leaves come with faults. */
static int
null_map(struct vmspace *vs, const struct vm_mapreq *rq, vaddr_t *out,
    struct vm_txn *txn)
{
	return ENOSYS;
}

/* pmap_remove() of the leaves, then the regions; here all is one hole. */
static int
null_unmap(struct vmspace *vs, vaddr_t sva, vaddr_t eva, struct vm_txn *txn)
{
	return 0;
}

/* Rights of regions, then pmap_protect() of the leaves that have more. */
static int
null_protect(struct vmspace *vs, vaddr_t sva, vaddr_t eva, vm_prot_t prot,
    struct vm_txn *txn)
{
	return ENOMEM; /* a hole */
}

static int
null_sync(struct vmspace *vs, vaddr_t sva, vaddr_t eva, unsigned flags,
    struct vm_txn *txn)
{
	return ENOMEM; /* a hole */
}

/* ---- Appel-Li; the overlay itself is kept above the designs ---- */

static int
null_prot_pages(struct vmspace *vs, const struct page_op *op, size_t n,
    struct vm_txn *txn)
{
	return 0; /* no leaf has more rights than the new caps */
}

static int
null_dirty(struct vmspace *vs, vaddr_t sva, vaddr_t eva, uint64_t *bitmap,
    struct vm_txn *txn)
{
	return 0; /* nobody wrote */
}

/* ---- one page ---- */

/*
 * Find the region: none is EFAULT, not this right EACCES.  Then pmap_get(),
 * and by what it saw frame_alloc() and pmap_enter(), which may say EAGAIN.
 */
static int
null_fault(struct vmspace *vs, const struct vm_fault *f, struct vm_txn *txn)
{
	return EFAULT;
}

static int
null_pin(struct vmspace *vs, vaddr_t va, vm_prot_t access,
    struct vm_page **out, struct vm_txn *txn)
{
	return EFAULT;
}

/* ---- listings ---- */

static int
null_region(struct vmspace *vs, vaddr_t va, struct vm_region_info *info)
{
	return ENOENT;
}

static bool
null_resident(struct vmspace *vs, vaddr_t va)
{
	return false;
}

static void
null_dump(struct vmspace *vs, struct sink *sk)
{
	/* one line a region: the form is the design's own */
}

/* ---- page side: from a frame to its leaves ---- */

static unsigned
null_pg_harvest(struct vm_page *pg, unsigned clear, struct vm_txn *txn)
{
	return 0; /* no mapping was skipped, none was used */
}

static int
null_pg_revoke(struct vm_page *pg, vm_prot_t keep, struct vm_txn *txn)
{
	return 0;
}

static int
null_pg_evict(struct vm_page *pg, struct vm_txn *txn)
{
	return EBUSY;
}

static int
null_obj_revoke(struct vm_object *o, uint64_t first, uint64_t end,
    vm_prot_t keep, struct vm_txn *txn)
{
	return 0;
}

static unsigned
null_pageout(unsigned want)
{
	return 0; /* nothing can go */
}

/* ---- invariants ---- */

static int
stray_leaf(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *error)
{
	kprintf("null_check: 0x%lx: entry outside of all regions\n",
	    (unsigned long)c->va);
	*(int *)error = EINVAL;
	return 0;
}

/* What holds between regions and leaves after each operation. */
static int
null_check(struct vmspace *vs)
{
	int error = vs->size_bytes == 0 ? 0 : EINVAL;

	pmap_scan(vs->pmap, 0, USER_MAX, stray_leaf, &error);
	return error;
}

/* Each reference of a frame, or vm_check() takes the frame for lost. */
static void
null_count_refs(struct vmspace *vs, void (*count)(struct vm_page *, void *),
    void *arg)
{
}

const struct vm_ops null_ops = {
	.name = "null",
	.pmap_flags = 0, /* PMAP_LINKS: a word beside each leaf */
	.init = null_init,
	.as_init = null_as_init,
	.as_fork = null_as_fork,
	.as_clear = null_as_clear,
	.as_fini = null_as_fini,
	.map = null_map,
	.unmap = null_unmap,
	.protect = null_protect,
	.fault = null_fault,
	.pin = null_pin,
	.sync = null_sync,
	.prot_pages = null_prot_pages,
	.dirty = null_dirty,
	.region = null_region,
	.resident = null_resident,
	.pg_harvest = null_pg_harvest,
	.pg_revoke = null_pg_revoke,
	.pg_evict = null_pg_evict,
	.obj_revoke = null_obj_revoke,
	.pageout = null_pageout,
	.check = null_check,
	.count_refs = null_count_refs,
	.dump = null_dump,
};
