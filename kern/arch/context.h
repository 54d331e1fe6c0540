/* SPDX-License-Identifier: MIT */
/**
 * @file context.h
 * Port contract: switching between kernel stacks, and user FP state.
 *
 * machine/context.h defines struct context (callee-saved registers, stack and
 * return address) and struct fpu_state (user FP registers, and whatever else of
 * a program's registers no trap frame holds: segments on x86-64).
 */
#ifndef ARCH_CONTEXT_H
#define ARCH_CONTEXT_H

#include "lib/types.h"
#include "machine/context.h"

/** Save into @p from, continue @p to.  Returns when somebody switches back.
 * @pre interrupts off, no spin lock held except the scheduler's own protocol */
void context_switch(struct context *from, struct context *to);

/** Let the first switch to @p c call @p fn(@p arg) on the stack ending at
 * @p stack_top; @p fn must not return. */
void context_init(struct context *c, uintptr_t stack_top, void (*fn)(void *),
    void *arg);

/** Initial user FP state of a new program. */
void fpu_init(struct fpu_state *);
/** State of the child of a thread whose state @p from is up to date. */
void fpu_copy(struct fpu_state *to, const struct fpu_state *from);
/** Bring @p fpu up to date with the registers of the current thread, if they
 * were changed since the last save or restore. */
void fpu_save(struct fpu_state *fpu);
/** Load; the registers then count as unchanged. */
void fpu_restore(const struct fpu_state *fpu);

#endif
