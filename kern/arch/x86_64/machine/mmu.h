/* SPDX-License-Identifier: MIT */
/*
 * mmu.h - the map of virtual memory (4 levels, 48 bits) and the direct map.
 *
 *	0x0000000000010000  user, up to 128 TiB less one page
 *	0xffff800000000000  direct map of RAM and devices, 4 TiB, NX
 *	0xffffc00000000000  kernel stacks, 1 GiB
 *	0xffffffff80000000  kernel image: physical address + IMAGE_OFFSET
 */
#ifndef MACHINE_MMU_H
#define MACHINE_MMU_H

#include "lib/types.h"
#include "machine/asm.h"

#define USER_MIN ((vaddr_t)0x10000)
#define USER_MAX ((vaddr_t)USER_END)

#define DIRECT_END    ((vaddr_t)0xffff840000000000)
#define KSTACK_BASE   ((vaddr_t)0xffffc00000000000)
#define KSTACK_END    ((vaddr_t)0xffffc00040000000)
#define IMAGE_BASE    ((vaddr_t)0xffffffff80000000)

/** Loading a root drops every entry that is not global. */
#define MMU_LOAD_FLUSHES 1
/** Fetches see earlier stores, of every CPU. */
#define MMU_ICACHE_COHERENT 1

static inline void *
phys_to_virt(paddr_t pa)
{
	return (void *)(pa + DIRECT_BASE);
}

static inline paddr_t
virt_to_phys(const void *p)
{
	vaddr_t va = (vaddr_t)p;

	return va - (va >= IMAGE_BASE ? IMAGE_OFFSET : DIRECT_BASE);
}

/* Drops table pointers above the pages, too. */
static inline void
mmu_flush_range(unsigned asid, vaddr_t sva, vaddr_t eva)
{
	(void)asid;
	for (; sva < eva; sva += PAGE_SIZE)
		__asm__ volatile("invlpg (%0)" ::"r"(sva) : "memory");
}

/* page.S: about 520 instructions each; -icount counts every turn of rep. */
void page_zero(void *page);
void page_copy(void *dst, const void *src);

#endif
