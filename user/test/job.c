/* SPDX-License-Identifier: MIT */
/*
 * job.c - job control: stop and continue, groups, sessions.
 */
#include "job.h"
#include <thread.h>

static volatile int nchld, chld_code, chld_status, ncont;

/* --- stop and continue ----------------------------------------------- */

static char
state_of(pid_t pid)
{
	char path[40], text[400];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	EXPECT_OK(read_file(path, text, sizeof(text)));
	return strrchr(text, ')')[2];
}

static void
stop_and_continue(void)
{
	static const int stops[] = { SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU };
	pid_t pid = spawn(rest, 0);
	int status;
	size_t i;

	for (i = 0; i < nitems(stops); i++) {
		EXPECT_OK(kill(pid, stops[i]));
		EXPECT_STOP(pid, stops[i]);
		EXPECT_EQ(state_of(pid), 'T');
		EXPECT_EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), 0);
		EXPECT_OK(kill(pid, stops[i]));	/* again: nothing new */
		EXPECT_OK(kill(pid, SIGCONT));
		EXPECT_CONT(pid);
		EXPECT_EQ(waitpid(pid, &status, WCONTINUED | WNOHANG), 0);
		EXPECT(state_of(pid) != 'T');
	}
	EXPECT_OK(kill(pid, SIGCONT));		/* it runs: no change */
	EXPECT_EQ(waitpid(pid, &status, WCONTINUED | WNOHANG), 0);
	/* Who asks only for the end is not told of stops. */
	EXPECT_OK(kill(pid, SIGSTOP));
	EXPECT_STOP(pid, SIGSTOP);
	EXPECT_OK(kill(pid, SIGCONT));
	EXPECT_EQ(waitpid(pid, &status, WNOHANG), 0);
	EXPECT_OK(kill(pid, SIGKILL));
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_signal(status, SIGKILL);
}

static void
on_chld(int sig, struct siginfo *si, void *uc)
{
	(void)sig;
	(void)uc;
	chld_code = si->si_code;
	chld_status = si->si_status;
	nchld++;
}

static void
await_chld(int n)
{
	uint64_t end = now_ns() + 10000000000ull;

	while (nchld < n && now_ns() < end)
		msleep(1);
	EXPECT_EQ(nchld, n);
}

static void
parent_is_told(void)
{
	struct sigaction act = { .sa_sigaction = on_chld,
	    .sa_flags = SA_SIGINFO | SA_RESTART };
	pid_t pid = spawn(rest, 0);

	EXPECT_OK(sigaction(SIGCHLD, &act, NULL));
	EXPECT_OK(kill(pid, SIGTSTP));
	EXPECT_STOP(pid, SIGTSTP);
	await_chld(1);
	EXPECT_EQ(chld_code, CLD_STOPPED);
	EXPECT_EQ(chld_status, SIGTSTP);
	EXPECT_OK(kill(pid, SIGCONT));
	await_chld(2);
	EXPECT_EQ(chld_code, CLD_CONTINUED);
	EXPECT_EQ(chld_status, SIGCONT);
	EXPECT_CONT(pid);
	act.sa_flags |= SA_NOCLDSTOP;
	EXPECT_OK(sigaction(SIGCHLD, &act, NULL));
	EXPECT_OK(kill(pid, SIGSTOP));
	EXPECT_STOP(pid, SIGSTOP);
	EXPECT_OK(kill(pid, SIGCONT));
	EXPECT_CONT(pid);
	EXPECT_OK(kill(pid, SIGKILL));
	expect_end(pid, SIGKILL);
	await_chld(3);				/* only the end counts */
	EXPECT_EQ(chld_code, CLD_KILLED);
}

/* Other signals wait until it goes on, SIGKILL does not. */
static void
stopped_dies_late(void)
{
	pid_t pid = spawn(rest, 0);
	int status;

	EXPECT_OK(kill(pid, SIGSTOP));
	EXPECT_STOP(pid, SIGSTOP);
	EXPECT_OK(kill(pid, SIGTERM));
	msleep(50);
	EXPECT_EQ(waitpid(pid, &status, WNOHANG), 0);
	EXPECT_EQ(state_of(pid), 'T');
	EXPECT_OK(kill(pid, SIGCONT));
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_signal(status, SIGTERM);
	pid = spawn(rest, 0);
	EXPECT_OK(kill(pid, SIGSTOP));
	EXPECT_STOP(pid, SIGSTOP);
	EXPECT_OK(kill(pid, SIGKILL));
	expect_end(pid, SIGKILL);
}

