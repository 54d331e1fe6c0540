/* SPDX-License-Identifier: MIT */
/**
 * @file job.h
 * Job control: process groups, sessions and the controlling terminal.
 *
 * There is one terminal.  It controls at most one session, and one group of
 * that session is in the foreground: its signals are typed, it may read.
 * A group is orphaned when no member has a parent in another group of the same
 * session, so that nobody is left who could continue it.
 * Source: POSIX.1-2017, chapter 11; where it leaves a choice, as Linux.
 */
#ifndef PROC_JOB_H
#define PROC_JOB_H

#include "proc/proc.h"
#include "sync/waitq.h"

struct terminal {
	int sid;	  /* [T] the session it controls, 0: none */
	int pgid;	  /* [T] the foreground group, 0: none */
	uint32_t hangups; /* [a] sessions that lost it by their leader's end */
	struct waitq wq;  /* there is input; a hang-up */
};
extern struct terminal terminal;

/**
 * The current process wants to read (SIGTTIN) or change (SIGTTOU) the terminal.
 * @retval 0      it may: it is in the foreground, or not of this session
 * @retval EINTR  its group was sent @p signo: try again after that
 * @retval EIO    it may not, and the signal would not stop it
 */
int job_check(int signo);
/** Send to the foreground group. @ctx any, no lock of RANK_TREE or above */
void job_signal_foreground(int signo);

/* The ioctls. ENOTTY: it does not control the session of the caller. */
/** @retval EPERM not a session's leader, or in use; @p steal: take it away. */
int job_take_terminal(bool steal);
int job_leave_terminal(void);
bool job_has_terminal(void);
int job_get_terminal(int *sid, int *pgid);
/** tcsetpgrp. @retval EINVAL @retval ESRCH @retval EPERM as in POSIX, and as
 * job_check() from the background */
int job_set_foreground(int pgid);

/** setpgid, setsid; positive errno. */
int job_set_group(int pid, int pgid);
int job_new_session(void);

/** No member of the group has somebody to continue it; @p leaving counts as
 * gone already. @locks tree */
bool job_orphaned(int pgid, const struct proc *leaving);
/** The current process ends: hang up its terminal, let go groups that it
 * leaves behind stopped. @locks tree; it still has parent and children */
void job_exit(struct proc *);

#endif
