/* SPDX-License-Identifier: MIT */
#include "machine/pte.h"
#include "arch/mmu.h"
#include "arch/riscv/sbi.h"	/* want: layers: vm/ may not see arch/riscv/ */
