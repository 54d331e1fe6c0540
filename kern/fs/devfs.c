/* SPDX-License-Identifier: MIT */
/*
 * devfs.c - /dev: one directory of the devices that drivers registered.
 *
 * Path: path.c, vfs.c -> HERE -> device_at (proc/device.c).
 * Locks: none; all inodes are made at mount and stay.
 * Invariants: inodes[0] is the directory, inodes[n + 1] device n.
 */
#include "abi/errno.h"
#include "fs/vfs.h"
#include "lib/string.h"
#include "mem/kmem.h"
#include "proc/device.h"

#define ROOT_INO 1u

static struct inode *inodes; /* the directory, then the devices */
static unsigned ninodes;

static int
devfs_lookup(struct inode *dir, const char *name, size_t len,
    struct inode **out)
{
	const struct device *dev;

	for (unsigned i = 0; (dev = device_at(i)) != NULL; i++) {
		if (strlen(dev->name) != len ||
		    memcmp(dev->name, name, len) != 0)
			continue;
		*out = &inodes[i + 1];
		inode_hold(*out);
		return 0;
	}
	return ENOENT;
}

static int
devfs_readdir(struct inode *dir, uint64_t *pos, struct dir_sink *sink)
{
	struct dir_entry e;

	while (*pos < 2 + (uint64_t)ninodes - 1) {
		const struct device *dev =
		    *pos >= 2 ? device_at((unsigned)*pos - 2) : NULL;

		e.name = dev != NULL ? dev->name : *pos == 0 ? "." : "..";
		e.len = strlen(e.name);
		e.ino = dev != NULL ? dev->rdev : ROOT_INO;
		e.type = dev != NULL ? DT_CHR : DT_DIR;
		e.next = *pos + 1;
		if (!sink->emit(sink, &e))
			break;
		*pos = e.next;
	}
	return 0;
}

/* The file is the device's own and forgets the inode, which stays anyway. */
static int
devfs_open(struct inode *ip, unsigned flags, struct file **out)
{
	int error = device_open(device_at((unsigned)(ip - inodes) - 1), flags,
	    out);

	if (error == 0)
		inode_drop(ip);
	return error;
}

static const struct inode_ops devfs_dir_ops = {
	.name = "devfs",
	.lookup = devfs_lookup,
	.readlink = inode_readlink_einval,
	.readdir = devfs_readdir,
	.open = inode_open_dir,
	.release = inode_release_nothing,
	.edit = &inode_edit_none,
};

static const struct inode_ops devfs_device_ops = {
	.name = "device",
	.lookup = inode_lookup_enotdir,
	.readlink = inode_readlink_einval,
	.readdir = inode_readdir_enotdir,
	.open = devfs_open,
	.release = inode_release_nothing,
	.edit = &inode_edit_none,
};

int
devfs_mount(struct mount *mnt)
{
	const struct device *dev;

	for (ninodes = 1; device_at(ninodes - 1) != NULL; ninodes++)
		;
	inodes = kzalloc(ninodes * sizeof(*inodes));
	if (inodes == NULL)
		return ENOMEM;
	inodes[0] = (struct inode){ .ops = &devfs_dir_ops,
		.mnt = mnt,
		.mode = S_IFDIR | 0555,
		.ino = ROOT_INO,
		.nlink = 2 };
	for (unsigned i = 1; i < ninodes; i++) {
		dev = device_at(i - 1);
		inodes[i] = (struct inode){ .ops = &devfs_device_ops,
			.mnt = mnt,
			.mode = dev->mode,
			.ino = dev->rdev,
			.rdev = dev->rdev,
			.nlink = 1 };
	}
	mnt->root = &inodes[0];
	inode_hold(mnt->root);
	return 0;
}
