/* SPDX-License-Identifier: MIT */
/*
 * printf.h - formatted output into a sink.
 *
 * A sink is where text goes: the console, a bounded buffer, a procfs file.
 * Formats: %d %i %u %x %p %s %c %% with l, ll, z, h, width, precision for
 * %s, '0' and '-'.  No floating point in the kernel.
 */
#ifndef LIB_PRINTF_H
#define LIB_PRINTF_H

#include <stdarg.h>

#include "lib/types.h"

struct sink {
	/** Take @p n bytes; never fails (a full buffer drops and counts). */
	void (*put)(struct sink *, const char *s, size_t n);
};

/** A sink over a buffer; @p total counts what was asked for, also beyond. */
struct buf_sink {
	struct sink sink;
	char *buf;
	size_t size;
	size_t total;
	size_t skip; /* bytes still to be dropped first (reads at an offset) */
};

void sink_vprintf(struct sink *, const char *fmt, va_list) __printf(2, 0);
void sink_printf(struct sink *, const char *fmt, ...) __printf(2, 3);
void buf_sink_init(struct buf_sink *, char *buf, size_t size, size_t skip);

/** Always terminates; returns the length that would have been written. */
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
int vsnprintf(char *buf, size_t size, const char *fmt, va_list) __printf(3, 0);

/** Kernel log: the console, one line at a time. @ctx any */
void kprintf(const char *fmt, ...) __printf(1, 2);

#endif
