/* SPDX-License-Identifier: MIT */
/*
 * ext2_name.c - names: create, link, unlink, rename; attributes, sync.
 *
 * Path: vfs.c -> HERE -> ext2_dir.c, ext2_inode.c.
 * Locks: fs->names exclusively, so that each change is one step for everybody
 *	and two renames cannot make a loop; the inode's lock around its count
 *	of links.
 * Order on disk: a new name is written before the old one disappears, so a
 *	power cut leaves one or both, never none.
 */
#include "abi/errno.h"
#include "fs/ext2.h"
#include "lib/string.h"

/* Changes of names end when the file system is shut down. */
static int
names_lock(struct ext2_fs *fs)
{
	sleep_lock(&fs->names);
	if (!fs->mnt->read_only)
		return 0;
	sleep_unlock(&fs->names);
	return EROFS;
}

static int
add_links(struct inode *ip, int n)
{
	struct ext2_inode *ei = ext2_inode_of(ip);
	int error;

	sleep_lock(&ei->lock);
	ip->nlink = (uint32_t)((int)ip->nlink + n);
	ip->ctime = ext2_now();
	error = ext2_inode_store(ei);
	sleep_unlock(&ei->lock);
	return error;
}

/* Nothing there, and the directory itself still has a name. */
static int
must_be_free(struct ext2_inode *dir, const struct name *n)
{
	struct ext2_place at;
	int error;

	if (dir->vfs.nlink == 0)
		return ENOENT;
	error = ext2_dir_find(dir, n, &at);
	return error == 0 ? EEXIST : error == ENOENT ? 0 : error;
}

/* ---- make ---- */

static int
write_target(struct ext2_inode *ei, const char *target)
{
	size_t len = strlen(target);
	struct vm_page *pg;
	uint32_t block;
	uint8_t *data;
	int error;

	ei->vfs.size = len;
	ei->fast_link = len < EXT2_FAST_LINK;
	if (ei->fast_link) {
		memcpy(ei->block, target, len);
		return ext2_inode_store(ei);
	}
	error = ext2_bmap_alloc(ei, 0, &block);
	if (error == 0)
		error = ext2_block_new(ei->fs, block, &pg, &data);
	if (error != 0)
		return error;
	memcpy(data, target, len);
	vm_object_put(pg, true);
	return ext2_inode_store(ei);
}

/* The child is whole before it gets its name. */
static int
make_locked(struct ext2_inode *dir, const struct name *n, uint32_t mode,
    const char *target, struct inode *ip)
{
	struct ext2_place at;
	int error = 0;

	if (S_ISDIR(mode))
		error = ext2_dir_init(ext2_inode_of(ip),
		    (uint32_t)dir->vfs.ino);
	else if (S_ISLNK(mode))
		error = write_target(ext2_inode_of(ip), target);
	if (error == 0)
		error = ext2_dir_add(dir, n, ip, &at);
	if (error == 0)
		error = add_links(ip, S_ISDIR(mode) ? 2 : 1);
	if (error == 0 && S_ISDIR(mode))
		error = add_links(&dir->vfs, 1);
	return error;
}

static int
ext2_make(struct inode *dir, const struct name *n, uint32_t mode,
    const char *target, struct inode **out)
{
	struct ext2_inode *ei = ext2_inode_of(dir);
	size_t len = target != NULL ? strlen(target) : 1;
	struct inode *ip = NULL;
	int error;

	if (len == 0 || len >= ei->fs->block_size)
		return len == 0 ? ENOENT : ENAMETOOLONG;
	error = names_lock(ei->fs);
	if (error != 0)
		return error;
	error = must_be_free(ei, n);
	if (error == 0 && S_ISDIR(mode) && dir->nlink >= EXT2_LINKS_MAX)
		error = EMLINK;
	if (error == 0)
		error = ext2_inode_new(ei, mode, &ip);
	if (error == 0)
		error = make_locked(ei, n, mode, target, ip);
	if (error != 0 && ip != NULL)
		inode_drop(ip); /* without a link: it is reaped */
	sleep_unlock(&ei->fs->names);
	*out = ip;
	return error;
}

/* ---- link, unlink ---- */

