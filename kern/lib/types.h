/* SPDX-License-Identifier: MIT */
/*
 * types.h - the scalar types and the few macros that every file uses.
 */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uintptr_t vaddr_t;	/* virtual address */
typedef uint64_t paddr_t;	/* physical address */
typedef uint64_t ns_t;		/* time since boot, nanoseconds */

#define PAGE_SHIFT 12
#define PAGE_SIZE  ((size_t)1 << PAGE_SHIFT)
#define PAGE_MASK  (PAGE_SIZE - 1)

/** Highest number of CPUs that one kernel serves. */
#define MAXCPU 8

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define ROUND_DOWN(x, a) ((x) & ~((uintptr_t)(a)-1))
#define ROUND_UP(x, a)	 ROUND_DOWN((x) + (uintptr_t)(a)-1, a)
#define IS_ALIGNED(x, a) (((x) & ((uintptr_t)(a)-1)) == 0)

#define __must_check	__attribute__((warn_unused_result))
#define __noreturn	__attribute__((noreturn))
/** A slow path: kept out of line, so that the fast one saves few registers. */
#define __slowpath	__attribute__((noinline, cold))
#define __cacheline	__attribute__((aligned(64)))
#define __printf(f, a)	__attribute__((format(printf, f, a)))
#define __always_inline inline __attribute__((always_inline))

#endif
