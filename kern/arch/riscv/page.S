/* SPDX-License-Identifier: MIT */
/*
 * page.S - clear and copy one page in few instructions.
 *
 * A quarter of a page per turn: 128 doublewords lie within reach of the 12-bit
 * offsets, so only the stores themselves and 2 (3) instructions a turn remain.
 */
#define TURN 1024

	.text

	/* void page_zero(void *page) */
	.globl	page_zero
	.type	page_zero, @function
page_zero:
	li	a1, 4096
	add	a1, a1, a0
1:
	.set	offset, 0
	.rept	TURN / 8
	sd	zero, offset(a0)
	.set	offset, offset + 8
	.endr
	addi	a0, a0, TURN
	bne	a0, a1, 1b
	ret
	.size	page_zero, . - page_zero

	/* void page_copy(void *dst, const void *src) */
	.globl	page_copy
	.type	page_copy, @function
page_copy:
	li	a2, 4096
	add	a2, a2, a0
1:
	.set	offset, 0
	.rept	TURN / 64
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
	addi	a0, a0, TURN
	addi	a1, a1, TURN
	bne	a0, a2, 1b
	ret
	.size	page_copy, . - page_copy
