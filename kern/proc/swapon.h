/* SPDX-License-Identifier: MIT */
/**
 * @file swapon.h
 * Starting page-out.
 */
#ifndef PROC_SWAPON_H
#define PROC_SWAPON_H

#include "lib/types.h"

/** Swap to block device @p name (NULL or unknown: none), and start the page-out
 * daemon. @ctx boot, once, when the devices are there @retval ENOMEM */
int __must_check swap_on(const char *name);

#endif
