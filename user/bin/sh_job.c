/* SPDX-License-Identifier: MIT */
/*
 * sh_job.c - the shell's jobs.
 *
 * A job is a pipeline or whatever else was started as one: its processes are
 * one process group, if the shell has a terminal.  The group in the foreground
 * is lent the terminal until all of it has ended or stopped.  The mode of the
 * terminal is the job's own: what a stopped or killed job has set is undone,
 * and set again when it goes on.
 */
#include "sh.h"

#include <term.h>

#define TTY_FD	10		/* from here on, out of the way */

struct process {
	pid_t	pid;
	int	status;		/* of wait; valid if ended or stopped */
	bool	ended, stopped;
};

struct job {
	struct job	*next;	/* by number */
	int		 number;
	unsigned	 age;	/* the larger the more current */
	pid_t		 pgid;	/* 0: no job control */
	struct process	 proc[MAX_ARGS];
	int		 nprocs;
	bool		 background, told;
	bool		 has_mode;
	struct termios	 mode;	/* of the terminal when it stopped */
	char		*text;
};

enum state { RUNNING, STOPPED, ENDED };

pid_t last_background;
volatile bool interrupted;

static struct job *jobs;
static unsigned last_age;
static int tty = -1;		/* -1: no job control */
static struct termios own_mode;

static void
own_signals(sighandler_t handler)
{
	static const int sigs[] = { SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU };
	size_t i;

	for (i = 0; i < nitems(sigs); i++)
		signal(sigs[i], handler);
}

void
jobs_init(void)
{
	pid_t front;

	tty = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, TTY_FD);
	/* Started in the background: wait until somebody changes that. */
	while ((front = tcgetpgrp(tty)) >= 0 && front != getpgid(0))
		kill(0, SIGTTIN);
	own_signals(SIG_IGN);
	if (getpgid(0) != getpid() && setpgid(0, 0) < 0)
		front = -1;
	if (front < 0 || tcsetpgrp(tty, getpid()) < 0) {
		dprintf(STDERR_FILENO, "sh: no job control\n");
		own_signals(SIG_DFL);
		close(tty);
		tty = -1;
		return;
	}
	tcgetattr(tty, &own_mode);
}

/* --- the table ------------------------------------------------------- */

struct job *
job_new(const struct node *n, bool background)
{
	struct job *j = must(calloc(1, sizeof(*j))), **at = &jobs;

	while (*at != NULL && (*at)->number == j->number + 1) {
		j->number++;
		at = &(*at)->next;
	}
	j->number++;
	j->next = *at;
	*at = j;
	j->age = ++last_age;
	j->background = background;
	j->text = must(malloc(n->len + 1));
	memcpy(j->text, n->text, n->len);
	j->text[n->len] = '\0';
	return j;
}

static void
job_free(struct job *j)
{
	struct job **at = &jobs;

	while (*at != j)
		at = &(*at)->next;
	*at = j->next;
	free(j->text);
	free(j);
}

static enum state
state_of(const struct job *j)
{
	bool stopped = false;
	int i;

	for (i = 0; i < j->nprocs; i++) {
		if (!j->proc[i].ended && !j->proc[i].stopped)
			return RUNNING;
		stopped |= j->proc[i].stopped;
	}
	return stopped ? STOPPED : ENDED;
}

/* The status of the last process counts. */
static int
status_of(const struct job *j)
{
	int status = j->nprocs > 0 ? j->proc[j->nprocs - 1].status : 126 << 8;

	if (state_of(j) == STOPPED && !WIFSTOPPED(status))
		status = W_STOPCODE(SIGTSTP);
	if (WIFSTOPPED(status))
		return 128 + WSTOPSIG(status);
	return WIFEXITED(status) ? WEXITSTATUS(status) :
	    128 + WTERMSIG(status);
}

static struct job *
current(void)
{
	struct job *j, *best = NULL;

	for (j = jobs; j != NULL; j = j->next) {
		if (best == NULL || j->age > best->age)
			best = j;
	}
	return best;
}

/* "%3", "%" and "%%" for the current one, or the pid of a process. */
static struct job *
job_find(const char *spec)
{
	struct job *j, *found = NULL;
	int i, n = atoi(spec + (*spec == '%'));

	if (spec[0] == '%' && (spec[1] == '\0' || spec[1] == '%' ||
	    spec[1] == '+'))
		found = current();
	for (j = jobs; j != NULL && found == NULL; j = j->next) {
		if (*spec == '%' && j->number == n)
			found = j;
		for (i = 0; *spec != '%' && i < j->nprocs; i++) {
			if (j->proc[i].pid == n)
				found = j;
		}
	}
	if (found == NULL)
		dprintf(STDERR_FILENO, "sh: %s: no such job\n", spec);
	return found;
}

