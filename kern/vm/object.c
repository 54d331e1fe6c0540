/* SPDX-License-Identifier: MIT */
/*
 * object.c - the page cache: look-up, filling, cleaning, reclaim.
 *
 * Path: file systems -> vm_object_get, _put, _flush, _resize; designs find
 *	pages in their fault slot and leave I/O to vm_object_fill (fault.c).
 * Locks: vm_object_lock, never over I/O or a flush of the TLB.  BUSY is a lock
 *	of one page and comes after the locks of inodes.
 * Invariants: a page that is in the hash and not BUSY is valid; MODIFIED says
 *	on which list of its object it stands; a page leaves the cache only
 *	when it is neither BUSY nor in WRITEBACK.
 * Memory: clean pages that only the cache holds are given back to whoever
 *	allocates, by a clock over the frames (second chance).
 */
#include "vm/object.h"

#include "abi/errno.h"
#include "lib/string.h"
#include "mem/kmem.h"
#include "sync/counter.h"
#include "vm/vm.h"

#define NWAITQS 16

struct spinlock vm_object_lock = SPINLOCK_INIT(RANK_PAGEQ, "page cache");
struct waitq vm_object_daemon_wq = WAITQ_INIT(vm_object_daemon_wq);
static struct waitq throttle_wq = WAITQ_INIT(throttle_wq);
static struct waitq waitqs[NWAITQS]; /* for pages and objects */
static struct vm_page **hash;	     /* [o] chained through vm_page.chain */
static size_t hash_mask;
static size_t ncached, nunsaved;     /* [o] */
static size_t clock_hand;	     /* [o] */
static size_t limit;		     /* of nunsaved */

static size_t reclaim(size_t want);

int
vm_object_start(void)
{
	size_t n = 256;

	while (n < frame_total() / 4 && n < 131072)
		n *= 2;
	hash = kzalloc(n * sizeof(*hash));
	if (hash == NULL)
		return ENOMEM;
	hash_mask = n - 1;
	limit = MAX(frame_total() / 8, (size_t)64);
	for (unsigned i = 0; i < NWAITQS; i++)
		waitq_init(&waitqs[i], "page");
	frame_reclaim = reclaim;
	return 0;
}

void
vm_object_init(struct vm_object *o, const struct vm_object_ops *ops)
{
	memset(o, 0, sizeof(*o));
	o->ops = ops;
	list_init(&o->clean);
	list_init(&o->modified);
	list_init(&o->mappings);
}

/* ---- places; all with the lock held ---- */

static struct waitq *
waitq_of(const void *p)
{
	return &waitqs[((uintptr_t)p >> 6) % NWAITQS];
}

static struct vm_page **
bucket_of(const struct vm_object *o, uint64_t index)
{
	return &hash[(((uintptr_t)o >> 6) * 31 + index) & hash_mask];
}

static void
set_flags(struct vm_page *pg, uint32_t bits)
{
	__atomic_fetch_or(&pg->flags, bits, __ATOMIC_RELAXED);
}

static void
clear_flags(struct vm_page *pg, uint32_t bits)
{
	__atomic_fetch_and(&pg->flags, ~bits, __ATOMIC_RELAXED);
}

/* @p *flags: of the page, by the one load that a look-up needs. */
static __always_inline struct vm_page *
find(const struct vm_object *o, uint64_t index, uint32_t *flags)
{
	struct vm_page *pg = *bucket_of(o, index);

	while (pg != NULL && (pg->owner != o || pg->offset != index))
		pg = pg->chain;
	if (pg == NULL)
		return NULL;
	*flags = page_flags(pg);
	if (unlikely(!(*flags & PG_REFERENCED)))
		set_flags(pg, PG_REFERENCED);
	return pg;
}

struct vm_page *
vm_object_find(const struct vm_object *o, uint64_t index)
{
	uint32_t flags;

	return find(o, index, &flags);
}

/* @p pg is BUSY and brings the cache's reference. */
static void
insert(struct vm_object *o, uint64_t index, struct vm_page *pg)
{
	struct vm_page **head = bucket_of(o, index);

	pg->owner = o;
	pg->offset = index;
	__atomic_store_n(&pg->flags, PG_CACHED | PG_BUSY | PG_REFERENCED,
	    __ATOMIC_RELAXED);
	pg->chain = *head;
	*head = pg;
	list_push_back(&o->clean, &pg->link);
	ncached++;
}

