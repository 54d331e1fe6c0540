/* SPDX-License-Identifier: MIT */
/*
 * ps.c - list processes, from /proc/PID/stat (fields as in Linux).
 */
#include <user.h>

#define F_STATE		3
#define F_PPID		4
#define F_UTIME		14
#define F_STIME		15
#define F_THREADS	20
#define F_VSIZE		23
#define F_RSS		24
#define F_LAST		24

static void
show(const char *pid)
{
	char path[64], buf[1024], *name, *p;
	unsigned long f[F_LAST + 1] = { 0 };
	char state;
	int i;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	if (read_file(path, buf, sizeof(buf)) < 0)
		return;			/* gone meanwhile */
	name = strchr(buf, '(');
	p = strrchr(buf, ')');
	if (name == NULL || p == NULL || p[1] != ' ')
		return;
	*p = '\0';
	state = p[2];
	p += 3;
	for (i = F_PPID; i <= F_LAST; i++)
		f[i] = strtoul(p, &p, 10);
	printf("%5s %5lu %c %4lu %7lu %7lu %6lu.%02lu %s\n", pid, f[F_PPID],
	    state, f[F_THREADS], f[F_VSIZE] / 1024,
	    f[F_RSS] * (PAGE_SIZE / 1024),
	    (f[F_UTIME] + f[F_STIME]) / USER_HZ,
	    (f[F_UTIME] + f[F_STIME]) % USER_HZ, name + 1);
}

int
main(void)
{
	char buf[1024] __attribute__((aligned(8)));
	struct linux_dirent64 *d;
	ssize_t n, at;
	int fd;

	fd = open("/proc", O_RDONLY | O_DIRECTORY);
	if (fd < 0) {
		perror("/proc");
		return 1;
	}
	printf("%5s %5s S THRD %7s %7s %9s COMMAND\n", "PID", "PPID", "VSZ",
	    "RSS", "TIME");
	while ((n = getdents64(fd, buf, sizeof(buf))) > 0) {
		for (at = 0; at < n; at += d->d_reclen) {
			d = (struct linux_dirent64 *)(buf + at);
			if (isdigit(d->d_name[0]))
				show(d->d_name);
		}
	}
	return 0;
}
