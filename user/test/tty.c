/* SPDX-License-Identifier: MIT */
/*
 * tty.c - the terminal and job control: who may read, write and change it, and
 * whom the keys' signals reach.
 */
#include "terminal.h"

static volatile int nwinch, nttin;

static void
read_line_of_tty(void)
{
	char line[32];

	EXPECT_EQ(read(tty, line, sizeof(line)), 5);
	EXPECT_EQ(memcmp(line, "text\n", 5), 0);
}

static void
read_in_background(void)
{
	pid_t pid = spawn(read_line_of_tty, 0);
	int status;

	EXPECT_STOP(pid, SIGTTIN);
	EXPECT_OK(kill(pid, SIGCONT));		/* there still: stops again */
	EXPECT_EQ(waitpid(pid, &status, WUNTRACED), pid);
	EXPECT_EQ(status, W_STOPCODE(SIGTTIN));
	EXPECT_OK(tcsetpgrp(tty, pid));
	EXPECT_OK(kill(pid, SIGCONT));
	EXPECT_CONT(pid);
	type("text\n");
	expect_exit(change(pid), 0);
	EXPECT_OK(tcsetpgrp(tty, getpid()));
}

static void
background_read_stops(void)
{
	with_terminal(read_in_background);
}

static void
read_ignoring(void)
{
	char c;

	signal(SIGTTIN, SIG_IGN);
	EXPECT_ERR(read(tty, &c, 1), EIO);
}

static void
read_blocking(void)
{
	sigset_t set = SIGMASK(SIGTTIN);
	char c;

	EXPECT_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	EXPECT_ERR(read(tty, &c, 1), EIO);
}

static void
on_ttin(int sig)
{
	(void)sig;
	nttin++;
}

static void
read_catching(void)
{
	struct sigaction act = { .sa_handler = on_ttin };
	char c;

	EXPECT_OK(sigaction(SIGTTIN, &act, NULL));
	EXPECT_ERR(read(tty, &c, 1), EINTR);
	EXPECT_EQ(nttin, 1);
}

/* In a group that is orphaned; tells the error through the pipe. */
static void
read_orphaned(void)
{
	int error = 0;
	char c;

	while (getpgid(getppid()) == getpgid(0) || getsid(getppid()) ==
	    getsid(0))
		msleep(1);		/* until the parent has gone */
	if (read(tty, &c, 1) < 0)
		error = errno;
	write(fds[1], &error, sizeof(error));
}

static void
leave_orphan(void)
{
	spawn(read_orphaned, 0);
}

static void
refuse_reading(void)
{
	int error;

	expect_exit(change(spawn(read_ignoring, 0)), 0);
	expect_exit(change(spawn(read_blocking, 0)), 0);
	expect_exit(change(spawn(read_catching, 0)), 0);
	EXPECT_OK(pipe(fds));
	expect_exit(change(spawn(leave_orphan, 0)), 0);
	read_all(&error, sizeof(error));
	EXPECT_EQ(error, EIO);
}

static void
background_read_refused(void)
{
	with_terminal(refuse_reading);
}

static void
set_tostop(bool on)
{
	struct termios mode;

	EXPECT_OK(tcgetattr(tty, &mode));
	mode.c_lflag &= ~(unsigned)TOSTOP;
	mode.c_lflag |= on ? TOSTOP : 0;
	EXPECT_OK(tcsetattr(tty, TCSANOW, &mode));
}

static void
write_to_tty(void)
{
	EXPECT_EQ(write(tty, "w", 1), 1);
}

static void
write_ignoring(void)
{
	signal(SIGTTOU, SIG_IGN);
	EXPECT_EQ(write(tty, "i", 1), 1);
}

static void
write_in_background(void)
{
	pid_t pid;

	set_tostop(false);
	expect_exit(change(spawn(write_to_tty, 0)), 0);
	set_tostop(true);
	pid = spawn(write_to_tty, 0);
	EXPECT_STOP(pid, SIGTTOU);
	EXPECT_OK(tcsetpgrp(tty, pid));
	EXPECT_OK(kill(pid, SIGCONT));
	expect_exit(end_of(pid), 0);
	EXPECT_OK(tcsetpgrp(tty, getpid()));
	expect_exit(change(spawn(write_ignoring, 0)), 0);
	set_tostop(false);
}

static void
background_write(void)
{
	with_terminal(write_in_background);
}

static void
change_mode(void)
{
	struct termios mode;

	EXPECT_OK(tcgetattr(tty, &mode));	/* looking is allowed */
	EXPECT_OK(tcsetattr(tty, TCSANOW, &mode));
}

static void
take_foreground(void)
{
	EXPECT_OK(tcsetpgrp(tty, getpid()));
}

static void
take_ignoring(void)
{
	signal(SIGTTOU, SIG_IGN);
	take_foreground();
}

static void
change_in_background(void)
{
	static void (*const calls[])(void) = { change_mode, take_foreground };
	pid_t pid;
	size_t i;

	for (i = 0; i < nitems(calls); i++) {
		pid = spawn(calls[i], 0);
		EXPECT_STOP(pid, SIGTTOU);
		EXPECT_EQ(tcgetpgrp(tty), getpid());
		EXPECT_OK(tcsetpgrp(tty, pid));
		EXPECT_OK(kill(pid, SIGCONT));
		expect_exit(end_of(pid), 0);
		EXPECT_OK(tcsetpgrp(tty, getpid()));
	}
	pid = spawn(take_ignoring, 0);
	expect_exit(change(pid), 0);
	EXPECT_EQ(tcgetpgrp(tty), pid);
	EXPECT_OK(tcsetpgrp(tty, getpid()));
}

