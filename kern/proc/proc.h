/* SPDX-License-Identifier: MIT */
/**
 * @file proc.h
 * Processes and threads.
 *
 * A process owns an address space, descriptors, signal actions and children;
 * its threads share them and run on any CPU.  Thread ids and process ids come
 * from one number space, as in Linux; the first thread has the pid of the
 * process.
 */
#ifndef PROC_PROC_H
#define PROC_PROC_H

#include "abi/signal.h"
#include "abi/syscall.h"
#include "arch/context.h"
#include "arch/trap.h"
#include "lib/list.h"
#include "proc/file.h"
#include "sync/counter.h"
#include "sync/sched.h"
#include "sync/sleeplock.h"
#include "sync/spinlock.h"
#include "vm/vm.h"

#define KSTACK_PAGES 4
#define PROC_NAME_MAX 16

enum thread_state {
	THREAD_EMBRYO,	 /* not yet visible to the scheduler */
	THREAD_RUNNABLE, /* on a run queue */
	THREAD_RUNNING,
	THREAD_BLOCKED,
	THREAD_DEAD,	 /* its stack may be reused after the next switch */
};

/* thread.work: reasons to take the slow way back to user mode. */
#define WORK_RESCHED 1u /* the time slice is over */
#define WORK_SIGNAL  2u /* a signal may be deliverable */
#define WORK_EXIT    4u /* the thread must end */
#define WORK_FENCE   8u /* instruction cache is stale (DESIGN rule 10) */

struct proc;

/** Letters: I immutable, a atomic, s run-queue lock, c current thread only,
 * p proc->lock, g proc->siglock. The offset of work is known to assembly. */
struct thread {
	uint32_t work;		 /* [a] WORK_* */
	uint32_t state;		 /* [a] enum thread_state */
	struct context ctx;	 /* [s] */
	uint32_t on_cpu;	 /* [a] 1 until its registers are saved */
	uint32_t cpu;		 /* [a] run queue it belongs to */
	uint64_t affinity;	 /* [a] CPUs allowed */
	struct list run_link;	 /* [s] */
	struct list sleep_link;	 /* by deadline (timer lock) */
	ns_t deadline;
	uintptr_t kstack;	 /* [I] top; below it a guard page */
	struct proc *proc;	 /* [I] NULL: kernel thread */
	struct vmspace *space;	 /* [c] == proc->space; NULL: kernel thread */
	struct list proc_link;	 /* [p] threads of the process */
	struct list id_link;	 /* table of ids */
	int tid;		 /* [I] */
	int exit_code;
	vaddr_t clear_tid;	 /* [c] set_tid_address, CLONE_CHILD_CLEARTID */
	vaddr_t robust_list;	 /* [c] */
	/* Signals. */
	uint64_t sigmask;	 /* [g] */
	uint64_t sigpending;	 /* [g] directed at the thread */
	uint64_t saved_sigmask;	 /* [c] sigsuspend, ppoll */
	bool restore_sigmask;	 /* [c] */
	stack_t sigstack;	 /* [c] sigaltstack */
	siginfo_t fault_info;	 /* [c] of the synchronous signal pending */
	struct waitq *vfork_done;/* CLONE_VFORK parent waits here */
	/* Accounting and debugging. */
	ns_t user_ns, start_ns;
	uint64_t switches;
	struct lockset *locks_saved;
	struct fpu_state fpu;	 /* [c] */
	bool fpu_used;
};

/** Letters as above; P the process-tree lock. */
struct proc {
	struct sleeplock lock;	 /* RANK_PROC: threads, exec, children wait */
	int pid;		 /* [I] */
	uint32_t refs;		 /* [a] */
	char name[PROC_NAME_MAX];/* [p] */
	struct vmspace *space;	 /* [p] replaced by exec only */
	struct fdtable *files;	 /* [p] */
	struct file *cwd, *exe;	 /* [p] */
	char *cmdline;		 /* [p] NUL-separated arguments, for /proc */
	size_t cmdline_size;
	struct list threads;	 /* [p] */
	unsigned nthreads;	 /* [p] */
	/* Tree. */
	struct proc *parent;	 /* [P] */
	struct list children;	 /* [P] */
	struct list sibling;	 /* [P] */
	struct list all_link;	 /* [P] */
	int pgid, sid;		 /* [P] */
	struct waitq child_wq;	 /* a child changed state */
	bool zombie;		 /* [P] */
	int exit_status;	 /* [P] as wait4 reports it */
	int exit_signal;	 /* [I] to the parent, usually SIGCHLD */
	bool exiting;		 /* [p] all threads must end */
	/* Signals. */
	struct spinlock siglock;
	uint64_t sigpending;	 /* [g] directed at the process */
	struct list siginfo;	 /* [g] queued details of pending ones */
	struct sigaction sigaction[NSIG]; /* [g] */
	/* Memory. */
	vaddr_t brk_start, brk;	 /* space lock */
	/* Accounting. */
	uint64_t nfaults;	 /* [a] */
	unsigned umask;
};

static inline struct thread *
thread_self(void)
{
	return this_cpu()->thread;
}

static inline struct proc *
proc_self(void)
{
	return this_cpu()->thread->proc;
}

#endif
