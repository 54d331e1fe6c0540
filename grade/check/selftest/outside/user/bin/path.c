/* SPDX-License-Identifier: MIT */
const char *tmp = "/tmp/../../etc";	/* a path inside Tern: fine */
#include "../../../kern/vm/vm.h"	/* want: outside: leaves the repository */