static void
note_cont(int sig)
{
	(void)sig;
	ncont++;
}

/* Of a stop signal and SIGCONT the later one removes the other. */
static void
opposites_cancel(void)
{
	sigset_t both = SIGMASK(SIGTSTP) | SIGMASK(SIGCONT), set;

	EXPECT_OK(sigprocmask(SIG_BLOCK, &both, NULL));
	signal(SIGCONT, note_cont);	/* or it would be ignored */
	raise(SIGTSTP);
	EXPECT_OK(sigpending(&set));
	EXPECT_EQ(set, SIGMASK(SIGTSTP));
	raise(SIGCONT);
	EXPECT_OK(sigpending(&set));
	EXPECT_EQ(set, SIGMASK(SIGCONT));
	raise(SIGTSTP);
	EXPECT_OK(sigpending(&set));
	EXPECT_EQ(set, SIGMASK(SIGTSTP));
	raise(SIGCONT);
	EXPECT_OK(sigprocmask(SIG_UNBLOCK, &both, NULL));
	EXPECT_EQ(ncont, 1);
}

struct pair {
	uint64_t n[2];
};
static struct pair *shared;

static void *
count_up(void *arg)
{
	uint64_t *n = arg;

	for (;;)
		__atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void
two_counters(void)
{
	struct thread t;

	EXPECT_OK(thread_create(&t, count_up, &shared->n[0]));
	count_up(&shared->n[1]);
}

static void
await_progress(void)
{
	struct pair before = *(volatile struct pair *)shared, now;
	uint64_t end = now_ns() + 10000000000ull;

	do {
		sched_yield();
		now = *(volatile struct pair *)shared;
	} while ((now.n[0] == before.n[0] || now.n[1] == before.n[1]) &&
	    now_ns() < end);
	EXPECT(now.n[0] != before.n[0] && now.n[1] != before.n[1]);
}

/* When wait tells that a process has stopped, no thread of it runs. */
static void
all_threads_stop(void)
{
	struct pair before, after;
	pid_t pid;
	int i;

	shared = (struct pair *)map_shared(1);
	pid = spawn(two_counters, 0);
	for (i = 0; i < 5; i++) {
		await_progress();
		EXPECT_OK(kill(pid, SIGSTOP));
		EXPECT_STOP(pid, SIGSTOP);
		before = *(volatile struct pair *)shared;
		msleep(20);
		after = *(volatile struct pair *)shared;
		EXPECT_EQ(memcmp(&before, &after, sizeof(before)), 0);
		EXPECT_OK(kill(pid, SIGCONT));
		EXPECT_CONT(pid);
	}
	EXPECT_OK(kill(pid, SIGKILL));
	expect_end(pid, SIGKILL);
}

static void
read_one(void)
{
	char c;

	EXPECT_EQ(read(fds[0], &c, 1), 1);
	EXPECT_EQ(c, 'x');
}

static void
sleep_half_a_second(void)
{
	struct timespec ts = { .tv_nsec = 500000000 };

	EXPECT_OK(nanosleep(&ts, NULL));
}

static void
poll_a_while(void)
{
	struct pollfd pfd = { .fd = fds[0], .events = POLLIN };

	EXPECT_EQ(poll(&pfd, 1, 200), 0);
}

/* Stopped until its time of @ms is over; returns how long it took then. */
static uint64_t
stop_over_end(void (*fn)(void), unsigned ms)
{
	pid_t pid = spawn(fn, 0);
	uint64_t start;

	msleep(20);
	EXPECT_OK(kill(pid, SIGSTOP));
	EXPECT_STOP(pid, SIGSTOP);
	msleep(ms + 50);
	start = now_ns();
	EXPECT_OK(kill(pid, SIGCONT));
	expect_exit(end_of(pid), 0);
	return now_ns() - start;
}

/* Nobody notices that he was stopped, and a sleep ends when it would have. */
static void
calls_go_on(void)
{
	pid_t pid;

	EXPECT_OK(pipe(fds));
	pid = spawn(read_one, 0);
	msleep(20);
	EXPECT_OK(kill(pid, SIGSTOP));
	EXPECT_STOP(pid, SIGSTOP);
	EXPECT_OK(kill(pid, SIGCONT));
	EXPECT_CONT(pid);
	EXPECT_EQ(write(fds[1], "x", 1), 1);
	expect_exit(change(pid), 0);
	/* From its beginning again it would take 500 ms. */
	EXPECT(stop_over_end(sleep_half_a_second, 500) < 400000000ull);
	/* Linux's ppoll does not count the time while it was stopped. */
	(void)stop_over_end(poll_a_while, 200);
}

/* --- groups and sessions --------------------------------------------- */

static void
lead_session(void)
{
	EXPECT_EQ(setsid(), getpid());
	EXPECT_EQ(getsid(0), getpid());
	EXPECT_EQ(write(fds[1], "x", 1), 1);
	rest();
}

static void
exec_sleep(void)
{
	const char *path = root_path("/bin/sleep");
	const char *argv[] = { path, "1000", NULL };

	fcntl(fds[1], F_SETFD, FD_CLOEXEC);
	close(fds[0]);
	execve(path, argv, (strings_t)environ);
	_exit(127);
}

static void
group_rules(void)
{
	pid_t pid, own = getpgid(0);
	char c;

	EXPECT_ERR(setpgid(0, -1), EINVAL);
	EXPECT_ERR(setpgid(getppid(), 0), ESRCH);	/* no child */
	EXPECT_ERR(setpgid(0, 1 << 22), EPERM);		/* no such group */
	EXPECT_ERR(getsid(1 << 30), ESRCH);
	EXPECT_OK(pipe(fds));
	/* A session's leader stays, and so does who is in another one. */
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0)
		lead_session();
	EXPECT_EQ(read(fds[0], &c, 1), 1);
	EXPECT_EQ(getsid(pid), pid);
	EXPECT_ERR(setpgid(pid, own), EPERM);
	EXPECT_ERR(setpgid(0, pid), EPERM);
	EXPECT_OK(kill(pid, SIGKILL));
	expect_end(pid, SIGKILL);
	/* A child that runs another program is on its own. */
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0)
		exec_sleep();
	close(fds[1]);
	EXPECT_EQ(read(fds[0], &c, 1), 0);		/* it does */
	EXPECT_ERR(setpgid(pid, own), EACCES);
	EXPECT_OK(kill(pid, SIGKILL));
	expect_end(pid, SIGKILL);
}

