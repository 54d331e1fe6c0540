/* SPDX-License-Identifier: MIT */
/*
 * damage.c - single wrong numbers, each with the error that it must give.
 *
 * The fuzzer (fuzz.c) finds crashes; this says which check must refuse what.
 */
#include "abi/errno.h"
#include "fs/ext2.h"
#include "fs/test/test.h"
#include "lib/printf.h"
#include "proc/block.h"

/* Overwrite @p width bytes. @return what was there */
static uint32_t
poke(uint64_t offset, unsigned width, uint32_t value)
{
	uint32_t old = 0;

	memcpy(&old, test_image + offset, width);
	memcpy(test_image + offset, &value, width);
	return old;
}

static uint32_t
peek(uint64_t offset, unsigned width)
{
	uint32_t value = 0;

	memcpy(&value, test_image + offset, width);
	return value;
}

static uint64_t
block_size(void)
{
	return 1024ull << peek(1024 + 24, 4);
}

static uint64_t
group_offset(void)
{
	return (peek(1024 + 20, 4) + 1) * block_size();
}

/* Where inode @p ino is in the image. */
static uint64_t
inode_offset(uint64_t ino)
{
	uint64_t per_group = peek(1024 + 40, 4), group = (ino - 1) / per_group;

	return peek(group_offset() + group * 32 + 8, 4) * block_size() +
	    (ino - 1) % per_group * peek(1024 + 88, 2);
}

/* Of a name in a directory that has it in its first block. */
static uint64_t
entry_offset(uint64_t dir, const char *name)
{
	uint64_t at = peek(inode_offset(dir) + 40, 4) * block_size();

	while (peek(at + 6, 1) != strlen(name) ||
	    memcmp(test_image + at + 8, name, strlen(name)) != 0)
		at += peek(at + 4, 2);
	return at;
}

static struct mount mnt, *mount_before;

static int
mount_image(void)
{
	int error;

	mnt = (struct mount){ .dev = 9 };
	error = ext2_mount(&test_disk, &mnt);
	if (error == 0) {
		mount_before = path_root;
		path_root = &mnt;
	}
	return error;
}

static void
unmount_image(void)
{
	path_root = mount_before;
	ext2_unmount(&mnt);
}

static uint64_t
number_of(const char *path)
{
	struct stat st = { 0 };

	CHECK_ERROR(vfs_stat(NULL, path, AT_SYMLINK_NOFOLLOW, &st), 0);
	return st.st_ino;
}

static void
refused(uint64_t offset, unsigned width, uint32_t value)
{
	uint32_t old = poke(offset, width, value);
	int error = mount_image();
	char what[96];

	snprintf(what, sizeof(what), "offset %lu = 0x%x: mounted (%d)",
	    (unsigned long)offset, value, error);
	check(error == EINVAL, what);
	if (error == 0)
		unmount_image();
	(void)poke(offset, width, old);
}

static void
test_mounts(void)
{
	uint32_t nblocks = peek(1024 + 4, 4);

	refused(1024 + 0, 4, 5);	/* s_inodes_count */
	refused(1024 + 4, 4, 0);	/* s_blocks_count */
	refused(1024 + 4, 4, 2 * nblocks);
	refused(1024 + 4, 4, 0xffffffff);
	refused(1024 + 20, 4, 7);	/* s_first_data_block */
	refused(1024 + 24, 4, 3);	/* s_log_block_size */
	refused(1024 + 24, 4, 0xffffffff);
	refused(1024 + 32, 4, 0);	/* s_blocks_per_group */
	refused(1024 + 32, 4, 0xffffffff);
	refused(1024 + 40, 4, 0);	/* s_inodes_per_group */
	refused(1024 + 40, 4, 0xfffffff8);
	refused(1024 + 56, 2, 0);	/* s_magic */
	refused(1024 + 76, 4, 2);	/* s_rev_level */
	refused(1024 + 88, 2, 0);	/* s_inode_size */
	refused(1024 + 88, 2, 200);
	refused(1024 + 88, 2, 8192);
	refused(1024 + 96, 4, 0x42);	/* s_feature_incompat: extents */
	refused(group_offset() + 8, 4, 0);	/* bg_inode_table */
	refused(group_offset() + 8, 4, nblocks - 1);
	refused(group_offset() + 8, 4, 0xfffffff0);
	refused(inode_offset(EXT2_ROOT_INO), 2, S_IFREG | 0755);
	refused(inode_offset(EXT2_ROOT_INO) + 26, 2, 0);
}

