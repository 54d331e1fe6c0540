/* SPDX-License-Identifier: MIT */
/*
 * fuzz.c - damaged images: an error or nonsense, but never a crash or a loop.
 *
 * Each round changes a few words, mostly of metadata, mounts, walks everything
 * that it can reach, unmounts and puts the words back.  The sanitizers and the
 * unmapped pages of kernel.c find what is wrong; a round that does not end in
 * a second is a failure too.  A round depends on its own seed only, which is
 * printed when it fails: `fs_test TREE IMAGE SEED 1` repeats it.
 */
#include "abi/errno.h"
#include "fs/test/test.h"
#include "lib/printf.h"
#include "proc/block.h"
#include "sync/counter.h"

#define CHANGES_MAX 16
#define NODES_MAX   800
#define DEPTH_MAX   12

static uint64_t first_seed, state;
static unsigned nrounds, nodes;

static uint64_t
rnd(void)
{
	return test_random(&state);
}

void
fuzz_init(uint64_t seed, unsigned rounds)
{
	first_seed = seed;
	nrounds = rounds;
}

/* ---- damage ---- */

static uint32_t *
word_at(uint64_t offset)
{
	return (uint32_t *)(void *)(test_image + ROUND_DOWN(offset, 4));
}

static uint64_t
choose_block(void)
{
	uint64_t block;

	do
		block = rnd() % test_disk.nblocks;
	while (!test_metadata[block]);
	return block;
}

/* Lengths of an entry of a directory block, often the last one; NULL: it is
 * none. */
static uint32_t *
dirent_word(uint64_t block)
{
	uint32_t *w = word_at(block * BLOCK_SIZE), *next = w;
	unsigned skip = rnd() % 2 != 0 ? ~0u : (unsigned)(rnd() % 16);

	while (skip-- > 0) {
		uint32_t rec_len = next[1] & 0xffff;

		if (rec_len < 8 || rec_len % 4 != 0)
			return NULL;
		w = next;
		next += rec_len / 4;
		if (next >= word_at(block * BLOCK_SIZE) + BLOCK_SIZE / 4)
			break;
	}
	return &w[1];
}

static uint32_t *
choose_word(void)
{
	uint64_t kind = rnd() % 16, block = choose_block();
	uint32_t *w = NULL;

	if (kind == 0)
		return word_at(1024 + rnd() % 104); /* superblock */
	if (kind == 1)
		return word_at(rnd() % (test_disk.nblocks * BLOCK_SIZE));
	if (kind < 5)
		w = dirent_word(block);
	for (unsigned i = 0; w == NULL || (i < 32 && *w == 0); i++)
		w = word_at(block * BLOCK_SIZE + rnd() % BLOCK_SIZE);
	return w; /* most of a block is empty, so it was not the first try */
}

static uint32_t
choose_value(uint32_t old)
{
	static const uint32_t edges[] = { 0, 1, 2, 0xff, 0xffff, 0x10000,
		0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff };

	switch (rnd() % 6) {
	case 0:
		return (uint32_t)rnd();
	case 1:
		return edges[rnd() % ARRAY_SIZE(edges)];
	case 2:
		return old + (rnd() & 1 ? 1u : -1u) * (uint32_t)(rnd() % 8);
	case 3: /* a number that is good elsewhere */
		return *choose_word();
	case 4:
		return (uint32_t)(rnd() % (4 * test_disk.nblocks));
	default:
		return old ^ 1u << rnd() % 32;
	}
}

/* ---- use ---- */

static void walk_dir(struct file *dir, unsigned depth);

static void
use_file(struct file *f)
{
	uint64_t size = f->ops->size(f), pos;
	size_t n = 20 * PAGE_SIZE;

	(void)file_read(f, &test_space, TEST_USER, n, NULL);
	for (unsigned i = 0; i < 4; i++) {
		pos = size > 0 ? rnd() % size : 0;
		if (i == 0)
			pos = size - MIN(size, n);
		(void)file_read(f, &test_space, TEST_USER, n, &pos);
	}
}

static void
use_name(struct file *dir, const char *name, unsigned depth)
{
	char link[PATH_MAX];
	struct file *f;
	struct stat st;
	size_t len;

	nodes++;
	if (vfs_stat(dir, name, 0, &st) == 0)
		check((st.st_mode & S_IFMT) != 0, "a type");
	if (vfs_readlink(dir, name, link, sizeof(link), &len) == 0)
		check(len <= sizeof(link), "length of a link");
	if (vfs_open(dir, name, O_RDONLY, 0, &f) != 0)
		return;
	(void)f->ops->stat(f, &st);
	if (S_ISDIR(st.st_mode)) {
		if (depth < DEPTH_MAX && strcmp(name, ".") != 0 &&
		    strcmp(name, "..") != 0)
			walk_dir(f, depth + 1);
	} else {
		use_file(f);
	}
	file_drop(f);
}

