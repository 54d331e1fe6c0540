/* SPDX-License-Identifier: MIT */
/*
 * sh_word.c - what a word of the shell stands for.
 *
 * $NAME, $?, $$ and $! are replaced, '...', "..." and \ quote.  What comes from
 * a variable outside of quotes is split into fields at blanks, tabs and
 * newlines; a field that is empty and was not quoted is none.
 */
#include "sh.h"

/* A string that grows. */
struct text {
	char	*s;
	size_t	 n, max;
};

/* One word on its way to fields. */
struct word {
	struct text	 text;		/* the field so far */
	bool		 begun;		/* there is one, even if it is empty */
	struct fields	*fields;	/* NULL: nothing is split */
};

static void
text_add(struct text *t, char c)
{
	if (t->n + 1 >= t->max) {
		t->max = t->max != 0 ? 2 * t->max : 32;
		t->s = must(realloc(t->s, t->max));
	}
	t->s[t->n++] = c;
	t->s[t->n] = '\0';
}

static void
add(struct word *w, char c)
{
	text_add(&w->text, c);
	w->begun = true;
}

static void
end_field(struct word *w)
{
	struct fields *f = w->fields;

	if (!w->begun)
		return;
	if (f->n + 2 > f->max) {
		f->max = f->max != 0 ? 2 * f->max : 16;
		f->v = must(realloc(f->v, f->max * sizeof(*f->v)));
	}
	f->v[f->n++] = w->text.s != NULL ? w->text.s : must(strdup(""));
	f->v[f->n] = NULL;
	memset(&w->text, 0, sizeof(w->text));
	w->begun = false;
}

static void
add_value(struct word *w, const char *value, bool quoted)
{
	for (; *value != '\0'; value++) {
		if (!quoted && w->fields != NULL && isspace(*value))
			end_field(w);
		else
			add(w, *value);
	}
}

/* The variable at *p (after the $); moves *p past it. */
static void
add_variable(struct word *w, const char **p, bool quoted)
{
	char name[64], number[16];
	size_t n = 0;
	const char *value;

	if (**p == '?' || **p == '$' || **p == '!') {
		snprintf(number, sizeof(number), "%d",
		    **p == '?' ? last_status :
		    **p == '$' ? getpid() : last_background);
		if (**p != '!' || last_background != 0)
			add_value(w, number, quoted);
		(*p)++;
		return;
	}
	while ((isalpha(**p) || isdigit(**p) || **p == '_') &&
	    n + 1 < sizeof(name))
		name[n++] = *(*p)++;
	name[n] = '\0';
	value = n > 0 ? getenv(name) : "$";
	if (value != NULL)
		add_value(w, value, quoted);
}

static void
scan(struct word *w, const char *p)
{
	char quote = '\0';

	while (*p != '\0') {
		if (*p == '$' && quote != '\'') {
			p++;
			add_variable(w, &p, quote == '"');
		} else if (*p == quote) {
			quote = '\0';
			p++;
		} else if (quote == '\0' && (*p == '"' || *p == '\'')) {
			quote = *p++;
			w->begun = true;
		} else {
			if (*p == '\\' && quote != '\'' && p[1] != '\0')
				p++;
			add(w, *p++);
		}
	}
}

void
expand_fields(const char *p, struct fields *f)
{
	struct word w = { .fields = f };

	scan(&w, p);
	end_field(&w);
}

void
fields_free(struct fields *f)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		free(f->v[i]);
	free(f->v);
}

char *
expand(const char *p)
{
	struct word w = { .begun = true };

	scan(&w, p);
	return w.text.s != NULL ? w.text.s : must(strdup(""));
}

size_t
assignment(const char *word)
{
	size_t n = 0;

	while (isalpha(word[n]) || word[n] == '_' ||
	    (n > 0 && isdigit(word[n])))
		n++;
	return word[n] == '=' ? n : 0;
}

void
assign(const char *word)
{
	char *text = expand(word), *eq = strchr(text, '=');

	*eq = '\0';
	setenv(text, eq + 1, 1);
	free(text);
}
