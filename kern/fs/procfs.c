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

enum procfs_kind {
	PROCFS_ROOT,
	PROCFS_TERN,	/* /proc/tern */
	PROCFS_SELF,	/* the link /proc/self */
	PROCFS_PID,	/* /proc/PID */
	PROCFS_FILE,
};

struct procfs_node {
	struct inode vfs;
	enum procfs_kind kind;	/* [I] */
	int pid;		/* [I] 0: of no process */
	const struct procfs_file *file; /* [I] of a PROCFS_FILE */
};

/** Contents of an open file, behind file->data. */
struct procfs_text {
	size_t size_bytes;	/* of this allocation */
	size_t len;
	char text[];
};

#define TEXT_MAX ((size_t)1 << 20)

/* Inode numbers: what it is, below the pid of whom. */
#define NODE_INO(pid, index) ((uint64_t)(pid) << 8 | (index))
#define INDEX_DIR  1u
#define INDEX_SELF 2u
#define INDEX_TERN 3u
#define INDEX_FILE 16u /* of the first entry of a table */
#define INDEX_TERN_FILE 64u

static struct kmem_cache node_cache;
static struct inode *procfs_root;
static const struct inode_ops procfs_dir_ops, procfs_link_ops,
    procfs_file_ops;

static struct procfs_node *
node_of(struct inode *ip)
{
	return container_of(ip, struct procfs_node, vfs);
}

static int
node_create(enum procfs_kind kind, int pid, uint64_t ino,
    struct procfs_node **out)
{
	static const uint32_t modes[] = {
		[PROCFS_ROOT] = S_IFDIR | 0555,
		[PROCFS_TERN] = S_IFDIR | 0555,
		[PROCFS_SELF] = S_IFLNK | 0777,
		[PROCFS_PID] = S_IFDIR | 0555,
		[PROCFS_FILE] = S_IFREG | 0444,
	};
	struct procfs_node *n = kmem_alloc(&node_cache);

	if (n == NULL)
		return ENOMEM;
	memset(n, 0, sizeof(*n));
	n->kind = kind;
	n->pid = pid;
	n->vfs.mode = modes[kind];
	n->vfs.ops = S_ISDIR(n->vfs.mode) ? &procfs_dir_ops :
	    S_ISLNK(n->vfs.mode)	  ? &procfs_link_ops :
					    &procfs_file_ops;
	n->vfs.ino = ino;
	n->vfs.nlink = S_ISDIR(n->vfs.mode) ? 2 : 1;
	n->vfs.mnt = procfs_root != NULL ? procfs_root->mnt : NULL;
	inode_hold(&n->vfs);
	*out = n;
	return 0;
}

static void
node_release(struct inode *ip)
{
	kmem_free(&node_cache, node_of(ip));
}

/* ---- directories ---- */

/* The fixed entry @p i of a directory: its files, then directories and links.
 * @return false: there is none */
static bool
dir_fixed(const struct procfs_node *dir, unsigned i, struct dir_entry *e,
    const struct procfs_file **file)
{
	static const char *const extra[] = { "self", "tern" };
	const struct procfs_file *files = procfs_pid_files;
	unsigned n = procfs_npid, first = INDEX_FILE;

	if (dir->kind == PROCFS_ROOT) {
		files = procfs_root_files;
		n = procfs_nroot;
	} else if (dir->kind == PROCFS_TERN) {
		files = procfs_tern_files;
		n = procfs_ntern;
		first = INDEX_TERN_FILE;
	}
	*file = NULL;
	if (i < n) {
		*file = &files[i];
		e->name = files[i].name;
		e->ino = NODE_INO(dir->pid, first + i);
		e->type = DT_REG;
	} else if (dir->kind == PROCFS_ROOT && i - n < ARRAY_SIZE(extra)) {
		e->name = extra[i - n];
		e->ino = NODE_INO(0, i == n ? INDEX_SELF : INDEX_TERN);
		e->type = i == n ? DT_LNK : DT_DIR;
	} else {
		return false;
	}
	e->len = strlen(e->name);
	return true;
}

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
lookup_pid(int pid, struct procfs_node **out)
{
	struct proc *p = pid > 0 ? proc_find(pid) : NULL;

	if (p == NULL)
		return ENOENT;
	proc_drop(p);
	return node_create(PROCFS_PID, pid, NODE_INO(pid, INDEX_DIR), out);
}

static int
procfs_lookup(struct inode *ip, const char *name, size_t len,
    struct inode **out)
{
	struct procfs_node *dir = node_of(ip), *n;
	const struct procfs_file *file;
	enum procfs_kind kind;
	struct dir_entry e;
	int error = ENOENT;

	if (len == 2 && name[0] == '.' && name[1] == '.') {
		inode_hold(procfs_root);
		*out = procfs_root;
		return 0;
	}
	for (unsigned i = 0; dir_fixed(dir, i, &e, &file); i++) {
		if (e.len != len || memcmp(e.name, name, len) != 0)
			continue;
		kind = e.type == DT_LNK ? PROCFS_SELF :
		    e.type == DT_DIR	? PROCFS_TERN :
					  PROCFS_FILE;
		error = node_create(kind, dir->pid, e.ino, &n);
		if (error == 0)
			n->file = file;
		break;
	}
	if (error == ENOENT && dir->kind == PROCFS_ROOT)
		error = lookup_pid(name_to_pid(name, len), &n);
	if (error == 0)
		*out = &n->vfs;
	return error;
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
		e.ino = NODE_INO(p->pid, INDEX_DIR);
		e.next = base + (uint64_t)p->pid;
		proc_drop(p);
		if (!sink->emit(sink, &e))
			return;
		*pos = e.next;
	}
}

/* Cookies: 0 ".", 1 "..", then the fixed entries, then base + last pid. */
static int
procfs_readdir(struct inode *ip, uint64_t *pos, struct dir_sink *sink)
{
	struct procfs_node *dir = node_of(ip);
	const struct procfs_file *file;
	const uint64_t base = 256;
	struct dir_entry e;

	while (*pos < base) {
		if (*pos < 2) {
			e.name = *pos == 0 ? "." : "..";
			e.len = *pos + 1;
			e.ino = *pos == 0 ? ip->ino : procfs_root->ino;
			e.type = DT_DIR;
		} else if (!dir_fixed(dir, (unsigned)*pos - 2, &e, &file)) {
			*pos = base;
			break;
		}
		e.next = *pos + 1;
		if (!sink->emit(sink, &e))
			return 0;
		*pos = e.next;
	}
	if (dir->kind == PROCFS_ROOT)
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
		n->file->show(&sink.sink, p);
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
};

static const struct inode_ops procfs_link_ops = {
	.name = "procfs link",
	.lookup = inode_lookup_enotdir,
	.readlink = procfs_readlink,
	.readdir = inode_readdir_enotdir,
	.open = inode_open_enxio,
	.release = node_release,
};

static const struct inode_ops procfs_file_ops = {
	.name = "procfs file",
	.lookup = inode_lookup_enotdir,
	.readlink = inode_readlink_einval,
	.readdir = inode_readdir_enotdir,
	.open = procfs_open,
	.release = node_release,
};

int
procfs_mount(struct mount *mnt)
{
	struct procfs_node *root;
	int error;

	kmem_cache_init(&node_cache, "procfs", sizeof(struct procfs_node));
	error = node_create(PROCFS_ROOT, 0, NODE_INO(0, INDEX_DIR), &root);
	if (error != 0)
		return error;
	root->vfs.mnt = mnt;
	procfs_root = mnt->root = &root->vfs;
	return 0;
}
