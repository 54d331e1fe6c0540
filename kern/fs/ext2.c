/* SPDX-License-Identifier: MIT */
/*
 * ext2.c - mount, sync and unmount; blocks of metadata in the page cache.
 *
 * Path: vfs.c -> HERE; the other parts come here for blocks.
 * Locks: sync; the geometry in struct ext2_fs is fixed at mount.
 * Invariants: after mount, the file system lies inside the device; block
 *	numbers are checked where they are read.  Contents of files reach the
 *	disk before the metadata that leads to them; so does a name before the
 *	name that it replaces (ext2_name.c).  While it is mounted for writing
 *	the disk says "not clean".
 */
#include "abi/errno.h"
#include "fs/ext2.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mem/kmem.h"

#define GROUPS_MAX 65536u /* 8 TiB of 4 KiB blocks; bounds the allocation */

static int
refuse(const struct ext2_fs *fs, const char *why, uint64_t value)
{
	kprintf("ext2: %s: %s (0x%lx)\n", fs->dev->name, why,
	    (unsigned long)value);
	return EINVAL;
}

int
ext2_damaged(struct ext2_fs *fs, const char *what, uint64_t value)
{
	(void)refuse(fs, what, value);
	return EIO;
}

bool
ext2_block_valid(const struct ext2_fs *fs, uint32_t block)
{
	return block > fs->first_block && block < fs->nblocks;
}

/* ---- blocks of metadata ---- */

static int
block_get(struct ext2_fs *fs, uint32_t block, enum vm_object_how how,
    struct vm_page **pg, uint8_t **data)
{
	uint64_t offset = (uint64_t)block << fs->block_shift;
	int error = vm_object_get(&fs->meta, offset / BLOCK_SIZE, how, pg);

	if (error == 0)
		*data = (uint8_t *)page_to_virt(*pg) + offset % BLOCK_SIZE;
	return error;
}

int
ext2_block_get(struct ext2_fs *fs, uint32_t block, struct vm_page **pg,
    const uint8_t **data)
{
	uint8_t *at = NULL;
	int error = EIO;

	if (ext2_block_valid(fs, block))
		error = block_get(fs, block, OBJ_READ, pg, &at);
	*data = at;
	return error;
}

int
ext2_block_edit(struct ext2_fs *fs, uint32_t block, struct vm_page **pg,
    uint8_t **data)
{
	if (!ext2_block_valid(fs, block))
		return EIO;
	return block_get(fs, block, OBJ_LOCK, pg, data);
}

int
ext2_block_new(struct ext2_fs *fs, uint32_t block, struct vm_page **pg,
    uint8_t **data)
{
	int error = block_get(fs, block, OBJ_NEW, pg, data);

	if (error == 0) /* it may have been something else before */
		page_zero(*data);
	return error;
}

int
ext2_block_flush(struct ext2_fs *fs, uint32_t block)
{
	struct vm_page *pg;
	uint8_t *data;
	int error = block_get(fs, block, OBJ_LOCK, &pg, &data);

	if (error != 0)
		return error;
	error = block_write(fs->dev, block, data);
	if (error == 0)
		error = block_flush(fs->dev);
	vm_object_put(pg, false); /* if it is modified it stays so */
	return error;
}

static void
meta_hold(struct vm_object *o)
{
}

static void
meta_enter(struct vm_object *o, bool write)
{
}

static int
meta_read(struct vm_object *o, struct vm_page *pg)
{
	struct ext2_fs *fs = container_of(o, struct ext2_fs, meta);

	return block_read(fs->dev, pg->offset, page_to_virt(pg));
}

static int
meta_back(struct vm_object *o, struct vm_page *pg)
{
	return EIO; /* there are no holes in a device */
}

static int
meta_write(struct vm_object *o, struct vm_page *const *pages, unsigned n)
{
	struct ext2_fs *fs = container_of(o, struct ext2_fs, meta);
	struct block_request rq[VM_OBJECT_BATCH];
	struct block_batch batch = { 0 };

	for (unsigned i = 0; i < n; i++) {
		rq[i].op = BLOCK_WRITE;
		rq[i].block = pages[i]->offset;
		rq[i].data = page_to_virt(pages[i]);
		block_start(fs->dev, &rq[i], &batch);
	}
	return block_finish(fs->dev, &batch);
}

static int
meta_sync(struct vm_object *o)
{
	return ext2_sync(container_of(o, struct ext2_fs, meta));
}

static const struct vm_object_ops meta_ops = {
	.hold = meta_hold,
	.drop = meta_hold,
	.enter = meta_enter,
	.leave = meta_enter,
	.read = meta_read,
	.back = meta_back,
	.write = meta_write,
	.sync = meta_sync,
};

