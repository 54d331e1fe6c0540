/* SPDX-License-Identifier: MIT */
/*
 * sh.h - what the shell's files share.
 *
 *	sh.c		builtin commands, running a tree, reading lines
 *	sh_parse.c	from a line to a tree
 *	sh_word.c	from a word to fields: variables, quotes
 *	sh_job.c	jobs: groups of processes, and who has the terminal
 */
#ifndef SH_H
#define SH_H

#include <user.h>

#define MAX_ARGS	64
#define MAX_REDIRS	8

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
	const char	*text;		/* its part of the line */
	size_t		 len;
	char		*words[MAX_ARGS + 1];
	int		 nwords;
	struct redir	 redirs[MAX_REDIRS];
	int		 nredirs;
};

extern int last_status;		/* $? */
extern pid_t last_background;	/* $!, 0: none yet */
extern bool interactive;	/* it prompts */

/** The pointer, if there was memory for it. */
void	*must(void *p);

/* --- sh_parse.c ------------------------------------------------------ */
/** The tree of a line; NULL if it is empty, or wrong, which *@p error tells. */
struct node *parse_line(const char *line, const char **error,
	    const char **where);
void	node_free(struct node *n);

/* --- sh_word.c ------------------------------------------------------- */
struct fields {
	char	**v;			/* ends with a NULL */
	size_t	  n, max;
};
/** Appends what the word stands for: none, one or several fields. */
void	expand_fields(const char *word, struct fields *f);
void	fields_free(struct fields *f);
/** The same as one string, not split; the caller frees it. */
char	*expand(const char *word);
/** NAME=VALUE: the length of NAME, else 0. */
size_t	assignment(const char *word);
/** Carries it out. */
void	assign(const char *word);

/* --- sh_job.c -------------------------------------------------------- */
struct job;
/** Takes the terminal; without one there is no job control. */
void	jobs_init(void);
struct job *job_new(const struct node *n, bool background);
/** As fork(2); the child is in the job, and has forgotten the others. */
pid_t	job_fork(struct job *j);
/** Waits until it ends or stops; returns its status. */
int	job_wait(struct job *j);
/** Lets it run; returns its status. */
int	job_leave(struct job *j);
/** ^C was typed: it ends the rest of the line, too. */
extern volatile bool interrupted;
/** Tells what has become of the jobs since the last time. */
void	jobs_report(void);
bool	jobs_stopped(void);
int	builtin_jobs(char **argv);
int	builtin_fg(char **argv);
int	builtin_bg(char **argv);
int	builtin_wait(char **argv);
int	builtin_kill(char **argv);

#endif /* SH_H */
