/* SPDX-License-Identifier: MIT */
/*
 * fs_test.c - host test of paths, ext2, /dev and descriptor tables.
 *
 * usage: fs_test TREE IMAGE SEED ROUNDS
 * The image was made by mke2fs -d TREE; all that is in it is compared with
 * TREE, then it is damaged ROUNDS times (fuzz.c).
 */
#include "abi/errno.h"
#include "dev/dev.h"
#include "fs/ext2.h"
#include "fs/test/test.h"
#include "lib/printf.h"
#include "proc/block.h"
#include "sync/counter.h"

static const char *tree;
static unsigned nchecks, nfailed, nnodes;

void
check(bool ok, const char *what)
{
	char line[512];

	nchecks++;
	if (ok)
		return;
	nfailed++;
	snprintf(line, sizeof(line), "# failed: %s\n", what);
	os_print(line);
}

unsigned
test_failed(void)
{
	return nfailed;
}

/* ---- a block device over the image ---- */

unsigned char *test_image;
size_t test_image_size;
bool *test_metadata, test_writable;
unsigned test_fail_write;
void (*test_on_write)(uint64_t block, const void *data);
static unsigned char *kept;
static bool *is_data, *changed;

static int
image_write(const struct block_request *rq)
{
	if (test_fail_write > 0 && --test_fail_write == 0)
		return EIO;
	if (test_on_write != NULL)
		test_on_write(rq->block, rq->data);
	changed[rq->block] = true;
	memcpy(test_image + rq->block * BLOCK_SIZE, rq->data, BLOCK_SIZE);
	return 0;
}

static void
image_start(struct block_device *bd, struct block_request *rq)
{
	int error = 0;

	if (rq->op == BLOCK_READ) {
		test_metadata[rq->block] |= !is_data[rq->block];
		memcpy(rq->data, test_image + rq->block * BLOCK_SIZE,
		    BLOCK_SIZE);
	} else if (rq->op == BLOCK_WRITE) {
		error = image_write(rq);
	}
	block_done(bd, rq, error);
}

static const struct block_ops image_ops = { image_start };
struct block_device test_disk = { .ops = &image_ops, .name = "ram0" };

void
test_keep(void)
{
	memcpy(kept, test_image, test_image_size);
	memset(changed, 0, test_disk.nblocks);
}

void
test_restore(void)
{
	for (uint64_t b = 0; b < test_disk.nblocks; b++)
		if (changed[b])
			memcpy(test_image + b * BLOCK_SIZE,
			    kept + b * BLOCK_SIZE, BLOCK_SIZE);
	memset(changed, 0, test_disk.nblocks);
}

uint64_t
test_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Contents are no metadata: note where they stand, before they are read. */
static void
note_data(struct file *f, uint64_t size)
{
	struct ext2_inode *ei = ext2_inode_of(f->inode);
	unsigned shift = ei->fs->block_shift;
	uint32_t block;

	for (uint64_t n = 0; n << shift < size; n++)
		if (ext2_bmap(ei, n, &block) == 0 && block != 0)
			is_data[((uint64_t)block << shift) / BLOCK_SIZE] =
			    true;
}

/* ---- everything in the image is what is in the tree ---- */

static void
compare_file(const char *path, const char *host, uint64_t size)
{
	static char want[TEST_USER_PAGES * PAGE_SIZE];
	size_t n, max = 33 * PAGE_SIZE; /* more than four batches */
	struct file *f;
	uint64_t pos = 0;
	long got;

	CHECK_ERROR(vfs_open(NULL, path, O_RDONLY, 0, &f), 0);
	note_data(f, size);
	do {
		n = os_read(host, pos, want, max);
		/* An unaligned buffer in every other file. */
		got = file_read(f, &test_space, TEST_USER + (size & 63), max,
		    NULL);
		check(got == (long)n, path);
		for (size_t i = 0; i < n; i++)
			if (*test_user(TEST_USER + (size & 63) + i) !=
			    want[i]) {
				check(false, path);
				break;
			}
		pos += n;
	} while (n > 0 && got == (long)n);
	CHECK(pos == size);
	file_drop(f);
}

static void compare_dir(const char *path);

