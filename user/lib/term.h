/* SPDX-License-Identifier: MIT */
/*
 * term.h - the terminal: settings, size, foreground group.
 */
#ifndef TERM_H
#define TERM_H

#include <user.h>

#include <abi/termios.h>

/* When tcsetattr acts: at once, or after it has thrown away the input. */
#define TCSANOW		0
#define TCSAFLUSH	2

int	tcgetattr(int fd, struct termios *t);
int	tcsetattr(int fd, int when, const struct termios *t);
/** Every byte as it is typed, nothing echoed, nothing added to output. */
void	cfmakeraw(struct termios *t);
/** Rows and columns; 24 and 80 when the terminal does not know. */
void	term_size(int fd, unsigned *rows, unsigned *cols);

/** Job control: the group that the keys' signals reach. */
pid_t	tcgetpgrp(int fd);
int	tcsetpgrp(int fd, pid_t pgid);

#endif /* TERM_H */
