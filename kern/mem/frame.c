/* SPDX-License-Identifier: MIT */
/*
 * frame.c - the allocator of physical page frames.
 *
 * Path: frame_alloc takes from this CPU's chain; an empty CPU gets a whole
 * chain from the depot, or one made from the buddy lists.  frame_free goes the
 * other way; chains return to the buddy lists when memory is short or somebody
 * needs a larger block.
 * Locks: RANK_FRAME around depot and buddy lists; the chains of a CPU are its
 * own and never touched in interrupts.
 * Invariants: a free block of order n is aligned to 2^n, its first page has
 * state FRAME_FREE and order n, and its buddy is not free with the same order.
 * Sources: Knuth, The Art of Computer Programming vol. 1, 2.5 (buddy system);
 * Bonwick and Adams, Magazines and Vmem, USENIX 2001 (depot).
 */
#include "mem/frame.h"

#include "lib/string.h"
#include "mem/failpoint.h"
#include "mem/oracle.h"

#define BATCH	    64	/* frames that move between a CPU and the depot */
#define DEPOT_MAX   64
#define RESERVE_MIN 32
#define RESERVE_MAX 256

struct vm_page *frame_array;
paddr_t frame_base;
size_t frame_array_size;
uintptr_t frame_bias;
struct waitq frame_waitq = WAITQ_INIT(frame_waitq);
struct waitq frame_low_wq = WAITQ_INIT(frame_low_wq);
size_t (*frame_reclaim)(size_t want);

static struct spinlock frame_lock = SPINLOCK_INIT(RANK_FRAME, "frame");
static struct list free_lists[FRAME_MAX_ORDER + 1]; /* [frame_lock] */
static size_t buddy_free;			     /* [frame_lock] frames */
static size_t total;				     /* after frame_init */
static size_t reserve; /* kept for FRAME_RESERVE callers */
static uint32_t frame_low; /* [a] 1: frees bypass the caches and wake waiters */

/* Free frames linked through link.next; n of them. */
struct chain {
	struct vm_page *head;
	size_t n;
};

static struct chain depot[DEPOT_MAX]; /* [frame_lock] full chains */
static unsigned ndepot;		      /* [frame_lock] */

static struct frame_cache {
	struct chain open;  /* 0 to BATCH frames */
	struct chain spare; /* none, or a full chain */
} __cacheline caches[MAXCPU];

static struct frame_cache *
this_cache(void)
{
	return &caches[this_cpu()->id];
}

static void
chain_push(struct chain *c, struct vm_page *pg)
{
	pg->link.next = c->head != NULL ? &c->head->link : NULL;
	c->head = pg;
	__atomic_store_n(&c->n, c->n + 1, __ATOMIC_RELAXED); /* is counted */
}

static struct vm_page *
chain_pop(struct chain *c)
{
	struct vm_page *pg = c->head;
	struct list *next = pg->link.next;

	c->head = next != NULL ? LIST_ENTRY(next, struct vm_page, link) : NULL;
	__atomic_store_n(&c->n, c->n - 1, __ATOMIC_RELAXED);
	return pg;
}

/* All of @p from, if any, becomes all of the empty @p to. */
static void
chain_move(struct chain *to, struct chain *from)
{
	to->head = from->head;
	__atomic_store_n(&to->n, from->n, __ATOMIC_RELAXED);
	from->head = NULL;
	__atomic_store_n(&from->n, 0, __ATOMIC_RELAXED);
}

static size_t
index_of(const struct vm_page *pg)
{
	return (size_t)(pg - frame_array);
}

/* ---- buddy lists, all with frame_lock held ---- */

/* Both counts are read without the lock. */
static void
add_free(size_t n)
{
	__atomic_store_n(&buddy_free, buddy_free + n, __ATOMIC_RELAXED);
}

static struct chain *
depot_at(unsigned i, unsigned left)
{
	__atomic_store_n(&ndepot, left, __ATOMIC_RELAXED);
	return &depot[i];
}