static void
compare_node(const char *path, unsigned dtype)
{
	char host[4096], want[4096], got[4096];
	uint64_t size;
	uint32_t mode;
	struct stat st;
	size_t len;

	nnodes++;
	snprintf(host, sizeof(host), "%s%s", tree, path);
	CHECK(os_lstat(host, &mode, &size));
	CHECK_ERROR(vfs_stat(NULL, path, AT_SYMLINK_NOFOLLOW, &st), 0);
	check((st.st_mode & S_IFMT) == (mode & S_IFMT), path);
	CHECK(dtype == (mode & S_IFMT) >> 12);
	if (S_ISREG(mode)) {
		check(st.st_mode == mode && (uint64_t)st.st_size == size,
		    path);
		compare_file(path, host, size);
	} else if (S_ISLNK(mode)) {
		CHECK_ERROR(vfs_readlink(NULL, path, got, sizeof(got), &len),
		    0);
		check(len == os_readlink(host, want, sizeof(want)) &&
		    memcmp(got, want, len) == 0, path);
	} else if (strcmp(path, "/dev") != 0) {
		compare_dir(path); /* what is mounted is not in the tree */
	}
}

static void
compare_dir(const char *path)
{
	char sub[1024], host[1024], *dents = os_alloc(PAGE_SIZE);
	unsigned n = 0, extra = 2; /* "." and ".." */
	struct linux_dirent64 *d;
	struct file *f;
	long got, off;

	if (vfs_open(NULL, path, O_RDONLY | O_DIRECTORY, 0, &f) != 0)
		os_fail(path);
	while ((got = vfs_getdents(f, &test_space, TEST_USER, 600)) > 0) {
		memcpy(dents, test_user(TEST_USER), (size_t)got);
		for (off = 0; off < got; off += d->d_reclen) {
			d = (void *)(dents + off);
			n++;
			if (strcmp(d->d_name, "lost+found") == 0)
				extra++;
			else if (strcmp(d->d_name, ".") != 0 &&
			    strcmp(d->d_name, "..") != 0) {
				snprintf(sub, sizeof(sub), "%s/%s",
				    path[1] == '\0' ? "" : path, d->d_name);
				compare_node(sub, d->d_type);
			}
		}
	}
	CHECK(got == 0);
	file_drop(f);
	os_free(dents);
	snprintf(host, sizeof(host), "%s%s", tree, path);
	check(n - extra == os_count(host), path);
}

/* ---- paths ---- */

static void
check_cwd(const char *dir, const char *want)
{
	char buf[64];
	struct file *f;
	size_t len = 0;

	CHECK_ERROR(vfs_open(NULL, dir, O_DIRECTORY, 0, &f), 0);
	CHECK_ERROR(vfs_getcwd(f, buf, sizeof(buf), &len), 0);
	check(len == strlen(want) + 1 && strcmp(buf, want) == 0, dir);
	CHECK_ERROR(vfs_getcwd(f, buf, strlen(want), &len), ERANGE);
	file_drop(f);
}

static void
test_paths(void)
{
	static const struct {
		const char *path;
		int error;
	} cases[] = {
		{ "", ENOENT },
		{ "/", 0 },
		{ "//", 0 },
		{ "/..", 0 },
		{ "/sizes/../sizes/./1", 0 },
		{ "/sizes/1/", ENOTDIR },
		{ "/sizes/1/.", ENOTDIR },
		{ "/sizes/1/..", ENOTDIR },
		{ "/sizes/1/x", ENOTDIR },
		{ "/sizes//", 0 },
		{ "/nothing", ENOENT },
		{ "/nothing/", ENOENT },
		{ "/nothing/x", ENOENT },
		{ "/links/file", 0 },
		{ "/links/file/", ENOTDIR },
		{ "/links/absolute/60", 0 },
		{ "/links/absolute/", 0 },
		{ "/links/long", 0 },
		{ "/links/short", ENOENT },
		{ "/links/loop1", ELOOP },
		{ "/links/loop1/x", ELOOP },
		{ "/links/dangling", ENOENT },
		{ "/links/here/here/here/file", 0 },
		{ "/dev/null", 0 },
		{ "/dev/../program", 0 },
		{ "/dev/nothing", ENOENT },
		{ "sizes/1", 0 },
	};
	char longname[600];
	struct stat st;
	int error;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		error = vfs_stat(NULL, cases[i].path, 0, &st);
		if (error != cases[i].error) {
			snprintf(longname, sizeof(longname), "%s: %d",
			    cases[i].path, error);
			check(false, longname);
		}
	}
	memset(longname, 'n', sizeof(longname));
	memcpy(longname, "/many/", 6);
	longname[6 + 255] = '\0';
	CHECK_ERROR(vfs_stat(NULL, longname, 0, &st), 0);
	longname[6 + 255] = 'n';
	longname[6 + 256] = '\0';
	CHECK_ERROR(vfs_stat(NULL, longname, 0, &st), ENAMETOOLONG);
	for (size_t i = 0; i + 5 < sizeof(longname); i += 5)
		memcpy(longname + i, "/here", 6);
	memcpy(longname, "/links", 6);
	memcpy(longname + 6, "/here", 5);
	CHECK_ERROR(vfs_stat(NULL, longname, 0, &st), ENOENT);
	check_cwd("/", "/");
	check_cwd("/deep/er/still", "/deep/er/still");
	check_cwd("/links/absolute", "/sizes");
	check_cwd("/dev", "/dev");
}

