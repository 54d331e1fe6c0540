/* SPDX-License-Identifier: MIT */
/*
 * free.c - memory in use, in KiB.
 */
#include <user.h>

int
main(void)
{
	struct sysinfo si;
	uint64_t unit;

	if (sysinfo(&si) < 0) {
		perror("sysinfo");
		return 1;
	}
	unit = si.mem_unit != 0 ? si.mem_unit : 1;
	printf("%6s %10s %10s %10s\n", "", "total", "used", "free");
	printf("%6s %10lu %10lu %10lu\n", "Mem:", si.totalram * unit / 1024,
	    (si.totalram - si.freeram) * unit / 1024,
	    si.freeram * unit / 1024);
	printf("%6s %10lu %10lu %10lu\n", "Swap:", si.totalswap * unit / 1024,
	    (si.totalswap - si.freeswap) * unit / 1024,
	    si.freeswap * unit / 1024);
	return 0;
}
