/* SPDX-License-Identifier: MIT */
/**
 * @file pmap.h
 * The page-table engine: one radix walker for all machines and all designs.
 * Source: Rashid et al., Machine-Independent Virtual Memory Management, 1987.
 */
/*
 * A pmap is a page table with a lock, a generation and a CPU mask.  It owns
 * table pages and nothing else: no reverse map, no frame references.  Who maps
 * a frame, and why, is the business of the VM design above.
 *
 * Entries are of five kinds (enum pmap_kind_of); only the encoders in
 * machine/pte.h make them.  The hardware sets A and D behind our back, so each
 * change of a live entry is one atomic read-modify-write.
 *
 * Locks: each call takes pm->lock itself unless it takes a cursor.  Nothing
 * sleeps.  Only pmap_create, pmap_reserve and pmap_enter allocate.
 * Every call that can weaken or replace a translation takes a gather; calls
 * without one can only widen rights (pmap_fixup makes lazy widening safe, C9).
 * The list of calls descends from tables 3-3 and 3-4 of the paper and from
 * NetBSD's pmap(9).
 */
#ifndef VM_PMAP_H
#define VM_PMAP_H

#include "mem/frame.h"
#include "vm/tlb.h"

enum pmap_type {
	PMAP_KERNEL, /* the kernel's own; shared upper half of all others */
	PMAP_USER,
	PMAP_STORE, /* never loaded: a table of frames by offset */
};

/** With a link word beside each entry (Mach: pv entry; L4: mapping node). */
#define PMAP_LINKS 1u

/** What an entry is. */
enum pmap_entry {
	PMAP_EMPTY,	/* nothing; all zero */
	PMAP_TABLE,	/* next level (only inside pmap.c) */
	PMAP_LEAF,	/* translation that the hardware uses */
	PMAP_NOACCESS,	/* keeps frame, A, D and link; the hardware faults */
	PMAP_SOFT,	/* a software word: swap slot or busy placeholder */
};

/* Rights and state of a leaf, as one set of bits; low three are VM_PROT_*. */
#define PMAP_R	      VM_PROT_READ
#define PMAP_W	      VM_PROT_WRITE
#define PMAP_X	      VM_PROT_EXECUTE
#define PMAP_RWX      (PMAP_R | PMAP_W | PMAP_X)
#define PMAP_COW      0x08u /* portable software bit: copy before writing */
#define PMAP_ACCESSED 0x10u
#define PMAP_DIRTY    0x20u

/** Orders: 4 KiB, 2 MiB, 1 GiB. */
enum { PMAP_ORDER_4K = 0, PMAP_ORDER_2M = 9, PMAP_ORDER_1G = 18 };

/** One entry, decoded.  Of an EMPTY one only kind, bits and raw are set; soft
 * only of a SOFT one, link only with PMAP_LINKS. */
struct pmap_leaf {
	uint8_t kind;	  /* enum pmap_entry, never TABLE */
	uint8_t order;	  /* log2 of the pages that the entry covers */
	uint16_t bits;	  /* PMAP_R ... PMAP_DIRTY (LEAF, NOACCESS) */
	paddr_t pa;	  /* LEAF, NOACCESS */
	uint64_t soft;	  /* SOFT: kind in the low 2 bits, value above */
	uintptr_t link;	  /* with PMAP_LINKS */
	/* For pmap_enter and pmap_change: what was seen, and where. */
	uint64_t raw;
	uint64_t *slot;	  /* NULL: to be searched again */
	uint32_t moves;	  /* of the pmap: the slot exists while it is equal */
};

/* Kinds of software words. */
enum {
	PMAP_SOFT_SWAP = 1, /* in a swap slot */
	PMAP_SOFT_BUSY = 2,
	PMAP_SOFT_DIRTY = 3, /* nothing, but the leaf that went had D */
};
#define PMAP_SOFT_WORD(kind, value) ((uint64_t)(value) << 2 | (kind))
#define PMAP_SOFT_KIND(word)	    ((unsigned)((word)&3))
#define PMAP_SOFT_VALUE(word)	    ((word) >> 2)

/** Letters: I immutable, p pm lock, a atomic. */
struct pmap {
	struct spinlock lock;	/* RANK_PMAP */
	uint8_t type;		/* [I] enum pmap_type */
	uint8_t flags;		/* [I] */
	uint32_t refs;		/* [a] */
	paddr_t root;		/* [I] */
	uint64_t id;		/* [I] never reused; for the oracle */
	uint32_t ntables;	/* [p] table pages, root included */
	uint32_t nleaves;	/* [p] LEAF and NOACCESS, in 4 KiB units */
	uint32_t moves;		/* [p] table pages unhooked so far */
	vaddr_t empty_table;	/* [p] one that pmap_trim left; 0: none */
	uint64_t asid;		/* [a] generation | number (tlb.c) */
	uint64_t gen;		/* [a] weakening flushes so far */
	uint64_t active;	/* [a] CPUs that have the root loaded */
	uint64_t cached;	/* [a] CPUs that may hold entries (eager) */
	uint64_t icache_stale;	/* [a] CPUs that must sync before user mode */
	uint64_t cpu_gen[MAXCPU]; /* [a] flushes carried out, by CPU c */
#ifdef DEBUG
	uint64_t done_gen;	/* [a] deliver=sbi: flushes known complete */
	uint64_t joining;	/* [a] CPUs between mask bit and generation */
	struct list live_link;	/* oracle's table of live pmaps */
#endif
};