static void
test_open(void)
{
	static const struct {
		const char *path;
		unsigned flags;
		int error;
	} cases[] = {
		{ "/program", O_RDWR, EROFS },
		{ "/program", O_WRONLY | O_TRUNC, EROFS },
		{ "/program", O_RDONLY | O_CREAT, 0 },
		{ "/program", O_RDONLY | O_CREAT | O_EXCL, EEXIST },
		{ "/program", O_RDONLY | O_DIRECTORY, ENOTDIR },
		{ "/program", O_ACCMODE, EINVAL },
		{ "/new", O_WRONLY | O_CREAT, EROFS },
		{ "", O_WRONLY | O_CREAT, ENOENT },
		{ "/no/new", O_WRONLY | O_CREAT, ENOENT },
		{ "/sizes", O_WRONLY, EISDIR },
		{ "/sizes", O_RDONLY | O_CREAT, EISDIR },
		{ "/sizes", O_RDONLY, 0 },
		{ "/links/file", O_RDONLY | O_NOFOLLOW, ELOOP },
		{ "/links/file", O_CREAT | O_EXCL, EEXIST },
		{ "/links/dangling", O_WRONLY | O_CREAT, EROFS },
		{ "/dev/null", O_RDWR, 0 },
	};
	struct file *f, *dir;
	char what[256];
	int error, want;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		error = vfs_open(NULL, cases[i].path, cases[i].flags, 0, &f);
		if (error == 0)
			file_drop(f);
		want = cases[i].error;
		if (want == EROFS && test_writable)
			want = 0;
		snprintf(what, sizeof(what), "open %s 0x%x: %d",
		    cases[i].path, cases[i].flags, error);
		check(error == want, what);
	}
	CHECK_ERROR(vfs_open_exec(NULL, "/program", &f), 0);
	file_drop(f);
	CHECK_ERROR(vfs_open_exec(NULL, "/sizes/1", &f), EACCES);
	CHECK_ERROR(vfs_open_exec(NULL, "/sizes", &f), EACCES);
	CHECK_ERROR(vfs_access(NULL, "/program", R_OK | X_OK), 0);
	CHECK_ERROR(vfs_access(NULL, "/program", W_OK),
	    test_writable ? 0 : EROFS);
	CHECK_ERROR(vfs_access(NULL, "/sizes/1", X_OK), EACCES);
	CHECK_ERROR(vfs_open(NULL, "/deep", O_DIRECTORY, 0, &dir), 0);
	CHECK_ERROR(vfs_open(dir, "er/still/bottom", O_RDONLY, 0, &f), 0);
	CHECK_ERROR(vfs_open(f, "x", O_RDONLY, 0, &f), ENOTDIR);
	CHECK(file_seek(f, -2, SEEK_END) == 5);
	CHECK(file_read(f, &test_space, TEST_USER, 100, NULL) == 2);
	CHECK(file_seek(f, 0, SEEK_CUR) == 7);
	CHECK(file_seek(f, -1, SEEK_SET) == -EINVAL);
	CHECK(file_seek(f, INT64_MAX, SEEK_CUR) == -EINVAL);
	CHECK(file_write(f, &test_space, TEST_USER, 1, NULL) == -EBADF);
	CHECK(file_read(f, &test_space, 0, 1, &(uint64_t){ 0 }) == -EFAULT);
	CHECK(file_read(f, &test_space, TEST_USER, 9, &(uint64_t){ 1 }) == 6);
	CHECK(file_read(dir, &test_space, TEST_USER, 9, NULL) == -EISDIR);
	CHECK(vfs_getdents(f, &test_space, TEST_USER, 600) == -ENOTDIR);
	CHECK(vfs_getdents(dir, &test_space, TEST_USER, 4) == -EINVAL);
	CHECK(vfs_getdents(dir, &test_space, 0, 600) == -EFAULT);
	file_drop(f);
	file_drop(dir);
}