/* ---- superblock and groups ---- */

static int
check_features(struct ext2_fs *fs, const struct ext2_super *sb)
{
	if (sb->s_rev_level > 1)
		return refuse(fs, "unknown revision", sb->s_rev_level);
	fs->inode_size = sizeof(struct ext2_dinode);
	fs->first_ino = 11;
	if (sb->s_rev_level == 0)
		return 0;
	if (sb->s_feature_incompat & ~EXT2_INCOMPAT_FILETYPE)
		return refuse(fs, "unknown incompatible features",
		    sb->s_feature_incompat & ~EXT2_INCOMPAT_FILETYPE);
	fs->filetype = sb->s_feature_incompat & EXT2_INCOMPAT_FILETYPE;
	fs->inode_size = sb->s_inode_size;
	fs->first_ino = sb->s_first_ino;
	if (fs->inode_size < sizeof(struct ext2_dinode) ||
	    fs->inode_size > fs->block_size ||
	    (fs->inode_size & (fs->inode_size - 1)) != 0)
		return refuse(fs, "bad inode size", fs->inode_size);
	return 0;
}

/* Take the geometry from the superblock, but only a sound one. */
static int
read_super(struct ext2_fs *fs, const struct ext2_super *sb)
{
	uint64_t device_bytes = fs->dev->nblocks * BLOCK_SIZE;
	uint64_t ngroups;

	if (sb->s_magic != EXT2_MAGIC)
		return refuse(fs, "no ext2 magic", sb->s_magic);
	if (sb->s_log_block_size > 2)
		return refuse(fs, "bad block size", sb->s_log_block_size);
	fs->block_shift = 10 + sb->s_log_block_size;
	fs->block_size = 1u << fs->block_shift;
	fs->first_block = sb->s_first_data_block;
	if (fs->first_block != (fs->block_size == 1024 ? 1u : 0u))
		return refuse(fs, "bad first block", fs->first_block);
	fs->nblocks = sb->s_blocks_count;
	if (fs->nblocks <= fs->first_block + 1 ||
	    (uint64_t)fs->nblocks << fs->block_shift > device_bytes)
		return refuse(fs, "size does not fit the device", fs->nblocks);
	fs->blocks_per_group = sb->s_blocks_per_group;
	if (fs->blocks_per_group == 0 ||
	    fs->blocks_per_group > 8 * fs->block_size)
		return refuse(fs, "bad group size", fs->blocks_per_group);
	ngroups = (fs->nblocks - fs->first_block - 1) / fs->blocks_per_group +
	    1;
	fs->inodes_per_group = sb->s_inodes_per_group;
	if (fs->inodes_per_group == 0 ||
	    fs->inodes_per_group > 8 * fs->block_size || ngroups > GROUPS_MAX)
		return refuse(fs, "bad groups", ngroups);
	fs->ngroups = (uint32_t)ngroups;
	fs->ninodes = sb->s_inodes_count;
	if (fs->ninodes != ngroups * fs->inodes_per_group)
		return refuse(fs, "bad inode count", fs->ninodes);
	return check_features(fs, sb);
}

/* The block of a descriptor, and where it is in it. */
static uint32_t
group_block(const struct ext2_fs *fs, uint32_t g, size_t *offset)
{
	uint32_t per_block = fs->block_size / sizeof(struct ext2_group);

	*offset = g % per_block * sizeof(struct ext2_group);
	return fs->first_block + 1 + g / per_block;
}

int
ext2_group_get(struct ext2_fs *fs, uint32_t g, struct ext2_group *gd)
{
	struct vm_page *pg;
	const uint8_t *data;
	size_t offset;
	int error = ext2_block_get(fs, group_block(fs, g, &offset), &pg, &data);

	if (error != 0)
		return error;
	memcpy(gd, data + offset, sizeof(*gd));
	page_drop(pg);
	return 0;
}

int
ext2_group_add(struct ext2_fs *fs, uint32_t g, size_t at, int n)
{
	struct vm_page *pg;
	uint8_t *data;
	uint16_t count;
	size_t offset;
	int error = ext2_block_edit(fs, group_block(fs, g, &offset), &pg,
	    &data);

	if (error != 0)
		return error;
	memcpy(&count, data + offset + at, sizeof(count));
	count = (uint16_t)(count + n);
	memcpy(data + offset + at, &count, sizeof(count));
	vm_object_put(pg, true);
	return 0;
}

