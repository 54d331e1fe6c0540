/* SPDX-License-Identifier: MIT */
/*
 * shell.c - the shell and the tools, by what they print.
 */
#include "ktap.h"

struct script {
	const char	*text;
	const char	*output;	/* both streams */
	int		 status;
};

/* Runs sh -c; returns its exit status. */
static int
run_by(const char *shell, const char *text, char *out, size_t size)
{
	const char *argv[] = { "sh", "-c", text, NULL };
	size_t used = 0;
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	EXPECT_OK(pipe(fds));
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		close(fds[0]);
		close(fds[1]);
		setenv("PATH", root_path("/bin"), 1);
		execve(shell, argv, (strings_t)environ);
		_exit(126);
	}
	close(fds[1]);
	while (used + 1 < size &&
	    (n = read(fds[0], out + used, size - 1 - used)) > 0)
		used += (size_t)n;
	out[used] = '\0';
	close(fds[0]);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
run_script(const char *text, char *out, size_t size)
{
	return run_by(root_path("/bin/sh"), text, out, size);
}

static void
check_by(const char *shell, const struct script *s, size_t n)
{
	char out[4096];
	int status;

	for (; n > 0; n--, s++) {
		status = run_by(shell, s->text, out, sizeof(out));
		if (strcmp(out, s->output) != 0 || status != s->status)
			ktap_fail(__FILE__, __LINE__, "%s: %s: expected "
			    "\"%s\" and %d, got \"%s\" and %d", shell,
			    s->text, s->output, s->status, out, status);
	}
}

static void
check(const struct script *s, size_t n)
{
	check_by(root_path("/bin/sh"), s, n);
}

/* What POSIX decides: on Linux its own shell must agree. */
static void
check_posix(const struct script *s, size_t n)
{
	check(s, n);
	if (!on_tern())
		check_by("/bin/sh", s, n);
}

static void
words_and_quotes(void)
{
	static const struct script scripts[] = {
		{ "echo a  b 'c  d' \"e  f\"", "a b c  d e  f\n", 0 },
		{ "echo a\\ b 'x'\"y\"z", "a b xyz\n", 0 },
		{ "A=1; B='two words'; echo $A-\"$B\"-'$A'", "1-two words-$A\n",
		    0 },
		{ "echo $UNSET. \\$A", ". $A\n", 0 },
		{ "X=5 env | grep ^X=", "X=5\n", 0 },
		{ "echo one # two", "one\n", 0 },
		{ "", "", 0 },
	};

	check(scripts, nitems(scripts));
}

static void
splitting(void)
{
	static const struct script scripts[] = {
		{ "A='x  y'; echo $A \"$A\" '$A'", "x y x  y $A\n", 0 },
		{ "A=' x '; echo -$A- a$A", "- x - a x\n", 0 },
		{ "A='echo ran'; $A && $A again", "ran\nran again\n", 0 },
		/* cat names each field that it gets. */
		{ "A='/n1\t/n2'; cat $A", "/n1: ENOENT\n/n2: ENOENT\n", 1 },
		{ "A='/n1 /n2'; cat /a\"$A\"$A", "/a/n1 /n2/n1: ENOENT\n"
		    "/n2: ENOENT\n", 1 },
		{ "A=; cat /n1 $A $A$A", "/n1: ENOENT\n", 1 },
		{ "A=; cat /n1 \"$A\"", "/n1: ENOENT\n: ENOENT\n", 1 },
		{ "A='  '; cat /n1 $A ''$A", "/n1: ENOENT\n: ENOENT\n", 1 },
		{ "A='\"q  q\"'; echo $A", "\"q q\"\n", 0 },
		{ "A='a b'; B=$A; echo \"$B\"", "a b\n", 0 },
		{ "A='1 2'; B='x y' env | grep ^B=", "B=x y\n", 0 },
		{ "$UNSET echo shown; $UNSET; echo $?", "shown\n0\n", 0 },
	};

	check_posix(scripts, nitems(scripts));
}

/* Without a terminal: children of the shell, in its own group. */
static void
background_jobs(void)
{
	static const struct script scripts[] = {
		{ "(exit 3) & wait $!; echo $?", "3\n", 0 },
		{ "(exit 4) & (exit 5) & wait $!; echo $?; wait", "5\n", 0 },
		{ "false & echo $?; wait; echo $?", "0\n0\n", 0 },
		{ "sleep 0.05 && echo late & echo early; wait",
		    "early\nlate\n", 0 },
		{ "echo one | (cat; exit 7); echo $?", "one\n7\n", 0 },
	};
	static const struct script own[] = {
		{ "wait 1; echo $?", "sh: 1: no such job\n127\n", 0 },
		{ "fg; echo $?; bg", "sh: no job control\n1\n"
		    "sh: no job control\n", 1 },
		{ "sleep 100 & kill -TERM %1; wait %1; echo $?; jobs",
		    "143\n", 0 },
		{ "sleep 100 & kill -KILL $!; wait $!; echo $?", "137\n", 0 },
		{ "kill %3", "sh: %3: no such job\n", 1 },
	};

	check_posix(scripts, nitems(scripts));
	check(own, nitems(own));
}

