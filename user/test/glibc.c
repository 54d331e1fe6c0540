/* SPDX-License-Identifier: MIT */
/*
 * glibc.c - a static glibc program runs unchanged (user/test/hello-glibc.c).
 */
#include "ktap.h"

static const char expected[] =
    "hello from glibc, 2 arguments\n"
    "argv[1] is %s\n"
    "GREETING is good day\n"
    "the square root of 2 is 1.414214\n"
    "thread-local counter is 42\n"
    "the last byte of 1 MiB is 7\n"
    "signal handler got 10\n"
    "open says: No such file or directory\n"
    "first line: hello, world\n"
    "exit handler ran\n";

static int
run_hello(int fd)
{
	const char *file = root_path("/test/files/hello.txt");
	const char *argv[] = { "hello-glibc", file, NULL };
	const char *envp[] = { "GREETING=good day", NULL };
	int status;
	pid_t pid = (pid_t)EXPECT_OK(fork());

	if (pid == 0) {
		dup2(fd, 1);
		execve(root_path("/bin/hello-glibc"), argv, envp);
		_exit(126);
	}
	close(fd);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	return status;
}

static void
hello(void)
{
	char out[2048], want[2048];
	const char *file = root_path("/test/files/hello.txt");
	char *slot = strstr(expected, "%s");
	size_t used = 0, head = (size_t)(slot - expected);
	ssize_t n;
	int fds[2];

	EXPECT_OK(pipe(fds));
	expect_exit(run_hello(fds[1]), 42);
	while ((n = read(fds[0], out + used, sizeof(out) - 1 - used)) > 0)
		used += (size_t)n;
	out[used] = '\0';
	snprintf(want, sizeof(want), "%.*s%s%s", (int)head, expected, file,
	    slot + 2);
	EXPECT_STR(out, want);
}

static void
output_to_a_device(void)
{
	int fd = (int)EXPECT_OK(open("/dev/null", O_WRONLY));

	expect_exit(run_hello(fd), 42);
}

static const struct ktap_test tests[] = {
	TEST(hello, T_EXEC),
	TEST(output_to_a_device, T_EXEC),
};

KTAP_MAIN("glibc")
