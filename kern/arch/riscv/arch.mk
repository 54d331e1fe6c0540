# SPDX-License-Identifier: MIT
#
# Flags of the RISC-V port.
#
# The kernel never touches gp (no __global_pointer$ in kernel.ld, so the linker
# relaxes nothing to it) nor t3-t6.  These registers keep the values of user
# mode across a trap as s0-s11 do: 8 instructions less for every trap.
# No frame may be so large that a stack overflow steps over the guard.

CFLAGS_riscv := -march=rv64imac_zicsr_zifencei_zba_zbb_zbs -mabi=lp64 -mcmodel=medany \
	-ffixed-x28 -ffixed-x29 -ffixed-x30 -ffixed-x31 \
	-Wframe-larger-than=1536
