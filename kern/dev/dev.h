/* SPDX-License-Identifier: MIT */
/** @file dev.h Start of all drivers that belong to no port. */
#ifndef DEV_DEV_H
#define DEV_DEV_H

#include "lib/types.h"

/** Register the devices of /dev, the RAM disk "ram0", disks "vda" and on.
 * @ctx boot, after machine_init_devices() */
void dev_init(void);

/* Each driver's part of it. */
void null_init(void);
void tty_init(void);
void results_init(void);
/** Nothing is registered when there is no initrd. */
void ramdisk_init(void);
/** Disk "ram1" of frames, at least @p size_bytes. @ctx boot @retval ENOMEM */
int __must_check ramdisk_create(uint64_t size_bytes);
void virtio_blk_init(void);

#endif
