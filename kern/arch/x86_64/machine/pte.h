/* SPDX-License-Identifier: MIT */
/*
 * pte.h - x86-64 page-table entries; nobody else knows their bits.
 *
 *	table         PA |             A   U W P
 *	leaf       NX PA | COW G PS D A   U W P    PS: level > 0
 *	no-access  NX PA | COW      D A     0 0    hardware sees P = 0
 *	soft       word<<2 |                1 0    hardware sees P = 0
 *	empty      0
 *
 * P is the right to read, NX the lack of the right to execute: a no-access leaf
 * is never 0 since it has NX.  Tables have U, W and A once for all: leaves
 * decide, and the hardware never writes to a table entry.
 * A and D: set by the hardware.  Fences: narrowing, replacing and clearing A
 * or D need one; widening may be left to the next fault; invalid to valid needs
 * none at all, since the hardware keeps no invalid entries.
 * Source: Intel SDM vol. 3, sections 4.5 and 4.10; AMD64 APM vol. 2, ch. 5.
 */
#ifndef MACHINE_PTE_H
#define MACHINE_PTE_H

#include "lib/types.h"

typedef uint64_t pte_t;

#define PTE_LEVELS	      4 /* level 0: 4 KiB leaves; level 3: the root */
#define PTE_INDEX_BITS	      9
#define PTE_ENTRIES	      (1u << PTE_INDEX_BITS)
#define PTE_ROOT_USER_ENTRIES 256 /* the others are the kernel's half */
#define PTE_HW_SETS_AD	      1

/* Hardware bits. */
#define PTE_P	0x001ull
#define PTE_W	0x002ull
#define PTE_U	0x004ull
#define PTE_A	0x020ull
#define PTE_D	0x040ull
#define PTE_PS	0x080ull /* a leaf above level 0 */
#define PTE_G	0x100ull
#define PTE_COW 0x200ull /* left to software */
#define PTE_NX	0x8000000000000000ull
#define PTE_PA	0x000ffffffffff000ull
#define PTE_SOFT 0x002ull /* with P = 0 */

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

/** COW, A and D of portable bits (COW 8, ACCESSED 16, DIRTY 32; asserted in
 * mmu.c). */
static inline pte_t
pte_mask(unsigned bits)
{
	pte_t b = bits;

	return (b & 0x30) << 1 | (b & 0x08) << 6;
}

/** What the machine gives for @p rights: every right includes reading. */
static inline unsigned
pte_rights(unsigned rights)
{
	return rights & 7 ? rights | 1 : rights;
}

static inline pte_t
pte_make_table(paddr_t table)
{
	return table | PTE_A | PTE_U | PTE_W | PTE_P;
}

/** @pre bits has a right  @param level 0, 1 or 2: 4 KiB, 2 MiB, 1 GiB */
static inline pte_t
pte_make_leaf(paddr_t pa, unsigned level, unsigned bits, bool user)
{
	return pa | pte_mask(bits) | (bits & 2) | (pte_t)(~bits & 4) << 61 |
	    (user ? PTE_U : PTE_G) | (level > 0 ? PTE_PS : 0) | PTE_P;
}

/** Leaf @p pte with @p bits more and without COW.
 * @pre bits has neither COW nor X */
static inline pte_t
pte_widen(pte_t pte, unsigned bits)
{
	return (pte & ~PTE_COW) | pte_mask(bits) | (bits & 2);
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
	return pa | pte_mask(bits) | PTE_NX;
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
	return (pte & (PTE_P | PTE_PS)) == PTE_P;
}

static inline enum pte_kind
pte_kind(pte_t pte, unsigned level)
{
	if (pte & PTE_P)
		return level > 0 && !(pte & PTE_PS) ? PTE_KIND_TABLE :
						      PTE_KIND_LEAF;
	if (pte & PTE_SOFT)
		return PTE_KIND_SOFT;
	return pte != 0 ? PTE_KIND_NOACCESS : PTE_KIND_EMPTY;
}

/** Frame of a table, leaf or no-access leaf. */
static inline paddr_t
pte_pa(pte_t pte)
{
	return pte & PTE_PA;
}

/** Portable bits of a leaf or no-access leaf. */
static inline unsigned
pte_bits(pte_t pte)
{
	return (unsigned)((pte & (PTE_P | PTE_W)) | (~pte >> 61 & 4) |
	    (pte >> 1 & 0x30) | (pte >> 6 & 0x08));
}

/** Whether @p pte is a leaf with all rights of @p access, which is not 0.
 * @pre @p pte is no table */
static inline bool
pte_permits(pte_t pte, unsigned access)
{
	pte_t need = PTE_P | (access & 2), nx = (pte_t)(access & 4) << 61;

	return (pte & (need | nx)) == need;
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
