/* SPDX-License-Identifier: MIT */
/*
 * file.c - open files and descriptor tables.
 *
 * Path: sys/sys_file.c -> HERE -> file_ops of ipc (pipe), fs, dev.
 * Locks: the buffer is pinned first, then f->lock (position) of a seekable
 *	file, then whatever the operation takes.  A table's spin lock covers
 *	its slots only: files are dropped after it, because release may sleep.
 * Invariants: a slot of a table owns one reference; a bit in cloexec is set
 *	only where a slot is; TS_files counts struct file exactly.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/poll.h"
#include "lib/string.h"
#include "mem/kmem.h"
#include "proc/file.h"
#include "proc/proc.h"
#include "sync/counter.h"

/* Linux's limit of one call, so that a count always fits a long. */
#define TRANSFER_MAX 0x7ffff000u

struct fdtable {
	struct spinlock lock;	/* RANK_MISC */
	uint32_t refs;		/* [a] */
	uint64_t used;		/* [lock] one bit a descriptor */
	uint64_t cloexec;	/* [lock] subset of used */
	struct file *file[FD_MAX]; /* [lock] */
};
_Static_assert(FD_MAX == 64, "one word of bits");

static struct kmem_cache file_cache, fdtable_cache;

void
file_init(void)
{
	kmem_cache_init(&file_cache, "file", sizeof(struct file));
	kmem_cache_init(&fdtable_cache, "fdtable", sizeof(struct fdtable));
}

int
file_create(const struct file_ops *ops, unsigned flags, void *data,
    struct file **out)
{
	struct file *f = kmem_alloc(&file_cache);

	if (f == NULL)
		return ENOMEM;
	f->ops = ops;
	f->refs = 1;
	f->flags = flags;
	sleeplock_init(&f->lock, RANK_FS, "file");
	f->pos = 0;
	f->inode = NULL;
	f->data = data;
	f->aux = 0;
	counter_add(TS_files, 1);
	*out = f;
	return 0;
}

void
file_hold(struct file *f)
{
	__atomic_fetch_add(&f->refs, 1, __ATOMIC_RELAXED);
}

static __slowpath void
file_free(struct file *f)
{
	f->ops->release(f);
	kmem_free(&file_cache, f);
	counter_add(TS_files, (uint64_t)-1);
}

void
file_drop(struct file *f)
{
	KASSERT(f->refs > 0);
	if (unlikely(__atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL) == 0))
		file_free(f);
}

/* ---- reading and writing ---- */

typedef int transfer_fn(struct file *, const struct vm_pinned *, uint64_t,
    size_t *);

/* One batch of a file with positions: at @p *pos, or where the file is. */
static inline int
transfer_at(struct file *f, transfer_fn *op, const struct vm_pinned *buf,
    const uint64_t *pos, size_t *done)
{
	uint64_t at;
	int error;

	sleep_lock(&f->lock);
	at = f->pos;
	error = op(f, buf, pos != NULL ? *pos : at, done);
	/* O_APPEND has set it to where the bytes went. */
	f->pos = pos != NULL ? at : f->pos + *done;
	sleep_unlock(&f->lock);
	return error;
}

/* Whether to go on with another batch.  The kernel is not preemptive, so a long
 * transfer gives way in between. */
static bool
transfer_more(const struct file *f, bool write, int *error)
{
	if (!write && !f->ops->seekable)
		return false; /* the next batch might wait */
	if (thread_self()->work & WORK_RESCHED)
		sched_yield();
	if (sched_interrupted(WAIT_KILLABLE))
		*error = EINTR;
	return *error == 0;
}

/* One page, as most transfers are: one pin, one call. */
static __always_inline long
transfer_page(struct file *f, struct vmspace *vs, vaddr_t va, size_t n,
    const uint64_t *pos, bool write)
{
	transfer_fn *op = write ? f->ops->write : f->ops->read;
	bool seekable = f->ops->seekable;
	struct vm_pinned buf;
	size_t done = 0;
	int error = vm_pin(vs, va, n, write ? VM_PROT_READ : VM_PROT_WRITE,
	    &buf);

	if (unlikely(error != 0))
		return -error;
	error = seekable ? transfer_at(f, op, &buf, pos, &done) :
			   op(f, &buf, 0, &done);
	page_unpin(buf.page[0], !write);
	if (write && seekable)
		vm_object_throttle();
	return done > 0 ? (long)done : -(long)error;
}

static __attribute__((noinline)) long
transfer_batches(struct file *f, struct vmspace *vs, vaddr_t va, size_t n,
    const uint64_t *pos, bool write)
{
	transfer_fn *op = write ? f->ops->write : f->ops->read;
	uint64_t at = pos != NULL ? *pos : 0;
	struct vm_pinned buf;
	size_t done, total = 0;
	int error = 0;

	if (unlikely(n > TRANSFER_MAX))
		n = TRANSFER_MAX;
	while (total < n) {
		error = vm_pin(vs, va + total, n - total,
		    write ? VM_PROT_READ : VM_PROT_WRITE, &buf);
		if (error != 0)
			break;
		done = 0;
		if (f->ops->seekable)
			error = transfer_at(f, op, &buf,
			    pos != NULL ? &at : NULL, &done);
		else
			error = op(f, &buf, 0, &done);
		vm_unpin(&buf);
		if (write && f->ops->seekable)
			vm_object_throttle();
		KASSERT(done <= buf.size);
		total += done;
		at += done;
		if (error != 0 || done < buf.size || total == n ||
		    !transfer_more(f, write, &error))
			break;
	}
	return total > 0 ? (long)total : -(long)error;
}

