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
#include "arch/context.h"
#include "arch/trap.h"
#include "lib/list.h"
#include "lib/rbtree.h"
#include "proc/file.h"
#include "sync/counter.h"
#include "sync/sched.h"
#include "sync/spinlock.h"
#include "vm/vm.h"

#define KSTACK_PAGES  4
#define PROC_NAME_MAX 16
#define PID_INIT      1

enum thread_state {
	THREAD_EMBRYO,	 /* not yet visible to the scheduler */
	THREAD_RUNNABLE, /* on a run queue */
	THREAD_RUNNING,
	THREAD_BLOCKED,
	THREAD_DEAD,	 /* gone for good once on_cpu is 0 */
};

/* thread.work: reasons to take the slow way back to user mode. */
#define WORK_RESCHED 1u /* the time slice is over */
#define WORK_SIGNAL  2u /* a signal may be deliverable, or the process stops */
#define WORK_EXIT    4u /* the thread must end */

struct proc;
struct sigacts;
struct vfork_wait;

/** A synchronous signal: what the faulting instruction did. */
struct fault_info {
	int signo, code;
	vaddr_t addr;
};

/** Letters: I immutable, a atomic, s run-queue lock, t timer lock, c current
 * thread only, g proc->siglock, T proc_tree_lock.
 * The offset of work is known to assembly. */
struct thread {
	uint32_t work;		 /* [a] WORK_* */
	uint32_t state;		 /* [a] enum thread_state */
	struct context ctx;	 /* [s] */
	uint32_t on_cpu;	 /* [a] 1 until its registers are saved */
	uint32_t cpu;		 /* [a] where it runs or ran last */
	uint64_t affinity;	 /* [a] CPUs allowed */
	struct list run_link;	 /* [s] */
	struct rb_node sleep;	 /* [t] by deadline */
	uint32_t sleep_cpu;	 /* [c] whose timer has it */
	bool sleeping;		 /* [t] */
	bool reap_by_parent;	 /* [c] last of its process: wait4 frees it */
	uintptr_t kstack;	 /* [I] top; below it a guard page */
	struct proc *proc;	 /* [I] NULL: kernel thread */
	struct vmspace *space;	 /* [c] the space to load; NULL: the kernel's */
	struct list proc_link;	 /* [g] threads of the process */
	int tid;		 /* [I] (exec may give it the pid) */
	int exit_code;		 /* [c] */
	vaddr_t clear_tid;	 /* [c] set_tid_address, CLONE_CHILD_CLEARTID */
	vaddr_t robust_list;	 /* [c] */
	struct vfork_wait *vfork; /* [c] the parent waits for exec or exit */
	/* Signals. */
	sigset_t sigmask;	 /* [g] */
	sigset_t sigpending;	 /* [g] directed at the thread */
	struct list sigqueue;	 /* [g] details of them */
	sigset_t fork_signals;	 /* [g] to the group, since its fork began */
	sigset_t saved_sigmask;	 /* [c] of sigsuspend and ppoll */
	bool restore_sigmask;	 /* [c] */
	uint64_t resume_deadline; /* [c] of the wait that was cut short, or 0 */
	stack_t sigstack;	 /* [c] sigaltstack */
	struct fault_info fault; /* [c] of the synchronous signal pending */
	int pager;		 /* [c] L4: who answers its faults; 0 nobody */
	/* Accounting. */
	uint64_t run_ns;	 /* [c] CPU time, by ticks */
	uint64_t nfaults;	 /* [c] */
	uint64_t switches;	 /* [c] */
#ifdef DEBUG
	struct lockset locks;	 /* [c] */
#endif
	struct fpu_state fpu;	 /* [c] last: the fields above are zeroed */
};