static void
unmodify(struct vm_page *pg)
{
	struct vm_object *o = pg->owner;

	clear_flags(pg, PG_MODIFIED);
	list_remove(&pg->link);
	list_push_back(&o->clean, &pg->link);
	o->nmodified--;
	nunsaved--;
}

void
vm_object_modify(struct vm_page *pg)
{
	struct vm_object *o = pg->owner;

	if (page_flags(pg) & PG_MODIFIED)
		return;
	set_flags(pg, PG_MODIFIED);
	list_remove(&pg->link);
	list_push_back(&o->modified, &pg->link);
	o->nmodified++;
	nunsaved++;
	if (nunsaved == 1 || nunsaved == limit / 2)
		waitq_wake_all(&vm_object_daemon_wq);
}

/* Drops the cache's reference; pins and other users keep the frame. */
static void
take_out(struct vm_page *pg)
{
	struct vm_page **at = bucket_of(pg->owner, pg->offset);

	KASSERT(!(page_flags(pg) & PG_WRITEBACK));
	if (page_flags(pg) & PG_MODIFIED)
		unmodify(pg);
	while (*at != pg)
		at = &(*at)->chain;
	*at = pg->chain;
	list_remove(&pg->link);
	pg->owner = NULL;
	clear_flags(pg, PG_CACHED | PG_BUSY | PG_HOLE | PG_REFERENCED);
	ncached--;
	page_drop(pg);
}

void
vm_object_adopt(struct vm_object *o, uint64_t index, struct vm_page *pg)
{
	page_hold(pg);
	insert(o, index, pg);
	clear_flags(pg, PG_BUSY | PG_REFERENCED);
	vm_object_modify(pg);
}

bool
vm_object_discard(struct vm_object *o, uint64_t index)
{
	struct vm_page *pg = vm_object_find(o, index);

	if (pg != NULL && (page_flags(pg) & (PG_BUSY | PG_WRITEBACK)))
		return false;
	if (pg != NULL)
		take_out(pg);
	return true;
}

/* ---- waiting ---- */

/* Wait, without the lock, until something about @p what changed. */
static void
wait_for(const void *what)
{
	struct waitq *wq = waitq_of(what);
	uint32_t seq = waitq_sequence(wq);

	spin_unlock(&vm_object_lock);
	(void)waitq_wait(wq, seq, WAIT_FOREVER, DEADLINE_NONE);
	spin_lock(&vm_object_lock);
}

/* ---- getting pages ---- */

/* The page is new and BUSY; without the lock. */
static int
fill(struct vm_object *o, struct vm_page *pg, enum vm_object_how how)
{
	int error = 0;

	if (how == OBJ_NEW) {
		page_zero(page_to_virt(pg));
	} else {
		counter_add(TS_cache_reads, 1);
		error = o->ops->read(o, pg);
	}
	if (error == 0 && how != OBJ_READ)
		return 0;
	spin_lock(&vm_object_lock);
	clear_flags(pg, PG_BUSY);
	if (error != 0)
		take_out(pg);
	spin_unlock(&vm_object_lock);
	waitq_wake_all(waitq_of(pg));
	if (error != 0)
		page_drop(pg);
	return error;
}

/* Leave a sixteenth of memory to those who need several frames in a row. */
static struct vm_page *
alloc_page(void)
{
	if (frame_free_count() < frame_total() / 16)
		(void)reclaim(VM_OBJECT_BATCH);
	return frame_alloc(FRAME_DEFAULT);
}

static __slowpath int
get_slow(struct vm_object *o, uint64_t index, enum vm_object_how how,
    struct vm_page **out)
{
	uint32_t in_use = PG_BUSY | (how != OBJ_READ ? PG_WRITEBACK : 0);
	struct vm_page *pg, *fresh = NULL;

