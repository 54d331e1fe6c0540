/* SPDX-License-Identifier: MIT */
/*
 * mach_page.h - the pages of objects: resident ones, those on swap, the leaves
 * that show them, and the queues in which they wait to go.
 */
#ifndef VM_MACH_PAGE_H
#define VM_MACH_PAGE_H

#include "vm/mach/mach.h"

/* ---- vm_resident.c: pages of objects, by (object, offset) ---- */

/** @retval ENOMEM */
int __must_check vm_resident_setup(void);
/** @locks o, for all of these */
struct vm_page *vm_page_lookup(const struct mach_object *o, uint64_t index);
/** The object takes over the reference. @pre no page is there */
void vm_page_insert(struct vm_page *, struct mach_object *o, uint64_t index);
/** The reference goes to the caller. */
void vm_page_remove(struct vm_page *);
/** @locks both objects */
void vm_page_rename(struct vm_page *, struct mach_object *to, uint64_t index);
/** One call a resident page. @pre no operation is under way */
void vm_resident_count(void (*count)(struct vm_page *, void *), void *arg);

/** Lock the object of @p pg, against the order; NULL: @p pg is no page of an
 * object.  @p *busy: perhaps it is, but the lock cannot be had now. */
struct mach_object *vm_page_lock_object(const struct vm_page *pg, bool *busy);

/* ---- mach_pager.c: pages of objects that are on swap ---- */

/** A slot of swap: whose page it has.  Letters: o the object's lock, b a
 * bucket's. */
struct paged {
	struct mach_object *object; /* [o, b] NULL: none */
	uint64_t index;		    /* [o, b] of the page */
	struct list link;	    /* [o] in object->paged */
	uint32_t slot;		    /* [o] which this is */
	uint32_t next;		    /* [b] slot + 1, of the bucket; 0: none */
	uint32_t first;		    /* [b] of the bucket of this number */
};

/** @ctx before swap_start */
void pager_setup(void);
/** Whether a page more can go out. */
bool pager_has_room(void);
/** @locks o, or the page's object, for all of these */
bool pager_lookup(const struct mach_object *o, uint64_t index);
/** The page becomes one on swap; the caller keeps its reference.
 * @pre no leaf shows it, nobody has pinned it  @retval ENOSPC as before */
int __must_check pager_page_out(struct vm_page *);
/** The page is resident again. @pre pager_lookup()
 * @retval VM_WAIT it must be read first */
int pager_page_in(struct mach_object *o, uint64_t index, struct vm_page **out,
    struct vm_txn *);
/** @locks both objects */
void pager_rename(struct paged *, struct mach_object *to, uint64_t index);
void pager_remove(struct paged *);
/** Give up what is on swap of [@p first, @p end).
 * _locked: with vm_object_lock held */
void pager_remove_range(struct mach_object *o, uint64_t first, uint64_t end);
void pager_remove_range_locked(struct mach_object *o, uint64_t first,
    uint64_t end);
/** For vm_check(). @pre no operation is under way */
void pager_check_words(void);

/** Whether @p o itself has the page, in a frame or on swap. @locks o */
static inline bool
mach_object_has(const struct mach_object *o, uint64_t index)
{
	return vm_page_lookup(o, index) != NULL ||
	    (o->npaged != 0 && pager_lookup(o, index));
}

/** A page of a file, or in the swap cache; else one of an object. */
static inline bool
is_cached(const struct vm_page *pg)
{
	return (page_flags(pg) & PG_CACHED) != 0;
}

/** The kernel reads or writes the frame just now. */
static inline bool
is_pinned(const struct vm_page *pg)
{
	return __atomic_load_n(&pg->pins, __ATOMIC_ACQUIRE) != 0;
}

/* ---- mach_pv.c: which leaves show a page ---- */

/** Link word of a leaf that is on no list (frames of VM_PHYS). */
#define PV_UNMANAGED ((uintptr_t)1)

/** @retval ENOMEM */
int __must_check pv_setup(void);
/** A leaf at @p va of @p vs will show @p pg. @p *link: for the leaf.
 * @retval ENOMEM @locks what keeps @p pg where it is */
int __must_check pv_enter(struct vm_page *pg, struct vmspace *vs, vaddr_t va,
    uintptr_t *link);
void pv_remove(struct vm_page *pg, uintptr_t link);
bool pv_empty(const struct vm_page *pg);
bool pv_holds(struct vm_page *pg, uintptr_t link, const struct vmspace *vs,
    vaddr_t va);
/** After a leaf that had @p bits was emptied: its list, its reference, its D.
 * The gather has room for one page. */
void pv_left(struct vmspace *vs, vaddr_t va, const struct pmap_leaf *old,
    struct tlb_gather *tg);
/** Empty the leaves in [@p sva, @p eva). @retval VM_WAIT gather is full */
int pv_remove_range(struct vmspace *vs, vaddr_t sva, vaddr_t eva,
    struct vm_txn *);
/** Drop a random leaf that no pin needs (vm_chaos). @pre locked shared */
void pv_chaos(struct vmspace *, struct vm_txn *);
/** A space with a leaf of @p pg, or NULL. @pre all spaces exist */
struct vmspace *pv_space(const struct vm_page *pg);
/** Empty the leaves of @p pg in @p vs, for page-out: D of private memory stays
 * behind as a software word.  Leaves of a page that is pinned stay.
 * @pre locked exclusively  @retval VM_WAIT gather is full */
int pv_page_out(struct vm_page *pg, struct vmspace *vs, struct vm_txn *);
/** Over all leaves of a page: take @p clear; without rights left they go.
 * @return OR of the bits that were there
 * @locks what keeps other leaves from being entered; all spaces exist */
unsigned pv_page_protect(struct vm_page *pg, unsigned clear, bool remove,
    struct vm_txn *);

/* ---- mach_pageout.c: the queues of pages ---- */

/** Calls of mach_pageout without a use, after which a page is in no working
 * set any more (pd=ws). */
#define PAGEOUT_WINDOW 16

/** @retval ENOMEM */
int __must_check pageout_setup(void);
/** @p pg has become resident, or is shown again; it will queue up. */
void pageout_arrived(const struct vm_page *pg);
unsigned mach_pageout(unsigned want);

#endif
