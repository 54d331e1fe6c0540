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

#include "lib/rbtree.h"
#include "vm/vm.h"

/** Frames of a shared anonymous region, by offset. */
struct classic_store {
	uint32_t refs;	    /* [a] regions */
	struct pmap *table; /* PMAP_STORE */
	struct list link;   /* all stores, for vm_check() */
};

/** [sva, eva) with one set of attributes.  All fields: space lock. */
struct region {
	struct rb_node node; /* key = sva */
	vaddr_t eva;
	uint8_t prot, maxprot;
	uint8_t source;	     /* VM_ANON, VM_PHYS, VM_FILE */
	uint8_t flags;	     /* VM_MAP_SHARED, _STACK, _HEAP */
	bool writable;	     /* it was once: private leaves may be copies */
	struct classic_store *store; /* shared: frames; else NULL */
	uint64_t offset;     /* of sva in store or object; PHYS: physical */
	struct vm_object *object; /* VM_FILE; with a reference */
	/* Of a FILE region that is in a space: */
	struct vmspace *vs;  /* which */
	struct list mapping; /* [vm_object_lock] in object->mappings */
};

struct classic_space {
	struct rb_tree regions;
	unsigned nregions;
	vaddr_t hint; /* the next search for room starts below */
	struct region *last; /* [a] found last; NULL: none */
	size_t nswapped;     /* [a] software words in the table */
};

#define REGIONS_MAX 65536 /* per space, as vm.max_map_count */

static inline struct classic_space *
classic_of(const struct vmspace *vs)
{
	return vs->priv;
}

static inline vaddr_t
region_sva(const struct region *r)
{
	return r->node.key;
}

/* ---- region.c ---- */

void region_init(void);
struct region *region_search(const struct vmspace *, vaddr_t va);
/** Region that contains @p va, or NULL: most often the one found last. */
static inline struct region *
region_find(const struct vmspace *vs, vaddr_t va)
{
	struct region *r = __atomic_load_n(&classic_of(vs)->last,
	    __ATOMIC_RELAXED);

	if (likely(r != NULL && region_sva(r) <= va && va < r->eva))
		return r;
	return region_search(vs, va);
}
/** First region that ends after @p va, or NULL. */
struct region *region_first(const struct vmspace *, vaddr_t va);
struct region *region_next(const struct region *);
/** No source, all else undefined, in no tree; NULL. */
struct region *region_alloc(void);
/** A copy of @p from with its references, in no tree; NULL. */
struct region *region_clone(const struct region *from);
/** Not in a tree: free, and let the store go. */
void region_free(struct region *);
/** @pre overlaps no other */
void region_insert(struct vmspace *, struct region *);
void region_remove(struct vmspace *, struct region *);
/** Let no region cross @p sva or @p eva. All or nothing. @retval ENOMEM */
int region_split(struct vmspace *, vaddr_t sva, vaddr_t eva);
/** Merge @p r with equal neighbours; @return what @p r became. */
struct region *region_merge(struct vmspace *, struct region *);
/** @retval ENOMEM no gap of that size */
int region_find_gap(struct vmspace *, vaddr_t hint, size_t size, vaddr_t *out);
/** Whether regions cover all of [@p sva, @p eva). */
bool region_covers(const struct vmspace *, vaddr_t sva, vaddr_t eva);

int store_create(struct classic_store **out);
void store_drop(struct classic_store *);
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

static inline bool
region_shared(const struct region *r)
{
	return (r->flags & VM_MAP_SHARED) != 0;
}

/** Rights of a leaf: what the region and the overlay allow. */
static inline unsigned
classic_rights(const struct vmspace *vs, const struct region *r, vaddr_t va)
{
	return r->prot & vm_overlay_cap(vs, va);
}

/** Remove all leaves of [@p sva, @p eva) of one region into the gather.
 * @retval VM_WAIT the gather is full: flush and call again */
int classic_clear_leaves(struct vmspace *, const struct region *, vaddr_t sva,
    vaddr_t eva, struct vm_txn *);

#endif
