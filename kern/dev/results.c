/* SPDX-License-Identifier: MIT */
/*
 * results.c - /dev/results: the channel on which tests report to the host.
 *
 * Path: file_write -> HERE -> console_write (port), polled, so no byte is lost.
 * Locks: results_lock over one write call (up to one batch of 8 pages), so
 *	that lines of several processes do not mix.
 * Absent when the machine has no second serial channel.
 */
#include "abi/stat.h"
#include "arch/console.h"
#include "dev/dev.h"
#include "proc/device.h"

#define CHUNK 128u

static struct sleeplock results_lock;

static int
results_write(struct file *f, const struct vm_pinned *buf, uint64_t pos,
    size_t *done)
{
	char chunk[CHUNK];
	size_t n;

	sleep_lock(&results_lock);
	while (*done < buf->size) {
		n = MIN(buf->size - *done, CHUNK);
		vm_pinned_read(buf, *done, chunk, n);
		console_write(CONSOLE_RESULTS, chunk, n);
		*done += n;
	}
	sleep_unlock(&results_lock);
	return 0;
}

static const struct file_ops results_ops = {
	.name = "results",
	.seekable = false,
	.read = file_read_einval,
	.write = results_write,
	.stat = device_stat,
	.readdir = file_readdir_enotdir,
	.ioctl = file_ioctl_enotty,
	.poll = file_poll_ready,
	.size = file_size_zero,
	.release = file_release_nothing,
};

static const struct device results_devices[] = {
	{ "results", S_IFCHR | 0222, DEVICE_NUMBER(4, 65), &results_ops,
	    NULL },
};

void
results_init(void)
{
	sleeplock_init(&results_lock, RANK_PIPE, "results");
	if (console_present(CONSOLE_RESULTS))
		device_register(results_devices, ARRAY_SIZE(results_devices));
}
