/* SPDX-License-Identifier: MIT */
/*
 * mach.h - the Mach design: memory objects; the page table is only a cache.
 *
 * A map is a sorted list of entries; an entry maps a part of an object.  What a
 * page is, stands in the object that it belongs to, found by (object, offset).
 * An object that copies another shadows it: what it lacks is looked for there.
 * Any leaf of any pmap may be dropped at any time; the next fault finds the
 * page again.
 * Locks, in order: vmspace (entries), map->lock (which object an entry has),
 * object before its shadow, vm_object_lock (pages of files, the swap cache),
 * pmap, pv lists, buckets of hashes.
 * Source: Rashid et al., Machine-Independent Virtual Memory Management for
 * Paged Uniprocessor and Multiprocessor Architectures, ASPLOS 1987.
 */
#ifndef VM_MACH_H
#define VM_MACH_H

#include "abi/mach.h"
#include "lib/rbtree.h"
#include "vm/vm.h"

/**
 * Memory: pages by offset.  Letters: I immutable, l lock, a atomic, s lock of
 * the object that it shadows.  Offsets and sizes are in pages.
 */
struct mach_object {
	struct spinlock lock;	    /* RANK_OBJECT; object before its shadow */
	uint32_t refs;		    /* [a] entries, and objects shadowing it */
	uint32_t nresident;	    /* [l] */
	uint32_t npaged;	    /* [l] */
	bool one_mapping;	    /* [l] each page in one entry at most */
	uint64_t npages;	    /* [l] size */
	struct list memq;	    /* [l] its pages, by vm_page.link */
	struct list paged;	    /* [l] those on swap, by paged.link */
	struct mach_object *shadow; /* [l] where missing pages are, or NULL;
				     * [a] is it NULL? */
	uint64_t shadow_offset;	    /* [l] of our page 0 in the shadow */
	struct list shadows;	    /* [l] objects that shadow this one */
	struct list shadow_link;    /* [s] in shadow->shadows */
	struct vm_object *file;	    /* [I] pages are in the cache of this file;
				     * NULL: anonymous memory */
};

/** [sva, eva) with one set of attributes.  Letters: v vmspace lock, m also
 * map->lock to change it, o vm_object_lock.  While an entry of a file is in the
 * file's list, a truncation looks at it, with no lock of the space. */
struct vm_map_entry {
	struct rb_node node;	    /* [v] key = sva */
	struct list link;	    /* [v] in order */
	vaddr_t eva;		    /* [v] FILE: [o] to change it */
	uint8_t prot, maxprot;	    /* [v] */
	uint8_t source;		    /* [v] VM_ANON, VM_PHYS, VM_FILE */
	uint8_t flags;		    /* [v] VM_MAP_SHARED, _STACK, _HEAP */
	uint8_t inheritance;	    /* [v] VM_INHERIT_*: what a child gets */
	bool needs_copy;	    /* [m] shadow the object before writing */
	struct mach_object *object; /* [m] NULL: zero, nothing touched yet */
	uint64_t offset;	    /* [m] of sva in object; in pages */
	struct mach_object *vnode;  /* [v] FILE: the object at the bottom */
	uint64_t source_offset;	    /* [v] of sva, bytes; FILE, PHYS */
	struct list mapping;	    /* [o] in vnode->file->mappings */
	struct vmspace *vs;	    /* [I] FILE: where it is */
};

struct vm_map {
	struct spinlock lock;	    /* RANK_MAP */
	struct list entries;	    /* [v] sorted */
	struct rb_tree tree;	    /* [v] the same, for searches */
	unsigned nentries;	    /* [v] */
	vaddr_t free_hint;	    /* [v] where to search for room */
	struct vm_map_entry *hint;  /* [a] found last; NULL: none */
};

/** Searches for room start here, so that the stack keeps the top. */
#define VM_MAP_TOP (USER_MAX - ((vaddr_t)64 << 20))
#define VM_MAP_ENTRIES_MAX 65536 /* per map, as vm.max_map_count */

static inline struct vm_map *
vm_map_of(const struct vmspace *vs)
{
	return vs->priv;
}

