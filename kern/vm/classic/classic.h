/* SPDX-License-Identifier: MIT */
/*
 * classic.h - the classic design: the page table is the truth.
 *
 * A space is a sorted set of regions and a page table.  What a page is stands
 * in its entry: empty (zero-fill or look into the store), leaf, copy-on-write
 * leaf, no-access leaf, later a swap slot.  Sharing after fork is a count in
 * struct vm_page.  A shared region has a store: a page table of its own that is
 * never loaded, indexed by offset, as the regions of System V.
 * Locks: vmspace (regions), then pmap of the space or of a store, never both.
 * Source: Bach, The Design of the UNIX Operating System, chapters 6 and 9.
 */
#ifndef VM_CLASSIC_H
#define VM_CLASSIC_H

#include "vm/region.h"

/** Frames of a shared anonymous region, by offset. */
struct classic_store {
	struct region_store base;
	struct pmap *table; /* PMAP_STORE */
	struct list link;   /* all stores, for vm_check() */
};

struct classic_space {
	struct region_map regions;
	size_t nswapped; /* [a] software words in the table */
};

static inline struct classic_space *
classic_of(const struct vmspace *vs)
{
	return vs->priv;
}

static inline struct classic_store *
store_of(const struct region *r)
{
	return container_of(r->store, struct classic_store, base);
}

/* ---- store.c ---- */

/** @retval ENOMEM */
int store_create(struct region_store **out);
/** Scan the tables of all stores. @pre no operation is under way */
void store_foreach_table(pmap_scan_fn *fn, void *arg);

/* ---- classic_fault.c, _file.c, _fork.c, _page.c: slots ---- */

/** One fault, on its way through the cases. */
struct fault {
	struct vmspace *vs;
	const struct region *r;
	vaddr_t va;	 /* page */
	unsigned access; /* PMAP_R, _W or _X */
	unsigned bits;	 /* rights to give, and A and D as the access sets */
	struct vm_txn *txn;
};

int classic_fault(struct vmspace *, const struct vm_fault *, struct vm_txn *);
/** A fault on pages of an object; @p seen is the entry, which may be empty. */
int classic_file_fault(const struct fault *, const struct pmap_leaf *seen);
int classic_obj_revoke(struct vm_object *, uint64_t first, uint64_t end,
    vm_prot_t keep, struct vm_txn *);
int classic_pin(struct vmspace *, vaddr_t, vm_prot_t, struct vm_page **,
    struct vm_txn *);
int classic_fork(struct vmspace *parent, struct vmspace *child,
    struct vm_txn *);
/* The software word of a page in a swap slot keeps its D. */
static inline uint64_t
swap_word(uint64_t slot, bool dirty)
{
	return PMAP_SOFT_WORD(PMAP_SOFT_SWAP, slot << 1 | dirty);
}

static inline uint64_t
swap_slot(uint64_t word)
{
	return PMAP_SOFT_VALUE(word) >> 1;
}

static inline bool
swap_dirty(uint64_t word)
{
	return PMAP_SOFT_VALUE(word) & 1;
}

unsigned classic_pageout(unsigned want);
/** A fault on software word @p seen of @p table at @p va: the page comes back,
 * with @p bits; without W while others share its slot.  @p cs: whose word it
 * is, NULL: a store's.  @retval VM_WAIT it must be read first */
int classic_swap_in(struct classic_space *cs, struct pmap *table, vaddr_t va,
    unsigned bits, const struct pmap_leaf *seen, struct vm_txn *);
/** Remove the software words of [@p sva, @p eva).
 * _locked: with vm_object_lock held */
void classic_swap_clear(struct classic_space *cs, struct pmap *table,
    vaddr_t sva, vaddr_t eva);
void classic_swap_clear_locked(struct classic_space *cs, struct pmap *table,
    vaddr_t sva, vaddr_t eva);
unsigned classic_pg_harvest(struct vm_page *, unsigned clear, struct vm_txn *);
int classic_pg_revoke(struct vm_page *, vm_prot_t keep, struct vm_txn *);
int classic_pg_evict(struct vm_page *, struct vm_txn *);
int classic_check(struct vmspace *);
void classic_count_refs(struct vmspace *, void (*)(struct vm_page *, void *),
    void *);
void classic_dump(struct vmspace *, struct sink *);

/** Remove all leaves of [@p sva, @p eva) of one region into the gather.
 * @retval VM_WAIT the gather is full: flush and call again */
int classic_clear_leaves(struct vmspace *, const struct region *, vaddr_t sva,
    vaddr_t eva, struct vm_txn *);

#endif
