/* SPDX-License-Identifier: MIT */
/*
 * ktest.c - run groups of in-OS tests: ktest all | --list | GROUP[.TEST]...
 *
 * Each group is a program in /test that writes nested KTAP straight to the
 * results channel (/dev/results, else standard output).  The console only
 * gets one line a group.
 */
#include <user.h>

#define RESULTS_FD	9

/* oom is last: it leaves the machine with little memory for a while. */
static const char *const groups[] = { "proc", "pipe", "mem", "cow", "thread",
	"sig", "file", "badcall", "elf", "fp", "time", "tlb", "al",
	"job", "tty", "edit", "shell", "glibc", "machine", "write", "fmap",
	"swap", "mach", "l4", "sweep", "nth", "secret", "half",
	"conformance", "oom" };

static int out_fd = STDOUT_FILENO;

static void
open_results(void)
{
	int fd = open("/dev/results", O_WRONLY);

	if (fd < 0)
		fd = dup(STDOUT_FILENO);
	if (fd < 0 || (fd != RESULTS_FD && dup2(fd, RESULTS_FD) < 0))
		die("ktest: no results channel: %s", strerror(errno));
	if (fd != RESULTS_FD)
		close(fd);
	out_fd = RESULTS_FD;
}

static bool
is_group(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < nitems(groups); i++) {
		if (strlen(groups[i]) == len &&
		    strncmp(groups[i], name, len) == 0)
			return true;
	}
	return false;
}

static int
run_group(const char *spec)
{
	const char *dot = strchr(spec, '.'), *root = getenv("TEST_ROOT");
	int len = (int)(dot != NULL ? (size_t)(dot - spec) : strlen(spec));
	const char *argv[3] = { NULL };
	char path[256];
	int status = -1;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/test/%.*s", root != NULL ? root : "",
	    len, spec);
	argv[0] = path;
	argv[1] = dot != NULL ? dot + 1 : NULL;
	if (!is_group(spec, (size_t)len)) {
		dprintf(out_fd, "# no such group: %s\n", spec);
		return 1;
	}
	pid = fork();
	if (pid == 0) {
		execve(path, argv, (strings_t)environ);
		dprintf(out_fd, "# %s: %s\n", path, strerror(errno));
		_exit(127);
	}
	if (pid < 0)
		dprintf(out_fd, "# fork: %s\n", strerror(errno));
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (pid > 0 && WIFSIGNALED(status))
		dprintf(out_fd, "# %s: killed by %s\n", path,
		    strsignal(WTERMSIG(status)));
	return status;
}

int
main(int argc, char **argv)
{
	const char *const *list = (strings_t)argv + 1;
	size_t i, n = (size_t)argc - 1;
	char number[8];
	bool ok;
	int failed = 0;

	if (argc < 2)
		die("usage: ktest all | --list | GROUP[.TEST]...");
	if (strcmp(argv[1], "all") == 0 || strcmp(argv[1], "--list") == 0) {
		list = groups;
		n = nitems(groups);
	}
	if (strcmp(argv[1], "--list") == 0) {
		for (i = 0; i < n; i++)
			puts(list[i]);
		return 0;
	}
	open_results();
	snprintf(number, sizeof(number), "%d", RESULTS_FD);
	setenv("KTAP_FD", number, 1);
	setenv("KTAP_INDENT", "2", 1);
	dprintf(out_fd, "KTAP version 1\n1..%zu\n", n);
	for (i = 0; i < n; i++) {
		ok = run_group(list[i]) == 0;
		failed += !ok;
		dprintf(out_fd, "%sok %zu %s\n", ok ? "" : "not ", i + 1,
		    list[i]);
		printf("ktest: %s: %s\n", list[i], ok ? "passed" : "FAILED");
	}
	/* In the deterministic lane this counts instructions: two runs with
	 * the same interleaving agree on it. */
	dprintf(out_fd, "# time %lu ns\n", now_ns());
	dprintf(out_fd, "# run complete\n");
	return failed > 0;
}
