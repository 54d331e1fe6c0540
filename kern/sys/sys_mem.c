/* SPDX-License-Identifier: MIT */
/*
 * sys_mem.c - memory calls of Linux, and Appel-Li's.
 *
 * Path: trap_entry.S -> HERE -> vm_map, vm_unmap, ... (vm/space.c), which
 * check every address and size.
 */
#include "abi/al.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/mman.h"
#include "fs/vfs.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "mem/kmem.h"
#include "proc/proc.h"
#include "sys/syscall_table.h"

static struct vmspace *
space(void)
{
	return thread_self()->space;
}

/* Move the end of the heap; pages come when they are touched. */
static int
brk_move(struct vmspace *vs, vaddr_t to)
{
	vaddr_t from = ROUND_UP(vs->brk, PAGE_SIZE), out;
	vaddr_t end = ROUND_UP(to, PAGE_SIZE);
	struct vm_mapreq rq = {
		.va = from,
		.size = end - from,
		.prot = VM_PROT_READ | VM_PROT_WRITE,
		.maxprot = VM_PROT_ALL,
		.flags = VM_MAP_FIXED | VM_MAP_NOREPLACE | VM_MAP_HEAP,
		.source = VM_ANON,
	};

	if (end < from)
		return vm_unmap(vs, end, from - end);
	return end > from ? vm_map(vs, &rq, &out) : 0;
}

long
sys_brk(uintptr_t to)
{
	struct vmspace *vs = space();
	struct proc *p = proc_self();
	vaddr_t now;

	sleep_lock(&p->lock);
	if (to >= vs->brk_start && to < USER_MAX && brk_move(vs, to) == 0)
		vs->brk = to;
	now = vs->brk;
	sleep_unlock(&p->lock);
	return (long)now;
}

/* Fault all of it in; whoever asks for it gets no error. */
static void
populate(struct vmspace *vs, vaddr_t va, size_t size, vm_prot_t prot)
{
	struct vm_fault f = {
		.access = prot & VM_PROT_WRITE ? VM_PROT_WRITE : VM_PROT_READ,
	};

	if (!(prot & (VM_PROT_READ | VM_PROT_WRITE)))
		return;
	for (f.va = va; f.va < va + size; f.va += PAGE_SIZE) {
		if (vm_fault(vs, &f) != 0)
			return;
		if (thread_self()->work & WORK_RESCHED)
			sched_yield();
	}
}

static int
mmap_flags(uintptr_t flags, unsigned *out)
{
	*out = 0;
	switch (flags & MAP_TYPE) {
	case MAP_SHARED:
	case MAP_SHARED_VALIDATE:
		*out |= VM_MAP_SHARED;
		break;
	case MAP_PRIVATE:
		break;
	default:
		return EINVAL;
	}
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
		*out |= VM_MAP_FIXED;
	if (flags & MAP_FIXED_NOREPLACE)
		*out |= VM_MAP_NOREPLACE;
	return flags & MAP_HUGETLB ? EINVAL : 0;
}

/* Where Linux answers differently from a bad argument: EPERM below the user
 * range, ENOMEM above. */
static int
check_fixed(const struct vm_mapreq *rq)
{
	if (!(rq->flags & VM_MAP_FIXED) || !IS_ALIGNED(rq->va, PAGE_SIZE))
		return 0;
	if (rq->va < USER_MIN)
		return EPERM;
	return rq->va >= USER_MAX || rq->size > USER_MAX - rq->va ? ENOMEM : 0;
}

/* The region keeps the inode; the descriptor may be closed. */
static int
map_file(struct file *f, struct vm_mapreq *rq, vaddr_t *va)
{
	unsigned mode = f->flags & O_ACCMODE;

	if (mode == O_WRONLY)
		return EACCES;
	if ((rq->flags & VM_MAP_SHARED) && mode != O_RDWR)
		rq->maxprot &= ~VM_PROT_WRITE;
	if (rq->prot & ~rq->maxprot)
		return EACCES;
	if (rq->offset + rq->size < rq->offset)
		return EOVERFLOW;
	rq->source = VM_FILE;
	rq->object = f->inode != NULL ?
	    f->inode->ops->edit->object(f->inode) :
	    NULL;
	return rq->object != NULL ? vm_map(space(), rq, va) : ENODEV;
}

