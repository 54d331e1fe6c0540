/* SPDX-License-Identifier: MIT */
/*
 * proc.c - processes: fork, exit, wait, orphans, exec, kill, groups, limits.
 */
#include "ktap.h"
#include <thread.h>

#include <abi/auxv.h>
#include <abi/elf.h>

static void
exit_with(void *arg)
{
	_exit((int)(long)arg);
}

static void
fork_returns_twice(void)
{
	int fds[2], status;
	pid_t pid, told = 0;

	EXPECT_OK(pipe(fds));
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		told = getpid();
		write(fds[1], &told, sizeof(told));
		_exit(getppid() > 0 ? 0 : 1);
	}
	EXPECT_EQ(read(fds[0], &told, sizeof(told)), sizeof(told));
	EXPECT_EQ(told, pid);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_exit(status, 0);
}

static void
exit_status(void)
{
	static const int codes[] = { 0, 1, 42, 127, 255 };
	size_t i;

	for (i = 0; i < nitems(codes); i++)
		expect_exit(in_child(exit_with, (void *)(long)codes[i]),
		    codes[i]);
	expect_exit(in_child(exit_with, (void *)0x1234L), 0x34);
}

static void
wait_without_children(void)
{
	EXPECT_ERR(wait(NULL), ECHILD);
	EXPECT_ERR(waitpid(getppid(), NULL, 0), ECHILD);
	EXPECT_ERR(waitpid(1 << 30, NULL, 0), ECHILD);
}

static void
wait_options(void)
{
	int fds[2], status;
	pid_t pid;
	char c;

	EXPECT_OK(pipe(fds));
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		close(fds[1]);
		read(fds[0], &c, 1);
		_exit(3);
	}
	EXPECT_EQ(waitpid(pid, &status, WNOHANG), 0);
	EXPECT_EQ(waitpid(-1, &status, WNOHANG), 0);
	EXPECT_ERR(waitpid(pid, &status, 0x10000000), EINVAL);
	close(fds[1]);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_exit(status, 3);
	EXPECT_ERR(waitpid(pid, &status, 0), ECHILD);
}

static void
wait_any_gets_each_child(void)
{
	enum { N = 20 };
	bool seen[N] = { false };
	pid_t pids[N];
	int i, n, status;

	for (i = 0; i < N; i++) {
		pids[i] = (pid_t)EXPECT_OK(fork());
		if (pids[i] == 0)
			_exit(i);
	}
	for (n = 0; n < N; n++) {
		pid_t pid = (pid_t)EXPECT_OK(wait(&status));

		for (i = 0; i < N && pids[i] != pid; i++)
			continue;
		EXPECT(i < N && !seen[i]);
		seen[i] = true;
		expect_exit(status, i);
	}
	EXPECT_ERR(wait(NULL), ECHILD);
}

static void
wait_by_group(void)
{
	int status;
	pid_t a, b;

	a = (pid_t)EXPECT_OK(fork());
	if (a == 0)
		_exit(1);
	b = (pid_t)EXPECT_OK(fork());
	if (b == 0) {
		setpgid(0, 0);
		_exit(2);
	}
	EXPECT(setpgid(b, b) == 0 || errno == EACCES || errno == ESRCH);
	EXPECT_EQ(waitpid(-b, &status, 0), b);
	expect_exit(status, 2);
	EXPECT_EQ(waitpid(0, &status, 0), a);
	expect_exit(status, 1);
}

static void
wait_reports_usage(void)
{
	struct rusage ru;
	volatile unsigned long i;
	int status;
	pid_t pid = (pid_t)EXPECT_OK(fork());

	if (pid == 0) {
		map_pages(16)[0] = 1;
		for (i = 0; i < 100000; i++)
			continue;
		_exit(0);
	}
	memset(&ru, 0xff, sizeof(ru));
	EXPECT_EQ(wait4(pid, &status, 0, &ru), pid);
	EXPECT(ru.ru_utime.tv_sec >= 0 && ru.ru_utime.tv_sec < 60);
	EXPECT(ru.ru_stime.tv_usec >= 0 && ru.ru_stime.tv_usec < 1000000);
	EXPECT(ru.ru_minflt > 0);
}

