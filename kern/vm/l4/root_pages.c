/* SPDX-License-Identifier: MIT */
/*
 * root_pages.c - frames that the root pager keeps, by index.
 *
 * A pageset is a red-black tree of chunks, each with a few neighbouring pages;
 * the chunk found last is found again at once.  A slot holds one reference of
 * its frame.
 * Locks: that of the set.
 */
#include "abi/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mem/kmem.h"
#include "vm/l4/root_pager.h"

#include "vm/l4/no_pmap.h"

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

void
pageset_drop(struct pageset *ps, uint64_t first, uint64_t end)
{
	struct page_chunk *c;

	spin_lock(&ps->lock);
	while (first < end && (c = pageset_chunk(ps, first)) != NULL &&
	    c->node.key < end) {
		uint64_t from = MAX(first, c->node.key);
		uint64_t to = MIN(end, c->node.key + CHUNK_PAGES);

		for (; from < to; from++) {
			uintptr_t *slot = &c->slot[from % CHUNK_PAGES];

			if (*slot == 0)
				continue;
			page_drop(slot_page(*slot));
			*slot = 0;
			c->used--;
		}
		first = to;
		if (c->used > 0)
			continue;
		rb_remove(&ps->chunks, &c->node);
		if (ps->last == c)
			ps->last = NULL;
		kmem_free(&chunk_cache, c);
	}
	spin_unlock(&ps->lock);
}

void
pageset_count(struct pageset *ps, void (*count)(struct vm_page *, void *),
    void *arg)
{
	for (struct rb_node *n = rb_first(&ps->chunks); n; n = rb_next(n))
		for (unsigned i = 0; i < CHUNK_PAGES; i++)
			if (chunk_of(n)->slot[i] != 0)
				count(slot_page(chunk_of(n)->slot[i]), arg);
}

int
pageset_check(struct pageset *ps)
{
	bool good = rb_check(&ps->chunks);

	for (struct rb_node *n = rb_first(&ps->chunks); n; n = rb_next(n)) {
		unsigned used = 0;

		for (unsigned i = 0; i < CHUNK_PAGES; i++)
			used += chunk_of(n)->slot[i] != 0;
		good = good && used > 0 && used == chunk_of(n)->used &&
		    n->key % CHUNK_PAGES == 0;
	}
	if (!good)
		kprintf("root pager: a broken set of pages\n");
	return good ? 0 : EINVAL;
}

/* ---- dataspaces ---- */

int
dataspace_create(struct dataspace **out)
{
	struct dataspace *ds = kmalloc(sizeof(*ds));

	if (ds == NULL)
		return ENOMEM;
	ds->refs = 1;
	pageset_init(&ds->pages);
	spin_lock(&all_lock);
	list_push_back(&all, &ds->link);
	spin_unlock(&all_lock);
	*out = ds;
	return 0;
}

void
dataspace_hold(struct dataspace *ds)
{
	__atomic_fetch_add(&ds->refs, 1, __ATOMIC_RELAXED);
}

void
dataspace_drop(struct dataspace *ds)
{
	if (__atomic_sub_fetch(&ds->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	spin_lock(&all_lock);
	list_remove(&ds->link);
	spin_unlock(&all_lock);
	pageset_drop(&ds->pages, 0, UINT64_MAX);
	kfree(ds, sizeof(*ds));
}

void
dataspace_count_all(void (*count)(struct vm_page *, void *), void *arg)
{
	/* For vm_check() only: no operation is under way, no lock needed. */
	LIST_FOREACH(l, &all)
		pageset_count(&LIST_ENTRY(l, struct dataspace, link)->pages,
		    count, arg);
}