static void
test_inodes(void)
{
	const struct {
		const char *path;
		unsigned offset, width;
		uint32_t value;
	} cases[] = {
		{ "/sizes", 4, 4, 100 },	 /* i_size */
		{ "/sizes", 4, 4, 0xfffff000 },	 /* more than the disk */
		{ "/links/short", 4, 4, 60 },	 /* of a fast link */
		{ "/links/short", 4, 4, 3000 },
		{ "/links/short", 4, 4, 0 },
		{ "/links/long", 4, 4, 5000 },
		{ "/sizes/1025", 0, 2, 0 },	 /* i_mode */
		{ "/sizes/1025", 0, 2, 0170644 },
		{ "/sizes/1025", 26, 2, 0 },	 /* i_links_count */
		{ "/sizes/1025", 32, 4, 0x80000 }, /* i_flags: extents */
		{ "/sizes/1025", 108, 4, 0x80000000 }, /* i_size_high */
	};
	struct stat st;
	uint64_t offset;
	uint32_t old;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		offset = inode_offset(number_of(cases[i].path)) +
		    cases[i].offset;
		old = poke(offset, cases[i].width, cases[i].value);
		CHECK_ERROR(mount_image(), 0);
		check(vfs_stat(NULL, cases[i].path, AT_SYMLINK_NOFOLLOW,
			  &st) == EIO, cases[i].path);
		unmount_image();
		(void)poke(offset, cases[i].width, old);
	}
}

static void
test_entries(void)
{
	uint64_t dir = number_of("/links");
	uint64_t at = entry_offset(dir, "file");
	const struct {
		unsigned offset, width;
		uint32_t value;
		int lookup, list;
	} cases[] = {
		{ 0, 4, 0xffffffff, EIO, 0 },	/* inode */
		{ 4, 2, 0, EIO, EIO },		/* rec_len */
		{ 4, 2, 4, EIO, EIO },
		{ 4, 2, 15, EIO, EIO },
		{ 4, 2, 0xfffc, EIO, EIO },
		{ 6, 1, 255, EIO, EIO },	/* name_len */
		{ 6, 1, 0, EIO, EIO },
		{ 9, 1, '/', ENOENT, EIO },	/* name */
		{ 9, 1, '\0', ENOENT, EIO },
	};
	struct file *f;
	struct stat st;
	uint32_t old;
	long n;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		old = poke(at + cases[i].offset, cases[i].width,
		    cases[i].value);
		CHECK_ERROR(mount_image(), 0);
		CHECK_ERROR(vfs_stat(NULL, "/links/file", 0, &st),
		    cases[i].lookup);
		CHECK_ERROR(vfs_open(NULL, "/links", O_DIRECTORY, 0, &f), 0);
		do
			n = vfs_getdents(f, &test_space, TEST_USER, 4096);
		while (n > 0);
		CHECK_ERROR(n, -cases[i].list);
		file_drop(f);
		unmount_image();
		(void)poke(at + cases[i].offset, cases[i].width, old);
	}
}

/* Block numbers of a file: the blocks before a wrong one can be read. */
static void
test_blocks(void)
{
	uint64_t at = inode_offset(number_of("/sizes/300000")) + 40, pos;
	uint32_t wrong[] = { peek(1024 + 4, 4), 0xffffffff,
		peek(1024 + 20, 4) };
	size_t direct = 12 * block_size();
	struct file *f;
	uint32_t old;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (wrong[i] == 0)
			continue; /* a hole */
		old = poke(at + 12 * 4, 4, wrong[i]);
		CHECK_ERROR(mount_image(), 0);
		CHECK_ERROR(vfs_open(NULL, "/sizes/300000", 0, 0, &f), 0);
		pos = direct - 10;
		CHECK(file_read(f, &test_space, TEST_USER, 50, &pos) == 10);
		pos = direct;
		CHECK(file_read(f, &test_space, TEST_USER, 50, &pos) == -EIO);
		file_drop(f);
		unmount_image();
		(void)poke(at + 12 * 4, 4, old);
		old = poke(at, 4, wrong[i]);
		CHECK_ERROR(mount_image(), 0);
		CHECK_ERROR(vfs_open(NULL, "/sizes/300000", 0, 0, &f), 0);
		CHECK(file_read(f, &test_space, TEST_USER, 50, NULL) == -EIO);
		file_drop(f);
		unmount_image();
		(void)poke(at, 4, old);
	}
}

