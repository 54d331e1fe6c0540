/* SPDX-License-Identifier: MIT */
/**
 * @file os.h
 * What the host port asks of the operating system below it.
 *
 * os.c is the only file of the port that includes headers of the C library;
 * everything else sees kernel headers only, so that names cannot clash.
 */
#ifndef HOST_OS_H
#define HOST_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Zeroed memory; @p shared with children of os_run(). Ends on failure. */
void *os_map(size_t size, bool shared);
/** From now on children of os_run() share these pages; they become zero. */
void os_share(void *pages, size_t size);
/** Memory at a fixed free address. */
void os_map_at(uintptr_t va, size_t size);
void os_unmap(void *, size_t size);
void *os_grow(void *old, size_t size);	/* as realloc, never fails */
void os_free(void *);

void os_write(int fd, const void *, size_t n);
void os_exit(int code) __attribute__((noreturn));
uint64_t os_now(void); /* monotonic nanoseconds */
const char *os_getenv(const char *name);
/** Write a whole file; false on an error. */
bool os_save(const char *path, const void *data, size_t n);
/** Read a whole file (os_free it), or NULL. */
void *os_load(const char *path, size_t *n);

/* What became of a child. */
enum { OS_TIMEOUT = -1, OS_SIGNAL = 1000 };
/** Run @p fn(@p arg) in a copy of this process and exit with its result.
 * @return its exit code, OS_SIGNAL + signal, or OS_TIMEOUT (then killed) */
int os_run(int (*fn)(void *), void *arg, unsigned timeout_ms, bool quiet);

/* Threads: one a CPU in threaded mode. */
struct os_thread;
struct os_thread *os_thread_start(void (*fn)(void *), void *arg);
void os_thread_join(struct os_thread *);
void os_yield(void);

/** A flag that one thread waits for and any thread sets. */
struct os_event;
struct os_event *os_event_create(void);
void os_event_set(struct os_event *);
/** Wait until set or @p ns passed; clears it. */
void os_event_wait(struct os_event *, uint64_t ns);

/* Stacks to switch between, for the deterministic mode. */
struct os_stack;
struct os_stack *os_stack_create(void (*fn)(void));
/** NULL stands for the stack of main(). */
void os_stack_switch(struct os_stack *from, struct os_stack *to);
void os_stack_free(struct os_stack *);

/** Call @p fn(@p arg); os_throw() in it returns here. @return thrown? */
bool os_catch(void (*fn)(void *), void *arg);
/** False when no os_catch() is active. */
bool os_throw(void);

#endif
