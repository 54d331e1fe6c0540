/* SPDX-License-Identifier: MIT */
/*
 * failpoint.c - let the n-th allocation fail (failat=N, tern_fail(2)).
 *
 * One armed point at a time.  Disarmed, an allocator pays one load.
 */
#include "mem/failpoint.h"

#include "sync/counter.h"

uint64_t fail_armed;
static uint64_t fail_seen;
static struct thread *fail_only;

uint64_t
fail_arm(uint64_t n, struct thread *only)
{
	__atomic_store_n(&fail_armed, 0, __ATOMIC_SEQ_CST);
	fail_only = only;
	__atomic_store_n(&fail_armed, n, __ATOMIC_SEQ_CST);
	return __atomic_exchange_n(&fail_seen, 0, __ATOMIC_SEQ_CST);
}

void
fail_forget(const struct thread *t)
{
	if (unlikely(fail_armed != 0) && fail_only == t)
		(void)fail_arm(0, NULL);
}

bool
fail_point_slow(void)
{
	uint64_t n = __atomic_load_n(&fail_armed, __ATOMIC_SEQ_CST);

	if (fail_only != NULL && fail_only != this_cpu()->thread)
		return false;
	if (__atomic_add_fetch(&fail_seen, 1, __ATOMIC_SEQ_CST) != n)
		return false;
	__atomic_store_n(&fail_armed, 0, __ATOMIC_SEQ_CST);
	counter_add(TS_failed_allocs, 1);
	return true;
}
