/* SPDX-License-Identifier: MIT */
/*
 * utsname.h - uname and sysinfo.
 */
#ifndef ABI_UTSNAME_H
#define ABI_UTSNAME_H

#include <stdint.h>

struct utsname {
	char	sysname[65];
	char	nodename[65];
	char	release[65];
	char	version[65];
	char	machine[65];
	char	domainname[65];
};

struct sysinfo {
	int64_t		uptime;		/* seconds */
	uint64_t	loads[3];
	uint64_t	totalram;	/* in mem_unit bytes */
	uint64_t	freeram;
	uint64_t	sharedram;
	uint64_t	bufferram;
	uint64_t	totalswap;
	uint64_t	freeswap;
	uint16_t	procs;
	uint16_t	pad;
	uint32_t	pad2;
	uint64_t	totalhigh;
	uint64_t	freehigh;
	uint32_t	mem_unit;
	uint32_t	pad3;
};
_Static_assert(sizeof(struct sysinfo) == 112, "struct sysinfo");

#endif /* ABI_UTSNAME_H */
