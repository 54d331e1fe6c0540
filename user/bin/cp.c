/* SPDX-License-Identifier: MIT */
/* cp.c - copy files: cp OLD NEW, cp FILE... DIR */
#include <user.h>

static int
copy(const char *old, const char *new)
{
	static char buf[16384];
	struct stat st;
	int in = open(old, O_RDONLY), out;
	ssize_t n = -1;

	if (in < 0 || fstat(in, &st) < 0) {
		perror(old);
		return 1;
	}
	out = open(new, O_WRONLY | O_CREAT | O_TRUNC, (int)st.st_mode & 0777);
	if (out < 0) {
		perror(new);
		return 1;
	}
	while ((n = read(in, buf, sizeof(buf))) > 0) {
		if (write_all(out, buf, (size_t)n) != n) {
			perror(new);
			break;
		}
	}
	if (n < 0)
		perror(old);
	close(in);
	close(out);
	return n != 0;
}

int
main(int argc, char **argv)
{
	const char *to = argv[argc - 1], *base;
	char path[512];
	struct stat st;
	bool into;
	int i, failed = 0;

	if (argc < 3)
		die("usage: cp OLD NEW, cp FILE... DIR");
	into = stat(to, &st) == 0 && S_ISDIR(st.st_mode);
	if (argc > 3 && !into)
		die("cp: %s is no directory", to);
	for (i = 1; i < argc - 1; i++) {
		base = strrchr(argv[i], '/');
		snprintf(path, sizeof(path), "%s/%s", to,
		    base != NULL ? base + 1 : argv[i]);
		failed |= copy(argv[i], into ? path : to);
	}
	return failed;
}
