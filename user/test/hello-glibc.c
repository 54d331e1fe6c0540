/* SPDX-License-Identifier: MIT */
/*
 * hello-glibc.c - an ordinary program for an ordinary static glibc.
 *
 * Uses what such programs use: buffered stdio, malloc over brk and mmap,
 * getenv, floating point, thread-local storage, exit handlers, signals.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static __thread int counter = 41;
static volatile sig_atomic_t got;

static void
on_signal(int sig)
{
	got = sig;
}

static void
at_end(void)
{
	printf("exit handler ran\n");
}

int
main(int argc, char **argv)
{
	char *big, line[64] = "";
	FILE *f;

	atexit(at_end);
	printf("hello from glibc, %d arguments\n", argc);
	printf("argv[1] is %s\n", argc > 1 ? argv[1] : "absent");
	printf("GREETING is %s\n", getenv("GREETING") ? getenv("GREETING") :
	    "absent");
	printf("the square root of 2 is %.6f\n", sqrt(argc + 0.0));
	counter++;
	printf("thread-local counter is %d\n", counter);
	big = malloc(1 << 20);
	if (big == NULL)
		return 1;
	memset(big, 7, 1 << 20);
	printf("the last byte of 1 MiB is %d\n", big[(1 << 20) - 1]);
	free(big);
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	printf("signal handler got %d\n", (int)got);
	errno = 0;
	if (open("/does/not/exist", O_RDONLY) < 0)
		printf("open says: %s\n", strerror(errno));
	f = fopen(argc > 1 ? argv[1] : "", "r");
	if (f != NULL && fgets(line, sizeof(line), f) != NULL)
		printf("first line: %s", line);
	return 42;
}
