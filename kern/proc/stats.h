/* SPDX-License-Identifier: MIT */
/** @file stats.h All counters of abi/stat_tern.h: tern_stat(2) and /proc. */
#ifndef PROC_STATS_H
#define PROC_STATS_H

#include "abi/stat_tern.h"

/** A snapshot while others count; levels of the allocators are asked there. */
void stats_read(struct tern_stat *);

#endif