static void
buddy_insert(struct vm_page *pg, unsigned order)
{
	size_t i = index_of(pg);

	add_free((size_t)1 << order);
	while (order < FRAME_MAX_ORDER) {
		size_t j = i ^ ((size_t)1 << order);

		if (j >= frame_array_size ||
		    frame_array[j].state != FRAME_FREE ||
		    frame_array[j].order != order)
			break;
		list_remove(&frame_array[j].link);
		frame_array[j].state = FRAME_USED;
		i &= ~((size_t)1 << order);
		order++;
	}
	pg = &frame_array[i];
	pg->state = FRAME_FREE;
	pg->order = (uint8_t)order;
	list_push_front(&free_lists[order], &pg->link);
}

static struct vm_page *
buddy_remove(unsigned order)
{
	unsigned o = order;
	struct vm_page *pg;

	while (o <= FRAME_MAX_ORDER && list_empty(&free_lists[o]))
		o++;
	if (o > FRAME_MAX_ORDER)
		return NULL;
	pg = LIST_ENTRY(list_pop_front(&free_lists[o]), struct vm_page, link);
	while (o > order) {
		struct vm_page *half = pg + ((size_t)1 << --o);

		half->state = FRAME_FREE;
		half->order = (uint8_t)o;
		list_push_front(&free_lists[o], &half->link);
	}
	pg->state = FRAME_USED;
	pg->order = (uint8_t)order;
	add_free(-((size_t)1 << order));
	return pg;
}

/* ---- DEBUG: poison and checks ---- */

static void
poison(struct vm_page *pg, unsigned order)
{
#ifdef DEBUG
	memset(page_to_virt(pg), FRAME_POISON, PAGE_SIZE << order);
#else
	(void)pg, (void)order;
#endif
}

static void
check_poison(struct vm_page *pg, unsigned order)
{
#ifdef DEBUG
	const uint64_t *w = page_to_virt(pg);
	uint64_t want;

	memset(&want, FRAME_POISON, sizeof(want));
	for (size_t i = 0; i < (PAGE_SIZE << order) / sizeof(*w); i++)
		if (w[i] != want)
			panic("frame 0x%lx: written while free, offset 0x%lx "
			      "holds 0x%lx",
			    (unsigned long)page_to_phys(pg),
			    (unsigned long)(i * sizeof(*w)),
			    (unsigned long)w[i]);
	for (size_t i = 0; i < (size_t)1 << order; i++)
		tlb_oracle_reused(pg + i);
#else
	(void)pg, (void)order;
#endif
}

/* ---- allocation ---- */

static struct vm_page *
hand_out(struct vm_page *pg, unsigned order)
{
	check_poison(pg, order);
	pg->holds = 1; /* refs = 1, pins = 0 */
	__atomic_store_n(&pg->flags, 0, __ATOMIC_RELAXED);
	pg->wpins = 0;
	pg->owner = NULL;
	return pg;
}

/* Dissolve chains of the depot. @pre frame_lock */
static void
depot_drain(void)
{
	while (ndepot > 0) {
		struct chain *c = depot_at(ndepot - 1, ndepot - 1);

		while (c->n > 0)
			buddy_insert(chain_pop(c), 0);
	}
}

/* Caches above give frames back: worth another try. */
static bool
reclaimed(size_t want)
{
	return frame_reclaim != NULL && frame_reclaim(want) > 0;
}

/* This CPU has no frame: a full chain from somewhere, then one frame of it. */
static __slowpath struct vm_page *
refill(unsigned flags)
{
	struct frame_cache *c = this_cache();
	size_t floor = (flags & FRAME_RESERVE) ? 0 : reserve;
	struct vm_page *pg = NULL;
	bool fell = false;

	if (c->spare.n > 0) {
		chain_move(&c->open, &c->spare);
		return chain_pop(&c->open);
	}
	spin_lock(&frame_lock);
	if (ndepot > 0) {
		chain_move(&c->open, depot_at(ndepot - 1, ndepot - 1));
	} else {
		while (c->open.n < BATCH && buddy_free > reserve + BATCH)
			chain_push(&c->open, buddy_remove(0));
		if (c->open.n == 0 && buddy_free > floor)
			pg = buddy_remove(0);
		if (buddy_free <= reserve + BATCH)
			fell = !__atomic_exchange_n(&frame_low, 1,
			    __ATOMIC_SEQ_CST);
	}
	spin_unlock(&frame_lock);
	if (fell)
		waitq_wake_all(&frame_low_wq);
	return c->open.n > 0 ? chain_pop(&c->open) : pg;
}

