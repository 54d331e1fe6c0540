/* SPDX-License-Identifier: MIT */
/*
 * sys_poll.c - waiting for several files at once.
 *
 * Each round samples the sequences of all wait queues, asks all files, and if
 * none is ready waits on all queues with those samples: a change in between
 * ends the wait at once.
 */
#include "abi/errno.h"
#include "abi/poll.h"
#include "arch/timer.h"
#include "mem/kmem.h"
#include "proc/signal.h"
#include "sys/sys_poll.h"
#include "sys/sys_time.h"
#include "sys/syscall_table.h"

struct poll_set {
	unsigned n;
	struct pollfd *pfd;
	struct file **file;	   /* references; NULL: none */
	struct waitq_place *place; /* of the wait, one a file */
};

/* What one file has to say. */
static unsigned
ask(struct pollfd *p, struct file *f)
{
	struct waitq *wq;
	unsigned events = (unsigned)(uint16_t)p->events | POLLERR | POLLHUP;

	p->revents = 0;
	if (p->fd >= 0)
		p->revents = f == NULL ? POLLNVAL :
					 (int16_t)(f->ops->poll(f, &wq) &
					     events);
	return p->revents != 0;
}

static unsigned
ask_all(struct poll_set *s)
{
	unsigned ready = 0;

	for (unsigned i = 0; i < s->n; i++)
		ready += ask(&s->pfd[i], s->file[i]);
	return ready;
}

/* The queue of each file, with its sequence before ask_all(). */
static unsigned
sample(struct poll_set *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->n; i++) {
		struct waitq *wq = NULL;

		if (s->file[i] != NULL)
			(void)s->file[i]->ops->poll(s->file[i], &wq);
		if (wq == NULL)
			continue;
		s->place[n].wq = wq;
		s->place[n].seq = waitq_sequence(wq);
		n++;
	}
	return n;
}

static long
poll_wait(struct poll_set *s, ns_t deadline)
{
	for (;;) {
		unsigned n = sample(s), ready = ask_all(s);
		int error;

		if (ready > 0)
			return ready;
		if (deadline == 0)
			return 0;
		error = waitq_wait_any(s->place, n, WAIT_SIGNAL, deadline);
		if (error == ETIMEDOUT)
			return ask_all(s);
		if (error == EINTR)
			return signal_resume_at(deadline);
	}
}

static int
set_open(struct poll_set *s, uintptr_t user, unsigned n)
{
	size_t size = n * (sizeof(*s->pfd) + sizeof(*s->file) +
			      sizeof(*s->place));
	char *mem = kzalloc(MAX(size, (size_t)8));
	int error;

	if (mem == NULL)
		return ENOMEM;
	s->n = n;
	s->place = (struct waitq_place *)(void *)mem;
	s->file = (struct file **)(void *)(s->place + n);
	s->pfd = (struct pollfd *)(void *)(s->file + n);
	error = copyin(thread_self()->space, s->pfd, user,
	    n * sizeof(*s->pfd));
	if (error != 0) {
		kfree(mem, MAX(size, (size_t)8));
		return error;
	}
	for (unsigned i = 0; i < n; i++)
		if (s->pfd[i].fd >= 0)
			s->file[i] = fd_get(proc_self()->files, s->pfd[i].fd);
	return 0;
}

static void
set_close(struct poll_set *s)
{
	size_t size = s->n * (sizeof(*s->pfd) + sizeof(*s->file) +
				 sizeof(*s->place));

	for (unsigned i = 0; i < s->n; i++)
		if (s->file[i] != NULL)
			file_drop(s->file[i]);
	kfree(s->place, MAX(size, (size_t)8));
}

long
poll_until(uintptr_t fds, uintptr_t n, ns_t deadline, const sigset_t *mask)
{
	struct poll_set s;
	long result;
	int error;

	deadline = signal_resumed(deadline);
	if (n > FD_MAX)
		return -EINVAL;
	error = set_open(&s, fds, (unsigned)n);
	if (error != 0)
		return -error;
	if (mask != NULL)
		signal_set_mask_temporary(*mask);
	result = poll_wait(&s, deadline);
	if (result >= 0) {
		signal_restore_mask();
		error = copyout(thread_self()->space, fds, s.pfd,
		    n * sizeof(*s.pfd));
	}
	set_close(&s);
	return error != 0 ? -error : result;
}

long
sys_ppoll(uintptr_t fds, uintptr_t n, uintptr_t timeout, uintptr_t mask,
    uintptr_t size)
{
	ns_t ns, deadline = DEADLINE_NONE;
	sigset_t set;
	int error = 0;

	if (n > FD_MAX || (mask != 0 && size != sizeof(set)))
		return -EINVAL;
	if (timeout != 0) {
		error = timespec_copyin(timeout, &ns);
		deadline = error == 0 && ns > 0 ? deadline_after(ns) : 0;
	}
	if (error == 0 && mask != 0)
		error = copyin(thread_self()->space, &set, mask, sizeof(set));
	if (error != 0)
		return -error;
	return poll_until(fds, n, deadline, mask != 0 ? &set : NULL);
}