/* Who leads a group cannot begin a session, nor while others are in it. */
static void
group_left_behind(void)
{
	pid_t pid = (pid_t)EXPECT_OK(fork()), member;

	if (pid == 0) {
		EXPECT_OK(setpgid(0, 0));
		EXPECT_ERR(setsid(), EPERM);
		member = spawn(rest, getpid());
		EXPECT_OK(setpgid(0, getpgid(getppid())));
		EXPECT_ERR(setsid(), EPERM);
		EXPECT_OK(kill(member, SIGKILL));
		expect_end(member, SIGKILL);
		EXPECT_EQ(setsid(), getpid());
		_exit(0);
	}
	expect_exit(change(pid), 0);
}

static void
tell(int sig)
{
	write(fds[1], sig == SIGHUP ? "H" : sig == SIGCONT ? "C" : "U", 1);
}

/* Prints what it hears; the pid first. */
static void
listen_to_signals(void)
{
	pid_t self = getpid();

	signal(SIGHUP, tell);
	signal(SIGCONT, tell);
	signal(SIGUSR1, tell);
	write(fds[1], &self, sizeof(self));
	rest();
}

/* A stopped group that nobody can continue any more is woken, and stops no
 * more at the terminal's wish. */
static void
orphans_are_woken(void)
{
	pid_t middle, pid;
	char heard[2], c;

	EXPECT_OK(pipe(fds));
	middle = (pid_t)EXPECT_OK(fork());
	if (middle == 0) {
		pid = spawn(listen_to_signals, 0);
		msleep(50);
		EXPECT_OK(kill(pid, SIGTSTP));
		EXPECT_STOP(pid, SIGTSTP);
		_exit(0);
	}
	read_all(&pid, sizeof(pid));
	expect_exit(change(middle), 0);
	read_all(heard, 2);
	EXPECT(memchr(heard, 'H', 2) != NULL && memchr(heard, 'C', 2) != NULL);
	EXPECT_OK(kill(pid, SIGTSTP));
	EXPECT_OK(kill(pid, SIGUSR1));
	read_all(&c, 1);
	EXPECT_EQ(c, 'U');
	EXPECT(state_of(pid) != 'T');
	EXPECT_OK(kill(pid, SIGKILL));
	close(fds[1]);
	EXPECT_EQ(read(fds[0], &c, 1), 0);	/* it is gone */
}