/* The last user page is followed by nothing: bytes first, then the error. */
static void
test_partial(void)
{
	vaddr_t end = TEST_USER + TEST_USER_PAGES * PAGE_SIZE;
	struct file *f;

	CHECK_ERROR(vfs_open(NULL, "/sizes/300000", O_RDONLY, 0, &f), 0);
	CHECK(file_read(f, &test_space, end - 100, 5000, NULL) == 100);
	CHECK(file_read(f, &test_space, end - 9 * PAGE_SIZE, 299900, NULL) ==
	    9 * PAGE_SIZE);
	CHECK(file_seek(f, 0, SEEK_CUR) == 100 + 9 * PAGE_SIZE);
	CHECK(file_read(f, &test_space, end, 1, NULL) == -EFAULT);
	file_drop(f);
	CHECK_ERROR(vfs_open(NULL, "/dev/zero", O_RDWR, 0, &f), 0);
	memset(test_user(TEST_USER), 0x55, PAGE_SIZE);
	CHECK(file_read(f, &test_space, TEST_USER + 1, 4094, NULL) == 4094);
	CHECK(*test_user(TEST_USER) == 0x55);
	CHECK(*test_user(TEST_USER + 1) == 0);
	CHECK(*test_user(TEST_USER + 4094) == 0);
	CHECK(*test_user(TEST_USER + 4095) == 0x55);
	CHECK(file_write(f, &test_space, TEST_USER, 70000, NULL) == 70000);
	file_drop(f);
}

/* More inodes in use than there are: an error, and all come back. */
static void
test_exhaustion(void)
{
	struct file *files[400];
	char path[64];
	unsigned n = 0;
	int error = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(files) && error == 0; i++) {
		snprintf(path, sizeof(path),
		    "/many/a-rather-long-name-of-a-file-%u", i);
		error = vfs_open(NULL, path, O_RDONLY, 0, &files[n]);
		if (error == 0)
			n++;
	}
	CHECK(error == ENFILE);
	CHECK(n > 200);
	CHECK(counter_read(TS_files) == n);
	while (n > 0)
		file_drop(files[--n]);
	CHECK_ERROR(vfs_open(NULL, "/program", O_RDONLY, 0, &files[0]), 0);
	file_drop(files[0]);
}

static void
test_devices(void)
{
	static char buf[BLOCK_SIZE];

	CHECK_ERROR(block_read(&test_disk, 0, buf), 0);
	CHECK_ERROR(block_read(&test_disk, test_disk.nblocks, buf), EIO);
	CHECK_ERROR(block_write(&test_disk, ~0ull, buf), EIO);
}

/* ---- descriptor tables ---- */

static struct file *
null_file(void)
{
	struct file *f = NULL;

	CHECK_ERROR(vfs_open(NULL, "/dev/null", O_RDWR, 0, &f), 0);
	return f;
}

