/* SPDX-License-Identifier: MIT */
/**
 * @file fdt.h
 * Reader for flattened device trees; it visits the nodes in order.
 * Source: Devicetree Specification 0.4, chapter 5.
 *
 * Every read stays inside the blob, however broken it is.  A broken tree ends
 * the walk and sets fdt->error.
 */
#ifndef RISCV_FDT_H
#define RISCV_FDT_H

#include "lib/types.h"

#define FDT_DEPTH 8

struct fdt {
	const uint8_t *base;
	uint32_t struct_at, struct_end;
	uint32_t strings_at, strings_end;
	uint32_t rsvmap_at;
	const char *error; /* NULL: fine so far */
	/* The walk. */
	uint32_t next;	  /* token after the current node's properties */
	uint32_t props;	  /* first property of the current node */
	int depth;	  /* of the current node; the root is 0 */
	const char *name; /* of the current node, with unit address */
	const char *path[FDT_DEPTH]; /* names from the root on */
	uint32_t acells[FDT_DEPTH];  /* #address-cells that a node declares */
	uint32_t scells[FDT_DEPTH];
};

/** @p blob has at least 40 bytes; sets error if it is no tree. */
void fdt_open(struct fdt *, const void *blob);
/** Back to before the root node. */
void fdt_rewind(struct fdt *);
/** Go to the next node. False: no more. */
bool fdt_next(struct fdt *);

/** A property of the current node, NULL if absent. */
const uint8_t *fdt_prop(const struct fdt *, const char *name, uint32_t *size);
/** As a string; NULL if absent or not terminated. */
const char *fdt_string(const struct fdt *, const char *name);
/** First cell; @p dflt if absent. */
uint32_t fdt_u32(const struct fdt *, const char *name, uint32_t dflt);
/** Number of 1 or 2 cells at @p p. */
uint64_t fdt_cells(const uint8_t *p, unsigned ncells);
/** Whether @p name is in the current node's "compatible" list. */
bool fdt_compatible(const struct fdt *, const char *name);
/** Entry @p i of "reg", by the cells of the parent. False: none. */
bool fdt_reg(const struct fdt *, unsigned i, uint64_t *start, uint64_t *size);
/** Entry @p i of the memory reservation block. False: no more. */
bool fdt_reservation(struct fdt *, unsigned i, uint64_t *start,
    uint64_t *size);

#endif
