/* SPDX-License-Identifier: MIT */
/*
 * edit_text.c - the editor's text: lines, reading and saving them.
 *
 * The text is an array of lines.  What cannot be done for want of memory is not
 * done, and says so.  A file is replaced only after its new contents are on the
 * disk, so that neither a full disk nor a power cut loses the old text or the
 * new.
 */
#include "edit.h"

#include <term.h>

struct lines text;
bool changed;
char path[PATH_SIZE];

static bool open_end;		/* the last line has no newline */
static struct stat on_disk;	/* as it was read or saved; ino 0: new */

/* Makes room for @n more; false, and a message, without memory. */
static bool
line_room(struct line *l, size_t n)
{
	size_t max = MAX(l->max, (size_t)16);
	char *s;

	while (max < l->n + n)
		max *= 2;
	if (max == l->max)
		return true;
	s = realloc(l->s, max);
	if (s == NULL) {
		say("no memory");
		return false;
	}
	l->s = s;
	l->max = max;
	return true;
}

bool
line_insert(struct line *l, size_t at, const char *s, size_t n)
{
	if (!line_room(l, n))
		return false;
	memmove(l->s + at + n, l->s + at, l->n - at);
	memcpy(l->s + at, s, n);
	l->n += n;
	return true;
}

void
line_remove(struct line *l, size_t at, size_t n)
{
	memmove(l->s + at, l->s + at + n, l->n - at - n);
	l->n -= n;
}

/* A new line of these bytes before line @at. */
bool
lines_insert(struct lines *t, size_t at, const char *s, size_t n)
{
	struct line l = { 0 }, *v;
	size_t max = MAX(2 * t->max, (size_t)64);

	if (t->n == t->max) {
		v = realloc(t->v, max * sizeof(*v));
		if (v == NULL) {
			say("no memory");
			return false;
		}
		t->v = v;
		t->max = max;
	}
	if (!line_insert(&l, 0, s, n))
		return false;
	memmove(&t->v[at + 1], &t->v[at], (t->n - at) * sizeof(l));
	t->v[at] = l;
	t->n++;
	return true;
}

void
lines_remove(struct lines *t, size_t at)
{
	free(t->v[at].s);
	t->n--;
	memmove(&t->v[at], &t->v[at + 1], (t->n - at) * sizeof(t->v[0]));
}

void
lines_clear(struct lines *t)
{
	while (t->n > 0)
		lines_remove(t, t->n - 1);
}

/* --- files ----------------------------------------------------------- */

/* Adds what was read; a line may come in several pieces. */
static bool
take(const char *buf, size_t n)
{
	const char *end;
	size_t len;

	while (n > 0) {
		end = memchr(buf, '\n', n);
		len = end != NULL ? (size_t)(end - buf) : n;
		if (open_end) {
			struct line *l = &text.v[text.n - 1];

			if (!line_insert(l, l->n, buf, len))
				return false;
		} else if (!lines_insert(&text, text.n, buf, len)) {
			return false;
		}
		open_end = end == NULL;
		len += end != NULL;
		buf += len;
		n -= len;
	}
	return true;
}

void
load(const char *name)
{
	static char buf[8192];
	ssize_t n = 0;
	int fd;

	if (strlcpy(path, name, sizeof(path)) >= sizeof(path))
		die("edit: %s", strerror(ENAMETOOLONG));
	/* Saving replaces the name: a symbolic link would be lost. */
	fd = open(path, O_RDONLY | O_NOFOLLOW);
	if (fd < 0 && errno != ENOENT)
		die("edit: %s: %s", path, strerror(errno));
	if (fd < 0) {
		say("new file");
		return;
	}
	if (fstat(fd, &on_disk) < 0 || !S_ISREG(on_disk.st_mode))
		die("edit: %s: not a regular file", path);
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		if (!take(buf, (size_t)n))
			die("edit: %s: %s", path, strerror(ENOMEM));
	}
	if (n < 0)
		die("edit: %s: %s", path, strerror(errno));
	close(fd);
	say("%zu lines", text.n);
}

/* Writes through a buffer; returns false with errno. */
static bool
write_text(int fd)
{
	static char buf[8192];
	size_t used = 0, i, at, n;

	for (i = 0; i < text.n; i++) {
		const struct line *l = &text.v[i];
		bool newline = i + 1 < text.n ||
		    (!open_end && (i > 0 || l->n > 0));

		for (at = 0; at < l->n + newline; at += n) {
			n = at < l->n ? MIN(l->n - at, sizeof(buf) - used) : 1;
			memcpy(buf + used, at < l->n ? l->s + at : "\n", n);
			used += n;
			if (used == sizeof(buf)) {
				if (write_all(fd, buf, used) < 0)
					return false;
				used = 0;
			}
		}
	}
	return write_all(fd, buf, used) >= 0;
}

/* All of the text on the disk below this name, or errno. */
static bool
write_file(const char *name)
{
	int fd, error;
	bool ok;

	fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0666);
	if (fd < 0)
		return false;
	ok = write_text(fd) && fsync(fd) == 0 &&
	    (on_disk.st_ino == 0 ||
		fchmod(fd, (int)(on_disk.st_mode & 07777)) == 0);
	error = errno;
	close(fd);
	if (!ok)
		unlink(name);
	errno = error;
	return ok;
}

/* The new name must be on the disk, too. */
static bool
sync_directory(void)
{
	char dir[sizeof(path)], *slash;
	int fd, error;

	strlcpy(dir, path, sizeof(dir));
	slash = strrchr(dir, '/');
	if (slash == NULL)
		strlcpy(dir, ".", sizeof(dir));
	else
		slash[slash == dir] = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return false;
	error = fsync(fd);
	close(fd);
	return error == 0;
}

static bool
same_as_read(void)
{
	struct stat now;

	if (stat(path, &now) < 0)
		return errno == ENOENT && on_disk.st_ino == 0;
	return now.st_ino == on_disk.st_ino &&
	    now.st_size == on_disk.st_size &&
	    now.st_mtime == on_disk.st_mtime &&
	    now.st_mtime_nsec == on_disk.st_mtime_nsec;
}

void
save(void)
{
	static bool warned;
	char new[sizeof(path) + 8];

	if (path[0] == '\0' && !prompt("save as", path, sizeof(path)))
		return;
	if (!same_as_read() && !warned) {
		warned = true;
		say("it changed on the disk: ^S again replaces it");
		return;
	}
	snprintf(new, sizeof(new), "%s.edit~", path);
	unlink(new);			/* of an editor that was killed */
	if (!write_file(new)) {
		say("not saved: %s", strerror(errno));
		return;
	}
	if (rename(new, path) < 0) {
		say("not saved: %s", strerror(errno));
		unlink(new);
		return;
	}
	warned = changed = false;
	say("saved %zu lines", text.n);
	if (!sync_directory())
		say("saved, but not synced: %s", strerror(errno));
	stat(path, &on_disk);
}

/* The terminal is lost: what is not saved goes into a file of its own. */
void
leave_unsaved(void)
{
	char name[sizeof(path) + 12];
	int i;

	for (i = 0; changed && i < 100; i++) {
		snprintf(name, sizeof(name), i == 0 ? "%s.save" : "%s.save%d",
		    path[0] != '\0' ? path : "edit", i);
		if (write_file(name))
			break;
	}
	if (tcgetpgrp(STDIN_FILENO) == getpgid(0))
		normal_mode();
	_exit(1);
}
