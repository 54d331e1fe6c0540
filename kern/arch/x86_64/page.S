/* SPDX-License-Identifier: MIT */
/*
 * page.S - clear and copy one page in few instructions.
 */
	.text

	/* void page_zero(void *page) */
	.globl	page_zero
	.type	page_zero, @function
page_zero:
	xorl	%eax, %eax
	movl	$512, %ecx
	rep stosq
	ret
	.size	page_zero, . - page_zero

	/* void page_copy(void *dst, const void *src) */
	.globl	page_copy
	.type	page_copy, @function
page_copy:
	movl	$512, %ecx
	rep movsq
	ret
	.size	page_copy, . - page_copy
