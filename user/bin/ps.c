/* SPDX-License-Identifier: MIT */
/*
 * ps.c - list processes.
 */
#include <procinfo.h>

static void
show(const struct procinfo *pi)
{
	printf("%5d %5d %c %4lu %7lu %7lu %6lu.%02lu %s\n", pi->pid, pi->ppid,
	    pi->state, pi->nthreads, pi->virtual_kib, pi->resident_kib,
	    pi->ticks / USER_HZ, pi->ticks % USER_HZ, pi->name);
}

int
main(void)
{
	printf("%5s %5s S THRD %7s %7s %9s COMMAND\n", "PID", "PPID", "VSZ",
	    "RSS", "TIME");
	if (procinfo_each(show) == 0)
		return 0;
	perror("/proc");
	return 1;
}
