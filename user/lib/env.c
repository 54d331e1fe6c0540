/* SPDX-License-Identifier: MIT */
/*
 * env.c - environment variables and getopt.
 *
 * environ first points into the initial stack.  The first change copies the
 * vector to the heap; strings are never freed, as others may hold them.
 */
#include "libc.h"

static char **copied;		/* environ, once it is ours */

char *optarg;
int optind = 1;

static size_t
env_count(void)
{
	size_t n = 0;

	while (environ[n] != NULL)
		n++;
	return n;
}

static char **
env_find(const char *name)
{
	size_t len = strlen(name);
	char **p;

	for (p = environ; *p != NULL; p++) {
		if (strncmp(*p, name, len) == 0 && (*p)[len] == '=')
			return p;
	}
	return NULL;
}

char *
getenv(const char *name)
{
	char **p = env_find(name);

	return p != NULL ? *p + strlen(name) + 1 : NULL;
}

int
setenv(const char *name, const char *value, int overwrite)
{
	size_t size = strlen(name) + strlen(value) + 2;
	size_t n = env_count();
	char **slot = env_find(name);
	char **vec, *s;

	if (slot != NULL && !overwrite)
		return 0;
	if ((s = malloc(size)) == NULL)
		return -1;
	snprintf(s, size, "%s=%s", name, value);
	if (slot != NULL) {
		*slot = s;
		return 0;
	}
	vec = realloc(copied, (n + 2) * sizeof(*vec));
	if (vec == NULL) {
		free(s);
		return -1;
	}
	if (copied == NULL)
		memcpy(vec, environ, n * sizeof(*vec));
	vec[n] = s;
	vec[n + 1] = NULL;
	environ = copied = vec;
	return 0;
}

int
unsetenv(const char *name)
{
	char **p = env_find(name);

	if (p != NULL) {
		do
			p[0] = p[1];
		while (*p++ != NULL);
	}
	return 0;
}

/* Options come first, one letter each; "x:" takes an argument. */
int
getopt(int argc, char *const *argv, const char *options)
{
	static const char *rest = "";
	const char *o;
	int c;

	if (*rest == '\0') {
		if (optind >= argc || argv[optind][0] != '-' ||
		    argv[optind][1] == '\0')
			return -1;
		rest = argv[optind++] + 1;
		if (strcmp(rest, "-") == 0) {
			rest = "";
			return -1;
		}
	}
	c = *rest++;
	o = c == ':' ? NULL : strchr(options, c);
	if (o == NULL || c == '\0') {
		dprintf(STDERR_FILENO, "%s: no option -%c\n", argv[0], c);
		return '?';
	}
	if (o[1] == ':') {
		if (*rest == '\0' && optind == argc) {
			dprintf(STDERR_FILENO, "%s: -%c needs a value\n",
			    argv[0], c);
			return '?';
		}
		optarg = *rest != '\0' ? (char *)(uintptr_t)rest :
		    argv[optind++];
		rest = "";
	}
	return c;
}