	spin_lock(&vm_object_lock);
	for (;;) {
		pg = vm_object_find(o, index);
		if (pg != NULL && !(page_flags(pg) & in_use))
			break;
		if (pg != NULL) {
			wait_for(pg);
		} else if (fresh != NULL) {
			insert(o, index, fresh);
			page_hold(fresh);
			spin_unlock(&vm_object_lock);
			*out = fresh;
			return fill(o, fresh, how);
		} else {
			spin_unlock(&vm_object_lock);
			fresh = alloc_page();
			if (fresh == NULL)
				return ENOMEM;
			spin_lock(&vm_object_lock);
		}
	}
	page_hold(pg);
	if (how != OBJ_READ)
		set_flags(pg, PG_BUSY);
	spin_unlock(&vm_object_lock);
	if (fresh != NULL)
		frame_free(fresh);
	*out = pg;
	return 0;
}

int
vm_object_get(struct vm_object *o, uint64_t index, enum vm_object_how how,
    struct vm_page **out)
{
	struct vm_page *pg;
	uint32_t flags;

	if (unlikely(how != OBJ_READ || !spin_lock_fast(&vm_object_lock)))
		return get_slow(o, index, how, out);
	pg = find(o, index, &flags);
	if (likely(pg != NULL && !(flags & PG_BUSY))) {
		page_hold(pg);
		spin_unlock(&vm_object_lock);
		*out = pg;
		return 0;
	}
	spin_unlock(&vm_object_lock);
	return get_slow(o, index, how, out);
}

void
vm_object_put(struct vm_page *pg, bool modified)
{
	spin_lock(&vm_object_lock);
	KASSERT(page_flags(pg) & PG_BUSY);
	clear_flags(pg, PG_BUSY);
	if (modified)
		vm_object_modify(pg);
	spin_unlock(&vm_object_lock);
	waitq_wake_all(waitq_of(pg));
	page_drop(pg);
}

/* ---- cleaning ---- */

/* Take W from all mappings of a page that is about to be written. */
static void
write_protect(struct vm_object *o, const struct vm_page *pg,
    struct vm_txn *txn)
{
	if (list_empty(&o->mappings))
		return;
	if (vm_design->obj_revoke(o, pg->offset, pg->offset + 1,
		VM_PROT_READ | VM_PROT_EXECUTE, txn) != 0)
		panic("page cache: a page cannot be write-protected");
}

/* Modified pages that nobody is changing, write-protected and in WRITEBACK. */
static unsigned
collect(struct vm_object *o, struct vm_page **pages, struct vm_txn *txn)
{
	unsigned n = 0;

	LIST_FOREACH_SAFE(l, &o->modified) {
		struct vm_page *pg = LIST_ENTRY(l, struct vm_page, link);

		if (n == VM_OBJECT_BATCH)
			break;
		if (page_flags(pg) & (PG_BUSY | PG_WRITEBACK))
			continue;
		unmodify(pg);
		write_protect(o, pg, txn);
		/* What the kernel has yet to write through a pin would not
		 * fault: the page stays modified. */
		if (page_being_written(pg))
			vm_object_modify(pg);
		set_flags(pg, PG_WRITEBACK);
		o->nwriteback++;
		page_hold(pg);
		pages[n++] = pg;
	}
	return n;
}

/* One batch out, without the lock. */
static void
write_batch(struct vm_object *o, struct vm_page **pages, unsigned n)
{
	int error = o->ops->write(o, pages, n);

	counter_add(TS_cache_writes, n);
	spin_lock(&vm_object_lock);
	if (error != 0)
		__atomic_store_n(&o->error, error, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < n; i++)
		clear_flags(pages[i], PG_WRITEBACK);
	o->nwriteback -= n;
	spin_unlock(&vm_object_lock);
	for (unsigned i = 0; i < n; i++) {
		waitq_wake_all(waitq_of(pages[i]));
		page_drop(pages[i]);
	}
	waitq_wake_all(waitq_of(o));
	waitq_wake_all(&throttle_wq);
}

int
vm_object_error(struct vm_object *o)
{
	return __atomic_exchange_n(&o->error, 0, __ATOMIC_RELAXED);
}

