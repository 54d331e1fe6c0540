/* SPDX-License-Identifier: MIT */
/*
 * tlb_oracle.c - DEBUG: no frame is reused while a CPU may translate to it.
 *
 * Path: lost_leaf (pmap.c) -> tlb_oracle_released; frame_alloc ->
 * tlb_oracle_reused.  The check needs no unlucky access: it compares
 * generations, and so finds the flushes whose lack QEMU hides.
 */
#include "mem/oracle.h"

#ifdef DEBUG
#include "vm/pmap.h"

#define NBUCKETS 64

static struct spinlock live_lock = SPINLOCK_INIT(RANK_MISC, "oracle");
static struct list live[NBUCKETS]; /* [live_lock] pmaps by id */

static struct list *
bucket(uint64_t id)
{
	struct list *b = &live[id % NBUCKETS];

	if (b->next == NULL)
		list_init(b);
	return b;
}

void
tlb_oracle_pmap_created(struct pmap *pm)
{
	spin_lock(&live_lock);
	list_push_back(bucket(pm->id), &pm->live_link);
	spin_unlock(&live_lock);
}

void
tlb_oracle_pmap_gone(struct pmap *pm)
{
	spin_lock(&live_lock);
	list_remove(&pm->live_link);
	spin_unlock(&live_lock);
}

void
tlb_oracle_done(struct pmap *pm, uint64_t gen)
{
	uint64_t done = __atomic_load_n(&pm->done_gen, __ATOMIC_RELAXED);

	while (done < gen &&
	    !__atomic_compare_exchange_n(&pm->done_gen, &done, gen, false,
		__ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
}

void
tlb_oracle_released(struct vm_page *pg, const struct pmap *pm)
{
	/* Another space may let go of the same frame now: without the lock the
	 * two words would mix. The one that is overwritten is not checked. */
	spin_lock(&live_lock);
	pg->stale_pmap = pm->id;
	/* The flush to come advances gen at least once. */
	pg->stale_gen = __atomic_load_n(&pm->gen, __ATOMIC_SEQ_CST) + 1;
	spin_unlock(&live_lock);
}

static bool
is_stale(const struct vm_page *pg, const struct pmap *pm, unsigned c)
{
	uint64_t bit = (uint64_t)1 << c;

	/* One that joins catches up before it loads the root. The order of the
	 * three loads is the reverse of tlb_join's stores. */
	return __atomic_load_n(&pm->cpu_gen[c], __ATOMIC_SEQ_CST) <
	    pg->stale_gen &&
	    (__atomic_load_n(&pm->active, __ATOMIC_SEQ_CST) & bit) &&
	    !(__atomic_load_n(&pm->joining, __ATOMIC_SEQ_CST) & bit) &&
	    __atomic_load_n(&pm->cpu_gen[c], __ATOMIC_SEQ_CST) <
		pg->stale_gen &&
	    (__atomic_load_n(&pm->active, __ATOMIC_SEQ_CST) & bit);
}

static void
check(const struct vm_page *pg, const struct pmap *pm)
{
	if (__atomic_load_n(&pm->done_gen, __ATOMIC_SEQ_CST) >= pg->stale_gen)
		return;
	for (unsigned c = 0; c < ncpu; c++)
		if (is_stale(pg, pm, c))
			panic("stale translation: frame 0x%lx reused, CPU %u "
			      "has flushed space %lu up to %lu of %lu",
			    (unsigned long)page_to_phys(pg), c,
			    (unsigned long)pm->id,
			    (unsigned long)pm->cpu_gen[c],
			    (unsigned long)pg->stale_gen);
}

void
tlb_oracle_reused(struct vm_page *pg)
{
	if (pg->stale_pmap == 0)
		return;
	spin_lock(&live_lock);
	LIST_FOREACH(l, bucket(pg->stale_pmap)) {
		const struct pmap *pm = LIST_ENTRY(l, struct pmap, live_link);

		if (pm->id == pg->stale_pmap)
			check(pg, pm);
	}
	spin_unlock(&live_lock);
	pg->stale_pmap = 0;
}
#endif
