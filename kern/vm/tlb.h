/* SPDX-License-Identifier: MIT */
/**
 * @file tlb.h
 * Invalidation as a value: the gather, and the shootdown protocol.
 * Source: Black et al., Translation Lookaside Buffer Consistency, ASPLOS 1989;
 * the generation scheme follows the idea of Linux arch/x86/mm/tlb.c.
 */
/*
 * The law: unhook, invalidate, free, in that order.  Each pmap call that can
 * weaken or replace a mapping notes it in a gather; frames and table pages that
 * lose a mapping go into the same gather.  tlb_gather_flush() then chooses the
 * CPUs, interrupts them, waits for all, and only then drops the references.
 *
 * A gather spans several spaces.  When it has no room for another space it
 * degrades to "flush everything on every CPU"; ranges of one space that are not
 * adjacent degrade to their hull, and a large hull to the whole space.
 *
 * Generations (conditions C1-C12 of docs/design.md).  pmap->gen counts the
 * weakening flushes of a space; pmap->cpu_gen[c] is the last one that CPU c has
 * carried out.  A CPU that joins the space compares them; an initiator bumps
 * gen before it reads the CPU mask.  A range may be flushed alone only if
 * gen = cpu_gen + 1, else the whole space.
 */
#ifndef VM_TLB_H
#define VM_TLB_H

#include "abi/errno.h"
#include "lib/list.h"
#include "lib/panic.h"
#include "vm/prot.h"

struct pmap;
struct vm_page;

#define TLB_GATHER_SPACES 4  /* spaces before "everything" */
#define TLB_GATHER_PAGES  24 /* frames before a batch page is allocated */
#define TLB_RANGE_MAX	  16 /* pages in a ranged flush; more: whole space */

struct tlb_range {
	struct pmap *pm;  /* reference held from the first note to the flush */
	vaddr_t sva, eva; /* hull of what was noted */
	uint64_t gen;	  /* of pm, set by the flush */
};

struct tlb_batch; /* one frame full of page pointers */

/* What a usual gather does not have. */
#define TLB_RARE_EVERYTHING 1u /* more spaces than ranges */
#define TLB_RARE_ICACHE	    2u /* executable pages were entered */
#define TLB_RARE_FREE	    4u /* a batch or tables */

struct tlb_gather {
	bool used;	 /* anything below is */
	uint8_t rare;	 /* TLB_RARE_* */
	uint16_t nranges;
	uint32_t nnoted; /* leaves noted: counter of the benchmark */
	struct vm_page **next, **end; /* room in page[] or the newest batch */
	struct tlb_batch *batch;      /* newest first; NULL: page[] suffices */
	struct list *tables;	      /* chain through vm_page.link.next */
	struct tlb_range range[TLB_GATHER_SPACES];
	struct vm_page *page[TLB_GATHER_PAGES];
};

/** After a flush of one without a batch or tables. */
static inline void
tlb_gather_empty_again(struct tlb_gather *tg)
{
	tg->used = false;
	tg->rare = 0;
	tg->nranges = 0;
	tg->nnoted = 0;
	tg->next = tg->page;
}

/** Start with nothing noted. Does not touch the arrays. */
static inline void
tlb_gather_init(struct tlb_gather *tg)
{
	tlb_gather_empty_again(tg);
	tg->end = tg->page + TLB_GATHER_PAGES;
	tg->batch = NULL;
	tg->tables = NULL;
}

/** As tlb_gather_note (pmap_priv.h), for a second space or one too many. */
void tlb_gather_note_more(struct tlb_gather *, struct pmap *, vaddr_t sva,
    vaddr_t eva);

/** Room for more pages, in a frame of its own. @retval EAGAIN no memory */
int __must_check tlb_gather_grow(struct tlb_gather *);

/** Drop one reference of @p pg after the flush.  @return EAGAIN when there was
 * no room: flush first, then go on (nothing was taken over) */
static inline int __must_check
tlb_gather_page(struct tlb_gather *tg, struct vm_page *pg)
{
	if (unlikely(tg->next == tg->end) && tlb_gather_grow(tg) != 0)
		return EAGAIN;
	*tg->next++ = pg;
	tg->used = true;
	return 0;
}

/** The same for the first page of a gather in which a leaf was noted. */
static inline void
tlb_gather_page_first(struct tlb_gather *tg, struct vm_page *pg)
{
	KASSERT(tg->used && tg->next == tg->page);
	tg->page[0] = pg;
	tg->next = tg->page + 1;
}

/** Free table page @p pg after the flush (C5). @pre unhooked, and noted */
void tlb_gather_table(struct tlb_gather *, struct vm_page *pg);

/**
 * After this no CPU can use a noted translation; frames and tables are freed,
 * the gather is empty again.
 * @pre might_shoot(): no spin lock held, interrupts on, on a thread
 * @post counted as one shootdown if anything was noted
 */
void tlb_gather_flush(struct tlb_gather *);

/** True when tlb_gather_flush() has nothing at all to do. */
static inline bool
tlb_gather_empty(const struct tlb_gather *tg)
{
	return !tg->used;
}

/* Policies, chosen at boot. */
enum tlb_targets { TLB_TARGETS_MASK, TLB_TARGETS_ALL };
enum tlb_deliver { TLB_DELIVER_IPI, TLB_DELIVER_SBI };
enum tlb_catchup { TLB_CATCHUP_GEN, TLB_CATCHUP_EAGER, TLB_CATCHUP_TICK };

struct tlb_policy {
	enum tlb_targets targets; /* mask: CPUs that run the space; all */
	enum tlb_deliver deliver; /* sbi: RISC-V only */
	enum tlb_catchup catchup; /* gen: inactive CPUs flush when they join;
				   * eager: they are interrupted too;
				   * tick: no interrupt, the initiator waits
				   * for each target's next timer tick */
	int asid_bits;		  /* -1: what the hardware has */
};

/**
 * Choose the policy before user spaces exist.
 * @retval EOPNOTSUPP  deliver=sbi on a machine without it (a message says so)
 */
int tlb_init(const struct tlb_policy *);
extern struct tlb_policy tlb_policy;

/** Called on each timer tick (policy catchup=tick). */
void tlb_tick(void);

/* The CPU's side of joining and leaving a space; called by pmap_activate() and
 * pmap_lazy() with interrupts off. */

/** Mark this CPU as running @p pm, catch up with its generation, and return the
 * ASID to load the root with (C2). */
unsigned tlb_join(struct pmap *pm);
/** This CPU has loaded another root. */
void tlb_leave(struct pmap *pm);

/* asid.c */

/** @param count numbers that exist; < 2 means none: flush at each join */
void asid_init(unsigned count);
/** ASID for @p pm on this CPU; @p *fresh: no entry of it is in this TLB.
 * @pre interrupts off, @p pm is about to be loaded */
unsigned asid_join(struct pmap *pm, bool *fresh);

#endif