static __slowpath struct vm_page *
alloc_rare(unsigned flags)
{
	struct frame_cache *c = this_cache();
	struct vm_page *pg;

	if (!(flags & FRAME_NOFAIL_POINT) && fail_point())
		return NULL;
	pg = c->open.n > 0 ? chain_pop(&c->open) : refill(flags);
	if (pg == NULL && reclaimed(BATCH / 4))
		pg = refill(flags);
	return pg != NULL ? hand_out(pg, 0) : NULL;
}

struct vm_page *
frame_alloc(unsigned flags)
{
	struct frame_cache *c = this_cache();

	if (unlikely(fail_armed != 0 || c->open.n == 0))
		return alloc_rare(flags);
	return hand_out(chain_pop(&c->open), 0);
}

bool
frame_is_there(size_t n)
{
	const struct frame_cache *c = this_cache();
	size_t have = c->open.n + c->spare.n;

	spin_lock(&frame_lock);
	have += (size_t)ndepot * BATCH;
	if (buddy_free > reserve)
		have += buddy_free - reserve;
	spin_unlock(&frame_lock);
	return have >= n;
}

static struct vm_page *
alloc_block(unsigned order, unsigned flags)
{
	size_t need = ((size_t)1 << order) +
	    ((flags & FRAME_RESERVE) ? 0 : reserve);
	struct vm_page *pg = NULL;

	spin_lock(&frame_lock);
	if (buddy_free >= need)
		pg = buddy_remove(order);
	if (pg == NULL) { /* the depot may complete a block */
		depot_drain();
		if (buddy_free >= need)
			pg = buddy_remove(order);
	}
	spin_unlock(&frame_lock);
	return pg;
}

struct vm_page *
frame_alloc_order(unsigned order, unsigned flags)
{
	struct vm_page *pg;

	if (order == 0)
		return frame_alloc(flags);
	if (order > FRAME_MAX_ORDER || fail_point())
		return NULL;
	pg = alloc_block(order, flags);
	if (pg == NULL && reclaimed((size_t)4 << order))
		pg = alloc_block(order, flags);
	return pg != NULL ? hand_out(pg, order) : NULL;
}

/* ---- freeing ---- */

bool
frame_is_low(void)
{
	return __atomic_load_n(&frame_low, __ATOMIC_RELAXED) != 0;
}

/* When memory is short nothing may hide in a cache: whoever failed to allocate
 * waits on frame_waitq. */
static __slowpath void
free_now(struct vm_page *pg)
{
	spin_lock(&frame_lock);
	buddy_insert(pg, pg->order);
	depot_drain();
	if (buddy_free > 2 * reserve + BATCH)
		__atomic_store_n(&frame_low, 0, __ATOMIC_SEQ_CST);
	spin_unlock(&frame_lock);
	waitq_wake_all(&frame_waitq);
}

/* The open chain is full. */
static __slowpath void
put_chain(struct frame_cache *c)
{
	struct chain full = { NULL, 0 };

	chain_move(&full, &c->spare);
	chain_move(&c->spare, &c->open);
	if (full.n == 0)
		return;
	spin_lock(&frame_lock);
	if (ndepot < DEPOT_MAX)
		chain_move(depot_at(ndepot, ndepot + 1), &full);
	else
		while (full.n > 0)
			buddy_insert(chain_pop(&full), 0);
	spin_unlock(&frame_lock);
}

