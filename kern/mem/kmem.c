/* SPDX-License-Identifier: MIT */
/*
 * kmem.c - slabs for kernel objects.
 *
 * A slab is one frame: a header, then objects of one size.  Each CPU keeps a
 * short free list a cache, so that most calls touch no lock; a batch moves
 * between that list and the slabs under the cache's lock.
 * Locks: RANK_KMEM, then RANK_FRAME.  Never used in interrupts.
 * DEBUG fills free objects and checks the fill.
 */
#include "mem/kmem.h"

#include "lib/printf.h"
#include "lib/string.h"
#include "mem/failpoint.h"
#include "mem/frame.h"

#define CPU_LIST_MAX 32
#define BATCH	     16
#define KEEP_EMPTY   2 /* wholly free slabs kept for the next burst */

struct kmem_slab {
	struct list link; /* cache->partial, or alone when full */
	struct kmem_cache *cache;
	void *free; /* objects linked through their first word */
	uint32_t nused;
};

static int64_t slab_frames; /* [a] */
static struct list all_caches = LIST_INIT(all_caches);

static void **
next_of(void *obj)
{
	return obj;
}

static struct kmem_slab *
slab_of(void *obj)
{
	return (struct kmem_slab *)(void *)ROUND_DOWN((uintptr_t)obj,
	    PAGE_SIZE);
}

void
kmem_cache_init(struct kmem_cache *c, const char *name, size_t size)
{
	memset(c, 0, sizeof(*c));
	spin_init(&c->lock, RANK_KMEM, name);
	c->name = name;
	c->size = (uint32_t)ROUND_UP(MAX(size, 2 * sizeof(void *)), 16);
	c->per_slab = (uint32_t)(
	    (PAGE_SIZE - ROUND_UP(sizeof(struct kmem_slab), 16)) / c->size);
	KASSERT_ALWAYS(c->per_slab >= 1);
	list_init(&c->partial);
	list_push_back(&all_caches, &c->caches);
}

/* ---- DEBUG: fill of free objects, after the link word ---- */

static void
fill_free(struct kmem_cache *c, void *obj)
{
#ifdef DEBUG
	memset((char *)obj + sizeof(void *), FRAME_POISON,
	    c->size - sizeof(void *));
#else
	(void)c, (void)obj;
#endif
}

static void
check_fill(struct kmem_cache *c, const void *obj)
{
#ifdef DEBUG
	const uint8_t *p = obj;

	for (size_t i = sizeof(void *); i < c->size; i++)
		if (p[i] != FRAME_POISON)
			panic("%s object %p: written while free, offset %lu",
			    c->name, obj, (unsigned long)i);
#else
	(void)c, (void)obj;
#endif
}

/* ---- slabs, with c->lock held ---- */

static struct kmem_slab *
slab_create(struct kmem_cache *c)
{
	struct vm_page *pg = frame_alloc(FRAME_NOFAIL_POINT);
	struct kmem_slab *s;
	char *obj;

	if (pg == NULL)
		return NULL;
	s = page_to_virt(pg);
	s->cache = c;
	s->free = NULL;
	s->nused = 0;
	obj = (char *)s + ROUND_UP(sizeof(*s), 16);
	for (uint32_t i = 0; i < c->per_slab; i++, obj += c->size) {
		fill_free(c, obj);
		*next_of(obj) = s->free;
		s->free = obj;
	}
	list_push_front(&c->partial, &s->link);
	c->nempty++;
	__atomic_fetch_add(&slab_frames, 1, __ATOMIC_RELAXED);
	return s;
}

static __slowpath bool
refill(struct kmem_cache *c, unsigned cpu)
{
	spin_lock(&c->lock);
	while (c->cpu[cpu].n < BATCH) {
		struct kmem_slab *s;
		void *obj;

		if (!list_empty(&c->partial))
			s = LIST_ENTRY(c->partial.next, struct kmem_slab, link);
		else if (c->cpu[cpu].n > 0 || (s = slab_create(c)) == NULL)
			break;
		obj = s->free;
		s->free = *next_of(obj);
		c->nempty -= s->nused++ == 0;
		if (s->free == NULL)
			list_remove(&s->link);
		*next_of(obj) = c->cpu[cpu].free;
		c->cpu[cpu].free = obj;
		c->cpu[cpu].n++;
	}
	spin_unlock(&c->lock);
	return c->cpu[cpu].n > 0;
}

static void
slab_put(struct kmem_cache *c, void *obj)
{
	struct kmem_slab *s = slab_of(obj);

	KASSERT(s->cache == c && s->nused > 0);
	if (s->free == NULL)
		list_push_back(&c->partial, &s->link);
	*next_of(obj) = s->free;
	s->free = obj;
	if (--s->nused > 0)
		return;
	if (c->nempty < KEEP_EMPTY) {
		c->nempty++;
		return;
	}
	list_remove(&s->link);
	__atomic_fetch_sub(&slab_frames, 1, __ATOMIC_RELAXED);
	frame_free(phys_to_page(virt_to_phys(s)));
}