/* A zombie exists until it is waited for, and nothing but a pid is left. */
static void
zombie(void)
{
	int status;
	pid_t pid = (pid_t)EXPECT_OK(fork());

	if (pid == 0)
		_exit(7);
	msleep(50);
	EXPECT_EQ(kill(pid, 0), 0);
	EXPECT_EQ(kill(pid, SIGTERM), 0);	/* no effect any more */
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_exit(status, 7);
	EXPECT_ERR(kill(pid, 0), ESRCH);
}

static void
orphan_gets_new_parent(void)
{
	int fds[2], status;
	pid_t pid, middle, now = 0;

	EXPECT_OK(pipe(fds));
	middle = (pid_t)EXPECT_OK(fork());
	if (middle == 0) {
		pid = getpid();
		if (fork() == 0) {
			while (getppid() == pid)
				msleep(5);
			now = getppid();
			write(fds[1], &now, sizeof(now));
			_exit(0);
		}
		_exit(0);
	}
	EXPECT_EQ(waitpid(middle, &status, 0), middle);
	EXPECT_EQ(read(fds[0], &now, sizeof(now)), sizeof(now));
	EXPECT(now != middle && now > 0);
	if (on_tern())
		EXPECT_EQ(now, 1);
	EXPECT_ERR(wait(NULL), ECHILD);
}

static void
deep_fork_chain(void)
{
	int depth, status;
	pid_t pid;

	for (depth = 0; depth < 24; depth++) {
		pid = fork();
		if (pid < 0)
			_exit(99);
		if (pid > 0) {
			waitpid(pid, &status, 0);
			_exit(depth == 0 ? WEXITSTATUS(status) != 24 :
			    WEXITSTATUS(status));
		}
	}
	_exit(24);
}

/* --- exec: this program starts itself with a first argument "exec:..." --- */

