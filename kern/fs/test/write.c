/* SPDX-License-Identifier: MIT */
/*
 * write.c - random changes of a file system against a model of it.
 *
 * The model is a small tree in memory.  Each operation is done on both, and
 * must give the same error and the same bytes.  An episode ends with unmount
 * and e2fsck -fn, and begins with a look at everything after the mount.  In
 * between the power is cut: the blocks written so far are the disk; one e2fsck
 * -fy must repair it, a second one be content, and what was synced be there.
 */
#include "abi/errno.h"
#include "fs/test/test.h"
#include "lib/printf.h"
#include "proc/block.h"

#define NODES	  48
#define PAGES	  1400 /* of a file: into double indirect blocks */
#define NAMES	  14
#define STEPS	  120
#define LINK_SIZE 200

enum kind { NONE, REG, DIR, LNK };

struct node {
	enum kind kind;
	unsigned links;
	uint64_t size;
	unsigned char *page[PAGES]; /* REG; NULL: zero */
	char target[LINK_SIZE];	    /* LNK */
	int child[NAMES];	    /* DIR: by name, -1: none */
	int parent, name;	    /* DIR */
};

static struct node nodes[NODES];
static uint64_t rng;
static struct mount mnt;

static unsigned
rnd(unsigned n)
{
	return (unsigned)(test_random(&rng) % n);
}

static const char *
name_of(int n)
{
	static const char *const stems[] = { "a", "bb", "file.txt",
		"a-name-that-is-rather-long-so-that-few-fit-into-a-block-" };
	static char buf[300];
	int len = snprintf(buf, sizeof(buf), "%s%d", stems[n % 4], n);

	/* Two of them fill a directory block with a dozen others. */
	while (n >= NAMES - 2 && len < 250)
		buf[len++] = 'x';
	buf[len] = '\0';
	return buf;
}

static void
path_of(int dir, int name, char *buf, size_t size)
{
	char tail[2048] = "";

	for (;;) {
		char part[2048];

		snprintf(part, sizeof(part), "/%s%s", name_of(name), tail);
		strlcpy(tail, part, sizeof(tail));
		if (dir == 0)
			break;
		name = nodes[dir].name;
		dir = nodes[dir].parent;
	}
	strlcpy(buf, tail, size);
}

/* ---- the model ---- */

static int
node_new(enum kind kind)
{
	for (int i = 1; i < NODES; i++)
		if (nodes[i].kind == NONE) {
			memset(&nodes[i], 0, sizeof(nodes[i]));
			nodes[i].kind = kind;
			for (int n = 0; n < NAMES; n++)
				nodes[i].child[n] = -1;
			return i;
		}
	return -1;
}

static void
node_truncate(struct node *n, uint64_t size)
{
	for (uint64_t p = ROUND_UP(size, PAGE_SIZE) / PAGE_SIZE; p < PAGES;
	     p++)
		if (n->page[p] != NULL) {
			os_free(n->page[p]);
			n->page[p] = NULL;
		}
	if (size % PAGE_SIZE != 0 && n->page[size / PAGE_SIZE] != NULL)
		memset(n->page[size / PAGE_SIZE] + size % PAGE_SIZE, 0,
		    PAGE_SIZE - size % PAGE_SIZE);
	n->size = size;
}

static void
node_unlink(int dir, int name)
{
	struct node *n = &nodes[nodes[dir].child[name]];

	nodes[dir].child[name] = -1;
	if (n->kind == DIR || --n->links == 0) {
		if (n->kind == REG)
			node_truncate(n, 0);
		n->kind = NONE;
	}
}

static bool
dir_is_empty(const struct node *d)
{
	for (int n = 0; n < NAMES; n++)
		if (d->child[n] >= 0)
			return false;
	return true;
}

static bool
is_above(int dir, int below)
{
	for (; below != 0; below = nodes[below].parent)
		if (below == dir)
			return true;
	return dir == 0;
}

static int
some_dir(void)
{
	int d;

	do
		d = (int)rnd(NODES);
	while (nodes[d].kind != DIR);
	return d;
}

/* ---- comparing everything ---- */

