/* SPDX-License-Identifier: MIT */
/*
 * mmu.h - simulated RAM and the layout of addresses of the host port.
 *
 * RAM is one mapping of the test process; "physical" addresses start at
 * HOST_RAM_BASE, so that a physical address used as a pointer crashes.
 */
#ifndef MACHINE_MMU_H
#define MACHINE_MMU_H

#include "lib/types.h"

#define USER_MIN      ((vaddr_t)0x1000)
#define USER_MAX      ((vaddr_t)1 << 38)
#define HOST_RAM_BASE ((paddr_t)0x80000000)
/* At the start of RAM: the kernel's root, then frames for VM_PHYS mappings. */
#define HOST_RESERVED_SIZE ((paddr_t)0x8000)

/* Kernel stacks: the walk ignores the top bits, so that the window is in the
 * kernel's half of the table and also a free range of this process. */
#define KSTACK_BASE ((vaddr_t)0x507fc0000000)
#define KSTACK_END  ((vaddr_t)0x507fc0400000)

#define MMU_LOAD_FLUSHES    0 /* entries belong to an ASID */
#define MMU_ICACHE_COHERENT 0 /* counted */

extern char *host_ram;	   /* where it is in this process */
extern size_t host_ram_size;

static inline void *
phys_to_virt(paddr_t pa)
{
	/* As integers: the origin of the direct map is below host_ram. */
	return (void *)((uintptr_t)host_ram + (pa - HOST_RAM_BASE));
}

static inline paddr_t
virt_to_phys(const void *p)
{
	return (paddr_t)((const char *)p - host_ram) + HOST_RAM_BASE;
}

/* kern/arch/host/mmu.c */
void mmu_flush_range(unsigned asid, vaddr_t sva, vaddr_t eva);

static inline void
page_zero(void *page)
{
	__builtin_memset(page, 0, PAGE_SIZE);
}

static inline void
page_copy(void *dst, const void *src)
{
	__builtin_memcpy(dst, src, PAGE_SIZE);
}

#endif
