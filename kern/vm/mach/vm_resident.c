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
#include "vm/mach/mach.h"

#define NLOCKS 64

static struct vm_page **hash;
static size_t hash_mask;
static struct spinlock locks[NLOCKS]; /* by bucket */

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
	return 0;
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

void
vm_page_insert(struct vm_page *pg, struct mach_object *o, uint64_t index)
{
	size_t b = bucket_of(o, index);

	KASSERT(index < o->npages);
	pg->owner = o;
	pg->offset = index;
	spin_lock(&locks[b % NLOCKS]);
	pg->chain = hash[b];
	__atomic_store_n(&hash[b], pg, __ATOMIC_RELAXED);
	spin_unlock(&locks[b % NLOCKS]);
	list_push_back(&o->memq, &pg->link);
	o->nresident++;
	counter_add(TS_object_pages, 1);
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
	pg->chain = NULL;
}

void
vm_page_rename(struct vm_page *pg, struct mach_object *to, uint64_t index)
{
	vm_page_remove(pg);
	vm_page_insert(pg, to, index);
}

void
vm_resident_count(void (*count)(struct vm_page *, void *), void *arg)
{
	for (size_t b = 0; b <= hash_mask; b++)
		for (struct vm_page *pg = hash[b]; pg != NULL; pg = pg->chain)
			count(pg, arg);
}
