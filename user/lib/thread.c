/* SPDX-License-Identifier: MIT */
/*
 * thread.c - threads, mutexes and barriers over clone and futex.
 *
 * One mapping holds a thread: guard page, stack growing down, and at its top
 * the thread's TLS block.
 */
#include "libc.h"
#include "thread.h"

pid_t
clone(int (*fn)(void *), void *stack, int flags, void *arg, int *ptid,
    void *tls, int *ctid)
{
	return (pid_t)sysret(clone_raw(fn, stack, flags, arg, ptid, tls,
	    ctid));
}

int
futex_wait(int *addr, int expect, const struct timespec *timeout)
{
	return (int)sysret(syscall6(SYS_futex, (long)addr, FUTEX_WAIT, expect,
	    (long)timeout, 0, 0));
}

int
futex_wake(int *addr, int count)
{
	return (int)sysret(syscall6(SYS_futex, (long)addr, FUTEX_WAKE, count,
	    0, 0, 0));
}

static int
thread_main(void *arg)
{
	struct thread *t = arg;

	t->result = t->fn(t->arg);
	return 0;
}

int
thread_create(struct thread *t, void *(*fn)(void *), void *arg)
{
	char *stack, *tls;
	int error;

	stack = mmap(NULL, PAGE_SIZE + THREAD_STACK, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack == MAP_FAILED)
		return -1;
	tls = stack + PAGE_SIZE + THREAD_STACK - ((tls_size() + 63) & ~63ul);
	*t = (struct thread){ .fn = fn, .arg = arg, .stack = stack };
	if (mprotect(stack, PAGE_SIZE, PROT_NONE) == 0 &&
	    clone(thread_main, tls, THREAD_FLAGS, t, &t->tid, tls_init(tls),
	    &t->tid) > 0)
		return 0;
	error = errno;
	munmap(stack, PAGE_SIZE + THREAD_STACK);
	errno = error;
	return -1;
}

void *
thread_join(struct thread *t)
{
	int tid;

	while ((tid = __atomic_load_n(&t->tid, __ATOMIC_ACQUIRE)) != 0)
		futex_wait(&t->tid, tid, NULL);
	munmap(t->stack, PAGE_SIZE + THREAD_STACK);
	return t->result;
}

void
mutex_lock(struct mutex *m)
{
	int free = 0;

	if (__atomic_compare_exchange_n(&m->state, &free, 1, false,
	    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(&m->state, 2, __ATOMIC_ACQUIRE) != 0)
		futex_wait(&m->state, 2, NULL);
}

void
mutex_unlock(struct mutex *m)
{
	if (__atomic_exchange_n(&m->state, 0, __ATOMIC_RELEASE) == 2)
		futex_wake(&m->state, 1);
}

void
barrier_init(struct barrier *b, int count)
{
	*b = (struct barrier){ .count = count };
}

void
barrier_wait(struct barrier *b)
{
	int round = __atomic_load_n(&b->round, __ATOMIC_ACQUIRE);

	if (__atomic_add_fetch(&b->arrived, 1, __ATOMIC_ACQ_REL) == b->count) {
		__atomic_store_n(&b->arrived, 0, __ATOMIC_RELAXED);
		__atomic_add_fetch(&b->round, 1, __ATOMIC_RELEASE);
		futex_wake(&b->round, b->count);
		return;
	}
	while (__atomic_load_n(&b->round, __ATOMIC_ACQUIRE) == round)
		futex_wait(&b->round, round, NULL);
}
