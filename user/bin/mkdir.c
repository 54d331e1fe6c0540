/* SPDX-License-Identifier: MIT */
/* mkdir.c - make directories: mkdir [-p] DIR... */
#include <user.h>

/* Those above it as well; what is there already is fine. */
static int
make_all(char *path)
{
	struct stat st;
	char *p;

	for (p = path + 1; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0777) < 0 && errno != EEXIST)
			return -1;
		*p = '/';
	}
	if (mkdir(path, 0777) == 0)
		return 0;
	if (errno != EEXIST || stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return -1;
	return 0;
}

int
main(int argc, char **argv)
{
	bool all = false;
	int c, error, failed = 0;

	while ((c = getopt(argc, argv, "p")) != -1) {
		if (c != 'p')
			die("usage: mkdir [-p] DIR...");
		all = true;
	}
	for (; optind < argc; optind++) {
		if (all)
			error = make_all(argv[optind]);
		else
			error = mkdir(argv[optind], 0777);
		if (error < 0) {
			perror(argv[optind]);
			failed = 1;
		}
	}
	return failed;
}
