/* SPDX-License-Identifier: MIT */
/*
 * tlb.c - the gather and the shootdown protocol.
 *
 * Path: space.c or fault.c -> tlb_gather_flush -> bump generations, read CPU
 * masks, interrupt the others, flush here, wait -> free frames and tables.
 * The receiving side is tlb_ipi; CPUs that do not run the space catch up when
 * they join it (tlb_join).
 * Locks: none.  requests[c] belongs to CPU c while nobody is left in its
 * waiting mask; inbox[c] has one bit for each initiator that wants CPU c.
 * Invariants: C1-C12 of docs/design.md; the letters stand where they hold.
 */
#include "vm/tlb.h"

#include "abi/errno.h"
#include "arch/ipi.h"
#include "lib/printf.h"
#include "mem/oracle.h"
#include "sync/counter.h"
#include "sync/sched.h"
#include "vm/pmap.h"
#include "vm/pmap_priv.h"

struct tlb_policy tlb_policy;
static bool plain_targets;  /* those that run the space, and no others */
static bool plain_delivery; /* by an interrupt, always */

/* What an initiator asks of others; at most one at a time a CPU. */
static struct tlb_request {
	uint16_t nranges;
	uint16_t rare; /* what concerns the targets */
	struct tlb_range range[TLB_GATHER_SPACES];
	uint64_t waiting; /* [a] targets that have not answered */
} __cacheline requests[MAXCPU];

static struct {
	uint64_t initiators; /* [a] */
} __cacheline inbox[MAXCPU];

int
tlb_init(const struct tlb_policy *policy)
{
	unsigned count = mmu_asid_count();

	if (policy->deliver == TLB_DELIVER_SBI &&
	    !mmu_remote_flush_asid(0, 0)) {
		kprintf("tlb.deliver=sbi: this machine has no remote fence; "
			"boot with tlb.deliver=ipi\n");
		return EOPNOTSUPP;
	}
	tlb_policy = *policy;
	plain_targets = policy->targets == TLB_TARGETS_MASK &&
	    policy->catchup != TLB_CATCHUP_EAGER;
	plain_delivery = policy->deliver == TLB_DELIVER_IPI &&
	    policy->catchup != TLB_CATCHUP_TICK;
	if (policy->asid_bits >= 0 && policy->asid_bits < 16)
		count = MIN(count, 1u << policy->asid_bits);
	asid_init(count);
	return 0;
}

/* ---- the gather ---- */

#define BATCH_MAX (PAGE_SIZE / sizeof(void *) - 1)

struct tlb_batch {
	struct tlb_batch *next;
	struct vm_page *page[BATCH_MAX];
};

__slowpath void
tlb_gather_note_more(struct tlb_gather *tg, struct pmap *pm, vaddr_t sva,
    vaddr_t eva)
{
	struct tlb_range *r;

	for (unsigned i = 0; i < tg->nranges; i++) {
		r = &tg->range[i];
		if (r->pm != pm)
			continue;
		r->sva = MIN(r->sva, sva);
		r->eva = MAX(r->eva, eva);
		return;
	}
	if (tg->nranges == TLB_GATHER_SPACES) {
		/* No room: every CPU will drop everything. The generation is
		 * advanced now, since no range remembers to do it. */
		__atomic_fetch_add(&pm->gen, 1, __ATOMIC_SEQ_CST);
		tg->rare |= TLB_RARE_EVERYTHING;
		return;
	}
	pmap_hold(pm);
	tg->range[tg->nranges++] = (struct tlb_range){ pm, sva, eva, 0 };
}

__slowpath int
tlb_gather_grow(struct tlb_gather *tg)
{
	struct vm_page *frame = frame_alloc(FRAME_DEFAULT);
	struct tlb_batch *b;

	if (frame == NULL)
		return EAGAIN;
	b = page_to_virt(frame);
	b->next = tg->batch;
	tg->batch = b;
	tg->rare |= TLB_RARE_FREE;
	tg->next = b->page;
	tg->end = b->page + BATCH_MAX;
	return 0;
}

