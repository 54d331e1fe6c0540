/* SPDX-License-Identifier: MIT */
/**
 * @file signal.h
 * Signals: sending, actions, delivery.
 *
 * A signal is posted to a process or a thread under proc->siglock and taken
 * by the target thread itself on its way back to user mode.
 */
#ifndef PROC_SIGNAL_H
#define PROC_SIGNAL_H

#include "abi/errno.h"
#include "proc/proc.h"

/*
 * A system call that a signal interrupted returns -ERESTART when SA_RESTART may
 * start it again, else -EINTR.  -ERESTARTNOHAND: again only if no handler
 * ran; -ERESTARTNOINTR: always.  signal_deliver() turns them into what the user
 * sees.
 */
#define ERESTARTNOINTR 513
#define ERESTARTNOHAND 514

static inline long
signal_restartable(long result)
{
	return result == -EINTR ? -ERESTART : result;
}

/** What the port needs for a frame (signal_frame_push). */
struct signal_delivery {
	int signo;
	struct sigaction action;
	siginfo_t info;
	sigset_t mask;	/* to restore by rt_sigreturn: uc_sigmask */
	stack_t stack;	/* for uc_stack: the alternate stack as set */
	vaddr_t sp;	/* push below this address (not yet aligned) */
};

/** Actions of a process.  Shared by fork until one side changes them. */
struct sigacts {
	uint32_t refs;	  /* [a] */
	sigset_t caught;  /* have a handler */
	sigset_t ignored; /* SIG_IGN */
	struct sigaction action[NSIG]; /* of signal n at n - 1 */
};

void signal_init(void);
/** Actions of the first process. */
struct sigacts *sigacts_create(void);
struct sigacts *sigacts_hold(struct proc *);
void sigacts_drop(struct sigacts *);
/** exec: handlers of the current process become SIG_DFL.
 * @retval ENOMEM nothing changed */
int __must_check signal_reset_handlers(void);

/* ---- sending ---- */

/**
 * Send to a process.  @p code: SI_USER, SI_TKILL: recorded with the sender.
 * SI_KERNEL: nothing is recorded; @ctx any, interrupts too
 */
void signal_send(struct proc *, int signo, int code);
/** kill(2), its pids <= 0 included; @p signo 0 only looks. Positive errno. */
int signal_kill(int pid, int signo);
/** tkill, tgkill; @p tgid 0: of any process. */
int signal_tkill(int tgid, int tid, int signo);

/** Details of a signal that is sent with a lock held: allocate them first,
 * post, discard what posting did not use.  All take NULL (no memory). */
struct sigqueue *signal_prepare(int signo, int code, int status);
/** @p t NULL: to the process. @return what was not used @locks tree */
struct sigqueue *signal_post(struct proc *, struct thread *t, int signo,
    struct sigqueue *);
void signal_discard(struct sigqueue *);
/** To every process of a group. @return whether it has one, a zombie also
 * being one. @locks tree */
bool signal_post_group(int pgid, int signo);
/** The current thread is about to make a process.  What several processes get
 * from now on, this one among them, the new one gets too, in
 * signal_fork_end().  @return false: a signal comes first; the caller returns
 * -ERESTARTNOINTR */
bool signal_fork_begin(void);
/** @p child can be found from now on. @locks tree */
void signal_fork_end(struct proc *child);
/** The parent does not want zombies. @locks tree */
bool signal_autoreap(struct proc *parent);
/** Processes that are stopped. @locks tree */
extern unsigned signal_nstopped;
/** A thread of @p p halted or left: when all that are left stand still, the
 * parent learns of it. @p q is used up or returned. @locks tree */
struct sigqueue *signal_stop_progress(struct proc *p, struct sigqueue *q);
/** A wait is cut short by a signal and will be started again unless a handler
 * runs: it shall end at the same time. @return -ERESTARTNOHAND */
long signal_resume_at(ns_t deadline);
/** The deadline that signal_resume_at() kept, else @p fresh. */
ns_t signal_resumed(ns_t fresh);

/** The current thread did something that cannot go on: @p signo is delivered
 * before the next user instruction; when it is blocked or ignored the process
 * ends. */
void signal_fault(int signo, int code, vaddr_t addr);
/** The current process ends as if by a fatal @p signo, on its way back. */
void signal_kill_self(int signo);

/* ---- receiving ---- */

/** Deliver what is deliverable, restart or end the interrupted system call;
 * waits here while the process is stopped.  The frame is full. */
void signal_deliver(struct trapframe *);

/** Replace the mask of the current thread; never SIGKILL and SIGSTOP. */
void signal_set_mask(sigset_t);
/** As signal_set_mask until the next delivery, which restores the old mask
 * after the handler (sigsuspend, ppoll). */
void signal_set_mask_temporary(sigset_t);
/** The wait is over without a signal: take the temporary mask back. */
void signal_restore_mask(void);
/** @p act, @p old may be NULL. @retval EINVAL @retval ENOMEM */
int signal_action(int signo, const struct sigaction *act,
    struct sigaction *old);
/** Pending for the current thread and its process. */
sigset_t signal_pending(void);
/** Free queued details (exit). */
void signal_flush(struct list *queue);
/** The alternate stack is in use at @p sp. */
bool signal_on_stack(const struct thread *, vaddr_t sp);

#endif
