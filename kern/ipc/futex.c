/* SPDX-License-Identifier: MIT */
/*
 * futex.c - fast user-space locking.
 *
 * Path: sys_futex -> futex; trap_user_work (a thread ends) ->
 *	futex_thread_exit.
 * A waiter is identified by its key: in private memory the space and the
 * address, in shared memory the frame and the offset.  Buckets hash keys.
 * Locks: the bucket's spin lock covers the check of the word and the queueing,
 *	so that no wake-up is lost; the page is pinned before it is taken.  Two
 *	buckets (requeue): by address.
 * Invariant: a waiter leaves only with its bucket locked, so a waker that holds
 *	the lock may touch it.
 */
#include "ipc/futex.h"

#include "abi/errno.h"
#include "abi/futex.h"
#include "proc/signal.h"

#define NBUCKETS      64u
#define ROBUST_LIMIT  2048 /* a list that is a ring must not hold us */

struct key {
	uint64_t object; /* struct vmspace, or physical address of the frame */
	uint64_t offset;
};

struct bucket {
	struct spinlock lock; /* RANK_MISC */
	struct list waiters;
};

/** On the stack of the waiting thread. */
struct waiter {
	struct list link;	/* [bucket lock] empty: woken */
	struct bucket *bucket;	/* [bucket lock] changed by requeue */
	struct key key;		/* likewise */
	uint32_t bitset;
	struct waitq wq;
};

static struct bucket buckets[NBUCKETS];

void
futex_init(void)
{
	for (unsigned i = 0; i < NBUCKETS; i++) {
		spin_init(&buckets[i].lock, RANK_MISC, "futex");
		list_init(&buckets[i].waiters);
	}
}

static struct bucket *
bucket_of(const struct key *k)
{
	uint64_t h = (k->object ^ k->offset >> 2) * 0x9e3779b97f4a7c15ull;

	return &buckets[h >> 58];
}
_Static_assert(NBUCKETS == 1u << (64 - 58), "the hash has 6 bits");

static bool
key_equal(const struct key *a, const struct key *b)
{
	return a->object == b->object && a->offset == b->offset;
}

/* Whether other spaces may wait for the word at @p va. */
static bool
is_shared(struct vmspace *vs, vaddr_t va)
{
	struct vm_region_info info;

	return vm_region(vs, va, &info) == 0 && info.sva <= va &&
	    (info.flags & VM_MAP_SHARED);
}

/*
 * Key of a word; with @p access the word's page is pinned.  For waiting it is
 * pinned for writing where possible: then it is no longer shared copy-on-write,
 * and the frame that we look at is the one that other threads write.
 */
static int
make_key(const struct futex_args *a, vaddr_t va, vm_prot_t access,
    struct key *k, struct vm_pinned *pin)
{
	struct vmspace *vs = thread_self()->space;
	bool shared = !(a->op & FUTEX_PRIVATE_FLAG) && is_shared(vs, va);
	int error;

	pin->npages = 0;
	if (va % sizeof(uint32_t) != 0)
		return EINVAL;
	if (access == VM_PROT_NONE && shared)
		access = VM_PROT_READ;
	if (access != VM_PROT_NONE) {
		error = vm_pin(vs, va, sizeof(uint32_t), access, pin);
		if (error == EFAULT && access == VM_PROT_WRITE)
			error = vm_pin(vs, va, sizeof(uint32_t), VM_PROT_READ,
			    pin);
		if (error != 0)
			return error;
	} else if (va < USER_MIN || va >= USER_MAX) {
		return EFAULT;
	}
	k->object = shared ? page_to_phys(pin->page[0]) : (uintptr_t)vs;
	k->offset = shared ? va & PAGE_MASK : va;
	return 0;
}

static uint32_t
read_word(const struct vm_pinned *pin)
{
	char *page = page_to_virt(pin->page[0]);

	return __atomic_load_n((uint32_t *)(void *)(page + pin->offset),
	    __ATOMIC_SEQ_CST);
}

