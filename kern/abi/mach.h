/* SPDX-License-Identifier: MIT */
/*
 * mach.h - Mach's calls on address spaces (vm=mach; else ENOSYS).
 *
 * The first argument is a task: 0 for the caller's own, or the pid of a child,
 * whose creator holds the right to it.  Each call returns a kern_return_t.
 * Addresses and sizes are truncated and rounded to pages where Mach does so.
 * Where the manual and GNU Mach's code differ we follow the manual: a hole in
 * the range of vm_deallocate, vm_protect and vm_inherit is an invalid address.
 */
/*
 * vm_allocate(task, &addr, size, anywhere)  zero-filled memory; size 0: addr 0
 * vm_deallocate(task, addr, size)
 * vm_protect(task, addr, size, set_max, prot)
 *	the maximum only falls, and takes the current rights along
 * vm_inherit(task, addr, size, inherit)     what a child gets
 * vm_copy(task, from, size, to)	     virtual copy; aligned, disjoint
 * vm_read(task, addr, size, &data)	     virtual copy to new memory of ours
 * vm_write(task, addr, data, size)	     virtual copy of our memory
 * vm_region(task, &addr, &info)	     first region that ends after addr
 * vm_statistics(&st)
 */
#ifndef ABI_MACH_H
#define ABI_MACH_H

#define KERN_SUCCESS		0
#define KERN_INVALID_ADDRESS	1
#define KERN_PROTECTION_FAILURE	2
#define KERN_NO_SPACE		3
#define KERN_INVALID_ARGUMENT	4
#define KERN_FAILURE		5
#define KERN_RESOURCE_SHORTAGE	6
#define KERN_NO_ACCESS		8

#define VM_INHERIT_SHARE	0
#define VM_INHERIT_COPY		1
#define VM_INHERIT_NONE		2

#ifndef __ASSEMBLER__
#include <stdint.h>

typedef int kern_return_t;

struct vm_region_row {
	uint64_t	address, size;
	uint32_t	protection, max_protection;	/* PROT_* */
	uint32_t	inheritance;			/* VM_INHERIT_* */
	uint32_t	shared;		/* writes reach others */
	uint32_t	needs_copy;
	uint32_t	depth;		/* objects below the first one */
	uint64_t	offset;		/* in bytes, in its object */
};

struct vm_statistics {
	uint64_t	pagesize;
	uint64_t	free_count;	/* frames */
	uint64_t	resident_count;	/* pages of objects */
	uint64_t	zero_fill_count;
	uint64_t	faults;
	uint64_t	cow_faults;	/* copied */
	uint64_t	collapses;	/* objects merged into their shadow */
	uint64_t	bypasses;	/* links of a chain skipped */
};
#endif /* !__ASSEMBLER__ */

#endif /* ABI_MACH_H */
