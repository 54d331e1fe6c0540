/* SPDX-License-Identifier: MIT */
/*
 * space.c - address spaces: the callers of every slot but fault and pin.
 *
 * Path: system calls, exec, fork, exit -> HERE -> the design's slot -> pmap.
 * Each call has the same shape: check the arguments, lock the space, call the
 * slot, flush the gather before the lock drops, check in DEBUG builds, wait and
 * restart on VM_WAIT.  So no design can forget a shootdown.
 * Locks: the space exclusively (fork: parent, then the unpublished child).
 */
#include "abi/errno.h"
#include "lib/string.h"
#include "mem/kmem.h"
#include "sync/counter.h"
#include "vm/vm.h"

static struct kmem_cache space_cache;
static struct sleeplock list_lock; /* RANK_SPACE_LIST */
static struct list spaces = LIST_INIT(spaces); /* [list_lock] */

/* ---- the common shape ---- */

static void
begin(struct vmspace *vs, struct vm_txn *txn)
{
	tlb_gather_init(&txn->tg);
	sleep_lock(&vs->lock);
}

static void
end(struct vmspace *vs)
{
	vs->version++;
#ifdef DEBUG
	KASSERT_ALWAYS(vs->ops->check(vs) == 0);
#endif
	sleep_unlock(&vs->lock);
}

/* Wait for what the slot wants. @return as again() */
static __slowpath bool
wait(struct vmspace *vs, struct vm_txn *txn, int *error)
{
	if (txn->wait.wq == NULL)
		return true; /* it only needed the flush */
	end(vs);
	*error = vm_env_wait(&txn->wait);
	if (*error != 0)
		return false;
	sleep_lock(&vs->lock);
	return true;
}

/*
 * After a slot returned @p error with vs locked.  @return true: call the slot
 * again (the space is locked); false: done, *error is final and the space is
 * unlocked.
 */
static inline bool
again(struct vmspace *vs, struct vm_txn *txn, int *error)
{
	if (!tlb_gather_empty(&txn->tg))
		tlb_gather_flush(&txn->tg);
	if (unlikely(*error == VM_WAIT))
		return wait(vs, txn, error);
	end(vs);
	return false;
}

/* Page-aligned, not empty, inside the user range, no wrap-around. */
static int
check_range(vaddr_t va, size_t *size)
{
	if (!IS_ALIGNED(va, PAGE_SIZE))
		return EINVAL;
	if (*size == 0 || *size > USER_MAX)
		return EINVAL;
	*size = ROUND_UP(*size, PAGE_SIZE);
	return va < USER_MIN || va > USER_MAX - *size ? EINVAL : 0;
}

/* ---- whole spaces ---- */

void
vmspace_init(void)
{
	kmem_cache_init(&space_cache, "vmspace", sizeof(struct vmspace));
	sleeplock_init(&list_lock, RANK_SPACE_LIST, "spaces");
}

int
vmspace_create(struct vmspace **out)
{
	struct vmspace *vs = kmem_alloc(&space_cache);
	int error;

	if (vs == NULL)
		return ENOMEM;
	memset(vs, 0, sizeof(*vs));
	sleeplock_init(&vs->lock, RANK_SPACE, "space");
	vs->ops = vm_design;
	vs->refs = 1;
	vs->limit_bytes = USER_MAX;
	list_init(&vs->overlays);
	error = pmap_create(PMAP_USER, vm_design->pmap_flags, &vs->pmap);
	if (error != 0)
		goto fail_pmap;
	error = vs->ops->as_init(vs);
	if (error != 0)
		goto fail_init;
	sleep_lock(&list_lock);
	list_push_back(&spaces, &vs->link);
	sleep_unlock(&list_lock);
	counter_add(TS_spaces, 1);
	*out = vs;
	return 0;
fail_init:
	pmap_drop(vs->pmap);
fail_pmap:
	kmem_free(&space_cache, vs);
	return error;
}

void
vmspace_hold(struct vmspace *vs)
{
	__atomic_fetch_add(&vs->refs, 1, __ATOMIC_RELAXED);
}

