/* SPDX-License-Identifier: MIT */
/*
 * edit.h - what the editor's files share.
 *
 *	edit.c		commands
 *	edit_text.c	lines, reading and saving files
 *	edit_screen.c	the terminal: keys and rows
 */
#ifndef EDIT_H
#define EDIT_H

#include <user.h>

#define PATH_SIZE	512

/** Keys that are no byte. */
enum key { K_UP = 256, K_DOWN, K_LEFT, K_RIGHT, K_HOME, K_END, K_PGUP,
	K_PGDN, K_DELETE, K_ESC, K_REDRAW, K_HANGUP };

struct line {
	char	*s;			/* no newline, no terminator */
	size_t	 n, max;
};

struct lines {
	struct line	*v;
	size_t		 n, max;
};

/* --- edit.c ---------------------------------------------------------- */
extern size_t cy, cx;			/* the cursor: line, byte in it */

/* --- edit_text.c: those that return false have done nothing ---------- */
extern struct lines text;		/* one line at least */
extern bool changed;			/* and not saved */
extern char path[PATH_SIZE];		/* empty: no name yet */
bool	line_insert(struct line *l, size_t at, const char *s, size_t n);
void	line_remove(struct line *l, size_t at, size_t n);
/** A new line of these bytes before line @at. */
bool	lines_insert(struct lines *t, size_t at, const char *s, size_t n);
void	lines_remove(struct lines *t, size_t at);
void	lines_clear(struct lines *t);
void	load(const char *name);
void	save(void);
/** The terminal is lost: unsaved text goes into a file of its own. */
void	leave_unsaved(void) noreturn;

/* --- edit_screen.c --------------------------------------------------- */
extern unsigned rows, cols;		/* of the screen */
extern volatile bool resized;		/* all of it must be sent */
/** The message in the last row. */
void	say(const char *fmt, ...) printflike(1, 2);
/** False if this is no terminal. */
bool	screen_begin(void);
void	normal_mode(void);
/** ^Z: returns when the shell continues it. */
void	stop(void);
/** The next byte, or an enum key. */
int	key(void);
void	draw(void);
/** Asks in the last row; false if it was cancelled. */
bool	prompt(const char *what, char *buf, size_t size);
/** A byte of UTF-8 that continues a character. */
bool	continues(char c);
/** The column of a place in a line, and the place that is nearest to it. */
size_t	column(const struct line *l, size_t at);
size_t	place(const struct line *l, size_t col);

#endif /* EDIT_H */
