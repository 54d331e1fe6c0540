/* SPDX-License-Identifier: MIT */
/**
 * @file mmu.h
 * Port contract: the page-table root register, the local TLB, the direct map.
 *
 * Everything here acts on the calling CPU only; what other CPUs must do is
 * decided by vm/tlb.c.  Format of the entries: machine/pte.h.
 * Sources: RISC-V Privileged 20211203 §4.2-4.4; AMD64 APM vol. 2 ch. 5.
 */
#ifndef ARCH_MMU_H
#define ARCH_MMU_H

#include "lib/types.h"

/*
 * machine/mmu.h defines, inline or as constants:
 *
 * USER_MIN, USER_MAX       user addresses are [USER_MIN, USER_MAX)
 * void *phys_to_virt(paddr_t)    through the direct map of RAM
 * paddr_t virt_to_phys(const void *)   of a direct-map or kernel address
 * KSTACK_BASE, KSTACK_END  kernel window for stacks with guard pages
 * MMU_LOAD_FLUSHES         1: mmu_load_root() drops all but global entries
 * MMU_ICACHE_COHERENT      1: fetches see earlier stores; no fence exists
 * void page_zero(void *page);              one page of the direct map
 * void page_copy(void *dst, const void *src);
 * void mmu_flush_range(unsigned asid, vaddr_t sva, vaddr_t eva);
 *     drop the leaves for [sva, eva) of @p asid.  Table pointers may stay, as
 *     with sfence.vma and an address: a freed table needs mmu_flush_asid
 */
#include "machine/mmu.h"

/** Number of address-space identifiers of the hardware; 0 = none. */
unsigned mmu_asid_count(void);

/**
 * Load root @p root with @p asid.  Unless MMU_LOAD_FLUSHES, flushes nothing,
 * with or without ASIDs: the caller (vm/tlb.c) fences when an ASID is new or
 * shared.
 * @pre interrupts off
 */
void mmu_load_root(paddr_t root, unsigned asid);

/** Drop all entries of @p asid except global ones. */
void mmu_flush_asid(unsigned asid);
/** Drop everything, all ASIDs, global entries too. */
void mmu_flush_all(void);
/** A kernel (global) page was entered: make it visible to this CPU. */
void mmu_fence_kernel(void);

/** Order earlier stores of instructions before later fetches of this CPU
 * (RISC-V fence.i; nothing on x86-64). */
void mmu_sync_icache(void);

/** Port-specific remote fence of a whole ASID (RISC-V: SBI RFENCE); false when
 * the machine has none. On return it is complete on all CPUs of @p mask. */
bool mmu_remote_flush_asid(uint64_t mask, unsigned asid);

/** Root of the kernel's own page table; built by the port before main(). */
paddr_t mmu_kernel_root(void);

/** RAM that the frame allocator may own: call @p add for each piece. */
void mmu_foreach_ram(void (*add)(paddr_t start, paddr_t end));
/** One past the highest RAM address. */
paddr_t mmu_ram_end(void);

#endif