extern struct pmap pmap_kernel;

#define ASID_NUMBER_MASK 0xffffull /* of pmap.asid; above it the generation */

/** ASID that @p pm has now; 0: none yet, or a shared one (asid.c). */
static inline unsigned
asid_number(const struct pmap *pm)
{
	return (unsigned)(__atomic_load_n(&pm->asid, __ATOMIC_RELAXED) &
	    ASID_NUMBER_MASK);
}

/** The rights that a leaf gets when it is entered with @p rights. */
unsigned pmap_rights(unsigned rights);

/** Adopt the port's kernel table as pmap_kernel. @ctx once, one CPU */
void pmap_init(void);

/** One reference, empty.  @retval ENOMEM */
int __must_check pmap_create(enum pmap_type, unsigned flags, struct pmap **out);
static inline void
pmap_hold(struct pmap *pm)
{
	__atomic_fetch_add(&pm->refs, 1, __ATOMIC_RELAXED);
}

void pmap_destroy(struct pmap *); /* by pmap_drop only */

/** Drop a reference; the last frees the tables. @pre last: no leaf is left and
 * no CPU has it loaded */
static inline void
pmap_drop(struct pmap *pm)
{
	if (__atomic_sub_fetch(&pm->refs, 1, __ATOMIC_ACQ_REL) == 0)
		pmap_destroy(pm);
}


/**
 * Make the tables for [@p sva, @p eva): pmap_enter over it cannot fail.
 * @retval ENOMEM  some tables may have been added; they stay, empty
 */
int __must_check pmap_reserve(struct pmap *, vaddr_t sva, vaddr_t eva);

/** What to put into an entry. */
struct pmap_new {
	paddr_t pa;	 /* aligned to the order */
	uintptr_t link;
	unsigned bits;	 /* rights and PMAP_COW/_ACCESSED/_DIRTY; without
			  * rights: a no-access leaf */
	unsigned order;
	const struct pmap_leaf *seen; /* as pmap_get found it; NULL: whatever
				       * is there */
};

/**
 * Enter a leaf.  An old leaf or software word at that place is replaced; what
 * to do with its frame is the caller's business.
 * Rights that the machine lacks (W without R) are normalised upwards.
 * @retval EAGAIN  the entry is not @p seen any more (A and D are not compared)
 * @retval EBUSY   a superpage covers @p va (split it), or a table stands where
 *                 a superpage shall go (clear and trim first)
 * @retval ENOMEM  no table page; nothing changed
 * @post   a replaced leaf is noted in the gather
 */
int __must_check pmap_enter(struct pmap *, vaddr_t, const struct pmap_new *,
    struct tlb_gather *);

/** Atomic edit of the bits of a leaf: first clear, then set.  A leaf with
 * PMAP_COW gets no PMAP_W. */
struct pmap_edit {
	unsigned clear, set; /* PMAP_R ... PMAP_DIRTY */
	const struct pmap_leaf *seen; /* as in struct pmap_new */
	unsigned old;	     /* out: bits before, A and D included */
};

/**
 * A leaf whose rights become empty turns NOACCESS, and back.
 * @retval ENOENT  no leaf there   @retval EAGAIN  not @p seen any more
 * @post noted in the gather if rights, A or D were taken away
 */
int __must_check pmap_change(struct pmap *, vaddr_t, struct pmap_edit *,
    struct tlb_gather *);

/** pmap_change() of every leaf in [@p sva, @p eva).  A superpage that sticks
 * out of the range must have been split before (asserted). */
void pmap_protect(struct pmap *, vaddr_t sva, vaddr_t eva, unsigned clear,
    unsigned set, struct tlb_gather *);

/**
 * Empty every leaf in [@p sva, @p eva), also superpages that lie in it as a
 * whole.  With @p drop the frames go into the gather, which drops a reference
 * of each.  Software words stay.
 * @retval EAGAIN the gather is full: flush it and call again
 */
int __must_check pmap_remove(struct pmap *, vaddr_t sva, vaddr_t eva,
    bool drop, struct tlb_gather *);

