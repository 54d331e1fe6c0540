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
#include "vm/txn.h"
#include "vm/vm.h"

static int
pin_page_slow(struct vmspace *vs, vaddr_t va, vm_prot_t access,
    struct vm_page **out)
{
	struct vm_txn txn;
	int error;

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

static int
pin_page(struct vmspace *vs, vaddr_t va, vm_prot_t access,
    struct vm_page **out)
{
#ifdef DEBUG
	lockset_assert_none("pinning user memory", false);
#endif
	if (unlikely(va < USER_MIN || va >= USER_MAX))
		return EFAULT;
	if (likely(pmap_get_pin(vs->pmap, va, access, out) == 0))
		return 0;
	return pin_page_slow(vs, va, access, out);
}

static __attribute__((noinline)) int
pin_pages(struct vmspace *vs, vaddr_t va, size_t size, vm_prot_t access,
    struct vm_pinned *out)
{
	out->npages = 0;
	out->size = 0;
	while (out->size < size && out->npages < VM_PIN_MAX) {
		vaddr_t at = va + out->size;
		int error = pin_page(vs, at, access,
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

int
vm_pin(struct vmspace *vs, vaddr_t va, size_t size, vm_prot_t access,
    struct vm_pinned *out)
{
	out->write = (access & VM_PROT_WRITE) != 0;
	out->offset = va & PAGE_MASK;
	if (unlikely(size - 1 >= PAGE_SIZE - out->offset)) /* 0 as well */
		return pin_pages(vs, va, size, access, out);
	out->npages = 1;
	out->size = size;
	return pin_page(vs, va, access, &out->page[0]);
}

void
vm_unpin(struct vm_pinned *p)
{
	while (p->npages > 0)
		page_unpin(p->page[--p->npages], p->write);
}

/* Where byte @p off of the batch is, and how many follow in its page. */
static char *
pinned_at(const struct vm_pinned *p, size_t off, size_t *n)
{
	size_t at = p->offset + off;

	KASSERT(off < p->size);
	*n = MIN(*n, PAGE_SIZE - (at & PAGE_MASK));
	return (char *)page_to_virt(p->page[at >> PAGE_SHIFT]) +
	    (at & PAGE_MASK);
}

/* Files move whole pages, which has a faster way. */
static inline void
copy_piece(void *dst, const void *src, size_t n)
{
	if (n == PAGE_SIZE && IS_ALIGNED((uintptr_t)dst | (uintptr_t)src,
		PAGE_SIZE))
		page_copy(dst, src);
	else
		memcpy(dst, src, n);
}

void
vm_pinned_read(const struct vm_pinned *p, size_t off, void *dst, size_t n)
{
	char *d = dst;

	while (n > 0) {
		size_t now = n;
		const char *s = pinned_at(p, off, &now);

		copy_piece(d, s, now);
		off += now;
		d += now;
		n -= now;
	}
}

void
vm_pinned_write(const struct vm_pinned *p, size_t off, const void *src,
    size_t n)
{
	const char *s = src;

	while (n > 0) {
		size_t now = n;
		char *d = pinned_at(p, off, &now);

		copy_piece(d, s, now);
		off += now;
		s += now;
		n -= now;
	}
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
		int error = pin_page(vs, u, access, &pg);
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
		int error = pin_page(vs, src, VM_PROT_READ, &pg);
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
