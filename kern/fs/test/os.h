/* SPDX-License-Identifier: MIT */
/** @file os.h What fs_test needs of the machine that it runs on. */
#ifndef FS_TEST_OS_H
#define FS_TEST_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A private copy of a file, with unmapped memory behind its end. */
unsigned char *os_load(const char *path, size_t *size);
void os_unload(unsigned char *, size_t size);
/** Memory of which only every other 4 KiB page may be touched. */
char *os_map_pages(size_t npages);
void *os_alloc(size_t);
void os_free(void *);
void os_print(const char *);
_Noreturn void os_fail(const char *);
void os_save(const char *path, const void *data, size_t size);
/** Exit status of a command; its output goes to @p log. */
int os_run(const char *command, const char *log);
/** CPU time, so that a busy machine does not matter. */
uint64_t os_clock_ns(void);

/** lstat(2) of a host file. @return false: it does not exist */
bool os_lstat(const char *path, uint32_t *mode, uint64_t *size);
size_t os_read(const char *path, uint64_t pos, void *buf, size_t n);
size_t os_readlink(const char *path, char *buf, size_t n);
/** Entries of a host directory, "." and ".." not counted. */
unsigned os_count(const char *path);

#endif
