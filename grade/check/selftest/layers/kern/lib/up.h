/* SPDX-License-Identifier: MIT */
#include "lib/types.h"
