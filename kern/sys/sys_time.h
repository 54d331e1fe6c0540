/* SPDX-License-Identifier: MIT */
/** @file sys_time.h Times of user programs. */
#ifndef SYS_SYS_TIME_H
#define SYS_SYS_TIME_H

#include "abi/time.h"
#include "lib/types.h"

void timespec_of_ns(ns_t, struct timespec *);
/** DEADLINE_NONE: too long to be told from for ever. @retval EFAULT, EINVAL */
int __must_check timespec_copyin(uintptr_t user, ns_t *out);
/** timer_now() + @p ns, without overflow. */
ns_t deadline_after(ns_t ns);

#endif