/** Letters as above. */
struct proc {
	int pid;		 /* [I] */
	uint32_t refs;		 /* [a] look-ups in progress, and the tree */
	char name[PROC_NAME_MAX];/* [c] written by its exec, read by anybody */
	struct vmspace *space;	 /* [T] NULL after exit */
	struct fdtable *files;	 /* [I] until exit */
	struct file *cwd;	 /* lock */
	struct sleeplock lock;	 /* RANK_PROC: cwd, brk */
	unsigned umask;
	int nofile;		 /* descriptors are below (RLIMIT_NOFILE) */
	/* Tree. */
	struct proc *parent;	 /* [T] */
	struct list children;	 /* [T] alive */
	struct list zombies;	 /* [T] children that can be waited for */
	struct list sibling;	 /* [T] in one of the two lists of the parent */
	struct list all_link;	 /* [T] every process, by start */
	int pgid, sid;		 /* [T] */
	struct waitq child_wq;	 /* a child changed state */
	bool zombie;		 /* [T] */
	bool execed;		 /* [c] runs a program of its own */
	bool stop_report;	 /* [T] WUNTRACED has something to say */
	bool cont_report;	 /* [T] WCONTINUED likewise */
	uint8_t exit_signal;	 /* [I] to the parent, usually SIGCHLD */
	int exit_status;	 /* [g] as wait4 reports it */
	struct thread *last;	 /* [T] zombie: the thread to free */
	/* Threads and signals. */
	struct spinlock siglock;
	struct list threads;	 /* [g] */
	unsigned nthreads;	 /* [g] */
	bool exiting;		 /* [g] all threads must end */
	struct thread *execing;	 /* [g] all threads but this must end */
	int stopped;		 /* [T][g] the stop signal, or 0 */
	unsigned nhalted;	 /* [g] threads that stand still for it */
	bool stopping;		 /* [g] a stop signal was taken, no SIGCONT */
	bool stop_told;		 /* [g] the parent knows that it stopped */
	bool cont_tell;		 /* [g] it does not yet know that it goes on */
	struct waitq event_wq;	 /* a thread ended; the process continues */
	sigset_t sigpending;	 /* [g] directed at the process */
	struct list sigqueue;	 /* [g] details of them */
	struct sigacts *acts;	 /* [g] shared with relatives until changed */
	/* Accounting: sums over ended threads, and over reaped children. */
	uint64_t run_ns, nfaults, switches;	    /* [g] */
	uint64_t child_run_ns, child_nfaults;	    /* [T] */
	uint64_t max_pages;	 /* [g] resident when it ended */
	vaddr_t arg_start, arg_end; /* [c] arguments on the stack, for /proc */
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

/** Set bits of t->work. The caller makes the thread look (thread_poke). */
static inline void
thread_work(struct thread *t, uint32_t bits)
{
	__atomic_fetch_or(&t->work, bits, __ATOMIC_SEQ_CST);
}

/* ---- sched.c (besides sync/sched.h and arch/timer.h) ---- */

/** Boot CPU: run queues, and the running context becomes a thread. */
void sched_init(void);
/** Boot arguments tick= and fuzz=. */
void sched_configure(void);
/** End of the boot of any CPU: become its idle thread. @ctx interrupts off */
void sched_idle_loop(void) __attribute__((noreturn));
/** Start of the other CPUs. */
void sched_cpu_start(void);
/** Let a new thread run. */
void sched_start(struct thread *);
/** The current thread is DEAD; interrupts are off. */
void sched_exit(void) __attribute__((noreturn));
/** First thing that a new thread does: the other half of the switch. */
void sched_finish_switch(void);
/** Make @p t notice its work: wake it, or interrupt its CPU.
 * @pre interrupts off, @p t cannot be freed */
void thread_poke(struct thread *t);
/** Load the space of the current thread after it changed. */
void thread_set_space(struct vmspace *);
/** Runnable threads, for load listings. */
unsigned sched_nready(void);
/** Time that a CPU had nothing to do, by ticks. */
ns_t sched_idle_ns(unsigned cpu);

/* ---- kstack.c ---- */

/** @return top of a mapped stack, 0: no memory */
uintptr_t kstack_alloc(void);
void kstack_free(uintptr_t top);
extern uint64_t kstack_epoch;	     /* [a] +1 by each stack mapped */
extern uint64_t kstack_seen[MAXCPU]; /* [c] epoch at the last fence */
void kstack_fence_slow(uint64_t epoch);

/** Make stacks mapped since the last call visible to this CPU (C12). */
static inline void
kstack_fence(void)
{
	uint64_t now = __atomic_load_n(&kstack_epoch, __ATOMIC_ACQUIRE);

	if (unlikely(kstack_seen[this_cpu()->id] != now))
		kstack_fence_slow(now);
}
/** Return cached stacks to the frame allocator. @pre may shoot */
void kstack_trim(void);
/** Frames in cached stacks. */
size_t kstack_cached_frames(void);

/* ---- thread.c ---- */

void thread_init(void);
/** A thread with stack, in state EMBRYO, all else zero. NULL: no memory, or
 * too many threads. */
struct thread *thread_alloc(void);
/** @pre never started, or DEAD and off its CPU */
void thread_free(struct thread *);
/** The current thread leaves its process, and ends it if it is the last.
 * The user-visible part (futexes) is done.  Nothing is locked. */
void thread_exit(void) __attribute__((noreturn));
/** A thread of the kernel; @p fn begins with sched_finish_switch() and never
 * returns. @retval ENOMEM */
int __must_check thread_start_kernel(void (*fn)(void *), void *arg);
/** Start routine of user threads: to user mode through the trap frame. */
void thread_user_start(void *);

/* ---- proc.c ---- */

/** The tree, ids (id.h), process groups. RANK_TREE, interrupts off. */
extern struct spinlock proc_tree_lock;
extern struct list proc_all;	/* [T] by start */
extern struct proc *proc_first; /* process 1; set once */

void proc_init(void);
/** Reference by pid; NULL: no such process. Zombies are found. */
struct proc *proc_find(int pid);
/** Reference to the process with the smallest pid > @p pid; NULL: no more. */
struct proc *proc_next(int pid);
void proc_hold(struct proc *);
void proc_drop(struct proc *);
/** Reference to its space; NULL after exit. */
struct vmspace *proc_space(struct proc *);
/** Parent's pid, for listings. */
int proc_ppid(const struct proc *);
/** One letter as in /proc/PID/stat: R S Z T. */
char proc_state(struct proc *);
/** CPU time, faults and switches of all its threads so far. */
struct proc_usage {
	uint64_t run_ns, nfaults, switches;
};
void proc_usage(struct proc *, struct proc_usage *);
/** Make all threads end, with @p status as wait4 shows it; the first caller
 * decides the status. */
void proc_kill(struct proc *, int status);
void proc_kill_locked(struct proc *, int status); /* siglock held */
/** The last thread is gone: release everything but what wait4 needs.
 * Returns with interrupts off and the process a zombie. */
void proc_exit(struct proc *);
/** End all other threads of the current process (exec). @retval EINTR */
int proc_single_thread(void);
/** An empty process without threads, not in any list. */
struct proc *proc_alloc(void);
/** First process; its thread runs @p fn. */
int proc_create_init(void (*fn)(void *));

/** What clone(2) and fork(2) ask for. */
struct clone_args {
	uint64_t flags;
	int exit_signal;
	vaddr_t stack;	/* stack pointer of the child; 0: as the parent */
	vaddr_t parent_tid, child_tid, tls;
};
/** @return thread id of the child, or a negative errno */
long proc_clone(const struct clone_args *, const struct trapframe *);
/** exec or exit: let the parent of a vfork go on. */
void vfork_release(struct thread *);

/** wait4. @p *status, @p *usage set when a pid is returned.
 * @return pid, 0 (WNOHANG) or a negative errno */
long proc_wait(int which, unsigned options, int *status,
    struct proc_usage *usage);

/* ---- oom.c ---- */

/** vm_env_out_of_memory, see vm/vm_env.h. */
int oom_kill(uint32_t seq);

#endif
