/* SPDX-License-Identifier: MIT */
/*
 * path.c - from a path to an inode.
 *
 * Path: vfs.c -> HERE -> inode_ops.lookup, .readlink of the file systems.
 * Locks: none; each step holds a reference on the inode where it stands.
 * Invariants: a walk ends: every turn uses up a component, and at most
 *	LINKS_MAX links put new ones in front.
 */
#include "abi/errno.h"
#include "fs/vfs.h"
#include "lib/string.h"
#include "mem/kmem.h"

#define LINKS_MAX 40 /* as Linux */

/** A walk in progress. */
struct walk {
	struct inode *at;	/* where it stands, with a reference */
	const char *p;		/* what is left of the path */
	char *spliced;		/* buffer of p once a link was followed */
	unsigned nlinks;
	struct path_last *last;	/* wanted: do not step onto the last one */
};

struct mount *path_root;

/* Move the walk to @p ip, which brings its reference. */
static void
walk_to(struct walk *w, struct inode *ip)
{
	inode_drop(w->at);
	w->at = ip;
}

/* From a covered directory to what is mounted there; @p ip's reference is
 * exchanged. */
static struct inode *
cross(struct inode *ip)
{
	while (ip->covered != NULL) {
		struct inode *root = ip->covered->root;

		inode_hold(root);
		inode_drop(ip);
		ip = root;
	}
	return ip;
}

static int
walk_parent(struct walk *w)
{
	struct inode *ip;
	int error;

	while (w->at == w->at->mnt->root) {
		if (w->at->mnt->point == NULL)
			return 0; /* the root is its own parent */
		ip = w->at->mnt->point;
		inode_hold(ip);
		walk_to(w, ip);
	}
	error = w->at->ops->lookup(w->at, "..", 2, &ip);
	if (error == 0)
		walk_to(w, ip);
	return error;
}

/* Put the target of link @p ip in front of the rest of the path. */
static int
walk_link(struct walk *w, struct inode *ip)
{
	size_t rest = strlen(w->p), len;
	char *buf;
	int error;

	if (++w->nlinks > LINKS_MAX)
		return ELOOP;
	buf = kmalloc(PATH_MAX);
	if (buf == NULL)
		return ENOMEM;
	error = ip->ops->readlink(ip, buf, PATH_MAX, &len);
	if (error == 0 && len + rest >= PATH_MAX)
		error = ENAMETOOLONG;
	if (error != 0) {
		kfree(buf, PATH_MAX);
		return error;
	}
	memcpy(buf + len, w->p, rest + 1);
	if (w->spliced != NULL)
		kfree(w->spliced, PATH_MAX);
	w->p = w->spliced = buf;
	if (*buf == '/') {
		inode_hold(path_root->root);
		walk_to(w, path_root->root);
	}
	return 0;
}

/* The walk ends in w->at, at a name for @p ip (its reference; may be NULL). */
static void
note_last(struct walk *w, const char *name, size_t len, struct inode *ip)
{
	struct path_last *l = w->last;

	inode_hold(w->at);
	l->dir = w->at;
	l->ip = ip;
	memcpy(l->buf, name, len);
	l->buf[len] = '\0';
	l->name = (struct name){ l->buf, len };
}

/* One component, @p len bytes at @p name; w->p stands behind it.
 * @p stop: it is the last one, and w->last wants to know it */
static int
walk_component(struct walk *w, const char *name, size_t len, bool follow,
    bool stop)
{
	struct inode *ip = NULL;
	int error;

	if (!S_ISDIR(w->at->mode))
		return ENOTDIR;
	if (len > NAME_MAX)
		return ENAMETOOLONG;
	if (len == 1 && name[0] == '.')
		return 0;
	if (len == 2 && name[0] == '.' && name[1] == '.') {
		if (stop)
			w->last->dotdot = true;
		return walk_parent(w);
	}
	error = w->at->ops->lookup(w->at, name, len, &ip);
	if (error == ENOENT && stop)
		ip = NULL;
	else if (error != 0)
		return error;
	if (ip != NULL && S_ISLNK(ip->mode) && follow) {
		error = walk_link(w, ip);
		inode_drop(ip);
		return error;
	}
	if (ip != NULL)
		ip = cross(ip);
	if (stop)
		note_last(w, name, len, ip);
	else
		walk_to(w, ip);
	return 0;
}

