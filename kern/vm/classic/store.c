/* SPDX-License-Identifier: MIT */
/*
 * store.c - the stores of shared anonymous regions.
 *
 * Path: region_create -> store_create; the last region_free -> destroy.
 * Locks: stores_lock for the list of all; contents as those of any page table.
 */
#include "abi/errno.h"
#include "mem/kmem.h"
#include "vm/classic/classic.h"
#include "vm/swap.h"

static struct spinlock stores_lock = SPINLOCK_INIT(RANK_MISC, "stores");
static struct list stores = LIST_INIT(stores); /* [stores_lock] */

static int
drop_page(struct pmap_cursor *c, const struct pmap_leaf *leaf, void *arg)
{
	/* Never loaded by a CPU, so there is nothing to flush; leaves of spaces
	 * hold references of their own. */
	if (leaf->kind == PMAP_SOFT)
		return 0;
	pmap_cursor_clear(c, 0, arg);
	page_drop(phys_to_page(leaf->pa));
	return 0;
}

static void
destroy(struct region_store *base)
{
	struct classic_store *st = container_of(base, struct classic_store,
	    base);
	struct tlb_gather none;

	spin_lock(&stores_lock);
	list_remove(&st->link);
	spin_unlock(&stores_lock);
	tlb_gather_init(&none);
	pmap_scan(st->table, 0, USER_MAX, drop_page, &none);
	if (swap_used() > 0)
		classic_swap_clear(NULL, st->table, 0, USER_MAX);
	KASSERT(tlb_gather_empty(&none));
	pmap_drop(st->table);
	kfree(st, sizeof(*st));
}

int
store_create(struct region_store **out)
{
	struct classic_store *st = kmalloc(sizeof(*st));
	int error;

	if (st == NULL)
		return ENOMEM;
	st->base = (struct region_store){ 1, destroy };
	error = pmap_create(PMAP_STORE, 0, &st->table);
	if (error != 0) {
		kfree(st, sizeof(*st));
		return error;
	}
	spin_lock(&stores_lock);
	list_push_back(&stores, &st->link);
	spin_unlock(&stores_lock);
	*out = &st->base;
	return 0;
}

void
store_foreach_table(pmap_scan_fn *fn, void *arg)
{
	/* For vm_check() only: no operation is under way, no lock needed. */
	LIST_FOREACH(l, &stores)
		pmap_scan(LIST_ENTRY(l, struct classic_store, link)->table, 0,
		    USER_MAX, fn, arg);
}