/* The shell's own commands, too, and afterwards all is as before. */
static void
redirected_builtins(void)
{
	static const struct script scripts[] = {
		{ "cd /none 2>/dev/null; echo $?", "1\n", 0 },
		{ "cd /none 2>&1 | cat", "/none: ENOENT\n", 0 },
		{ "cd / >/none/x; echo $?", "/none/x: ENOENT\n1\n", 0 },
		{ "'cd' / && echo there", "there\n", 0 },
		{ "A=: ; $A && echo ok", "ok\n", 0 },
	};

	check(scripts, nitems(scripts));
}

static void
status_and_logic(void)
{
	static const struct script scripts[] = {
		{ "true; echo $?; false; echo $?", "0\n1\n", 0 },
		{ "false && echo no; true && echo yes", "yes\n", 0 },
		{ "false || echo or || echo no", "or\n", 0 },
		{ "! false; echo $?", "0\n", 0 },
		{ "(exit 9); echo $?; (echo in; false) || echo out",
		    "9\nin\nout\n", 0 },
		{ "exit 7", "", 7 },
		{ "nosuchprogram", "sh: nosuchprogram: ENOENT\n", 127 },
		{ "echo \"open", "sh: a quote is open: \n", 2 },
		{ "| x", "sh: a command is missing: | x\n", 2 },
	};

	check(scripts, nitems(scripts));
}

static void
pipes_and_redirections(void)
{
	static const struct script scripts[] = {
		{ "echo a b c | wc", "1 3 6 \n", 0 },
		{ "echo x | cat | cat | cat | wc", "1 1 2 \n", 0 },
		{ "true | false", "", 1 },
		{ "false | true", "", 0 },
		{ "(echo 1; echo 2; echo 3) | grep -v 2", "1\n3\n", 0 },
		{ "ls /none 2>/dev/null; echo $?", "1\n", 0 },
		{ "ls /none 2>&1 | cat", "/none: ENOENT\n", 0 },
		{ "cat < /none", "/none: ENOENT\n", 1 },
		{ "echo hidden > /dev/null; echo shown", "shown\n", 0 },
		{ "sleep 0.05 & wait; echo done", "done\n", 0 },
		{ "(sleep 0.1; echo late) & echo early; wait",
		    "early\nlate\n", 0 },
	};

	check(scripts, nitems(scripts));
}

static void
directories(void)
{
	char text[600], out[1024];

	snprintf(text, sizeof(text),
	    "cd %s && cat hello.txt | grep wor && ls d0 && cd many && "
	    "ls | wc && cat file-299; cd /nowhere || echo stayed",
	    root_path("/test/files"));
	EXPECT_EQ(run_script(text, out, sizeof(out)), 0);
	EXPECT_STR(out, "hello, world\nd1\n300 300 2700 \n299\n"
	    "/nowhere: ENOENT\nstayed\n");
}

static void
tools(void)
{
	static const struct script scripts[] = {
		{ "echo -n 0123456789abcdef | hexdump", "00000000  30 31 32 "
		    "33 34 35 36 37 38 39 61 62 63 64 65 66  "
		    "|0123456789abcdef|\n", 0 },
		{ "echo abcd | grep b.d", "abcd\n", 0 },
		{ "echo abcd | grep ^b", "", 1 },
		{ "echo abcd | grep a.*d$", "abcd\n", 0 },
		{ "kill -0 $$ && kill -TERM 99999999", "99999999: ESRCH\n",
		    1 },
		{ "env A=b env | grep ^A=", "A=b\n", 0 },
	};
	char out[4096];

	check(scripts, nitems(scripts));
	EXPECT_EQ(run_script("uname; ps | grep COMMAND | wc; maps | grep -v "
	    "nothing | grep stack | wc; free | grep Mem | wc", out,
	    sizeof(out)), 0);
	EXPECT(strstr(out, "1 8 ") != NULL);
	EXPECT_EQ(run_script("stress -t 0.3 -n 2 memory && "
	    "stress -t 0.3 -n 2 fork && stress -t 0.3 -n 2 thread", out,
	    sizeof(out)), 0);
	EXPECT_STR(out, "");
}

static void
time_tool(void)
{
	char out[512];

	EXPECT_EQ(run_script("time sh -c 'exit 6'", out, sizeof(out)), 6);
	EXPECT(strstr(out, "real ") != NULL && strstr(out, "sys ") != NULL);
}

static const struct ktap_test tests[] = {
	TEST(words_and_quotes, T_EXEC),
	TEST(splitting, T_EXEC),
	TEST(status_and_logic, T_EXEC),
	TEST(background_jobs, T_EXEC),
	TEST(redirected_builtins, T_EXEC),
	TEST(pipes_and_redirections, T_EXEC),
	TEST(directories, T_EXEC),
	TEST(tools, T_EXEC),
	TEST(time_tool, T_EXEC),
};

KTAP_MAIN("shell")
