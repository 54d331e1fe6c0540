/* SPDX-License-Identifier: MIT */
/*
 * sh.c - the shell: sh [-c COMMANDS | FILE]
 *
 * list		andor { (";" | "&") andor } [";" | "&"]
 * andor	pipeline { ("&&" | "||") pipeline }
 * pipeline	["!"] command { "|" command }
 * command	"(" list ")" { redirection }
 *		| { NAME=VALUE } { word | redirection }
 * redirection	[digit] ("<" | ">" | ">>") word | [digit] ">&" digit
 *
 * A line is parsed into a tree (one function a rule), then run.  Words keep
 * their quotes until they run: then $NAME, $?, $$, '...', "..." and \ are
 * resolved; the results are not split again.
 */
#include <term.h>

#define MAX_ARGS	64
#define MAX_REDIRS	8
#define LINE_SIZE	2048

enum node_type { N_SIMPLE, N_SUBSHELL, N_PIPE, N_AND, N_OR, N_SEQ, N_BACK,
	N_NOT };

struct redir {
	int	 fd;
	int	 flags;		/* of open; -1: duplicate of the digit */
	char	*word;
};

struct node {
	enum node_type	 type;
	struct node	*left, *right;
	char		*words[MAX_ARGS + 1];
	int		 nwords;
	struct redir	 redirs[MAX_REDIRS];
	int		 nredirs;
};

static const char *cursor;	/* into the line that is being parsed */
static const char *syntax_error;
static int last_status;
static bool interactive;

static struct node *parse_list(void);
static int run(struct node *n);

/* --- tree ------------------------------------------------------------ */

static void *
must(void *p)
{
	if (p == NULL)
		die("sh: out of memory");
	return p;
}

static struct node *
node_new(enum node_type type, struct node *left, struct node *right)
{
	struct node *n = must(calloc(1, sizeof(*n)));

	n->type = type;
	n->left = left;
	n->right = right;
	return n;
}

static void
node_free(struct node *n)
{
	int i;

	if (n == NULL)
		return;
	node_free(n->left);
	node_free(n->right);
	for (i = 0; i < n->nwords; i++)
		free(n->words[i]);
	for (i = 0; i < n->nredirs; i++)
		free(n->redirs[i].word);
	free(n);
}

/* --- parser ---------------------------------------------------------- */

static void
skip_blanks(void)
{
	while (isspace(*cursor) || *cursor == '#') {
		if (*cursor == '#')
			cursor += strlen(cursor);
		else
			cursor++;
	}
}

static bool
accept(const char *op)
{
	size_t len = strlen(op);

	skip_blanks();
	if (strncmp(cursor, op, len) != 0)
		return false;
	cursor += len;
	return true;
}

/* True before "|", "&", ";" but not before the doubled operator. */
static bool
accept_single(char c)
{
	skip_blanks();
	if (cursor[0] != c || cursor[1] == c)
		return false;
	cursor++;
	return true;
}

static bool
word_ends(char c)
{
	return c == '\0' || isspace(c) || strchr("|&;<>()", c) != NULL;
}

static char *
parse_word(void)
{
	const char *start;
	char *word, quote = '\0';
	size_t len;

	skip_blanks();
	for (start = cursor; quote != '\0' || !word_ends(*cursor); cursor++) {
		if (*cursor == '\0') {
			syntax_error = "a quote is open";
			break;
		}
		if (*cursor == '\\' && quote != '\'' && cursor[1] != '\0')
			cursor++;
		else if (*cursor == quote)
			quote = '\0';
		else if (quote == '\0' && (*cursor == '"' || *cursor == '\''))
			quote = *cursor;
	}
	len = (size_t)(cursor - start);
	if (len == 0) {
		syntax_error = "a word is missing";
		return NULL;
	}
	word = must(malloc(len + 1));
	memcpy(word, start, len);
	word[len] = '\0';
	return word;
}

