/* SPDX-License-Identifier: MIT */
/*
 * vm_env.c - what the VM layer asks of the kernel, on the host port.
 *
 * There are no processes: nobody can be ended to get memory back, so running
 * out of memory is an error of the operation.
 */
#include "vm/vm_env.h"

#include "abi/errno.h"
#include "arch/host/host.h"
#include "lib/string.h"
#include "mem/frame.h"

int
vm_env_wait(const struct vm_wait *w)
{
	if (vm_env_killed())
		return EINTR;
	if (w->wq == NULL)
		return 0;
	return waitq_wait(w->wq, w->seq, WAIT_KILLABLE, DEADLINE_NONE);
}

int
vm_env_out_of_memory(struct vmspace *vs, uint32_t seq)
{
	(void)vs, (void)seq;
	return vm_env_killed() ? EINTR : ENOMEM;
}

bool
vm_env_killed(void)
{
	return sched_interrupted(WAIT_KILLABLE);
}

/* ---- swap: an array ---- */

static char slots[HOST_SWAP_MAX][PAGE_SIZE];
void (*host_swap_hook)(void);
bool (*host_swap_fails)(uint64_t slot, bool write);

size_t
vm_env_swap_slots(void)
{
	return host_options.swap_slots;
}

int
vm_env_swap_io(struct vm_page *const *pages, unsigned n, bool write)
{
	if (host_swap_hook != NULL)
		host_swap_hook();
	for (unsigned i = 0; i < n; i++) {
		char *slot = slots[pages[i]->offset];
		void *page = page_to_virt(pages[i]);

		if (host_swap_fails != NULL &&
		    host_swap_fails(pages[i]->offset, write))
			return EIO;
		if (write)
			memcpy(slot, page, PAGE_SIZE);
		else
			memcpy(page, slot, PAGE_SIZE);
	}
	return 0;
}
