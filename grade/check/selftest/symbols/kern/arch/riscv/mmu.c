/* SPDX-License-Identifier: MIT */
#include "arch/mmu.h"

int
mmu_flush(int x)
{
	return x;
}
