/* SPDX-License-Identifier: MIT */
/*
 * oom.c - when memory runs out, one process ends and the rest lives.
 *
 * Path: vm_fault, vm_pin (no frame) -> vm_env_out_of_memory -> oom_kill.
 * The victim is the process with the most resident pages that is not init; see
 * largest_process.
 * While a victim is on its way out nobody else is chosen: the callers wait on
 * frame_waitq until it has given its memory back.  Its end is that it is a
 * zombie; it is without a space long before the space is taken down.
 */
#include "abi/wait.h"
#include "arch/timer.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "proc/id.h"
#include "proc/signal.h"

#define ABOUT_AS_LARGE 64 /* pages */

/* A victim that does not get to its end in this time is not waited for. */
#define VICTIM_PATIENCE_NS 2000000000ull

static int victim;	  /* [T] its pid, 0: none */
static ns_t victim_since; /* [T] */

static size_t
pages_of(const struct proc *p)
{
	return p == proc_first || p->space == NULL || p->exiting ?
	    0 :
	    p->space->pmap->nleaves;
}

/*
 * The largest process; of several that are about as large the youngest: when a
 * fork bomb has used the memory up, all are small, and the old ones are not to
 * blame.  @locks tree
 */
static struct proc *
largest_process(size_t *npages)
{
	struct proc *best = NULL;
	size_t most = 0;

	LIST_FOREACH(l, &proc_all)
		most = MAX(most,
		    pages_of(LIST_ENTRY(l, struct proc, all_link)));
	LIST_FOREACH(l, &proc_all) {
		struct proc *p = LIST_ENTRY(l, struct proc, all_link);
		size_t n = pages_of(p);

		if (n > 0 && n + ABOUT_AS_LARGE >= most) {
			best = p;
			*npages = n;
		}
	}
	return best;
}

/* The last victim still holds memory: it lets go of its space some time before
 * the frames are free, and is a zombie after. @locks tree */
static bool
victim_pending(void)
{
	const struct proc *p = id_proc(victim);

	return victim != 0 && p != NULL && !p->zombie &&
	    timer_now() - victim_since < VICTIM_PATIENCE_NS;
}

int
oom_kill(uint32_t seq)
{
	struct proc *p = NULL;
	char name[PROC_NAME_MAX];
	size_t npages;
	int pid = 0;
	bool pending, freed, on;

	if (sched_interrupted(WAIT_KILLABLE))
		return EINTR;
	kstack_trim();
	on = spin_lock_irq(&proc_tree_lock);
	pending = victim_pending();
	/* A victim that has just ended has left memory to the caller. */
	freed = waitq_sequence(&frame_waitq) != seq;
	if (!pending && !freed)
		p = largest_process(&npages);
	if (p != NULL) {
		pid = victim = p->pid;
		victim_since = timer_now();
		strlcpy(name, p->name, sizeof(name));
		proc_kill(p, W_EXITCODE(0, SIGKILL));
	}
	spin_unlock_irq(&proc_tree_lock, on);
	if (pid != 0) {
		counter_add(TS_oom_kills, 1);
		kprintf("out of memory: killed %d (%s), %zu pages\n", pid,
		    name, npages);
	} else if (!pending && !freed) {
		return ENOMEM;
	}
	return sched_interrupted(WAIT_KILLABLE) ? EINTR : 0;
}
