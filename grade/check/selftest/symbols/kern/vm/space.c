/* SPDX-License-Identifier: MIT */
#include "arch/mmu.h"
#include "vm/vm.h"

extern int mach_secret;

int
vm_map(int x)
{
	/* want: symbols: vm/ needs mach_secret of vm/mach/ */
	return x + mmu_flush(x) + mach_secret;	/* the contract: fine */
}
