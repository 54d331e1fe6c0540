/* SPDX-License-Identifier: MIT */
/*
 * rbtree.h - red-black tree, nodes embedded in the element, keyed by address.
 *
 * The key (the first address of the element) stands in the node, so that a
 * look-up needs no call-back.  Nodes do not overlap in the users that we have;
 * keys are unique.  No locks: the owner of the tree says which one.
 */
#ifndef LIB_RBTREE_H
#define LIB_RBTREE_H

#include "lib/types.h"

struct rb_node {
	struct rb_node *parent;
	struct rb_node *child[2]; /* 0: smaller keys, 1: larger keys */
	vaddr_t key;
	bool red;
};

struct rb_tree {
	struct rb_node *root;
};

/** @pre no node with the same key is in the tree */
void rb_insert(struct rb_tree *, struct rb_node *);
void rb_remove(struct rb_tree *, struct rb_node *);

/** The node with the largest key <= @p key, or NULL. */
static inline struct rb_node *
rb_find_le(const struct rb_tree *t, vaddr_t key)
{
	struct rb_node *n = t->root, *best = NULL;

	while (n != NULL) {
		if (n->key <= key) {
			best = n;
			n = n->child[1];
		} else {
			n = n->child[0];
		}
	}
	return best;
}

struct rb_node *rb_first(const struct rb_tree *);
struct rb_node *rb_next(const struct rb_node *);
struct rb_node *rb_prev(const struct rb_node *);

/** Check order, colours and parent links; false when one is broken. */
bool rb_check(const struct rb_tree *);

#endif