/* Remember where each group's inode table stands. */
static int
read_groups(struct ext2_fs *fs)
{
	struct ext2_group gd;

	for (uint32_t g = 0; g < fs->ngroups; g++) {
		int error = ext2_group_get(fs, g, &gd);

		if (error != 0)
			return error;
		fs->inode_table[g] = gd.bg_inode_table;
		if (!ext2_block_valid(fs, fs->inode_table[g]))
			return refuse(fs, "inode table out of range",
			    fs->inode_table[g]);
	}
	return 0;
}

/* Counters and state; of a file system that is written. */
static int
write_super(struct ext2_fs *fs, bool clean)
{
	struct ext2_super *sb;
	struct vm_page *pg;
	int error = vm_object_get(&fs->meta, 0, OBJ_LOCK, &pg);

	if (error != 0)
		return error;
	sb = (void *)((char *)page_to_virt(pg) + EXT2_SUPER_OFFSET);
	sb->s_free_blocks_count = fs->blocks.nfree;
	sb->s_free_inodes_count = fs->inodes.nfree;
	sb->s_wtime = (uint32_t)ext2_now();
	sb->s_state = clean ? sb->s_state | EXT2_STATE_CLEAN :
			      sb->s_state & (uint16_t)~EXT2_STATE_CLEAN;
	vm_object_put(pg, true);
	return 0;
}

/* ---- sync ---- */

int
ext2_sync(struct ext2_fs *fs)
{
	int error, flushed;

	sleep_lock(&fs->sync);
	if (!fs->writing) {
		sleep_unlock(&fs->sync);
		return 0;
	}
	for (unsigned i = 0; i < EXT2_POOL; i++)
		vm_object_flush(&fs->pool[i].object);
	ext2_freed_begin(fs);
	error = write_super(fs, false);
	vm_object_flush(&fs->meta);
	flushed = block_flush(fs->dev);
	ext2_freed_end(fs, flushed == 0);
	sleep_unlock(&fs->sync);
	return error != 0 ? error : flushed;
}

static void
reap_mount(struct mount *mnt)
{
	ext2_reap(mnt->priv);
}

static void
write_back_mount(struct mount *mnt)
{
	(void)ext2_sync(mnt->priv);
}

static int
sync_mount(struct mount *mnt)
{
	struct ext2_fs *fs = mnt->priv;
	int error;

	ext2_reap(fs);
	error = ext2_sync(fs);
	if (error == 0)
		error = vm_object_error(&fs->meta);
	for (unsigned i = 0; i < EXT2_POOL; i++)
		if (error == 0)
			error = fs->pool[i].object.error;
	return error;
}

/* What was freed reaches the bitmaps with the second sync. */
static int
make_clean(struct mount *mnt)
{
	struct ext2_fs *fs = mnt->priv;
	int error, e;

	ext2_reap(fs);
	error = ext2_sync(fs);
	e = ext2_sync(fs);
	if (error == 0)
		error = e;
	if (error == 0 && fs->blocks.nfreed[0] + fs->inodes.nfreed[0] > 0)
		error = ENOMEM; /* a bitmap could not be read */
	sleep_lock(&fs->sync);
	fs->writing = false;
	if (error == 0)
		error = write_super(fs, true);
	vm_object_flush(&fs->meta);
	if (error == 0)
		error = vm_object_error(&fs->meta);
	if (error == 0)
		error = block_flush(fs->dev);
	sleep_unlock(&fs->sync);
	return error;
}

static void
shutdown_mount(struct mount *mnt)
{
	struct ext2_fs *fs = mnt->priv;
	int error;

	if (mnt->read_only)
		return;
	/* Changes under way end; later ones find it read-only. */
	sleep_lock(&fs->names);
	mnt->read_only = true;
	sleep_unlock(&fs->names);
	for (unsigned i = 0; i < EXT2_POOL; i++) {
		sleep_lock(&fs->pool[i].lock);
		sleep_unlock(&fs->pool[i].lock);
	}
	error = make_clean(mnt);
	if (error != 0)
		kprintf("ext2: %s: not clean: error %d\n", fs->dev->name,
		    error);
}

static void
ext2_statfs(const struct mount *mnt, struct statfs *st)
{
	struct ext2_fs *fs = mnt->priv;

	st->f_type = EXT2_SUPER_MAGIC;
	st->f_blocks = fs->nblocks;
	st->f_files = fs->ninodes;
	if (fs->blocks.per_group == 0)
		return; /* mounted read-only: nobody counted */
	ext2_reap(fs);
	st->f_bfree = st->f_bavail = ext2_count_free(fs, &fs->blocks);
	st->f_ffree = ext2_count_free(fs, &fs->inodes);
}

