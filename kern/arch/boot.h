/* SPDX-License-Identifier: MIT */
/** @file boot.h Port contract: what the firmware told us. */
#ifndef ARCH_BOOT_H
#define ARCH_BOOT_H

#include "lib/types.h"

struct boot_info {
	const char *cmdline;  /* "" if none; stays valid */
	paddr_t initrd_start; /* RAM disk image; start = end: none */
	paddr_t initrd_end;
	unsigned ncpus;	      /* CPUs that can be started, at most MAXCPU */
};

/** Filled in by the port before it calls kmain(). */
extern struct boot_info boot_info;

/** Value of "key=value" on the command line, copied into @p buf; false when
 * the key is absent. (kern/bootarg.c) */
bool bootarg(const char *key, char *buf, size_t size);
/** As bootarg, for numbers with optional suffix us, ms, s (to nanoseconds), k,
 * m. A malformed value is reported on the console and @p dflt is used. */
uint64_t bootarg_u64(const char *key, uint64_t dflt);

/** Machine-independent start, on the boot CPU: direct map, kernel table and
 * console work; interrupts are off; kern/main.c. */
void kmain(void) __attribute__((noreturn));

/**
 * Called by kmain() when memory and pmap work: find devices, route their
 * interrupts, set up the results channel.
 */
void machine_init_devices(void);
/** Called on each CPU when it is ready for interrupts. */
void machine_init_cpu(void);

#endif
