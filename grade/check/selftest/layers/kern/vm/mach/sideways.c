/* SPDX-License-Identifier: MIT */
#include "vm/vm.h"
#include "vm/l4/mapdb.h"	/* want: layers: vm/mach/ may not see vm/l4/ */
#include "proc/proc.h"		/* want: layers: vm/mach/ may not see proc/ */
