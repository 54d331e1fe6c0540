/* SPDX-License-Identifier: MIT */
/*
 * procfs.c - /proc: names, inodes and open files; procfs_text.c has the texts.
 *
 * Path: path.c, file_read -> HERE -> procfs_text.c.
 * Locks: the file's position lock covers its text.
 * Invariants: an inode lives from look-up to its last reference and names its
 *	process by pid, so it holds nothing when the process ends: reads then
 *	say ESRCH.  A file shows one moment: the text is made when it is read
 *	from position 0 and kept until the next time.
 */
#include "abi/errno.h"
#include "fs/procfs.h"
#include "fs/vfs.h"
#include "lib/string.h"
#include "mem/kmem.h"
#include "proc/proc.h"

struct procfs_node {
	struct inode vfs;
	int pid;		/* [I] 0: of no process */
	const struct procfs_entry *entry; /* [I] */
};

/** Contents of an open file, behind file->data. */
struct procfs_text {
	size_t size_bytes;	/* of this allocation */
	size_t len;
	char text[];
};

#define TEXT_MAX ((size_t)1 << 20)

static struct kmem_cache node_cache;
static struct mount *procfs_mnt;
static const struct inode_ops procfs_dir_ops, procfs_link_ops,
    procfs_file_ops;

static struct procfs_node *
node_of(struct inode *ip)
{
	return container_of(ip, struct procfs_node, vfs);
}

/* What it is, below the pid of whom. */
static uint64_t
ino_of(int pid, const struct procfs_entry *e)
{
	return (uint64_t)pid << 8 | (uint64_t)(e - procfs_entries + 1);
}

static int
node_create(int pid, const struct procfs_entry *e, struct inode **out)
{
	struct procfs_node *n = kmem_alloc(&node_cache);

	if (n == NULL)
		return ENOMEM;
	memset(n, 0, sizeof(*n));
	n->pid = pid;
	n->entry = e;
	n->vfs.mnt = procfs_mnt;
	n->vfs.mode = e->mode;
	n->vfs.ino = ino_of(pid, e);
	n->vfs.nlink = S_ISDIR(e->mode) ? 2 : 1;
	n->vfs.ops = S_ISDIR(e->mode) ? &procfs_dir_ops :
	    S_ISLNK(e->mode)	      ? &procfs_link_ops :
					&procfs_file_ops;
	inode_hold(&n->vfs);
	*out = &n->vfs;
	return 0;
}

static void
node_release(struct inode *ip)
{
	kmem_free(&node_cache, node_of(ip));
}

/* ---- directories ---- */

/* A directory name of digits, without leading zeroes; 0: it is none. */
static int
name_to_pid(const char *name, size_t len)
{
	int pid = 0;

	if (len == 0 || len > 8 || name[0] == '0')
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return 0;
		pid = pid * 10 + (name[i] - '0');
	}
	return pid;
}

static int
procfs_lookup(struct inode *ip, const char *name, size_t len,
    struct inode **out)
{
	struct procfs_node *dir = node_of(ip);
	const struct procfs_entry *e = procfs_entries;
	struct proc *p;
	int pid;

	if (len == 2 && name[0] == '.' && name[1] == '.') {
		*out = procfs_mnt->root;
		inode_hold(*out);
		return 0;
	}
	for (; e < procfs_entries + procfs_nentries; e++)
		if (e->in == dir->entry->dir && strlen(e->name) == len &&
		    memcmp(e->name, name, len) == 0)
			return node_create(dir->pid, e, out);
	pid = name_to_pid(name, len);
	if (dir->entry->dir != PROCFS_ROOT || pid == 0)
		return ENOENT;
	p = proc_find(pid);
	if (p == NULL)
		return ENOENT;
	proc_drop(p);
	return node_create(pid, &procfs_entries[1], out);
}

/* Entries of the processes, from pid @p *pos - @p base on. */
static void
readdir_pids(uint64_t *pos, uint64_t base, struct dir_sink *sink)
{
	struct dir_entry e = { .type = DT_DIR };
	struct proc *p;
	char name[16];

	while (*pos - base < INT32_MAX) {
		p = proc_next((int)(*pos - base));
		if (p == NULL)
			return;
		e.name = name;
		e.len = (size_t)snprintf(name, sizeof(name), "%d", p->pid);
		e.ino = ino_of(p->pid, &procfs_entries[1]);
		e.next = base + (uint64_t)p->pid;
		proc_drop(p);
		if (!sink->emit(sink, &e))
			return;
		*pos = e.next;
	}
}

