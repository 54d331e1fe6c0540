/* SPDX-License-Identifier: MIT */
#include <stdint.h>
uint64_t twice(uint64_t x);