long
sys_mmap(uintptr_t addr, uintptr_t len, uintptr_t prot, uintptr_t flags,
    uintptr_t fd, uintptr_t off)
{
	struct vm_mapreq rq = {
		.va = addr,
		.size = len,
		.prot = (vm_prot_t)prot & VM_PROT_ALL,
		.maxprot = VM_PROT_ALL,
		.source = VM_ANON,
	};
	vaddr_t va;
	int error = mmap_flags(flags, &rq.flags);

	if (error == 0 && !IS_ALIGNED(off, PAGE_SIZE))
		error = EINVAL;
	if (error == 0 && len != 0)
		error = check_fixed(&rq);
	if (error != 0)
		return -error;
	if (flags & MAP_ANONYMOUS) {
		error = vm_map(space(), &rq, &va);
	} else {
		struct file *f = fd_get(proc_self()->files, (int)fd);

		if (f == NULL)
			return -EBADF;
		rq.offset = off;
		error = map_file(f, &rq, &va);
		file_drop(f);
	}
	if (error != 0)
		return -error;
	if (flags & (MAP_POPULATE | MAP_LOCKED))
		populate(space(), va, len, rq.prot);
	return (long)va;
}

long
sys_munmap(uintptr_t addr, uintptr_t len)
{
	return -vm_unmap(space(), addr, len);
}

long
sys_mprotect(uintptr_t addr, uintptr_t len, uintptr_t prot)
{
	if (prot & ~(uintptr_t)VM_PROT_ALL)
		return -EINVAL;
	return -vm_protect(space(), addr, len, (vm_prot_t)prot);
}

/* One region with the same properties covers all of the range. */
static int
one_region(struct vmspace *vs, vaddr_t va, size_t size,
    struct vm_region_info *info)
{
	int error = vm_region(vs, va, info);

	if (error != 0 || info->sva > va || info->eva - va < size)
		return EFAULT;
	return 0;
}

/* A new place for private pages: copy what is resident, then unmap. */
static long
mremap_copy(struct vmspace *vs, vaddr_t va, size_t old, size_t new,
    const struct vm_region_info *info)
{
	struct vm_mapreq rq = {
		.size = new,
		.prot = VM_PROT_READ | VM_PROT_WRITE,
		.maxprot = info->maxprot,
		.source = VM_ANON,
	};
	void *bounce = kmalloc(PAGE_SIZE);
	uint8_t resident;
	vaddr_t to;
	int error = bounce == NULL ? ENOMEM : vm_map(vs, &rq, &to);

	for (size_t at = 0; error == 0 && at < old; at += PAGE_SIZE) {
		error = vm_mincore(vs, va + at, PAGE_SIZE, &resident);
		if (error != 0 || !resident)
			continue;
		error = copyin(vs, bounce, va + at, PAGE_SIZE);
		if (error == 0)
			error = copyout(vs, to + at, bounce, PAGE_SIZE);
		if (error != 0)
			(void)vm_unmap(vs, to, new);
	}
	if (bounce != NULL)
		kfree(bounce, PAGE_SIZE);
	if (error == 0 && info->prot != rq.prot)
		error = vm_protect(vs, to, new, info->prot);
	if (error == 0)
		error = vm_unmap(vs, va, old);
	return error == 0 ? (long)to : -ENOMEM;
}

