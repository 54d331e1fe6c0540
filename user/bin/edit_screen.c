/* SPDX-License-Identifier: MIT */
/*
 * edit_screen.c - the editor's terminal: keys in, rows out.
 *
 * The screen is an array of rows; only those that changed are sent.  Text may
 * be UTF-8; a tab goes to the next eighth column, control characters are ^X.
 */
#include "edit.h"

#include <term.h>

#define CTRL(c)		((c) & 0x1f)
#define TAB		8
#define MAX_ROWS	128u
#define MAX_COLS	256u
#define ESC_WAIT_MS	200	/* a key's bytes come that close */

unsigned rows, cols;
volatile bool resized;

static volatile bool lost;	/* the terminal, or told to end */
static size_t top, left;	/* first line and column on the screen */
static char message[160];
static bool asking;		/* the last row is for the answer alone */
static struct termios normal;
static int pushed_back = -1;	/* byte() returns it next */

/* What each row of the screen shows now. */
static struct row {
	char	 s[4 * MAX_COLS];
	size_t	 n;
} shown[MAX_ROWS];

void
say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
}

/* --- terminal -------------------------------------------------------- */

static void
on_signal(int sig)
{
	if (sig == SIGHUP || sig == SIGTERM)
		lost = true;
	else
		resized = true;
}

static void
raw_mode(void)
{
	struct termios raw = normal;

	cfmakeraw(&raw);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	resized = true;
}

bool
screen_begin(void)
{
	static const int sigs[] = { SIGHUP, SIGTERM, SIGWINCH, SIGCONT };
	struct sigaction act = { .sa_handler = on_signal };
	size_t i;

	if (tcgetattr(STDIN_FILENO, &normal) < 0)
		return false;
	for (i = 0; i < nitems(sigs); i++)
		sigaction(sigs[i], &act, NULL);
	raw_mode();
	return true;
}

void
normal_mode(void)
{
	static const char away[] = "\033[m\033[999;1H\r\n";

	write_all(STDOUT_FILENO, away, sizeof(away) - 1);
	tcsetattr(STDIN_FILENO, TCSANOW, &normal);
}

void
stop(void)
{
	normal_mode();
	kill(0, SIGTSTP);
	if (lost)
		leave_unsaved();
	raw_mode();
}

/* A byte; -1 after ESC_WAIT_MS, if @wait is false. */
static int
byte(bool wait)
{
	struct pollfd pfd = { .fd = STDIN_FILENO, .events = POLLIN };
	unsigned char c;
	int back = pushed_back;
	ssize_t n;

	pushed_back = -1;
	if (back != -1)
		return back;
	/* Now and then it looks whether a signal came just before it slept. */
	while (poll(&pfd, 1, wait ? 1000 : ESC_WAIT_MS) <= 0) {
		if (lost)
			return K_HANGUP;
		if (!wait)
			return -1;
		if (resized)
			return K_REDRAW;
	}
	n = read(STDIN_FILENO, &c, 1);
	return n == 1 ? c : K_HANGUP;
}

/* ESC [ or O, digits, one letter or ~. */
int
key(void)
{
	static const int letters[] = { ['A'] = K_UP, ['B'] = K_DOWN,
	    ['C'] = K_RIGHT, ['D'] = K_LEFT, ['H'] = K_HOME, ['F'] = K_END };
	static const int numbers[] = { 0, K_HOME, 0, K_DELETE, K_END, K_PGUP,
	    K_PGDN, K_HOME, K_END };
	int c = byte(true), number = 0;

	if (c != '\033')
		return c;
	c = byte(false);
	if (c != '[' && c != 'O') {
		pushed_back = c;	/* the key ESC, then another */
		return K_ESC;
	}
	while (isdigit(c = byte(false)) || c == ';')
		number = c == ';' ? 0 : (number * 10 + c - '0') % 1000;
	if (c == '~' && number < (int)nitems(numbers) && numbers[number] != 0)
		return numbers[number];
	if (c > 0 && c < (int)nitems(letters) && letters[c] != 0)
		return letters[c];
	return K_ESC;
}

/* --- screen ---------------------------------------------------------- */

/* A byte of UTF-8 that continues a character. */
bool
continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t
width(char c, size_t col)
{
	if (c == '\t')
		return TAB - col % TAB;
	if ((unsigned char)c < ' ' || c == 0x7f)
		return 2;
	return continues(c) ? 0 : 1;
}

size_t
column(const struct line *l, size_t at)
{
	size_t col = 0, i;

	for (i = 0; i < at; i++)
		col += width(l->s[i], col);
	return col;
}

