/* SPDX-License-Identifier: MIT */
/* context.h - what a switch between kernel stacks saves; see asm.h. */
#ifndef MACHINE_CONTEXT_H
#define MACHINE_CONTEXT_H

#include "lib/types.h"

struct context {
	uint64_t rip, rsp;
	uint64_t rbx, rbp, r12, r13, r14, r15;
};

/** User registers beside the trap frame: x87 and SSE as FXSAVE stores them, and
 * the segments, which the kernel itself has no use for. */
struct fpu_state {
	uint8_t fxsave[512] __attribute__((aligned(16)));
	uint64_t fs_base, gs_base; /* below USER_MAX */
	union {
		struct {
			uint16_t ds, es, fs, gs;
		};
		uint64_t selectors; /* usually all 0 */
	};
};

#endif
