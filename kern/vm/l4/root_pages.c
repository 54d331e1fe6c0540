/* SPDX-License-Identifier: MIT */
/*
 * root_pages.c - frames that the root pager keeps, by index.
 *
 * A pageset is a red-black tree of chunks, each with a few neighbouring pages;
 * the chunk found last is found again at once.  A slot holds one reference of
 * its frame, or is one word of a swap slot.
 * Locks: that of the set; vm_object_lock before it where a word comes or goes.
 */
#include "abi/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mem/kmem.h"
#include "vm/l4/root_pager.h"
#include "vm/swap.h"

#include "vm/l4/no_pmap.h"

#define DROP_CHUNKS 64 /* with vm_object_lock, which is everybody's */

static struct kmem_cache chunk_cache;
static struct spinlock all_lock = SPINLOCK_INIT(RANK_MISC, "dataspaces");
static struct list all = LIST_INIT(all); /* [all_lock] */

void
pages_init(void)
{
	kmem_cache_init(&chunk_cache, "page_chunk", sizeof(struct page_chunk));
}

void
pageset_init(struct pageset *ps)
{
	spin_init(&ps->lock, RANK_PAGER, "pages");
	ps->chunks.root = NULL;
	ps->last = NULL;
	ps->nswapped = 0;
}

void
slot_drop(uintptr_t slot)
{
	if (slot_swapped(slot))
		swap_drop(slot_swap(slot));
	else
		page_drop(slot_page(slot));
}

static struct page_chunk *
chunk_of(struct rb_node *n)
{
	return n != NULL ? container_of(n, struct page_chunk, node) : NULL;
}

/* The chunk for @p index, if there is one. */
static inline struct page_chunk *
lookup(struct pageset *ps, uint64_t index)
{
	uint64_t first = ROUND_DOWN(index, CHUNK_PAGES);
	struct page_chunk *c = ps->last;

	if (likely(c != NULL && c->node.key == first))
		return c;
	c = chunk_of(rb_find_le(&ps->chunks, first));
	if (c == NULL || c->node.key != first)
		return NULL;
	ps->last = c;
	return c;
}

uintptr_t *
pageset_find(struct pageset *ps, uint64_t index)
{
	struct page_chunk *c = lookup(ps, index);

	if (c == NULL || c->slot[index % CHUNK_PAGES] == 0)
		return NULL;
	return &c->slot[index % CHUNK_PAGES];
}

int
pageset_add(struct pageset *ps, uint64_t index, uintptr_t slot)
{
	struct page_chunk *c = lookup(ps, index);

	if (c == NULL) {
		c = kmem_alloc(&chunk_cache);
		if (c == NULL)
			return ENOMEM;
		memset(c, 0, sizeof(*c));
		c->node.key = ROUND_DOWN(index, CHUNK_PAGES);
		rb_insert(&ps->chunks, &c->node);
		ps->last = c;
	}
	KASSERT(c->slot[index % CHUNK_PAGES] == 0);
	c->slot[index % CHUNK_PAGES] = slot;
	c->used++;
	if (slot_swapped(slot))
		pageset_count_word(ps, 1);
	return 0;
}

struct page_chunk *
pageset_chunk(struct pageset *ps, uint64_t index)
{
	struct rb_node *n = rb_find_le(&ps->chunks, index);

	if (n == NULL)
		return chunk_of(rb_first(&ps->chunks));
	if (index < n->key + CHUNK_PAGES)
		return chunk_of(n);
	return chunk_of(rb_next(n));
}

static void
drop_from_chunk(struct pageset *ps, struct page_chunk *c, uint64_t first,
    uint64_t end)
{
	for (; first < end; first++) {
		uintptr_t *slot = &c->slot[first % CHUNK_PAGES];

		if (*slot == 0)
			continue;
		if (slot_swapped(*slot))
			pageset_count_word(ps, -1);
		slot_drop(*slot);
		*slot = 0;
		c->used--;
	}
	if (c->used > 0)
		return;
	rb_remove(&ps->chunks, &c->node);
	if (ps->last == c)
		ps->last = NULL;
	kmem_free(&chunk_cache, c);
}