static void
test_descriptors(void)
{
	struct fdtable *t, *child;
	struct file *f;
	bool on;
	int fd;

	CHECK_ERROR(fdtable_create(&t), 0);
	for (int i = 0; i < FD_MAX; i++)
		CHECK(fd_install(t, null_file(), 0, i % 2, &fd) == 0 &&
		    fd == i);
	f = null_file();
	CHECK_ERROR(fd_install(t, f, 0, false, &fd), EMFILE);
	CHECK_ERROR(fd_install(t, f, FD_MAX, false, &fd), EINVAL);
	CHECK_ERROR(fd_install(t, f, -1, false, &fd), EINVAL);
	CHECK_ERROR(fd_close(t, 5), 0);
	CHECK_ERROR(fd_close(t, 5), EBADF);
	CHECK_ERROR(fd_close(t, -1), EBADF);
	CHECK_ERROR(fd_close(t, FD_MAX), EBADF);
	CHECK(fd_get(t, 5) == NULL && fd_get(t, -1) == NULL &&
	    fd_get(t, FD_MAX) == NULL);
	CHECK_ERROR(fd_close(t, 3), 0);
	CHECK(fd_install(t, f, 4, false, &fd) == 0 && fd == 5);
	CHECK_ERROR(fdtable_clone(t, &child), 0);
	CHECK(counter_read(TS_files) == FD_MAX - 1);
	fd_close_on_exec(child);
	CHECK(fd_get_cloexec(child, 7, &on) == EBADF);
	CHECK(fd_get_cloexec(child, 6, &on) == 0 && !on);
	CHECK(fd_get_cloexec(t, 7, &on) == 0 && on);
	CHECK(fd_get_cloexec(t, 5, &on) == 0 && !on);
	CHECK_ERROR(fd_set_cloexec(t, 5, true), 0);
	CHECK(fd_get_cloexec(t, 5, &on) == 0 && on);
	CHECK(counter_read(TS_files) == FD_MAX - 1);
	fdtable_drop(t);
	CHECK(counter_read(TS_files) == FD_MAX / 2 + 1);
	f = fd_get(child, 5);
	CHECK_ERROR(fd_replace(child, 63, f, false), 0);
	CHECK_ERROR(fd_replace(child, 64, f, false), EBADF);
	CHECK(counter_read(TS_files) == FD_MAX / 2 + 1);
	fdtable_hold(child);
	fdtable_drop(child);
	fdtable_drop(child);
	CHECK(counter_read(TS_files) == 0);
}

/* ---- running ---- */

static void
group(const char *name, void (*fn)(void))
{
	static unsigned n;
	unsigned before = nfailed;
	char line[128];

	fn();
	CHECK(counter_read(TS_files) == 0);
	snprintf(line, sizeof(line), "%s %u %s\n",
	    nfailed == before ? "ok" : "not ok", ++n, name);
	os_print(line);
}

static uint64_t seed, rounds;

static void
test_writing(void)
{
	if (test_writable)
		write_image(seed, (unsigned)MIN(rounds / 20 + 1, 200u));
}

static void
test_contents(void)
{
	nnodes = 0;
	compare_dir("/");
	CHECK(nnodes > 430);
}

int
main(int argc, char **argv)
{
	size_t size;

	if (argc != 5 || !strtou64(argv[3], &seed) ||
	    !strtou64(argv[4], &rounds))
		os_fail("usage: fs_test TREE IMAGE SEED ROUNDS");
	tree = argv[1];
	test_image = os_load(argv[2], &size);
	test_image_size = size;
	test_disk.nblocks = size / BLOCK_SIZE;
	kept = os_alloc(size);
	changed = os_alloc(test_disk.nblocks);
	memset(changed, 0, test_disk.nblocks);
	test_metadata = memset(os_alloc(test_disk.nblocks), 0,
	    test_disk.nblocks);
	is_data = memset(os_alloc(test_disk.nblocks), 0, test_disk.nblocks);
	os_print("KTAP version 1\n1..10\n");
	test_boot();
	file_init();
	null_init();
	block_register(&test_disk);
	CHECK_ERROR(vm_object_start(), 0);
	CHECK_ERROR(vfs_init("none"), ENODEV);
	test_writable = test_image[1024 + 24] == 2;
	test_keep();
	CHECK_ERROR(vfs_init("ram0"), 0);
	group("contents", test_contents);
	group("paths", test_paths);
	group("open", test_open);
	group("partial", test_partial);
	group("exhaustion", test_exhaustion);
	group("devices", test_devices);
	group("descriptors", test_descriptors);
	vfs_shutdown();
	test_restore();
	group("writing", test_writing);
	group("wrong numbers", damage_image);
	test_restore();
	fuzz_init(seed, (unsigned)rounds);
	group("damaged", fuzz_image);
	return nfailed != 0;
}
