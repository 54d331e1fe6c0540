/* SPDX-License-Identifier: MIT */
/*
 * edit.c - the editor, by the keys that it gets and the file that it leaves.
 */
#include "terminal.h"

#define UP	"\033[A"
#define DOWN	"\033[B"
#define RIGHT	"\033[C"
#define LEFT	"\033OD"
#define HOME	"\033[H"
#define END	"\033[4~"
#define PGDN	"\033[6~"
#define DEL	"\033[3~"
#define SAVE	"\023"
#define QUIT	"\021"
#define FIND	"\006"
#define NEXT	"\007"
#define CUT	"\013"
#define PASTE	"\025"

static char file[64];
static struct winsize size = { .ws_row = 24, .ws_col = 80 };

static void
write_text(const char *s, size_t n)
{
	int fd = (int)EXPECT_OK(open(file, O_WRONLY | O_CREAT | O_TRUNC,
	    0644));

	EXPECT_EQ(write_all(fd, s, n), n);
	EXPECT_OK(close(fd));
}

static void
expect_text(const char *name, const char *s, size_t n)
{
	static char buf[16384];
	ssize_t got;

	memset(buf, 0, sizeof(buf));
	got = EXPECT_OK(read_file(name, buf, sizeof(buf)));
	if (got != (ssize_t)n || memcmp(buf, s, n) != 0)
		ktap_fail(__FILE__, __LINE__,
		    "%s: %zu bytes \"%.60s\", got %zd \"%.60s\"", name, n, s,
		    got, buf);
}

static void
exec_editor(void)
{
	const char *argv[] = { "edit", file, NULL };

	signal(SIGTTOU, SIG_IGN);
	EXPECT_OK(tcsetpgrp(tty, getpid()));
	signal(SIGTTOU, SIG_DFL);
	dup2(tty, 0);
	dup2(tty, 1);
	dup2(tty, 2);
	execve(root_path("/bin/edit"), argv, (strings_t)environ);
	_exit(127);
}

/* It has begun, and so every key is a byte for it. */
static void
await_raw(void)
{
	uint64_t end = now_ns() + 10000000000ull;
	struct termios mode;

	do {
		msleep(2);
		EXPECT_OK(tcgetattr(tty, &mode));
	} while ((mode.c_lflag & ICANON) && now_ns() < end);
	EXPECT_EQ(mode.c_lflag & ICANON, 0);
}

static pid_t
start(const char *keys)
{
	pid_t pid;
	int n;

	EXPECT_OK(ioctl(tty, TIOCSWINSZ, &size));
	pid = spawn(exec_editor, 0);
	await_raw();
	type(keys);
	do
		EXPECT_OK(ioctl(tty, FIONREAD, &n));
	while (n > 0 && (msleep(2), true));
	return pid;
}

/* The keys must quit it. */
static void
edit(const char *keys)
{
	struct termios mode;

	expect_exit(end_of(start(keys)), 0);
	EXPECT_OK(tcgetattr(tty, &mode));
	EXPECT(mode.c_lflag & ICANON);		/* as it was */
	EXPECT_OK(tcsetpgrp(tty, getpid()));
}

static void
edited(const char *before, const char *keys, const char *after)
{
	write_text(before, strlen(before));
	edit(keys);
	expect_text(file, after, strlen(after));
}

/* Runs a test with a terminal and a file, which it removes. */
static void
with_file(void (*fn)(void))
{
	snprintf(file, sizeof(file), "/tmp/edit-%d", getpid());
	with_terminal(fn);
	unlink(file);
}