static void
exec_self(const char *what, strings_t envp)
{
	char big[2000];
	const char *argv[] = { "zero", what, "", "with space", big, NULL };

	memset(big, 'b', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	execve(root_path("/test/proc"), argv, envp);
	_exit(120);
}

static void
exec_args_child(void *arg)
{
	const char *envp[] = { "FIRST=1", "EMPTY=", "LAST=end", NULL };

	exec_self(arg, envp);
}

static int
check_args(int argc, char **argv)
{
	size_t n;

	if (argc != 5 || strcmp(argv[0], "zero") != 0 || argv[5] != NULL)
		return 1;
	if (argv[2][0] != '\0' || strcmp(argv[3], "with space") != 0)
		return 2;
	for (n = 0; argv[4][n] == 'b'; n++)
		continue;
	if (n != 1999 || argv[4][n] != '\0')
		return 3;
	if (environ[3] != NULL || strcmp(environ[1], "EMPTY=") != 0)
		return 4;
	return strcmp(getenv("LAST"), "end") == 0 ? 0 : 5;
}

static void
exec_args_and_env(void)
{
	static char what[] = "exec:args";

	expect_exit(in_child(exec_args_child, what), 0);
}

static int
check_auxv(void)
{
	const Elf64_Ehdr *eh;
	const unsigned char *random;
	extern char _start[];

	if (getauxval(AT_PAGESZ) != PAGE_SIZE)
		return 1;
	if (getauxval(AT_ENTRY) != (unsigned long)_start)
		return 2;
	if (getauxval(AT_PHENT) != sizeof(Elf64_Phdr))
		return 3;
	eh = (const Elf64_Ehdr *)(getauxval(AT_PHDR) & -PAGE_SIZE);
	if (memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0 ||
	    getauxval(AT_PHNUM) != eh->e_phnum)
		return 4;
	random = (const unsigned char *)getauxval(AT_RANDOM);
	if (random == NULL || (random[0] == random[1] &&
	    memcmp(random, random + 1, 15) == 0))
		return 5;
	if (getauxval(AT_UID) != getauxval(AT_EUID))
		return 6;
	return getauxval(AT_SECURE) != 0 ? 7 : 0;
}

static void
exec_auxv(void)
{
	static char what[] = "exec:auxv";

	expect_exit(in_child(exec_args_child, what), 0);
}

/* The stack is 16-byte aligned at entry and a fresh program starts clean. */
static int
check_fresh(int argc, char **argv)
{
	sigset_t set;
	struct sigaction sa;
	stack_t ss;

	if (((uintptr_t)(argv - 1) & 15) != 0 || (long)argv[-1] != argc)
		return 1;
	sigprocmask(SIG_BLOCK, NULL, &set);
	if (set != SIGMASK(SIGUSR1))	/* the mask is inherited */
		return 2;
	sigaction(SIGUSR2, NULL, &sa);
	if (sa.sa_handler != SIG_DFL)	/* handlers are not */
		return 3;
	sigaction(SIGHUP, NULL, &sa);
	if (sa.sa_handler != SIG_IGN)	/* ignoring is */
		return 4;
	sigaltstack(NULL, &ss);
	return ss.ss_flags == SS_DISABLE ? 0 : 5;
}

static void
on_signal(int sig)
{
	(void)sig;
}

static void
exec_fresh_child(void *arg)
{
	static char stack[SIGSTKSZ];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
	sigset_t set = SIGMASK(SIGUSR1);

	sigprocmask(SIG_SETMASK, &set, NULL);
	signal(SIGUSR2, on_signal);
	signal(SIGHUP, SIG_IGN);
	sigaltstack(&ss, NULL);
	exec_args_child(arg);
}

static void
exec_resets_signals(void)
{
	static char what[] = "exec:fresh";

	expect_exit(in_child(exec_fresh_child, what), 0);
}

/* Descriptor 20 is close-on-exec, 21 is not. */
static int
check_fds(void)
{
	if (fcntl(20, F_GETFD, 0) != -1 || errno != EBADF)
		return 1;
	return fcntl(21, F_GETFD, 0) == 0 ? 0 : 2;
}

static void
exec_fds_child(void *arg)
{
	dup3(0, 20, O_CLOEXEC);
	dup3(0, 21, 0);
	exec_args_child(arg);
}

static void
close_on_exec(void)
{
	static char what[] = "exec:fds";

	expect_exit(in_child(exec_fds_child, what), 0);
}

static void
exec_errors(void)
{
	const char *argv[] = { "x", NULL };
	static const char *huge[3];
	char *arg = map_pages(1024);
	char path[4200];

	EXPECT_ERR(execve("/no/such/file", argv, argv), ENOENT);
	EXPECT_ERR(execve(root_path("/test"), argv, argv), EACCES);
	EXPECT_ERR(execve(root_path("/test/files/noexec"), argv, argv),
	    EACCES);
	EXPECT_ERR(execve(root_path("/test/files/hello.txt/x"), argv, argv),
	    ENOTDIR);
	EXPECT_ERR(execve("", argv, argv), ENOENT);
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	EXPECT_ERR(execve(path, argv, argv), ENAMETOOLONG);
	memset(arg, 'a', 1024 * PAGE_SIZE - 1);	/* 4 MiB in one argument */
	huge[0] = "x";
	huge[1] = arg;
	EXPECT_ERR(execve(root_path("/bin/true"), huge, argv), E2BIG);
	EXPECT_ERR(execve(NULL, argv, argv), EFAULT);
	EXPECT_ERR(execve(root_path("/bin/true"), (strings_t)16, argv),
	    EFAULT);
}

static void
exec_many(void)
{
	const char *argv[] = { "tiny", NULL };
	int i, status;
	pid_t pid;

	for (i = 0; i < 50; i++) {
		pid = (pid_t)EXPECT_OK(fork());
		if (pid == 0) {
			execve(root_path("/bin/tiny"), argv, argv);
			_exit(1);
		}
		EXPECT_EQ(waitpid(pid, &status, 0), pid);
		expect_exit(status, 0);
	}
}

static int
vfork_main(void *arg)
{
	*(volatile int *)arg = 1;
	_exit(9);
}

static int
vfork_exec_main(void *arg)
{
	const char *argv[] = { "tiny", NULL };

	*(volatile int *)arg = 1;
	execve(root_path("/bin/tiny"), argv, argv);
	_exit(1);
}

static void
run_vfork(int (*fn)(void *), int code)
{
	char *stack = map_pages(4);
	volatile int ran = 0;
	int status;
	pid_t pid;

	pid = (pid_t)EXPECT_OK(clone(fn, stack + 4 * PAGE_SIZE,
	    CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)(uintptr_t)&ran, NULL,
	    NULL, NULL));
	EXPECT_EQ(ran, 1);	/* the parent slept until the child was off */
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_exit(status, code);
}

