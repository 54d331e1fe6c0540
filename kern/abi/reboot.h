/* SPDX-License-Identifier: MIT */
/*
 * reboot.h - reboot(2): both magic numbers, then the command.
 */
#ifndef ABI_REBOOT_H
#define ABI_REBOOT_H

#define LINUX_REBOOT_MAGIC1		0xfee1dead
#define LINUX_REBOOT_MAGIC2		0x28121969
#define LINUX_REBOOT_CMD_RESTART	0x01234567
#define LINUX_REBOOT_CMD_HALT		0xcdef0123
#define LINUX_REBOOT_CMD_POWER_OFF	0x4321fedc
#define LINUX_REBOOT_CMD_CAD_OFF	0x00000000

#endif /* ABI_REBOOT_H */