static void
background_change_stops(void)
{
	with_terminal(change_in_background);
}

static void
use_from_outside(void)
{
	EXPECT_EQ(setsid(), getpid());
	EXPECT_ERR(tcgetpgrp(tty), ENOTTY);
	EXPECT_ERR(tcsetpgrp(tty, getpid()), ENOTTY);
	EXPECT_ERR(ioctl(tty, TIOCNOTTY, NULL), ENOTTY);
	EXPECT_ERR(ioctl(tty, TIOCSCTTY, NULL), EPERM);	/* it is in use */
	EXPECT_ERR(open("/dev/tty", O_RDWR), ENXIO);
	EXPECT_EQ(write(fds[1], "x", 1), 1);
	rest();
}

static void
ask_terminal(void)
{
	pid_t pid, sid;
	char c;

	EXPECT_OK(pipe(fds));
	EXPECT_EQ(tcgetpgrp(tty), getpid());
	EXPECT_OK(ioctl(tty, TIOCGSID, &sid));
	EXPECT_EQ(sid, getsid(0));
	EXPECT_ERR(tcgetpgrp(fds[0]), ENOTTY);
	EXPECT_ERR(tcsetpgrp(tty, -1), EINVAL);
	EXPECT_ERR(tcsetpgrp(tty, 0), ESRCH);
	EXPECT_ERR(tcsetpgrp(tty, 1 << 22), ESRCH);
	EXPECT_ERR(ioctl(tty, TIOCSPGRP, (void *)8), EFAULT);
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0)
		use_from_outside();
	EXPECT_EQ(read(fds[0], &c, 1), 1);
	EXPECT_ERR(tcsetpgrp(tty, pid), EPERM);	/* of another session */
	EXPECT_OK(kill(pid, SIGKILL));
	expect_end(pid, SIGKILL);
}

static void
who_has_the_terminal(void)
{
	with_terminal(ask_terminal);
}

/* Keys reach every process of the foreground group, and no other. */
static void
type_signals(void)
{
	static const struct {
		const char	*key;
		int		 sig;
	} keys[] = { { "\003", SIGINT }, { "\034", SIGQUIT } };
	pid_t front[2], back = spawn(rest, 0);
	int status;
	size_t i;

	for (i = 0; i < nitems(keys); i++) {
		front[0] = spawn(rest, 0);
		front[1] = spawn(rest, front[0]);
		EXPECT_OK(tcsetpgrp(tty, front[0]));
		type("\032");
		EXPECT_STOP(front[0], SIGTSTP);
		EXPECT_STOP(front[1], SIGTSTP);
		EXPECT_OK(kill(-front[0], SIGCONT));
		EXPECT_CONT(front[0]);
		EXPECT_CONT(front[1]);
		type(keys[i].key);
		EXPECT_EQ(change(front[0]) & 0x7f, keys[i].sig);
		EXPECT_EQ(change(front[1]) & 0x7f, keys[i].sig);
	}
	EXPECT_EQ(waitpid(back, &status, WNOHANG | WUNTRACED), 0);
	EXPECT_OK(kill(back, SIGKILL));
	expect_end(back, SIGKILL);
	EXPECT_OK(tcsetpgrp(tty, getpid()));
}

static void
typed_signals(void)
{
	with_terminal(type_signals);
}

/* Without ISIG, or without a character for it, the key is only a byte. */
static void
type_bytes(void)
{
	struct termios mode, raw;
	char c;

	EXPECT_OK(tcgetattr(tty, &mode));
	raw = mode;
	cfmakeraw(&raw);
	EXPECT_OK(tcsetattr(tty, TCSAFLUSH, &raw));
	type("\032");
	EXPECT_EQ(read(tty, &c, 1), 1);
	EXPECT_EQ(c, 032);
	raw.c_lflag |= ISIG;
	raw.c_cc[VSUSP] = 0;
	EXPECT_OK(tcsetattr(tty, TCSAFLUSH, &raw));
	type("\032");
	EXPECT_EQ(read(tty, &c, 1), 1);
	EXPECT_EQ(c, 032);
	EXPECT_OK(tcsetattr(tty, TCSAFLUSH, &mode));
}

static void
typed_bytes(void)
{
	with_terminal(type_bytes);
}

static void
note_winch(int sig)
{
	(void)sig;
	nwinch++;
}

static void
resize(void)
{
	struct winsize old, new = { .ws_row = 11, .ws_col = 37 }, now;

	signal(SIGWINCH, note_winch);
	EXPECT_OK(ioctl(tty, TIOCGWINSZ, &old));
	EXPECT_OK(ioctl(tty, TIOCSWINSZ, &new));
	EXPECT_OK(ioctl(tty, TIOCGWINSZ, &now));
	EXPECT_EQ(memcmp(&now, &new, sizeof(now)), 0);
	EXPECT_EQ(nwinch, 1);
	EXPECT_OK(ioctl(tty, TIOCSWINSZ, &new));	/* no change */
	EXPECT_EQ(nwinch, 1);
	EXPECT_OK(ioctl(tty, TIOCSWINSZ, &old));
	EXPECT_EQ(nwinch, 2);
}

static void
resize_is_told(void)
{
	with_terminal(resize);
}

static const struct ktap_test tests[] = {
	TEST(background_read_stops, T_NOEMU),
	TEST(background_read_refused, T_NOEMU),
	TEST(background_write, T_NOEMU),
	TEST(background_change_stops, T_NOEMU),
	TEST(who_has_the_terminal, T_NOEMU),
	TEST(typed_signals, T_NOEMU),
	TEST(typed_bytes, T_NOEMU),
	TEST(resize_is_told, T_NOEMU),
};

KTAP_MAIN("tty")
