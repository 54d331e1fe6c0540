/* SPDX-License-Identifier: MIT */
/* mv.c - rename: mv OLD NEW, mv FILE... DIR */
#include <user.h>

static int
move(const char *old, const char *dir, bool into)
{
	const char *base = strrchr(old, '/');
	char path[512];

	base = base != NULL ? base + 1 : old;
	if (into)
		snprintf(path, sizeof(path), "%s/%s", dir, base);
	if (rename(old, into ? path : dir) == 0)
		return 0;
	perror(old);
	return 1;
}

int
main(int argc, char **argv)
{
	struct stat st;
	bool into;
	int i, failed = 0;

	if (argc < 3)
		die("usage: mv OLD NEW, mv FILE... DIR");
	into = stat(argv[argc - 1], &st) == 0 && S_ISDIR(st.st_mode);
	if (argc > 3 && !into)
		die("mv: %s is no directory", argv[argc - 1]);
	for (i = 1; i < argc - 1; i++)
		failed |= move(argv[i], argv[argc - 1], into);
	return failed;
}