static int
ext2_link(struct inode *dir, const struct name *n, struct inode *ip)
{
	struct ext2_inode *ei = ext2_inode_of(dir);
	struct ext2_place at;
	int error = names_lock(ei->fs);

	if (error != 0)
		return error;
	error = must_be_free(ei, n);
	if (error == 0 && ip->nlink == 0)
		error = ENOENT;
	if (error == 0 && ip->nlink >= EXT2_LINKS_MAX)
		error = EMLINK;
	if (error == 0)
		error = ext2_dir_add(ei, n, ip, &at);
	if (error == 0)
		error = add_links(ip, 1);
	sleep_unlock(&ei->fs->names);
	return error;
}

/* Whether @p ip may lose its name, as rmdir or unlink. */
static int
may_remove(struct inode *ip, bool rmdir)
{
	if (S_ISDIR(ip->mode) != rmdir)
		return rmdir ? ENOTDIR : EISDIR;
	if (ip->covered != NULL)
		return EBUSY;
	return rmdir ? ext2_dir_empty(ext2_inode_of(ip)) : 0;
}

/* The name is gone; a directory also loses "." and its parent's "..". */
static int
lose_name(struct inode *dir, struct inode *ip)
{
	int error;

	if (!S_ISDIR(ip->mode))
		return ip->nlink > 0 ? add_links(ip, -1) : EIO;
	error = add_links(ip, -(int)ip->nlink);
	if (error == 0 && dir->nlink > 0)
		error = add_links(dir, -1);
	return error;
}

static int
ext2_unlink(struct inode *dir, const struct name *n, bool rmdir)
{
	struct ext2_inode *ei = ext2_inode_of(dir);
	struct ext2_place at;
	struct inode *ip;
	int error = names_lock(ei->fs);

	if (error != 0)
		return error;
	error = ext2_dir_find(ei, n, &at);
	if (error == 0)
		error = ext2_inode_get(ei->fs, at.ino, &ip);
	if (error == 0) {
		error = may_remove(ip, rmdir);
		if (error == 0)
			error = ext2_dir_remove(ei, &at);
		if (error == 0)
			error = lose_name(dir, ip);
		inode_drop(ip);
	}
	sleep_unlock(&ei->fs->names);
	return error;
}

/* ---- rename ---- */

struct renaming {
	struct ext2_inode *from, *to; /* directories */
	const struct name *old, *new;
	struct ext2_place old_at, new_at;
	struct inode *ip;     /* what is renamed */
	struct inode *victim; /* what has the new name, or NULL */
};

/* @retval EINVAL directory @p ip is @p dir or above it */
static int
check_loop(struct ext2_inode *dir, const struct inode *ip)
{
	struct ext2_fs *fs = dir->fs;
	struct inode *at = &dir->vfs;
	uint32_t steps = 0;
	int error = 0;

	inode_hold(at);
	while (error == 0 && at != ip && at != fs->mnt->root) {
		struct ext2_place up;
		struct inode *next;

		error = ext2_dir_find(ext2_inode_of(at),
		    &(struct name){ "..", 2 }, &up);
		if (error == 0)
			error = ext2_inode_get(fs, up.ino, &next);
		if (error != 0)
			break;
		inode_drop(at);
		at = next;
		if (!S_ISDIR(at->mode) || ++steps > fs->ninodes)
			error = EIO;
	}
	if (error == 0 && at == ip)
		error = EINVAL;
	inode_drop(at);
	return error;
}

static int
rename_check(struct renaming *r, unsigned flags)
{
	bool dir = S_ISDIR(r->ip->mode);
	int error = 0;

	if (r->to->vfs.nlink == 0)
		return ENOENT;
	if (r->victim != NULL && (flags & RENAME_NOREPLACE))
		return EEXIST;
	if (dir && r->from != r->to)
		error = check_loop(r->to, r->ip);
	if (error == 0 && dir && r->from != r->to && r->victim == NULL &&
	    r->to->vfs.nlink >= EXT2_LINKS_MAX)
		error = EMLINK;
	if (error != 0 || r->victim == NULL)
		return error;
	if (r->victim == &r->from->vfs)
		return ENOTEMPTY;
	return may_remove(r->victim, dir);
}

