# SPDX-License-Identifier: MIT
#
# Flags of the x86-64 port.
#
# The image lies in the top 2 GiB (-mcmodel=kernel).  Interrupts use the stack
# that they find, so nothing may live below the stack pointer; and SSE registers
# belong to user programs.  No frame may be so large that a stack overflow steps
# over the guard.

CFLAGS_x86_64 := -march=x86-64 -mcmodel=kernel -mno-red-zone \
	-mgeneral-regs-only -fcf-protection=none -fno-asynchronous-unwind-tables \
	-Wframe-larger-than=1536
