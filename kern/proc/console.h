/* SPDX-License-Identifier: MIT */
/**
 * @file console.h
 * Serialised output on the console, for kernel messages and the terminal.
 */
#ifndef PROC_CONSOLE_H
#define PROC_CONSOLE_H

#include "lib/types.h"

/**
 * Write @p n bytes without another CPU's output in between.  A panic does not
 * come here: it calls console_write(), which takes no lock.  @ctx any
 */
void console_put(const char *s, size_t n);

#endif
