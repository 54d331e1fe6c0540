/* SPDX-License-Identifier: MIT */
/*
 * sh.c - the shell: sh [-c COMMANDS | FILE]
 *
 * A line is parsed into a tree (the grammar stands in sh_parse.c), then run.
 * On a terminal each job is a process group of its own: ^C ends it, ^Z stops
 * it, jobs, fg, bg, wait and kill take %1 for job 1.
 */
#include "sh.h"

#define LINE_SIZE	2048

int last_status;
bool interactive;

static int run(struct node *n);

void *
must(void *p)
{
	if (p == NULL)
		die("sh: out of memory");
	return p;
}

/* --- redirections ---------------------------------------------------- */

/* Returns false, after a message, at the first that fails. */
static bool
redirect(struct node *n)
{
	struct redir *r;
	bool ok = true;
	char *word;
	int fd;

	for (r = n->redirs; ok && r < n->redirs + n->nredirs; r++) {
		word = expand(r->word);
		fd = r->flags == -1 ? atoi(word) : open(word, r->flags, 0666);
		ok = fd >= 0 && (fd == r->fd || dup2(fd, r->fd) >= 0);
		if (!ok)
			perror(word);
		if (r->flags != -1 && fd >= 0 && fd != r->fd)
			close(fd);
		free(word);
	}
	return ok;
}

/* For a command that the shell runs itself: as it was, afterwards. */
struct saved {
	int	fd, copy;		/* copy -1: was not open */
};

static void
save(struct node *n, struct saved *s)
{
	int i;

	for (i = 0; i < n->nredirs; i++) {
		s[i].fd = n->redirs[i].fd;
		s[i].copy = fcntl(s[i].fd, F_DUPFD_CLOEXEC, 10);
	}
}

static void
restore(struct node *n, struct saved *s)
{
	int i;

	for (i = n->nredirs - 1; i >= 0; i--) {
		if (s[i].copy < 0) {
			close(s[i].fd);
		} else {
			dup2(s[i].copy, s[i].fd);
			close(s[i].copy);
		}
	}
}

/* --- commands of the shell itself ------------------------------------ */

static int
builtin_nothing(char **argv)
{
	(void)argv;
	return 0;
}

static int
builtin_cd(char **argv)
{
	const char *path = argv[1] != NULL ? argv[1] : "/";

	if (chdir(path) == 0)
		return 0;
	perror(path);
	return 1;
}

static int
builtin_exit(char **argv)
{
	static bool warned;

	if (interactive && jobs_stopped() && !warned) {
		warned = true;
		dprintf(STDERR_FILENO, "sh: there are stopped jobs\n");
		return 1;
	}
	exit(argv[1] != NULL ? atoi(argv[1]) : last_status);
}

typedef int builtin_fn(char **argv);

static builtin_fn *
builtin(const char *name)
{
	static const struct {
		const char	*name;
		builtin_fn	*fn;
	} table[] = {
		{ ":", builtin_nothing }, { "cd", builtin_cd },
		{ "exit", builtin_exit }, { "jobs", builtin_jobs },
		{ "fg", builtin_fg }, { "bg", builtin_bg },
		{ "wait", builtin_wait }, { "kill", builtin_kill },
	};
	size_t i;

	if (name == NULL)
		return builtin_nothing;
	for (i = 0; i < nitems(table); i++) {
		if (strcmp(name, table[i].name) == 0)
			return table[i].fn;
	}
	return NULL;
}

/* --- running --------------------------------------------------------- */

/* The number of assignments in front of the command. */
static int
split(struct node *n, struct fields *f)
{
	int nassign = 0, i;

	while (nassign < n->nwords && assignment(n->words[nassign]) > 0)
		nassign++;
	for (i = nassign; i < n->nwords; i++)
		expand_fields(n->words[i], f);
	return nassign;
}

static void
assign_all(struct node *n, int nassign)
{
	int i;

	for (i = 0; i < nassign; i++)
		assign(n->words[i]);
}

static int
run_builtin(struct node *n, int nassign, builtin_fn *fn, char **argv)
{
	static char *none[] = { NULL, NULL };
	struct saved saved[MAX_REDIRS];
	int status = 1;

	save(n, saved);
	if (redirect(n)) {
		assign_all(n, nassign);
		status = fn(argv != NULL ? argv : none);
	}
	restore(n, saved);
	return status;
}

