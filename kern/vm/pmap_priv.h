/* SPDX-License-Identifier: MIT */
/*
 * pmap_priv.h - what the files of the engine share, and the pin of copy.c.
 *
 * The walk is the same in all of them: from the root down while the entry is a
 * table.  A table page is described by its struct vm_page: flags has PG_TABLE,
 * offset counts entries that are not EMPTY, bit i of groups says that one of
 * the eight entries from 8i on was in use since the table was empty (scans skip
 * the others), owner is the page of link words (level 0 of a pmap with
 * PMAP_LINKS) or NULL.
 */
#ifndef VM_PMAP_PRIV_H
#define VM_PMAP_PRIV_H

#include "machine/pte.h"
#include "vm/pmap.h"

#define PTE_AD_MASK (PTE_A_MASK | PTE_D_MASK)

static inline pte_t
pte_load(const pte_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline pte_t *
table_virt(paddr_t pa)
{
	return phys_to_virt(pa);
}

static inline struct vm_page *
table_page(const pte_t *pte)
{
	/* Tables are reached through the direct map only. */
	return phys_to_page((uintptr_t)pte - (uintptr_t)phys_to_virt(0));
}

#define GROUP_ENTRIES 8

static inline unsigned
group_of(const pte_t *pte)
{
	return (unsigned)((uintptr_t)pte & PAGE_MASK) /
	    (GROUP_ENTRIES * sizeof(*pte));
}

/**
 * How many entries from index @p i on need no look, since their groups were
 * never in use: a multiple of GROUP_ENTRIES; 0 when @p i is in a used group.
 * @pre i is a multiple of GROUP_ENTRIES
 */
static inline unsigned
unused_entries(uint64_t groups, unsigned i)
{
	unsigned n = 0;

	groups >>= i / GROUP_ENTRIES;
	if (groups & 1)
		return 0;
	if (groups == 0)
		return PTE_ENTRIES - i;
	for (; (groups & 0xff) == 0; groups >>= 8)
		n += 8 * GROUP_ENTRIES;
	for (; (groups & 1) == 0; groups >>= 1)
		n += GROUP_ENTRIES;
	return n;
}

/** Entries of the run of unused groups that begins at @p va; 0: look at it. */
static inline unsigned
unused_run(uint64_t groups, vaddr_t va)
{
	unsigned i = pte_index(va, 0), in_group = i % GROUP_ENTRIES;
	unsigned n = unused_entries(groups, i - in_group);

	return n == 0 ? 0 : n - in_group;
}

/** @p pte is not EMPTY any more. */
static inline void
table_count_entry(const pte_t *pte)
{
	struct vm_page *pg = table_page(pte);

	pg->offset++;
	pg->groups |= (uint64_t)1 << group_of(pte);
}

/** Bytes that one entry of @p level covers. */
static inline vaddr_t
level_size(unsigned level)
{
	return (vaddr_t)1 << (PAGE_SHIFT + PTE_INDEX_BITS * level);
}

/** Where the table of level 0 with @p va ends, at most @p eva. */
static inline vaddr_t
table_end(vaddr_t va, vaddr_t eva)
{
	return MIN(ROUND_DOWN(va, level_size(1)) + level_size(1), eva);
}

/**
 * The entry for @p va at the lowest level that exists, at most down to
 * @p *level; sets @p *level to the level found.
 */
static __always_inline pte_t *
pmap_walk(const struct pmap *pm, vaddr_t va, unsigned *level)
{
	pte_t *table = table_virt(pm->root), *pte;
	pte_t e;

	/* Unrolled: with a constant *level it is one straight line. */
#pragma GCC unroll 4
	for (unsigned l = PTE_LEVELS - 1; l > 0; l--) {
		pte = &table[pte_index(va, l)];
		e = pte_load(pte);
		if (l == *level || unlikely(!pte_is_table(e))) {
			*level = l;
			return pte;
		}
		table = table_virt(pte_pa(e));
	}
	*level = 0;
	return &table[pte_index(va, 0)];
}

/** pmap_get_pin() with the lock held, which is released. */
static __always_inline int
pmap_get_pin_locked(struct pmap *pm, vaddr_t va, vm_prot_t access,
    struct vm_page **out)
{
	pte_t ad = PTE_A_MASK | (access & PMAP_W ? PTE_D_MASK : 0), raw;
	unsigned level = 0;
	int error = EFAULT;
	pte_t *pte;

	pte = pmap_walk(pm, va, &level);
	raw = pte_load(pte);
	if (likely(pte_permits(raw, access) && phys_is_ram(pte_pa(raw)))) {
		paddr_t pa = pte_pa(raw);
		struct vm_page *pg;

		if (unlikely(level > 0))
			pa += va & (level_size(level) - PAGE_SIZE);
		pg = phys_to_page(pa);
		if (unlikely((raw & ad) != ad))
			__atomic_fetch_or(pte, ad, __ATOMIC_SEQ_CST);
		if (access & PMAP_W)
			__atomic_fetch_add(&pg->wpins, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&pg->holds, (uint64_t)1 << 32,
		    __ATOMIC_RELAXED);
		*out = pg;
		error = 0;
	}
	spin_unlock(&pm->lock);
	return error;
}

/** One zeroed table page with its links, or NULL. */
struct vm_page *table_alloc(struct pmap *, unsigned level);
/** Back to the cache of zero tables. @pre every entry is EMPTY */
void table_free(struct vm_page *);

/** The entry for @p va at @p level, adding missing tables.
 * @retval EBUSY a superpage is in the way  @retval ENOMEM */
int pmap_walk_alloc(struct pmap *, vaddr_t va, unsigned level, pte_t **out);

/** Translations of [@p sva, @p eva) in @p pm may be stale on some CPU.
 * @pre the entries are changed already; @p pm is locked; nothing was noted
 * before */
static inline void
tlb_gather_note_first(struct tlb_gather *tg, struct pmap *pm, vaddr_t sva,
    vaddr_t eva)
{
	struct tlb_range *r = &tg->range[0];

	KASSERT(tg->nranges == 0);
	tg->nnoted++;
	tg->used = true;
	tg->nranges = 1;
	pmap_hold(pm);
	r->pm = pm;
	r->sva = sva;
	r->eva = eva;
}

/** The same, whatever was noted before. */
static inline void
tlb_gather_note(struct tlb_gather *tg, struct pmap *pm, vaddr_t sva,
    vaddr_t eva)
{
	struct tlb_range *r = &tg->range[0];

	if (likely(tg->nranges == 0)) {
		tlb_gather_note_first(tg, pm, sva, eva);
		return;
	}
	tg->nnoted++;
	if (likely(tg->nranges == 1 && r->pm == pm)) {
		r->sva = MIN(r->sva, sva);
		r->eva = MAX(r->eva, eva);
	} else {
		tlb_gather_note_more(tg, pm, sva, eva);
	}
}

static inline uintptr_t *
link_word(const pte_t *pte)
{
	uintptr_t *links = table_page(pte)->owner;

	return &links[((uintptr_t)pte & PAGE_MASK) / sizeof(*pte)];
}

#endif