/* Take @p w off its queue. @return false: somebody has woken it */
static bool
leave(struct waiter *w)
{
	bool waiting;

	for (;;) {
		struct bucket *b = __atomic_load_n(&w->bucket,
		    __ATOMIC_RELAXED);

		spin_lock(&b->lock);
		if (b == w->bucket) {
			waiting = !list_empty(&w->link);
			list_remove(&w->link);
			spin_unlock(&b->lock);
			return waiting;
		}
		spin_unlock(&b->lock); /* requeued meanwhile */
	}
}

static long
futex_wait(const struct futex_args *a, uint32_t bitset)
{
	struct vm_pinned pin;
	struct waiter w = { .bitset = bitset };
	int error;

	if (bitset == 0)
		return -EINVAL;
	error = make_key(a, a->uaddr, VM_PROT_WRITE, &w.key, &pin);
	if (error != 0)
		return -error;
	waitq_init(&w.wq, "futex waiter");
	w.bucket = bucket_of(&w.key);
	spin_lock(&w.bucket->lock);
	if (read_word(&pin) != a->val) {
		spin_unlock(&w.bucket->lock);
		vm_unpin(&pin);
		return -EAGAIN;
	}
	list_push_back(&w.bucket->waiters, &w.link);
	spin_unlock(&w.bucket->lock);
	vm_unpin(&pin);
	counter_add(TS_futex_waiters, 1);
	error = waitq_wait(&w.wq, 0, WAIT_SIGNAL, a->deadline);
	counter_add(TS_futex_waiters, (uint64_t)-1);
	if (!leave(&w))
		return 0;
	if (error == EINTR && a->deadline == DEADLINE_NONE)
		return -ERESTART;
	return -error;
}

/* @p b locked. */
static void
wake_one(struct waiter *w)
{
	list_remove(&w->link);
	waitq_wake(&w->wq, 1);
}

static long
futex_wake(const struct futex_args *a, uint32_t bitset)
{
	struct vm_pinned pin;
	struct bucket *b;
	struct key key;
	long n = 0;
	int error;

	if (bitset == 0)
		return -EINVAL;
	error = make_key(a, a->uaddr, VM_PROT_NONE, &key, &pin);
	if (error != 0)
		return -error;
	b = bucket_of(&key);
	spin_lock(&b->lock);
	LIST_FOREACH_SAFE(l, &b->waiters) {
		struct waiter *w = LIST_ENTRY(l, struct waiter, link);

		if ((uint32_t)n >= a->val)
			break;
		if (!key_equal(&w->key, &key) || !(w->bitset & bitset))
			continue;
		wake_one(w);
		n++;
	}
	spin_unlock(&b->lock);
	vm_unpin(&pin);
	return n;
}

static void
lock_two(struct bucket *a, struct bucket *b)
{
	if (a > b) {
		struct bucket *t = a;

		a = b;
		b = t;
	}
	spin_lock(&a->lock);
	if (a != b)
		spin_lock_nested(&b->lock);
}

static void
unlock_two(struct bucket *a, struct bucket *b)
{
	spin_unlock(&a->lock);
	if (a != b)
		spin_unlock(&b->lock);
}

/* Both buckets locked. @return how many were woken or moved */
static long
requeue_locked(const struct futex_args *a, struct bucket *from,
    const struct key *k1, struct bucket *to, const struct key *k2)
{
	uint32_t woken = 0, moved = 0;

	LIST_FOREACH_SAFE(l, &from->waiters) {
		struct waiter *w = LIST_ENTRY(l, struct waiter, link);

		if (!key_equal(&w->key, k1))
			continue;
		if (woken < a->val) {
			wake_one(w);
			woken++;
		} else if (moved < a->val2) {
			w->key = *k2;
			list_remove(&w->link);
			list_push_back(&to->waiters, &w->link);
			__atomic_store_n(&w->bucket, to, __ATOMIC_RELAXED);
			moved++;
		} else {
			break;
		}
	}
	return (long)woken + moved;
}

