/* SPDX-License-Identifier: MIT */
/* string.h - the part of ISO C <string.h> that the kernel uses. */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include "lib/types.h"

void *memset(void *dst, int c, size_t n);
void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);

/** Copy at most @p size - 1 bytes and terminate; returns strlen(@p src). */
size_t strlcpy(char *dst, const char *src, size_t size);

/** Decimal or 0x hexadecimal; false when @p s is not a number as a whole. */
bool strtou64(const char *s, uint64_t *out);

#endif