static inline vaddr_t
entry_sva(const struct vm_map_entry *e)
{
	return e->node.key;
}

static inline uint64_t
entry_npages(const struct vm_map_entry *e)
{
	return (e->eva - entry_sva(e)) >> PAGE_SHIFT;
}

static inline bool
entry_shared(const struct vm_map_entry *e)
{
	return (e->flags & VM_MAP_SHARED) != 0;
}

/** Is there anything behind @p o?  Without its lock: another space may have
 * collapsed the chain just now, which changes nothing that @p o shows. */
static inline bool
mach_object_shadows(const struct mach_object *o)
{
	return __atomic_load_n(&o->shadow, __ATOMIC_ACQUIRE) != NULL;
}

/** Page of the entry's object at @p va. */
static inline uint64_t
entry_index(const struct vm_map_entry *e, vaddr_t va)
{
	return e->offset + ((va - entry_sva(e)) >> PAGE_SHIFT);
}

/* ---- vm_map.c: entries.  Space locked exclusively, if nothing is said ---- */

void vm_map_setup(void);
/** @pre locked shared */
struct vm_map_entry *vm_map_search(struct vm_map *, vaddr_t va);
/** Entry that contains @p va, or NULL: most often the one found last.
 * @pre locked shared */
static inline struct vm_map_entry *
vm_map_lookup(struct vm_map *map, vaddr_t va)
{
	struct vm_map_entry *e = __atomic_load_n(&map->hint, __ATOMIC_RELAXED);

	if (likely(e != NULL && entry_sva(e) <= va && va < e->eva))
		return e;
	return vm_map_search(map, va);
}
/** First entry that ends after @p va, or NULL. @pre locked shared */
struct vm_map_entry *vm_map_first(struct vm_map *, vaddr_t va);
struct vm_map_entry *vm_map_next(struct vm_map *, const struct vm_map_entry *);
struct vm_map_entry *vm_map_prev(struct vm_map *, const struct vm_map_entry *);
/** A copy of @p from with references of its own, in no map; NULL. */
struct vm_map_entry *vm_map_entry_copy(const struct vm_map_entry *from);
/** A copy that never was in a map: its references and itself. */
void vm_map_entry_discard(struct vm_map_entry *);
/** Not in a map and without an object. */
void vm_map_entry_free(struct vm_map_entry *);
/** @pre overlaps no other */
void vm_map_link(struct vmspace *, struct vm_map_entry *);
void vm_map_unlink(struct vmspace *, struct vm_map_entry *);
/** An entry of a file enters or leaves the list of who maps it: a truncation
 * finds only what is whole.  To leave twice, or without a file, is fine. */
void vm_map_join_file(struct vm_map_entry *);
void vm_map_leave_file(struct vm_map_entry *);
/** Let no entry cross @p sva or @p eva. All or nothing. @retval ENOMEM */
int vm_map_clip(struct vmspace *, vaddr_t sva, vaddr_t eva);
/** Coalesce @p e with its neighbours; @return what it became. */
struct vm_map_entry *vm_map_simplify(struct vmspace *, struct vm_map_entry *);
/** @retval ENOMEM no gap of that size */
int vm_map_find_space(struct vmspace *, vaddr_t hint, size_t size,
    vaddr_t *out);
/** Whether entries cover all of [@p sva, @p eva). */
bool vm_map_covers(struct vm_map *, vaddr_t sva, vaddr_t eva);

/* ---- mach_object.c ---- */

void mach_object_setup(void);
/** One reference, no pages; NULL. */
struct mach_object *mach_object_create(uint64_t npages);
/** The object of a file, with a reference; NULL. */
struct mach_object *mach_object_of_file(struct vm_object *);

static inline void
mach_object_reference(struct mach_object *o)
{
	__atomic_fetch_add(&o->refs, 1, __ATOMIC_RELAXED);
}

static inline uint32_t
mach_object_refs(const struct mach_object *o)
{
	return __atomic_load_n(&o->refs, __ATOMIC_ACQUIRE);
}

/** Let the object of an entry go, and all that only it kept.  No leaf of this
 * map shows its pages any more.
 * @retval VM_WAIT the gather is full: flush and call again */
