/* SPDX-License-Identifier: MIT */
#include <abi/errno.h>
#include "own.h"
#include "vm/vm.h"		/* want: layers: programs see only */
#include <kern/abi/errno.h>	/* want: layers: programs see only */
