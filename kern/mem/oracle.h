/* SPDX-License-Identifier: MIT */
/**
 * @file oracle.h
 * Stale-translation oracle of DEBUG builds; implemented in vm/tlb_oracle.c.
 *
 * QEMU hides many missing flushes (ASID reuse above all), so the kernel itself
 * proves that a frame is reused only when no CPU can still translate to it.  A
 * frame that leaves a mapping remembers the space and the generation that must
 * pass; when it is handed out again, every CPU that runs the space must have
 * passed that generation.
 */
#ifndef MEM_ORACLE_H
#define MEM_ORACLE_H

#include "lib/types.h"

struct pmap;
struct vm_page;

#ifdef DEBUG
/** A leaf of @p pm that mapped @p pg was removed or replaced. */
void tlb_oracle_released(struct vm_page *pg, const struct pmap *pm);
/** @p pg is handed out again: panics if a CPU may still reach it. */
void tlb_oracle_reused(struct vm_page *pg);
/** @p pm exists from now on / is about to be freed. */
void tlb_oracle_pmap_created(struct pmap *pm);
void tlb_oracle_pmap_gone(struct pmap *pm);
/** Every CPU has carried out flush @p gen (firmware fences, which do not
 * advance the generations of the CPUs). */
void tlb_oracle_done(struct pmap *pm, uint64_t gen);
#else
static inline void
tlb_oracle_released(struct vm_page *pg, const struct pmap *pm)
{
	(void)pg, (void)pm;
}

static inline void
tlb_oracle_reused(struct vm_page *pg)
{
	(void)pg;
}

static inline void
tlb_oracle_pmap_created(struct pmap *pm)
{
	(void)pm;
}

static inline void
tlb_oracle_pmap_gone(struct pmap *pm)
{
	(void)pm;
}

static inline void
tlb_oracle_done(struct pmap *pm, uint64_t gen)
{
	(void)pm, (void)gen;
}
#endif

#endif
