/* SPDX-License-Identifier: MIT */
/*
 * term.c - the terminal, by ioctl(2).
 */
#include "libc.h"
#include <term.h>

int
isatty(int fd)
{
	struct termios t;

	return ioctl(fd, TCGETS, &t) == 0;
}

int
tcgetattr(int fd, struct termios *t)
{
	return ioctl(fd, TCGETS, t);
}

int
tcsetattr(int fd, int when, const struct termios *t)
{
	struct termios copy = *t;

	return ioctl(fd, TCSETS + (unsigned long)when, &copy);
}

void
cfmakeraw(struct termios *t)
{
	t->c_iflag &= ~(unsigned)(ICRNL | IXON);
	t->c_oflag &= ~(unsigned)OPOST;
	t->c_lflag &= ~(unsigned)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	t->c_cc[VMIN] = 1;
	t->c_cc[VTIME] = 0;
}

pid_t
tcgetpgrp(int fd)
{
	pid_t pgid;

	return ioctl(fd, TIOCGPGRP, &pgid) < 0 ? -1 : pgid;
}

int
tcsetpgrp(int fd, pid_t pgid)
{
	return ioctl(fd, TIOCSPGRP, &pgid);
}

void
term_size(int fd, unsigned *rows, unsigned *cols)
{
	struct winsize ws = { 0 };

	ioctl(fd, TIOCGWINSZ, &ws);
	*rows = ws.ws_row != 0 ? ws.ws_row : 24;
	*cols = ws.ws_col != 0 ? ws.ws_col : 80;
}