void
tlb_gather_table(struct tlb_gather *tg, struct vm_page *pg)
{
	pg->link.next = tg->tables;
	tg->tables = &pg->link;
	tg->rare |= TLB_RARE_FREE;
	tg->used = true;
}

static void
drop_pages(struct vm_page **pg, struct vm_page **end)
{
	for (; pg < end; pg++)
		page_drop(*pg);
}

static __attribute__((noinline)) void
release_rare(struct tlb_gather *tg)
{
	struct vm_page **end = tg->next; /* older batches are full */
	struct tlb_batch *b;
	struct list *l;

	while ((b = tg->batch) != NULL) {
		drop_pages(b->page, end);
		tg->batch = b->next;
		end = tg->batch != NULL ? tg->batch->page + BATCH_MAX :
					  tg->page + TLB_GATHER_PAGES;
		frame_free(phys_to_page(virt_to_phys(b)));
	}
	tg->next = end;
	while ((l = tg->tables) != NULL) {
		tg->tables = l->next;
		table_free(LIST_ENTRY(l, struct vm_page, link));
	}
	tg->end = tg->page + TLB_GATHER_PAGES;
}

/* Nothing can reach the frames and tables any more. */
static __attribute__((noinline)) void
release(struct tlb_gather *tg)
{
	unsigned nranges = tg->nranges;

	if (unlikely(tg->rare != 0))
		release_rare(tg);
	drop_pages(tg->page, tg->next);
	tlb_gather_empty_again(tg);
	for (unsigned i = 0; i < nranges; i++)
		pmap_drop(tg->range[i].pm);
}

/* The reference to *@p pg was the last one. */
static __attribute__((noinline)) void
release_from(struct tlb_gather *tg, struct vm_page **pg)
{
	frame_free(*pg);
	drop_pages(tg->page, pg);
	tlb_gather_empty_again(tg);
	pmap_drop(tg->range[0].pm);
}

/* The same for one range, no batch and no tables.  Whoever is called is called
 * last, so that the usual flush saves no registers. */
static __always_inline void
release_usual(struct tlb_gather *tg)
{
	for (struct vm_page **pg = tg->next; pg > tg->page;) {
		if (unlikely(page_drop_last(*--pg))) {
			release_from(tg, pg);
			return;
		}
	}
	tlb_gather_empty_again(tg);
	pmap_drop(tg->range[0].pm);
}

/* ---- flushing on this CPU; interrupts off ---- */

static __slowpath void
flush_whole(struct pmap *pm)
{
	/* Read before the fence: what comes later is not covered. */
	uint64_t gen = __atomic_load_n(&pm->gen, __ATOMIC_SEQ_CST);

	if (pm->type == PMAP_KERNEL)
		mmu_flush_all();
	else
		mmu_flush_asid(asid_number(pm));
	__atomic_store_n(&pm->cpu_gen[cpu_id()], gen, __ATOMIC_RELEASE);
}

/* This CPU does not run the space, or has missed something, or the range is
 * large. */
static __slowpath void
flush_local_rare(const struct tlb_range *r)
{
	struct pmap *pm = r->pm;
	uint64_t self = (uint64_t)1 << cpu_id();

	if (pm->cpu_gen[cpu_id()] >= r->gen)
		return;
	if (pm->type != PMAP_KERNEL && pmap_current() != pm) {
		/* Catches up when it joins (C4: the generation is advanced
		 * already), or is asked to be eager. */
		if (tlb_policy.catchup != TLB_CATCHUP_EAGER ||
		    !(__atomic_load_n(&pm->cached, __ATOMIC_RELAXED) & self))
			return;
		__atomic_fetch_and(&pm->cached, ~self, __ATOMIC_SEQ_CST);
	}
	flush_whole(pm);
}

