/* SPDX-License-Identifier: MIT */
/**
 * @file root_pager.h
 * The root pager: POSIX memory for ordinary processes, on L4 primitives.
 *
 * It stands between sigma0 and all clients: regions say what an address means,
 * a pageset holds the frames of a client's private pages, a dataspace those of
 * shared anonymous memory, and vm_object those of files.  A mapping is only a
 * consequence: anybody may take it away, page-out too, and the next fault gives
 * it again.  So contents are kept twice, in the pageset and in the page table:
 * the price of a kernel which knows nothing but mappings.
 *
 * Locks: the space (regions), then vm_object_lock, then the pageset, which is
 *	held over the l4_map() of a page of the set, so that a copy is never
 *	overtaken by the page that it replaces.
 * Source: SawMill (Aron et al., 2001) for dataspaces; L4Linux.
 */
#ifndef VM_L4_ROOT_PAGER_H
#define VM_L4_ROOT_PAGER_H

#include "vm/l4/l4.h"
#include "vm/region.h"

/** Frames by index, each with one reference, or where their contents are. */
struct pageset {
	struct spinlock lock; /* RANK_PAGER */
	struct rb_tree chunks; /* [lock] */
	struct page_chunk *last; /* [lock] found last */
	size_t nswapped;      /* [a] slots with SLOT_SWAP; changes only with
			       * both locks, vm_object_lock and this */
};

#define CHUNK_PAGES 32

struct page_chunk {
	struct rb_node node;	 /* key = first index */
	unsigned used;
	uintptr_t slot[CHUNK_PAGES]; /* frame, or slot_word(), with SLOT_*; 0 */
};

/** Others may have the frame in their set: copy before writing. */
#define SLOT_COW ((uintptr_t)1)
/** No frame, but the number of a swap slot. */
#define SLOT_SWAP ((uintptr_t)2)
/** The client wrote it, and the mapping that said so has gone to page-out. */
#define SLOT_DIRTY ((uintptr_t)4)
#define SLOT_BITS  ((uintptr_t)7)

static inline bool
slot_swapped(uintptr_t slot)
{
	return (slot & SLOT_SWAP) != 0;
}

static inline uintptr_t
slot_word(uint64_t swap_slot)
{
	return swap_slot << 3 | SLOT_SWAP;
}

static inline uint64_t
slot_swap(uintptr_t slot)
{
	return slot >> 3;
}

static inline void
pageset_count_word(struct pageset *ps, int more)
{
	__atomic_store_n(&ps->nswapped, ps->nswapped + (size_t)more,
	    __ATOMIC_RELAXED);
}

static inline struct vm_page *
slot_page(uintptr_t slot)
{
	KASSERT(!slot_swapped(slot));
	return (struct vm_page *)(slot & ~SLOT_BITS);
}

/** Shared anonymous memory, by offset. */
struct dataspace {
	struct region_store base;
	struct pageset pages;
	struct list link; /* all dataspaces, for vm_check() */
};

/** A client: one space.  The kernel's part comes first. */
struct root_client {
	struct l4_space space;
	uint64_t id; /* [I] the order of clients, for page-out */
	struct region_map regions;
	struct pageset pages; /* private ones, by page number */
};

static inline struct root_client *
client_of(const struct vmspace *vs)
{
	return container_of(l4_of(vs), struct root_client, space);
}

/** Where the pages of a region are kept. */
static inline struct pageset *
region_pages(const struct vmspace *vs, const struct region *r)
{
	return r->store != NULL ?
	    &container_of(r->store, struct dataspace, base)->pages :
	    &client_of(vs)->pages;
}

/** Index of the page at @p va there. */
static inline uint64_t
region_index(const struct region *r, vaddr_t va)
{
	return (r->store != NULL ? r->offset + (va - region_sva(r)) : va) >>
	    PAGE_SHIFT;
}

/* ---- root_pages.c ---- */

void pages_init(void);
void pageset_init(struct pageset *);
/** The slot of @p index, NULL if there is none yet. @locks ps->lock */
uintptr_t *pageset_find(struct pageset *, uint64_t index);
/** Put @p slot, which is not 0, at an empty place. @locks ps->lock
 * @retval ENOMEM */
