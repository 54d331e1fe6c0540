/* SPDX-License-Identifier: MIT */
/**
 * @file mach_calls.h
 * Mach's operations on maps, for the system calls.
 *
 * Each checks its range and works as vm_unmap and friends do: locked, flushed,
 * checked.  @pre vm_design is mach, no lock held
 */
#ifndef VM_MACH_CALLS_H
#define VM_MACH_CALLS_H

#include "abi/mach.h"
#include "vm/vm.h"

extern const struct vm_ops mach_ops;

/** @retval ENOMEM a hole; nothing changed  @retval EINVAL the range */
int mach_call_deallocate(struct vmspace *, vaddr_t va, size_t size);
/** The maximum of [@p va, +@p size) falls to @p prot.
 * @retval EACCES it would rise */
int mach_call_set_max(struct vmspace *, vaddr_t va, size_t size, vm_prot_t);
int mach_call_inherit(struct vmspace *, vaddr_t va, size_t size,
    unsigned inherit);

/** A virtual copy from one space to another or to itself. */
struct mach_copy {
	struct vmspace *from, *to;
	vaddr_t sva, dva; /* aligned */
	size_t size;	  /* multiple of the page size, not 0 */
	bool anywhere;	  /* to new memory; dva is set */
};

/**
 * @retval ENOMEM a hole, or no memory @retval EACCES not readable, writable
 * @retval EINVAL ranges overlap or are not aligned
 * @retval EOPNOTSUPP memory that is shared, or no memory: copy it by bytes
 */
int mach_call_copy(struct mach_copy *);
/** @retval ENOENT */
int mach_call_region(struct vmspace *, vaddr_t va, struct vm_region_row *);
void mach_call_statistics(struct vm_statistics *);

#endif