static const struct mount_ops ext2_mount_ops = {
	.statfs = ext2_statfs,
	.sync = sync_mount,
	.write_back = write_back_mount,
	.reap = reap_mount,
	.shutdown = shutdown_mount,
};

/* ---- mount ---- */

static void
ext2_destroy(struct ext2_fs *fs)
{
	while (!vm_object_purge(&fs->meta)) {
		vm_object_flush(&fs->meta); /* errors were reported */
		(void)vm_object_error(&fs->meta);
	}
	if (fs->inode_table != NULL)
		kfree(fs->inode_table, fs->ngroups * sizeof(uint32_t));
	kfree(fs, sizeof(*fs));
}

/* All but the root: superblock, groups, cache of inodes. */
static int
ext2_open(struct ext2_fs *fs, struct ext2_super *sb)
{
	struct vm_page *pg;
	int error = vm_object_get(&fs->meta, 0, OBJ_READ, &pg);

	if (error != 0)
		return error;
	memcpy(sb, (char *)page_to_virt(pg) + EXT2_SUPER_OFFSET, sizeof(*sb));
	page_drop(pg);
	error = read_super(fs, sb);
	if (error != 0)
		return error;
	fs->inode_table = kmalloc(fs->ngroups * sizeof(uint32_t));
	if (fs->inode_table == NULL)
		return ENOMEM;
	error = read_groups(fs);
	if (error != 0)
		return error;
	return ext2_icache_init(fs);
}

/* @return NULL: it may be written; else why not */
static const char *
why_read_only(struct ext2_fs *fs, const struct ext2_super *sb)
{
	const uint32_t known = EXT2_RO_COMPAT_SPARSE | EXT2_RO_COMPAT_LARGE;
	int error;

	if (fs->block_size != BLOCK_SIZE)
		return "read-only: blocks are not 4 KiB";
	if (sb->s_rev_level > 0 && (sb->s_feature_ro_compat & ~known))
		return "read-only: unknown features";
	if (!(sb->s_state & EXT2_STATE_CLEAN) ||
	    (sb->s_state & EXT2_STATE_ERROR))
		return "read-only: it is not clean, run e2fsck";
	error = ext2_maps_init(fs);
	if (error == ENOMEM)
		return "read-only: no memory";
	if (error != 0)
		return "read-only: bitmaps are damaged, run e2fsck";
	/* Everybody can see from now on that it is in use. */
	if (write_super(fs, false) != 0 || ext2_block_flush(fs, 0) != 0) {
		ext2_maps_fini(fs);
		return "read-only: it cannot be written";
	}
	return NULL;
}

static void
start_writing(struct ext2_fs *fs, const struct ext2_super *sb)
{
	const char *why = why_read_only(fs, sb);

	fs->writing = why == NULL;
	fs->mnt->read_only = !fs->writing;
	kprintf("ext2: %s: %u blocks of %u bytes, %s\n", fs->dev->name,
	    fs->nblocks, fs->block_size, why != NULL ? why : "read-write");
}

int
ext2_mount(struct block_device *dev, struct mount *mnt)
{
	struct ext2_fs *fs = kzalloc(sizeof(*fs));
	struct ext2_super sb;
	int error;

	if (fs == NULL)
		return ENOMEM;
	fs->dev = dev;
	fs->mnt = mnt;
	mnt->priv = fs;
	mnt->ops = &ext2_mount_ops;
	mnt->read_only = true;
	vm_object_init(&fs->meta, &meta_ops);
	sleeplock_init(&fs->names, RANK_NAMES, "ext2 names");
	sleeplock_init(&fs->reap, RANK_REAP, "ext2 reap");
	sleeplock_init(&fs->sync, RANK_SYNC, "ext2 sync");
	sleeplock_init(&fs->alloc, RANK_ALLOC, "ext2 bitmaps");
	error = ext2_open(fs, &sb);
	if (error != 0) {
		ext2_destroy(fs);
		return error;
	}
	mnt->block_size = fs->block_size;
	error = ext2_inode_get(fs, EXT2_ROOT_INO, &mnt->root);
	if (error == 0 && !S_ISDIR(mnt->root->mode)) {
		inode_drop(mnt->root);
		error = EIO;
	}
	if (error != 0) {
		error = refuse(fs, "no root directory", (uint64_t)error);
		ext2_icache_fini(fs);
		ext2_destroy(fs);
		return error;
	}
	start_writing(fs, &sb);
	return 0;
}

void
ext2_unmount(struct mount *mnt)
{
	struct ext2_fs *fs = mnt->priv;

	inode_drop(mnt->root);
	shutdown_mount(mnt);
	ext2_icache_fini(fs);
	ext2_maps_fini(fs);
	ext2_destroy(fs);
}