/* Cookies: 0 ".", 1 "..", then entries of the table, then base + last pid. */
static int
procfs_readdir(struct inode *ip, uint64_t *pos, struct dir_sink *sink)
{
	struct procfs_node *dir = node_of(ip);
	const uint64_t base = 2 + procfs_nentries;
	struct dir_entry d;

	for (; *pos < base; *pos = d.next) {
		const struct procfs_entry *e =
		    &procfs_entries[*pos < 2 ? 0 : *pos - 2];

		d.next = *pos + 1;
		if (*pos < 2) {
			d.name = &".."[1 - *pos];
			d.ino = *pos == 0 ? ip->ino : procfs_mnt->root->ino;
			d.type = DT_DIR;
		} else if (e->in == dir->entry->dir) {
			d.name = e->name;
			d.ino = ino_of(dir->pid, e);
			d.type = inode_dirent_type(e->mode);
		} else {
			continue;
		}
		d.len = strlen(d.name);
		if (!sink->emit(sink, &d))
			return 0;
	}
	if (dir->entry->dir == PROCFS_ROOT)
		readdir_pids(pos, base, sink);
	return 0;
}

static int
procfs_readlink(struct inode *ip, char *buf, size_t size, size_t *len)
{
	char name[16];

	*len = (size_t)snprintf(name, sizeof(name), "%d", proc_self()->pid);
	*len = MIN(*len, size);
	memcpy(buf, name, *len);
	return 0;
}

/* ---- files ---- */

static void
text_free(struct file *f)
{
	struct procfs_text *t = f->data;

	if (t != NULL)
		kfree(t, t->size_bytes);
	f->data = NULL;
}

/* Make the text, in a buffer that grows until it fits. */
static int
text_make(struct file *f, struct proc *p)
{
	const struct procfs_node *n = node_of(f->inode);
	struct procfs_text *t;
	struct buf_sink sink;

	for (size_t size = PAGE_SIZE; size <= TEXT_MAX; size *= 4) {
		t = kmalloc(size);
		if (t == NULL)
			return ENOMEM;
		t->size_bytes = size;
		buf_sink_init(&sink, t->text, size - sizeof(*t), 0);
		n->entry->show(&sink.sink, p);
		t->len = MIN(sink.total, size - sizeof(*t));
		f->data = t;
		if (sink.total == t->len)
			return 0;
		text_free(f);
	}
	return EFBIG;
}

static int
text_renew(struct file *f)
{
	int pid = node_of(f->inode)->pid;
	struct proc *p = NULL;
	int error;

	text_free(f);
	if (pid != 0) {
		p = proc_find(pid);
		if (p == NULL)
			return ESRCH;
	}
	error = text_make(f, p);
	if (p != NULL)
		proc_drop(p);
	return error;
}

static int
procfs_read(struct file *f, const struct vm_pinned *buf, uint64_t pos,
    size_t *done)
{
	const struct procfs_text *t;
	int error;

	KASSERT(sleep_held_exclusive(&f->lock));
	if (pos == 0 || f->data == NULL) {
		error = text_renew(f);
		if (error != 0)
			return error;
	}
	t = f->data;
	if (pos < t->len) {
		*done = MIN(buf->size, t->len - pos);
		vm_pinned_write(buf, 0, t->text + pos, *done);
	}
	return 0;
}

static void
procfs_file_release(struct file *f)
{
	text_free(f);
	inode_file_release(f);
}

static const struct file_ops procfs_open_ops = {
	.name = "procfs file",
	.seekable = true,
	.read = procfs_read,
	.write = file_write_einval,
	.stat = inode_file_stat,
	.readdir = file_readdir_enotdir,
	.ioctl = file_ioctl_enotty,
	.poll = file_poll_ready,
	.size = file_size_zero,
	.release = procfs_file_release,
};

static int
procfs_open(struct inode *ip, unsigned flags, struct file **out)
{
	int error = file_create(&procfs_open_ops, flags, NULL, out);

	if (error == 0)
		(*out)->inode = ip;
	return error;
}

static const struct inode_ops procfs_dir_ops = {
	.name = "procfs directory",
	.lookup = procfs_lookup,
	.readlink = inode_readlink_einval,
	.readdir = procfs_readdir,
	.open = inode_open_dir,
	.release = node_release,
	.edit = &inode_edit_none,
};

static const struct inode_ops procfs_link_ops = {
	.name = "procfs link",
	.lookup = inode_lookup_enotdir,
	.readlink = procfs_readlink,
	.readdir = inode_readdir_enotdir,
	.open = inode_open_enxio,
	.release = node_release,
	.edit = &inode_edit_none,
};

static const struct inode_ops procfs_file_ops = {
	.name = "procfs file",
	.lookup = inode_lookup_enotdir,
	.readlink = inode_readlink_einval,
	.readdir = inode_readdir_enotdir,
	.open = procfs_open,
	.release = node_release,
	.edit = &inode_edit_none,
};

int
procfs_mount(struct mount *mnt)
{
	procfs_mnt = mnt;
	kmem_cache_init(&node_cache, "procfs", sizeof(struct procfs_node));
	return node_create(0, &procfs_entries[0], &mnt->root);
}