/* Returns false if none begins here. */
static bool
parse_redirection(struct node *n)
{
	struct redir r = { .fd = -1 };
	const char *start;

	skip_blanks();
	start = cursor;
	if (isdigit(*cursor) && (cursor[1] == '<' || cursor[1] == '>'))
		r.fd = *cursor++ - '0';
	if (accept(">>"))
		r.flags = O_WRONLY | O_CREAT | O_APPEND;
	else if (accept(">&"))
		r.flags = -1;
	else if (accept(">"))
		r.flags = O_WRONLY | O_CREAT | O_TRUNC;
	else if (accept("<"))
		r.flags = O_RDONLY;
	else {
		cursor = start;
		return false;
	}
	if (r.fd < 0)
		r.fd = r.flags != O_RDONLY;
	r.word = parse_word();
	if (r.word == NULL || n->nredirs == MAX_REDIRS) {
		syntax_error = "bad redirection";
		free(r.word);
		return true;
	}
	n->redirs[n->nredirs++] = r;
	return true;
}

static struct node *
parse_command(void)
{
	struct node *n;

	if (accept("(")) {
		n = node_new(N_SUBSHELL, parse_list(), NULL);
		if (!accept(")"))
			syntax_error = ") is missing";
		while (syntax_error == NULL && parse_redirection(n))
			continue;
		return n;
	}
	n = node_new(N_SIMPLE, NULL, NULL);
	while (syntax_error == NULL) {
		if (parse_redirection(n))
			continue;
		skip_blanks();
		if (word_ends(*cursor))
			break;
		if (n->nwords == MAX_ARGS) {
			syntax_error = "too many words";
			break;
		}
		if ((n->words[n->nwords] = parse_word()) != NULL)
			n->nwords++;
	}
	if (n->nwords == 0 && n->nredirs == 0 && syntax_error == NULL)
		syntax_error = "a command is missing";
	return n;
}

static struct node *
parse_pipeline(void)
{
	bool invert = accept("!");
	struct node *n = parse_command();

	if (syntax_error == NULL && accept_single('|'))
		n = node_new(N_PIPE, n, parse_pipeline());
	return invert ? node_new(N_NOT, n, NULL) : n;
}

static struct node *
parse_andor(void)
{
	struct node *n = parse_pipeline();

	while (syntax_error == NULL) {
		if (accept("&&"))
			n = node_new(N_AND, n, parse_pipeline());
		else if (accept("||"))
			n = node_new(N_OR, n, parse_pipeline());
		else
			break;
	}
	return n;
}

static struct node *
parse_list(void)
{
	struct node *n = parse_andor();

	if (syntax_error != NULL)
		return n;
	if (accept_single('&'))
		n = node_new(N_BACK, n, NULL);
	else if (!accept_single(';'))
		return n;
	skip_blanks();
	if (*cursor == '\0' || *cursor == ')')
		return n;
	return node_new(N_SEQ, n, parse_list());
}

/* --- words ----------------------------------------------------------- */

static void
append(char *out, const char *s)
{
	if (strlcat(out, s, LINE_SIZE) >= LINE_SIZE)
		dprintf(STDERR_FILENO, "sh: a word is too long\n");
}

/* Appends the value of the variable at *p (after the $); moves *p past it. */
static void
expand_variable(const char **p, char *out)
{
	char name[64];
	size_t n = 0;
	const char *value;

	if (**p == '?' || **p == '$') {
		snprintf(name, sizeof(name), "%d",
		    **p == '?' ? last_status : getpid());
		(*p)++;
		append(out, name);
		return;
	}
	while ((isalpha(**p) || isdigit(**p) || **p == '_') &&
	    n + 1 < sizeof(name))
		name[n++] = *(*p)++;
	name[n] = '\0';
	value = n > 0 ? getenv(name) : "$";
	append(out, value != NULL ? value : "");
}

static char *
expand(const char *p)
{
	static char out[LINE_SIZE];
	char quote = '\0', one[2] = "";

	out[0] = '\0';
	while (*p != '\0') {
		if (*p == '$' && quote != '\'') {
			p++;
			expand_variable(&p, out);
			continue;
		}
		if (*p == quote) {
			quote = '\0';
			p++;
			continue;
		}
		if (quote == '\0' && (*p == '"' || *p == '\'')) {
			quote = *p++;
			continue;
		}
		if (*p == '\\' && quote != '\'' && p[1] != '\0')
			p++;
		one[0] = *p++;
		append(out, one);
	}
	return must(strdup(out));
}

/* NAME=VALUE: the length of NAME, else 0. */
static size_t
assignment(const char *word)
{
	size_t n = 0;

	while (isalpha(word[n]) || word[n] == '_' ||
	    (n > 0 && isdigit(word[n])))
		n++;
	return word[n] == '=' ? n : 0;
}

