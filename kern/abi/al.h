/* SPDX-License-Identifier: MIT */
/*
 * al.h - Appel and Li's primitives over registered regions.
 *
 * al_region(va, len, flags)	registers or forgets an overlay of per-page
 *				rights; len in bytes, both page-aligned.
 * al_prot(ops, nops)		applies a vector; one shootdown for the vector
 *				if it takes rights away, none if it only gives
 *				them back.  All or nothing.
 * al_dirty(va, len, bitmap)	one bit a page, bit 0 of word 0 the page at
 *				va: written since the last call; re-arms them
 *				in the same step.  Returns how many are set.
 *				The first call after al_region may leave out
 *				writes to shared memory from before it.
 */
#ifndef ABI_AL_H
#define ABI_AL_H

#include <stdint.h>

#define AL_REGION_ADD		1u
#define AL_REGION_REMOVE	2u

/* al_op.op: a cap on the page's rights, below what mprotect allows. */
#define AL_PROT_NONE		0u	/* PROT1, PROTN: no access */
#define AL_PROT_READ		1u	/* PROT1, PROTN: no writing */
#define AL_UNPROT		2u	/* UNPROT: no cap */

#define AL_OPS_MAX		1024u	/* of one al_prot */

struct al_op {
	uint64_t	va;		/* page-aligned */
	uint32_t	npages;
	uint32_t	op;
};

#endif /* ABI_AL_H */
