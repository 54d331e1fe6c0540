/* SPDX-License-Identifier: MIT */
/*
 * mach_object.c - memory objects, shadows, collapse and bypass.
 *
 * An object is referenced by entries and by objects that shadow it.  Copies
 * are symmetric: both sides get needs_copy, and who writes first puts a shadow
 * in front of the common object.  A chain is shortened when a link of it has
 * lost its other users (collapse: its pages move up) or when nothing of it is
 * visible any more (bypass): after a write, before a fork, and when the last
 * of the other users goes.
 * Locks: an object before its shadow.  Taking a reference needs none, since
 *	whoever gives one has one.
 * Source: Rashid et al. 1987, section 3.4; Young, 1989, chapter 4.
 */
#include "abi/errno.h"
#include "mem/kmem.h"
#include "sync/counter.h"
#include "vm/mach/mach_page.h"

#define COLLAPSE_PAGES 256 /* pages moved in one step */
#define SIBLINGS_MAX   8   /* shadows of one object that are looked into */

static struct kmem_cache object_cache;

void
mach_object_setup(void)
{
	kmem_cache_init(&object_cache, "mach_object",
	    sizeof(struct mach_object));
}

struct mach_object *
mach_object_create(uint64_t npages)
{
	struct mach_object *o = kmem_alloc(&object_cache);

	if (o == NULL)
		return NULL;
	spin_init(&o->lock, RANK_OBJECT, "object");
	o->refs = 1;
	o->nresident = o->npaged = 0;
	o->one_mapping = true;
	o->npages = npages;
	list_init(&o->memq);
	list_init(&o->paged);
	o->shadow = NULL;
	o->shadow_offset = 0;
	list_init(&o->shadows);
	list_init(&o->shadow_link);
	o->file = NULL;
	return o;
}

/* ---- objects of files ---- */

struct mach_object *
mach_object_of_file(struct vm_object *file)
{
	struct mach_object *o = NULL;

	spin_lock(&vm_object_lock);
	if (!list_empty(&file->mappings)) {
		o = LIST_ENTRY(file->mappings.next, struct vm_map_entry,
		    mapping)->vnode;
		mach_object_reference(o);
	}
	spin_unlock(&vm_object_lock);
	if (o != NULL)
		return o;
	o = mach_object_create(UINT64_MAX >> PAGE_SHIFT);
	if (o == NULL)
		return NULL;
	o->one_mapping = false;
	o->file = file;
	file->ops->hold(file);
	return o;
}