static void
assign(const char *word)
{
	char *text = expand(word), *eq = strchr(text, '=');

	*eq = '\0';
	setenv(text, eq + 1, 1);
	free(text);
}

/* --- running --------------------------------------------------------- */

static void
foreground(pid_t pgid)
{
	if (interactive)
		ioctl(STDIN_FILENO, TIOCSPGRP, &pgid);
}

/* A child in the process group @pgid (0: one of its own). */
static pid_t
spawn_child(pid_t pgid)
{
	pid_t pid = fork();

	if (pid < 0)
		perror("sh: fork");
	if (pid == 0 && interactive) {
		setpgid(0, pgid);
		signal(SIGINT, SIG_DFL);
		signal(SIGTTOU, SIG_DFL);
		interactive = false;
	} else if (pid > 0 && interactive) {
		setpgid(pid, pgid);
	}
	return pid;
}

static int
wait_child(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return 127;
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (WTERMSIG(status) != SIGINT && WTERMSIG(status) != SIGPIPE)
		dprintf(STDERR_FILENO, "sh: %d: %s\n", pid,
		    strsignal(WTERMSIG(status)));
	return 128 + WTERMSIG(status);
}

static int
wait_foreground(pid_t pid)
{
	int status;

	if (pid < 0)
		return 126;
	foreground(pid);
	status = wait_child(pid);
	foreground(getpid());
	return status;
}

static void
redirect(struct node *n)
{
	struct redir *r;
	char *word;
	int fd;

	for (r = n->redirs; r < n->redirs + n->nredirs; r++) {
		word = expand(r->word);
		fd = r->flags == -1 ? atoi(word) : open(word, r->flags, 0666);
		if (fd < 0 || (fd != r->fd && dup2(fd, r->fd) < 0)) {
			perror(word);
			_exit(1);
		}
		if (r->flags != -1 && fd != r->fd)
			close(fd);
		free(word);
	}
}

