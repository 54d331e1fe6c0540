/* SPDX-License-Identifier: MIT */
/*
 * vm_resident.c - the resident page table: pages by (object, offset).
 *
 * One hash for all anonymous objects, chained through vm_page.chain; owner and
 * offset of struct vm_page say where a page belongs.  Each page also stands in
 * the memq of its object.  An object has one reference of each of its pages.
 * Locks: the object's says which pages it has; buckets have locks of their own,
 *	since objects share them.
 */
#include "abi/errno.h"
#include "mem/kmem.h"
#include "sync/counter.h"
#include "vm/mach/mach_page.h"

#define NLOCKS	   64
#define CHUNK_BITS 18 /* frames of one allocation, 1 MiB */
#define CHUNKS	   64

static struct vm_page **hash;
static size_t hash_mask;
static struct spinlock locks[NLOCKS]; /* by bucket */
/* By frame: in which bucket it is + 1, or 0.  Page-out asks it of any frame,
 * whose struct vm_page may belong to somebody else by now. */
static uint32_t *where[CHUNKS];

int
vm_resident_setup(void)
{
	size_t n = 256;

	while (n < frame_total() && n < 131072)
		n *= 2;
	hash = kzalloc(n * sizeof(*hash));
	if (hash == NULL)
		return ENOMEM;
	hash_mask = n - 1;
	for (unsigned i = 0; i < NLOCKS; i++)
		spin_init(&locks[i], RANK_MISC, "resident");
	if (frame_array_size > (size_t)CHUNKS << CHUNK_BITS)
		return ENOMEM;
	for (size_t i = 0; i < frame_array_size; i += n) {
		n = MIN(frame_array_size - i, (size_t)1 << CHUNK_BITS);
		where[i >> CHUNK_BITS] = kzalloc(n * sizeof(uint32_t));
		if (where[i >> CHUNK_BITS] == NULL)
			return ENOMEM;
	}
	return 0;
}

static inline uint32_t *
where_of(const struct vm_page *pg)
{
	size_t i = (size_t)(pg - frame_array);

	return &where[i >> CHUNK_BITS][i & ((1u << CHUNK_BITS) - 1)];
}

static inline size_t
bucket_of(const struct mach_object *o, uint64_t index)
{
	return (((uintptr_t)o >> 6) * 31 + index) & hash_mask;
}

struct vm_page *
vm_page_lookup(const struct mach_object *o, uint64_t index)
{
	size_t b = bucket_of(o, index);
	struct vm_page *pg;

	/* Without the lock: a page of ours would be there all the time. */
	if (o->nresident == 0 ||
	    __atomic_load_n(&hash[b], __ATOMIC_RELAXED) == NULL)
		return NULL;
	spin_lock(&locks[b % NLOCKS]);
	pg = hash[b];
	while (pg != NULL && (pg->owner != o || pg->offset != index))
		pg = pg->chain;
	spin_unlock(&locks[b % NLOCKS]);
	return pg;
}

static void
link_page(struct vm_page *pg, struct mach_object *o, uint64_t index)
{
	size_t b = bucket_of(o, index);

	KASSERT(index < o->npages);
	pg->owner = o;
	pg->offset = index;
	__atomic_store_n(where_of(pg), (uint32_t)b + 1, __ATOMIC_RELAXED);
	spin_lock(&locks[b % NLOCKS]);
	pg->chain = hash[b];
	__atomic_store_n(&hash[b], pg, __ATOMIC_RELAXED);
	spin_unlock(&locks[b % NLOCKS]);
	list_push_back(&o->memq, &pg->link);
	o->nresident++;
	counter_add(TS_object_pages, 1);
}

void
vm_page_insert(struct vm_page *pg, struct mach_object *o, uint64_t index)
{
	link_page(pg, o, index);
	pageout_arrived(pg);
}

void
vm_page_remove(struct vm_page *pg)
{
	struct mach_object *o = pg->owner;
	size_t b = bucket_of(o, pg->offset);
	struct vm_page **at = &hash[b];

	spin_lock(&locks[b % NLOCKS]);
	while (*at != pg)
		at = &(*at)->chain;
	__atomic_store_n(at, pg->chain, __ATOMIC_RELAXED);
	spin_unlock(&locks[b % NLOCKS]);
	list_remove(&pg->link);
	o->nresident--;
	counter_add(TS_object_pages, (uint64_t)-1);
	pg->owner = NULL;
	__atomic_store_n(where_of(pg), 0, __ATOMIC_RELAXED);
	pg->chain = NULL;
}

void
vm_page_rename(struct vm_page *pg, struct mach_object *to, uint64_t index)
{
	vm_page_remove(pg);
	link_page(pg, to, index);
}

/* What is in a bucket has its owner while the bucket is locked, and the owner
 * exists, since it takes its pages out before it goes. */
struct mach_object *
vm_page_lock_object(const struct vm_page *pg, bool *busy)
{
	uint32_t b = __atomic_load_n(where_of(pg), __ATOMIC_RELAXED);
	const struct vm_page *p;
	struct mach_object *o;

	*busy = false;
	if (b-- == 0)
		return NULL;
	spin_lock(&locks[b % NLOCKS]);
	for (p = hash[b]; p != NULL && p != pg; p = p->chain)
		;
	o = p != NULL ? p->owner : NULL;
	if (o != NULL && !spin_trylock(&o->lock)) {
		*busy = true;
		o = NULL;
	}
	spin_unlock(&locks[b % NLOCKS]);
	return o;
}

void
vm_resident_count(void (*count)(struct vm_page *, void *), void *arg)
{
	for (size_t b = 0; b <= hash_mask; b++)
		for (struct vm_page *pg = hash[b]; pg != NULL; pg = pg->chain)
			count(pg, arg);
}