/* All components. */
static int
walk_all(struct walk *w, unsigned flags)
{
	bool slash = false, last;
	const char *name;
	size_t len;
	int error;

	for (;;) {
		while (*w->p == '/')
			w->p++;
		if (*w->p == '\0')
			break;
		name = w->p;
		for (len = 0; name[len] != '/' && name[len] != '\0'; len++)
			;
		w->p = name + len;
		slash = *w->p == '/';
		while (*w->p == '/' && w->p[1] == '/')
			w->p++;
		last = w->p[0] == '\0' || w->p[1] == '\0';
		error = walk_component(w, name, len,
		    slash || !last || (flags & WALK_NOFOLLOW) == 0,
		    last && w->last != NULL);
		if (error != 0)
			return error;
	}
	if (w->last != NULL && w->last->dir != NULL) {
		w->last->slash = slash;
		return 0;
	}
	/* "name/" names a directory, or nothing. */
	return slash && !S_ISDIR(w->at->mode) ? ENOTDIR : 0;
}

/* @p w has path and last set. On success w->at has a reference. */
static int
walk(struct walk *w, struct file *dir, unsigned flags)
{
	int error;

	if (w->p[0] == '\0')
		return ENOENT;
	if (w->p[0] == '/' || dir == NULL)
		w->at = path_root->root;
	else if (dir->inode == NULL)
		return ENOTDIR;
	else
		w->at = dir->inode;
	inode_hold(w->at);
	error = walk_all(w, flags);
	if (w->spliced != NULL)
		kfree(w->spliced, PATH_MAX);
	if (error != 0)
		inode_drop(w->at);
	return error;
}

int
path_walk(struct file *dir, const char *path, unsigned flags,
    struct inode **out)
{
	struct walk w = { .p = path };
	int error = walk(&w, dir, flags);

	if (error == 0)
		*out = w.at;
	return error;
}

int
path_walk_last(struct file *dir, const char *path, unsigned flags,
    struct path_last *l)
{
	struct walk w = { .p = path, .last = l };
	int error;

	l->dir = l->ip = NULL;
	l->name.len = 0;
	l->dotdot = l->slash = false;
	error = walk(&w, dir, flags);
	if (error != 0)
		path_last_put(l);
	else if (l->dir != NULL)
		inode_drop(w.at);
	else
		l->ip = w.at; /* no name led there */
	return error;
}

void
path_last_put(struct path_last *l)
{
	if (l->ip != NULL)
		inode_drop(l->ip);
	if (l->dir != NULL)
		inode_drop(l->dir);
	l->ip = l->dir = NULL;
}

/* ---- the way back: the path of a directory ---- */

/** Looks for the entry of one inode number and puts its name in front of what
 * is in the buffer. */
struct name_sink {
	struct dir_sink sink;
	uint64_t ino;
	char *buf;
	size_t start;	/* the path so far is buf[start, end) */
	int error;	/* ENOENT until it was found */
};

static bool
name_emit(struct dir_sink *sink, const struct dir_entry *e)
{
	struct name_sink *ns = container_of(sink, struct name_sink, sink);

	if (e->ino != ns->ino ||
	    (e->name[0] == '.' && (e->len == 1 ||
				      (e->len == 2 && e->name[1] == '.'))))
		return true;
	if (e->len + 1 > ns->start) {
		ns->error = ERANGE;
		return false;
	}
	ns->start -= e->len;
	memcpy(ns->buf + ns->start, e->name, e->len);
	ns->buf[--ns->start] = '/';
	ns->error = 0;
	return false;
}

/* One step up, from w->at to its parent. */
static int
getcwd_step(struct walk *w, struct name_sink *ns)
{
	uint64_t pos = 0;
	int error;

	while (w->at == w->at->mnt->root) {
		struct inode *ip = w->at->mnt->point;

		inode_hold(ip);
		walk_to(w, ip);
	}
	ns->ino = w->at->ino;
	ns->error = ENOENT;
	error = walk_parent(w);
	if (error == 0)
		error = w->at->ops->readdir(w->at, &pos, &ns->sink);
	return error != 0 ? error : ns->error;
}

int
vfs_getcwd(struct file *dir, char *buf, size_t size, size_t *len)
{
	struct name_sink ns = { .sink.emit = name_emit, .buf = buf };
	struct walk w = { 0 };
	int error = 0;

	if (size < 2)
		return ERANGE;
	if (dir != NULL && (dir->inode == NULL || !S_ISDIR(dir->inode->mode)))
		return ENOTDIR;
	w.at = dir != NULL ? dir->inode : path_root->root;
	inode_hold(w.at);
	ns.start = size - 1;
	buf[ns.start] = '\0';
	while (error == 0 && w.at != path_root->root)
		error = getcwd_step(&w, &ns);
	inode_drop(w.at);
	if (error != 0)
		return error;
	if (ns.start == size - 1)
		buf[--ns.start] = '/';
	*len = size - ns.start;
	memmove(buf, buf + ns.start, *len);
	return 0;
}
