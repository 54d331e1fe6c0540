/* SPDX-License-Identifier: MIT */
/**
 * @file failpoint.h
 * Fault injection: make the n-th allocation fail.
 *
 * Armed by the boot argument failat=N (all threads) or by tern_fail(2) (the
 * calling thread only).  Every allocator asks fail_point() first.
 */
#ifndef MEM_FAILPOINT_H
#define MEM_FAILPOINT_H

#include "lib/types.h"

struct thread;

/** Let the @p n-th allocation from now fail, once; 0 disarms.  @p only limits
 * it to one thread (NULL: all).  @return allocations seen since the last arm */
uint64_t fail_arm(uint64_t n, struct thread *only);

/** @p t ends: what it armed is disarmed, since its memory is used again. */
void fail_forget(const struct thread *t);

extern uint64_t fail_armed; /* fast check: 0 = nothing to do */
bool fail_point_slow(void);

/** True: the caller must fail as if memory had run out. */
static inline bool
fail_point(void)
{
	return unlikely(fail_armed != 0) && fail_point_slow();
}

#endif
