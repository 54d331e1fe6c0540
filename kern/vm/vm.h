/* SPDX-License-Identifier: MIT */
/**
 * @file vm.h
 * THE interface: what VM designs stand behind, and what the kernel calls.
 *
 * Below: struct vm_ops, one constant instance a design.  Above: vm_map() and
 * friends (space.c) and vm_fault() (fault.c).  Nobody else calls a slot: the
 * callers in those two files check arguments, take the space's lock, own the
 * transaction, flush the gather before the lock drops, run check() in DEBUG
 * builds, and restart on VM_WAIT.
 *
 * Every slot is restartable and none sleeps.  A slot that cannot go on returns
 * VM_WAIT with its state consistent; the caller flushes, drops the lock, waits
 * and calls it again from the start.
 */
#ifndef VM_VM_H
#define VM_VM_H

#include "sync/sleeplock.h"
#include "vm/object.h"
#include "vm/pmap.h"
#include "vm/vm_env.h"

/** Internal result: wait for txn->wait, then call the slot again. Never leaves
 * space.c and fault.c. */
#define VM_WAIT (-1)

struct vm_ops;
struct vm_overlay;
struct sink;

/** An address space.  Letters: I immutable, v lock, a atomic, l list lock. */
struct vmspace {
	struct sleeplock lock;	/* shared: fault, pin; exclusive: the rest */
	const struct vm_ops *ops; /* [I] */
	struct pmap *pmap;	/* [I] */
	void *priv;		/* [I] the design's own part */
	struct region_map *regions; /* [I] of those that use region.h; NULL */
	struct list link;	/* [l] list of all spaces */
	uint32_t refs;		/* [a] */
	uint32_t version;	/* [v] +1 by each exclusive operation */
	struct list overlays;	/* [v] regions with Appel-Li rights */
	size_t size_bytes;	/* [v] mapped address range in all */
	size_t limit_bytes;	/* [v] RLIMIT_AS */
	vaddr_t brk_start, brk;	/* of sys/sys_mem.c, under its proc->lock */
};

/** One restartable operation; owned by space.c or fault.c. */
struct vm_txn {
	struct tlb_gather tg;	/* what to invalidate, what to free after it */
	struct vm_wait wait;	/* when a slot returns VM_WAIT */
	struct vm_fill fill;	/* with VM_WAIT and wait.wq = VM_WAIT_FILL */
	struct vm_page *held;	/* the page filled, until fault and pin end, or
				 * the slot has seen it (vm_object_done) */
};

enum vm_source {
	VM_ANON,  /* zero-filled */
	VM_ALIAS, /* the pages at alias_va of the same space (MAP2); they must
		   * belong to one VM_MAP_SHARED region */
	VM_PHYS,  /* fixed frames or a device, from pa on; not counted */
	VM_FILE,  /* pages of object from offset on */
};

#define VM_MAP_FIXED	 1u /* exactly there; replaces what is there */
#define VM_MAP_NOREPLACE 2u /* with FIXED: EEXIST instead */
#define VM_MAP_SHARED	 4u /* children share instead of copying */
#define VM_MAP_STACK	 8u /* named [stack] in listings; see VM_STACK_GUARD */
#define VM_MAP_HEAP	 16u /* named [heap] */

/** Where the design chooses the place, it leaves so much below a stack. */
#define VM_STACK_GUARD (16 * PAGE_SIZE)

struct vm_mapreq {
	vaddr_t va;	    /* hint, or the place with FIXED */
	size_t size;	    /* bytes; the caller rounds up */
	vm_prot_t prot, maxprot;
	unsigned flags;
	enum vm_source source;
	vaddr_t alias_va;
	paddr_t pa;
	struct vm_object *object;
	uint64_t offset;    /* bytes; page-aligned */
};

/** One region, for listings and checks. */
struct vm_region_info {
	vaddr_t sva, eva;
	vm_prot_t prot, maxprot;
	unsigned flags;	    /* VM_MAP_SHARED, _STACK, _HEAP */
	enum vm_source source;
	struct vm_object *object; /* FILE; no reference, see vm_region */
	uint64_t offset;    /* of sva, in bytes */
};

struct vm_fault {
	vaddr_t va;
	vm_prot_t access;   /* exactly one right */
};

/** Appel-Li operation on pages: cap their rights (al.h: the user's view). */
struct page_op {
	vaddr_t sva, eva;
	vm_prot_t cap;	    /* VM_PROT_ALL lifts the cap */
};

#define VM_SYNC_DISCARD 1u  /* MADV_DONTNEED: forget private contents */

