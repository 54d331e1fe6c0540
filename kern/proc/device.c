/* SPDX-License-Identifier: MIT */
/*
 * device.c - the character devices that drivers registered, for /dev.
 *
 * Path: drivers -> device_register; fs/devfs.c -> device_at, device_open.
 * Locks: none; tables are registered at boot and never change.
 */
#include "abi/stat.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "proc/device.h"

#define DEVICE_MAX 32

static const struct device *devices[DEVICE_MAX];
static unsigned ndevices;

void
device_register(const struct device *table, unsigned n)
{
	KASSERT_ALWAYS(n <= DEVICE_MAX - ndevices);
	for (unsigned i = 0; i < n; i++)
		devices[ndevices++] = &table[i];
}

const struct device *
device_at(unsigned index)
{
	return index < ndevices ? devices[index] : NULL;
}

int
device_open(const struct device *dev, unsigned flags, struct file **out)
{
	int error = file_create(dev->ops, flags, NULL, out);

	if (error != 0)
		return error;
	(*out)->aux = (uintptr_t)dev;
	if (dev->open != NULL)
		error = dev->open(*out);
	if (error != 0)
		file_drop(*out);
	return error;
}

int
device_stat(struct file *f, struct stat *st)
{
	const struct device *dev = (const void *)(uintptr_t)f->aux;

	memset(st, 0, sizeof(*st));
	st->st_dev = DEVICE_FS;
	st->st_ino = dev->rdev;
	st->st_mode = dev->mode;
	st->st_nlink = 1;
	st->st_rdev = dev->rdev;
	st->st_blksize = (int32_t)PAGE_SIZE;
	return 0;
}