/* In a child: becomes the command; does not return. */
static void
exec_simple(struct node *n)
{
	char *argv[MAX_ARGS + 1];
	int i, argc = 0;

	redirect(n);
	for (i = 0; i < n->nwords && assignment(n->words[i]) > 0; i++)
		assign(n->words[i]);
	for (; i < n->nwords; i++)
		argv[argc++] = expand(n->words[i]);
	argv[argc] = NULL;
	if (argc == 0)
		_exit(0);
	execvp(argv[0], (strings_t)argv);
	dprintf(STDERR_FILENO, "sh: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* Runs a command that must change the shell itself; -1 if it is no such. */
static int
run_builtin(struct node *n)
{
	char *arg;
	int i, status = 0;

	for (i = 0; i < n->nwords && assignment(n->words[i]) > 0; i++)
		continue;
	if (i == n->nwords && n->nredirs == 0) {
		for (i = 0; i < n->nwords; i++)
			assign(n->words[i]);
		return 0;
	}
	if (i > 0 || n->nwords == 0)
		return -1;
	arg = n->nwords > 1 ? expand(n->words[1]) : NULL;
	if (strcmp(n->words[0], "cd") == 0) {
		status = chdir(arg != NULL ? arg : "/") < 0;
		if (status != 0)
			perror(arg);
	} else if (strcmp(n->words[0], "exit") == 0) {
		exit(arg != NULL ? atoi(arg) : last_status);
	} else if (strcmp(n->words[0], "wait") == 0) {
		if (arg != NULL)
			status = wait_child(atoi(arg));
		else
			while (wait(NULL) > 0 || errno == EINTR)
				continue;
	} else {
		status = -1;
	}
	free(arg);
	return status;
}

static int
run_simple(struct node *n)
{
	int status = run_builtin(n);
	pid_t pid;

	if (status >= 0)
		return status;
	pid = spawn_child(0);
	if (pid == 0)
		exec_simple(n);
	return wait_foreground(pid);
}

/* In a child: runs the tree and exits with its status. */
static void
run_child(struct node *n)
{
	int status;

	if (n->type == N_SUBSHELL) {
		redirect(n);
		_exit(run(n->left));
	}
	if (n->type != N_SIMPLE)
		_exit(run(n));
	status = run_builtin(n);
	if (status < 0)
		exec_simple(n);
	_exit(status);
}

/* All commands of "a | b | c" run at once; the last one's status counts. */
static int
run_pipeline(struct node *n)
{
	pid_t pid, pgid = 0, children[MAX_ARGS];
	int in = -1, fds[2], count = 0, i, status = 126;
	struct node *cmd;

	for (; n != NULL; n = n->type == N_PIPE ? n->right : NULL) {
		cmd = n->type == N_PIPE ? n->left : n;
		fds[0] = fds[1] = -1;
		if (count == MAX_ARGS || (n != cmd && pipe(fds) < 0)) {
			perror("sh: pipe");
			break;
		}
		pid = spawn_child(pgid);
		if (pid == 0) {
			if (in >= 0)
				dup2(in, STDIN_FILENO), close(in);
			if (fds[1] >= 0)
				dup2(fds[1], STDOUT_FILENO), close(fds[1]);
			if (fds[0] >= 0)
				close(fds[0]);
			run_child(cmd);
		}
		if (in >= 0)
			close(in);
		if (fds[1] >= 0)
			close(fds[1]);
		in = fds[0];
		if (pid < 0)
			break;
		if (pgid == 0)
			foreground(pgid = pid);
		children[count++] = pid;
	}
	if (in >= 0)
		close(in);
	for (i = 0; i < count; i++)
		status = wait_child(children[i]);
	foreground(getpid());
	return status;
}

static int
run_background(struct node *n)
{
	pid_t pid = spawn_child(0);

	if (pid == 0)
		run_child(n);
	if (interactive && pid > 0)
		printf("[%d]\n", pid);
	return pid < 0 ? 126 : 0;
}

static int
run(struct node *n)
{
	pid_t pid;
	int status;

	switch (n->type) {
	case N_SIMPLE:
		status = run_simple(n);
		break;
	case N_SUBSHELL:
		pid = spawn_child(0);
		if (pid == 0)
			run_child(n);
		status = wait_foreground(pid);
		break;
	case N_PIPE:
		status = run_pipeline(n);
		break;
	case N_NOT:
		status = !run(n->left);
		break;
	case N_AND:
		status = run(n->left);
		if (status == 0)
			status = run(n->right);
		break;
	case N_OR:
		status = run(n->left);
		if (status != 0)
			status = run(n->right);
		break;
	case N_BACK:
		status = run_background(n->left);
		break;
	default:
		run(n->left);
		status = run(n->right);
		break;
	}
	last_status = status;
	return status;
}

static void
run_line(const char *line)
{
	struct node *n;

	cursor = line;
	syntax_error = NULL;
	skip_blanks();
	if (*cursor == '\0')
		return;
	n = parse_list();
	skip_blanks();
	if (syntax_error == NULL && *cursor != '\0')
		syntax_error = "what is this?";
	if (syntax_error != NULL) {
		dprintf(STDERR_FILENO, "sh: %s: %s\n", syntax_error, cursor);
		last_status = 2;
	} else {
		run(n);
	}
	node_free(n);
}

static void
reap_background(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (interactive)
			printf("[%d] ended\n", pid);
	}
}

static void
on_interrupt(int sig)
{
	(void)sig;
	write_all(STDOUT_FILENO, "\n", 1);
}

static void
read_lines(int fd)
{
	static struct reader in;
	static char line[LINE_SIZE];

	reader_init(&in, fd);
	for (;;) {
		reap_background();
		if (interactive)
			write_all(STDOUT_FILENO, "$ ", 2);
		errno = 0;
		if (reader_line(&in, line, sizeof(line)) >= 0)
			run_line(line);
		else if (errno != EINTR)
			break;
	}
}

int
main(int argc, char **argv)
{
	struct sigaction interrupt = { .sa_handler = on_interrupt };
	int fd = STDIN_FILENO;

	if (argc > 2 && strcmp(argv[1], "-c") == 0) {
		run_line(argv[2]);
		return last_status;
	}
	if (argc > 1) {
		fd = open(argv[1], O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			perror(argv[1]);
			return 127;
		}
	}
	interactive = fd == STDIN_FILENO && isatty(STDIN_FILENO);
	if (interactive) {
		signal(SIGTTOU, SIG_IGN);
		sigaction(SIGINT, &interrupt, NULL);
		setpgid(0, 0);
		foreground(getpid());
	}
	read_lines(fd);
	return last_status;
}
