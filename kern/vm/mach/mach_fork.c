/* SPDX-License-Identifier: MIT */
/*
 * mach_fork.c - copy a map by inheritance.
 *
 * No leaf is copied.  An entry to be copied gets needs_copy on both sides and
 * its leaves lose W: whoever writes first makes a shadow object.  The child
 * begins with an empty pmap and faults its pages in.
 * Locks: both spaces exclusively; the child is not published yet.
 * A page that the kernel is writing (wpins) must stay the parent's own: it
 * moves to a shadow of the parent, and a copy takes its place.
 */
#include "abi/errno.h"
#include "vm/mach/mach_page.h"

/* Move @p pg of @p o to @p s, which shadows it, and leave a copy behind. */
static int
separate_page(struct mach_object *s, struct mach_object *o, struct vm_page *pg)
{
	struct vm_page *copy = frame_alloc(FRAME_DEFAULT);
	uint64_t i = pg->offset;

	if (copy == NULL)
		return ENOMEM;
	page_copy(page_to_virt(copy), page_to_virt(pg));
	vm_page_rename(pg, s, i - s->shadow_offset);
	vm_page_insert(copy, o, i);
	return 0;
}

/* The object of @p e is about to be shared with a child. @locks its object */
static int
separate_pinned(struct vm_map_entry *e)
{
	struct mach_object *o = e->object, *s = NULL;
	uint64_t first = e->offset, end = first + entry_npages(e);
	int error = 0;

	LIST_FOREACH_SAFE(l, &o->memq) {
		struct vm_page *pg = LIST_ENTRY(l, struct vm_page, link);

		if (likely(!page_being_written(pg)) || pg->offset < first ||
		    pg->offset >= end)
			continue;
		if (s == NULL && (s = mach_object_shadow(e)) == NULL)
			return ENOMEM;
		error = separate_page(s, o, pg);
		if (error != 0)
			break;
	}
	return error;
}

/* Both sides of a copy see the object as it is now. */
int
mach_share_object(struct vmspace *parent, struct vm_map_entry *e,
    struct vm_map_entry *child, struct vm_txn *txn)
{
	struct spinlock *map_lock = &vm_map_of(parent)->lock;
	struct mach_object *o = e->object;
	int error = 0;

	child->needs_copy = true;
	if (e->needs_copy)
		return 0; /* no leaf has W */
	pmap_protect(parent->pmap, entry_sva(e), e->eva, PMAP_W, 0, &txn->tg);
	spin_lock(map_lock);
	spin_lock(&o->lock);
	o->one_mapping = false;
	error = separate_pinned(e);
	if (e->object == o)
		e->needs_copy = true;
	spin_unlock(&o->lock);
	spin_unlock(map_lock);
	return error;
}

/* Private memory that a child will share becomes shared from now on. */
static int
make_shared(struct vmspace *parent, struct vm_map_entry *e)
{
	struct spinlock *map_lock = &vm_map_of(parent)->lock;
	struct mach_object *o = e->object;
	bool made = true;

	if (o == NULL) {
		e->object = mach_object_create(entry_npages(e));
		e->offset = 0;
		made = e->object != NULL;
	} else if (e->needs_copy) {
		spin_lock(map_lock);
		spin_lock(&o->lock);
		made = mach_object_shadow(e) != NULL;
		spin_unlock(&o->lock);
		spin_unlock(map_lock);
	}
	if (!made)
		return ENOMEM;
	e->object->one_mapping = false;
	e->flags |= VM_MAP_SHARED;
	return 0;
}

static int
copy_entry(struct vmspace *parent, struct vmspace *child,
    struct vm_map_entry *e, struct vm_txn *txn)
{
	bool copies = !entry_shared(e) && e->source != VM_PHYS &&
	    e->inheritance == VM_INHERIT_COPY;
	struct vm_map_entry *c;
	int error = 0;

	if (copies && e->object != NULL && mach_object_shadows(e->object)) {
		spin_lock(&e->object->lock);
		mach_object_collapse(e->object, txn);
		spin_unlock(&e->object->lock);
	}
	if (!copies && !entry_shared(e) && e->source != VM_PHYS)
		error = make_shared(parent, e);
	if (error != 0)
		return error;
	c = vm_map_entry_copy(e);
	if (c == NULL)
		return ENOMEM;
	if (copies && e->object != NULL)
		error = mach_share_object(parent, e, c, txn);
	vm_map_link(child, c);
	return error;
}

int
mach_fork(struct vmspace *parent, struct vmspace *child, struct vm_txn *txn)
{
	struct vm_map *map = vm_map_of(parent);
	int error = 0;

	for (struct vm_map_entry *e = vm_map_first(map, 0);
	     error == 0 && e != NULL; e = vm_map_next(map, e))
		if (e->inheritance != VM_INHERIT_NONE)
			error = copy_entry(parent, child, e, txn);
	vm_map_of(child)->free_hint = map->free_hint;
	return error;
}
