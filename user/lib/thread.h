/* SPDX-License-Identifier: MIT */
/*
 * thread.h - threads, mutexes and barriers over clone and futex.
 */
#ifndef THREAD_H
#define THREAD_H

#include <user.h>

#include <abi/futex.h>

#define THREAD_STACK	(64 * 1024ul)	/* below it lies a guard page */
#define THREAD_FLAGS							\
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |		\
	 CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |			\
	 CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

struct thread {
	int	  tid;		/* the kernel writes 0 when it has ended */
	void	 *(*fn)(void *);
	void	 *arg;
	void	 *result;
	char	 *stack;	/* guard page included */
};

/** @retval -1 errno: no memory, too many threads */
int	thread_create(struct thread *t, void *(*fn)(void *), void *arg);
/** Waits until the thread has left its stack, then frees that. */
void	*thread_join(struct thread *t);

/* 0 free, 1 held, 2 held and perhaps waited for */
struct mutex {
	int	state;
};
void	mutex_lock(struct mutex *m);
void	mutex_unlock(struct mutex *m);

struct barrier {
	int	count;		/* how many must come */
	int	arrived;
	int	round;
};
void	barrier_init(struct barrier *b, int count);
void	barrier_wait(struct barrier *b);

/** clone(2) with the C library's argument order. */
pid_t	clone(int (*fn)(void *), void *stack, int flags, void *arg, int *ptid,
	    void *tls, int *ctid);
/** @retval -1 errno EAGAIN (*addr != expect), EINTR, ETIMEDOUT */
int	futex_wait(int *addr, int expect, const struct timespec *timeout);
/** Returns how many woke. */
int	futex_wake(int *addr, int count);

#endif /* THREAD_H */