/* The usual way; false: nothing was done. */
static __always_inline bool
flush_alone(const struct tlb_range *r)
{
	struct cpu *self = this_cpu();
	struct pmap *pm = r->pm;
	uint64_t *have = &pm->cpu_gen[self->id];

	/* C3: a range alone only if nothing was missed in between. */
	if (unlikely(*have + 1 != r->gen || self->pmap != pm ||
		r->eva - r->sva > TLB_RANGE_MAX * PAGE_SIZE))
		return false;
	mmu_flush_range(asid_number(pm), r->sva, r->eva);
	__atomic_store_n(have, r->gen, __ATOMIC_RELEASE);
	return true;
}

static void
flush_local(const struct tlb_range *r)
{
	if (!flush_alone(r))
		flush_local_rare(r);
}

static __slowpath void
flush_everything(void)
{
	struct pmap *pm = pmap_current();
	uint64_t gen = __atomic_load_n(&pm->gen, __ATOMIC_SEQ_CST);

	mmu_flush_all();
	__atomic_store_n(&pm->cpu_gen[cpu_id()], gen, __ATOMIC_RELEASE);
}

static void
carry_out(const struct tlb_request *rq)
{
	for (unsigned i = 0; i < rq->nranges; i++)
		flush_local(&rq->range[i]);
	if (rq->rare & TLB_RARE_EVERYTHING)
		flush_everything();
	if (rq->rare & TLB_RARE_ICACHE)
		mmu_sync_icache();
}

/* The initiator may reuse its request now. */
static __always_inline void
answer(struct tlb_request *rq)
{
	__atomic_fetch_and(&rq->waiting, ~((uint64_t)1 << cpu_id()),
	    __ATOMIC_RELEASE);
}

/* @p from: initiators that wait for this CPU. */
static __slowpath void
serve(uint64_t from)
{
	for (; from != 0; from &= from - 1) {
		struct tlb_request *rq = &requests[__builtin_ctzll(from)];

		carry_out(rq);
		answer(rq);
	}
}

void
tlb_ipi(void)
{
	uint64_t from = __atomic_exchange_n(&inbox[cpu_id()].initiators, 0,
	    __ATOMIC_SEQ_CST);

	for (; from != 0; from &= from - 1) {
		struct tlb_request *rq = &requests[__builtin_ctzll(from)];

		/* As carry_out(), without its calls. */
		if (unlikely(rq->nranges != 1 || rq->rare != 0 ||
			!flush_alone(&rq->range[0]))) {
			serve(from);
			return;
		}
		answer(rq);
	}
}

void
tlb_tick(void)
{
	struct pmap *pm = pmap_current();

	if (tlb_policy.catchup == TLB_CATCHUP_TICK &&
	    pm->cpu_gen[cpu_id()] !=
		__atomic_load_n(&pm->gen, __ATOMIC_SEQ_CST))
		flush_whole(pm);
}

/* ---- the initiator ---- */

static uint64_t
all_cpus(void)
{
	return ((uint64_t)1 << ncpu) - 1;
}

/* CPUs that must act for one range.  The entry was stored and the generation
 * advanced before: a CPU that joins after this read sees both (C2). */
static __always_inline uint64_t
targets_of(const struct tlb_range *r)
{
	struct pmap *pm = r->pm;
	uint64_t active = __atomic_load_n(&pm->active, __ATOMIC_RELAXED);

	if (likely(plain_targets && pm->type != PMAP_KERNEL))
		return active;
	if (tlb_policy.targets == TLB_TARGETS_ALL || pm->type == PMAP_KERNEL)
		return all_cpus();
	return active | __atomic_load_n(&pm->cached, __ATOMIC_RELAXED);
}

static __always_inline void
count(const struct tlb_gather *tg)
{
	counter_add(TS_shootdowns, 1);
	counter_add(TS_shootdown_pages, tg->nnoted);
}

static __attribute__((noinline)) void
flush_here(const struct tlb_gather *tg)
{
	if (tg->nranges > 0)
		count(tg);
	(void)intr_disable();
	for (unsigned i = 0; i < tg->nranges; i++)
		flush_local(&tg->range[i]);
	if (tg->rare & TLB_RARE_EVERYTHING)
		flush_everything();
	if (tg->rare & TLB_RARE_ICACHE)
		pmap_user_fence();
	intr_enable();
}