static __always_inline long
transfer(struct file *f, struct vmspace *vs, vaddr_t va, size_t n,
    const uint64_t *pos, bool write)
{
	if ((f->flags & O_ACCMODE) == (write ? O_RDONLY : O_WRONLY))
		return -EBADF;
	if (pos != NULL && !f->ops->seekable)
		return -ESPIPE;
	if (likely(n - 1 < PAGE_SIZE - (va & PAGE_MASK))) /* not 0 */
		return transfer_page(f, vs, va, n, pos, write);
	return transfer_batches(f, vs, va, n, pos, write);
}

long
file_read(struct file *f, struct vmspace *vs, vaddr_t buf, size_t n,
    const uint64_t *pos)
{
	return transfer(f, vs, buf, n, pos, false);
}

long
file_write(struct file *f, struct vmspace *vs, vaddr_t buf, size_t n,
    const uint64_t *pos)
{
	return transfer(f, vs, buf, n, pos, true);
}

/* A batch over memory that is the kernel's own needs no pins. */
static void
batch_of_kernel(struct vm_pinned *b, char *buf, size_t n)
{
	struct vm_page *pg = phys_to_page(virt_to_phys(buf));
	size_t npages;

	b->write = true;
	b->offset = (uintptr_t)buf & PAGE_MASK;
	b->size = MIN(n, VM_PIN_MAX * PAGE_SIZE - b->offset);
	npages = (b->offset + b->size + PAGE_MASK) >> PAGE_SHIFT;
	b->npages = (unsigned)npages;
	for (size_t i = 0; i < npages; i++)
		b->page[i] = pg + i;
}

long
file_read_kernel(struct file *f, void *buf, size_t n, uint64_t pos)
{
	struct vm_pinned b;
	size_t done, total = 0;
	int error = 0;

	if (!f->ops->seekable)
		return -ESPIPE;
	n = MIN(n, TRANSFER_MAX);
	while (total < n) {
		batch_of_kernel(&b, (char *)buf + total, n - total);
		done = 0;
		error = transfer_at(f, f->ops->read, &b, &pos, &done);
		total += done;
		pos += done;
		if (error != 0 || done < b.size)
			break;
	}
	return total > 0 ? (long)total : -(long)error;
}

long
file_seek(struct file *f, int64_t offset, int whence)
{
	int64_t base = 0;
	long result = -EINVAL;

	if (!f->ops->seekable)
		return -ESPIPE;
	if (whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END)
		return -EINVAL;
	sleep_lock(&f->lock);
	if (whence == SEEK_CUR)
		base = (int64_t)f->pos;
	else if (whence == SEEK_END)
		base = (int64_t)f->ops->size(f);
	if (!__builtin_add_overflow(base, offset, &base) && base >= 0) {
		f->pos = (uint64_t)base;
		result = base;
	}
	sleep_unlock(&f->lock);
	return result;
}

void
file_zero_pinned(const struct vm_pinned *buf, size_t off, size_t n)
{
	static const char zeroes[512];
	size_t piece;

	for (; n > 0; off += piece, n -= piece) {
		piece = MIN(n, sizeof(zeroes));
		vm_pinned_write(buf, off, zeroes, piece);
	}
}

/* ---- slots that a kind of file does not have ---- */

int
file_read_einval(struct file *f, const struct vm_pinned *buf, uint64_t pos,
    size_t *done)
{
	return EINVAL;
}

int
file_write_einval(struct file *f, const struct vm_pinned *buf, uint64_t pos,
    size_t *done)
{
	return EINVAL;
}

int
file_readdir_enotdir(struct file *f, uint64_t *pos, struct dir_sink *sink)
{
	return ENOTDIR;
}

int
file_ioctl_enotty(struct file *f, struct vmspace *vs, unsigned cmd,
    vaddr_t arg, long *result)
{
	return ENOTTY;
}

