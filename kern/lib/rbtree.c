/* SPDX-License-Identifier: MIT */
/*
 * rbtree.c - red-black tree with parent links.
 *
 * Invariants: the root is black; no red node has a red child; every path from
 * a node to a leaf has the same number of black nodes; keys are in order.
 * Both directions are written once: child[dir] and child[!dir].
 * Source: Cormen, Leiserson, Rivest and Stein, Introduction to Algorithms,
 * chapter 13.
 */
#include "lib/rbtree.h"

static bool
is_red(const struct rb_node *n)
{
	return n != NULL && n->red;
}

/* Which child of its parent @p n is. */
static int
side_of(const struct rb_node *n)
{
	return n->parent->child[1] == n;
}

/* Put @p new where @p old hangs. */
static void
replace(struct rb_tree *t, struct rb_node *old, struct rb_node *new)
{
	if (old->parent == NULL)
		t->root = new;
	else
		old->parent->child[side_of(old)] = new;
	if (new != NULL)
		new->parent = old->parent;
}

/* Let the child on the other side of @p dir rise above @p n. */
static void
rotate(struct rb_tree *t, struct rb_node *n, int dir)
{
	struct rb_node *up = n->child[!dir];

	n->child[!dir] = up->child[dir];
	if (up->child[dir] != NULL)
		up->child[dir]->parent = n;
	replace(t, n, up);
	up->child[dir] = n;
	n->parent = up;
}

void
rb_insert(struct rb_tree *t, struct rb_node *n)
{
	struct rb_node *parent = NULL, **where = &t->root;

	while (*where != NULL) {
		parent = *where;
		where = &parent->child[n->key > parent->key];
	}
	n->parent = parent;
	n->child[0] = n->child[1] = NULL;
	n->red = true;
	*where = n;

	while (is_red(n->parent)) {
		struct rb_node *grand = n->parent->parent;
		int dir = side_of(n->parent);
		struct rb_node *uncle = grand->child[!dir];

		if (is_red(uncle)) {
			n->parent->red = uncle->red = false;
			grand->red = true;
			n = grand;
			continue;
		}
		if (side_of(n) != dir) {
			n = n->parent;
			rotate(t, n, dir);
		}
		n->parent->red = false;
		grand->red = true;
		rotate(t, grand, !dir);
	}
	t->root->red = false;
}

/* The paths through child @p dir of @p parent lack one black node. */
static void
rebalance(struct rb_tree *t, struct rb_node *parent, int dir)
{
	struct rb_node *n = parent->child[dir];

	while (parent != NULL && !is_red(n)) {
		struct rb_node *sib = parent->child[!dir];

		if (sib->red) {
			sib->red = false;
			parent->red = true;
			rotate(t, parent, dir);
			sib = parent->child[!dir];
		}
		if (!is_red(sib->child[0]) && !is_red(sib->child[1])) {
			sib->red = true;
			n = parent;
			parent = n->parent;
			if (parent != NULL)
				dir = side_of(n);
			continue;
		}
		if (!is_red(sib->child[!dir])) {
			sib->child[dir]->red = false;
			sib->red = true;
			rotate(t, sib, !dir);
			sib = parent->child[!dir];
		}
		sib->red = parent->red;
		parent->red = false;
		sib->child[!dir]->red = false;
		rotate(t, parent, dir);
		return;
	}
	if (n != NULL)
		n->red = false;
}

void
rb_remove(struct rb_tree *t, struct rb_node *n)
{
	struct rb_node *parent, *kid, *next;
	bool removed_red = n->red;
	int dir;

	if (n->child[0] == NULL || n->child[1] == NULL) {
		kid = n->child[n->child[0] == NULL];
		parent = n->parent;
		dir = parent != NULL ? side_of(n) : 0;
		replace(t, n, kid);
	} else {
		/* The successor takes the place and the colour of n. */
		next = n->child[1];
		while (next->child[0] != NULL)
			next = next->child[0];
		removed_red = next->red;
		kid = next->child[1];
		if (next->parent == n) {
			parent = next;
			dir = 1;
		} else {
			parent = next->parent;
			dir = 0;
			replace(t, next, kid);
			next->child[1] = n->child[1];
			next->child[1]->parent = next;
		}
		replace(t, n, next);
		next->child[0] = n->child[0];
		next->child[0]->parent = next;
		next->red = n->red;
	}
	if (removed_red)
		return;
	if (parent != NULL)
		rebalance(t, parent, dir);
	else if (kid != NULL)
		kid->red = false;
}

struct rb_node *
rb_first(const struct rb_tree *t)
{
	struct rb_node *n = t->root;

	while (n != NULL && n->child[0] != NULL)
		n = n->child[0];
	return n;
}

static struct rb_node *
neighbour(const struct rb_node *n, int dir)
{
	struct rb_node *p;

	if (n->child[dir] != NULL) {
		p = n->child[dir];
		while (p->child[!dir] != NULL)
			p = p->child[!dir];
		return p;
	}
	while (n->parent != NULL && side_of(n) == dir)
		n = n->parent;
	return n->parent;
}

struct rb_node *
rb_next(const struct rb_node *n)
{
	return neighbour(n, 1);
}

struct rb_node *
rb_prev(const struct rb_node *n)
{
	return neighbour(n, 0);
}

/* Black height of the subtree, or -1. Depth is bounded by 2 log2(n). */
static int
check_node(const struct rb_node *n, vaddr_t lo, vaddr_t hi)
{
	int left, right;

	if (n == NULL)
		return 0;
	if (n->key < lo || n->key > hi)
		return -1;
	for (int i = 0; i < 2; i++) {
		if (n->child[i] != NULL && n->child[i]->parent != n)
			return -1;
		if (n->red && is_red(n->child[i]))
			return -1;
	}
	left = check_node(n->child[0], lo, n->key == 0 ? 0 : n->key - 1);
	right = check_node(n->child[1], n->key + 1, hi);
	if (left < 0 || left != right)
		return -1;
	return left + !n->red;
}

bool
rb_check(const struct rb_tree *t)
{
	if (is_red(t->root) || (t->root != NULL && t->root->parent != NULL))
		return false;
	return check_node(t->root, 0, UINTPTR_MAX) >= 0;
}
