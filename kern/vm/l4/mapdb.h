/* SPDX-License-Identifier: MIT */
/**
 * @file mapdb.h
 * The mapping database: for each frame, who has it from whom.
 *
 * A tree a frame.  Its root is sigma0's, and implied: a frame in no tree is
 * mapped nowhere.  Every other node is one page-table entry of one space; its
 * link word points to the node (pmap.h).  How the tree is kept is a table of
 * functions, so that variants can be compared; all give the same dumps.
 *
 * All calls need the frame lock of the tree (l4_ops.c).
 * Source: Liedtke, On Micro-Kernel Construction, SOSP 1995, section 3.
 */
#ifndef VM_L4_MAPDB_H
#define VM_L4_MAPDB_H

#include "vm/vm.h"

#define MAPDB_DEPTH_MAX 255 /* of a node; sigma0's root has 0 */

/** One mapping.  Pages are aligned, so the low bits of place have room. */
struct mapnode {
	struct vmspace *space;
	vaddr_t place;	       /* address | depth */
	struct mapnode *next;  /* preorder */
	struct mapnode *prev;  /* NULL: the first of its frame */
};

struct mapdb_tree {
	struct mapnode *first; /* NULL: the frame is mapped nowhere */
};

struct mapdb_ops {
	const char *name;
	/** A child of @p parent (NULL: sigma0), before its elder children.
	 * @return NULL: no memory */
	struct mapnode *(*insert)(struct mapdb_tree *, struct mapnode *parent,
	    struct vmspace *, vaddr_t);
	/** @pre no children */
	void (*remove)(struct mapdb_tree *, struct mapnode *);
	/** NULL: sigma0. */
	struct mapnode *(*parent)(struct mapdb_tree *, struct mapnode *);
	bool (*is_leaf)(const struct mapnode *);
	/** Last in preorder of what is below @p n, or @p n; NULL stands for
	 * sigma0's root. */
	struct mapnode *(*last)(struct mapdb_tree *, struct mapnode *n);
	/** Predecessor in preorder; NULL: the root. */
	struct mapnode *(*prev)(struct mapdb_tree *, struct mapnode *);
};

extern const struct mapdb_ops mapdb_preorder;
#define mapdb (&mapdb_preorder)

static inline vaddr_t
mapnode_va(const struct mapnode *n)
{
	return n->place & ~(vaddr_t)PAGE_MASK;
}

static inline unsigned
mapnode_depth(const struct mapnode *n)
{
	return n != NULL ? (unsigned)(n->place & PAGE_MASK) : 0;
}

/** @ctx once */
void mapdb_init(void);
/** Tree of the frame at @p pa, which is RAM. */
struct mapdb_tree *mapdb_tree_of(paddr_t pa);
/** A grant: @p n becomes another entry, in place. */
void mapdb_move(struct mapnode *n, struct vmspace *, vaddr_t);
/** @p a is @p n or above it. */
bool mapdb_is_above(struct mapdb_tree *, const struct mapnode *a,
    struct mapnode *n);
/** One line a node, indented by depth: "name va"; for golden tests.
 * @p name gives a space a letter. */
void mapdb_dump(struct mapdb_tree *, struct sink *,
    char (*name)(const struct vmspace *));
/** Structure of one tree. 0 = sound */
int mapdb_check(const struct mapdb_tree *);
/** Nodes inserted, removed and moved so far. */
uint64_t mapdb_edits(void);

#endif
