/* SPDX-License-Identifier: MIT */
int vm_map(int);
