/* SPDX-License-Identifier: MIT */
/*
 * pageout.c - the page-out daemon.
 *
 * Path: the frame allocator falls below its mark, or a fault finds no frame ->
 * the daemon -> the design's pageout slot (leaves go, anonymous pages get a
 * slot) -> the page cache writes and reclaims.
 * Locks: none of its own.  What it takes is taken by trying, where a holder
 *	might be waiting for memory.
 */
#include "vm/pageout.h"

#include "abi/errno.h"
#include "vm/swap.h"
#include "vm/vm.h"

#define BATCH 64 /* pages between two looks at what is free */

static struct waitq done_wq = WAITQ_INIT(done_wq);
static bool runs;	  /* [a] there is a daemon */
static bool wanted;	  /* [a] somebody waits for a round */
static size_t freed_last; /* [a] by the last round */

/* Frames that shall be free when a round ends. */
static size_t
goal(void)
{
	return MAX(frame_total() / 16, (size_t)2 * BATCH);
}

static bool
enough(void)
{
	return frame_free_count() >= goal();
}

size_t
pageout_round(void)
{
	size_t freed = 0, n;

	if (swap_total() == 0 && vm_object_cached() == 0)
		return 0;
	do {
		n = vm_design->pageout(BATCH);
		if (swap_object.nmodified > 0)
			vm_object_flush(&swap_object);
		if (frame_reclaim != NULL)
			n += frame_reclaim(BATCH);
		freed += n;
	} while (n > 0 && !enough());
	return freed;
}

void
pageout_daemon(void)
{
	__atomic_store_n(&runs, true, __ATOMIC_SEQ_CST);
	for (;;) {
		uint32_t seq = waitq_sequence(&frame_low_wq);

		if (!__atomic_load_n(&wanted, __ATOMIC_SEQ_CST) && enough()) {
			(void)waitq_wait(&frame_low_wq, seq, WAIT_FOREVER,
			    DEADLINE_NONE);
			continue;
		}
		__atomic_store_n(&wanted, false, __ATOMIC_SEQ_CST);
		__atomic_store_n(&freed_last, pageout_round(),
		    __ATOMIC_SEQ_CST);
		waitq_wake_all(&done_wq);
		/* Nothing to take: sleep until somebody frees or asks. */
		if (!enough())
			(void)waitq_wait(&frame_low_wq, seq, WAIT_FOREVER,
			    DEADLINE_NONE);
	}
}

int
pageout_wait(void)
{
	uint32_t seq = waitq_sequence(&done_wq);
	int error;

	if (!__atomic_load_n(&runs, __ATOMIC_SEQ_CST))
		return ENOMEM; /* boot, and tests, which call rounds */
	__atomic_store_n(&wanted, true, __ATOMIC_SEQ_CST);
	waitq_wake_all(&frame_low_wq);
	error = waitq_wait(&done_wq, seq, WAIT_KILLABLE, DEADLINE_NONE);
	if (error != 0)
		return error;
	return __atomic_load_n(&freed_last, __ATOMIC_SEQ_CST) > 0 ? 0 : ENOMEM;
}
