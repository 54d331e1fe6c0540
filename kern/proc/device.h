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
	uint64_t rdev;		    /* DEVICE_NUMBER(), also its inode number */
	const struct file_ops *ops; /* stat is device_stat */
	int (*open)(struct file *); /* NULL: nothing to do.  Errors: no file */
};

#define DEVICE_NUMBER(major, minor) ((uint64_t)(major) << 8 | (minor))
#define TERMINAL_NUMBER		    ((int)DEVICE_NUMBER(4, 64)) /* ttyS0 */

/** st_dev of everything in /dev. */
#define DEVICE_FS 3

/** Put a driver's table into /dev. @ctx boot, one CPU; the table stays valid */
void device_register(const struct device *table, unsigned n);
/** The device at @p index, in order of registration; NULL: no more. */
const struct device *device_at(unsigned index);

/** A file of the device. @retval ENOMEM, and what its open answers */
int __must_check device_open(const struct device *, unsigned flags,
    struct file **out);
int device_stat(struct file *, struct stat *);

#endif
