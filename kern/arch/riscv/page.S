/* SPDX-License-Identifier: MIT */
/*
 * page.S - clear and copy one page in few instructions.
 *
 * From the middle of a page the signed 12-bit offsets reach all of it, so there
 * is no loop: only the loads and stores themselves.
 */

	.text

	/* void page_zero(void *page) */
	.globl	page_zero
	.type	page_zero, @function
page_zero:
	li	a1, 2048
	add	a0, a0, a1
	.set	offset, -2048
	.rept	512
	sd	zero, offset(a0)
	.set	offset, offset + 8
	.endr
	ret
	.size	page_zero, . - page_zero

	/* void page_copy(void *dst, const void *src) */
	.globl	page_copy
	.type	page_copy, @function
page_copy:
	li	a2, 2048
	add	a0, a0, a2
	add	a1, a1, a2
	.set	offset, -2048
	.rept	64
	ld	a3, offset(a1)
	ld	a4, offset + 8(a1)
	ld	a5, offset + 16(a1)
	ld	a6, offset + 24(a1)
	ld	a7, offset + 32(a1)
	ld	t0, offset + 40(a1)
	ld	t1, offset + 48(a1)
	ld	t2, offset + 56(a1)
	sd	a3, offset(a0)
	sd	a4, offset + 8(a0)
	sd	a5, offset + 16(a0)
	sd	a6, offset + 24(a0)
	sd	a7, offset + 32(a0)
	sd	t0, offset + 40(a0)
	sd	t1, offset + 48(a0)
	sd	t2, offset + 56(a0)
	.set	offset, offset + 64
	.endr
	ret
	.size	page_copy, . - page_copy