static void
vfork_until_exit(void)
{
	run_vfork(vfork_main, 9);
}

static void
vfork_until_exec(void)
{
	run_vfork(vfork_exec_main, 0);
}

/* --- kill, groups, identity, limits ---------------------------------- */

static void
spin_forever(void *arg)
{
	(void)arg;
	for (;;)
		continue;
}

static void
kill_running_child(void)
{
	static const int sigs[] = { SIGKILL, SIGTERM, SIGINT, SIGUSR1 };
	int status;
	size_t i;
	pid_t pid;

	for (i = 0; i < nitems(sigs); i++) {
		pid = (pid_t)EXPECT_OK(fork());
		if (pid == 0)
			spin_forever(NULL);
		msleep(10);
		EXPECT_OK(kill(pid, sigs[i]));
		EXPECT_EQ(waitpid(pid, &status, 0), pid);
		expect_signal(status, sigs[i]);
	}
}

static void
kill_sleeping_child(void)
{
	int fds[2], status, how;
	uint64_t start;
	pid_t pid;
	char c;

	EXPECT_OK(pipe(fds));
	for (how = 0; how < 3; how++) {
		pid = (pid_t)EXPECT_OK(fork());
		if (pid == 0) {
			if (how == 0)
				read(fds[0], &c, 1);
			else if (how == 1)
				sleep(1000);
			else
				wait(NULL), sleep(1000);
			_exit(1);
		}
		msleep(20);
		start = now_ns();
		EXPECT_OK(kill(pid, SIGKILL));
		EXPECT_EQ(waitpid(pid, &status, 0), pid);
		expect_signal(status, SIGKILL);
		EXPECT(now_ns() - start < 5000000000ull);
	}
}

static void
kill_errors(void)
{
	EXPECT_ERR(kill(1 << 30, SIGTERM), ESRCH);
	EXPECT_ERR(kill(getpid(), 65), EINVAL);
	EXPECT_ERR(kill(getpid(), -1), EINVAL);
	EXPECT_OK(kill(getpid(), 0));
}

static void
kill_process_group(void)
{
	int status, i;
	pid_t pids[3];

	for (i = 0; i < 3; i++) {
		pids[i] = (pid_t)EXPECT_OK(fork());
		if (pids[i] == 0)
			spin_forever(NULL);
		EXPECT_OK(setpgid(pids[i], pids[0]));
		EXPECT_EQ(getpgid(pids[i]), pids[0]);
	}
	EXPECT_OK(kill(-pids[0], SIGTERM));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(waitpid(pids[i], &status, 0), pids[i]);
		expect_signal(status, SIGTERM);
	}
	EXPECT_ERR(kill(-pids[0], SIGTERM), ESRCH);
}

static void
sessions(void)
{
	int status;
	pid_t pid = (pid_t)EXPECT_OK(fork());

	if (pid == 0) {
		EXPECT_EQ(setsid(), getpid());
		EXPECT_EQ(getpgid(0), getpid());
		EXPECT_ERR(setsid(), EPERM);
		EXPECT_ERR(setpgid(0, 0), EPERM);
		_exit(0);
	}
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_exit(status, 0);
	EXPECT_ERR(getpgid(1 << 30), ESRCH);
	EXPECT_ERR(setpgid(0, -1), EINVAL);
}

