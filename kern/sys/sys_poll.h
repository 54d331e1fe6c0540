/* SPDX-License-Identifier: MIT */
/** @file sys_poll.h Polling, for the system calls of the one and the other
 * form. */
#ifndef SYS_SYS_POLL_H
#define SYS_SYS_POLL_H

#include "abi/signal.h"
#include "lib/types.h"

/**
 * Wait until one of the @p n struct pollfd at user address @p fds is ready.
 * @param deadline DEADLINE_NONE, or 0: do not wait
 * @param mask     signals blocked meanwhile; NULL: as they are
 * @return how many are ready, or a negative errno
 */
long poll_until(uintptr_t fds, uintptr_t n, ns_t deadline,
    const sigset_t *mask);

#endif
