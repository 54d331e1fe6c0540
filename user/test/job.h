/* SPDX-License-Identifier: MIT */
/*
 * job.h - children of the tests of job control, and what becomes of them.
 */
#ifndef JOB_H
#define JOB_H

#include "ktap.h"

static int fds[2];		/* a pipe, for what children tell */

/* The next change of the child, of any kind. */
static inline int
change(pid_t pid)
{
	int status;

	EXPECT_EQ(waitpid(pid, &status, WUNTRACED | WCONTINUED), pid);
	return status;
}

/* How it ends, whether or not it is continued before. */
static inline int
end_of(pid_t pid)
{
	int status;

	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	return status;
}

#define EXPECT_STOP(pid, sig)	EXPECT_EQ(change(pid), W_STOPCODE(sig))
#define EXPECT_CONT(pid)	EXPECT_EQ(change(pid), W_CONTINUED)

static inline void
expect_end(pid_t pid, int sig)
{
	expect_signal(change(pid), sig);
}

/* A child, in a group of its own or that of @pgid. */
static inline pid_t
spawn(void (*fn)(void), pid_t pgid)
{
	pid_t pid = (pid_t)EXPECT_OK(fork());

	if (pid == 0) {
		setpgid(0, pgid);
		signal(SIGTTOU, SIG_DFL);
		fn();
		_exit(0);
	}
	/* Or it has done so and runs another program. */
	EXPECT(setpgid(pid, pgid) == 0 || errno == EACCES);
	return pid;
}

static inline void
rest(void)
{
	for (;;)
		sleep(1000);
}

static inline void
read_all(void *buf, size_t n)
{
	size_t got;
	ssize_t r;

	for (got = 0; got < n; got += (size_t)r)
		EXPECT((r = read(fds[0], (char *)buf + got, n - got)) > 0);
}

#endif /* JOB_H */
