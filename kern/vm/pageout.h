/* SPDX-License-Identifier: MIT */
/**
 * @file pageout.h
 * The page-out daemon: keeps some frames free.
 *
 * It never waits for memory, since others wait for it: frames for its own needs
 * come from static places, the page cache and the reserve.
 */
#ifndef VM_PAGEOUT_H
#define VM_PAGEOUT_H

#include "lib/types.h"

struct pd_policy;

/** Choose the policy by name (pd=), before vm_init.
 * @retval ENOENT there is none, or only for a simulator (prints those) */
int pageout_choose(const char *name);
/** For designs that queue pages: the policy chosen, or Mach's. */
const struct pd_policy *pageout_policy(void);

/** Its thread was made: whoever needs a frame waits for it from now on, though
 * it may not have run yet. @ctx boot, once */
void pageout_expect_daemon(void);
/** Body of the daemon's thread; never returns. @pre interrupts on */
void pageout_daemon(void) __noreturn;

/**
 * One round: until enough frames are free, or nothing more can be taken.
 * @return frames that became free
 * @pre may sleep; one caller at a time (the daemon; tests without one)
 */
size_t pageout_round(void);

/**
 * A frame is needed now: let the daemon work and wait for it.
 * @retval ENOMEM  it found nothing to take  @retval EINTR the thread is dying
 * @pre no lock held
 */
int __must_check pageout_wait(void);

/**
 * An operation of several allocations failed with @p error and left nothing
 * behind: whether to do it again, because memory was short (ENOMEM, or EAGAIN
 * for want of a thread) and pages have gone since.
 * @param tries  the caller's counter, 0 before the first time
 * @pre no lock held
 */
bool pageout_retry(int error, unsigned *tries);

#endif