/* What pg_harvest answers. */
#define PG_HARVEST_REF	   1u
#define PG_HARVEST_DIRTY   2u
#define PG_HARVEST_UNKNOWN 4u /* skipped a mapping: treat as both */

/**
 * A design.  No slot is NULL.  Unless said otherwise a slot is called with
 * vs->lock held exclusively, returns 0, a positive errno or VM_WAIT, never
 * sleeps, and leaves the space sound in every case.
 */
struct vm_ops {
	const char *name;
	unsigned pmap_flags; /* for pmap_create: PMAP_LINKS */
	/** Once, before the first space. */
	void (*init)(void);
	/** Fill vs->priv. The common part is ready, the pmap empty. */
	int (*as_init)(struct vmspace *vs);
	/** Copy @p parent into the empty @p child; both locked exclusively; the
	 * gather gets the parent's weakenings.  All or nothing as seen from
	 * outside: on error the caller drops the child, and the parent's
	 * contents and rights are unchanged (its leaves may stay
	 * write-protected).  VM_WAIT only with the child empty. */
	int (*as_fork)(struct vmspace *parent, struct vmspace *child,
	    struct vm_txn *);
	/** Remove everything (exec, exit). Cannot fail, but may VM_WAIT. */
	int (*as_clear)(struct vmspace *vs, struct vm_txn *);
	/** Free vs->priv; the space is clear. */
	void (*as_fini)(struct vmspace *vs);
	/** @p rq is checked; size > 0, page-aligned.
	 * @retval ENOMEM no room   @retval EEXIST NOREPLACE */
	int (*map)(struct vmspace *vs, const struct vm_mapreq *rq, vaddr_t *out,
	    struct vm_txn *);
	/** Holes are fine. */
	int (*unmap)(struct vmspace *vs, vaddr_t sva, vaddr_t eva,
	    struct vm_txn *);
	/** @retval ENOMEM a hole  @retval EACCES beyond maxprot; in both cases
	 * nothing changed */
	int (*protect)(struct vmspace *vs, vaddr_t sva, vaddr_t eva, vm_prot_t,
	    struct vm_txn *);
	/** Lock shared.  Make the access possible.
	 * @retval EFAULT nothing mapped  @retval EACCES rights  @retval ENOMEM
	 * no frame (the caller decides whether to wait)  @retval ENXIO beyond
	 * the end of the object */
	int (*fault)(struct vmspace *vs, const struct vm_fault *,
	    struct vm_txn *);
	/** Lock shared.  Pin the frame; the fast path (pmap_get_pin) failed. */
	int (*pin)(struct vmspace *vs, vaddr_t va, vm_prot_t access,
	    struct vm_page **out, struct vm_txn *);
	/** VM_SYNC_*.  @retval ENOMEM a hole */
	int (*sync)(struct vmspace *vs, vaddr_t sva, vaddr_t eva,
	    unsigned flags, struct vm_txn *);
	/** Lower the leaves to the overlay's caps (already set); raising needs
	 * nothing, the next fault does it. One gather for all. */
	int (*prot_pages)(struct vmspace *vs, const struct page_op *, size_t n,
	    struct vm_txn *);
	/** Fetch and re-arm: OR a 1 into @p bitmap (bit 0 = page at sva) for
	 * each page written since the last call, clear D. */
	int (*dirty)(struct vmspace *vs, vaddr_t sva, vaddr_t eva,
	    uint64_t *bitmap, struct vm_txn *);
	/** First region that ends after @p va; ENOENT: none. Lock shared. */
	int (*region)(struct vmspace *vs, vaddr_t va, struct vm_region_info *);
	/** Is there a frame for the page at @p va, which is in a region?  Its
	 * leaf may be missing where page tables are a cache. Lock shared. */
	bool (*resident)(struct vmspace *vs, vaddr_t va);

	/* Page side; the caller holds no space lock. */
	/** A and D over all mappings (PG_HARVEST_*); clears @p clear. */
	unsigned (*pg_harvest)(struct vm_page *, unsigned clear,
	    struct vm_txn *);
	/** Cap the rights of all mappings by @p keep.
	 * @retval EBUSY try later */
	int (*pg_revoke)(struct vm_page *, vm_prot_t keep, struct vm_txn *);
	/** Start freeing the frame. @retval EBUSY is fine; never waits for
	 * memory */
	int (*pg_evict)(struct vm_page *, struct vm_txn *);
	/** Cap the rights of all mappings of pages [@p first, @p end) of an
	 * object; without any right left, private copies go too.  Called with
	 * vm_object_lock held; edits leaves and notes them, nothing else.
	 * @retval VM_WAIT only if @p keep is 0: flush and call again */
	int (*obj_revoke)(struct vm_object *, uint64_t first, uint64_t end,
	    vm_prot_t keep, struct vm_txn *);

