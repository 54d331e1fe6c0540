/* SPDX-License-Identifier: MIT */
/* context.h - the host port has no kernel threads of its own to switch. */
#ifndef MACHINE_CONTEXT_H
#define MACHINE_CONTEXT_H

struct context {
	void *stack; /* struct os_stack */
};

struct fpu_state {
	char none;
};

#endif
