/* SPDX-License-Identifier: MIT */
/*
 * fault.c - resolve a page fault: validate, call the design, restart.
 *
 * Path: trap_pagefault (kern/trap.c) -> HERE -> classic_fault | mach_fault |
 * l4_fault -> pmap_enter.  The kernel's own accesses come from vm_pin (copy.c).
 * Locks: the space shared around the design's slot; none while waiting.
 * The whole walk is told in docs/fault.md.
 */
#include "abi/errno.h"
#include "sync/counter.h"
#include "vm/pageout.h"
#include "vm/txn.h"
#include "vm/vm.h"

/* That one fault may take: a page, tables, notes.  failat= has refused, or
 * somebody has freed some meanwhile.  One is not enough: a fault that finds a
 * page but no table gives the page back, and would find it here for ever. */
#define FAULT_FRAMES 8

/*
 * No frame for the design.  Retry if some are there after all; else page out;
 * if nothing can go, end a process and wait for its memory.
 */
static int
wait_for_memory(struct vmspace *vs)
{
	uint32_t seq;
	int error;

	if (frame_is_there(FAULT_FRAMES))
		return 0;
	error = pageout_wait();
	if (error != ENOMEM)
		return error;
	/* A victim may have left during that round: its memory suffices, and
	 * killing now would hit somebody who is not to blame. */
	seq = waitq_sequence(&frame_waitq);
	if (frame_is_there(FAULT_FRAMES))
		return 0;
	error = vm_env_out_of_memory(vs, seq);
	if (error != 0)
		return error;
	return waitq_wait(&frame_waitq, seq, WAIT_KILLABLE, DEADLINE_NONE);
}

int
vm_fault_retry(struct vmspace *vs, struct vm_txn *txn, int error)
{
	if (error == VM_WAIT && txn->wait.wq == VM_WAIT_FILL)
		error = vm_object_fill(txn);
	else if (error == VM_WAIT)
		error = txn->wait.wq != NULL ? vm_env_wait(&txn->wait) : 0;
	else if (error != ENOMEM)
		return error;
	if (error == ENOMEM)
		error = wait_for_memory(vs);
	if (error == 0 && vm_env_killed())
		return EINTR;
	return error == 0 ? VM_WAIT : error;
}

static __always_inline int
attempt(struct vmspace *vs, const struct vm_fault *f, struct vm_txn *txn)
{
	int error;

	sleep_lock_shared(&vs->lock);
	error = vs->ops->fault(vs, f, txn);
	if (!tlb_gather_empty(&txn->tg))
		tlb_gather_flush(&txn->tg);
	sleep_unlock_shared(&vs->lock);
	return error;
}

static __slowpath int
attempt_again(struct vmspace *vs, const struct vm_fault *f,
    struct vm_txn *txn, int error)
{
	while (error != 0 &&
	    (error = vm_fault_retry(vs, txn, error)) == VM_WAIT)
		error = attempt(vs, f, txn);
	vm_object_done(txn);
	return error;
}

int
vm_fault(struct vmspace *vs, const struct vm_fault *f)
{
	struct vm_txn txn;
	int error;

	counter_add(TS_faults, 1);
	if (f->va >= USER_MAX) /* and below USER_MIN nothing is mapped */
		return EFAULT;
	sched_fuzz_point();
	tlb_gather_init(&txn.tg);
	txn.held = NULL;
	error = attempt(vs, f, &txn);
	return likely(error == 0) ? 0 : attempt_again(vs, f, &txn, error);
}
