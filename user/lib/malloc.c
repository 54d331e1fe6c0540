/* SPDX-License-Identifier: MIT */
/*
 * malloc.c - first fit over an address-ordered free list.
 *
 * A block is a header and its payload, counted in units of the header, so
 * every payload is 16-byte aligned.  Neighbours join when one is freed.
 * One mutex guards the list.
 */
#include "libc.h"
#include "thread.h"

#define GROW_BYTES	16384ul		/* the least that is asked of brk */

struct block {
	struct block	*next;		/* while it is free */
	size_t		 units;		/* header included */
};
_Static_assert(sizeof(struct block) == 16, "alignment of payloads");

static struct mutex lock;
static struct block *first;		/* lowest free block */

static void
insert_locked(struct block *b)
{
	struct block **p = &first, *prev = NULL;

	while (*p != NULL && *p < b) {
		prev = *p;
		p = &prev->next;
	}
	b->next = *p;
	*p = b;
	if (b->next != NULL && b + b->units == b->next) {
		b->units += b->next->units;
		b->next = b->next->next;
	}
	if (prev != NULL && prev + prev->units == b) {
		prev->units += b->units;
		prev->next = b->next;
	}
}

static bool
grow_locked(size_t units)
{
	size_t bytes = MAX(units * sizeof(struct block), GROW_BYTES);
	struct block *b;

	bytes = (bytes + PAGE_SIZE - 1) & -PAGE_SIZE;
	b = sbrk((long)bytes);
	if (b == (void *)-1)
		return false;
	b->units = bytes / sizeof(struct block);
	insert_locked(b);
	return true;
}

static struct block *
take_locked(size_t units)
{
	struct block **p, *b;

	for (p = &first; (b = *p) != NULL; p = &b->next) {
		if (b->units < units)
			continue;
		if (b->units == units) {
			*p = b->next;
			return b;
		}
		b->units -= units;
		b += b->units;
		b->units = units;
		return b;
	}
	return NULL;
}

void *
malloc(size_t size)
{
	size_t units = (size + sizeof(struct block) - 1) /
	    sizeof(struct block) + 1;
	struct block *b = NULL;

	if (size < PTRDIFF_MAX / 2) {
		mutex_lock(&lock);
		b = take_locked(units);
		if (b == NULL && grow_locked(units))
			b = take_locked(units);
		mutex_unlock(&lock);
	}
	if (b == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	return b + 1;
}

void
free(void *p)
{
	if (p == NULL)
		return;
	mutex_lock(&lock);
	insert_locked((struct block *)p - 1);
	mutex_unlock(&lock);
}

void *
calloc(size_t n, size_t size)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	p = malloc(bytes);
	return p != NULL ? memset(p, 0, bytes) : NULL;
}

void *
realloc(void *p, size_t size)
{
	size_t old;
	void *q;

	if (p == NULL)
		return malloc(size);
	old = (((struct block *)p - 1)->units - 1) * sizeof(struct block);
	if (size <= old)
		return p;
	if ((q = malloc(size)) == NULL)
		return NULL;
	memcpy(q, p, old);
	free(p);
	return q;
}