int mach_object_deallocate(struct vm_map_entry *, struct vm_txn *);
/** Drop a reference of a file's object. */
void mach_object_drop_file(struct mach_object *);
/**
 * The entry's object gets a shadow in front of it, which is the entry's object
 * from now on.  @return the shadow, unlocked; NULL: no memory
 * @locks map->lock, and the object
 */
struct mach_object *mach_object_shadow(struct vm_map_entry *);
/** Shorten the chain below @p o where nobody else needs a link of it: collapse
 * and bypass.  As far as the gather has room; a bounded step.
 * @locks o */
void mach_object_collapse(struct mach_object *o, struct vm_txn *);
/** Free pages [@p first, @p end), resident and on swap.  _locked: with
 * vm_object_lock held. @locks o @retval VM_WAIT gather is full */
int mach_object_page_remove(struct mach_object *o, uint64_t first,
    uint64_t end, struct vm_txn *);
int mach_object_page_remove_locked(struct mach_object *o, uint64_t first,
    uint64_t end, struct vm_txn *);
/** Whether nobody but @p o needs page @p index of its shadow. @locks both */
bool mach_object_last_reference(struct mach_object *o, uint64_t index);
/** Depth of the chain below an entry's object; 0: shadows nothing. */
unsigned mach_object_depth(struct mach_object *);

/* ---- mach_fault.c, _file.c, _fork.c, _page.c, _check.c: slots ---- */

/** One fault, on its way through the cases. */
struct fault {
	struct vmspace *vs;
	struct vm_map_entry *entry;
	vaddr_t va;		 /* page */
	unsigned access;	 /* PMAP_R, _W or _X */
	unsigned bits;		 /* rights, and A and D as the access sets */
	struct pmap_leaf seen;	 /* the entry of the pmap when we began */
	struct mach_object *top; /* locked: the entry's object */
	uint64_t index;		 /* of the page in it */
	bool needs_copy;
	struct vm_txn *txn;
};

int mach_fault(struct vmspace *, const struct vm_fault *, struct vm_txn *);
bool mach_resident(struct vmspace *, vaddr_t);
int mach_pin(struct vmspace *, vaddr_t, vm_prot_t, struct vm_page **,
    struct vm_txn *);
/** Show @p pg with @p bits. @locks its object or vm_object_lock */
int fault_enter(const struct fault *, struct vm_page *pg, unsigned bits);
/** A copy of @p from becomes the page of the top object, and is shown. */
int fault_copy_up(const struct fault *, struct vm_page *from);
/** The chain ends at a file: its page @p index. */
int mach_file_fault(const struct fault *, struct vm_object *, uint64_t index);
int mach_obj_revoke(struct vm_object *, uint64_t first, uint64_t end,
    vm_prot_t keep, struct vm_txn *);
/** @p copy and @p e both see the object of @p e as it is now, and copy before
 * they write. @retval ENOMEM */
int mach_share_object(struct vmspace *parent, struct vm_map_entry *e,
    struct vm_map_entry *copy, struct vm_txn *);
/** Leaves and object of @p e go. @retval VM_WAIT gather is full */
int mach_entry_empty(struct vmspace *, struct vm_map_entry *e,
    struct vm_txn *);
int mach_fork(struct vmspace *parent, struct vmspace *child, struct vm_txn *);
unsigned mach_pg_harvest(struct vm_page *, unsigned clear, struct vm_txn *);
int mach_pg_revoke(struct vm_page *, vm_prot_t keep, struct vm_txn *);
int mach_pg_evict(struct vm_page *, struct vm_txn *);
int mach_check(struct vmspace *);
void mach_count_refs(struct vmspace *, void (*)(struct vm_page *, void *),
    void *);
void mach_dump(struct vmspace *, struct sink *);

static inline int
mach_restart(struct vm_txn *txn)
{
	txn->wait.wq = NULL; /* flush, then call again */
	return VM_WAIT;
}

/** Rights of a leaf: what the entry and the overlay allow. */
static inline unsigned
mach_rights(const struct vmspace *vs, const struct vm_map_entry *e, vaddr_t va)
{
	return e->prot & vm_overlay_cap(vs, va);
}

#endif
