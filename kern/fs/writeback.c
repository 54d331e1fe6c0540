/* SPDX-License-Identifier: MIT */
/*
 * writeback.c - the daemon that writes modified pages back.
 *
 * It sleeps until something is modified, lets changes collect for a while, and
 * writes all of it; at once when much is modified, or when a file without
 * names and users waits for its end.
 * Locks: none of its own.
 */
#include "arch/timer.h"
#include "fs/vfs.h"
#include "lib/panic.h"
#include "proc/proc.h"

#define COLLECT_NS 5000000000ull

static void
collect(void)
{
	struct waitq *wq = &vm_object_daemon_wq;
	ns_t end = timer_now() + COLLECT_NS;

	while (!vm_object_many_unsaved() && timer_now() < end) {
		uint32_t seq = waitq_sequence(wq);

		path_root->ops->reap(path_root);
		if (!vm_object_many_unsaved())
			(void)waitq_wait(wq, seq, WAIT_FOREVER, end);
	}
}

static void
writeback(void *arg)
{
	struct waitq *wq = &vm_object_daemon_wq;

	(void)arg;
	sched_finish_switch();
	intr_enable();
	for (;;) {
		uint32_t seq = waitq_sequence(wq);

		if (vm_object_unsaved() == 0) {
			path_root->ops->reap(path_root);
			(void)waitq_wait(wq, seq, WAIT_FOREVER, DEADLINE_NONE);
			continue;
		}
		collect();
		/* An error is told to who syncs the file. */
		path_root->ops->write_back(path_root);
	}
}

void
writeback_start(void)
{
	if (thread_start_kernel(writeback, NULL) != 0)
		panic("no memory for the write-back daemon");
}