long
sys_mremap(uintptr_t va, uintptr_t old, uintptr_t new, uintptr_t flags,
    uintptr_t to)
{
	struct vmspace *vs = space();
	struct vm_region_info info;
	struct vm_mapreq rq = { .source = VM_ANON };
	vaddr_t out;
	int error;

	if (!IS_ALIGNED(va, PAGE_SIZE) || new == 0 || old == 0 ||
	    old > USER_MAX || new > USER_MAX ||
	    (flags & ~(uintptr_t)MREMAP_MAYMOVE))
		return -EINVAL;
	old = ROUND_UP(old, PAGE_SIZE);
	new = ROUND_UP(new, PAGE_SIZE);
	error = one_region(vs, va, old, &info);
	if (error == 0 && new < old)
		error = vm_unmap(vs, va + new, old - new);
	if (error != 0 || new <= old)
		return error != 0 ? -error : (long)va;
	rq.va = va + old;
	rq.size = new - old;
	rq.prot = info.prot;
	rq.maxprot = info.maxprot;
	rq.flags = info.flags | VM_MAP_FIXED | VM_MAP_NOREPLACE;
	if (info.source == VM_ANON && !(info.flags & VM_MAP_SHARED) &&
	    vm_map(vs, &rq, &out) == 0)
		return (long)va;
	/* Shared pages could not be copied without parting the sharers, and
	 * the file's not without reading all of them. */
	if (!(flags & MREMAP_MAYMOVE) || (info.flags & VM_MAP_SHARED) ||
	    info.source != VM_ANON ||
	    !(info.prot & VM_PROT_READ))
		return -ENOMEM;
	return mremap_copy(vs, va, old, new, &info);
}