/* What wait told about one process. */
static void
note(pid_t pid, int status)
{
	struct job *j;
	int i;

	for (j = jobs; j != NULL; j = j->next) {
		for (i = 0; i < j->nprocs; i++) {
			struct process *p = &j->proc[i];

			if (p->pid != pid || p->ended)
				continue;
			p->status = status;
			p->stopped = WIFSTOPPED(status);
			p->ended = !p->stopped && !WIFCONTINUED(status);
			j->told = false;
			return;
		}
	}
}

/* Takes news of children; false if there is none, or errno tells why. */
static bool
wait_any(int options)
{
	int status;
	pid_t pid;

	if (tty >= 0)
		options |= WUNTRACED | WCONTINUED;
	pid = waitpid(-1, &status, options);
	if (pid > 0)
		note(pid, status);
	return pid > 0;
}

/* --- running --------------------------------------------------------- */

/* In the child: its group gets the terminal before it runs. */
static void
begin_child(const struct job *j)
{
	if (tty >= 0) {
		setpgid(0, j->pgid);
		if (!j->background)
			tcsetpgrp(tty, getpgid(0));
		own_signals(SIG_DFL);
		close(tty);
		tty = -1;
	}
	if (interactive)
		signal(SIGINT, SIG_DFL);
	interactive = false;
	jobs = NULL;		/* they are no children of this one */
}

pid_t
job_fork(struct job *j)
{
	pid_t pid;

	if (j->nprocs == MAX_ARGS) {
		errno = E2BIG;
		return -1;
	}
	pid = fork();
	if (pid < 0)
		perror("sh: fork");
	if (pid == 0)
		begin_child(j);
	if (pid <= 0)
		return pid;
	if (tty >= 0) {
		if (j->pgid == 0)
			j->pgid = pid;
		setpgid(pid, j->pgid);
	}
	j->proc[j->nprocs++].pid = pid;
	return pid;
}

static void
show(const struct job *j)
{
	char state[32] = "Running";
	int status = j->nprocs > 0 ? j->proc[j->nprocs - 1].status : 0;

	if (state_of(j) == STOPPED)
		strlcpy(state, "Stopped", sizeof(state));
	else if (state_of(j) == ENDED && WIFSIGNALED(status))
		strlcpy(state, strsignal(WTERMSIG(status)), sizeof(state));
	else if (state_of(j) == ENDED && status != 0)
		snprintf(state, sizeof(state), "Exit %d",
		    WEXITSTATUS(status));
	else if (state_of(j) == ENDED)
		strlcpy(state, "Done", sizeof(state));
	printf("[%d]%c  %-10s %s%s\n", j->number, j == current() ? '+' : ' ',
	    state, j->text, state_of(j) == RUNNING ? " &" : "");
}

/* The terminal is the shell's again. */
static void
take_back(struct job *j)
{
	int status = j->nprocs > 0 ? j->proc[j->nprocs - 1].status : 0;

	if (tty < 0)
		return;
	tcsetpgrp(tty, getpid());
	j->has_mode = state_of(j) == STOPPED &&
	    tcgetattr(tty, &j->mode) == 0;
	/* What a command sets and leaves is meant to stay. */
	if (state_of(j) == ENDED && WIFEXITED(status))
		tcgetattr(tty, &own_mode);
	else
		tcsetattr(tty, TCSANOW, &own_mode);
}

/* Says why it ended, if that is not what was asked for. */
static void
explain(const struct job *j)
{
	const struct process *p;
	int sig;

	for (p = j->proc; p < j->proc + j->nprocs; p++) {
		sig = WIFSIGNALED(p->status) ? WTERMSIG(p->status) : 0;
		if (sig == SIGINT && interactive)
			interrupted = true;
		else if (sig != 0 && sig != SIGPIPE && sig != SIGINT)
			dprintf(STDERR_FILENO, "sh: %d: %s\n", p->pid,
			    strsignal(sig));
	}
}

int
job_wait(struct job *j)
{
	int status;

	if (tty >= 0 && j->nprocs > 0)
		tcsetpgrp(tty, j->pgid);
	j->background = false;
	while (state_of(j) == RUNNING && (wait_any(0) || errno == EINTR))
		continue;
	take_back(j);
	status = status_of(j);
	if (state_of(j) == STOPPED) {
		j->background = j->told = true;
		j->age = ++last_age;
		show(j);
		return status;
	}
	explain(j);
	job_free(j);
	return status;
}

