/* SPDX-License-Identifier: MIT */
/** @file sigqueue.h What signal.c and sigdeliver.c share. */
#ifndef PROC_SIGQUEUE_H
#define PROC_SIGQUEUE_H

#include "proc/signal.h"

/** Details of one pending signal; signo 0: it is pending no more, to be used
 * again (it cannot be freed where that is decided). */
struct sigqueue {
	struct list link;
	int signo, code, pid, status;
};

#define SIG_REALTIME 32 /* from here on signals queue up */
#define SIG_UNMASKABLE (SIGMASK(SIGKILL) | SIGMASK(SIGSTOP))
#define SIG_STOPS                                                    \
	(SIGMASK(SIGSTOP) | SIGMASK(SIGTSTP) | SIGMASK(SIGTTIN) | \
	    SIGMASK(SIGTTOU))
#define SIG_IGNORED_BY_DEFAULT                                       \
	(SIGMASK(SIGCHLD) | SIGMASK(SIGCONT) | SIGMASK(SIGURG) | \
	    SIGMASK(SIGWINCH))
#define SIG_FROM_FAULTS                                            \
	(SIGMASK(SIGSEGV) | SIGMASK(SIGBUS) | SIGMASK(SIGILL) | \
	    SIGMASK(SIGTRAP) | SIGMASK(SIGFPE) | SIGMASK(SIGSYS))

/* Of a signal that is not blocked; siglock held. */
static inline bool
signal_ignored(const struct proc *p, int signo)
{
	return (p->acts->ignored |
		   (SIG_IGNORED_BY_DEFAULT & ~p->acts->caught)) &
	    SIGMASK(signo);
}

static inline bool
signal_fatal(const struct proc *p, int signo)
{
	return !((p->acts->caught | p->acts->ignored | SIG_STOPS |
		     SIG_IGNORED_BY_DEFAULT) &
	    SIGMASK(signo));
}

/** Stop the current process, unless SIGCONT came meanwhile, or nobody could
 * continue it. */
void signal_stop_self(int signo);
/** Stand still while the process is stopped. */
void signal_halt(struct proc *);

#endif
