/* SPDX-License-Identifier: MIT */
/*
 * poweroff.c - stop the machine; as "halt" without switching it off, as
 * "reboot" to start again.
 */
#include <user.h>

#include <abi/reboot.h>

int
main(int argc, char **argv)
{
	const char *name = argc > 0 ? strrchr(argv[0], '/') : NULL;
	unsigned cmd = LINUX_REBOOT_CMD_POWER_OFF;

	name = name != NULL ? name + 1 : argc > 0 ? argv[0] : "";
	if (strcmp(name, "halt") == 0)
		cmd = LINUX_REBOOT_CMD_HALT;
	if (strcmp(name, "reboot") == 0)
		cmd = LINUX_REBOOT_CMD_RESTART;
	sync();
	reboot(cmd);
	perror(name);
	return 1;
}