/**
 * Fork: put the leaves of @p from in [*@p va, @p eva) into @p to as well, with
 * a reference of each frame, copy-on-write in both.  Each call goes at most to
 * the end of one table and advances *@p va past what it did.
 * @retval EBUSY   the entry at *@p va is for the caller: a software word, a
 *                 frame that the kernel is writing (wpins), a cached page
 * @retval ENOMEM  no table page
 * @pre    @p to is empty there; no superpages, no links, all frames are RAM
 * @post   leaves of @p from that lost W are noted in the gather
 */
int __must_check pmap_share(struct pmap *from, struct pmap *to, vaddr_t *va,
    vaddr_t eva, struct tlb_gather *);

/**
 * Leaf or word to EMPTY, or to the software word @p soft if not 0.
 * @param old may be NULL; receives what was there
 * @retval ENOENT nothing was there
 */
int pmap_clear(struct pmap *, vaddr_t, uint64_t soft, struct pmap_leaf *old,
    struct tlb_gather *);

/** Decode the entry that covers @p va. @return its kind (PMAP_EMPTY: none) */
enum pmap_entry pmap_get(struct pmap *, vaddr_t, struct pmap_leaf *out);

/**
 * Pin the frame at @p va for a kernel access with rights @p access; sets A,
 * and D for a write, as the hardware would.
 * @retval EFAULT  no leaf with these rights: fault it in and try again
 */
int __must_check pmap_get_pin(struct pmap *, vaddr_t, vm_prot_t access,
    struct vm_page **out);

/** A place in a pmap that is locked by the running scan. */
struct pmap_cursor {
	struct pmap *pm;
	vaddr_t va;
	uint64_t *pte;
	unsigned level;
};

/**
 * Visit each leaf, no-access leaf and software word that begins in
 * [@p sva, @p eva), in order, with the pmap locked.  A superpage that sticks
 * out of the range must have been split before (asserted).
 * @p fn may change the current entry only, through the cursor; a value other
 * than 0 ends the scan and is returned.
 */
typedef int pmap_scan_fn(struct pmap_cursor *, const struct pmap_leaf *,
    void *);
int pmap_scan(struct pmap *, vaddr_t sva, vaddr_t eva, pmap_scan_fn *, void *);
/** As pmap_change and pmap_clear, on the current entry of a scan.
 * @return old bits */
unsigned pmap_cursor_change(struct pmap_cursor *, unsigned clear, unsigned set,
    struct tlb_gather *);
unsigned pmap_cursor_clear(struct pmap_cursor *, uint64_t soft,
    struct tlb_gather *);

/** Unhook table pages without entries in [@p sva, @p eva) into the gather; one
 * of them may stay until the next call. */
void pmap_trim(struct pmap *, vaddr_t sva, vaddr_t eva, struct tlb_gather *);

/**
 * Replace the superpage that covers @p va by a table of the next order with the
 * same translation, rights, A and D.
 * @retval ENOMEM  @retval ENOENT no superpage
 * @post flush the gather before you edit a part
 */
int __must_check pmap_split(struct pmap *, vaddr_t, struct tlb_gather *);

/** Set the link word of the entry at @p va. @pre PMAP_LINKS, a leaf is there */
void pmap_setlink(struct pmap *, vaddr_t, uintptr_t link);

/**
 * Spurious fault?  True when the entry permits @p access already: the CPU held
 * an older, narrower (or invalid) translation, which is now fenced locally;
 * sets A and D where the hardware does not. The caller simply returns.
 */
bool pmap_fixup(struct pmap *, vaddr_t, vm_prot_t access);

/** Zero table pages kept for reuse, on all CPUs. */
size_t pmap_tables_cached(void);

/** Load @p pm on this CPU (C2, C11); leaves the one loaded before.
 * @pre interrupts off */
void pmap_activate(struct pmap *);
/** Kernel thread or idle: load the kernel's root (C11). @pre interrupts off */
void pmap_lazy(void);
/** The pmap loaded on this CPU; &pmap_kernel when lazy. */
static inline struct pmap *
pmap_current(void)
{
	struct pmap *pm = this_cpu()->pmap;

	return likely(pm != NULL) ? pm : &pmap_kernel;
}


/** Something executable appeared: fetches may hold older bytes of the frame.
 * The flush of the gather syncs the CPUs that run @p pm, others when they
 * load it. */
void pmap_note_code(struct pmap *, struct tlb_gather *);

/** Before returning to user mode: sync the instruction cache if executable
 * pages were entered since (DESIGN rule 10). @pre interrupts off */
void pmap_user_fence(void);

/** Flush obligations and structure: tables reachable, counts right, no entry
 * with W on a PMAP_COW leaf. 0 = sound; else prints and returns EINVAL. */
int pmap_check(struct pmap *);
/** Canonical text of all entries, for tests. */
struct sink;
void pmap_dump(struct pmap *, struct sink *);

#endif