/* The place in the line that is nearest to a column. */
size_t
place(const struct line *l, size_t col)
{
	size_t at = 0, c = 0;

	while (at < l->n && c + width(l->s[at], c) <= col)
		c += width(l->s[at], c), at++;
	while (at < l->n && continues(l->s[at]))
		at++;
	return at;
}

static void
put(struct row *r, char c)
{
	if (r->n < sizeof(r->s))
		r->s[r->n++] = c;
}

static void
render(struct row *r, const struct line *l)
{
	size_t col = 0, i, w, k;

	for (i = 0; i < l->n && col < left + cols; i++) {
		char c = l->s[i];
		bool plain = (unsigned char)c >= ' ' && c != 0x7f;

		w = width(c, col);
		if (plain && col >= left && col + w <= left + cols)
			put(r, c);
		for (k = col; !plain && k < col + w; k++) {
			if (k >= left && k < left + cols)
				put(r, c == '\t' ? ' ' : k == col ? '^' :
				    (char)(c ^ 0x40));
		}
		col += w;
	}
}

/* Sends a row if it is not what the screen shows. */
static void
send(unsigned y, const struct row *r)
{
	struct row *old = &shown[y];
	char move[24];

	if (old->n == r->n && memcmp(old->s, r->s, r->n) == 0)
		return;
	*old = *r;
	snprintf(move, sizeof(move), "\033[%u;1H\033[K", y + 1);
	write_all(STDOUT_FILENO, move, strlen(move));
	write_all(STDOUT_FILENO, r->s, r->n);
}

static void
status_row(struct row *r)
{
	char bar[MAX_COLS];
	size_t i, col = column(&text.v[cy], cx) + 1;

	if (asking)
		strlcpy(bar, message, sizeof(bar));
	else
		snprintf(bar, sizeof(bar), "%s%s  %zu/%zu:%zu  %s",
		    path[0] != '\0' ? path : "(no name)",
		    changed ? " *" : "", cy + 1, text.n, col, message);
	memcpy(r->s, "\033[7m", 4);
	r->n = 4;
	/* The last place would make some terminals scroll. */
	for (i = 0; bar[i] != '\0' && i + 1 < cols; i++)
		put(r, (unsigned char)bar[i] < ' ' ? '?' : bar[i]);
	memcpy(r->s + r->n, "\033[m", 3);
	r->n += 3;
}

static void
scroll(unsigned height)
{
	size_t col = column(&text.v[cy], cx);

	if (cy < top)
		top = cy;
	if (cy >= top + height)
		top = cy - height + 1;
	if (col < left)
		left = col - MIN(col, cols / 4);
	if (col >= left + cols)
		left = col - cols + 1 + cols / 4;
}

void
draw(void)
{
	static struct row r;
	unsigned height, y;
	char move[24];

	if (resized) {
		resized = false;
		term_size(STDIN_FILENO, &rows, &cols);
		rows = MIN(rows, MAX_ROWS);
		cols = MIN(cols, MAX_COLS);
		memset(shown, 0, sizeof(shown));
		write_all(STDOUT_FILENO, "\033[H\033[J", 6);
	}
	height = rows > 1 ? rows - 1 : 1;
	scroll(height);
	for (y = 0; y < height; y++) {
		r.n = 0;
		if (top + y < text.n)
			render(&r, &text.v[top + y]);
		else
			put(&r, '~');
		send(y, &r);
	}
	if (rows > 1) {
		r.n = 0;
		status_row(&r);
		send(y, &r);
	}
	snprintf(move, sizeof(move), "\033[%zu;%zuH", cy - top + 1,
	    column(&text.v[cy], cx) - left + 1);
	write_all(STDOUT_FILENO, move, strlen(move));
}

/* Asks in the status row; false if it was cancelled. */
bool
prompt(const char *what, char *buf, size_t size)
{
	size_t n = 0;
	int c;

	buf[0] = '\0';
	for (;;) {
		say("%s: %s", what, buf);
		asking = true;
		draw();
		asking = false;
		c = key();
		say("%s", "");
		if (c == '\r' || c == '\n')
			return n > 0;
		if (c == K_ESC || c == CTRL('C') || c == K_HANGUP) {
			buf[0] = '\0';
			return false;
		}
		if ((c == 0x7f || c == '\b') && n > 0)
			buf[--n] = '\0';
		if (c >= ' ' && c < 256 && c != 0x7f && n + 1 < size) {
			buf[n++] = (char)c;
			buf[n] = '\0';
		}
	}
}
