/* SPDX-License-Identifier: MIT */
/*
 * panic.h - stop the machine: a kernel invariant is broken.
 *
 * Only for bugs of the kernel itself.  Nothing that a user program does may
 * lead here: user errors are errno values or signals.
 */
#ifndef LIB_PANIC_H
#define LIB_PANIC_H

#include "lib/types.h"

/**
 * Print "# panic: MESSAGE", the pc and a backtrace of addresses on the console
 * and the results channel, stop every other CPU, and stop the machine.
 * @ctx any, also with locks held and interrupts off
 */
void panic(const char *fmt, ...) __printf(1, 2) __noreturn;

/** Check that holds in every build; use it where a check costs nothing. */
#define KASSERT_ALWAYS(e)                                                     \
	do {                                                                  \
		if (unlikely(!(e)))                                           \
			panic("%s:%d: assertion failed: %s", __FILE__,        \
			    __LINE__, #e);                                    \
	} while (0)

/** Check of the DEBUG build.  The expression must have no side effect. */
#ifdef DEBUG
#define KASSERT(e) KASSERT_ALWAYS(e)
#else
#define KASSERT(e) ((void)sizeof(e))
#endif

#endif
