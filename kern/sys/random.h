/* SPDX-License-Identifier: MIT */
/** @file random.h Pseudo-random numbers for programs. */
#ifndef SYS_RANDOM_H
#define SYS_RANDOM_H

#include "lib/types.h"

/** Boot argument seed=. */
void random_init(void);
uint64_t random_u64(void);

#endif
