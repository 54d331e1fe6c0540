/* SPDX-License-Identifier: MIT */
/*
 * edit.c - a screen editor: edit [FILE]
 *
 * Arrows, Home, End, PgUp and PgDn move; ^S saves, ^Q quits, ^F finds, ^G finds
 * the next, ^K cuts a line, ^U puts the cut lines back, ^L redraws, ^Z stops.
 * Who loses the terminal leaves unsaved text in FILE.save.
 */
#include "edit.h"

#define CTRL(c)		((c) & 0x1f)

size_t cy, cx;

static struct lines cut;
static char pattern[80];

static void
move_rows(long by)
{
	size_t col = column(&text.v[cy], cx);

	if (by < 0)
		cy -= MIN(cy, (size_t)-by);
	else
		cy = MIN(cy + (size_t)by, text.n - 1);
	cx = place(&text.v[cy], col);
}

static void
move_left(void)
{
	if (cx == 0 && cy > 0) {
		cx = text.v[--cy].n;
		return;
	}
	while (cx > 0 && continues(text.v[cy].s[--cx]))
		continue;
}

static void
move_right(void)
{
	const struct line *l = &text.v[cy];

	if (cx == l->n && cy + 1 < text.n) {
		cx = 0;
		cy++;
		return;
	}
	if (cx < l->n)
		cx++;
	while (cx < l->n && continues(l->s[cx]))
		cx++;
}

static void
split_line(void)
{
	struct line *l = &text.v[cy];

	if (!lines_insert(&text, cy + 1, l->s + cx, l->n - cx))
		return;
	text.v[cy].n = cx;
	cx = 0;
	cy++;
	changed = true;
}

/* The character at the cursor, or the end of the line. */
static void
erase(void)
{
	struct line *l = &text.v[cy];
	size_t n = 1;

	if (cx < l->n) {
		while (cx + n < l->n && continues(l->s[cx + n]))
			n++;
		line_remove(l, cx, n);
	} else if (cy + 1 < text.n) {
		if (!line_insert(l, l->n, l[1].s, l[1].n))
			return;
		lines_remove(&text, cy + 1);
	} else {
		return;
	}
	changed = true;
}

static void
backspace(void)
{
	if (cy == 0 && cx == 0)
		return;
	move_left();
	erase();
}

/* Lines that are cut one after the other stay together. */
static void
cut_line(bool again)
{
	if (!again)
		lines_clear(&cut);
	if (!lines_insert(&cut, cut.n, text.v[cy].s, text.v[cy].n))
		return;
	if (text.n > 1)
		lines_remove(&text, cy);
	else
		text.v[0].n = 0;
	cy = MIN(cy, text.n - 1);
	cx = 0;
	changed = true;
}

static void
paste(void)
{
	size_t i;

	for (i = 0; i < cut.n; i++) {
		if (!lines_insert(&text, cy, cut.v[i].s, cut.v[i].n))
			return;
		cy++;
		changed = true;
	}
	cx = 0;
}

/* From behind the cursor to the end and on from the beginning. */
static void
find(void)
{
	size_t len = strlen(pattern), i, y, at;
	const struct line *l;

	for (i = 0; len > 0 && i <= text.n; i++) {
		y = (cy + i) % text.n;
		l = &text.v[y];
		for (at = i == 0 ? cx + 1 : 0; at + len <= l->n; at++) {
			if (memcmp(l->s + at, pattern, len) != 0)
				continue;
			if (y < cy || (i > 0 && y == cy))
				say("found from the beginning");
			cy = y;
			cx = at;
			return;
		}
	}
	say("not found: %s", pattern);
}

/* Returns false to quit. */
static bool
quit(bool again)
{
	if (!changed || again)
		return false;
	say("not saved: ^S saves, ^Q again forgets the changes");
	return true;
}

static void
insert(int c)
{
	char s = (char)c;

	if (c < 256 && (c >= ' ' || c == '\t') && c != 0x7f &&
	    line_insert(&text.v[cy], cx, &s, 1)) {
		cx++;
		changed = true;
	}
}

static void
move(int c)
{
	long page = rows > 2 ? (long)rows - 2 : 1;

	switch (c) {
	case K_UP:
		move_rows(-1);
		break;
	case K_DOWN:
		move_rows(1);
		break;
	case K_PGUP:
		move_rows(-page);
		break;
	case K_PGDN:
		move_rows(page);
		break;
	case K_LEFT:
		move_left();
		break;
	case K_RIGHT:
		move_right();
		break;
	case K_HOME:
	case CTRL('A'):
		cx = 0;
		break;
	case K_END:
	case CTRL('E'):
		cx = text.v[cy].n;
		break;
	default:
		insert(c);
		break;
	}
}

/* Returns false to quit. */
static bool
command(int c, int before)
{
	switch (c) {
	case CTRL('Q'):
		return quit(before == c);
	case CTRL('S'):
		save();
		break;
	case CTRL('F'):
		if (prompt("find", pattern, sizeof(pattern)))
			find();
		break;
	case CTRL('G'):
		find();
		break;
	case CTRL('K'):
		cut_line(before == c);
		break;
	case CTRL('U'):
		paste();
		break;
	case CTRL('Z'):
		stop();
		break;
	case CTRL('L'):
		resized = true;
		break;
	case '\r':
	case '\n':
		split_line();
		break;
	case 0x7f:
	case '\b':
		backspace();
		break;
	case K_DELETE:
		erase();
		break;
	default:
		move(c);
		break;
	}
	return true;
}

int
main(int argc, char **argv)
{
	int c = 0, before;

	if (argc > 2)
		die("usage: edit [FILE]");
	if (argc == 2)
		load(argv[1]);
	if (text.n == 0 && !lines_insert(&text, 0, NULL, 0))
		die("edit: %s", strerror(ENOMEM));
	if (!screen_begin())
		die("edit: not on a terminal");
	do {
		draw();
		before = c;
		c = key();
		if (c == K_HANGUP)
			leave_unsaved();
		if (c != K_REDRAW)
			say("%s", "");
	} while (command(c, before));
	normal_mode();
	return 0;
}