	/** Take pages from their mappings, those not used lately first, until
	 * about @p want have gone; anonymous ones get a swap slot (swap.h).
	 * Takes locks itself, may sleep on a flush, never waits for memory.
	 * @return how many leaves went; 0: nothing can */
	unsigned (*pageout)(unsigned want);

	/** Full invariant walk; 0 = sound, else says what is wrong. */
	int (*check)(struct vmspace *vs);
	/** Tell how often each frame is referenced by this space, or with @p vs
	 * NULL by the design outside of all spaces: call @p count once per
	 * reference (global check of refs). */
	void (*count_refs)(struct vmspace *vs,
	    void (*count)(struct vm_page *, void *), void *arg);
	/** Canonical text: golden tests, visualiser. */
	void (*dump)(struct vmspace *vs, struct sink *);
};

/* ---- design.c ---- */

/** Set the VM layer up and choose the design by name. @ctx once, after
 * frame_init, kmem_init, pmap_init and tlb_init.
 * @retval ENOENT no such design (prints those that exist) @retval ENOMEM */
int vm_init(const char *design);
extern const struct vm_ops *vm_design;
/** Those that run programs, in order; NULL at the end. */
extern const char *const vm_design_names[];
/** A test of designs whose page tables are a cache (mach.chaos=N): one fault in
 * so many drops a random leaf of its space; 0: none. Set before vm_init. */
extern unsigned vm_chaos;

/* ---- space.c: whole spaces ---- */

/** Called by vm_init. */
void vmspace_init(void);
/** Empty, one reference. @retval ENOMEM */
int __must_check vmspace_create(struct vmspace **out);
void vmspace_hold(struct vmspace *);
/** Last reference: clears and frees. @pre may sleep */
void vmspace_drop(struct vmspace *);
/** @retval ENOMEM @retval EINTR; then *out is not set, the parent unchanged */
int __must_check vmspace_fork(struct vmspace *parent, struct vmspace **out);
/** Remove all mappings. */
void vmspace_clear(struct vmspace *);

/* ---- space.c: ranges.  Addresses and sizes come unchecked from users. ---- */

/** @p *out is set on success only. @retval EINVAL size 0, unaligned FIXED,
 * outside the user range  @retval ENOMEM @retval EEXIST @retval EACCES */
int __must_check vm_map(struct vmspace *, const struct vm_mapreq *,
    vaddr_t *out);
int vm_unmap(struct vmspace *, vaddr_t va, size_t size);
int vm_protect(struct vmspace *, vaddr_t va, size_t size, vm_prot_t);
int vm_sync(struct vmspace *, vaddr_t va, size_t size, unsigned flags);
/** One byte a page: 1 resident. @retval ENOMEM a hole */
int vm_mincore(struct vmspace *, vaddr_t va, size_t size, uint8_t *vec);
/** First region that ends after @p va. @retval ENOENT */
int vm_region(struct vmspace *, vaddr_t va, struct vm_region_info *);
/** As vm_region, with a reference to info->object if that is not NULL. */
int vm_region_held(struct vmspace *, vaddr_t va, struct vm_region_info *);
void vm_dump(struct vmspace *, struct sink *);
/** An operation that only one design has, in the same shape as the others:
 * both spaces (or one) locked exclusively, flushed, checked, restarted. */
typedef int vm_design_op(struct vmspace *, struct vmspace *, void *arg,
    struct vm_txn *);
int vm_design_call(struct vmspace *, struct vmspace *, vm_design_op *,
    void *arg);

/* ---- space.c over overlay.c: Appel-Li rights ---- */

/** Register [va, va+size) for per-page rights; once per range.
 * @retval EEXIST overlaps another */
int vm_overlay_register(struct vmspace *, vaddr_t va, size_t size);
/** Exactly a registered range; the caps are lifted. @retval EINVAL */
int vm_overlay_unregister(struct vmspace *, vaddr_t va, size_t size);
int vm_prot_pages(struct vmspace *, const struct page_op *, size_t n);
/** @p bitmap: (size / PAGE_SIZE) bits, zeroed by the caller. */
int vm_dirty(struct vmspace *, vaddr_t va, size_t size, uint64_t *bitmap);

/* ---- fault.c ---- */

/**
 * Resolve a fault.
 * @retval 0       retry the access
 * @retval EFAULT  nothing mapped there (SEGV_MAPERR)
 * @retval EACCES  the region or the overlay forbids it (SEGV_ACCERR)
 * @retval ENOMEM  out of memory and nobody to end
 * @retval EINTR   the thread is dying
 * @retval ENXIO   beyond the end of a file; EIO, ENOSPC: its page cannot be had
 * @pre no lock held, interrupts on; may sleep
 */