long
sys_msync(uintptr_t addr, uintptr_t len, uintptr_t flags)
{
	struct vm_region_info info;
	vaddr_t va = addr, end = addr + len;
	int error, e;

	if ((flags & ~(uintptr_t)(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) ||
	    ((flags & MS_ASYNC) && (flags & MS_SYNC)))
		return -EINVAL;
	error = vm_sync(space(), addr, len, 0);
	if (!(flags & MS_SYNC) || (error != 0 && error != ENOMEM))
		return -error;
	for (; va < end && vm_region_held(space(), va, &info) == 0;
	     va = info.eva) {
		if (info.object == NULL)
			continue;
		e = 0;
		if (info.sva < end && (info.flags & VM_MAP_SHARED))
			e = info.object->ops->sync(info.object);
		if (error == 0)
			error = e;
		info.object->ops->drop(info.object);
	}
	return -error;
}

long
sys_mincore(uintptr_t addr, uintptr_t len, uintptr_t vec)
{
	uint8_t buf[256];
	size_t done = 0, npages;

	if (!IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	if (len > USER_MAX)
		return -ENOMEM;
	npages = ROUND_UP(len, PAGE_SIZE) / PAGE_SIZE;
	while (done < npages) {
		size_t n = MIN(npages - done, sizeof(buf));
		int error = vm_mincore(space(), addr + done * PAGE_SIZE,
		    n * PAGE_SIZE, buf);

		if (error == 0)
			error = copyout(space(), vec + done, buf, n);
		if (error != 0)
			return -error;
		done += n;
	}
	return 0;
}

/* Forget what is mapped; a hole is an error, but only in the end. */
static int
discard(struct vmspace *vs, vaddr_t va, size_t len)
{
	struct vm_region_info info;
	int error = vm_sync(vs, va, len, VM_SYNC_DISCARD);
	vaddr_t end;

	if (error != ENOMEM || va >= USER_MAX || len > USER_MAX - va)
		return error;
	end = ROUND_UP(va + len, PAGE_SIZE);
	while (va < end && vm_region(vs, va, &info) == 0 && info.sva < end) {
		va = MAX(va, info.sva);
		len = MIN(end, info.eva) - va;
		(void)vm_sync(vs, va, len, VM_SYNC_DISCARD);
		va += len;
	}
	return ENOMEM;
}

long
sys_madvise(uintptr_t addr, uintptr_t len, uintptr_t advice)
{
	switch (advice) {
	case MADV_DONTNEED:
		return -discard(space(), addr, len);
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_FREE: /* "may" be forgotten */
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
		return -vm_sync(space(), addr, len, 0);
	default:
		return -EINVAL;
	}
}

/* Nothing is offered: the query says so. */
long
sys_membarrier(uintptr_t cmd, uintptr_t flags, uintptr_t cpu)
{
	return cmd == MEMBARRIER_CMD_QUERY && flags == 0 ? 0 : -EINVAL;
}

#if defined(__riscv)
/* Fetches of all threads of the process see what was stored before. */
long
sys_riscv_flush_icache(uintptr_t start, uintptr_t end, uintptr_t flags)
{
	struct tlb_gather tg;

	if (flags & ~(uintptr_t)1)
		return -EINVAL;
	tlb_gather_init(&tg);
	pmap_note_code(space()->pmap, &tg);
	tlb_gather_flush(&tg);
	return 0;
}
#endif

/* ---- Appel and Li ---- */

long
sys_al_region(uintptr_t va, uintptr_t len, uintptr_t flags)
{
	switch (flags) {
	case AL_REGION_ADD:
		return -vm_overlay_register(space(), va, len);
	case AL_REGION_REMOVE:
		return -vm_overlay_unregister(space(), va, len);
	default:
		return -EINVAL;
	}
}

static int
al_op_decode(const struct al_op *in, struct page_op *out)
{
	static const vm_prot_t cap[] = {
		[AL_PROT_NONE] = VM_PROT_NONE,
		[AL_PROT_READ] = VM_PROT_READ | VM_PROT_EXECUTE,
		[AL_UNPROT] = VM_PROT_ALL,
	};

	if (in->op >= ARRAY_SIZE(cap) || in->va >= USER_MAX)
		return EINVAL;
	out->sva = in->va;
	out->eva = in->va + (vaddr_t)in->npages * PAGE_SIZE;
	out->cap = cap[in->op];
	return 0;
}

long
sys_al_prot(uintptr_t ops, uintptr_t n)
{
	struct page_op *op;
	int error = 0;

	if (n == 0 || n > AL_OPS_MAX)
		return n == 0 ? 0 : -EINVAL;
	op = kmalloc(n * sizeof(*op));
	if (op == NULL)
		return -ENOMEM;
	for (size_t i = 0; error == 0 && i < n; i++) {
		struct al_op in;

		error = copyin(space(), &in, ops + i * sizeof(in), sizeof(in));
		if (error == 0)
			error = al_op_decode(&in, &op[i]);
	}
	if (error == 0)
		error = vm_prot_pages(space(), op, n);
	kfree(op, n * sizeof(*op));
	return -error;
}

/* One piece of a bitmap: what it covers is fetched and re-armed in one step.
 * The bitmap is pinned first, so that no bit can get lost. */
#define DIRTY_WORDS 512
#define DIRTY_SPAN  (DIRTY_WORDS * 64 * PAGE_SIZE)

static long
dirty_piece(vaddr_t va, size_t size, uintptr_t out, uint64_t *bitmap)
{
	size_t nwords = (size / PAGE_SIZE + 63) / 64;
	struct vm_pinned pin;
	long count = 0;
	int error = vm_pin(space(), out, nwords * 8, VM_PROT_WRITE, &pin);

	if (error != 0)
		return -error;
	memset(bitmap, 0, nwords * 8);
	if (pin.size < nwords * 8)
		error = EFAULT;
	else
		error = vm_dirty(space(), va, size, bitmap);
	if (error == 0)
		vm_pinned_write(&pin, 0, bitmap, nwords * 8);
	vm_unpin(&pin);
	for (size_t i = 0; error == 0 && i < nwords; i++)
		count += bits_count(bitmap[i]);
	return error == 0 ? count : -error;
}

long
sys_al_dirty(uintptr_t va, uintptr_t len, uintptr_t out)
{
	uint64_t *bitmap;
	long total = 0;

	if (!IS_ALIGNED(va | len, PAGE_SIZE) || len == 0 || len > USER_MAX ||
	    out % sizeof(uint64_t) != 0)
		return -EINVAL;
	bitmap = kmalloc(DIRTY_WORDS * sizeof(uint64_t));
	if (bitmap == NULL)
		return -ENOMEM;
	for (size_t at = 0; at < len; at += DIRTY_SPAN) {
		size_t n = MIN(len - at, DIRTY_SPAN);
		long r = dirty_piece(va + at, n,
		    out + at / PAGE_SIZE / 8, bitmap);

		if (r < 0) {
			total = r;
			break;
		}
		total += r;
	}
	kfree(bitmap, DIRTY_WORDS * sizeof(uint64_t));
	return total;
}
