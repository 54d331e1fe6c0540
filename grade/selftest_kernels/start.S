/* SPDX-License-Identifier: MIT */
/* start.S - the boot CPU takes a stack and calls main(); others never start. */
	.section .text.start, "ax"
	.globl _start
_start:
	la	sp, stack_top
	call	main
1:	wfi
	j	1b

	.bss
	.balign	16
	.space	4096
stack_top:
