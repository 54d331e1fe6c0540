/* SPDX-License-Identifier: MIT */
/*
 * copy.c - the kernel's accesses to user memory, through pinned frames.
 *
 * Path: system calls -> vm_pin | copyin | copyout -> pmap_get_pin, or the
 * design's pin slot when the page must be faulted in first.  The bytes then go
 * through the direct map: user addresses are never dereferenced, SUM (RISC-V)
 * and AC (x86-64) are never opened.
 * Locks: none may be held when pinning (asserted), since a fault may sleep.
 */
#include "abi/errno.h"
#include "lib/string.h"
#include "vm/pmap_priv.h"
#include "vm/txn.h"
#include "vm/vm.h"

static __slowpath int
pin_page_slow(struct vmspace *vs, vaddr_t va, vm_prot_t access,
    struct vm_page **out)
{
	struct vm_txn txn;
	int error;

	if (pmap_get_pin(vs->pmap, va, access, out) == 0)
		return 0; /* only the lock was taken */
	tlb_gather_init(&txn.tg);
	txn.held = NULL;
	do {
		sleep_lock_shared(&vs->lock);
		error = vs->ops->pin(vs, va, access, out, &txn);
		if (!tlb_gather_empty(&txn.tg))
			tlb_gather_flush(&txn.tg);
		sleep_unlock_shared(&vs->lock);
		if (error != 0)
			error = vm_fault_retry(vs, &txn, error);
	} while (error == VM_WAIT);
	vm_object_done(&txn);
	return error == 0 || error == EINTR ? error : EFAULT;
}

int
vm_pin_page(struct vmspace *vs, vaddr_t va, vm_prot_t access,
    struct vm_page **out)
{
#ifdef DEBUG
	lockset_assert_none("pinning user memory", false);
#endif
	if (unlikely(va < USER_MIN || va >= USER_MAX))
		return EFAULT;
	/* Without a call, so that the usual pin saves no registers. */
	if (likely(spin_lock_fast(&vs->pmap->lock) &&
		pmap_get_pin_locked(vs->pmap, va, access, out) == 0))
		return 0;
	return pin_page_slow(vs, va, access, out);
}

int
vm_pin_pages(struct vmspace *vs, vaddr_t va, size_t size, vm_prot_t access,
    struct vm_pinned *out)
{
	out->npages = 0;
	out->size = 0;
	while (out->size < size && out->npages < VM_PIN_MAX) {
		vaddr_t at = va + out->size;
		int error = vm_pin_page(vs, at, access,
		    &out->page[out->npages]);

		if (error != 0) {
			if (out->npages > 0)
				break; /* what we have is a short batch */
			return error;
		}
		out->npages++;
		out->size += MIN(PAGE_SIZE - (at & PAGE_MASK),
		    size - out->size);
	}
	return 0;
}

void
vm_unpin(struct vm_pinned *p)
{
	while (p->npages > 0)
		page_unpin(p->page[--p->npages], p->write);
}

/* Where byte @p off of the batch is. */
static inline char *
pinned_at(const struct vm_pinned *p, size_t off)
{
	size_t at = p->offset + off;

	KASSERT(off < p->size);
	return (char *)page_to_virt(p->page[at >> PAGE_SHIFT]) +
	    (at & PAGE_MASK);
}

/* How many bytes follow there in the same page. */
static inline size_t
pinned_left(const struct vm_pinned *p, size_t off)
{
	return PAGE_SIZE - ((p->offset + off) & PAGE_MASK);
}

/* Files move whole pages, which has a faster way. */
static inline bool
is_whole_page(const struct vm_pinned *p, size_t off, const void *k, size_t n)
{
	return n == PAGE_SIZE &&
	    IS_ALIGNED((p->offset + off) | (uintptr_t)k, PAGE_SIZE);
}

/* Between kernel memory @p k and a batch. */
static __attribute__((noinline)) void
copy_pieces(const struct vm_pinned *p, size_t off, char *k, size_t n,
    bool to_user)
{
	size_t now;

	for (; n > 0; off += now, k += now, n -= now) {
		now = MIN(n, pinned_left(p, off));
		if (is_whole_page(p, off, k, now))
			page_copy(to_user ? pinned_at(p, off) : k,
			    to_user ? k : pinned_at(p, off));
		else
			memcpy(to_user ? pinned_at(p, off) : k,
			    to_user ? k : pinned_at(p, off), now);
	}
}

void
vm_pinned_read(const struct vm_pinned *p, size_t off, void *dst, size_t n)
{
	if (likely(is_whole_page(p, off, dst, n)))
		page_copy(dst, pinned_at(p, off));
	else
		copy_pieces(p, off, dst, n, false);
}

void
vm_pinned_write(const struct vm_pinned *p, size_t off, const void *src,
    size_t n)
{
	if (likely(is_whole_page(p, off, src, n)))
		page_copy(pinned_at(p, off), src);
	else
		copy_pieces(p, off, (char *)(uintptr_t)src, n, true);
}

/* Page by page between @p k and user memory. */
static int
copy_user(struct vmspace *vs, char *k, vaddr_t u, size_t n, bool to_user)
{
	vm_prot_t access = to_user ? VM_PROT_WRITE : VM_PROT_READ;

	if (n > USER_MAX)
		return EFAULT;
	while (n > 0) {
		size_t now = MIN(n, PAGE_SIZE - (u & PAGE_MASK));
		struct vm_page *pg;
		int error = vm_pin_page(vs, u, access, &pg);
		char *at;

		if (error != 0)
			return error;
		at = (char *)page_to_virt(pg) + (u & PAGE_MASK);
		if (to_user)
			memcpy(at, k, now);
		else
			memcpy(k, at, now);
		page_unpin(pg, to_user);
		k += now;
		u += now;
		n -= now;
	}
	return 0;
}

int
copyin(struct vmspace *vs, void *dst, vaddr_t src, size_t n)
{
	return copy_user(vs, dst, src, n, false);
}

int
copyout(struct vmspace *vs, vaddr_t dst, const void *src, size_t n)
{
	return copy_user(vs, (char *)(uintptr_t)src, dst, n, true);
}

int
copyinstr(struct vmspace *vs, char *dst, vaddr_t src, size_t size)
{
	while (size > 0) {
		size_t now = MIN(size, PAGE_SIZE - (src & PAGE_MASK)), len;
		struct vm_page *pg;
		int error = vm_pin_page(vs, src, VM_PROT_READ, &pg);
		const char *at;

		if (error != 0)
			return error;
		at = (const char *)page_to_virt(pg) + (src & PAGE_MASK);
		len = strnlen(at, now);
		memcpy(dst, at, len);
		page_unpin(pg, false);
		if (len < now) {
			dst[len] = '\0';
			return 0;
		}
		dst += now;
		src += now;
		size -= now;
	}
	return ENAMETOOLONG;
}