static void
commands(void)
{
	edited("one\ntwo\n", "X" DOWN END "!" SAVE QUIT, "Xone\ntwo!\n");
	edited("one\ntwo", DOWN END " end" SAVE QUIT, "one\ntwo end");
	edited("ab\n", RIGHT "\r" SAVE QUIT, "a\nb\n");
	edited("a\nb\n", DOWN "\177" SAVE QUIT, "ab\n");
	edited("a\nb\n", END DEL "\t" SAVE QUIT, "a\tb\n");
	edited("abc\n", END LEFT LEFT DEL SAVE QUIT, "ac\n");
	edited("1\n2\n3\n", CUT CUT DOWN PASTE SAVE QUIT, "1\n2\n3\n");
	edited("1\n2\n3\n", CUT DOWN PASTE PASTE SAVE QUIT, "2\n1\n1\n3\n");
	edited("a\nxx a\n", FIND "xx\rN" NEXT "M" FIND "a\rL" SAVE QUIT,
	    "a\nNMxx La\n");
	edited("a\nxx\n", FIND "xx\033" "N" SAVE QUIT, "Na\nxx\n");
	edited("\303\244\n", RIGHT "x" LEFT LEFT DEL SAVE QUIT, "x\n");
	edited("kept\n", "typed" QUIT QUIT, "kept\n");
}

static void
keys_and_file(void)
{
	with_file(commands);
}

static void
sizes(void)
{
	static const unsigned short all[][2] = { { 1, 1 }, { 2, 10 },
	    { 3, 5 }, { 4, 1 }, { 1, 80 }, { 500, 500 } };
	size_t i;

	for (i = 0; i < nitems(all); i++) {
		size.ws_row = all[i][0];
		size.ws_col = all[i][1];
		edited("one\ttab and more\n\001\ntwo\n", PGDN PGDN UP END "!"
		    UP UP HOME "<" END ">" FIND "two\r" "*" SAVE QUIT,
		    "<one\ttab and more>\n\001!\n*two\n");
	}
}

static void
any_terminal(void)
{
	with_file(sizes);
}

/* Every byte, long lines, no newline at the end: as they were. */
static void
keep_bytes(void)
{
	static char bytes[9000];
	struct stat st;
	char new[80];
	size_t i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i < 4096 ? i : 'a' + i % 26);
	write_text(bytes, sizeof(bytes));
	EXPECT_OK(chmod(file, 0600));
	edit(DOWN "x\177" PGDN SAVE QUIT);
	expect_text(file, bytes, sizeof(bytes));
	EXPECT_OK(stat(file, &st));
	EXPECT_EQ(st.st_mode & 07777, 0600);
	snprintf(new, sizeof(new), "%s.edit~", file);
	EXPECT_ERR(access(new, F_OK), ENOENT);
	write_text("", 0);
	edit(SAVE QUIT);
	expect_text(file, "", 0);
}

static void
bytes_are_kept(void)
{
	with_file(keep_bytes);
}

/* Somebody else has written meanwhile: only the second ^S replaces that. */
static void
write_meanwhile(void)
{
	pid_t pid;

	write_text("old\n", 4);
	pid = start("mine ");
	write_text("others'\n", 8);
	type(SAVE QUIT QUIT);
	expect_exit(end_of(pid), 0);
	EXPECT_OK(tcsetpgrp(tty, getpid()));
	expect_text(file, "others'\n", 8);
	pid = start("mine ");
	write_text("again\n", 6);
	type(SAVE SAVE QUIT);
	expect_exit(end_of(pid), 0);
	EXPECT_OK(tcsetpgrp(tty, getpid()));
	expect_text(file, "mine others'\n", 13);
}

static void
other_writer_is_noticed(void)
{
	with_file(write_meanwhile);
}

static void
end_by_signal(void)
{
	static const int sigs[] = { SIGHUP, SIGTERM };
	char saved[80];
	pid_t pid;
	size_t i;

	snprintf(saved, sizeof(saved), "%s.save", file);
	for (i = 0; i < nitems(sigs); i++) {
		write_text("old\n", 4);
		pid = start("new and ");
		EXPECT_OK(kill(pid, sigs[i]));
		expect_exit(end_of(pid), 1);
		EXPECT_OK(tcsetpgrp(tty, getpid()));
		expect_text(file, "old\n", 4);
		expect_text(saved, "new and old\n", 12);
		EXPECT_OK(unlink(saved));
	}
}

static void
signal_saves(void)
{
	with_file(end_by_signal);
}

static const struct ktap_test tests[] = {
	TEST(keys_and_file, T_EXEC),
	TEST(any_terminal, T_EXEC),
	TEST(bytes_are_kept, T_EXEC),
	TEST(other_writer_is_noticed, T_EXEC),
	TEST(signal_saves, T_EXEC),
};

KTAP_MAIN("edit")
