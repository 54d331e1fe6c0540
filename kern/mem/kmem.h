/* SPDX-License-Identifier: MIT */
/**
 * @file kmem.h
 * Kernel objects: slabs of one size, with a free list a CPU.
 * Source: Bonwick, The Slab Allocator, USENIX 1994 (without constructors).
 *
 * An allocation may fail and never sleeps.  Memory is not zeroed.
 */
#ifndef MEM_KMEM_H
#define MEM_KMEM_H

#include "lib/list.h"
#include "sync/spinlock.h"

struct kmem_slab;

struct kmem_cache {
	struct spinlock lock;	/* RANK_KMEM */
	const char *name;	/* [I] */
	uint32_t size;		/* [I] object size in bytes */
	uint32_t per_slab;	/* [I] */
	struct list partial;	/* [lock] slabs with a free object */
	uint32_t nempty;	/* [lock] wholly free slabs kept */
	struct list caches;	/* list of all caches */
	struct {
		void *free;	/* [c] singly linked */
		uint32_t n;
		int64_t used;	/* [c] allocated minus freed on this CPU */
	} cpu[MAXCPU];
};

/** @param size object size, at most 2,040 bytes. */
void kmem_cache_init(struct kmem_cache *, const char *name, size_t size);
void *kmem_alloc(struct kmem_cache *);		/* NULL: no memory */
void kmem_free(struct kmem_cache *, void *);

/** General sizes, 16 B to 1 MiB (above 1 KiB: whole frames). */
void kmem_init(void);
void *kmalloc(size_t size);
void *kzalloc(size_t size);
void kfree(void *, size_t size);

/** Objects in use: of one cache; over all caches, and their bytes. */
uint64_t kmem_used(const struct kmem_cache *c);
uint64_t kmem_used_objects(void);
uint64_t kmem_used_bytes(void);
/** Frames that hold slabs, empty ones included. */
size_t kmem_slab_frames(void);
/** One line a cache: name size used. */
struct sink;
void kmem_dump(struct sink *);

#endif
