/* SPDX-License-Identifier: MIT */
/*
 * powercut.c - the first process of grade/torture.py: changes files for ever,
 * and says what must be on the disk whenever the power goes.
 *
 * On /dev/results, a line each:
 *	begin A [B]	A (and B) change from now on
 *	synced A SEED SIZE	A holds these bytes, and they are on the disk
 *	renamed A B	B is what A was, A is gone, and that is on the disk
 *	gone A		likewise
 */
#include "ktap.h"

#define NAMES	10
#define BUFSIZE 150000

static uint64_t rng;
static int out;

static unsigned
rnd(unsigned n)
{
	return (unsigned)((prng(&rng) >> 20) % n);
}

static const char *
name(unsigned i, char *buf)
{
	size_t n;

	/* Some in a directory of their own, some with long names. */
	snprintf(buf, 300, "/tmp/%s%c", i % 3 == 0 ? "sub/" : "",
	    (int)('a' + i));
	n = strlen(buf);
	if (i % 2 == 0) {
		memset(buf + n, 'x', 200);
		buf[n + 200] = '\0';
	}
	return buf;
}

static void
write_file(unsigned i)
{
	static unsigned char buf[BUFSIZE];
	uint64_t seed = 1 + rnd(1000000), state = seed, word = 0;
	size_t size = rnd(rnd(2) ? 6000 : BUFSIZE), k;
	char path[300];
	bool sync_it = rnd(2);
	int fd;

	for (k = 0; k < size; k++) {
		if (k % 8 == 0)
			word = prng(&state);
		buf[k] = (unsigned char)(word >> k % 8 * 8);
	}
	dprintf(out, "begin %u\n", i);
	fd = open(name(i, path), O_RDWR | O_CREAT | (rnd(2) ? O_TRUNC : 0),
	    0644);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	if (write_all(fd, buf, size) == (ssize_t)size &&
	    ftruncate(fd, (off_t)size) == 0 && sync_it && fsync(fd) == 0)
		dprintf(out, "synced %u %lu %zu\n", i, seed, size);
	close(fd);
}

static void
rename_file(unsigned i)
{
	unsigned j = rnd(NAMES);
	char from[300], to[300];
	int dir;

	if (i == j)
		return;
	dprintf(out, "begin %u %u\n", i, j);
	if (rename(name(i, from), name(j, to)) < 0)
		return;
	dir = open("/tmp", O_RDONLY);
	if (rnd(2) && fsync(dir) == 0)
		dprintf(out, "renamed %u %u\n", i, j);
	close(dir);
}

static void
remove_file(unsigned i)
{
	char path[300];

	dprintf(out, "begin %u\n", i);
	if (unlink(name(i, path)) == 0 && rnd(2)) {
		sync();
		dprintf(out, "gone %u\n", i);
	}
}

/* Others come and go beside them. */
static void
make_noise(void)
{
	char path[64];
	int k;

	for (k = 0; k < 12; k++) {
		snprintf(path, sizeof(path), "/tmp/noise%u", rnd(60));
		if (mkdir(path, 0755) < 0 && rmdir(path) < 0)
			unlink(path);
		snprintf(path, sizeof(path), "/tmp/noise%u", rnd(60));
		(void)symlink("/etc/motd", path);
	}
}

/* Something is always on its way to the disk. */
static void
keep_writing(void)
{
	static char buf[100000];
	char path[64];
	int fd;

	for (;;) {
		snprintf(path, sizeof(path), "/tmp/busy%d-%u", getpid(),
		    rnd(4));
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		if (fd >= 0) {
			(void)write_all(fd, buf, rnd(sizeof(buf)));
			fsync(fd);
			close(fd);
		}
		if (rnd(3) == 0)
			unlink(path);
	}
}

int
main(void)
{
	int i;

	const char *seed = getenv("cut");

	rng = seed != NULL ? strtoul(seed, NULL, 10) + 1 : 1;
	out = open("/dev/results", O_WRONLY);
	(void)mkdir("/tmp/sub", 0755);
	sync();
	for (i = 0; i < 2; i++) {
		if (fork() == 0) {
			rng += (uint64_t)i + 77;
			keep_writing();
		}
	}
	for (;;) {
		unsigned k = rnd(NAMES), what = rnd(10);

		if (what < 5)
			write_file(k);
		else if (what < 8)
			rename_file(k);
		else if (what < 9)
			remove_file(k);
		else
			make_noise();
	}
}
