/* SPDX-License-Identifier: MIT */
/*
 * time.h - clocks and time structures.
 */
#ifndef ABI_TIME_H
#define ABI_TIME_H

#include <stdint.h>

struct timespec {
	int64_t	tv_sec;
	int64_t	tv_nsec;
};

struct timeval {
	int64_t	tv_sec;
	int64_t	tv_usec;
};

struct timezone {
	int	tz_minuteswest;
	int	tz_dsttime;
};

/* times(2), in units of 1/USER_HZ s. */
struct tms {
	int64_t	tms_utime;
	int64_t	tms_stime;
	int64_t	tms_cutime;
	int64_t	tms_cstime;
};
#define USER_HZ	100

#define CLOCK_REALTIME			0
#define CLOCK_MONOTONIC			1
#define CLOCK_PROCESS_CPUTIME_ID	2
#define CLOCK_THREAD_CPUTIME_ID		3
#define CLOCK_MONOTONIC_RAW		4
#define CLOCK_REALTIME_COARSE		5
#define CLOCK_MONOTONIC_COARSE		6
#define CLOCK_BOOTTIME			7
#define TIMER_ABSTIME			1

/* tv_nsec of utimensat */
#define UTIME_NOW	((1l << 30) - 1l)
#define UTIME_OMIT	((1l << 30) - 2l)

#endif /* ABI_TIME_H */
