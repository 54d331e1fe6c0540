/* SPDX-License-Identifier: MIT */
/*
 * pageout.c - the page-out daemon.
 *
 * Path: the frame allocator falls below its mark, or a fault finds no frame ->
 * the daemon -> the design's pageout slot (leaves go, anonymous pages get a
 * slot) -> the page cache writes and reclaims.
 * Locks: none of its own; nobody waits for memory with a lock held.
 */
#include "vm/pageout.h"

#include "abi/errno.h"
#include "lib/printf.h"
#include "vm/pd_policy.h"
#include "vm/swap.h"
#include "vm/vm.h"

#define BATCH	  64  /* pages between two looks at what is free */
#define TRIES_MAX 8   /* of pageout_retry() */
#define IDLE_MAX  256 /* batches in a row that free nothing */
#define IDLE_NONE 16  /* as so many counts one in which nothing can go */

static struct waitq done_wq = WAITQ_INIT(done_wq);
static bool runs;	  /* [a] there is a daemon, or will be */
static uint32_t wanted;	  /* [a] somebody waits for a batch */
static size_t taken_last; /* [a] 0: the last round got no frame */

static const struct pd_policy *policy; /* NULL: the default */

const struct pd_policy *
pageout_policy(void)
{
	return policy != NULL ? policy : pd_policy_find("mach");
}

/* One that must see each single reference cannot work here. */
int
pageout_choose(const char *name)
{
	const struct pd_policy *p = pd_policy_find(name);

	if (p != NULL && p->touch == NULL) {
		policy = p;
		return 0;
	}
	kprintf("pd=%s: no such policy; there are:", name);
	for (unsigned i = 0; pd_policies[i] != NULL; i++)
		if (pd_policies[i]->touch == NULL)
			kprintf(" %s", pd_policies[i]->name);
	kprintf("\n");
	return ENOENT;
}

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

/* One batch. @return frames that became free; @p *went: leaves that went */
static size_t
take_batch(unsigned *went)
{
	size_t want, freed;

	*went = vm_design->pageout(BATCH);
	if (swap_object.nmodified > 0)
		vm_object_flush(&swap_object);
	/* No more than has gone: the cache would look at all frames for it. */
	want = *went > 0 ? MIN(*went, BATCH) : BATCH;
	freed = vm_object_shed(&swap_object, want);
	if (freed < want && frame_reclaim != NULL)
		freed += frame_reclaim(want - freed);
	return freed;
}

size_t
pageout_round(void)
{
	size_t freed, total = 0;
	unsigned idle = 0, went;

	do {
		freed = take_batch(&went);
		total += freed;
		/* Leaves that come back at once, or have a second chance; or
		 * none can go, but for a moment. */
		idle = freed > 0 ? 0 : idle + (went > 0 ? 1 : IDLE_NONE);
		if (freed > 0) { /* one frame is enough for some */
			__atomic_store_n(&taken_last, freed, __ATOMIC_SEQ_CST);
			waitq_wake_all(&done_wq);
		}
	} while (!enough() && idle < IDLE_MAX);
	/* Frames that others freed meanwhile serve who waits as well. */
	__atomic_store_n(&taken_last, total + enough(), __ATOMIC_SEQ_CST);
	waitq_wake_all(&done_wq);
	return total;
}

void
pageout_expect_daemon(void)
{
	__atomic_store_n(&runs, true, __ATOMIC_SEQ_CST);
}

void
pageout_daemon(void)
{
	for (;;) {
		uint32_t seq = waitq_sequence(&frame_low_wq);
		size_t taken = 1;

		if (__atomic_exchange_n(&wanted, 0, __ATOMIC_SEQ_CST) ||
		    !enough())
			taken = pageout_round();
		/* Nothing to take: sleep until somebody frees or asks. */
		if (taken == 0 || enough())
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
	__atomic_store_n(&wanted, 1, __ATOMIC_SEQ_CST);
	waitq_wake_all(&frame_low_wq);
	error = waitq_wait(&done_wq, seq, WAIT_KILLABLE, DEADLINE_NONE);
	if (error != 0)
		return error;
	return __atomic_load_n(&taken_last, __ATOMIC_SEQ_CST) > 0 ? 0 : ENOMEM;
}

bool
pageout_retry(int error, unsigned *tries)
{
	return (error == ENOMEM || error == EAGAIN) && frame_is_low() &&
	    (*tries)++ < TRIES_MAX && pageout_wait() == 0;
}