/* In a child: becomes the command; does not return. */
static void
exec_simple(struct node *n, int nassign, char **argv)
{
	if (!redirect(n))
		_exit(1);
	assign_all(n, nassign);
	execvp(argv[0], (strings_t)argv);
	dprintf(STDERR_FILENO, "sh: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* @child: this process has nothing else to do. */
static int
run_simple(struct node *n, bool child)
{
	struct fields f = { 0 };
	int status, nassign = split(n, &f);
	builtin_fn *fn = builtin(f.n > 0 ? f.v[0] : NULL);
	struct job *j;

	if (fn != NULL) {
		status = run_builtin(n, nassign, fn, f.v);
	} else if (child) {
		exec_simple(n, nassign, f.v);
	} else {
		j = job_new(n, false);
		if (job_fork(j) == 0)
			exec_simple(n, nassign, f.v);
		status = job_wait(j);
	}
	fields_free(&f);
	return status;
}

/* In a child: runs the tree and exits with its status. */
static void noreturn
run_child(struct node *n)
{
	if (n->type == N_SUBSHELL)
		_exit(redirect(n) ? run(n->left) : 1);
	_exit(n->type == N_SIMPLE ? run_simple(n, true) : run(n));
}

static void
move_fd(int from, int to)
{
	if (from >= 0 && from != to) {
		dup2(from, to);
		close(from);
	}
}

static void
close_if(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* All commands of "a | b | c" run at once; the last one's status counts. */
static void
fork_pipeline(struct node *n, struct job *j)
{
	int in = -1, fds[2];
	struct node *cmd;
	pid_t pid = 1;

	for (; n != NULL && pid > 0; n = n->type == N_PIPE ? n->right : NULL) {
		cmd = n->type == N_PIPE ? n->left : n;
		fds[0] = fds[1] = -1;
		if (n != cmd && pipe(fds) < 0) {
			perror("sh: pipe");
			break;
		}
		pid = job_fork(j);
		if (pid == 0) {
			move_fd(in, STDIN_FILENO);
			move_fd(fds[1], STDOUT_FILENO);
			close_if(fds[0]);
			run_child(cmd);
		}
		close_if(in);
		close_if(fds[1]);
		in = fds[0];
	}
	close_if(in);
}

/* As one job; a pipeline in the background is one, too. */
static int
run_job(struct node *n, bool background)
{
	struct job *j = job_new(n, background);

	if (n->type == N_PIPE)
		fork_pipeline(n, j);
	else if (job_fork(j) == 0)
		run_child(n);
	return background ? job_leave(j) : job_wait(j);
}

static int
run(struct node *n)
{
	int status;

	switch (n->type) {
	case N_SIMPLE:
		status = run_simple(n, false);
		break;
	case N_SUBSHELL:
	case N_PIPE:
		status = run_job(n, false);
		break;
	case N_NOT:
		status = !run(n->left);
		break;
	case N_AND:
		status = run(n->left);
		if (status == 0 && !interrupted)
			status = run(n->right);
		break;
	case N_OR:
		status = run(n->left);
		if (status != 0 && !interrupted)
			status = run(n->right);
		break;
	case N_BACK:
		status = run_job(n->left, true);
		break;
	default:
		status = run(n->left);
		if (!interrupted)
			status = run(n->right);
		break;
	}
	last_status = status;
	return status;
}

/* --- lines ----------------------------------------------------------- */

static void
run_line(const char *line)
{
	const char *error, *where;
	struct node *n = parse_line(line, &error, &where);

	interrupted = false;
	if (error != NULL) {
		dprintf(STDERR_FILENO, "sh: %s: %s\n", error, where);
		last_status = 2;
	}
	if (n != NULL)
		run(n);
	node_free(n);
}

static void
on_interrupt(int sig)
{
	(void)sig;
	interrupted = true;
	write_all(STDOUT_FILENO, "\n", 1);
}

static void
read_lines(int fd)
{
	static struct reader in;
	static char line[LINE_SIZE];

	reader_init(&in, fd);
	for (;;) {
		jobs_report();
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
		sigaction(SIGINT, &interrupt, NULL);
		jobs_init();
	}
	read_lines(fd);
	return last_status;
}