static void
count_targets(uint64_t targets)
{
	uint64_t n = 0;

	for (; targets != 0; targets &= targets - 1)
		n++;
	counter_add(TS_shootdown_targets, n);
	counter_add(TS_shootdown_waits, 1);
}

/* One turn of a loop that waits.  Crossed initiators serve each other. */
static void
wait_turn(void)
{
	if (__atomic_load_n(&inbox[cpu_id()].initiators, __ATOMIC_RELAXED) !=
	    0) {
		(void)intr_disable();
		tlb_ipi();
		intr_enable();
	}
	cpu_relax();
}

static __always_inline void
wait_for_answers(const struct tlb_request *rq)
{
	while (__atomic_load_n(&rq->waiting, __ATOMIC_ACQUIRE) != 0)
		wait_turn();
}

/* Interrupt first: this CPU flushes and counts while the others are on their
 * way into the kernel. */
static __always_inline void
shoot_ipi(const struct tlb_gather *tg, uint64_t targets)
{
	unsigned self = cpu_id();
	struct tlb_request *rq = &requests[self];
	uint64_t interrupt = 0;

	rq->nranges = tg->nranges;
	rq->rare = tg->rare & ~TLB_RARE_FREE;
	rq->range[0] = tg->range[0];
	for (unsigned i = 1; i < tg->nranges; i++)
		rq->range[i] = tg->range[i];
	__atomic_store_n(&rq->waiting, targets, __ATOMIC_RELAXED);
	for (uint64_t left = targets; left != 0; left &= left - 1) {
		/* Not empty: its interrupt is on the way already. */
		if (likely(__atomic_fetch_or(
			&inbox[__builtin_ctzll(left)].initiators,
			(uint64_t)1 << self, __ATOMIC_SEQ_CST) == 0))
			interrupt |= left & -left;
	}
	ipi_send(interrupt, IPI_TLB);
	flush_here(tg);
	count_targets(targets);
	wait_for_answers(rq);
}

/* No interrupt: each target flushes at its next tick, or leaves the space. */
static void
wait_for_ticks(const struct tlb_range *r, uint64_t targets)
{
	for (; targets != 0; targets &= targets - 1) {
		unsigned c = (unsigned)__builtin_ctzll(targets);

		while (__atomic_load_n(&r->pm->cpu_gen[c], __ATOMIC_ACQUIRE) <
			r->gen &&
		    (__atomic_load_n(&r->pm->active, __ATOMIC_ACQUIRE) >> c &
			1))
			wait_turn();
	}
}

/* Whole spaces by firmware; the targets' generations stay old, so that their
 * next ranged flush becomes a whole one. */
static void
shoot_sbi(const struct tlb_range *r, uint64_t targets)
{
	(void)mmu_remote_flush_asid(targets, asid_number(r->pm));
	tlb_oracle_done(r->pm, r->gen);
}

/* By a policy that does without interrupts where it can. */
static __slowpath void
shoot_otherwise(const struct tlb_gather *tg, uint64_t targets)
{
	bool simple = !(tg->rare & ~TLB_RARE_FREE);

	for (unsigned i = 0; i < tg->nranges; i++)
		simple &= tg->range[i].pm->type != PMAP_KERNEL;
	if (!simple) {
		shoot_ipi(tg, targets);
		return;
	}
	flush_here(tg);
	count_targets(targets);
	for (unsigned i = 0; i < tg->nranges; i++) {
		const struct tlb_range *r = &tg->range[i];
		uint64_t t = targets_of(r) & targets;

		if (tlb_policy.deliver == TLB_DELIVER_SBI)
			shoot_sbi(r, t);
		else
			wait_for_ticks(r, t);
	}
}

/* This CPU and @p targets flush. */
static __attribute__((noinline)) void
shoot(struct tlb_gather *tg, uint64_t targets)
{
	if (likely(plain_delivery))
		shoot_ipi(tg, targets);
	else
		shoot_otherwise(tg, targets);
	release(tg); /* C1: only now */
}