static __slowpath void
spill(struct kmem_cache *c, unsigned cpu, uint32_t keep)
{
	spin_lock(&c->lock);
	while (c->cpu[cpu].n > keep) {
		void *obj = c->cpu[cpu].free;

		c->cpu[cpu].free = *next_of(obj);
		c->cpu[cpu].n--;
		slab_put(c, obj);
	}
	spin_unlock(&c->lock);
}

/* ---- the two calls ---- */

void *
kmem_alloc(struct kmem_cache *c)
{
	unsigned cpu = cpu_id();
	void *obj;

	if (unlikely(fail_armed != 0) && fail_point())
		return NULL;
	if (unlikely(c->cpu[cpu].n == 0) && !refill(c, cpu))
		return NULL;
	obj = c->cpu[cpu].free;
	c->cpu[cpu].free = *next_of(obj);
	c->cpu[cpu].n--;
	c->cpu[cpu].used++;
	check_fill(c, obj);
	return obj;
}

void
kmem_free(struct kmem_cache *c, void *obj)
{
	unsigned cpu = cpu_id();

	KASSERT(slab_of(obj)->cache == c);
	fill_free(c, obj);
	*next_of(obj) = c->cpu[cpu].free;
	c->cpu[cpu].free = obj;
	c->cpu[cpu].used--;
	if (unlikely(++c->cpu[cpu].n > CPU_LIST_MAX))
		spill(c, cpu, CPU_LIST_MAX - BATCH);
}

/* ---- general sizes ---- */

static const struct {
	uint16_t size;
	const char *name;
} classes[] = {
	{ 16, "kmalloc-16" },
	{ 32, "kmalloc-32" },
	{ 64, "kmalloc-64" },
	{ 128, "kmalloc-128" },
	{ 256, "kmalloc-256" },
	{ 512, "kmalloc-512" },
	{ 1008, "kmalloc-1008" },
	{ 2032, "kmalloc-2032" },
};
static struct kmem_cache class_cache[ARRAY_SIZE(classes)];
static int64_t large_frames; /* [a] in use by kmalloc */
static int64_t large_blocks; /* [a] */

void
kmem_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		kmem_cache_init(&class_cache[i], classes[i].name,
		    classes[i].size);
}

static struct kmem_cache *
class_for(size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (size <= classes[i].size)
			return &class_cache[i];
	return NULL;
}

static unsigned
order_for(size_t size)
{
	unsigned order = 0;

	while ((PAGE_SIZE << order) < size)
		order++;
	return order;
}

void *
kmalloc(size_t size)
{
	struct kmem_cache *c = class_for(size);
	unsigned order = order_for(size);
	struct vm_page *pg;

	if (c != NULL)
		return kmem_alloc(c);
	if (order > FRAME_MAX_ORDER)
		return NULL;
	pg = frame_alloc_order(order, FRAME_DEFAULT);
	if (pg == NULL)
		return NULL;
	__atomic_fetch_add(&large_frames, (int64_t)1 << order,
	    __ATOMIC_RELAXED);
	__atomic_fetch_add(&large_blocks, 1, __ATOMIC_RELAXED);
	return page_to_virt(pg);
}

void *
kzalloc(size_t size)
{
	void *p = kmalloc(size);

	if (p != NULL)
		memset(p, 0, size);
	return p;
}

void
kfree(void *p, size_t size)
{
	struct kmem_cache *c = class_for(size);

	if (p == NULL)
		return;
	if (c != NULL) {
		kmem_free(c, p);
		return;
	}
	__atomic_fetch_sub(&large_frames, (int64_t)1 << order_for(size),
	    __ATOMIC_RELAXED);
	__atomic_fetch_sub(&large_blocks, 1, __ATOMIC_RELAXED);
	frame_free(phys_to_page(virt_to_phys(p)));
}

/* ---- accounting ---- */

uint64_t
kmem_used(const struct kmem_cache *c)
{
	int64_t n = 0;

	for (unsigned i = 0; i < MAXCPU; i++)
		n += __atomic_load_n(&c->cpu[i].used, __ATOMIC_RELAXED);
	return (uint64_t)n;
}

uint64_t
kmem_used_objects(void)
{
	uint64_t n = (uint64_t)large_blocks;

	LIST_FOREACH(l, &all_caches)
		n += kmem_used(LIST_ENTRY(l, struct kmem_cache, caches));
	return n;
}

uint64_t
kmem_used_bytes(void)
{
	uint64_t n = (uint64_t)large_frames << PAGE_SHIFT;

	LIST_FOREACH(l, &all_caches) {
		struct kmem_cache *c = LIST_ENTRY(l, struct kmem_cache, caches);

		n += kmem_used(c) * c->size;
	}
	return n;
}

size_t
kmem_slab_frames(void)
{
	return (size_t)__atomic_load_n(&slab_frames, __ATOMIC_RELAXED);
}

void
kmem_dump(struct sink *sk)
{
	LIST_FOREACH(l, &all_caches) {
		struct kmem_cache *c = LIST_ENTRY(l, struct kmem_cache, caches);

		sink_printf(sk, "%s %u %lu\n", c->name, c->size,
		    (unsigned long)kmem_used(c));
	}
}
