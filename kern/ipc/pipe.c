/* SPDX-License-Identifier: MIT */
/*
 * pipe.c - pipes: a ring of pages between two open files.
 *
 * Path: file_read, file_write (proc/file.c, buffer pinned) -> HERE.
 * Locks: one spin lock a pipe; copying under it is short, because the user
 *	pages are pinned.  Waiting is done on two queues, without it.
 * Invariants: pages of the ring appear when a write reaches them, all but one
 *	go when the pipe runs empty; a write of at most PIPE_BUF bytes is stored
 *	as a whole or not at all.
 */
#include "ipc/pipe.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/poll.h"
#include "abi/stat.h"
#include "abi/termios.h"
#include "lib/string.h"
#include "mem/kmem.h"
#include "proc/signal.h"

#define NPAGES (PIPE_SIZE / PAGE_SIZE)

/** Letters: l lock. */
struct pipe {
	struct spinlock lock;	/* RANK_PIPE */
	size_t head, tail;	/* [l] bytes ever read and written */
	unsigned nreaders, nwriters; /* [l] open files: 0 or 1 */
	uint64_t ino;		/* [I] */
	struct waitq readers, writers;
	char *page[NPAGES];	/* [l] in the direct map */
};

static struct kmem_cache pipe_cache;
static uint64_t last_ino; /* [a] */

void
pipe_init(void)
{
	kmem_cache_init(&pipe_cache, "pipe", sizeof(struct pipe));
}

static size_t
used(const struct pipe *p)
{
	return p->tail - p->head;
}

/* Pages for the next @p n bytes. @return how many bytes have one */
static __attribute__((noinline)) size_t
provide_pages(struct pipe *p, size_t n)
{
	size_t have = 0;

	while (have < n) {
		size_t at = p->tail + have;
		char **page = &p->page[at / PAGE_SIZE % NPAGES];

		if (unlikely(*page == NULL)) {
			struct vm_page *pg = frame_alloc(FRAME_DEFAULT);

			if (pg == NULL)
				break;
			*page = page_to_virt(pg);
		}
		have += PAGE_SIZE - (at & PAGE_MASK);
	}
	return MIN(have, n);
}

static void
free_page(char **page)
{
	if (*page != NULL)
		page_drop(phys_to_page(virt_to_phys(*page)));
	*page = NULL;
}

static __slowpath void
free_pages_from(struct pipe *p, unsigned i)
{
	for (; i < NPAGES && p->page[i] != NULL; i++)
		free_page(&p->page[i]);
}

/* Empty: start again at the first page and keep only that. */
static inline void
rewind_ring(struct pipe *p)
{
	p->head = p->tail = 0;
	if (unlikely(p->page[1] != NULL))
		free_pages_from(p, 1);
}

/* The piece at @p at of the ring and @p uat of the batch; it lies in one page
 * of either. */
static inline void
move_piece(struct pipe *p, size_t at, const struct vm_pinned *buf, size_t uat,
    size_t n, bool to_ring)
{
	char *ring = p->page[at / PAGE_SIZE % NPAGES] + (at & PAGE_MASK);
	char *user = (char *)page_to_virt(buf->page[uat / PAGE_SIZE]) +
	    (uat & PAGE_MASK);

	if (to_ring)
		memcpy(ring, user, n);
	else
		memcpy(user, ring, n);
}

static __attribute__((noinline)) void
move_pieces(struct pipe *p, size_t at, const struct vm_pinned *buf,
    size_t uat, size_t n, bool to_ring)
{
	while (n > 0) {
		size_t left = MIN(PAGE_SIZE - (at & PAGE_MASK),
		    PAGE_SIZE - (uat & PAGE_MASK));
		size_t now = MIN(n, left);

		move_piece(p, at, buf, uat, now, to_ring);
		at += now;
		uat += now;
		n -= now;
	}
}