static void
walk_dir(struct file *dir, unsigned depth)
{
	char *dents = os_alloc(PAGE_SIZE), cwd[256];
	struct linux_dirent64 *d;
	long got, off;
	size_t len;

	if (vfs_getcwd(dir, cwd, sizeof(cwd), &len) == 0)
		check(len == strlen(cwd) + 1, "length of a path");
	while (nodes < NODES_MAX &&
	    (got = vfs_getdents(dir, &test_space, TEST_USER, 1000)) > 0) {
		memcpy(dents, test_user(TEST_USER), (size_t)got);
		for (off = 0; off < got && nodes < NODES_MAX;
		     off += d->d_reclen) {
			d = (void *)(dents + off);
			check(strlen(d->d_name) > 0 &&
			    strchr(d->d_name, '/') == NULL, "a name");
			use_name(dir, d->d_name, depth);
		}
	}
	os_free(dents);
	/* A position that no readdir gave out. */
	(void)file_seek(dir, (int64_t)(rnd() % 20000), SEEK_SET);
	(void)vfs_getdents(dir, &test_space, TEST_USER, 1000);
}

/* Any name that an undamaged image has, and a few new ones. */
static const char *
some_path(void)
{
	static const char *const paths[] = { "/new", "/deep/new", "/links/new",
		"/many/new", "/sizes/300000", "/sizes/holes", "/sizes/1025",
		"/sizes/60", "/links/file", "/links/long", "/links/short",
		"/deep/er/still", "/deep/er", "/many", "/deep/dir", "/program",
		"/many/a-rather-long-name-of-a-file-77", "/deep/er/still/x" };

	return paths[rnd() % ARRAY_SIZE(paths)];
}

static void
write_file(const char *path)
{
	uint64_t pos = rnd() % (rnd() % 2 != 0 ? 100000 : 80 << 20);
	struct file *f;

	if (vfs_open(NULL, path, O_RDWR | O_CREAT, 0644, &f) != 0)
		return;
	(void)file_write(f, &test_space, TEST_USER, rnd() % 30000, &pos);
	if (rnd() % 4 == 0)
		(void)f->inode->ops->edit->sync(f->inode);
	file_drop(f);
}

static void
change_something(void)
{
	const char *path = some_path();
	int error = 0;

	switch (rnd() % 8) {
	case 0:
		error = vfs_unlink(NULL, path, rnd() % 2 ? AT_REMOVEDIR : 0);
		break;
	case 1:
		error = vfs_rename(NULL, path, NULL, some_path(), 0);
		break;
	case 2:
		error = vfs_make(NULL, path, S_IFDIR | 0755, NULL);
		break;
	case 3:
		error = vfs_make(NULL, path, S_IFLNK | 0777, some_path());
		break;
	case 4:
		error = vfs_link(NULL, path, NULL, some_path(), 0);
		break;
	case 5:
		error = vfs_truncate(NULL, path, rnd() % 400000);
		break;
	default:
		write_file(path);
		break;
	}
	check(error >= 0 && error < 200, "an error number");
}

static void
use_image(void)
{
	static struct mount mnt;
	struct mount *before = path_root;
	unsigned lines = test_kprintf_lines;
	struct file *root;
	int error;

	mnt = (struct mount){ .dev = 9 };
	error = ext2_mount(&test_disk, &mnt);
	check(test_kprintf_lines > lines, "a message about the mount");
	if (error != 0)
		return;
	path_root = &mnt;
	nodes = 0;
	if (vfs_open(NULL, "/", O_RDONLY, 0, &root) == 0) {
		walk_dir(root, 0);
		file_drop(root);
	}
	if (test_writable)
		for (unsigned i = 0; i < CHANGES_MAX; i++)
			change_something();
	use_name(NULL, "/links/long", 0);
	ext2_unmount(&mnt);
	path_root = before;
}

/* ---- one round ---- */

static void
fuzz_round(uint64_t seed)
{
	uint32_t *word[CHANGES_MAX], old[CHANGES_MAX];
	uint64_t files = counter_read(TS_files);
	uint64_t inodes = counter_read(TS_inodes);
	uint64_t start = os_clock_ns();
	long nalloc = test_nalloc;
	unsigned n;

	state = seed;
	n = 1 + (unsigned)(rnd() % CHANGES_MAX);
	for (unsigned i = 0; i < n; i++) {
		word[i] = choose_word();
		old[i] = *word[i];
		*word[i] = choose_value(old[i]);
	}
	use_image();
	while (n-- > 0)
		*word[n] = old[n];
	test_restore();
	check(counter_read(TS_files) == files, "no file is left open");
	check(counter_read(TS_inodes) == inodes, "no inode is left in use");
	check(test_nalloc == nalloc, "no memory is lost");
	check(os_clock_ns() - start < 1000000000u, "a second is enough");
}

void
fuzz_image(void)
{
	char line[64];

	for (unsigned i = 0; i < nrounds; i++) {
		uint64_t seed = first_seed + i;
		unsigned before = test_failed();

		fuzz_round(seed);
		if (test_failed() == before)
			continue;
		snprintf(line, sizeof(line), "# damaged with seed %lu\n",
		    (unsigned long)seed);
		os_print(line);
	}
}
