/* SPDX-License-Identifier: MIT */
/**
 * @file region.h
 * The regions of a space: what was asked for, and where.
 *
 * For designs that describe a space by ranges with attributes and keep the
 * contents elsewhere: classic, in page tables, and the root pager on L4, in
 * sets of pages.  (Mach's vm_map is a structure of its own: its entries name
 * objects.)  Regions stand in a red-black tree by first address and never
 * overlap; neighbours with equal attributes are merged, so that a listing does
 * not depend on how it came about.
 *
 * Locks: the space's, exclusive for what changes the tree, shared to look.
 * Source: Gingell, Moran, Shannon, Virtual Memory Architecture in SunOS, 1987
 * (segments of an address space); Bach, 1986, chapter 6.
 */
#ifndef VM_REGION_H
#define VM_REGION_H

#include "lib/rbtree.h"
#include "vm/vm.h"

/** What holds the pages of shared anonymous memory; a design's own structure
 * begins with it. */
struct region_store {
	uint32_t refs; /* [a] regions */
	void (*destroy)(struct region_store *); /* [I] after the last one */
};

/** [sva, eva) with one set of attributes.  All fields: space lock. */
struct region {
	struct rb_node node; /* key = sva */
	vaddr_t eva;	     /* [a] a truncation reads it: region_npages() */
	uint8_t prot, maxprot;
	uint8_t source;	     /* VM_ANON, VM_PHYS, VM_FILE */
	uint8_t flags;	     /* VM_MAP_SHARED, _STACK, _HEAP */
	bool writable;	     /* it was once: private pages may be copies */
	struct region_store *store; /* shared anonymous; else NULL */
	uint64_t offset;     /* of sva in store or object; PHYS: physical */
	struct vm_object *object; /* VM_FILE; with a reference */
	/* Of a FILE region that is in a space: */
	struct vmspace *vs;  /* which */
	struct list mapping; /* [vm_object_lock] in object->mappings */
};

/** Searches for room start here, so that the stack keeps the top. */
#define REGION_TOP (USER_MAX - ((vaddr_t)64 << 20))

/** All regions of a space: vmspace.regions. */
struct region_map {
	struct rb_tree tree;
	unsigned nregions;
	vaddr_t hint;	     /* the next search for room starts below */
	struct region *last; /* [a] found last; NULL: none */
};

static inline vaddr_t
region_sva(const struct region *r)
{
	return r->node.key;
}

/** Of a region in a tree.  Who revokes the pages of a file has vm_object_lock
 * and no space; a part that is being cut off or added stands in both regions,
 * so either end will do. */
static inline void
region_set_eva(struct region *r, vaddr_t eva)
{
	__atomic_store_n(&r->eva, eva, __ATOMIC_RELAXED);
}

/** Pages of a FILE region, for who revokes. @locks vm_object_lock */
static inline uint64_t
region_npages(const struct region *r)
{
	return (__atomic_load_n(&r->eva, __ATOMIC_RELAXED) - region_sva(r)) >>
	    PAGE_SHIFT;
}

static inline bool
region_shared(const struct region *r)
{
	return (r->flags & VM_MAP_SHARED) != 0;
}

/** What region and overlay allow at @p va. */
static inline unsigned
region_rights(const struct vmspace *vs, const struct region *r, vaddr_t va)
{
	return r->prot & vm_overlay_cap(vs, va);
}

/** @ctx boot, once */
void region_init(void);
/** An empty map; also after the last region of a space has gone. */
void region_map_init(struct region_map *);

/* ---- looking ---- */

struct region *region_search(const struct vmspace *, vaddr_t va);
/** Region that contains @p va, or NULL: most often the one found last. */
static inline struct region *
region_find(const struct vmspace *vs, vaddr_t va)
{
	struct region *r = __atomic_load_n(&vs->regions->last,
	    __ATOMIC_RELAXED);

	if (likely(r != NULL && region_sva(r) <= va && va < r->eva))
		return r;
	return region_search(vs, va);
}
/** First region that ends after @p va, or NULL. */
struct region *region_first(const struct vmspace *, vaddr_t va);
struct region *region_next(const struct region *);
/** Whether regions cover all of [@p sva, @p eva). */
bool region_covers(const struct vmspace *, vaddr_t sva, vaddr_t eva);
/** Whether mprotect may give @p prot from @p r, which holds the first address,
 * up to @p eva. @retval ENOMEM a hole @retval EACCES beyond a maximum */
int region_check_protect(const struct region *r, vaddr_t eva, vm_prot_t prot);
/** For vm_check(): order and counts. @return 0, else prints and EINVAL */
int region_check(const struct vmspace *);

/* ---- single regions ---- */

/**
 * A region as @p rq asks for, with references to what its pages come from; not
 * in a tree, and without a place.  @p create: for new shared memory.
 * @retval ENOMEM also for limits @retval EINVAL @retval EACCES
 */
int region_create(const struct vmspace *, const struct vm_mapreq *rq,
    int (*create)(struct region_store **), struct region **out);
/** A copy of @p from with its references, in no tree; NULL. */
struct region *region_clone(const struct region *from);
/** Not in a tree: free, and let store and object go. */
void region_free(struct region *);
/** @pre overlaps no other */
void region_insert(struct vmspace *, struct region *);
void region_remove(struct vmspace *, struct region *);

/* ---- ranges ---- */

/** Let no region cross @p sva or @p eva. All or nothing. @retval ENOMEM */
int region_split(struct vmspace *, vaddr_t sva, vaddr_t eva);
/** Merge @p r with equal neighbours; @return what @p r became. */
struct region *region_merge(struct vmspace *, struct region *r);
/** Where @p rq goes.
 * @retval EEXIST something is there: unmap it, if @p rq does not forbid that
 * @retval ENOMEM no gap of that size */
int region_place(struct vmspace *, const struct vm_mapreq *rq, vaddr_t *va);
/** Everything up to @p eva was unmapped: there is room again. */
static inline void
region_made_room(struct vmspace *vs, vaddr_t eva)
{
	if (eva > vs->regions->hint && eva <= REGION_TOP)
		vs->regions->hint = eva;
}

#endif