/* What makes writing dangerous: it is mounted, but for reading only. */
static void
test_read_only(void)
{
	uint64_t group = group_offset(), bitmap = peek(group, 4) * block_size();
	const struct {
		uint64_t offset;
		unsigned width;
		uint32_t value;
	} cases[] = {
		{ 1024 + 58, 2, 0 },		/* s_state: not clean */
		{ 1024 + 58, 2, 3 },		/* errors */
		{ 1024 + 100, 4, 0x400 },	/* s_feature_ro_compat */
		{ group + 0, 4, 0 },		/* bg_block_bitmap */
		{ group + 0, 4, 0xffffff },
		{ group + 4, 4, 0 },		/* bg_inode_bitmap */
		{ group + 12, 2, 0 },		/* bg_free_blocks_count */
		{ group + 14, 2, 7 },		/* bg_free_inodes_count */
		{ bitmap, 1, 0 },		/* the superblock is free */
		{ bitmap + 100, 1, peek(bitmap + 100, 1) ^ 1 },
		{ peek(group + 4, 4) * block_size(), 1, 0xfd }, /* the root */
	};
	uint32_t old;

	for (size_t i = 0; test_writable && i < ARRAY_SIZE(cases); i++) {
		char what[64];

		old = poke(cases[i].offset, cases[i].width, cases[i].value);
		CHECK_ERROR(mount_image(), 0);
		snprintf(what, sizeof(what), "read-only case %lu",
		    (unsigned long)i);
		check(mnt.read_only, what);
		CHECK_ERROR(vfs_make(NULL, "/new", S_IFREG | 0644, NULL),
		    EROFS);
		CHECK_ERROR(vfs_unlink(NULL, "/program", 0), EROFS);
		CHECK_ERROR(vfs_truncate(NULL, "/program", 0), EROFS);
		unmount_image();
		(void)poke(cases[i].offset, cases[i].width, old);
	}
}

/* The disk refuses a write: sync says so, and the next one works. */
static void
test_write_errors(void)
{
	struct file *f;
	uint64_t pos = 0;

	for (unsigned n = 1; test_writable && n <= 8; n++) {
		CHECK_ERROR(mount_image(), 0);
		CHECK_ERROR(vfs_open(NULL, "/program", O_RDWR, 0, &f), 0);
		CHECK(file_write(f, &test_space, TEST_USER, 9000, &pos) ==
		    9000);
		test_fail_write = n;
		CHECK(f->inode->ops->edit->sync(f->inode) ==
		    (test_fail_write == 0 ? EIO : 0));
		test_fail_write = 0;
		CHECK_ERROR(f->inode->ops->edit->sync(f->inode), 0);
		CHECK(file_read(f, &test_space, TEST_USER, 9000, &pos) ==
		    9000);
		file_drop(f);
		unmount_image();
		test_restore();
	}
}

/* No memory for the n-th block that a sync needs, a bitmap among them: what was
 * freed is free after the next one. */
static void
test_no_memory(void)
{
	for (unsigned n = 1; test_writable && n <= 8; n++) {
		struct statfs before, after;
		struct ext2_fs *fs;

		CHECK_ERROR(mount_image(), 0);
		fs = mnt.priv;
		CHECK_ERROR(vfs_unlink(NULL, "/program", 0), 0);
		CHECK_ERROR(vfs_statfs(NULL, "/", &before), 0);
		CHECK(vm_object_shed(&fs->meta, SIZE_MAX / 2) > 0);
		test_fail_frame = n;
		(void)vfs_sync();
		test_fail_frame = 0;
		unmount_image();
		CHECK_ERROR(mount_image(), 0);
		CHECK(!mnt.read_only);
		CHECK_ERROR(vfs_statfs(NULL, "/", &after), 0);
		CHECK(after.f_bfree == before.f_bfree);
		CHECK(after.f_ffree == before.f_ffree);
		unmount_image();
		test_restore();
	}
}

void
damage_image(void)
{
	long nalloc = test_nalloc;

	test_read_only();
	test_write_errors();
	test_no_memory();
	test_mounts();
	test_inodes();
	test_entries();
	test_blocks();
	CHECK(test_nalloc == nalloc);
}
