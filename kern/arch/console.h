/* SPDX-License-Identifier: MIT */
/**
 * @file console.h
 * Port contract: byte devices for people (console) and for results.
 */
#ifndef ARCH_CONSOLE_H
#define ARCH_CONSOLE_H

#include "lib/types.h"

enum console_port { CONSOLE_TTY, CONSOLE_RESULTS };

/** Polled output; works from the first instruction of main() on the TTY. The
 * caller serialises. @ctx any */
void console_write(enum console_port, const char *s, size_t n);

/** False when the machine has no such port (no results channel attached). */
bool console_present(enum console_port);

/** Next received byte of the TTY, or -1. @ctx any */
int console_getc(void);

/** Called by the port when the TTY has input (dev/tty.c); interrupt context. */
void tty_input_ready(void);

#endif
