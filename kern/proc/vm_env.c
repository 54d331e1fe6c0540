/* SPDX-License-Identifier: MIT */
/* vm_env.c - what the VM layer asks of the kernel (contract: vm/vm_env.h). */
#include "abi/errno.h"
#include "proc/proc.h"

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
vm_env_out_of_memory(struct vmspace *vs)
{
	(void)vs;
	return oom_kill();
}

bool
vm_env_killed(void)
{
	return sched_interrupted(WAIT_KILLABLE);
}