static void
compare_bytes(const char *path, const struct node *n)
{
	static const unsigned char zeroes[PAGE_SIZE];
	struct file *f;

	if (vfs_open(NULL, path, O_RDONLY, 0, &f) != 0) {
		check(false, path);
		return;
	}
	for (uint64_t pos = 0; pos < n->size; pos += PAGE_SIZE) {
		size_t want = MIN(PAGE_SIZE, n->size - pos);
		const unsigned char *p = n->page[pos / PAGE_SIZE];
		long got = file_read(f, &test_space, TEST_USER, PAGE_SIZE,
		    NULL);

		if (got != (long)want ||
		    memcmp(test_user(TEST_USER), p != NULL ? p : zeroes,
			want) != 0) {
			check(false, path);
			break;
		}
	}
	check(file_read(f, &test_space, TEST_USER, 1, NULL) == 0, path);
	file_drop(f);
}

static void
compare_link(const char *path, const struct node *n)
{
	char buf[PATH_MAX];
	size_t len = 0;
	int error = vfs_readlink(NULL, path, buf, sizeof(buf), &len);

	check(error == 0 && len == strlen(n->target) &&
	    memcmp(buf, n->target, len) == 0, path);
}

static void
compare_tree(int dir)
{
	char path[2048];
	unsigned subdirs = 0;
	struct stat st;

	for (int name = 0; name < NAMES; name++) {
		int i = nodes[dir].child[name], error;
		const struct node *n = &nodes[i < 0 ? 0 : i];

		path_of(dir, name, path, sizeof(path));
		error = vfs_stat(NULL, path, AT_SYMLINK_NOFOLLOW, &st);
		if (i < 0) {
			check(error == ENOENT, path);
			continue;
		}
		check(error == 0, path);
		if (n->kind == DIR) {
			check(S_ISDIR(st.st_mode), path);
			compare_tree(i);
			subdirs++;
		} else if (n->kind == LNK) {
			check(S_ISLNK(st.st_mode), path);
			compare_link(path, n);
		} else {
			check(S_ISREG(st.st_mode) &&
			    (uint64_t)st.st_size == n->size &&
			    st.st_nlink == n->links, path);
			compare_bytes(path, n);
		}
	}
	if (dir != 0) {
		path_of(nodes[dir].parent, nodes[dir].name, path,
		    sizeof(path));
		CHECK_ERROR(vfs_stat(NULL, path, 0, &st), 0);
		check(st.st_nlink == 2 + subdirs, path);
	}
}

/* ---- operations: the error that the model expects, then both change ---- */

static void
expect(int got, int want, const char *what, const char *path)
{
	char line[2200];

	if (got == want || (got == ENOSPC && want == 0)) {
		check(true, "");
		return;
	}
	snprintf(line, sizeof(line), "%s: %d, expected %d: %s", what, got,
	    want, path);
	check(false, line);
}

static void
op_make(int dir, int name)
{
	static const enum kind kinds[] = { REG, REG, DIR, LNK };
	enum kind kind = kinds[rnd(4)];
	char path[2048], target[LINK_SIZE];
	int i, error, want = nodes[dir].child[name] >= 0 ? EEXIST : 0;
	unsigned len = 1 + rnd(rnd(2) ? 58 : LINK_SIZE - 2);

	for (unsigned k = 0; k < len; k++)
		target[k] = (char)('a' + (k + len) % 26);
	target[len] = '\0';
	path_of(dir, name, path, sizeof(path));
	error = vfs_make(NULL, path,
	    kind == DIR ? S_IFDIR | 0755 :
		kind == LNK ? S_IFLNK | 0777 : S_IFREG | 0644,
	    kind == LNK ? target : NULL);
	expect(error, want, "make", path);
	if (error != 0 || (i = node_new(kind)) < 0) {
		if (error == 0) /* the model is full */
			CHECK_ERROR(vfs_unlink(NULL, path,
					kind == DIR ? AT_REMOVEDIR : 0), 0);
		return;
	}
	nodes[i].links = 1;
	nodes[i].parent = dir;
	nodes[i].name = name;
	strlcpy(nodes[i].target, target, LINK_SIZE);
	nodes[dir].child[name] = i;
}

