/* SPDX-License-Identifier: MIT */
/*
 * time.c - clocks, sleeping and accounting.
 */
#include "ktap.h"

#define MS	1000000ull

static void
monotonic(void)
{
	uint64_t last = now_ns(), now;
	int i;

	for (i = 0; i < 5000; i++) {
		now = now_ns();
		EXPECT(now >= last);
		last = now;
	}
}

static void
clocks_agree(void)
{
	struct timespec a, b;
	struct timeval tv;

	EXPECT_OK(clock_gettime(CLOCK_REALTIME, &a));
	EXPECT_EQ(syscall3(SYS_gettimeofday, (long)&tv, 0, 0), 0);
	EXPECT_OK(clock_gettime(CLOCK_REALTIME, &b));
	EXPECT(tv.tv_sec >= a.tv_sec && tv.tv_sec <= b.tv_sec);
	EXPECT(tv.tv_usec >= 0 && tv.tv_usec < 1000000);
	EXPECT(a.tv_nsec >= 0 && a.tv_nsec < 1000000000);
	EXPECT_OK(clock_gettime(CLOCK_BOOTTIME, &a));
	EXPECT_OK(clock_gettime(CLOCK_MONOTONIC_COARSE, &a));
	EXPECT_ERR(clock_gettime(77, &a), EINVAL);
	EXPECT_EQ(syscall3(SYS_clock_getres, CLOCK_MONOTONIC, (long)&a, 0),
	    0);
	EXPECT(a.tv_sec == 0 && a.tv_nsec > 0);
	EXPECT_EQ(syscall3(SYS_clock_getres, 77, (long)&a, 0), -EINVAL);
}

static void
sleep_is_long_enough(void)
{
	static const unsigned ms[] = { 1, 5, 30, 100 };
	uint64_t start, took;
	size_t i;

	for (i = 0; i < nitems(ms); i++) {
		start = now_ns();
		msleep(ms[i]);
		took = now_ns() - start;
		EXPECT(took >= ms[i] * MS);
		EXPECT(took < ms[i] * MS + 2000 * MS);
	}
}

static void
sleep_until(void)
{
	struct timespec ts;
	uint64_t start = now_ns(), until = start + 40 * MS;

	ts.tv_sec = (int64_t)(until / 1000000000);
	ts.tv_nsec = (int64_t)(until % 1000000000);
	EXPECT_EQ(syscall6(SYS_clock_nanosleep, CLOCK_MONOTONIC,
	    TIMER_ABSTIME, (long)&ts, 0, 0, 0), 0);
	EXPECT(now_ns() >= until);
	start = now_ns();		/* the time has passed: at once */
	EXPECT_EQ(syscall6(SYS_clock_nanosleep, CLOCK_MONOTONIC,
	    TIMER_ABSTIME, (long)&ts, 0, 0, 0), 0);
	EXPECT(now_ns() - start < 1000 * MS);
}

static void
sleep_errors(void)
{
	struct timespec bad = { 0, 1000000000 }, minus = { -1, 0 };

	EXPECT_ERR(nanosleep(&bad, NULL), EINVAL);
	EXPECT_ERR(nanosleep(&minus, NULL), EINVAL);
	EXPECT_ERR(nanosleep(NULL, NULL), EFAULT);
	EXPECT_EQ(syscall6(SYS_clock_nanosleep, 77, 0, (long)&minus, 0, 0,
	    0), -EINVAL);
}

/* Sleepers wake in the order of their times. */
static void
sleepers_in_order(void)
{
	enum { N = 6 };
	int fds[2], i, k, status;
	char order[N];

	EXPECT_OK(pipe(fds));
	for (i = 0; i < N; i++) {
		if (EXPECT_OK(fork()) == 0) {
			char c = (char)('a' + i);

			msleep((unsigned)(300 - 50 * i));
			write(fds[1], &c, 1);
			_exit(0);
		}
	}
	for (k = 0; k < N; k++)
		EXPECT_EQ(read(fds[0], &order[k], 1), 1);
	for (k = 0; k < N; k++)
		EXPECT_EQ(order[k], 'a' + N - 1 - k);
	while (wait(&status) > 0)
		expect_exit(status, 0);
}

static void
cpu_time_is_counted(void)
{
	struct timespec before, after;
	struct rusage ru;
	struct tms tms;
	uint64_t end = now_ns() + 150 * MS;
	int64_t used;

	EXPECT_OK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before));
	while (now_ns() < end)
		continue;
	EXPECT_OK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after));
	used = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec -
	    before.tv_nsec;
	EXPECT(used > 20 * (int64_t)MS && used < 5000 * (int64_t)MS);
	EXPECT_OK(getrusage(RUSAGE_SELF, &ru));
	EXPECT(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec > 0 ||
	    ru.ru_utime.tv_usec + ru.ru_stime.tv_usec >= 20000);
	EXPECT_ERR(getrusage(55, &ru), EINVAL);
	EXPECT(syscall3(SYS_times, (long)&tms, 0, 0) > 0);
	EXPECT(tms.tms_utime + tms.tms_stime >= 1);
}

/* A busy process does not starve others on the same CPU. */
static void
busy_process_is_preempted(void)
{
	int status, cpu = getcpu();
	pid_t pid;
	int i;

	EXPECT(pin_to_cpu(cpu));
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		while (getppid() > 0)
			continue;
	}
	for (i = 0; i < 5; i++)
		msleep(5);
	EXPECT_OK(kill(pid, SIGKILL));
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_signal(status, SIGKILL);
}

static void
system_information(void)
{
	struct sysinfo si;

	EXPECT_OK(sysinfo(&si));
	EXPECT(si.totalram > 0 && si.freeram <= si.totalram);
	EXPECT(si.mem_unit > 0 && si.procs > 0);
	EXPECT(si.uptime >= 0);
}

static const struct ktap_test tests[] = {
	TEST(monotonic, 0),
	TEST(clocks_agree, 0),
	TEST(sleep_is_long_enough, 0),
	TEST(sleep_until, 0),
	TEST(sleep_errors, T_NOEMU),
	TEST(sleepers_in_order, 0),
	TEST(cpu_time_is_counted, 0),
	TEST(busy_process_is_preempted, 0),
	TEST(system_information, 0),
};

KTAP_MAIN("time")