void
vmspace_drop(struct vmspace *vs)
{
	if (__atomic_sub_fetch(&vs->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	vmspace_clear(vs);
	/* Page-side walkers hold the list lock, so none is inside after. */
	sleep_lock(&list_lock);
	list_remove(&vs->link);
	sleep_unlock(&list_lock);
	vs->ops->as_fini(vs);
	pmap_drop(vs->pmap);
	kmem_free(&space_cache, vs);
	counter_add(TS_spaces, (uint64_t)-1);
}

void
vmspace_clear(struct vmspace *vs)
{
	struct vm_txn txn;
	int error;

	begin(vs, &txn);
	vm_overlay_clear(vs);
	do
		error = vs->ops->as_clear(vs, &txn);
	while (again(vs, &txn, &error));
	KASSERT(error == 0 || error == EINTR);
}

int
vmspace_fork(struct vmspace *parent, struct vmspace **out)
{
	struct vmspace *child;
	struct vm_txn txn;
	int error = vmspace_create(&child);

	if (error != 0)
		return error;
	begin(parent, &txn);
	do {
		sleep_lock_nested(&child->lock);
		child->limit_bytes = parent->limit_bytes;
		error = vm_overlay_fork(parent, child);
		if (error == 0)
			error = parent->ops->as_fork(parent, child, &txn);
		if (error != 0)
			vm_overlay_clear(child);
		sleep_unlock(&child->lock);
	} while (again(parent, &txn, &error));
	if (error != 0) {
		vmspace_drop(child);
		return error;
	}
	*out = child;
	return 0;
}

int
vmspace_foreach(int (*fn)(struct vmspace *, void *), void *arg)
{
	int r = 0;

	sleep_lock_shared(&list_lock);
	LIST_FOREACH(l, &spaces) {
		r = fn(LIST_ENTRY(l, struct vmspace, link), arg);
		if (r != 0)
			break;
	}
	sleep_unlock_shared(&list_lock);
	return r;
}

void
vmspace_list_hold(void)
{
	sleep_lock_shared(&list_lock);
}

void
vmspace_list_release(void)
{
	sleep_unlock_shared(&list_lock);
}

/* ---- ranges ---- */

static int
check_mapreq(struct vm_mapreq *rq)
{
	vaddr_t va = rq->va;

	if ((rq->prot | rq->maxprot) & ~VM_PROT_ALL ||
	    (rq->prot & ~rq->maxprot))
		return EACCES;
	if (rq->flags & VM_MAP_FIXED)
		return check_range(va, &rq->size);
	if (rq->size == 0)
		return EINVAL;
	if (rq->size > USER_MAX - USER_MIN)
		return ENOMEM;
	/* A hint is a wish: what cannot be is ignored. */
	rq->size = ROUND_UP(rq->size, PAGE_SIZE);
	rq->va = ROUND_DOWN(va, PAGE_SIZE);
	if (rq->va < USER_MIN || rq->va >= USER_MAX ||
	    rq->size > USER_MAX - rq->va)
		rq->va = 0;
	return 0;
}

int
vm_map(struct vmspace *vs, const struct vm_mapreq *user_rq, vaddr_t *out)
{
	struct vm_mapreq rq = *user_rq;
	struct vm_txn txn;
	int error = check_mapreq(&rq);

	if (error != 0)
		return error;
	begin(vs, &txn);
	do {
		error = vs->ops->map(vs, &rq, out, &txn);
		/* What FIXED replaced takes its Appel-Li state along. */
		if (error == 0 && !list_empty(&vs->overlays))
			vm_overlay_reset(vs, *out, *out + rq.size);
	} while (again(vs, &txn, &error));
	return error;
}

int
vm_unmap(struct vmspace *vs, vaddr_t va, size_t size)
{
	struct vm_txn txn;
	int error = check_range(va, &size);

	if (error != 0)
		return error;
	begin(vs, &txn);
	do {
		error = vs->ops->unmap(vs, va, va + size, &txn);
		if (error == 0 && !list_empty(&vs->overlays))
			vm_overlay_reset(vs, va, va + size);
	} while (again(vs, &txn, &error));
	return error;
}

int
vm_protect(struct vmspace *vs, vaddr_t va, size_t size, vm_prot_t prot)
{
	struct vm_txn txn;
	int error;

	if (prot & ~VM_PROT_ALL)
		return EINVAL;
	if (size == 0)
		return IS_ALIGNED(va, PAGE_SIZE) ? 0 : EINVAL;
	error = check_range(va, &size);
	if (error != 0)
		return IS_ALIGNED(va, PAGE_SIZE) ? ENOMEM : EINVAL;
	begin(vs, &txn);
	do
		error = vs->ops->protect(vs, va, va + size, prot, &txn);
	while (again(vs, &txn, &error));
	return error;
}

int
vm_sync(struct vmspace *vs, vaddr_t va, size_t size, unsigned flags)
{
	struct vm_txn txn;
	int error;

	if (size == 0)
		return IS_ALIGNED(va, PAGE_SIZE) ? 0 : EINVAL;
	error = check_range(va, &size);
	if (error != 0)
		return IS_ALIGNED(va, PAGE_SIZE) ? ENOMEM : EINVAL;
	begin(vs, &txn);
	do
		error = vs->ops->sync(vs, va, va + size, flags, &txn);
	while (again(vs, &txn, &error));
	return error;
}

int
vm_region(struct vmspace *vs, vaddr_t va, struct vm_region_info *info)
{
	int error;

	sleep_lock_shared(&vs->lock);
	error = vs->ops->region(vs, va, info);
	sleep_unlock_shared(&vs->lock);
	return error;
}

int
vm_region_held(struct vmspace *vs, vaddr_t va, struct vm_region_info *info)
{
	int error;

	sleep_lock_shared(&vs->lock);
	error = vs->ops->region(vs, va, info);
	if (error == 0 && info->object != NULL)
		info->object->ops->hold(info->object);
	sleep_unlock_shared(&vs->lock);
	return error;
}

int
vm_mincore(struct vmspace *vs, vaddr_t va, size_t size, uint8_t *vec)
{
	struct vm_region_info info = { .eva = va };
	int error;

	if (size == 0)
		return IS_ALIGNED(va, PAGE_SIZE) ? 0 : EINVAL;
	error = check_range(va, &size);
	if (error != 0)
		return IS_ALIGNED(va, PAGE_SIZE) ? ENOMEM : EINVAL;
	sleep_lock_shared(&vs->lock);
	for (vaddr_t at = va; error == 0 && at < va + size; at += PAGE_SIZE) {
		if (at >= info.eva) {
			error = vs->ops->region(vs, at, &info);
			if (error != 0 || info.sva > at) {
				error = ENOMEM;
				break;
			}
		}
		*vec++ = vs->ops->resident(vs, at);
	}
	sleep_unlock_shared(&vs->lock);
	return error;
}

void
vm_dump(struct vmspace *vs, struct sink *sk)
{
	sleep_lock_shared(&vs->lock);
	vs->ops->dump(vs, sk);
	sleep_unlock_shared(&vs->lock);
}

int
vm_design_call(struct vmspace *a, struct vmspace *b, vm_design_op *op,
    void *arg)
{
	struct vmspace *first = a < b ? a : b, *second = a < b ? b : a;
	struct vm_txn txn;
	int error;

	begin(first, &txn);
	do {
		if (second != first)
			sleep_lock_nested(&second->lock);
		error = op(a, b, arg, &txn);
		/* The second space is weaker too: flush before it unlocks. */
		if (second != first) {
			tlb_gather_flush(&txn.tg);
			end(second);
		}
	} while (again(first, &txn, &error));
	return error;
}

/* ---- Appel-Li ---- */

int
vm_overlay_register(struct vmspace *vs, vaddr_t va, size_t size)
{
	int error = check_range(va, &size);

	if (error != 0)
		return error;
	sleep_lock(&vs->lock);
	error = vm_overlay_add(vs, va, va + size);
	sleep_unlock(&vs->lock);
	return error;
}

/* Leaves that a cap had lowered widen again at their next fault. */
int
vm_overlay_unregister(struct vmspace *vs, vaddr_t va, size_t size)
{
	int error = check_range(va, &size);

	if (error != 0)
		return error;
	sleep_lock(&vs->lock);
	error = vm_overlay_remove(vs, va, va + size);
	sleep_unlock(&vs->lock);
	return error;
}

/* All or nothing: every operation is checked before the first is done. */
static int
check_page_ops(const struct vmspace *vs, const struct page_op *op, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!IS_ALIGNED(op[i].sva | op[i].eva, PAGE_SIZE) ||
		    op[i].sva >= op[i].eva || (op[i].cap & ~VM_PROT_ALL) ||
		    !vm_overlay_covers(vs, op[i].sva, op[i].eva))
			return EINVAL;
	return 0;
}

int
vm_prot_pages(struct vmspace *vs, const struct page_op *op, size_t n)
{
	struct vm_txn txn;
	int error;

	begin(vs, &txn);
	do {
		error = check_page_ops(vs, op, n);
		if (error != 0)
			continue;
		for (size_t i = 0; i < n; i++)
			vm_overlay_set_cap(vs, &op[i]);
		error = vs->ops->prot_pages(vs, op, n, &txn);
	} while (again(vs, &txn, &error));
	return error;
}

int
vm_dirty(struct vmspace *vs, vaddr_t va, size_t size, uint64_t *bitmap)
{
	struct vm_txn txn;
	int error = check_range(va, &size);

	if (error != 0)
		return error;
	begin(vs, &txn);
	do {
		error = EINVAL;
		if (!vm_overlay_covers(vs, va, va + size))
			continue;
		/* First, since the slot may mark again what the kernel is
		 * writing.  The flush in again() comes before the caller sees
		 * a bit: a page is clean only after D is cleared and flushed
		 * (C8). */
		vm_overlay_take_dirty(vs, va, va + size, bitmap);
		error = vs->ops->dirty(vs, va, va + size, bitmap, &txn);
	} while (again(vs, &txn, &error));
	return error;
}
