/* SPDX-License-Identifier: MIT */
/**
 * @file futex.h
 * Futexes: waiting for a word of user memory to change.
 */
#ifndef IPC_FUTEX_H
#define IPC_FUTEX_H

#include "proc/proc.h"

/** Arguments of futex(2). */
struct futex_args {
	vaddr_t uaddr;
	unsigned op;		/* with FUTEX_PRIVATE_FLAG and so on */
	uint32_t val;
	uint32_t val2;		/* requeue: how many to move */
	ns_t deadline;		/* absolute, timer_now() scale */
	vaddr_t uaddr2;
	uint32_t val3;		/* bitset, or expected value */
};

void futex_init(void);
/** @return as futex(2): a count, or a negative errno */
long futex(const struct futex_args *);
/** A thread ends: robust list, clear_tid. Its user memory is still there. */
void futex_thread_exit(struct thread *);

#endif
