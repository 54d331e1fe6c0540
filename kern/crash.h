/* SPDX-License-Identifier: MIT */
/** @file crash.h Planted bugs of the kernel, see crash.c. */
#ifndef CRASH_H
#define CRASH_H

/** Do what the boot argument crash= names (DEBUG builds; else nothing).
 * @ctx the first process, its program loaded, no locks */
void crash_plant(void);

#endif
