/* SPDX-License-Identifier: MIT */
/**
 * @file lockset.h
 * DEBUG: the locks that one context holds, with their ranks.
 *
 * A thread has one lockset, and each CPU one for interrupts; this_cpu()->locks
 * points to the active one.  The scheduler switches it with the thread, the
 * port around an interrupt.  NULL (early boot, panic) turns the checks off.
 */
#ifndef SYNC_LOCKSET_H
#define SYNC_LOCKSET_H

#include "lib/types.h"

#define LOCKSET_MAX 16

struct lockset {
	unsigned n;
	struct {
		const void *lock;
		const char *name;
		unsigned rank;
		bool spin;
	} held[LOCKSET_MAX];
};

/** Checks before taking a lock: order, double use. */
void lockset_before(const void *l, unsigned rank, const char *name,
    bool nested);
void lockset_acquired(const void *l, unsigned rank, const char *name,
    bool spin);
void lockset_released(const void *l);
/** Panic unless no spin lock is held (@p spin_only) or no lock at all;
 * @p what names the operation that needs it. */
void lockset_assert_none(const char *what, bool spin_only);
/** Panic if a lock with rank >= @p rank is held. */
void lockset_assert_below(unsigned rank, const char *what);

#endif
