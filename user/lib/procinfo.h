/* SPDX-License-Identifier: MIT */
/*
 * procinfo.h - processes as /proc shows them.
 */
#ifndef PROCINFO_H
#define PROCINFO_H

#include <user.h>

struct procinfo {
	int		pid, ppid, pgid;
	char		state;
	char		name[20];
	unsigned long	nthreads;
	unsigned long	ticks;		/* CPU time, in 1/USER_HZ s */
	unsigned long	virtual_kib, resident_kib;
};

/** Calls @p fn for each process. @retval -1 there is no /proc */
int	procinfo_each(void (*fn)(const struct procinfo *));

#endif /* PROCINFO_H */