static void
might_shoot(void)
{
#ifdef DEBUG
	/* C6: a target that spins on our lock, or that waits for us with our
	 * interrupts off, would never answer. */
	lockset_assert_none("shootdown", true);
	KASSERT(intr_enabled() && this_cpu()->irq_depth == 0);
#endif
}

/* Advance the generations; returns the other CPUs that must act. */
static __always_inline uint64_t
announce(struct tlb_gather *tg, unsigned nranges, unsigned rare)
{
	uint64_t targets = 0;

	/* Release: who sees the generation sees the entries as well. */
	for (unsigned i = 0; i < nranges; i++)
		tg->range[i].gen = __atomic_add_fetch(&tg->range[i].pm->gen, 1,
		    __ATOMIC_RELEASE);
	mb(); /* C2: both before the masks */
	for (unsigned i = 0; i < nranges; i++)
		targets |= targets_of(&tg->range[i]);
	if (rare & TLB_RARE_EVERYTHING)
		targets = all_cpus();
	if (rare & TLB_RARE_ICACHE)
		targets |= __atomic_load_n(&pmap_current()->active,
		    __ATOMIC_RELAXED);
	return targets & ~((uint64_t)1 << cpu_id());
}

static __attribute__((noinline)) void
flush_only_here(struct tlb_gather *tg)
{
	flush_here(tg);
	release(tg);
}

static __attribute__((noinline)) void
flush_any(struct tlb_gather *tg)
{
	uint64_t targets = 0;

	if (tg->nranges != 0 || (tg->rare & ~TLB_RARE_FREE))
		targets = announce(tg, tg->nranges, tg->rare);
	if (targets != 0)
		shoot(tg, targets);
	else
		flush_only_here(tg);
}

/* One range, only this CPU, nothing missed: the usual flush is a straight line
 * without calls, but for the last one on the way out. */
void
tlb_gather_flush(struct tlb_gather *tg)
{
	uint64_t targets;
	bool done;

	might_shoot();
	if (unlikely(tg->nranges != 1 || tg->rare != 0)) {
		flush_any(tg);
		return;
	}
	targets = announce(tg, 1, 0);
	if (unlikely(targets != 0)) {
		shoot(tg, targets);
		return;
	}
	(void)intr_disable();
	done = flush_alone(&tg->range[0]);
	intr_enable();
	if (unlikely(!done)) {
		flush_only_here(tg);
		return;
	}
	count(tg);
	release_usual(tg);
}

/* ---- joining and leaving; interrupts off ---- */

unsigned
tlb_join(struct pmap *pm)
{
	unsigned self = cpu_id();
	uint64_t bit = (uint64_t)1 << self;
	uint64_t gen;
	unsigned asid;
	bool fresh;

#ifdef DEBUG
	__atomic_fetch_or(&pm->joining, bit, __ATOMIC_SEQ_CST);
#endif
	__atomic_fetch_or(&pm->active, bit, __ATOMIC_SEQ_CST);
	if (tlb_policy.catchup == TLB_CATCHUP_EAGER)
		__atomic_fetch_or(&pm->cached, bit, __ATOMIC_SEQ_CST);
	mb(); /* C2: the mask before the generation and any table walk */
	gen = __atomic_load_n(&pm->gen, __ATOMIC_SEQ_CST);
	asid = asid_join(pm, &fresh);
	if (pm->cpu_gen[self] != gen) {
		if (!fresh)
			mmu_flush_asid(asid);
		__atomic_store_n(&pm->cpu_gen[self], gen, __ATOMIC_RELEASE);
	}
#ifdef DEBUG
	__atomic_fetch_and(&pm->joining, ~bit, __ATOMIC_SEQ_CST);
#endif
	return asid;
}

void
tlb_leave(struct pmap *pm)
{
	__atomic_fetch_and(&pm->active, ~((uint64_t)1 << cpu_id()),
	    __ATOMIC_SEQ_CST);
}