void
vm_object_flush(struct vm_object *o)
{
	struct vm_page *pages[VM_OBJECT_BATCH];
	struct vm_txn txn;
	uint32_t budget;
	unsigned n;

	tlb_gather_init(&txn.tg);
	spin_lock(&vm_object_lock);
	/* What is modified from now on is not ours to write. */
	for (budget = o->nmodified; budget > 0 && o->nmodified > 0;
	     budget -= MIN(budget, n)) {
		n = collect(o, pages, &txn);
		if (n == 0) { /* somebody is changing or writing them */
			wait_for(LIST_ENTRY(o->modified.next, struct vm_page,
			    link));
			continue;
		}
		spin_unlock(&vm_object_lock);
		if (!tlb_gather_empty(&txn.tg))
			tlb_gather_flush(&txn.tg);
		write_batch(o, pages, n);
		spin_lock(&vm_object_lock);
	}
	while (o->nwriteback > 0)
		wait_for(o);
	spin_unlock(&vm_object_lock);
}

/* ---- taking pages out ---- */

/* From index @p first on, on one list. @return false: waited, look again */
static bool
take_out_from(struct list *head, uint64_t first)
{
	LIST_FOREACH_SAFE(l, head) {
		struct vm_page *pg = LIST_ENTRY(l, struct vm_page, link);

		if (pg->offset < first)
			continue;
		if (page_flags(pg) & (PG_BUSY | PG_WRITEBACK)) {
			wait_for(pg);
			return false;
		}
		take_out(pg);
	}
	return true;
}

void
vm_object_resize(struct vm_object *o, uint64_t npages)
{
	struct vm_txn txn;
	bool shrinks;
	int error = 0;

	spin_lock(&vm_object_lock);
	shrinks = npages < o->npages;
	o->npages = npages; /* from here on no fault enters what goes */
	if (shrinks) {
		tlb_gather_init(&txn.tg);
		do {
			/* The last mapping may go between two tries. */
			error = list_empty(&o->mappings) ?
			    0 :
			    vm_design->obj_revoke(o, npages, UINT64_MAX,
				VM_PROT_NONE, &txn);
			spin_unlock(&vm_object_lock);
			tlb_gather_flush(&txn.tg);
			spin_lock(&vm_object_lock);
		} while (error == VM_WAIT);
		while (!take_out_from(&o->modified, npages) ||
		    !take_out_from(&o->clean, npages))
			continue;
	}
	spin_unlock(&vm_object_lock);
}

void
vm_object_forget(struct vm_object *o, uint64_t index)
{
	struct vm_page *pg;

	spin_lock(&vm_object_lock);
	while ((pg = vm_object_find(o, index)) != NULL) {
		if (!(page_flags(pg) & (PG_BUSY | PG_WRITEBACK))) {
			take_out(pg);
			break;
		}
		wait_for(pg);
	}
	spin_unlock(&vm_object_lock);
}

bool
vm_object_purge(struct vm_object *o)
{
	bool idle;

	spin_lock(&vm_object_lock);
	idle = o->nmodified == 0 && o->nwriteback == 0;
	LIST_FOREACH(l, &o->clean)
		idle = idle && LIST_ENTRY(l, struct vm_page, link)->holds == 1;
	while (idle && !list_empty(&o->clean))
		take_out(LIST_ENTRY(o->clean.next, struct vm_page, link));
	spin_unlock(&vm_object_lock);
	return idle;
}

/* Clean, and nobody but the cache has it. */
static bool
is_spare(const struct vm_page *pg)
{
	const uint32_t state =
	    PG_CACHED | PG_BUSY | PG_WRITEBACK | PG_MODIFIED;

	return (page_flags(pg) & state) == PG_CACHED &&
	    __atomic_load_n(&pg->holds, __ATOMIC_ACQUIRE) == 1;
}

size_t
vm_object_shed(struct vm_object *o, size_t want)
{
	size_t freed = 0, steps = 2 * want;

	spin_lock(&vm_object_lock);
	LIST_FOREACH_SAFE(l, &o->clean) {
		struct vm_page *pg = LIST_ENTRY(l, struct vm_page, link);

		if (freed == want || steps-- == 0)
			break;
		if (is_spare(pg)) {
			take_out(pg);
			freed++;
		} else { /* in use: not again so soon */
			list_remove(l);
			list_push_back(&o->clean, l);
		}
	}
	spin_unlock(&vm_object_lock);
	return freed;
}

