/* SPDX-License-Identifier: MIT */
#include "proc/proc.h"
#include "arch/riscv/sbi.h"
#include "sbi.h"		/* beside it: fine */
#include "arch/x86_64/apic.h"	/* want: layers: may not see arch/x86_64/ */
