/* SPDX-License-Identifier: MIT */
/*
 * pte.h - Sv39 page-table entries; nobody else knows their bits.
 *
 *	table      PPN<<10 |                        V    (R = W = X = 0)
 *	leaf       PPN<<10 |     COW D A G U X W R  V
 *	no-access  PPN<<10 | KEEP COW D A G U 0 0 0 0    hardware sees V = 0
 *	soft       word<<2 |                    1   0    hardware sees V = 0
 *	empty      0
 *
 * The low three portable bits are moved by one shift, A and D by another.
 * A and D: set by the hardware; a CPU with Svade traps instead and
 * pmap_fixup() sets them.  Fences: narrowing, replacing and clearing A or D
 * need one; widening and invalid to valid may be left to the next fault.
 * Source: RISC-V Privileged ISA 20211203, section 4.4.
 */
#ifndef MACHINE_PTE_H
#define MACHINE_PTE_H

#include "lib/types.h"

typedef uint64_t pte_t;

#define PTE_LEVELS	      3 /* level 0: 4 KiB leaves; level 2: the root */
#define PTE_INDEX_BITS	      9
#define PTE_ENTRIES	      (1u << PTE_INDEX_BITS)
#define PTE_ROOT_USER_ENTRIES 256 /* the others are the kernel's half */
#define PTE_HW_SETS_AD	      1

/* Hardware bits. */
#define PTE_V	 0x001ull
#define PTE_R	 0x002ull
#define PTE_W	 0x004ull
#define PTE_X	 0x008ull
#define PTE_RWX	 (PTE_R | PTE_W | PTE_X)
#define PTE_U	 0x010ull
#define PTE_G	 0x020ull
#define PTE_A	 0x040ull
#define PTE_D	 0x080ull
#define PTE_COW	 0x100ull /* left to software */
#define PTE_KEEP 0x200ull /* left to software: a no-access leaf is never 0 */
#define PTE_SOFT 0x002ull /* with V = 0 */

/** For comparing raw LEAF and NOACCESS words without what the hardware sets. */
#define PTE_A_MASK PTE_A
#define PTE_D_MASK PTE_D

/** The same numbers as enum pmap_entry (asserted in mmu.c). */
enum pte_kind {
	PTE_KIND_EMPTY,
	PTE_KIND_TABLE,
	PTE_KIND_LEAF,
	PTE_KIND_NOACCESS,
	PTE_KIND_SOFT,
};

/** Raw mask of portable bits (PMAP_R 1, W 2, X 4, COW 8, ACCESSED 16,
 * DIRTY 32; asserted in mmu.c). */
static inline pte_t
pte_mask(unsigned bits)
{
	pte_t b = bits;

	return (b & 0x07) << 1 | (b & 0x30) << 2 | (b & 0x08) << 5;
}

static inline pte_t
pte_ppn(paddr_t pa)
{
	return pa >> PAGE_SHIFT << 10;
}

static inline pte_t
pte_make_table(paddr_t table)
{
	return pte_ppn(table) | PTE_V;
}

/** What the machine gives for @p rights: W without R is reserved in Sv39 and
 * becomes RW.  X alone stays. */
static inline unsigned
pte_rights(unsigned rights)
{
	return rights | (rights & 2) >> 1;
}

/** @pre bits has a right  @param level 0, 1 or 2: 4 KiB, 2 MiB, 1 GiB */
static inline pte_t
pte_make_leaf(paddr_t pa, unsigned level, unsigned bits, bool user)
{
	(void)level;
	return pte_ppn(pa) | pte_mask(pte_rights(bits)) |
	    (user ? PTE_U : PTE_G) | PTE_V;
}

/** Leaf @p pte with @p bits more and without COW.
 * @pre bits has neither COW nor X */
static inline pte_t
pte_widen(pte_t pte, unsigned bits)
{
	return (pte & ~PTE_COW) | pte_mask(bits | (bits & 2) >> 1);
}

/** Leaf or no-access leaf @p pte with COW and without W. */
static inline pte_t
pte_cow(pte_t pte)
{
	return (pte & ~PTE_W) | PTE_COW;
}

/** Keeps frame, COW, A and D; rights in @p bits are dropped. */
static inline pte_t
pte_make_noaccess(paddr_t pa, unsigned bits)
{
	return pte_ppn(pa) | pte_mask(bits & ~7u) | PTE_KEEP;
}

/** @pre the top two bits of @p word are 0 */
static inline pte_t
pte_make_soft(uint64_t word)
{
	return word << 2 | PTE_SOFT;
}

/** As pte_kind(pte, level) == PTE_KIND_TABLE, for level > 0. */
static inline bool
pte_is_table(pte_t pte)
{
	return (pte & (PTE_V | PTE_RWX)) == PTE_V;
}

static inline enum pte_kind
pte_kind(pte_t pte, unsigned level)
{
	(void)level;
	if (pte & PTE_V)
		return pte & PTE_RWX ? PTE_KIND_LEAF : PTE_KIND_TABLE;
	if (pte & PTE_SOFT)
		return PTE_KIND_SOFT;
	return pte != 0 ? PTE_KIND_NOACCESS : PTE_KIND_EMPTY;
}

/** Frame of a table, leaf or no-access leaf. */
static inline paddr_t
pte_pa(pte_t pte)
{
	return pte >> 10 << PAGE_SHIFT;
}

/** Portable bits of a leaf or no-access leaf. */
static inline unsigned
pte_bits(pte_t pte)
{
	return (unsigned)((pte >> 1 & 0x07) | (pte >> 2 & 0x30) |
	    (pte >> 5 & 0x08));
}

/** Whether @p pte is a leaf with all rights of @p access, which is not 0. */
static inline bool
pte_permits(pte_t pte, unsigned access)
{
	pte_t need = PTE_V | pte_mask(access & 7);

	return (pte & need) == need;
}

static inline uint64_t
pte_soft(pte_t pte)
{
	return pte >> 2;
}

/** Whether user mode may use this leaf. */
static inline bool
pte_user(pte_t pte)
{
	return pte & PTE_U;
}

static inline unsigned
pte_index(vaddr_t va, unsigned level)
{
	return va >> (PAGE_SHIFT + PTE_INDEX_BITS * level) & (PTE_ENTRIES - 1);
}

#endif
