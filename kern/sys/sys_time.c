/* SPDX-License-Identifier: MIT */
/*
 * sys_time.c - clocks and sleeping.
 */
#include "abi/errno.h"
#include "abi/time.h"
#include "arch/timer.h"
#include "proc/signal.h"
#include "sys/sys_time.h"
#include "sys/syscall_table.h"

#define NS_PER_S 1000000000ull

void
timespec_of_ns(ns_t ns, struct timespec *ts)
{
	ts->tv_sec = (int64_t)(ns / NS_PER_S);
	ts->tv_nsec = (int64_t)(ns % NS_PER_S);
}

int
timespec_copyin(uintptr_t user, ns_t *out)
{
	struct timespec ts;
	int error = copyin(thread_self()->space, &ts, user, sizeof(ts));

	if (error != 0)
		return error;
	if (ts.tv_sec < 0 || ts.tv_nsec < 0 ||
	    (uint64_t)ts.tv_nsec >= NS_PER_S)
		return EINVAL;
	/* Longer than the clock lives is for ever. */
	*out = (uint64_t)ts.tv_sec >= DEADLINE_NONE / NS_PER_S - 1 ?
	    DEADLINE_NONE :
	    (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
	return 0;
}

ns_t
deadline_after(ns_t ns)
{
	ns_t now = timer_now();

	return ns > DEADLINE_NONE - 1 - now ? DEADLINE_NONE : now + ns;
}

static int
clock_read(unsigned clock, ns_t *out)
{
	struct proc_usage u;

	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		*out = timer_realtime();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		*out = timer_now();
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
		proc_usage(proc_self(), &u);
		*out = u.run_ns;
		return 0;
	case CLOCK_THREAD_CPUTIME_ID:
		*out = thread_self()->run_ns;
		return 0;
	default:
		return EINVAL;
	}
}

long
sys_clock_gettime(uintptr_t clock, uintptr_t out)
{
	struct timespec ts;
	ns_t ns;
	int error = clock_read((unsigned)clock, &ns);

	if (error != 0)
		return -error;
	timespec_of_ns(ns, &ts);
	return -copyout(thread_self()->space, out, &ts, sizeof(ts));
}

long
sys_clock_getres(uintptr_t clock, uintptr_t out)
{
	struct timespec ts = { .tv_nsec = 1 };
	ns_t ns;
	int error = clock_read((unsigned)clock, &ns);

	if (error != 0 || out == 0)
		return -error;
	return -copyout(thread_self()->space, out, &ts, sizeof(ts));
}

long
sys_gettimeofday(uintptr_t tv, uintptr_t tz)
{
	struct vmspace *vs = thread_self()->space;
	struct timezone zone = { 0, 0 };
	ns_t now = timer_realtime();
	struct timeval t = {
		.tv_sec = (int64_t)(now / NS_PER_S),
		.tv_usec = (int64_t)(now % NS_PER_S / 1000),
	};
	int error = 0;

	if (tv != 0)
		error = copyout(vs, tv, &t, sizeof(t));
	if (error == 0 && tz != 0)
		error = copyout(vs, tz, &zone, sizeof(zone));
	return -error;
}

/* @p rem: where to store what is left, 0: nowhere.  When no handler interrupts
 * it (stop and continue) the sleep goes on to its first deadline. */
static long
sleep_until(ns_t fresh, uintptr_t rem)
{
	ns_t deadline = signal_resumed(fresh);
	struct waitq never = WAITQ_INIT(never);
	struct timespec left = { 0, 0 };
	ns_t now;
	int error = waitq_wait(&never, 0, WAIT_SIGNAL, deadline);

	if (error != EINTR)
		return 0;
	now = timer_now();
	if (now < deadline)
		timespec_of_ns(deadline - now, &left);
	if (rem != 0)
		error = copyout(thread_self()->space, rem, &left,
		    sizeof(left));
	return error == EFAULT ? -EFAULT : signal_resume_at(deadline);
}

long
sys_nanosleep(uintptr_t req, uintptr_t rem)
{
	ns_t ns;
	int error = timespec_copyin(req, &ns);

	if (error != 0)
		return -error;
	return sleep_until(deadline_after(ns), rem);
}

long
sys_clock_nanosleep(uintptr_t clock, uintptr_t flags, uintptr_t req,
    uintptr_t rem)
{
	ns_t ns, now;
	int error = clock_read((unsigned)clock, &now);

	if (error == 0 && clock == CLOCK_THREAD_CPUTIME_ID)
		error = EINVAL;
	if (error == 0)
		error = timespec_copyin(req, &ns);
	if (error != 0)
		return -error;
	if (!(flags & TIMER_ABSTIME))
		return sleep_until(deadline_after(ns), rem);
	ns = ns > now ? ns - now : 0;
	/* The end is fixed: what is left need not be told. */
	return sleep_until(deadline_after(ns), 0);
}
