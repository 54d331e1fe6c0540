/* SPDX-License-Identifier: MIT */
/* vm_env.c - what the VM layer asks of the kernel (contract: vm/vm_env.h). */
#include "abi/errno.h"
#include "lib/printf.h"
#include "proc/block.h"
#include "proc/proc.h"
#include "proc/swapon.h"
#include "vm/pageout.h"
#include "vm/swap.h"

static struct block_device *swap_device;

int
vm_env_wait(const struct vm_wait *w)
{
	if (vm_env_killed())
		return EINTR;
	if (w->wq == NULL) {
		sched_yield();
		return 0;
	}
	return waitq_wait(w->wq, w->seq, WAIT_KILLABLE, DEADLINE_NONE);
}

int
vm_env_out_of_memory(struct vmspace *vs, uint32_t seq)
{
	(void)vs;
	return oom_kill(seq);
}

bool
vm_env_killed(void)
{
	return sched_interrupted(WAIT_KILLABLE);
}

/* ---- swap ---- */

size_t
vm_env_swap_slots(void)
{
	return swap_device != NULL ? swap_device->nblocks : 0;
}

int
vm_env_swap_io(struct vm_page *const *pages, unsigned n, bool write)
{
	struct block_request rq[VM_OBJECT_BATCH];
	struct block_batch batch = { 0 };

	KASSERT(n <= VM_OBJECT_BATCH);
	for (unsigned i = 0; i < n; i++) {
		rq[i] = (struct block_request){
			.op = write ? BLOCK_WRITE : BLOCK_READ,
			.block = pages[i]->offset,
			.data = page_to_virt(pages[i]),
		};
		block_start(swap_device, &rq[i], &batch);
	}
	return block_finish(swap_device, &batch);
}

static void
pageout_thread(void *arg)
{
	(void)arg;
	sched_finish_switch();
	intr_enable();
	pageout_daemon();
}

int
swap_on(const char *name)
{
	if (name != NULL) {
		swap_device = block_find(name);
		if (swap_device == NULL)
			kprintf("swap=%s: no such disk; going on without\n",
			    name);
	}
	if (swap_start() != 0 || thread_start_kernel(pageout_thread, NULL) != 0)
		return ENOMEM;
	pageout_expect_daemon();
	return 0;
}