static void
op_write(int dir, int name)
{
	int i = nodes[dir].child[name];
	struct node *n = &nodes[i < 0 ? 0 : i];
	unsigned far = rnd(4) == 0 ? (PAGES - 20) * PAGE_SIZE : 20000;
	uint64_t pos = rnd(far), seed = test_random(&rng);
	size_t size = 1 + rnd(30000);
	bool append = rnd(4) == 0;
	char path[2048];
	struct file *f;
	long done;

	if (i < 0 || n->kind != REG)
		return;
	path_of(dir, name, path, sizeof(path));
	expect(vfs_open(NULL, path, O_RDWR | (append ? O_APPEND : 0), 0, &f),
	    0, "open", path);
	if (append)
		pos = n->size;
	if (pos + size > (uint64_t)PAGES * PAGE_SIZE)
		pos = 0, append = false;
	for (size_t k = 0; k < size; k++)
		*test_user(TEST_USER + 77 + k) = (char)(seed >> k % 56);
	if (append)
		done = file_write(f, &test_space, TEST_USER + 77, size, NULL);
	else
		done = file_write(f, &test_space, TEST_USER + 77, size, &pos);
	if (f->flags & O_APPEND)
		pos = n->size;
	check(done == -ENOSPC || (done > 0 && (size_t)done <= size), path);
	if (done > 0)
		n->size = MAX(n->size, pos + (uint64_t)done);
	for (long k = 0; k < done; k++, pos++) {
		unsigned char **p = &n->page[pos / PAGE_SIZE];

		if (*p == NULL)
			*p = memset(os_alloc(PAGE_SIZE), 0, PAGE_SIZE);
		(*p)[pos % PAGE_SIZE] = (unsigned char)(seed >> k % 56);
	}
	file_drop(f);
}

static void
op_truncate(int dir, int name)
{
	int i = nodes[dir].child[name];
	struct node *n = &nodes[i < 0 ? 0 : i];
	uint64_t size = rnd(3) == 0 ? rnd(PAGES * PAGE_SIZE) : rnd(60000);
	char path[2048];
	int error;

	if (i >= 0 && n->kind == LNK)
		return;
	path_of(dir, name, path, sizeof(path));
	error = vfs_truncate(NULL, path, size);
	expect(error, i < 0 ? ENOENT : n->kind == DIR ? EISDIR : 0, "truncate",
	    path);
	if (error == 0)
		node_truncate(n, size);
}

static void
op_remove(int dir, int name)
{
	int i = nodes[dir].child[name], want = 0, error;
	bool rmdir = rnd(2);
	char path[2048];

	if (i < 0)
		want = ENOENT;
	else if ((nodes[i].kind == DIR) != rmdir)
		want = rmdir ? ENOTDIR : EISDIR;
	else if (rmdir && !dir_is_empty(&nodes[i]))
		want = ENOTEMPTY;
	path_of(dir, name, path, sizeof(path));
	error = vfs_unlink(NULL, path, rmdir ? AT_REMOVEDIR : 0);
	expect(error, want, "remove", path);
	if (error == 0)
		node_unlink(dir, name);
}

static void
op_link(int dir, int name)
{
	int to = some_dir(), new = (int)rnd(NAMES), want = 0, error;
	int i = nodes[dir].child[name];
	char a[2048], b[2048];

	if (i < 0)
		want = ENOENT;
	else if (nodes[to].child[new] >= 0)
		want = EEXIST;
	else if (nodes[i].kind == DIR)
		want = EPERM;
	path_of(dir, name, a, sizeof(a));
	path_of(to, new, b, sizeof(b));
	error = vfs_link(NULL, a, NULL, b, 0);
	expect(error, want, "link", a);
	if (error != 0)
		return;
	nodes[i].links++;
	nodes[to].child[new] = i;
}

/* What POSIX says about names @p i and @p j (-1: none). */
static int
rename_error(int i, int dir, int to, int j)
{
	if (i < 0)
		return ENOENT;
	if (i == j)
		return 0;
	if (nodes[i].kind == DIR && is_above(i, to))
		return EINVAL;
	if (j < 0)
		return 0;
	if (j != 0 && nodes[j].kind == DIR && j == dir)
		return ENOTEMPTY;
	if (nodes[i].kind == DIR && nodes[j].kind != DIR)
		return ENOTDIR;
	if (nodes[i].kind != DIR && nodes[j].kind == DIR)
		return nodes[i].kind != DIR ? EISDIR : 0;
	return nodes[j].kind == DIR && !dir_is_empty(&nodes[j]) ? ENOTEMPTY :
								  0;
}

