/* SPDX-License-Identifier: MIT */
/*
 * terminal.h - a terminal for tests, and somebody who types on it.
 *
 * On Linux each test has a pseudo terminal, on Tern the one terminal that
 * controls the session: with_terminal() hides the difference.
 */
#ifndef TERMINAL_H
#define TERMINAL_H

#include "job.h"
#include <term.h>

#define TIOCGPTN	0x80045430ul	/* Linux: pseudo terminals */
#define TIOCSPTLCK	0x40045431ul

static int tty;			/* controls this session */
static int keyboard;		/* on Linux the other end of it */

/* What appears on the screen, or nobody could write much. */
static inline void
swallow(void)
{
	char buf[512];

	while (read(keyboard, buf, sizeof(buf)) > 0 || errno == EIO)
		continue;
	rest();
}

static inline void
on_pty(void (*fn)(void))
{
	unsigned number, locked = 0;
	char path[32];
	pid_t pid, drain;

	keyboard = (int)EXPECT_OK(open("/dev/ptmx", O_RDWR | O_NOCTTY));
	EXPECT_OK(ioctl(keyboard, TIOCSPTLCK, &locked));
	EXPECT_OK(ioctl(keyboard, TIOCGPTN, &number));
	snprintf(path, sizeof(path), "/dev/pts/%u", number);
	drain = (pid_t)EXPECT_OK(fork());
	if (drain == 0)
		swallow();
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		EXPECT_OK(setsid());
		tty = (int)EXPECT_OK(open(path, O_RDWR));
		signal(SIGTTOU, SIG_IGN);
		fn();
		_exit(0);
	}
	expect_exit(change(pid), 0);
	EXPECT_OK(kill(drain, SIGKILL));
	expect_end(drain, SIGKILL);
}

/* Runs it as a shell would run: in the foreground, deaf to SIGTTOU. */
static inline void
with_terminal(void (*fn)(void))
{
	struct termios mode;
	pid_t group;

	if (!on_tern()) {
		on_pty(fn);
		return;
	}
	tty = open("/dev/tty", O_RDWR);
	if (tty < 0)
		ktap_skip("no controlling terminal");
	group = (pid_t)EXPECT_OK(tcgetpgrp(tty));
	EXPECT_OK(tcgetattr(tty, &mode));
	signal(SIGTTOU, SIG_IGN);
	EXPECT_OK(tcsetpgrp(tty, getpid()));
	fn();
	EXPECT_OK(tcsetattr(tty, TCSAFLUSH, &mode));
	EXPECT_OK(tcsetpgrp(tty, group));
}

static inline void
type(const char *s)
{
	char c;

	if (!on_tern()) {
		EXPECT_OK(write_all(keyboard, s, strlen(s)));
		return;
	}
	for (; *s != '\0'; s++) {
		c = *s;
		EXPECT_OK(ioctl(tty, TIOCSTI, &c));
	}
}

#endif /* TERMINAL_H */