static long
futex_requeue(const struct futex_args *a, bool compare)
{
	struct vm_pinned pin1, pin2 = { .npages = 0 };
	struct bucket *b1, *b2;
	struct key k1, k2;
	long result;
	int error;

	if ((int32_t)a->val < 0 || (int32_t)a->val2 < 0)
		return -EINVAL;
	error = make_key(a, a->uaddr, VM_PROT_WRITE, &k1, &pin1);
	if (error != 0)
		return -error;
	error = make_key(a, a->uaddr2, VM_PROT_NONE, &k2, &pin2);
	if (error != 0) {
		vm_unpin(&pin1);
		return -error;
	}
	b1 = bucket_of(&k1);
	b2 = bucket_of(&k2);
	lock_two(b1, b2);
	if (compare && read_word(&pin1) != a->val3)
		result = -EAGAIN;
	else
		result = requeue_locked(a, b1, &k1, b2, &k2);
	unlock_two(b1, b2);
	vm_unpin(&pin1);
	vm_unpin(&pin2);
	return result;
}

long
futex(const struct futex_args *a)
{
	switch (a->op & (unsigned)FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
		return futex_wait(a, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAIT_BITSET:
		return futex_wait(a, a->val3);
	case FUTEX_WAKE:
		return futex_wake(a, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAKE_BITSET:
		return futex_wake(a, a->val3);
	case FUTEX_REQUEUE:
		return futex_requeue(a, false);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(a, true);
	default:
		return -ENOSYS;
	}
}

/* ---- the end of a thread ---- */

static void
wake_at(vaddr_t va)
{
	struct futex_args a = { .uaddr = va, .op = FUTEX_WAKE, .val = 1 };

	(void)futex_wake(&a, FUTEX_BITSET_MATCH_ANY);
}

/* The dead owner's lock: mark it, and let one waiter have a look. */
static void
release_robust(struct thread *t, vaddr_t va)
{
	struct vm_pinned pin;
	uint32_t *word, old;
	bool wake = false;

	if (va % sizeof(uint32_t) != 0 ||
	    vm_pin(t->space, va, sizeof(old), VM_PROT_WRITE, &pin) != 0)
		return;
	word = (uint32_t *)(void *)((char *)page_to_virt(pin.page[0]) +
	    pin.offset);
	old = __atomic_load_n(word, __ATOMIC_SEQ_CST);
	while ((old & FUTEX_TID_MASK) == (uint32_t)t->tid) {
		wake = old & FUTEX_WAITERS;
		if (__atomic_compare_exchange_n(word, &old,
			(old & FUTEX_WAITERS) | FUTEX_OWNER_DIED, false,
			__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			break;
	}
	vm_unpin(&pin);
	if (wake)
		wake_at(va);
}

static void
walk_robust_list(struct thread *t)
{
	struct robust_list_head head;
	vaddr_t at, pending;

	if (copyin(t->space, &head, t->robust_list, sizeof(head)) != 0)
		return;
	at = (vaddr_t)head.list.next;
	pending = (vaddr_t)head.list_op_pending;
	for (unsigned i = 0; i < ROBUST_LIMIT && at != t->robust_list; i++) {
		struct robust_list entry;

		/* First the link: the owner of the lock may free it then. */
		if (copyin(t->space, &entry, at, sizeof(entry)) != 0)
			return;
		if (at != pending)
			release_robust(t, at + (vaddr_t)head.futex_offset);
		at = (vaddr_t)entry.next;
	}
	if (pending != 0)
		release_robust(t, pending + (vaddr_t)head.futex_offset);
}

void
futex_thread_exit(struct thread *t)
{
	int zero = 0;

	if (t->robust_list != 0)
		walk_robust_list(t);
	/* As Linux: only if somebody is there to see it. */
	if (t->clear_tid != 0 &&
	    (t->proc->nthreads > 1 || t->space->refs > 1) &&
	    copyout(t->space, t->clear_tid, &zero, sizeof(zero)) == 0)
		wake_at(t->clear_tid);
}
