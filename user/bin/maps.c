/* SPDX-License-Identifier: MIT */
/*
 * maps.c - print the region listing of processes (default: its own).
 */
#include <user.h>

static int
show(const char *pid)
{
	char path[64], buf[512];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0) {
		perror(path);
		return 1;
	}
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		write_all(STDOUT_FILENO, buf, (size_t)n);
	close(fd);
	return n < 0;
}

int
main(int argc, char **argv)
{
	int i, failed = 0;

	if (argc == 1)
		return show("self");
	for (i = 1; i < argc; i++)
		failed |= show(argv[i]);
	return failed;
}