/* Move @p n bytes between ring and batch. */
static inline void
move(struct pipe *p, size_t at, const struct vm_pinned *buf, size_t off,
    size_t n, bool to_ring)
{
	size_t uat = buf->offset + off;

	if (likely((at & PAGE_MASK) + n <= PAGE_SIZE &&
		(uat & PAGE_MASK) + n <= PAGE_SIZE))
		move_piece(p, at, buf, uat, n, to_ring);
	else
		move_pieces(p, at, buf, uat, n, to_ring);
}

/* @retval EAGAIN O_NONBLOCK  @retval EINTR */
static __attribute__((noinline)) int
pipe_wait(struct file *f, struct waitq *wq, uint32_t seq)
{
	if (f->flags & O_NONBLOCK)
		return EAGAIN;
	return waitq_wait(wq, seq, WAIT_SIGNAL, DEADLINE_NONE);
}

/* Take at most a batch out of a ring that is not empty.
 * @return whether writers may wait for the room */
static bool
fetch_locked(struct pipe *p, const struct vm_pinned *buf, size_t *done)
{
	size_t n = MIN(buf->size, used(p));
	bool was_full = used(p) > PIPE_SIZE - PIPE_BUF;

	move(p, p->head, buf, 0, n, false);
	p->head += n;
	if (used(p) == 0)
		rewind_ring(p);
	*done = n;
	return was_full;
}

static int
pipe_read(struct file *f, const struct vm_pinned *buf, uint64_t pos,
    size_t *done)
{
	struct pipe *p = f->data;
	bool wake;

	spin_lock(&p->lock);
	while (used(p) == 0) {
		uint32_t seq = waitq_sequence(&p->readers);
		bool end = p->nwriters == 0;
		int error;

		spin_unlock(&p->lock);
		if (end)
			return 0;
		error = pipe_wait(f, &p->readers, seq);
		if (error != 0)
			return error;
		spin_lock(&p->lock);
	}
	wake = fetch_locked(p, buf, done);
	spin_unlock(&p->lock);
	if (wake)
		waitq_wake_all(&p->writers);
	return 0;
}

/* Store as much of [@p off, size) as may be stored now. @return how much */
static inline size_t
store_locked(struct pipe *p, const struct vm_pinned *buf, size_t off)
{
	size_t left = buf->size - off, room = PIPE_SIZE - used(p);
	size_t n = MIN(left, room);

	if (unlikely((p->tail & PAGE_MASK) + n > PAGE_SIZE ||
		p->page[p->tail / PAGE_SIZE % NPAGES] == NULL))
		n = provide_pages(p, n);
	if (unlikely(n < left && left <= PIPE_BUF))
		return 0; /* not in pieces */
	move(p, p->tail, buf, off, n, true);
	p->tail += n;
	return n;
}

/* What did not fit, or had no reader. */
static __attribute__((noinline)) int
write_rest(struct file *f, const struct vm_pinned *buf, size_t *done)
{
	struct pipe *p = f->data;
	size_t off = *done;
	int error = 0;

	while (off < buf->size && error == 0) {
		size_t n;
		uint32_t seq;

		spin_lock(&p->lock);
		if (p->nreaders == 0) {
			spin_unlock(&p->lock);
			signal_send(proc_self(), SIGPIPE, SI_KERNEL);
			error = EPIPE;
			break;
		}
		seq = waitq_sequence(&p->writers);
		n = store_locked(p, buf, off);
		if (n == 0 && used(p) == 0)
			error = ENOMEM; /* nobody would make room */
		spin_unlock(&p->lock);
		off += n;
		if (n > 0)
			waitq_wake_all(&p->readers);
		else if (error == 0)
			error = pipe_wait(f, &p->writers, seq);
	}
	*done = off;
	return error;
}

static int
pipe_write(struct file *f, const struct vm_pinned *buf, uint64_t pos,
    size_t *done)
{
	struct pipe *p = f->data;
	size_t n = 0;

	spin_lock(&p->lock);
	if (likely(p->nreaders > 0))
		n = store_locked(p, buf, 0);
	spin_unlock(&p->lock);
	if (n > 0)
		waitq_wake_all(&p->readers);
	*done = n;
	return likely(n == buf->size) ? 0 : write_rest(f, buf, done);
}

