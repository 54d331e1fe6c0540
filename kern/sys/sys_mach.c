/* SPDX-License-Identifier: MIT */
/*
 * sys_mach.c - Mach's calls on address spaces; see abi/mach.h.
 *
 * Path: trap_entry.S -> HERE -> vm/mach/mach_calls.c, or vm_map and friends.
 * With another design each call is ENOSYS.  What cannot be copied virtually,
 * because others write it too, is copied by bytes.
 */
#include "abi/errno.h"
#include "mem/kmem.h"
#include "proc/proc.h"
#include "sys/syscall_table.h"
#include "vm/mach/mach_calls.h"

static kern_return_t
kern_return(int error)
{
	switch (error) {
	case 0: return KERN_SUCCESS;
	case ENOMEM:
	case EFAULT: return KERN_INVALID_ADDRESS;
	case EACCES: return KERN_PROTECTION_FAILURE;
	case EINVAL: return KERN_INVALID_ARGUMENT;
	case EPERM: return KERN_NO_ACCESS;
	case ENOENT: return KERN_NO_SPACE;
	default: return KERN_FAILURE;
	}
}

/*
 * The space of a task, with a reference.  @retval EPERM the caller did not
 * create it  @retval EINVAL no such task  @retval ENOSYS another design
 */
static int
task_space(uintptr_t task, struct vmspace **out)
{
	struct proc *p;
	int error = 0;

	if (vm_design != &mach_ops)
		return ENOSYS;
	if ((int)task == 0 || (int)task == proc_self()->pid) {
		*out = thread_self()->space;
		vmspace_hold(*out);
		return 0;
	}
	p = proc_find((int)task);
	if (p == NULL)
		return EINVAL;
	*out = NULL;
	if (proc_ppid(p) != proc_self()->pid)
		error = EPERM;
	else if ((*out = proc_space(p)) == NULL)
		error = EINVAL;
	proc_drop(p);
	return error;
}

/* What a call returns when the task could not be had. */
static long
no_task(int error)
{
	return error == ENOSYS ? -ENOSYS : kern_return(error);
}

static int
get_address(uintptr_t user, uint64_t *va)
{
	return copyin(thread_self()->space, va, user, sizeof(*va));
}

static int
put_address(uintptr_t user, uint64_t va)
{
	return copyout(thread_self()->space, user, &va, sizeof(va));
}

/* Where new memory is.  Whom that cannot be told must not have any. */
static int
tell_address(uintptr_t user, struct vmspace *vs, vaddr_t va, size_t size)
{
	int error = put_address(user, va);

	if (error != 0 && size != 0)
		(void)vm_unmap(vs, ROUND_DOWN(va, PAGE_SIZE),
		    ROUND_UP(size + (va & PAGE_MASK), PAGE_SIZE));
	return error;
}

long
sys_vm_allocate(uintptr_t task, uintptr_t addr, uintptr_t size,
    uintptr_t anywhere)
{
	struct vm_mapreq rq = { .size = size,
		.prot = VM_PROT_READ | VM_PROT_WRITE,
		.maxprot = VM_PROT_ALL,
		.flags = anywhere ? 0 : VM_MAP_FIXED | VM_MAP_NOREPLACE };
	struct vmspace *vs;
	uint64_t va = 0;
	int error = task_space(task, &vs);

	if (error != 0)
		return no_task(error);
	error = get_address(addr, &va);
	rq.va = ROUND_DOWN(va, PAGE_SIZE);
	rq.size = anywhere ? size : size + (va - rq.va);
	va = 0;
	if (size > USER_MAX)
		error = ENOMEM;
	if (error == 0 && size != 0)
		error = vm_map(vs, &rq, &va);
	if (error == 0)
		error = tell_address(addr, vs, va, rq.size);
	vmspace_drop(vs);
	if (error == EINVAL)
		return KERN_INVALID_ADDRESS;
	if (error == ENOMEM || error == EEXIST)
		return KERN_NO_SPACE;
	return kern_return(error);
}

long
sys_vm_deallocate(uintptr_t task, uintptr_t addr, uintptr_t size)
{
	struct vmspace *vs;
	int error = task_space(task, &vs);

	if (error != 0)
		return no_task(error);
	if (size != 0)
		error = mach_call_deallocate(vs, addr, size);
	vmspace_drop(vs);
	return error == EINVAL ? KERN_INVALID_ADDRESS : kern_return(error);
}

