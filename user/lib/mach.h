/* SPDX-License-Identifier: MIT */
/*
 * mach.h - Mach's calls as C functions; what they do stands in abi/mach.h.
 *
 * Each returns a kern_return_t, or -1 with errno ENOSYS: another design runs.
 */
#ifndef MACH_H
#define MACH_H

#include <user.h>

#include <abi/mach.h>

kern_return_t vm_allocate(int task, uint64_t *addr, size_t size, int anywhere);
kern_return_t vm_deallocate(int task, uint64_t addr, size_t size);
kern_return_t vm_protect(int task, uint64_t addr, size_t size, int set_max,
    int prot);
kern_return_t vm_inherit(int task, uint64_t addr, size_t size, int inherit);
kern_return_t vm_copy(int task, uint64_t from, size_t size, uint64_t to);
kern_return_t vm_read(int task, uint64_t addr, size_t size, uint64_t *data);
kern_return_t vm_write(int task, uint64_t addr, uint64_t data, size_t size);
kern_return_t vm_region(int task, uint64_t *addr, struct vm_region_row *row);
kern_return_t vm_statistics(struct vm_statistics *st);

#endif /* MACH_H */