unsigned
file_poll_ready(struct file *f, struct waitq **wq)
{
	*wq = NULL;
	return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

uint64_t
file_size_zero(struct file *f)
{
	return 0;
}

void
file_release_nothing(struct file *f)
{
}

/* ---- descriptor tables ---- */

int
fdtable_create(struct fdtable **out)
{
	struct fdtable *t = kmem_alloc(&fdtable_cache);

	if (t == NULL)
		return ENOMEM;
	memset(t, 0, sizeof(*t));
	spin_init(&t->lock, RANK_MISC, "fdtable");
	t->refs = 1;
	*out = t;
	return 0;
}

int
fdtable_clone(struct fdtable *from, struct fdtable **out)
{
	struct fdtable *t;
	int error = fdtable_create(&t);

	if (error != 0)
		return error;
	spin_lock(&from->lock);
	t->used = from->used;
	t->cloexec = from->cloexec;
	for (unsigned fd = 0; fd < FD_MAX && t->used >> fd != 0; fd++) {
		t->file[fd] = from->file[fd];
		if (t->file[fd] != NULL)
			file_hold(t->file[fd]);
	}
	spin_unlock(&from->lock);
	*out = t;
	return 0;
}

void
fdtable_hold(struct fdtable *t)
{
	__atomic_fetch_add(&t->refs, 1, __ATOMIC_RELAXED);
}

void
fdtable_drop(struct fdtable *t)
{
	KASSERT(t->refs > 0);
	if (__atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (unsigned fd = 0; fd < FD_MAX && t->used >> fd != 0; fd++)
		if (t->file[fd] != NULL)
			file_drop(t->file[fd]);
	kmem_free(&fdtable_cache, t);
}

/* Put @p f (NULL: nothing) into a slot. @return what was there */
static struct file *
slot_set_locked(struct fdtable *t, int fd, struct file *f, bool cloexec)
{
	uint64_t bit = 1ull << fd;
	struct file *old = t->file[fd];

	t->file[fd] = f;
	t->used = f != NULL ? t->used | bit : t->used & ~bit;
	t->cloexec = cloexec ? t->cloexec | bit : t->cloexec & ~bit;
	return old;
}

int
fd_install(struct fdtable *t, struct file *f, int from, bool cloexec, int *out)
{
	int error = EMFILE;

	if (from < 0 || from >= FD_MAX)
		return EINVAL;
	spin_lock(&t->lock);
	for (int fd = from; fd < FD_MAX; fd++) {
		if (t->file[fd] == NULL) {
			(void)slot_set_locked(t, fd, f, cloexec);
			*out = fd;
			error = 0;
			break;
		}
	}
	spin_unlock(&t->lock);
	return error;
}

int
fd_replace(struct fdtable *t, int fd, struct file *f, bool cloexec)
{
	struct file *old;

	if (fd < 0 || fd >= FD_MAX)
		return EBADF;
	spin_lock(&t->lock);
	old = slot_set_locked(t, fd, f, cloexec);
	spin_unlock(&t->lock);
	if (old != NULL)
		file_drop(old);
	return 0;
}

static __always_inline struct file *
get(struct fdtable *t, int fd)
{
	struct file *f;

	if (unlikely((unsigned)fd >= FD_MAX))
		return NULL;
	spin_lock(&t->lock);
	f = t->file[fd];
	if (likely(f != NULL))
		file_hold(f);
	spin_unlock(&t->lock);
	return f;
}

struct file *
fd_get(struct fdtable *t, int fd)
{
	return get(t, fd);
}

/* With what they call in one piece: small transfers are most system calls. */
long
fd_read(struct fdtable *t, int fd, struct vmspace *vs, vaddr_t buf, size_t n,
    const uint64_t *pos)
{
	struct file *f = get(t, fd);
	long result;

	if (unlikely(f == NULL))
		return -EBADF;
	result = transfer(f, vs, buf, n, pos, false);
	file_drop(f);
	return result;
}

long
fd_write(struct fdtable *t, int fd, struct vmspace *vs, vaddr_t buf, size_t n,
    const uint64_t *pos)
{
	struct file *f = get(t, fd);
	long result;

	if (unlikely(f == NULL))
		return -EBADF;
	result = transfer(f, vs, buf, n, pos, true);
	file_drop(f);
	return result;
}

int
fd_close(struct fdtable *t, int fd)
{
	struct file *f;

	if (fd < 0 || fd >= FD_MAX)
		return EBADF;
	spin_lock(&t->lock);
	f = slot_set_locked(t, fd, NULL, false);
	spin_unlock(&t->lock);
	if (f == NULL)
		return EBADF;
	file_drop(f);
	return 0;
}

void
fd_close_on_exec(struct fdtable *t)
{
	struct file *gone[FD_MAX];
	unsigned n = 0;

	spin_lock(&t->lock);
	for (int fd = 0; t->cloexec != 0 && fd < FD_MAX; fd++)
		if (t->cloexec >> fd & 1)
			gone[n++] = slot_set_locked(t, fd, NULL, false);
	spin_unlock(&t->lock);
	while (n > 0)
		file_drop(gone[--n]);
}

int
fd_set_cloexec(struct fdtable *t, int fd, bool on)
{
	int error = EBADF;

	if (fd < 0 || fd >= FD_MAX)
		return EBADF;
	spin_lock(&t->lock);
	if (t->file[fd] != NULL) {
		(void)slot_set_locked(t, fd, t->file[fd], on);
		error = 0;
	}
	spin_unlock(&t->lock);
	return error;
}

int
fd_get_cloexec(struct fdtable *t, int fd, bool *on)
{
	int error = EBADF;

	if (fd < 0 || fd >= FD_MAX)
		return EBADF;
	spin_lock(&t->lock);
	if (t->file[fd] != NULL) {
		*on = t->cloexec >> fd & 1;
		error = 0;
	}
	spin_unlock(&t->lock);
	return error;
}
