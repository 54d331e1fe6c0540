/* SPDX-License-Identifier: MIT */
/*
 * sh_parse.c - the shell's parser: one function a rule.
 *
 * list		andor { (";" | "&") andor } [";" | "&"]
 * andor	pipeline { ("&&" | "||") pipeline }
 * pipeline	["!"] command { "|" command }
 * command	"(" list ")" { redirection }
 *		| { NAME=VALUE } { word | redirection }
 * redirection	[digit] ("<" | ">" | ">>") word | [digit] ">&" digit
 *
 * Words keep their quotes until they run.
 */
#include "sh.h"

static const char *cursor;	/* into the line that is being parsed */
static const char *syntax_error;

static struct node *parse_list(void);

/* --- tree ------------------------------------------------------------ */

static struct node *
node_new(enum node_type type, struct node *left, struct node *right)
{
	struct node *n = must(calloc(1, sizeof(*n)));

	n->type = type;
	n->left = left;
	n->right = right;
	return n;
}

void
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

/* @n begins at @start and ends here. */
static struct node *
with_text(struct node *n, const char *start)
{
	const char *end = cursor;

	while (end > start && isspace(end[-1]))
		end--;
	n->text = start;
	n->len = (size_t)(end - start);
	return n;
}

static struct node *
parse_command(void)
{
	const char *start;
	struct node *n;

	skip_blanks();
	start = cursor;
	if (accept("(")) {
		n = node_new(N_SUBSHELL, parse_list(), NULL);
		if (!accept(")"))
			syntax_error = ") is missing";
		while (syntax_error == NULL && parse_redirection(n))
			continue;
		return with_text(n, start);
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
	return with_text(n, start);
}

static struct node *
parse_pipeline(void)
{
	bool invert = accept("!");
	struct node *n = parse_command();
	const char *start = n->text;

	if (syntax_error == NULL && accept_single('|'))
		n = with_text(node_new(N_PIPE, n, parse_pipeline()), start);
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
	const char *start;
	struct node *n;

	skip_blanks();
	start = cursor;
	n = with_text(parse_andor(), start);
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

struct node *
parse_line(const char *line, const char **error, const char **where)
{
	struct node *n = NULL;

	cursor = line;
	syntax_error = NULL;
	skip_blanks();
	if (*cursor != '\0') {
		n = parse_list();
		skip_blanks();
		if (syntax_error == NULL && *cursor != '\0')
			syntax_error = "what is this?";
	}
	*error = syntax_error;
	*where = cursor;
	if (syntax_error != NULL) {
		node_free(n);
		n = NULL;
	}
	return n;
}
