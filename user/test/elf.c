/* SPDX-License-Identifier: MIT */
/*
 * elf.c - exec of malformed and truncated programs (user/test/bad_elf.py).
 *
 * Tern answers ENOEXEC before anything is changed.  Linux finds some of it
 * too late, and overlooks some, so there it is only tried.
 */
#include "ktap.h"

/* Bad only once it runs: exec may succeed, the program dies at its entry. */
static const char *const late[] = { "entry_kernel", "entry_unmapped" };

static bool
fails_late(const char *name)
{
	size_t i;

	for (i = 0; i < nitems(late); i++) {
		if (strcmp(name, late[i]) == 0)
			return true;
	}
	return false;
}

static void
exec_one(void *arg)
{
	const char *argv[] = { arg, NULL }, *envp[] = { NULL };
	int error;

	execve(arg, argv, envp);
	error = errno;
	_exit(error == ENOEXEC ? 100 : error);
}

static void
try_one(const char *name)
{
	char path[320];
	int status;

	snprintf(path, sizeof(path), "%s/%s", root_path("/test/bad-elf"), name);
	status = in_child(exec_one, path);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 100)
		return;
	if (!on_tern() || (fails_late(name) && WIFSIGNALED(status)))
		return;
	ktap_fail(__FILE__, __LINE__,
	    "%s: expected ENOEXEC, got status %#x (errno %s)", name, status,
	    WIFEXITED(status) ? strerror(WEXITSTATUS(status)) : "none");
}

static void
bad_files_are_refused(void)
{
	char buf[2048] __attribute__((aligned(8)));
	struct linux_dirent64 *d;
	int fd = (int)EXPECT_OK(open(root_path("/test/bad-elf"), O_RDONLY));
	int count = 0;
	ssize_t n, at;

	while ((n = EXPECT_OK(getdents64(fd, buf, sizeof(buf)))) > 0) {
		for (at = 0; at < n; at += d->d_reclen) {
			d = (struct linux_dirent64 *)(buf + at);
			if (d->d_name[0] == '.')
				continue;
			try_one(d->d_name);
			count++;
		}
	}
	EXPECT_EQ(count, 35);
}

/* A refused exec leaves the caller as it was. */
static void
caller_is_unchanged(void)
{
	const char *argv[] = { "x", NULL };
	char *p = map_pages(2);
	int fd = (int)EXPECT_OK(dup3(0, 30, O_CLOEXEC)), i;

	signal(SIGUSR1, (void (*)(int))(uintptr_t)caller_is_unchanged);
	memset(p, 5, 2 * PAGE_SIZE);
	for (i = 0; i < 30; i++) {
		EXPECT_ERR(execve(root_path("/test/bad-elf/half_header"), argv,
		    argv), ENOEXEC);
		EXPECT_ERR(execve(root_path("/test/bad-elf/no_load"), argv + 1,
		    argv), ENOEXEC);
	}
	EXPECT(p[0] == 5 && p[2 * PAGE_SIZE - 1] == 5);
	EXPECT_EQ(fcntl(fd, F_GETFD, 0), FD_CLOEXEC);
	EXPECT_EQ(signal(SIGUSR1, SIG_DFL),
	    (void (*)(int))(uintptr_t)caller_is_unchanged);
}

static const struct ktap_test tests[] = {
	TEST(bad_files_are_refused, T_EXEC),
	TEST(caller_is_unchanged, T_LINUX),
};

KTAP_MAIN("elf")