int vm_fault(struct vmspace *, const struct vm_fault *);

/* ---- copy.c: the kernel's accesses to user memory ---- */

#define VM_PIN_MAX 8 /* pages of one batch */

/** Part of a user buffer, pinned. */
struct vm_pinned {
	unsigned npages;
	bool write;
	size_t offset;	/* of the first byte in page[0] */
	size_t size;	/* bytes covered */
	struct vm_page *page[VM_PIN_MAX];
};

/** As vm_pin(), of the page at @p va. */
int __must_check vm_pin_page(struct vmspace *, vaddr_t va, vm_prot_t access,
    struct vm_page **out);
/** vm_pin() of any number of pages. */
int __must_check vm_pin_pages(struct vmspace *, vaddr_t va, size_t size,
    vm_prot_t access, struct vm_pinned *out);
/**
 * Pin as much of [@p va, @p va + @p size) as one batch holds.
 * @retval EFAULT  not even the first byte is accessible
 * @pre no file, pipe or page lock held (asserted): fault handling may sleep
 */
static inline int __must_check
vm_pin(struct vmspace *vs, vaddr_t va, size_t size, vm_prot_t access,
    struct vm_pinned *out)
{
	out->write = (access & VM_PROT_WRITE) != 0;
	out->offset = va & PAGE_MASK;
	if (unlikely(size - 1 >= PAGE_SIZE - out->offset)) /* 0 as well */
		return vm_pin_pages(vs, va, size, access, out);
	out->npages = 1;
	out->size = size;
	return vm_pin_page(vs, va, access, &out->page[0]);
}
void vm_unpin(struct vm_pinned *);
/** Copy between kernel memory and [@p off, @p off + @p n) of a batch.
 * @ctx any */
void vm_pinned_read(const struct vm_pinned *, size_t off, void *dst, size_t n);
void vm_pinned_write(const struct vm_pinned *, size_t off, const void *src,
    size_t n);

/** EFAULT: a part is not accessible; copyout may have written a part. */
int __must_check copyin(struct vmspace *, void *dst, vaddr_t src, size_t n);
int __must_check copyout(struct vmspace *, vaddr_t dst, const void *src,
    size_t n);
/** A string with its NUL. @retval ENAMETOOLONG no NUL in @p size bytes */
int __must_check copyinstr(struct vmspace *, char *dst, vaddr_t src,
    size_t size);

/* ---- overlay.c, for designs ---- */

vm_prot_t vm_overlay_cap_slow(const struct vmspace *, vaddr_t va);

/** Rights that the overlay leaves at @p va (VM_PROT_ALL without one). */
static inline vm_prot_t
vm_overlay_cap(const struct vmspace *vs, vaddr_t va)
{
	if (likely(list_empty(&vs->overlays)))
		return VM_PROT_ALL;
	return vm_overlay_cap_slow(vs, va);
}

/** Remember that D of the page at @p va is being cleared (rule 6). */
void vm_overlay_dirtied(struct vmspace *, vaddr_t va);

/* For space.c only: copy at fork, forget at unmap, free at clear. */
int vm_overlay_fork(const struct vmspace *parent, struct vmspace *child);
void vm_overlay_reset(struct vmspace *, vaddr_t sva, vaddr_t eva);
void vm_overlay_clear(struct vmspace *);
int vm_overlay_add(struct vmspace *, vaddr_t sva, vaddr_t eva);
int vm_overlay_remove(struct vmspace *, vaddr_t sva, vaddr_t eva);
/** All of [@p sva, @p eva) is inside one overlay. */
bool vm_overlay_covers(const struct vmspace *, vaddr_t sva, vaddr_t eva);
void vm_overlay_set_cap(struct vmspace *, const struct page_op *);
/** Move the remembered dirty bits of the range into @p bitmap. */
void vm_overlay_take_dirty(struct vmspace *, vaddr_t sva, vaddr_t eva,
    uint64_t *bitmap);

/** Call @p fn for each space, with the list locked shared; a value other than
 * 0 ends the walk and is returned. For page-side slots and checks. */
int vmspace_foreach(int (*fn)(struct vmspace *, void *), void *arg);

/** Between these no space is freed: a page-side slot may use the space of a
 * leaf that it finds. @pre may sleep */
void vmspace_list_hold(void);
void vmspace_list_release(void);

/* ---- invariants.c ---- */

/** Check everything: each space, and that each frame's refs equal its leaves.
 * @pre no operation in progress  @return 0, else prints and EINVAL */
int vm_check(void);

#endif
