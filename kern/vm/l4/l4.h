/* SPDX-License-Identifier: MIT */
/**
 * @file l4.h
 * The L4 primitives: the only ways to give, take and find out rights.
 *
 * The kernel of this design knows frames, mappings that come from mappings, and
 * faults.  Regions, copy-on-write and files belong to a pager above, which uses
 * this header and nothing below it (no_pmap.h).  Recursive mapping is the
 * construction of spaces from spaces.
 *
 * Primitives touch spaces whose locks the caller does not hold.  What guards
 * them is the lock of the frame (RANK_MAPPING), then the pmaps one by one.
 * Nothing sleeps; what was taken away is noted in the gather, which may span
 * any number of spaces.
 * Source: L4 X.2 Reference Manual, sections 4 and 6; Liedtke, SOSP 1995.
 */
#ifndef VM_L4_L4_H
#define VM_L4_L4_H

#include "sync/counter.h"
#include "vm/vm.h"

#define L4_NODES_MAX 1048576u /* mappings that one space may hold */

/** What the kernel keeps of a space; vs->priv points to it. */
struct l4_space {
	uint32_t nnodes;  /* [a] */
	uint32_t max_nodes; /* [I] but for tests */
};

static inline struct l4_space *
l4_of(const struct vmspace *vs)
{
	return vs->priv;
}

static inline void
l4_charge(const struct vmspace *vs)
{
	__atomic_fetch_add(&l4_of(vs)->nnodes, 1, __ATOMIC_RELAXED);
}

static inline void
l4_uncharge(const struct vmspace *vs)
{
	__atomic_fetch_sub(&l4_of(vs)->nnodes, 1, __ATOMIC_RELAXED);
}

/** Bounded, not exact: mappers of different frames ask at the same time. */
static inline bool
l4_is_full(const struct vmspace *vs)
{
	return __atomic_load_n(&l4_of(vs)->nnodes, __ATOMIC_RELAXED) >=
	    l4_of(vs)->max_nodes;
}

/* State of a page, beside VM_PROT_* rights. */
#define L4_REFERENCED 0x10u /* PMAP_ACCESSED */
#define L4_WRITTEN    0x20u /* PMAP_DIRTY */
#define L4_MAPPED     0x40u /* answers: there was a mapping */

enum l4_how {
	L4_MAP,	  /* a child of the sender's mapping */
	L4_GRANT, /* the sender's own mapping moves, with its children */
	L4_COPY,  /* a sibling: the sender cannot revoke it */
};

/** One page. */
struct l4_map {
	struct vmspace *from; /* NULL: sigma0, where address = physical */
	struct vmspace *to;
	vaddr_t src, dst;
	unsigned rights;      /* asked for; the sender's cap them */
	unsigned touched;     /* L4_REFERENCED, L4_WRITTEN: as the access will
			       * set them anyway */
	enum l4_how how;
};

/**
 * Give one page.  What the receiver had at @p dst goes first, with what came
 * from it; if it came from the same place already, only rights are added.
 * Mapping to somebody whom the sender has it from does nothing.
 * @retval ENOENT  the sender has nothing there  @retval EACCES no right left
 * @retval ENOMEM  no node or table; nothing changed
 * @retval EMLINK  deeper than MAPDB_DEPTH_MAX, or the receiver's nodes are used
 *                 up; nothing changed
 * @retval EAGAIN  the gather is full: flush it and call again
 */
int __must_check l4_map(const struct l4_map *, struct tlb_gather *);

/** Device memory, or RAM outside of the database: no node, nothing counted.
 * @retval EBUSY a mapping stands there  @retval ENOMEM */
int __must_check l4_map_device(const struct l4_map *, struct tlb_gather *);

#define L4_UNMAP_SELF  1u /* also from the space itself: flush */
#define L4_UNMAP_RESET 2u /* L4_WRITTEN, L4_REFERENCED start anew, also for the
			   * space itself */
#define L4_UNMAP_OWNER 4u /* the caller holds the space's lock: what was written
			   * is remembered in its overlay */
#define L4_UNMAP_TRIM  8u /* page tables that become empty go too */

/** Take rights from all that came from pages of a space. */
struct l4_unmap {
	struct vmspace *space;
	vaddr_t sva, eva;   /* sva advances as far as the work is done */
	unsigned rights;    /* to take, with what needs them on this machine;
			     * 0: only ask */
	unsigned flags;	    /* L4_UNMAP_* */
	unsigned status;    /* out: L4_*, over all mappings met */
	uint64_t *written;  /* NULL, or: set bit (va - base) of written pages */
	vaddr_t base;
};

/** Mappings without any right left are removed, children first.
 * @retval EAGAIN the gather is full: flush it and call again */
int __must_check l4_unmap(struct l4_unmap *, struct tlb_gather *);

/** As l4_unmap for one page, not restartable: only for less than all rights. */
unsigned l4_unmap_page(struct vmspace *, vaddr_t, unsigned rights,
    unsigned flags, struct tlb_gather *);

/** Whether the space has exactly this frame at @p va. */
bool l4_has(struct vmspace *, vaddr_t va, const struct vm_page *);

/** Sigma0 takes rights of a frame back from everybody.  With L4_UNMAP_OWNER
 * what was written is remembered in the overlays of all spaces.
 * @retval EAGAIN flush and call again (only when no right is left) */
int __must_check l4_unmap_frame(struct vm_page *, unsigned rights,
    unsigned flags, unsigned *status, struct tlb_gather *);

/** A frame that was never handed out before, with one reference; NULL. */
struct vm_page *sigma0_alloc(void);

/** Locks and trees. @ctx once */
void l4_ops_init(void);
void l4_space_init(struct l4_space *);
/** Each mapping of @p vs agrees with its node, and no right exceeds the one it
 * came from. 0 = sound */
int l4_check_mappings(struct vmspace *);

#endif