void
mach_object_drop_file(struct mach_object *o)
{
	if (__atomic_sub_fetch(&o->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	o->file->ops->drop(o->file);
	kmem_free(&object_cache, o);
}

/* ---- references ---- */

/* Drop one that is not the last. @return false: it is */
static bool
drop_if_not_last(struct mach_object *o)
{
	uint32_t refs = mach_object_refs(o);

	while (refs > 1)
		if (__atomic_compare_exchange_n(&o->refs, &refs, refs - 1,
			true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return true;
	return false;
}

/* ---- pages ---- */

static int
free_page(struct vm_page *pg, struct vm_txn *txn)
{
	if (unlikely(!pv_empty(pg)))
		(void)pv_page_protect(pg, 0, true, txn);
	if (!pv_empty(pg) || tlb_gather_page(&txn->tg, pg) != 0)
		return mach_restart(txn);
	vm_page_remove(pg);
	return 0;
}

static int
remove_resident(struct mach_object *o, uint64_t first, uint64_t end,
    struct vm_txn *txn)
{
	int error = 0;

	if (end - first < o->nresident) {
		for (uint64_t i = first; error == 0 && i < end; i++) {
			struct vm_page *pg = vm_page_lookup(o, i);

			if (pg != NULL)
				error = free_page(pg, txn);
		}
		return error;
	}
	LIST_FOREACH_SAFE(l, &o->memq) {
		struct vm_page *pg = LIST_ENTRY(l, struct vm_page, link);

		if (pg->offset < first || pg->offset >= end)
			continue;
		error = free_page(pg, txn);
		if (error != 0)
			break;
	}
	return error;
}

int
mach_object_page_remove(struct mach_object *o, uint64_t first, uint64_t end,
    struct vm_txn *txn)
{
	pager_remove_range(o, first, end);
	return remove_resident(o, first, end, txn);
}

int
mach_object_page_remove_locked(struct mach_object *o, uint64_t first,
    uint64_t end, struct vm_txn *txn)
{
	pager_remove_range_locked(o, first, end);
	return remove_resident(o, first, end, txn);
}

/* ---- shadows ---- */

struct mach_object *
mach_object_shadow(struct vm_map_entry *e)
{
	struct mach_object *o = e->object;
	struct mach_object *s = mach_object_create(entry_npages(e));

	if (s == NULL)
		return NULL;
	s->shadow = o; /* with the entry's reference */
	s->shadow_offset = e->offset;
	list_push_back(&o->shadows, &s->shadow_link);
	o->one_mapping = false;
	e->object = s;
	e->offset = 0;
	e->needs_copy = false;
	return s;
}

/* Page @p i of @p s as @p o sees it: inside of @p o at all? */
static bool
in_window(const struct mach_object *o, uint64_t i, uint64_t *out)
{
	*out = i - o->shadow_offset;
	return i >= o->shadow_offset && *out < o->npages;
}

/* @p o shadows what @p s shadows.  @p s is locked, and stays allocated. */
static void
skip_shadow(struct mach_object *o, struct mach_object *s)
{
	struct mach_object *t = s->shadow;

	list_remove(&o->shadow_link);
	__atomic_store_n(&o->shadow, t, __ATOMIC_RELEASE);
	o->shadow_offset += s->shadow_offset;
	if (t == NULL)
		return;
	spin_lock_nested(&t->lock);
	list_push_back(&t->shadows, &o->shadow_link);
	spin_unlock(&t->lock);
}

/* Move what @p o lacks up, from frames and from swap, and free the rest.
 * @return false: not all of it yet */
static bool
merge_pages(struct mach_object *o, struct mach_object *s, struct vm_txn *txn)
{
	unsigned budget = COLLAPSE_PAGES;

	LIST_FOREACH_SAFE(l, &s->memq) {
		struct vm_page *pg = LIST_ENTRY(l, struct vm_page, link);
		uint64_t i;

		if (budget-- == 0)
			return false;
		if (in_window(o, pg->offset, &i) && !mach_object_has(o, i))
			vm_page_rename(pg, o, i);
		else if (free_page(pg, txn) != 0)
			return false;
	}
	LIST_FOREACH_SAFE(l, &s->paged) {
		struct paged *p = LIST_ENTRY(l, struct paged, link);
		uint64_t i;

		if (budget-- == 0)
			return false;
		if (in_window(o, p->index, &i) && !mach_object_has(o, i))
			pager_rename(p, o, i);
		else
			pager_remove(p);
	}
	return true;
}

/* Does @p o have all that it could see of @p s? */
static bool
obscures(const struct mach_object *o, const struct mach_object *s)
{
	uint64_t i;

	if (s->nresident + s->npaged > o->nresident + o->npaged)
		return false;
	LIST_FOREACH(l, &s->memq) {
		const struct vm_page *pg = LIST_ENTRY(l, struct vm_page, link);

		if (in_window(o, pg->offset, &i) && !mach_object_has(o, i))
			return false;
	}
	LIST_FOREACH(l, &s->paged) {
		const struct paged *p = LIST_ENTRY(l, struct paged, link);

		if (in_window(o, p->index, &i) && !mach_object_has(o, i))
			return false;
	}
	return true;
}

static bool
try_collapse(struct mach_object *o, struct mach_object *s, struct vm_txn *txn)
{
	struct mach_object *t = s->shadow;

	if (!merge_pages(o, s, txn))
		return false;
	skip_shadow(o, s);
	counter_add(TS_collapses, 1);
	if (t != NULL) {
		spin_lock_nested(&t->lock);
		list_remove(&s->shadow_link);
		spin_unlock(&t->lock);
	}
	return true;
}

/* The reference that @p s has to its shadow remains; @p o needs one too. */
static bool
try_bypass(struct mach_object *o, struct mach_object *s)
{
	if (!obscures(o, s) || !drop_if_not_last(s))
		return false;
	if (s->shadow != NULL)
		mach_object_reference(s->shadow);
	skip_shadow(o, s);
	counter_add(TS_bypasses, 1);
	return true;
}

void
mach_object_collapse(struct mach_object *o, struct vm_txn *txn)
{
	struct mach_object *s;

	while ((s = o->shadow) != NULL && s->file == NULL) {
		bool more;

		spin_lock_nested(&s->lock);
		if (mach_object_refs(s) == 1) {
			more = try_collapse(o, s, txn);
			spin_unlock(&s->lock);
			if (more) /* nobody can find it any more */
				kmem_free(&object_cache, s);
		} else {
			more = try_bypass(o, s);
			spin_unlock(&s->lock);
		}
		if (!more)
			break;
	}
}

/* ---- letting go ---- */

/* What shadows @p o is its only user: collapse it.  That is against the lock
 * order; if it cannot be had now, its next fault or fork collapses.
 * @locks o, released here */
static void
collapse_from_below(struct mach_object *o, struct vm_txn *txn)
{
	struct mach_object *x =
	    LIST_ENTRY(o->shadows.next, struct mach_object, shadow_link);
	bool done;

	/* It cannot leave the list, and so not be freed, without our lock. */
	if (!spin_trylock(&x->lock)) {
		spin_unlock(&o->lock);
		return;
	}
	done = try_collapse(x, o, txn);
	spin_unlock(&o->lock);
	spin_unlock(&x->lock);
	if (done)
		kmem_free(&object_cache, o);
}

/* @p o leaves the list of what it shadows. @locks o */
static void
leave_shadow(struct mach_object *o)
{
	struct mach_object *next = o->shadow;

	if (next == NULL)
		return;
	spin_lock_nested(&next->lock);
	list_remove(&o->shadow_link);
	spin_unlock(&next->lock);
}

/* Drop one.  Whoever shadows @p o alone now takes over what it has, so that a
 * parent does not keep two of each page until it happens to write or to fork.
 * @return false: it is the last */
static bool
drop(struct mach_object *o, struct vm_txn *txn)
{
	bool dropped;

	/* The lock keeps a collapse from freeing it meanwhile. */
	spin_lock(&o->lock);
	dropped = drop_if_not_last(o);
	if (dropped && mach_object_refs(o) == 1 && !list_empty(&o->shadows))
		collapse_from_below(o, txn);
	else
		spin_unlock(&o->lock);
	return dropped;
}

/* Empty @p o, take it out of its shadow's list and free it; the reference to
 * the shadow goes to the caller.  Nobody else has a reference to @p o, but it
 * can be found in that list until it is out. */
static int
destroy(struct mach_object *o, struct mach_object **next, struct vm_txn *txn)
{
	int error;

	spin_lock(&o->lock);
	error = mach_object_page_remove(o, 0, o->npages, txn);
	if (error == 0) {
		KASSERT(o->nresident == 0 && o->npaged == 0 &&
		    list_empty(&o->shadows));
		*next = o->shadow;
		leave_shadow(o);
	}
	spin_unlock(&o->lock);
	if (error == 0)
		kmem_free(&object_cache, o);
	return error;
}

int
mach_object_deallocate(struct vm_map_entry *e, struct vm_txn *txn)
{
	struct mach_object *o;

	while ((o = e->object) != NULL) {
		int error;

		if (o->file != NULL) {
			e->object = NULL;
			mach_object_drop_file(o);
			break;
		}
		if (drop(o, txn)) {
			e->object = NULL;
			break;
		}
		/* Its reference to its shadow is the next to go. */
		error = destroy(o, &e->object, txn);
		if (error != 0)
			return error;
	}
	return 0;
}

/* ---- looking ---- */

bool
mach_object_last_reference(struct mach_object *o, uint64_t index)
{
	struct mach_object *s = o->shadow;
	uint32_t refs = mach_object_refs(s);
	unsigned n = 0;

	if (refs > SIBLINGS_MAX)
		return false;
	LIST_FOREACH(l, &s->shadows) {
		struct mach_object *x =
		    LIST_ENTRY(l, struct mach_object, shadow_link);
		uint64_t i;
		bool has;

		n++;
		if (x == o)
			continue;
		if (!spin_trylock(&x->lock)) /* against the order */
			return false;
		has = !in_window(x, index, &i) || mach_object_has(x, i);
		spin_unlock(&x->lock);
		if (!has)
			return false;
	}
	return n == refs; /* else an entry has it */
}

unsigned
mach_object_depth(struct mach_object *o)
{
	unsigned n = 0;

	spin_lock(&o->lock);
	while (o->shadow != NULL) {
		struct mach_object *next = o->shadow;

		spin_lock_nested(&next->lock);
		spin_unlock(&o->lock);
		o = next;
		n++;
	}
	spin_unlock(&o->lock);
	return n;
}
