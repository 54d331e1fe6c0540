/* SPDX-License-Identifier: MIT */
/*
 * mach_pager.c - the default pager: which pages of objects are on swap.
 *
 * Path: page-out, faults, and whoever changes a chain of objects -> HERE ->
 *	vm/swap.c, which moves the contents.
 * Mach keeps an existence map an object, and the pager a map of its own behind
 * it.  Here both are one hash with a note a slot, made when swap is: page-out,
 * which is to free memory, needs none.  An object lists its notes, so what is
 * on swap is merged, compared and freed with it as what is resident.
 * Invariant: a page of an object is resident or on swap, never both.
 * Locks: the object's for what it has; buckets have locks of their own, since
 *	objects share them; vm_object_lock for slots and the swap cache.
 * Source: Golub, Draves, Moving the Default Memory Manager Out of the Mach
 * Kernel, 1991.
 */
#include "abi/errno.h"
#include "vm/mach/mach_page.h"
#include "vm/swap.h"

#define NLOCKS 64

static struct spinlock locks[NLOCKS]; /* by bucket */

void
pager_setup(void)
{
	swap_note_size = sizeof(struct paged);
	for (unsigned i = 0; i < NLOCKS; i++)
		spin_init(&locks[i], RANK_MISC, "paged");
}

/* ---- the hash ---- */

static struct paged *
note_of(uint64_t slot)
{
	return swap_note(slot);
}

static uint64_t
bucket_of(const struct mach_object *o, uint64_t index)
{
	return (((uintptr_t)o >> 6) * 31 + index) % swap_total();
}

static struct paged *
find(const struct mach_object *o, uint64_t index)
{
	uint64_t b = bucket_of(o, index);
	struct paged *found = NULL;

	spin_lock(&locks[b % NLOCKS]);
	for (uint32_t n = note_of(b)->first; n != 0 && found == NULL;) {
		struct paged *p = note_of(n - 1);

		if (p->object == o && p->index == index)
			found = p;
		n = p->next;
	}
	spin_unlock(&locks[b % NLOCKS]);
	return found;
}

static void
link_note(struct paged *p, struct mach_object *o, uint64_t index)
{
	uint64_t b = bucket_of(o, index);

	spin_lock(&locks[b % NLOCKS]);
	p->object = o;
	p->index = index;
	p->next = note_of(b)->first;
	note_of(b)->first = (uint32_t)p->slot + 1;
	spin_unlock(&locks[b % NLOCKS]);
	list_push_back(&o->paged, &p->link);
	o->npaged++;
}

static void
unlink_note(struct paged *p)
{
	struct mach_object *o = p->object;
	uint64_t b = bucket_of(o, p->index);
	uint32_t *at = &note_of(b)->first;

	spin_lock(&locks[b % NLOCKS]);
	while (*at != p->slot + 1)
		at = &note_of(*at - 1)->next;
	*at = p->next;
	p->object = NULL;
	spin_unlock(&locks[b % NLOCKS]);
	list_remove(&p->link);
	o->npaged--;
}

/* After the note: once the slot is free, somebody else may take both.
 * @locks vm_object_lock */
static void
free_slot(struct paged *p)
{
	unlink_note(p);
	swap_drop(p->slot);
}

bool
pager_lookup(const struct mach_object *o, uint64_t index)
{
	return find(o, index) != NULL;
}

/* ---- out and in ---- */

bool
pager_has_room(void)
{
	return swap_used() < swap_total();
}

int
pager_page_out(struct vm_page *pg)
{
	struct mach_object *o = pg->owner;
	uint64_t index = pg->offset, slot;
	struct paged *p;
	int error;

	vm_page_remove(pg); /* the swap cache uses the same fields */
	spin_lock(&vm_object_lock);
	error = swap_out(pg, &slot);
	spin_unlock(&vm_object_lock);
	if (error != 0) {
		vm_page_insert(pg, o, index);
		return error;
	}
	p = note_of(slot);
	p->slot = (uint32_t)slot;
	link_note(p, o, index);
	return 0;
}

/* A page that was just written out, or not yet, is still in the swap cache. */
int
pager_page_in(struct mach_object *o, uint64_t index, struct vm_page **out,
    struct vm_txn *txn)
{
	struct paged *p = find(o, index);
	struct vm_page *pg;

	spin_lock(&vm_object_lock);
	pg = vm_object_find(&swap_object, p->slot);
	if (pg == NULL || (page_flags(pg) & (PG_BUSY | PG_WRITEBACK))) {
		/* As for a store: until it has been read, and written. */
		(void)vm_object_wait(&swap_object, p->slot, true, txn);
		spin_unlock(&vm_object_lock);
		return VM_WAIT;
	}
	page_hold(pg);
	free_slot(p); /* the only word, so the page leaves the cache */
	KASSERT(!(page_flags(pg) & PG_CACHED));
	spin_unlock(&vm_object_lock);
	vm_page_insert(pg, o, index);
	*out = pg;
	return 0;
}

/* ---- with the objects ---- */

void
pager_rename(struct paged *p, struct mach_object *to, uint64_t index)
{
	unlink_note(p);
	link_note(p, to, index);
}

void
pager_remove(struct paged *p)
{
	spin_lock(&vm_object_lock);
	free_slot(p);
	spin_unlock(&vm_object_lock);
}

void
pager_remove_range_locked(struct mach_object *o, uint64_t first, uint64_t end)
{
	struct paged *p;

	if (end - first < o->npaged) {
		for (uint64_t i = first; i < end; i++)
			if ((p = find(o, i)) != NULL)
				free_slot(p);
		return;
	}
	LIST_FOREACH_SAFE(l, &o->paged) {
		p = LIST_ENTRY(l, struct paged, link);
		if (p->index >= first && p->index < end)
			free_slot(p);
	}
}

void
pager_remove_range(struct mach_object *o, uint64_t first, uint64_t end)
{
	if (o->npaged == 0)
		return;
	spin_lock(&vm_object_lock);
	pager_remove_range_locked(o, first, end);
	spin_unlock(&vm_object_lock);
}

/* ---- checking ---- */

void
pager_check_words(void)
{
	for (uint64_t i = 0; i < swap_total(); i++)
		if (note_of(i)->object != NULL)
			swap_check_word(i);
}
