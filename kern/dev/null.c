/* SPDX-License-Identifier: MIT */
/*
 * null.c - /dev/null and /dev/zero.
 *
 * Path: file_read, file_write -> HERE.
 * Locks: none.  Both are seekable, as on Linux, so that long reads of zeroes
 *	are not cut to one batch.
 */
#include "abi/stat.h"
#include "dev/dev.h"
#include "proc/device.h"

static int
null_read(struct file *f, const struct vm_pinned *buf, uint64_t pos,
    size_t *done)
{
	return 0;
}

static int
null_write(struct file *f, const struct vm_pinned *buf, uint64_t pos,
    size_t *done)
{
	*done = buf->size;
	return 0;
}

static int
zero_read(struct file *f, const struct vm_pinned *buf, uint64_t pos,
    size_t *done)
{
	file_zero_pinned(buf, 0, buf->size);
	*done = buf->size;
	return 0;
}

static const struct file_ops null_ops = {
	.name = "null",
	.seekable = true,
	.read = null_read,
	.write = null_write,
	.stat = device_stat,
	.readdir = file_readdir_enotdir,
	.ioctl = file_ioctl_enotty,
	.poll = file_poll_ready,
	.size = file_size_zero,
	.release = file_release_nothing,
};

static const struct file_ops zero_ops = {
	.name = "zero",
	.seekable = true,
	.read = zero_read,
	.write = null_write,
	.stat = device_stat,
	.readdir = file_readdir_enotdir,
	.ioctl = file_ioctl_enotty,
	.poll = file_poll_ready,
	.size = file_size_zero,
	.release = file_release_nothing,
};

static const struct device null_devices[] = {
	{ "null", S_IFCHR | 0666, DEVICE_NUMBER(1, 3), &null_ops, NULL },
	{ "zero", S_IFCHR | 0666, DEVICE_NUMBER(1, 5), &zero_ops, NULL },
};

void
null_init(void)
{
	device_register(null_devices, ARRAY_SIZE(null_devices));
}
