/* SPDX-License-Identifier: MIT */
/* dev.c - the list of drivers. */
#include "dev/dev.h"

void
dev_init(void)
{
	null_init();
	tty_init();
	results_init();
	ramdisk_init();
	virtio_blk_init();
}
