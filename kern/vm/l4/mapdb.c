/* SPDX-License-Identifier: MIT */
/*
 * mapdb.c - trees of all frames; the variant "preorder list with depth".
 *
 * The nodes of a frame form one list in preorder, each with its depth: the
 * descendants of a node are those behind it as long as they are deeper.  No
 * recursion, no child pointers; a new child goes right behind its parent.
 * Locks: the frame lock of the caller; the counts are atomic.
 * Source: the mapping database of L4/Fiasco keeps the same order in arrays.
 */
#include "vm/l4/mapdb.h"

#include "abi/errno.h"
#include "lib/printf.h"
#include "mem/kmem.h"
#include "vm/l4/l4.h"

#define CHUNK 65536 /* trees in one allocation */

static struct kmem_cache node_cache;
static struct mapdb_tree *chunks[64];

/* ---- all frames ---- */

void
mapdb_init(void)
{
	size_t left = frame_array_size;

	kmem_cache_init(&node_cache, "mapping", sizeof(struct mapnode));
	for (size_t i = 0; left > 0; i++) {
		size_t n = MIN(left, (size_t)CHUNK);

		KASSERT_ALWAYS(i < ARRAY_SIZE(chunks));
		chunks[i] = kzalloc(n * sizeof(struct mapdb_tree));
		if (chunks[i] == NULL)
			panic("l4: no memory for the mapping database");
		left -= n;
	}
}

struct mapdb_tree *
mapdb_tree_of(paddr_t pa)
{
	size_t i = (pa - frame_base) >> PAGE_SHIFT;

	return &chunks[i / CHUNK][i % CHUNK];
}

uint64_t
mapdb_edits(void)
{
	return counter_read(TS_mapping_edits);
}

void
mapdb_move(struct mapnode *n, struct vmspace *vs, vaddr_t va)
{
	l4_uncharge(n->space);
	l4_charge(vs);
	n->space = vs;
	n->place = va | mapnode_depth(n);
	counter_add(TS_mapping_edits, 1);
}

bool
mapdb_is_above(struct mapdb_tree *t, const struct mapnode *a,
    struct mapnode *n)
{
	while (mapnode_depth(n) > mapnode_depth(a))
		n = mapdb->parent(t, n);
	return n == a;
}

/* ---- preorder list ---- */

static struct mapnode *
preorder_insert(struct mapdb_tree *t, struct mapnode *parent,
    struct vmspace *vs, vaddr_t va)
{
	struct mapnode **at = parent != NULL ? &parent->next : &t->first;
	struct mapnode *n = kmem_alloc(&node_cache);

	if (n == NULL)
		return NULL;
	n->space = vs;
	n->place = va | (mapnode_depth(parent) + 1);
	n->prev = parent;
	n->next = *at;
	if (n->next != NULL)
		n->next->prev = n;
	*at = n;
	l4_charge(vs);
	counter_add(TS_mapping_edits, 1);
	return n;
}

static void
preorder_remove(struct mapdb_tree *t, struct mapnode *n)
{
	KASSERT(mapdb->is_leaf(n));
	if (n->prev != NULL)
		n->prev->next = n->next;
	else
		t->first = n->next;
	if (n->next != NULL)
		n->next->prev = n->prev;
	l4_uncharge(n->space);
	counter_add(TS_mapping_edits, 1);
	kmem_free(&node_cache, n);
}

static struct mapnode *
preorder_parent(struct mapdb_tree *t, struct mapnode *n)
{
	unsigned depth = mapnode_depth(n);

	(void)t;
	if (depth <= 1)
		return NULL;
	do
		n = n->prev;
	while (mapnode_depth(n) >= depth);
	return n;
}

static bool
preorder_is_leaf(const struct mapnode *n)
{
	return mapnode_depth(n->next) <= mapnode_depth(n);
}

static struct mapnode *
preorder_last(struct mapdb_tree *t, struct mapnode *n)
{
	unsigned depth = mapnode_depth(n);
	struct mapnode *next = n != NULL ? n->next : t->first;

	for (; mapnode_depth(next) > depth; next = next->next)
		n = next;
	return n;
}

static struct mapnode *
preorder_prev(struct mapdb_tree *t, struct mapnode *n)
{
	(void)t;
	return n->prev;
}

const struct mapdb_ops mapdb_preorder = {
	.name = "preorder",
	.insert = preorder_insert,
	.remove = preorder_remove,
	.parent = preorder_parent,
	.is_leaf = preorder_is_leaf,
	.last = preorder_last,
	.prev = preorder_prev,
};

/* ---- checking and dumping ---- */

int
mapdb_check(const struct mapdb_tree *t)
{
	const struct mapnode *prev = NULL;

	for (const struct mapnode *n = t->first; n != NULL; n = n->next) {
		if (n->prev != prev || mapnode_depth(n) == 0 ||
		    mapnode_depth(n) > mapnode_depth(prev) + 1) {
			kprintf("mapdb_check: node of 0x%lx, depth %u: broken "
				"order\n",
			    (unsigned long)mapnode_va(n), mapnode_depth(n));
			return EINVAL;
		}
		prev = n;
	}
	return 0;
}

void
mapdb_dump(struct mapdb_tree *t, struct sink *sk,
    char (*name)(const struct vmspace *))
{
	for (const struct mapnode *n = t->first; n != NULL; n = n->next) {
		for (unsigned i = 1; i < mapnode_depth(n); i++)
			sink_printf(sk, " ");
		sink_printf(sk, "%c %lx\n", name(n->space),
		    (unsigned long)mapnode_va(n));
	}
}
