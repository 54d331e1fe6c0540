/* SPDX-License-Identifier: MIT */
/*
 * mmu.h - the map of virtual memory (Sv39, 39 bits) and the direct map.
 *
 *	0x0000000000010000  user, up to 256 GiB
 *	0xffffffc000000000  direct map of RAM and devices, 128 GiB, NX
 *	0xffffffe000000000  kernel stacks, 1 GiB
 *	0xffffffff80000000  kernel image: physical address + IMAGE_OFFSET
 *	0xffffffffc0000000  one page that user mode may execute: sigreturn
 */
#ifndef MACHINE_MMU_H
#define MACHINE_MMU_H

#include "lib/types.h"
#include "machine/asm.h"

#define USER_MIN ((vaddr_t)0x10000)
#define USER_MAX ((vaddr_t)0x4000000000)

#define DIRECT_END    ((vaddr_t)0xffffffe000000000)
#define KSTACK_BASE   ((vaddr_t)0xffffffe000000000)
#define KSTACK_END    ((vaddr_t)0xffffffe040000000)
#define IMAGE_BASE    ((vaddr_t)0xffffffff80000000)
#define SIGRETURN_VA  ((vaddr_t)0xffffffffc0000000)

#define MMU_LOAD_FLUSHES    0 /* entries belong to an ASID */
#define MMU_ICACHE_COHERENT 0 /* fence.i */

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

/* One sfence.vma without address orders leaves and table pointers; the form
 * with an address would order leaves only. */
static inline void
mmu_flush_range(unsigned asid, vaddr_t sva, vaddr_t eva)
{
	(void)sva, (void)eva;
	__asm__ volatile("sfence.vma zero, %0" ::"r"((uint64_t)asid)
			 : "memory");
}

/* page.S: 523 and 1,039 instructions. */
void page_zero(void *page);
void page_copy(void *dst, const void *src);

#endif
