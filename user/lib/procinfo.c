/* SPDX-License-Identifier: MIT */
/*
 * procinfo.c - list processes, from /proc/PID/stat (fields as in Linux).
 */
#include "libc.h"
#include <procinfo.h>

#define F_STATE		3
#define F_PPID		4
#define F_PGID		5
#define F_UTIME		14
#define F_STIME		15
#define F_THREADS	20
#define F_VSIZE		23
#define F_RSS		24
#define F_LAST		24

/* False if it has gone meanwhile. */
static bool
procinfo_read(const char *pid, struct procinfo *pi)
{
	char path[64], buf[1024], *name, *p;
	unsigned long f[F_LAST + 1] = { 0 };
	int i;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	if (read_file(path, buf, sizeof(buf)) < 0)
		return false;
	name = strchr(buf, '(');
	p = strrchr(buf, ')');		/* the name may hold one, too */
	if (name == NULL || p == NULL || p[1] != ' ')
		return false;
	*p = '\0';
	pi->state = p[2];
	p += 3;
	for (i = F_PPID; i <= F_LAST; i++)
		f[i] = strtoul(p, &p, 10);
	pi->pid = atoi(pid);
	pi->ppid = (int)f[F_PPID];
	pi->pgid = (int)f[F_PGID];
	strlcpy(pi->name, name + 1, sizeof(pi->name));
	pi->nthreads = f[F_THREADS];
	pi->ticks = f[F_UTIME] + f[F_STIME];
	pi->virtual_kib = f[F_VSIZE] / 1024;
	pi->resident_kib = f[F_RSS] * (PAGE_SIZE / 1024);
	return true;
}

int
procinfo_each(void (*fn)(const struct procinfo *))
{
	char buf[1024] __attribute__((aligned(8)));
	struct linux_dirent64 *d;
	struct procinfo pi;
	ssize_t n, at;
	int fd;

	fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while ((n = getdents64(fd, buf, sizeof(buf))) > 0) {
		for (at = 0; at < n; at += d->d_reclen) {
			d = (struct linux_dirent64 *)(buf + at);
			if (isdigit(d->d_name[0]) &&
			    procinfo_read(d->d_name, &pi))
				fn(&pi);
		}
	}
	close(fd);
	return 0;
}