/* The new name, on disk if the old one could vanish before it. */
static int
rename_enter(struct renaming *r)
{
	uint64_t size = r->to->vfs.size;
	int error;

	error = r->victim != NULL ?
	    ext2_dir_set(r->to, &r->new_at, r->ip) :
	    ext2_dir_add(r->to, r->new, r->ip, &r->new_at);
	if (error != 0)
		return error;
	if (r->to->vfs.size != size) /* with the block came much else */
		return ext2_sync(r->to->fs);
	return r->new_at.block == r->old_at.block ?
	    0 :
	    ext2_block_flush(r->to->fs, r->new_at.block);
}

static int
rename_locked(struct renaming *r)
{
	bool moved = S_ISDIR(r->ip->mode) && r->from != r->to;
	struct ext2_place up;
	int error = rename_enter(r);

	/* The new entry may have moved what stands before the old one. */
	if (error == 0)
		error = ext2_dir_find(r->from, r->old, &r->old_at);
	if (error == 0)
		error = ext2_dir_remove(r->from, &r->old_at);
	if (error == 0 && r->victim != NULL)
		error = lose_name(&r->to->vfs, r->victim);
	if (error == 0 && moved) {
		error = ext2_dir_find(ext2_inode_of(r->ip),
		    &(struct name){ "..", 2 }, &up);
		if (error == 0)
			error = ext2_dir_set(ext2_inode_of(r->ip), &up,
			    &r->to->vfs);
		if (error == 0)
			error = add_links(&r->from->vfs, -1);
		if (error == 0)
			error = add_links(&r->to->vfs, 1);
	}
	return error == 0 ? add_links(r->ip, 0) : error; /* its ctime */
}

static int
rename_find(struct renaming *r)
{
	struct ext2_fs *fs = r->from->fs;
	int error = ext2_dir_find(r->from, r->old, &r->old_at);

	if (error == 0)
		error = ext2_inode_get(fs, r->old_at.ino, &r->ip);
	if (error != 0)
		return error;
	error = ext2_dir_find(r->to, r->new, &r->new_at);
	if (error == 0)
		error = ext2_inode_get(fs, r->new_at.ino, &r->victim);
	return error == ENOENT ? 0 : error;
}

static int
ext2_rename(struct inode *od, const struct name *old, struct inode *nd,
    const struct name *new, unsigned flags)
{
	struct ext2_fs *fs = ext2_of(od);
	struct renaming r = { .from = ext2_inode_of(od),
		.to = ext2_inode_of(nd),
		.old = old,
		.new = new };
	int error = names_lock(fs);

	if (error != 0)
		return error;
	error = rename_find(&r);
	if (error == 0 && r.ip->covered != NULL)
		error = EBUSY;
	/* Two names of one file: POSIX says that both stay. */
	if (error == 0 && r.victim == r.ip)
		error = flags & RENAME_NOREPLACE ? EEXIST : 0;
	else if (error == 0 && (error = rename_check(&r, flags)) == 0)
		error = rename_locked(&r);
	if (r.victim != NULL)
		inode_drop(r.victim);
	if (r.ip != NULL)
		inode_drop(r.ip);
	sleep_unlock(&fs->names);
	return error;
}

/* ---- the rest ---- */

static int
ext2_setattr(struct inode *ip, const struct inode_attr *attr)
{
	struct ext2_inode *ei = ext2_inode_of(ip);
	int error = names_lock(ei->fs); /* of directories */

	if (error != 0)
		return error;
	sleep_lock(&ei->lock);
	if (attr->mode != -1)
		ip->mode = (ip->mode & S_IFMT) | ((uint32_t)attr->mode & 07777);
	if (attr->atime != -1)
		ip->atime = attr->atime;
	if (attr->mtime != -1)
		ip->mtime = attr->mtime;
	ip->ctime = ext2_now();
	error = ext2_inode_store(ei);
	sleep_unlock(&ei->lock);
	sleep_unlock(&ei->fs->names);
	return error;
}

static int
ext2_sync_inode(struct inode *ip)
{
	struct ext2_inode *ei = ext2_inode_of(ip);

	int error = ext2_sync(ei->fs), e = vm_object_error(&ei->fs->meta);

	if (error == 0)
		error = e;
	e = vm_object_error(&ei->object);
	return error != 0 ? error : e;
}

const struct inode_edit_ops ext2_edit_ops = {
	.make = ext2_make,
	.link = ext2_link,
	.unlink = ext2_unlink,
	.rename = ext2_rename,
	.resize = ext2_resize,
	.setattr = ext2_setattr,
	.sync = ext2_sync_inode,
	.object = ext2_object,
};