/* Until its group is ended; a fork takes a while. */
static void
make_children(void)
{
	int i;

	memset(map_pages(512), 1, 512 * PAGE_SIZE);
	for (i = 0; i < 16; i++)
		if (fork() == 0)
			break;
	rest();
}

/* A signal to the group reaches also who is being born. */
static void
children_do_not_escape(void)
{
	struct pollfd end = { .events = POLLIN };
	pid_t pid;
	int i, gone;

	for (i = 0; i < 32; i++) {
		EXPECT_OK(pipe(fds));
		pid = spawn(make_children, 0);
		close(fds[1]);
		msleep(1 + (unsigned)i % 8);
		EXPECT_OK(kill(-pid, SIGKILL));
		end.fd = fds[0];
		gone = poll(&end, 1, 5000);	/* nobody can write any more */
		kill(-pid, SIGKILL);
		EXPECT_EQ(gone, 1);
		expect_end(pid, SIGKILL);
		close(fds[0]);
	}
}

static void *
make_counters(void *arg)
{
	uint64_t *n = arg;
	int i;

	memset(map_pages(512), 1, 512 * PAGE_SIZE);
	for (i = 0; i < 16 && fork() != 0; i++)
		n++;
	for (;;) {
		__atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
		msleep(1);
	}
	return NULL;
}

/* The signal goes to the first thread, and the second one forks. */
static void
fork_beside(void)
{
	struct thread t;

	EXPECT_OK(thread_create(&t, make_counters, shared));
	rest();
}

/* When wait tells that a process has stopped, its children have got the signal
 * too. */
static void
children_stop_too(void)
{
	static char before[PAGE_SIZE];
	pid_t pid;
	int i;

	for (i = 0; i < 16; i++) {
		shared = (struct pair *)map_shared(1);
		pid = spawn(fork_beside, 0);
		msleep(2 + (unsigned)i % 8);
		EXPECT_OK(kill(-pid, SIGSTOP));
		EXPECT_STOP(pid, SIGSTOP);
		msleep(10);
		memcpy(before, shared, PAGE_SIZE);
		msleep(10);
		EXPECT_EQ(memcmp(before, shared, PAGE_SIZE), 0);
		EXPECT_OK(kill(-pid, SIGKILL));
		expect_end(pid, SIGKILL);
		EXPECT_OK(munmap(shared, PAGE_SIZE));
	}
}

static const struct ktap_test tests[] = {
	TEST(stop_and_continue, T_NOEMU),
	TEST(parent_is_told, T_NOEMU),
	TEST(stopped_dies_late, T_NOEMU),
	TEST(opposites_cancel, T_NOEMU),
	TEST(all_threads_stop, T_NOEMU),
	TEST(calls_go_on, T_NOEMU),
	TEST(group_rules, T_EXEC),
	TEST(group_left_behind, 0),
	TEST(orphans_are_woken, T_NOEMU),
	TEST(children_do_not_escape, 0),
	TEST(children_stop_too, T_NOEMU),
};

KTAP_MAIN("job")
