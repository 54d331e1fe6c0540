/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include "lib/up.h"
#include "vm/vm.h"		/* want: layers: lib/ may not see vm/ */
#include <stdio.h>		/* want: layers: stdio.h: in no layer */
#include "nowhere/at_all.h"	/* want: layers: in no layer */
