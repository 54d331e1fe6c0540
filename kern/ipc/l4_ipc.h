/* SPDX-License-Identifier: MIT */
/**
 * @file l4_ipc.h
 * Synchronous IPC of the L4 design, and fault messages to user-level pagers.
 */
#ifndef IPC_L4_IPC_H
#define IPC_L4_IPC_H

#include "abi/l4.h"
#include "proc/proc.h"

/** One thread in an IPC; on its stack. */
struct l4_party {
	struct list link;	/* [ipc lock] of those who wait */
	enum {
		L4_IDLE,	/* nothing open any more */
		L4_SENDING,
		L4_RECEIVING,
		L4_BUSY,	/* the partner is moving the message */
	} state;		/* [ipc lock] */
	bool received;		/* [ipc lock] the receive phase ended */
	int tid;
	struct vmspace *space;
	struct l4_ipc *m;
	unsigned code;		/* [ipc lock] L4_E_* of the phase that ended */
	struct waitq wq;
};

/**
 * Carry out @p m for the current thread; m->error says what went wrong.
 * @p how: what may cancel a wait.
 * @retval 0 @retval ETIMEDOUT @retval ESRCH @retval EINTR @retval EMSGSIZE
 * @retval EIO aborted: memory was lacking, or not accessible
 */
int l4_ipc_run(struct l4_ipc *m, enum wait_how how);

/** Ask the pager of the current thread about a fault.
 * @retval 0 it replied: try again @retval EFAULT it is gone @retval EINTR */
int l4_pager_fault(const struct vm_fault *, uintptr_t pc);

/* l4_transfer.c */

/** Move the message of @p s to @p r, both at rest. @return 0 or L4_E_* */
unsigned l4_transfer(const struct l4_party *s, const struct l4_party *r);

#endif
