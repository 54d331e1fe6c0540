/* SPDX-License-Identifier: MIT */
/*
 * init.c - the first process.
 *
 * With test=GROUP or bench=NAME in the environment (boot arguments become
 * environment strings) runs that and powers off; else keeps a shell on the
 * console.  Orphans become its children: it reaps them all the time.
 */
#include <user.h>

#include <abi/reboot.h>

static void
open_terminal(const char *path)
{
	int fd;

	for (fd = 0; fd < 3; fd++)
		close(fd);
	if (open(path, O_RDWR) != 0)
		return;
	dup(0);
	dup(0);
}

static pid_t
spawn(strings_t argv)
{
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		open_terminal("/dev/ttyS0");	/* becomes its own */
		execve(argv[0], argv, (strings_t)environ);
		perror(argv[0]);
		_exit(127);
	}
	if (pid < 0)
		perror("init: fork");
	return pid;
}

/* Reaps whatever ends until it is @pid; returns how that ended. */
static int
wait_for(pid_t pid)
{
	int status;
	pid_t p;

	while ((p = wait(&status)) != pid) {
		if (p < 0 && errno == ECHILD)
			return -1;
	}
	return status;
}

static void
power_off(void)
{
	sync();
	reboot(LINUX_REBOOT_CMD_POWER_OFF);
	perror("init: power off");
	for (;;)
		sleep(1000);
}

int
main(void)
{
	char *test = getenv("test"), *bench = getenv("bench");
	const char *ktest_argv[] = { "/bin/ktest", test, NULL };
	const char *bench_argv[] = { "/bin/bench", bench, NULL };
	const char *sh_argv[] = { "/bin/sh", NULL };
	int status;
	pid_t pid;

	open_terminal("/dev/console");
	setenv("PATH", "/bin:/test", 0);
	setenv("HOME", "/", 0);
	if (test != NULL || bench != NULL) {
		pid = spawn(test != NULL ? ktest_argv : bench_argv);
		if (pid > 0 && (status = wait_for(pid)) != 0)
			printf("init: ended with status %#x\n", status);
		power_off();
	}
	for (;;) {
		pid = spawn(sh_argv);
		if (pid < 0 || WEXITSTATUS(wait_for(pid)) == 127)
			sleep(1);	/* no shell: do not spin */
	}
}
