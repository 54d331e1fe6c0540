/* SPDX-License-Identifier: MIT */
/** @file test.h Between the parts of fs_test. */
#ifndef FS_TEST_TEST_H
#define FS_TEST_TEST_H

#include "fs/test/os.h"
#include "fs/vfs.h"
#include "lib/string.h"

/* kernel.c */
#define TEST_USER_PAGES 40u
#define TEST_USER	PAGE_SIZE /* first user address */
extern struct vmspace test_space;
extern unsigned test_kprintf_lines;
extern long test_nalloc; /* kmem objects in use */
extern unsigned test_fail_frame; /* so many allocations on, none; 0: never */
void test_boot(void);
char *test_user(vaddr_t);

/* fs_test.c */
void check(bool ok, const char *what);
unsigned test_failed(void); /* checks so far */
#define CHECK(e) check((e), #e)
#define CHECK_ERROR(e, error) check((e) == (error), #e " == " #error)

extern struct block_device test_disk;
extern unsigned char *test_image;
extern size_t test_image_size;
extern bool *test_metadata; /* blocks that hold no contents */
extern bool test_writable;  /* 4 KiB blocks: the kernel writes them */
/** The disk fails, says EIO: the n-th write from now on, 0: none. */
extern unsigned test_fail_write;
/** Called before each write of a block. */
extern void (*test_on_write)(uint64_t block, const void *data);
/** Put the image back to what test_keep() saw. */
void test_keep(void);
void test_restore(void);
/** splitmix64 */
uint64_t test_random(uint64_t *state);

/* damage.c */
/** Each wrong number gives its error. */
void damage_image(void);

/* write.c */
/** Random operations against a model; e2fsck judges. */
void write_image(uint64_t seed, unsigned episodes);

/* fuzz.c */
void fuzz_init(uint64_t seed, unsigned rounds);
/** Damage the image again and again, mount it and use all that is there. */
void fuzz_image(void);

#endif