int
job_leave(struct job *j)
{
	if (j->nprocs == 0) {
		job_free(j);
		return 126;
	}
	last_background = j->proc[j->nprocs - 1].pid;
	if (interactive)
		printf("[%d] %d\n", j->number, last_background);
	return 0;
}

void
jobs_report(void)
{
	struct job *j, *next;

	while (wait_any(WNOHANG))
		continue;
	for (j = jobs; j != NULL; j = next) {
		next = j->next;
		if (!j->told && interactive && state_of(j) != RUNNING)
			show(j);
		j->told = true;
		if (state_of(j) == ENDED)
			job_free(j);
	}
}

bool
jobs_stopped(void)
{
	struct job *j;

	for (j = jobs; j != NULL; j = j->next) {
		if (state_of(j) == STOPPED)
			return true;
	}
	return false;
}

/* --- commands -------------------------------------------------------- */

int
builtin_jobs(char **argv)
{
	struct job *j;

	(void)argv;
	while (wait_any(WNOHANG))
		continue;
	for (j = jobs; j != NULL; j = j->next) {
		show(j);
		j->told = true;
	}
	return 0;
}

static void
resume(struct job *j)
{
	int i;

	for (i = 0; i < j->nprocs; i++)
		j->proc[i].stopped = false;
	kill(-j->pgid, SIGCONT);
}

/* The job that fg and bg are about. */
static struct job *
controlled(char **argv)
{
	struct job *j;

	if (tty < 0) {
		dprintf(STDERR_FILENO, "sh: no job control\n");
		return NULL;
	}
	while (wait_any(WNOHANG))
		continue;
	j = job_find(argv[1] != NULL ? argv[1] : "%");
	if (j == NULL || state_of(j) != ENDED)
		return j;
	dprintf(STDERR_FILENO, "sh: the job has ended\n");
	return NULL;
}

int
builtin_fg(char **argv)
{
	struct job *j = controlled(argv);

	if (j == NULL)
		return 1;
	if (j->has_mode)
		tcsetattr(tty, TCSANOW, &j->mode);
	/* First: a ^C by who reads the line is for the job. */
	tcsetpgrp(tty, j->pgid);
	printf("%s\n", j->text);
	resume(j);
	return job_wait(j);
}

int
builtin_bg(char **argv)
{
	struct job *j = controlled(argv);

	if (j == NULL)
		return 1;
	j->age = ++last_age;
	printf("[%d] %s &\n", j->number, j->text);
	resume(j);
	return 0;
}

/* Or until ^C. */
static void
wait_until_done(const struct job *j)
{
	while (state_of(j) == RUNNING && !interrupted &&
	    (wait_any(0) || errno == EINTR))
		continue;
}

/* wait: for all that run; wait JOB: for one, whose status it returns. */
int
builtin_wait(char **argv)
{
	struct job *j;
	int status = 0;

	if (argv[1] == NULL) {
		for (j = jobs; j != NULL; j = j->next) {
			wait_until_done(j);
		}
		return interrupted ? 128 + SIGINT : 0;
	}
	for (argv++; *argv != NULL; argv++) {
		j = job_find(*argv);
		status = 127;
		if (j == NULL)
			continue;
		wait_until_done(j);
		status = interrupted ? 128 + SIGINT : status_of(j);
		if (state_of(j) == ENDED)
			job_free(j);
	}
	return status;
}

/* kill [-SIGNAL] (PID | %JOB)...  A stopped job is continued, so that it
 * notices. */
int
builtin_kill(char **argv)
{
	int sig = SIGTERM, failed = 0;
	struct job *j;
	pid_t pid;

	if (argv[1] != NULL && argv[1][0] == '-')
		sig = signal_by_name(*++argv + 1);
	if (sig < 0 || argv[1] == NULL) {
		dprintf(STDERR_FILENO,
		    "usage: kill [-SIGNAL] (PID | %%JOB)...\n");
		return 1;
	}
	while (*++argv != NULL) {
		j = **argv == '%' ? job_find(*argv) : NULL;
		if (**argv == '%' && j == NULL) {
			failed = 1;
			continue;
		}
		pid = j == NULL ? atoi(*argv) :
		    j->pgid != 0 ? -j->pgid : j->proc[0].pid;
		if (kill(pid, sig) < 0) {
			perror(*argv);
			failed = 1;
		} else if (j != NULL && state_of(j) == STOPPED &&
		    (sig == SIGTERM || sig == SIGHUP)) {
			resume(j);
		}
	}
	return failed;
}
