/* SPDX-License-Identifier: MIT */
/**
 * @file device.h
 * Contract between character devices (dev) and /dev (fs/devfs.c).
 */
#ifndef PROC_DEVICE_H
#define PROC_DEVICE_H

#include "proc/file.h"

struct device {
	const char *name;	    /* in /dev */
	uint32_t mode;		    /* S_IFCHR and permissions */
	uint64_t rdev;		    /* DEVICE_NUMBER() */
	const struct file_ops *ops; /* file->data is this struct device */
};

#define DEVICE_NUMBER(major, minor) ((uint64_t)(major) << 8 | (minor))

/** Put a driver's table into /dev; its place is its inode number.
 * @ctx boot, one CPU; the table stays valid */
void device_register(const struct device *table, unsigned n);
/** The device at @p index, in order of registration; NULL: no more. */
const struct device *device_at(unsigned index);

/** The stat slot of every device file. */
int device_stat(struct file *, struct stat *);
void device_fill_stat(const struct device *, uint64_t ino, struct stat *);

#endif