int __must_check pageset_add(struct pageset *, uint64_t index, uintptr_t slot);
/** Drop the frames of [@p first, @p end).  Where they are mapped, mappings or
 * the gather have references until the flush.  The set must not get swapped
 * slots meanwhile: its space is locked, or nobody else has the dataspace. */
void pageset_drop(struct pageset *, uint64_t first, uint64_t end);
/** The same. @locks vm_object_lock */
void pageset_drop_locked(struct pageset *, uint64_t first, uint64_t end);
/** Let go of what a slot stands for; a swapped one needs vm_object_lock. */
void slot_drop(uintptr_t slot);
/** First chunk that ends after @p index; NULL. @locks ps->lock */
struct page_chunk *pageset_chunk(struct pageset *, uint64_t index);
/** One call a frame or swapped slot. @pre no operation is under way */
void pageset_count(struct pageset *, void (*count)(struct vm_page *, void *),
    void *arg);
/** Counts and order. 0 = sound */
int pageset_check(struct pageset *);

/** @retval ENOMEM */
int dataspace_create(struct region_store **out);
void dataspace_count_all(void (*count)(struct vm_page *, void *), void *arg);

/* ---- root_pager.c, root_fork.c, root_file.c: slots ---- */

/** A fault message, and what the pager found out about it. */
struct root_fault {
	struct vmspace *vs;
	const struct region *r;
	struct pageset *pages; /* of the region; not for devices */
	uint64_t index;	 /* in it */
	vaddr_t va;	 /* page */
	unsigned access; /* VM_PROT_*, one */
	unsigned rights; /* that region and overlay allow */
	unsigned touched; /* L4_*, as the access sets them */
	struct vm_txn *txn;
};

/** Map @p pg to the faulting client. */
int root_answer(const struct root_fault *, struct vm_page *, unsigned rights);
/** Map the page of a slot, or a copy. @locks f->pages */
int root_answer_slot(const struct root_fault *, uintptr_t *slot);
/** A page of an object. */
int root_file_fault(const struct root_fault *);
/** A swapped slot: its page comes back, and is mapped. */
int root_swap_in(const struct root_fault *);

int root_as_init(struct vmspace *);
int root_as_fork(struct vmspace *parent, struct vmspace *child,
    struct vm_txn *);
int root_as_clear(struct vmspace *, struct vm_txn *);
void root_as_fini(struct vmspace *);
int root_map(struct vmspace *, const struct vm_mapreq *, vaddr_t *,
    struct vm_txn *);
int root_unmap(struct vmspace *, vaddr_t sva, vaddr_t eva, struct vm_txn *);
int root_protect(struct vmspace *, vaddr_t sva, vaddr_t eva, vm_prot_t,
    struct vm_txn *);
/** Answer a fault message. As vm_ops.fault */
int root_fault(struct vmspace *, const struct vm_fault *, struct vm_txn *);
int root_sync(struct vmspace *, vaddr_t sva, vaddr_t eva, unsigned flags,
    struct vm_txn *);
int root_prot_pages(struct vmspace *, const struct page_op *, size_t n,
    struct vm_txn *);
int root_dirty(struct vmspace *, vaddr_t sva, vaddr_t eva, uint64_t *bitmap,
    struct vm_txn *);
int root_region(struct vmspace *, vaddr_t va, struct vm_region_info *);
/** The pager has a page of the client for @p va. */
bool root_resident(struct vmspace *, vaddr_t va);
/** As vm_ops.pageout */
unsigned root_pageout(unsigned want);
int root_obj_revoke(struct vm_object *, uint64_t first, uint64_t end,
    vm_prot_t keep, struct vm_txn *);
/** Regions and pages of one space. 0 = sound */
int root_check(struct vmspace *);
/** A mapping of the client, if it is of one of its private pages. */
int root_check_mapping(struct vmspace *, vaddr_t va, const struct vm_page *,
    unsigned rights);
void root_count_refs(struct vmspace *, void (*count)(struct vm_page *, void *),
    void *arg);

/** Take @p rights of the client's own mappings in the range.
 * @retval VM_WAIT the gather is full */
int root_flush(struct vmspace *, vaddr_t sva, vaddr_t eva, unsigned rights,
    unsigned flags, struct vm_txn *);

static inline int
root_restart(struct vm_txn *txn)
{
	txn->wait.wq = NULL; /* flush, then call again */
	return VM_WAIT;
}

#endif
