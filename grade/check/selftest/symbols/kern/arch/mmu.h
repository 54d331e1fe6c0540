/* SPDX-License-Identifier: MIT */
int mmu_flush(int);
