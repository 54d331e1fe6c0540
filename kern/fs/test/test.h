/* SPDX-License-Identifier: MIT */
/** @file test.h Between the parts of fs_test. */
#ifndef FS_TEST_TEST_H
#define FS_TEST_TEST_H

#include "fs/buf.h"
#include "fs/test/os.h"
#include "fs/vfs.h"
#include "lib/string.h"

/* kernel.c */
#define TEST_USER_PAGES 40u
#define TEST_USER	PAGE_SIZE /* first user address */
extern struct vmspace test_space;
extern unsigned test_kprintf_lines;
extern long test_nalloc; /* kmem objects in use */
void test_boot(void);
char *test_user(vaddr_t);

/* fs_test.c */
void check(bool ok, const char *what);
unsigned test_failed(void); /* checks so far */
#define CHECK(e) check((e), #e)
#define CHECK_ERROR(e, error) check((e) == (error), #e " == " #error)

extern struct block_device test_disk;
extern unsigned char *test_image;
extern bool *test_metadata; /* blocks that were read through the cache */

/* damage.c */
/** Each wrong number gives its error. */
void damage_image(void);

/* fuzz.c */
void fuzz_init(uint64_t seed, unsigned rounds);
/** Damage the image again and again, mount it and use all that is there. */
void fuzz_image(void);

#endif