/* At most @p nchunks. @return where it ended */
static uint64_t
drop_some(struct pageset *ps, uint64_t first, uint64_t end, size_t nchunks)
{
	struct page_chunk *c;

	spin_lock(&ps->lock);
	while (first < end && nchunks-- > 0) {
		uint64_t to = end;

		c = pageset_chunk(ps, first);
		if (c != NULL && c->node.key < end) {
			to = MIN(end, c->node.key + CHUNK_PAGES);
			drop_from_chunk(ps, c, MAX(first, c->node.key), to);
		}
		first = to;
	}
	spin_unlock(&ps->lock);
	return first;
}

void
pageset_drop_locked(struct pageset *ps, uint64_t first, uint64_t end)
{
	(void)drop_some(ps, first, end, SIZE_MAX);
}

void
pageset_drop(struct pageset *ps, uint64_t first, uint64_t end)
{
	/* Nobody adds words now, so 0 is 0 without the lock. */
	if (likely(__atomic_load_n(&ps->nswapped, __ATOMIC_RELAXED) == 0)) {
		pageset_drop_locked(ps, first, end);
		return;
	}
	while (first < end) {
		spin_lock(&vm_object_lock);
		first = drop_some(ps, first, end, DROP_CHUNKS);
		spin_unlock(&vm_object_lock);
	}
}

static void
count_slot(uintptr_t slot, void (*count)(struct vm_page *, void *), void *arg)
{
	if (slot_swapped(slot))
		swap_check_word(slot_swap(slot));
	else if (slot != 0)
		count(slot_page(slot), arg);
}

void
pageset_count(struct pageset *ps, void (*count)(struct vm_page *, void *),
    void *arg)
{
	for (struct rb_node *n = rb_first(&ps->chunks); n; n = rb_next(n))
		for (unsigned i = 0; i < CHUNK_PAGES; i++)
			count_slot(chunk_of(n)->slot[i], count, arg);
}

int
pageset_check(struct pageset *ps)
{
	bool good = rb_check(&ps->chunks);
	size_t nswapped = 0;

	for (struct rb_node *n = rb_first(&ps->chunks); n; n = rb_next(n)) {
		unsigned used = 0;

		for (unsigned i = 0; i < CHUNK_PAGES; i++) {
			uintptr_t slot = chunk_of(n)->slot[i];

			used += slot != 0;
			nswapped += slot_swapped(slot);
			good = good && (!slot_swapped(slot) ||
			    slot_swap(slot) < swap_total());
		}
		good = good && used > 0 && used == chunk_of(n)->used &&
		    n->key % CHUNK_PAGES == 0;
	}
	good = good && nswapped == ps->nswapped;
	if (!good)
		kprintf("root pager: a broken set of pages\n");
	return good ? 0 : EINVAL;
}

/* ---- dataspaces ---- */

static void
destroy(struct region_store *base)
{
	struct dataspace *ds = container_of(base, struct dataspace, base);

	spin_lock(&all_lock);
	list_remove(&ds->link);
	spin_unlock(&all_lock);
	pageset_drop(&ds->pages, 0, UINT64_MAX);
	kfree(ds, sizeof(*ds));
}

int
dataspace_create(struct region_store **out)
{
	struct dataspace *ds = kmalloc(sizeof(*ds));

	if (ds == NULL)
		return ENOMEM;
	ds->base = (struct region_store){ 1, destroy };
	pageset_init(&ds->pages);
	spin_lock(&all_lock);
	list_push_back(&all, &ds->link);
	spin_unlock(&all_lock);
	*out = &ds->base;
	return 0;
}

void
dataspace_count_all(void (*count)(struct vm_page *, void *), void *arg)
{
	/* For vm_check() only: no operation is under way, no lock needed. */
	LIST_FOREACH(l, &all)
		pageset_count(&LIST_ENTRY(l, struct dataspace, link)->pages,
		    count, arg);
}
