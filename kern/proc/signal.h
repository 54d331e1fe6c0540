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

#include "proc/proc.h"

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

struct sigacts *sigacts_hold(struct sigacts *);
void sigacts_drop(struct sigacts *);
/** Actions of a fresh process. */
struct sigacts *sigacts_default(void);
/** For exec: @p old without handlers; NULL: no memory. */
struct sigacts *sigacts_for_exec(struct sigacts *old);

void signal_init(void);

/**
 * Send to all of a process / to one thread of it.
 * @param code SI_USER, SI_TKILL, CLD_*: recorded with sender and @p status;
 *             SI_KERNEL: nothing is recorded, @ctx any, interrupts too
 */
void signal_send(struct proc *, int signo, int code, int status);
void signal_send_thread(struct thread *, int signo, int code);
/** Send to each process of a group. @retval ESRCH none  @ctx any */
int signal_send_group(int pgid, int signo);

/** The current thread did something that cannot go on: @p signo is delivered
 * before the next user instruction; when it is blocked or ignored the process
 * ends. */
void signal_fault(int signo, int code, vaddr_t addr);
/** The current process ends as if by a fatal @p signo, now. */
void signal_kill_self(int signo);

/** Deliver what is deliverable; the frame is full. Stops here while the
 * process is stopped. (trap_user_work only) */
void signal_deliver(struct trapframe *);

/** Replace the mask of the current thread; never SIGKILL and SIGSTOP. */
void signal_set_mask(sigset_t);
/** As signal_set_mask until the next delivery, which restores the old mask
 * after the handler (sigsuspend, ppoll). */
void signal_set_mask_temporary(sigset_t);
/** The wait is over without a signal: take the temporary mask back. */
void signal_restore_mask(void);
/** kill(2)'s meaning of @p pid <= 0 included. @p signo 0 only looks. */
int signal_kill(int pid, int signo);
/** tkill, tgkill; @p tgid 0: any process. */
int signal_tkill(int tgid, int tid, int signo);
/** @p act, @p old may be NULL. @retval EINVAL @retval ENOMEM */
int signal_action(int signo, const struct sigaction *act,
    struct sigaction *old);
/** Deliverable once unblocked: thread and process. */
sigset_t signal_pending(void);
/** Forget everything pending (exit). */
void signal_flush(struct list *queue);

#endif
