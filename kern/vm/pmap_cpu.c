/* SPDX-License-Identifier: MIT */
/*
 * pmap_cpu.c - a pmap on a CPU: loading the root, spurious faults, the
 * instruction cache.
 *
 * Path: the scheduler's switch -> pmap_activate or pmap_lazy -> tlb_join,
 * mmu_load_root, tlb_leave, in this order (C2, C11).
 * Each CPU knows which pmap it has loaded (struct cpu); nobody else writes it.
 */
#include "vm/pmap_priv.h"

#include "sync/counter.h"

void
pmap_user_fence(void)
{
	struct pmap *pm = pmap_current();
	uint64_t self = (uint64_t)1 << cpu_id();

	if (MMU_ICACHE_COHERENT ||
	    likely(!(__atomic_load_n(&pm->icache_stale, __ATOMIC_RELAXED) &
		self)))
		return;
	/* Cleared first: a page entered from now on sets it again. */
	__atomic_fetch_and(&pm->icache_stale, ~self, __ATOMIC_SEQ_CST);
	mmu_sync_icache();
}

static void
load(struct pmap *pm, unsigned asid)
{
	struct pmap *old = pmap_current();

	this_cpu()->pmap = pm;
	mmu_load_root(pm->root, asid);
	/* Number 0 is shared: drop its entries on the way in and out.  Not
	 * before the load, since the hardware may walk the old root up to this
	 * moment; on the way out too, since under the kernel's root, which has
	 * number 0, it would go on through tables that are freed later. */
	if (!MMU_LOAD_FLUSHES && ((pm != &pmap_kernel && asid == 0) ||
	    (old != &pmap_kernel && asid_number(old) == 0)))
		mmu_flush_asid(0);
	if (old != &pmap_kernel)
		tlb_leave(old);
}

void
pmap_activate(struct pmap *pm)
{
	KASSERT(!intr_enabled() && pm->type == PMAP_USER);
	if (pmap_current() == pm)
		return;
	load(pm, tlb_join(pm));
	pmap_user_fence();
}

void
pmap_lazy(void)
{
	KASSERT(!intr_enabled());
	if (pmap_current() != &pmap_kernel)
		load(&pmap_kernel, 0);
}

bool
pmap_fixup(struct pmap *pm, vaddr_t va, vm_prot_t access)
{
	pte_t ad = PTE_A_MASK | (access & PMAP_W ? PTE_D_MASK : 0);
	unsigned level = 0;
	bool ok, on;
	pte_t *pte, raw;

	spin_lock(&pm->lock);
	pte = pmap_walk(pm, va, &level);
	raw = pte_load(pte);
	ok = pte_kind(raw, level) == PTE_KIND_LEAF &&
	    (pte_bits(raw) & access) == access;
	if (ok && (raw & ad) != ad)
		__atomic_fetch_or(pte, ad, __ATOMIC_SEQ_CST);
	spin_unlock(&pm->lock);
	if (!ok)
		return false;
	/* This CPU remembers a narrower or an invalid translation (C9). */
	on = intr_disable();
	if (pmap_current() == pm) {
		va = ROUND_DOWN(va, PAGE_SIZE);
		mmu_flush_range(asid_number(pm), va, va + PAGE_SIZE);
	}
	intr_restore(on);
	counter_add(TS_spurious_faults, 1);
	return true;
}
