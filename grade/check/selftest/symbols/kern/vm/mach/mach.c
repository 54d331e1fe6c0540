/* SPDX-License-Identifier: MIT */
int mach_secret = 1;
