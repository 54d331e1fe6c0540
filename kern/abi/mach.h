/* SPDX-License-Identifier: MIT */
/*
 * mach.h - Mach's calls on address spaces (vm=mach; else ENOSYS).
 *
 * The first argument is a task: 0 for the caller's own, or the pid of a child,
 * whose creator holds the right to it.  Each call returns a kern_return_t.
 * Addresses and sizes are truncated and rounded to pages where Mach does so.
 * Where the manual and GNU Mach's code differ we follow the manual: a hole in
 * the range of vm_deallocate, vm_protect and vm_inherit is an invalid address.
 * Every call may also return KERN_NO_ACCESS (the task is not a child of the
 * caller), KERN_INVALID_ARGUMENT (there is no such task) and KERN_FAILURE (no
 * memory); with another design it returns -1 with errno ENOSYS.
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

/**
 * @fn kern_return_t vm_allocate(int task, uint64_t *addr, size_t size, \
 *	int anywhere)
 * Add zero-filled memory to a task.
 *
 * With @p anywhere the kernel chooses the place, else it is the page of
 * @p *addr, where nothing may be.  The memory may be read and written, and its
 * maximum is everything.  A size of 0 stores address 0.
 * @post @p *addr is the address of the first page
 * @retval KERN_INVALID_ADDRESS outside of user memory; @p addr is a bad pointer
 * @retval KERN_NO_SPACE something is there, or there is no room
 */

/**
 * @fn kern_return_t vm_deallocate(int task, uint64_t addr, size_t size)
 * Remove memory from a task.
 *
 * All pages that the range touches go.
 * @retval KERN_INVALID_ADDRESS a hole, or outside of user memory; nothing
 *	changed
 */

/**
 * @fn kern_return_t vm_protect(int task, uint64_t addr, size_t size, \
 *	int set_max, int prot)
 * Set the current or the maximum rights.
 *
 * @p prot is a set of PROT_READ, PROT_WRITE and PROT_EXEC.  With @p set_max the
 * maximum becomes @p prot: it only falls, and takes the current rights along.
 * @retval KERN_INVALID_ADDRESS a hole; nothing changed
 * @retval KERN_PROTECTION_FAILURE beyond the maximum; nothing changed
 * @retval KERN_INVALID_ARGUMENT other rights; outside of user memory
 */

/**
 * @fn kern_return_t vm_inherit(int task, uint64_t addr, size_t size, \
 *	int inherit)
 * Choose what a child gets of a range.
 *
 * VM_INHERIT_COPY, as by default: a copy at the time of the fork.
 * VM_INHERIT_SHARE: the same memory.  VM_INHERIT_NONE: a hole.
 * @retval KERN_INVALID_ADDRESS a hole; nothing changed
 * @retval KERN_INVALID_ARGUMENT another value; outside of user memory
 */

/**
 * @fn kern_return_t vm_copy(int task, uint64_t from, size_t size, uint64_t to)
 * Copy memory inside of a task, virtually.
 *
 * No page is copied before one side writes it.  Memory that is shared cannot be
 * copied so; it is copied by bytes.  Both ranges are mapped already.
 * @retval KERN_INVALID_ADDRESS a hole
 * @retval KERN_PROTECTION_FAILURE the source cannot be read or the destination
 *	not written
 * @retval KERN_INVALID_ARGUMENT not aligned to pages, or the ranges overlap
 */

/**
 * @fn kern_return_t vm_read(int task, uint64_t addr, size_t size, \
 *	uint64_t *data)
 * Copy memory of a task to new memory of the caller, virtually.
 *
 * @post @p *data is the address of the copy, which vm_deallocate removes
 * @retval KERN_INVALID_ADDRESS a hole; @p data is a bad pointer; no room
 * @retval KERN_PROTECTION_FAILURE it cannot be read
 * @retval KERN_INVALID_ARGUMENT not aligned to pages
 */

/**
 * @fn kern_return_t vm_write(int task, uint64_t addr, uint64_t data, \
 *	size_t size)
 * Copy memory of the caller over memory of a task, virtually.
 *
 * @retval KERN_INVALID_ADDRESS a hole on either side
 * @retval KERN_PROTECTION_FAILURE ours cannot be read or theirs not written
 * @retval KERN_INVALID_ARGUMENT not aligned to pages, or the ranges overlap
 */

/**
 * @fn kern_return_t vm_region(int task, uint64_t *addr, \
 *	struct vm_region_row *row)
 * Describe the first region that ends after an address.
 *
 * @post @p *addr is where the region begins
 * @retval KERN_NO_SPACE there is none
 * @retval KERN_INVALID_ADDRESS a bad pointer
 */

/**
 * @fn kern_return_t vm_statistics(struct vm_statistics *st)
 * Counters of the whole machine.
 *
 * @retval KERN_INVALID_ADDRESS a bad pointer
 */

#endif /* ABI_MACH_H */