/*
 * Free up to @p want frames.  Called by the allocator with any spin locks held,
 * so it only tries.  A reference to a cached page is taken under the lock, or
 * by somebody who has one: a page that the cache alone holds stays so.
 */
static size_t
reclaim(size_t want)
{
	size_t freed = 0;

	if (!spin_trylock(&vm_object_lock))
		return 0;
	for (size_t steps = 2 * frame_array_size; steps > 0 && freed < want &&
	     ncached > nunsaved;
	     steps--) {
		struct vm_page *pg = &frame_array[clock_hand];

		clock_hand = (clock_hand + 1) % frame_array_size;
		if (!is_spare(pg))
			continue;
		if (page_flags(pg) & PG_REFERENCED) {
			clear_flags(pg, PG_REFERENCED);
			continue;
		}
		take_out(pg);
		freed++;
	}
	spin_unlock(&vm_object_lock);
	return freed;
}

/* ---- faults ---- */

int
vm_object_wait(struct vm_object *o, uint64_t index, bool write,
    struct vm_txn *txn)
{
	const struct vm_page *pg = vm_object_find(o, index);

	if (pg != NULL && (page_flags(pg) & PG_BUSY)) {
		txn->wait.wq = waitq_of(pg);
		txn->wait.seq = waitq_sequence(txn->wait.wq);
		return VM_WAIT;
	}
	o->ops->hold(o);
	txn->wait.wq = VM_WAIT_FILL;
	txn->fill = (struct vm_fill){ o, index, write };
	return VM_WAIT;
}

bool
vm_object_may_modify(const struct vm_page *pg, struct vm_txn *txn)
{
	if (likely((page_flags(pg) & PG_MODIFIED) || nunsaved < limit))
		return true;
	txn->wait.wq = &throttle_wq;
	txn->wait.seq = waitq_sequence(&throttle_wq);
	waitq_wake_all(&vm_object_daemon_wq);
	return false;
}

int
vm_object_fill(struct vm_txn *txn)
{
	struct vm_object *o = txn->fill.object;
	bool write = txn->fill.write;
	struct vm_page *pg;
	int error = ENXIO;

	vm_object_done(txn);
	o->ops->enter(o, write);
	if (txn->fill.index < o->npages)
		error = vm_object_get(o, txn->fill.index,
		    write ? OBJ_LOCK : OBJ_READ, &pg);
	if (error == 0 && write) {
		if (page_flags(pg) & PG_HOLE)
			error = o->ops->back(o, pg);
		page_hold(pg);
		vm_object_put(pg, false);
		if (error != 0)
			page_drop(pg);
	}
	o->ops->leave(o, write);
	if (error == 0)
		txn->held = pg;
	o->ops->drop(o);
	return error;
}

void
vm_object_done(struct vm_txn *txn)
{
	if (txn->held != NULL)
		page_drop(txn->held);
	txn->held = NULL;
}

/* ---- limits and counts ---- */

size_t
vm_object_unsaved(void)
{
	return __atomic_load_n(&nunsaved, __ATOMIC_RELAXED);
}

bool
vm_object_many_unsaved(void)
{
	return vm_object_unsaved() >= limit / 2;
}

void
vm_object_throttle(void)
{
	while (vm_object_unsaved() >= limit) {
		uint32_t seq = waitq_sequence(&throttle_wq);

		waitq_wake_all(&vm_object_daemon_wq);
		if (vm_object_unsaved() < limit ||
		    waitq_wait(&throttle_wq, seq, WAIT_KILLABLE,
			DEADLINE_NONE) != 0)
			break;
	}
}

size_t
vm_object_cached(void)
{
	return __atomic_load_n(&ncached, __ATOMIC_RELAXED);
}

void
vm_object_count_refs(void (*count)(struct vm_page *, void *), void *arg)
{
	for (size_t i = 0; i < frame_array_size; i++)
		if (frame_array[i].flags & PG_CACHED)
			count(&frame_array[i], arg);
}