void
frame_free(struct vm_page *pg)
{
	struct frame_cache *c = this_cache();

	KASSERT(pg->state == FRAME_USED && pg->pins == 0);
	poison(pg, pg->order);
	__atomic_store_n(&pg->holds, 0, __ATOMIC_RELAXED); /* page-out looks */
	if (unlikely(pg->order != 0 || frame_is_low())) {
		free_now(pg);
		return;
	}
	chain_push(&c->open, pg);
	if (unlikely(c->open.n == BATCH))
		put_chain(c);
}

void
frame_cache_drain(void)
{
	struct frame_cache *c = this_cache();

	spin_lock(&frame_lock);
	while (c->open.n > 0)
		buddy_insert(chain_pop(&c->open), 0);
	while (c->spare.n > 0)
		buddy_insert(chain_pop(&c->spare), 0);
	depot_drain();
	spin_unlock(&frame_lock);
	waitq_wake_all(&frame_waitq);
}

size_t
frame_total(void)
{
	return total;
}

size_t
frame_free_count(void)
{
	size_t n = __atomic_load_n(&buddy_free, __ATOMIC_RELAXED) +
	    (size_t)__atomic_load_n(&ndepot, __ATOMIC_RELAXED) * BATCH;

	for (unsigned i = 0; i < MAXCPU; i++)
		n += __atomic_load_n(&caches[i].open.n, __ATOMIC_RELAXED) +
		    __atomic_load_n(&caches[i].spare.n, __ATOMIC_RELAXED);
	return n;
}

/* ---- start ---- */

static paddr_t ram_lo = UINT64_MAX, ram_hi; /* of all pieces */
static paddr_t array_pa;		    /* where frame_array stands */
static size_t array_bytes;

static void
measure(paddr_t start, paddr_t end)
{
	ram_lo = MIN(ram_lo, start);
	ram_hi = MAX(ram_hi, end);
}

/* The array takes the first pages of the first piece that is large enough. */
static void
place_array(paddr_t start, paddr_t end)
{
	if (array_pa == 0 && end - start >= array_bytes)
		array_pa = start;
}

static void
add_ram(paddr_t start, paddr_t end)
{
	if (start <= array_pa && array_pa < end)
		start = array_pa + array_bytes;
	for (paddr_t pa = start; pa + PAGE_SIZE <= end; pa += PAGE_SIZE) {
		struct vm_page *pg = phys_to_page(pa);

		pg->state = FRAME_USED;
		pg->order = 0;
		poison(pg, 0);
		buddy_insert(pg, 0);
	}
}

void
frame_init(void)
{
	for (unsigned o = 0; o <= FRAME_MAX_ORDER; o++)
		list_init(&free_lists[o]);
	mmu_foreach_ram(measure);
	if (ram_lo >= ram_hi)
		panic("no RAM found");
	/* Base aligned so that an index is as aligned as its address. */
	frame_base = ram_lo & ~((PAGE_SIZE << FRAME_MAX_ORDER) - 1);
	frame_array_size = (ram_hi - frame_base) >> PAGE_SHIFT;
	array_bytes =
	    ROUND_UP(frame_array_size * sizeof(struct vm_page), PAGE_SIZE);
	mmu_foreach_ram(place_array);
	if (array_pa == 0)
		panic("no piece of RAM holds the frame array of %lu bytes",
		    (unsigned long)array_bytes);
	frame_array = phys_to_virt(array_pa);
	frame_bias = (uintptr_t)frame_array -
	    (frame_base >> PAGE_SHIFT) * sizeof(struct vm_page);
	memset(frame_array, 0, array_bytes); /* FRAME_RESERVED */
	for (size_t i = 0; i < frame_array_size; i++)
		frame_array[i].refs = 1; /* mapping and pinning never frees */
	mmu_foreach_ram(add_ram);
	total = buddy_free;
	reserve = MIN(MAX(total / 128, RESERVE_MIN), RESERVE_MAX);
	if (total < 4 * RESERVE_MIN)
		panic("only %lu free frames", (unsigned long)total);
}