static void
identity(void)
{
	struct utsname u;

	EXPECT_EQ(gettid(), getpid());
	EXPECT_OK(uname(&u));
	EXPECT(strlen(u.sysname) > 0 && strlen(u.machine) > 0);
#if defined(__riscv)
	EXPECT_STR(u.machine, "riscv64");
#else
	EXPECT_STR(u.machine, "x86_64");
#endif
	if (on_tern())
		EXPECT_STR(u.sysname, "Tern");
}

static void
limit_of_files(void)
{
	struct rlimit old, small = { 16, 16 };
	int fd, last = -1;

	EXPECT_OK(prlimit(0, RLIMIT_NOFILE, NULL, &old));
	EXPECT(old.rlim_cur >= 32);
	small.rlim_max = old.rlim_max;
	EXPECT_OK(prlimit(0, RLIMIT_NOFILE, &small, NULL));
	while ((fd = dup(0)) >= 0)
		last = fd;
	EXPECT_EQ(errno, EMFILE);
	EXPECT_EQ(last, 15);
	EXPECT_ERR(open(root_path("/etc/motd"), O_RDONLY), EMFILE);
	EXPECT_OK(close(15));
	EXPECT_OK(dup(0));
}

static void
limit_of_processes(void)
{
	int n = 0, status;
	pid_t pid;

	/* Far more than this must be possible at once. */
	for (n = 0; n < 100; n++) {
		pid = (pid_t)EXPECT_OK(fork());
		if (pid == 0) {
			sleep(1000);
			_exit(0);
		}
	}
	signal(SIGTERM, SIG_IGN);
	EXPECT_OK(kill(0, SIGTERM));
	for (; n > 0; n--) {
		EXPECT(wait(&status) > 0);
		expect_signal(status, SIGTERM);
	}
}

/* A process that ends gives everything back, however it ends. */
static void
exit_frees_memory(void)
{
	int i, status;
	pid_t pid;
	char *p;

	for (i = 0; i < 10; i++) {
		pid = (pid_t)EXPECT_OK(fork());
		if (pid == 0) {
			p = map_pages(512);
			memset(p, i, 512 * PAGE_SIZE);
			if (i % 2 != 0)
				kill(getpid(), SIGKILL);
			_exit(0);
		}
		EXPECT_EQ(waitpid(pid, &status, 0), pid);
	}
}

static int
reexec(int argc, char **argv)
{
	const char *what = argv[1] + 5;

	if (strcmp(what, "args") == 0)
		return check_args(argc, argv);
	if (strcmp(what, "auxv") == 0)
		return check_auxv();
	if (strcmp(what, "fresh") == 0)
		return check_fresh(argc, argv);
	return strcmp(what, "fds") == 0 ? check_fds() : 99;
}

static const struct ktap_test tests[] = {
	TEST(fork_returns_twice, 0),
	TEST(exit_status, 0),
	TEST(wait_without_children, 0),
	TEST(wait_options, 0),
	TEST(wait_any_gets_each_child, 0),
	TEST(wait_by_group, 0),
	TEST(wait_reports_usage, 0),
	TEST(zombie, 0),
	TEST(orphan_gets_new_parent, 0),
	TEST(deep_fork_chain, 0),
	TEST(exec_args_and_env, T_EXEC),
	TEST(exec_auxv, T_EXEC),
	TEST(exec_resets_signals, T_EXEC),
	TEST(close_on_exec, T_EXEC),
	TEST(exec_errors, 0),
	TEST(exec_many, T_EXEC),
	TEST(vfork_until_exit, T_NOEMU),
	TEST(vfork_until_exec, T_EXEC),
	TEST(kill_running_child, 0),
	TEST(kill_sleeping_child, 0),
	TEST(kill_errors, 0),
	TEST(kill_process_group, 0),
	TEST(sessions, 0),
	TEST(identity, 0),
	TEST(limit_of_files, 0),
	TEST(limit_of_processes, 0),
	TEST(exit_frees_memory, 0),
};

int
main(int argc, char **argv)
{
	if (argc > 1 && strncmp(argv[1], "exec:", 5) == 0)
		return reexec(argc, argv);
	return ktap_run("proc", tests, nitems(tests), argc, argv);
}
