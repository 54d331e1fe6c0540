/* SPDX-License-Identifier: MIT */
/**
 * @file vm_env.h
 * Everything that the VM layer asks of the rest of the kernel.
 *
 * Implemented by proc/vm_env.c in the kernel and by arch/host/vm_env.c for
 * tests.  The designs reach scheduler, processes and devices only through here
 * (pagers add their calls when they arrive).
 */
#ifndef VM_VM_ENV_H
#define VM_VM_ENV_H

#include "sync/waitq.h"

struct vmspace;
struct vm_page;

/** What a restartable operation waits for. */
struct vm_wait {
	struct waitq *wq; /* NULL: do not wait, just restart */
	uint32_t seq;	  /* sampled under the lock of the condition */
};

/** Instead of a queue: a page is to be filled (vm_object_wait). */
#define VM_WAIT_FILL ((struct waitq *)1)

/**
 * Wait, killable.
 * @retval EINTR  the thread is dying: give up
 * @pre no lock held
 */
int vm_env_wait(const struct vm_wait *);

/**
 * Memory ran out while @p vs needed a frame.  Chooses a victim (the process
 * with the most resident pages that is not init), ends it with a message, and
 * returns so that the caller waits on frame_waitq and restarts.  Nobody is
 * ended while an earlier victim is on its way out, or if memory was freed since
 * @p seq.
 * @param seq      of frame_waitq, sampled before the last look for a frame
 * @retval EINTR   the caller itself is dying
 * @retval ENOMEM  nobody is left to end
 * @pre no lock held
 */
int vm_env_out_of_memory(struct vmspace *vs, uint32_t seq);

/** Blocks of the swap device; 0: there is none. */
size_t vm_env_swap_slots(void);
/** Move pages to or from the slots that their offsets name, and wait.
 * @retval EIO @pre may sleep; needs no memory */
int __must_check vm_env_swap_io(struct vm_page *const *, unsigned n,
    bool write);

/** The current thread was killed: restart loops end with EINTR. */
bool vm_env_killed(void);

#endif
