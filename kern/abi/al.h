/* SPDX-License-Identifier: MIT */
/*
 * al.h - Appel and Li's primitives over registered regions.
 *
 * A program registers a range once; then each of its pages has a cap on its
 * rights, below what mprotect allows, and a mark that it was written.  An
 * access beyond the cap is SIGSEGV with SEGV_ACCERR at the address; in a system
 * call it is EFAULT or a short count.  Caps and marks survive page-out, are
 * copied by fork, and end where the memory is unmapped.
 * Source: Appel and Li, Virtual Memory Primitives for User Programs, 1991.
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

/**
 * @fn int al_region(void *va, size_t len, unsigned flags)
 * Register a range for per-page rights, or forget it.
 *
 * With AL_REGION_ADD the pages of the range get a cap that allows everything.
 * The range may be mapped before or after.  With AL_REGION_REMOVE the caps of
 * exactly one registered range are lifted.
 * @retval EINVAL the range is empty, not aligned, outside of user memory or not
 *	a registered one; wrong flags
 * @retval EEXIST it overlaps another registered range
 * @retval ENOMEM no memory for its caps
 */

/**
 * @fn int al_prot(const struct al_op *ops, size_t nops)
 * Set the caps of many pages at once: PROT1, PROTN, UNPROT.
 *
 * The operations take effect in their order, all or none.  Together they cost
 * one shootdown if they take rights away, and none if they only give them back:
 * then the next access of each page does the work.  Each range must lie inside
 * of one registered range.
 * @retval EINVAL more than AL_OPS_MAX operations; an unknown one; a range that
 *	is empty, not aligned or not registered
 * @retval EFAULT the vector cannot be read
 * @retval ENOMEM no memory for a copy of it
 */

/**
 * @fn long al_dirty(void *va, size_t len, uint64_t *bitmap)
 * Which pages were written since the last call, and begin anew: DIRTY.
 *
 * Bit 0 of word 0 is the page at @p va.  A page is fetched and re-armed in one
 * step, so that no write is lost; long ranges are done in pieces of 128 MiB.
 * The first call after al_region may leave out writes to shared memory from
 * before it.
 * @return how many bits are set
 * @retval EINVAL the range is empty, not aligned or not inside of one
 *	registered range; the bitmap is not aligned to 8 bytes
 * @retval EFAULT the bitmap cannot be written
 * @retval ENOMEM no memory for a piece of it
 */

#endif /* ABI_AL_H */