long
sys_vm_protect(uintptr_t task, uintptr_t addr, uintptr_t size,
    uintptr_t set_max, uintptr_t prot)
{
	vaddr_t va = ROUND_DOWN(addr, PAGE_SIZE);
	struct vmspace *vs;
	int error = task_space(task, &vs);

	if (error != 0)
		return no_task(error);
	if ((prot & ~(uintptr_t)VM_PROT_ALL) || size > USER_MAX)
		error = EINVAL;
	else if (size != 0 && set_max)
		error = mach_call_set_max(vs, addr, size, (vm_prot_t)prot);
	else if (size != 0)
		error = vm_protect(vs, va, size + (addr - va),
		    (vm_prot_t)prot);
	vmspace_drop(vs);
	return kern_return(error);
}

long
sys_vm_inherit(uintptr_t task, uintptr_t addr, uintptr_t size,
    uintptr_t inherit)
{
	struct vmspace *vs;
	int error = task_space(task, &vs);

	if (error != 0)
		return no_task(error);
	if (inherit > VM_INHERIT_NONE)
		error = EINVAL;
	else if (size != 0)
		error = mach_call_inherit(vs, addr, size, (unsigned)inherit);
	vmspace_drop(vs);
	return kern_return(error);
}

/* ---- copies ---- */

static int
copy_bytes(const struct mach_copy *mc)
{
	void *buf = kmalloc(PAGE_SIZE);
	int error = buf == NULL ? ENOSPC : 0;

	for (size_t at = 0; error == 0 && at < mc->size; at += PAGE_SIZE) {
		error = copyin(mc->from, buf, mc->sva + at, PAGE_SIZE);
		if (error == 0)
			error = copyout(mc->to, mc->dva + at, buf, PAGE_SIZE);
	}
	if (buf != NULL)
		kfree(buf, PAGE_SIZE);
	return error;
}

static int
copy(struct mach_copy *mc)
{
	int error = mach_call_copy(mc);

	if (error != EOPNOTSUPP)
		return error;
	error = copy_bytes(mc);
	if (error != 0 && mc->anywhere)
		(void)vm_unmap(mc->to, mc->dva, mc->size);
	return error;
}

long
sys_vm_copy(uintptr_t task, uintptr_t from, uintptr_t size, uintptr_t to)
{
	struct mach_copy mc = { .sva = from, .dva = to, .size = size };
	int error = task_space(task, &mc.from);

	if (error != 0)
		return no_task(error);
	mc.to = mc.from;
	if (size != 0)
		error = copy(&mc);
	vmspace_drop(mc.from);
	return kern_return(error);
}

long
sys_vm_read(uintptr_t task, uintptr_t addr, uintptr_t size, uintptr_t data)
{
	struct mach_copy mc = { .to = thread_self()->space, .sva = addr,
		.size = size, .anywhere = true };
	int error = task_space(task, &mc.from);

	if (error != 0)
		return no_task(error);
	if (size != 0)
		error = copy(&mc);
	vmspace_drop(mc.from);
	if (error == 0)
		error = tell_address(data, mc.to, mc.dva, size);
	return kern_return(error);
}

long
sys_vm_write(uintptr_t task, uintptr_t addr, uintptr_t data, uintptr_t size)
{
	struct mach_copy mc = { .from = thread_self()->space, .sva = data,
		.dva = addr, .size = size };
	int error = task_space(task, &mc.to);

	if (error != 0)
		return no_task(error);
	if (size != 0)
		error = copy(&mc);
	vmspace_drop(mc.to);
	return kern_return(error);
}

/* ---- listings ---- */

long
sys_vm_region(uintptr_t task, uintptr_t addr, uintptr_t row)
{
	struct vm_region_row r;
	struct vmspace *vs;
	uint64_t va = 0;
	int error = task_space(task, &vs);

	if (error != 0)
		return no_task(error);
	error = get_address(addr, &va);
	if (error == 0)
		error = mach_call_region(vs, va, &r);
	vmspace_drop(vs);
	if (error == 0)
		error = put_address(addr, r.address);
	if (error == 0)
		error = copyout(thread_self()->space, row, &r, sizeof(r));
	return kern_return(error);
}

long
sys_vm_statistics(uintptr_t out)
{
	struct vm_statistics st;

	if (vm_design != &mach_ops)
		return -ENOSYS;
	mach_call_statistics(&st);
	return kern_return(copyout(thread_self()->space, out, &st,
	    sizeof(st)));
}