static unsigned
pipe_poll(struct file *f, struct waitq **wq)
{
	struct pipe *p = f->data;
	bool reader = (f->flags & O_ACCMODE) == O_RDONLY;
	unsigned events = 0;

	*wq = reader ? &p->readers : &p->writers;
	spin_lock(&p->lock);
	if (reader) {
		if (used(p) > 0)
			events |= POLLIN | POLLRDNORM;
		if (p->nwriters == 0)
			events |= POLLHUP;
	} else {
		if (PIPE_SIZE - used(p) >= PIPE_BUF)
			events |= POLLOUT | POLLWRNORM;
		if (p->nreaders == 0)
			events |= POLLERR;
	}
	spin_unlock(&p->lock);
	return events;
}

static int
pipe_stat(struct file *f, struct stat *st)
{
	const struct pipe *p = f->data;

	memset(st, 0, sizeof(*st));
	st->st_ino = p->ino;
	st->st_mode = S_IFIFO | 0600;
	st->st_nlink = 1;
	st->st_blksize = PAGE_SIZE;
	return 0;
}

static int
pipe_ioctl(struct file *f, struct vmspace *vs, unsigned cmd, vaddr_t arg,
    long *result)
{
	struct pipe *p = f->data;
	int n;

	if (cmd != FIONREAD)
		return ENOTTY;
	spin_lock(&p->lock);
	n = (int)used(p);
	spin_unlock(&p->lock);
	*result = 0;
	return copyout(vs, arg, &n, sizeof(n));
}

static void
pipe_release(struct file *f)
{
	struct pipe *p = f->data;
	bool last;

	spin_lock(&p->lock);
	if ((f->flags & O_ACCMODE) == O_RDONLY)
		p->nreaders--;
	else
		p->nwriters--;
	last = p->nreaders + p->nwriters == 0;
	/* Under the lock: the other end may be the last one, and quicker. */
	waitq_wake_all(&p->readers);
	waitq_wake_all(&p->writers);
	spin_unlock(&p->lock);
	if (!last)
		return;
	for (unsigned i = 0; i < NPAGES; i++)
		free_page(&p->page[i]);
	kmem_free(&pipe_cache, p);
	counter_add(TS_pipes, (uint64_t)-1);
}

static const struct file_ops pipe_read_ops = {
	.name = "pipe",
	.read = pipe_read,
	.write = file_write_einval,
	.stat = pipe_stat,
	.readdir = file_readdir_enotdir,
	.ioctl = pipe_ioctl,
	.poll = pipe_poll,
	.size = file_size_zero,
	.release = pipe_release,
};

static const struct file_ops pipe_write_ops = {
	.name = "pipe",
	.read = file_read_einval,
	.write = pipe_write,
	.stat = pipe_stat,
	.readdir = file_readdir_enotdir,
	.ioctl = pipe_ioctl,
	.poll = pipe_poll,
	.size = file_size_zero,
	.release = pipe_release,
};

int
pipe_create(unsigned flags, struct file **rd, struct file **wr)
{
	struct pipe *p = kmem_alloc(&pipe_cache);

	if (p == NULL)
		return ENOMEM;
	memset(p, 0, sizeof(*p));
	spin_init(&p->lock, RANK_PIPE, "pipe");
	waitq_init(&p->readers, "pipe readers");
	waitq_init(&p->writers, "pipe writers");
	p->nreaders = p->nwriters = 1;
	p->ino = __atomic_add_fetch(&last_ino, 1, __ATOMIC_RELAXED);
	counter_add(TS_pipes, 1);
	if (file_create(&pipe_read_ops, flags | O_RDONLY, p, rd) != 0) {
		kmem_free(&pipe_cache, p);
		counter_add(TS_pipes, (uint64_t)-1);
		return ENOMEM;
	}
	if (file_create(&pipe_write_ops, flags | O_WRONLY, p, wr) != 0) {
		p->nwriters = 0;
		file_drop(*rd);
		return ENOMEM;
	}
	return 0;
}
