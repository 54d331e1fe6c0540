/* SPDX-License-Identifier: MIT */
/*
 * pmap_share.c - copy a page table by sharing its pages copy-on-write.
 *
 * Path: classic_fork -> HERE, for each table of the parent -> the gather.
 * Locks: both pmaps, by address, for one table at a time.
 * The loop is what a fork of a large process costs, so it looks at each entry
 * once and leaves whatever is not an ordinary page to the caller.
 */
#include "abi/errno.h"
#include "mem/oracle.h"
#include "vm/pmap_priv.h"

/* What one table of the parent gave. */
struct shared {
	unsigned nleaves;	/* entered */
	unsigned nnarrowed;	/* of them, those that had W */
	vaddr_t first, last;	/* narrowed */
	pte_t seen;		/* OR of all */
};

/* The page of entry @p e, unless it needs more thought than a count. */
static __always_inline struct vm_page *
plain_page(pte_t e)
{
	struct vm_page *pg = phys_to_page(pte_pa(e));

	if (unlikely(pte_kind(e, 0) == PTE_KIND_SOFT))
		return NULL;
	KASSERT(phys_is_ram(pte_pa(e)));
	/* Under the lock: a pin for writing that comes later finds no W. */
	if (unlikely(__atomic_load_n(&pg->special, __ATOMIC_ACQUIRE) &
		PAGE_SPECIAL))
		return NULL;
	return pg;
}

/* From @p *va, whose entries are @p src and @p dst, up to @p eva. */
static __always_inline int
share_entries(const struct pmap *from, pte_t *src, pte_t *dst, vaddr_t *va,
    vaddr_t eva, struct shared *sh)
{
	uint64_t groups = table_page(src)->groups;
	int error = 0;

	for (; *va < eva; *va += PAGE_SIZE, src++, dst++) {
		pte_t e = pte_load(src);
		struct vm_page *pg;

		if (unlikely(e == 0)) {
			unsigned n = unused_run(groups, *va);

			if (n > 0) {
				*va += (n - 1) * PAGE_SIZE;
				src += n - 1;
				dst += n - 1;
			}
			continue;
		}
		pg = plain_page(e);
		if (unlikely(pg == NULL)) {
			error = EBUSY;
			break;
		}
		page_hold(pg);
		/* Until the hardware sets no A or D in between. */
		while (pte_cow(e) != e &&
		    !__atomic_compare_exchange_n(src, &e, pte_cow(e), false,
			__ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			continue;
		if (pte_permits(e, PMAP_W)) {
			if (sh->nnarrowed++ == 0)
				sh->first = *va;
			sh->last = *va;
			tlb_oracle_released(pg, from);
		}
		KASSERT(pte_load(dst) == 0);
		__atomic_store_n(dst, pte_cow(e), __ATOMIC_RELAXED);
		sh->seen |= e;
		sh->nleaves++;
	}
	return error;
}

/* Account for what stands in the table of @p dst now. */
static void
count_shared(struct pmap *from, struct pmap *to, const pte_t *src,
    const pte_t *dst, const struct shared *sh, struct tlb_gather *tg)
{
	struct vm_page *table = table_page(dst);

	table->offset += sh->nleaves;
	table->groups |= table_page(src)->groups; /* it may be too many */
	to->nleaves += sh->nleaves;
	if (sh->nnarrowed > 0) {
		tlb_gather_note(tg, from, sh->first, sh->last + PAGE_SIZE);
		tg->nnoted += sh->nnarrowed - 1;
	}
	if (pte_permits(sh->seen, PMAP_X))
		pmap_note_code(to, tg);
}

/* @p src is the entry at @p *va; both pmaps are locked. */
static int
share_table(struct pmap *from, struct pmap *to, pte_t *src, vaddr_t *va,
    vaddr_t eva, struct tlb_gather *tg)
{
	struct shared sh = { 0 };
	pte_t *dst;
	int error;

	/* No table for the child before there is something to enter. */
	while (*va < eva && pte_load(src) == 0) {
		unsigned n = unused_run(table_page(src)->groups, *va);

		*va += MAX(n, 1) * PAGE_SIZE;
		src += MAX(n, 1);
	}
	if (*va >= eva)
		return 0;
	if (plain_page(pte_load(src)) == NULL)
		return EBUSY;
	error = pmap_walk_alloc(to, *va, 0, &dst);
	if (error != 0)
		return error;
	error = share_entries(from, src, dst, va, eva, &sh);
	count_shared(from, to, src, dst, &sh, tg);
	return error;
}

int
pmap_share(struct pmap *from, struct pmap *to, vaddr_t *va, vaddr_t eva,
    struct tlb_gather *tg)
{
	struct pmap *first = from < to ? from : to;
	unsigned level = 0;
	int error = 0;
	pte_t *src;

	KASSERT(!(from->flags & PMAP_LINKS) && from->type == PMAP_USER);
	spin_lock(&first->lock);
	spin_lock_nested(first == from ? &to->lock : &from->lock);
	src = pmap_walk(from, *va, &level);
	if (level == 0) {
		error = share_table(from, to, src, va, table_end(*va, eva),
		    tg);
	} else {
		KASSERT(pte_load(src) == 0);
		*va = MIN(ROUND_DOWN(*va, level_size(level)) +
			level_size(level), eva);
	}
	spin_unlock(&from->lock);
	spin_unlock(&to->lock);
	*va = MIN(*va, eva); /* a run of unused entries may end behind it */
	return error;
}