static void
op_rename(int dir, int name)
{
	int to = some_dir(), new = (int)rnd(NAMES), error;
	int i = nodes[dir].child[name], j = nodes[to].child[new];
	unsigned flags = rnd(4) == 0 ? RENAME_NOREPLACE : 0;
	char a[2048], b[2048];
	int want = rename_error(i, dir, to, j);

	if (i >= 0 && j >= 0 && flags != 0)
		want = EEXIST;
	path_of(dir, name, a, sizeof(a));
	path_of(to, new, b, sizeof(b));
	error = vfs_rename(NULL, a, NULL, b, flags);
	expect(error, want, "rename", a);
	if (error != 0 || i == j)
		return;
	if (j >= 0)
		node_unlink(to, new);
	nodes[dir].child[name] = -1;
	nodes[to].child[new] = i;
	if (nodes[i].kind == DIR) {
		nodes[i].parent = to;
		nodes[i].name = new;
	}
}

/* ---- power cuts ---- */

static unsigned char *cut; /* the disk as it would be */
static unsigned writes, cut_after;

static void
on_write(uint64_t block, const void *data)
{
	if (writes++ < cut_after)
		memcpy(cut + block * BLOCK_SIZE, data, BLOCK_SIZE);
}

/* @p image NULL: once more */
static int
fsck(const char *how, const void *image)
{
	char command[256], log[128];

	snprintf(command, sizeof(command),
	    "e2fsck %s build/host/fs/cut.img", how);
	snprintf(log, sizeof(log), "build/host/fs/cut%s.log", how);
	if (image != NULL)
		os_save("build/host/fs/cut.img", image, test_image_size);
	return os_run(command, log);
}

static int
mount_now(void)
{
	int error;

	mnt = (struct mount){ .dev = 9 };
	error = ext2_mount(&test_disk, &mnt);
	if (error == 0)
		path_root = &mnt;
	return error;
}

/* The disk without what has not reached it: repaired, it mounts, and if
 * nothing changed since the last sync, it is what it was. */
static void
power_cut(bool synced)
{
	static unsigned char *live;
	struct mount now = mnt;
	size_t size;
	unsigned char *repaired;
	int status = fsck("-fy", cut);

	check(status == 0 || status == 1, "e2fsck -fy repairs a power cut");
	check(fsck("-fn", NULL) == 0, "e2fsck -fn after the repair");
	repaired = os_load("build/host/fs/cut.img", &size);
	if (synced) {
		if (live == NULL)
			live = os_alloc(test_image_size);
		memcpy(live, test_image, test_image_size);
		memcpy(test_image, repaired, test_image_size);
		test_on_write = NULL;
		CHECK_ERROR(mount_now(), 0);
		compare_tree(0);
		ext2_unmount(&mnt);
		memcpy(test_image, live, test_image_size);
	}
	os_unload(repaired, size);
	mnt = now;
	path_root = &mnt;
}

/* Sync; the cut is somewhere in the middle of it, or after it. */
static void
op_sync(void)
{
	bool whole = rnd(2);

	memcpy(cut, test_image, test_image_size);
	writes = 0;
	cut_after = whole ? ~0u : rnd(12);
	test_on_write = on_write;
	CHECK_ERROR(vfs_sync(), 0);
	test_on_write = NULL;
	if (rnd(4) == 0)
		power_cut(whole);
}

static void
step(void)
{
	static void (*const ops[])(int, int) = { op_make, op_make, op_write,
		op_write, op_write, op_truncate, op_remove, op_link, op_rename,
		op_rename };

	if (rnd(40) == 0)
		op_sync();
	else
		ops[rnd(ARRAY_SIZE(ops))](some_dir(), (int)rnd(NAMES));
}

void
write_image(uint64_t first_seed, unsigned episodes)
{
	struct mount *before = path_root;
	char line[80];

	cut = os_alloc(test_image_size);
	nodes[0].kind = DIR;
	for (int n = 0; n < NAMES; n++)
		nodes[0].child[n] = -1;
	for (unsigned e = 0; e < episodes; e++) {
		unsigned failed = test_failed();

		rng = first_seed + e * 1000003;
		CHECK_ERROR(mount_now(), 0);
		check(!mnt.read_only, "mounted for writing");
		compare_tree(0);
		for (unsigned i = 0; i < STEPS; i++)
			step();
		compare_tree(0);
		ext2_unmount(&mnt);
		check(fsck("-fn", test_image) == 0,
		    "e2fsck -fn after unmounting");
		if (test_failed() == failed)
			continue;
		snprintf(line, sizeof(line), "# in episode %u, seed %lu\n", e,
		    (unsigned long)first_seed);
		os_print(line);
		break;
	}
	for (int i = 0; i < NODES; i++)
		if (nodes[i].kind == REG)
			node_truncate(&nodes[i], 0);
	os_free(cut);
	path_root = before;
	test_restore();
}
