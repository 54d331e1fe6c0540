/* SPDX-License-Identifier: MIT */
/*
 * time.c - run a program and say how long it took and what it used.
 */
#include <user.h>

static void
show(const char *name, int64_t us)
{
	dprintf(STDERR_FILENO, "%-5s %ld.%03ld s\n", name,
	    (long)(us / 1000000), (long)(us / 1000 % 1000));
}

static int64_t
microseconds(const struct timeval *tv)
{
	return tv->tv_sec * 1000000 + tv->tv_usec;
}

int
main(int argc, char **argv)
{
	struct rusage ru;
	uint64_t start = now_ns();
	int status;
	pid_t pid;

	if (argc < 2)
		die("usage: time program [argument...]");
	pid = fork();
	if (pid == 0) {
		execvp(argv[1], (strings_t)(argv + 1));
		perror(argv[1]);
		_exit(127);
	}
	memset(&ru, 0, sizeof(ru));
	if (pid < 0 || wait4(pid, &status, 0, &ru) < 0) {
		perror("time");
		return 1;
	}
	show("real", (int64_t)(now_ns() - start) / 1000);
	show("user", microseconds(&ru.ru_utime));
	show("sys", microseconds(&ru.ru_stime));
	dprintf(STDERR_FILENO, "%-5s %ld\n", "flt", (long)ru.ru_minflt);
	return WIFEXITED(status) ? WEXITSTATUS(status) :
	    128 + WTERMSIG(status);
}
