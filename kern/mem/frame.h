/* SPDX-License-Identifier: MIT */
/**
 * @file frame.h
 * Physical page frames: struct vm_page, references and pins, the allocator.
 *
 * Binary buddy system with a cache of single frames a CPU.  Data frames are
 * never zeroed in advance; page-table frames come back zero and are kept so
 * (pmap.c).  DEBUG fills freed frames with FRAME_POISON and checks the fill on
 * allocation, and checks the stale-translation oracle of tlb.h.
 */
#ifndef MEM_FRAME_H
#define MEM_FRAME_H

#include "arch/mmu.h"
#include "lib/list.h"
#include "sync/waitq.h"

#define FRAME_MAX_ORDER 10 /* 4 MiB */
#define FRAME_POISON	0xdd

enum frame_state {
	FRAME_RESERVED, /* firmware, kernel image, struct vm_page array */
	FRAME_FREE,
	FRAME_USED,
};

/**
 * One per frame of RAM.  Letters: a atomic, f allocator's lock, o the owner
 * (the VM design), d DEBUG only.
 */
struct vm_page {
	struct list link;	/* [f] free lists; [o] page queues when used */
	union {
		struct {
			uint32_t refs; /* [a] leaves and other owners */
			uint32_t pins; /* [a] kernel accesses in progress */
		};
		uint64_t holds;	/* [a] both: whoever makes it 0 frees */
	};
	union {
		struct {
			uint32_t wpins; /* [a] those of pins that write */
			uint32_t flags; /* [a] PG_* */
		};
		uint64_t special; /* [a] both, see PAGE_SPECIAL */
	};
	uint8_t state;		/* [f] enum frame_state */
	uint8_t order;		/* [f] of the block that starts here */
	void *owner;		/* [o] Mach: object; L4: root node; else NULL */
	uint64_t offset;	/* [o] offset in the owner; table: entries */
	union {
		uint64_t groups;	/* [o] table: see vm/pmap_priv.h */
		struct vm_page *chain;	/* [o] cached page: vm/object.c */
	};
#ifdef DEBUG
	uint64_t stale_pmap;	/* [d] id of the pmap unmapped last, 0 none */
	uint64_t stale_gen;	/* [d] generation that must have passed */
#endif
} __cacheline; /* a power of two: an index is a shift */

#define PG_DIRTY      0x0001 /* D was cleared in some leaf, data not saved */
#define PG_REFERENCED 0x0002 /* likewise A */
#define PG_BUSY	      0x0004 /* contents in transit */
#define PG_TABLE      0x0008 /* a page table; zero when free */
/* Pages of the page cache, see vm/object.h. */
#define PG_CACHED     0x0010 /* the cache has a reference */
#define PG_MODIFIED   0x0020 /* differs from the disk */
#define PG_WRITEBACK  0x0040 /* on its way to the disk */
#define PG_HOLE	      0x0080 /* zero, and no place on the disk */

/* In vm_page.special, by one load: the kernel writes to the page, or the page
 * cache has it. */
#define PAGE_SPECIAL ((uint64_t)PG_CACHED << 32 | 0xffffffffu)

enum frame_flags {
	FRAME_DEFAULT = 0,
	FRAME_RESERVE = 1, /* may use the reserve: callers that free memory */
	FRAME_NOFAIL_POINT = 2, /* failat= does not count this allocation */
};

extern struct vm_page *frame_array; /* indexed by frame number - frame_base */
extern paddr_t frame_base;
extern size_t frame_array_size;	    /* entries */
/** Address that the entry of frame number 0 would have: saves a subtraction in
 * the two translations below. */
extern uintptr_t frame_bias;
/** Asked for up to @p want frames before an allocation fails; set once.
 * Called with any spin locks held. @return how many it freed */
extern size_t (*frame_reclaim)(size_t want);
/** Woken when memory becomes free while somebody waits for it. */
extern struct waitq frame_waitq;
/** Woken when the free frames fall below a mark. */
extern struct waitq frame_low_wq;

/** Memory is short: an allocation has failed, or may fail soon. @ctx any */
bool frame_is_low(void);
/** Whether this CPU could allocate @p n frames now, without asking the caches
 * above for them. */
bool frame_is_there(size_t n);

static inline paddr_t
page_to_phys(const struct vm_page *pg)
{
	return ((uintptr_t)pg - frame_bias) / sizeof(*pg) << PAGE_SHIFT;
}

static inline struct vm_page *
phys_to_page(paddr_t pa)
{
	return (struct vm_page *)(frame_bias +
	    (pa >> PAGE_SHIFT) * sizeof(struct vm_page));
}

/** Whether @p pa has a struct vm_page (RAM, as opposed to device memory). */
static inline bool
phys_is_ram(paddr_t pa)
{
	return (pa - frame_base) >> PAGE_SHIFT < frame_array_size;
}

static inline void *
page_to_virt(const struct vm_page *pg)
{
	return phys_to_virt(page_to_phys(pg));
}

/** Take over all RAM that the port reports. @ctx once, one CPU */
void frame_init(void);

/**
 * One frame with refs = 1, pins = 0, contents undefined.
 * @return NULL: no memory above the reserve (or failat= said so)
 * @ctx any but interrupts; never sleeps
 */
struct vm_page *frame_alloc(unsigned flags);
/** 2^order frames, aligned to their size; the first page stands for all. */
struct vm_page *frame_alloc_order(unsigned order, unsigned flags);

/** Free a block that nobody maps or pins; references are forgotten.
 * @p pg is the page that frame_alloc or frame_alloc_order returned. */
void frame_free(struct vm_page *);

static inline void
page_hold(struct vm_page *pg)
{
	__atomic_fetch_add(&pg->refs, 1, __ATOMIC_RELAXED);
}

/** Drop a reference.  A frame that some leaf mapped must have been flushed on
 * every CPU (tlb.h: the gather does it).
 * @return refs = pins = 0: the caller frees it */
static inline bool __must_check
page_drop_last(struct vm_page *pg)
{
	KASSERT(pg->refs > 0);
	return __atomic_sub_fetch(&pg->holds, 1, __ATOMIC_ACQ_REL) == 0;
}

/** The same; frees it, too. */
static inline void
page_drop(struct vm_page *pg)
{
	if (page_drop_last(pg))
		frame_free(pg);
}

/** PG_* of @p pg; without the lock of its owner, a hint. */
static inline uint32_t
page_flags(const struct vm_page *pg)
{
	return __atomic_load_n(&pg->flags, __ATOMIC_RELAXED);
}

/** Does the kernel write to @p pg through a pin just now? */
static inline bool
page_being_written(const struct vm_page *pg)
{
	return __atomic_load_n(&pg->wpins, __ATOMIC_ACQUIRE) != 0;
}

/** End of a kernel access; the last one frees a frame without references. */
static inline void
page_unpin(struct vm_page *pg, bool write)
{
	KASSERT(pg->pins > 0);
	if (write)
		__atomic_fetch_sub(&pg->wpins, 1, __ATOMIC_RELEASE);
	if (__atomic_sub_fetch(&pg->holds, (uint64_t)1 << 32,
		__ATOMIC_ACQ_REL) == 0)
		frame_free(pg);
}

/** Frames that the allocator manages, and those free now (the per-CPU caches
 * included); exact while no CPU allocates. */
size_t frame_total(void);
size_t frame_free_count(void);
/** Give this CPU's cached frames back to the buddy system. */
void frame_cache_drain(void);

#endif
