/* SPDX-License-Identifier: MIT */
/*
 * input.c - buffered lines, whole files, whole writes.
 */
#include "libc.h"

void
reader_init(struct reader *r, int fd)
{
	r->fd = fd;
	r->next = r->end = 0;
}

int
reader_getc(struct reader *r)
{
	ssize_t n;

	if (r->next == r->end) {
		n = read(r->fd, r->buf, sizeof(r->buf));
		if (n <= 0)
			return -1;
		r->next = 0;
		r->end = (size_t)n;
	}
	return (unsigned char)r->buf[r->next++];
}

ssize_t
reader_line(struct reader *r, char *line, size_t size)
{
	size_t n = 0;
	int c;

	while ((c = reader_getc(r)) != -1 && c != '\n') {
		if (n + 1 < size)
			line[n++] = (char)c;
	}
	line[n] = '\0';
	return c == -1 && n == 0 ? -1 : (ssize_t)n;
}

ssize_t
read_file(const char *path, char *buf, size_t size)
{
	size_t used = 0;
	ssize_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	while (used + 1 < size &&
	    (n = read(fd, buf + used, size - 1 - used)) > 0)
		used += (size_t)n;
	buf[used] = '\0';
	close(fd);
	return n < 0 ? -1 : (ssize_t)used;
}

ssize_t
write_all(int fd, const void *buf, size_t n)
{
	const char *p = buf;
	size_t done = 0;
	ssize_t r;

	while (done < n) {
		r = write(fd, p + done, n - done);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return -1;
		done += (size_t)r;
	}
	return (ssize_t)done;
}
