/* SPDX-License-Identifier: MIT */
/*
 * mach_pageout.c - which pages go, and how: the queues of the page-out daemon.
 *
 * Path: pageout.c -> mach_pageout -> a policy (pd_policy.c) names victims ->
 *	their leaves go, space by space -> the default pager (mach_pager.c).
 * A page queues up when it becomes resident, or a file's when it is shown.  The
 * daemon takes the newly arrived over into the set that the policy works on,
 * which is its own and needs no lock.  Pages leave the set only there: one that
 * has gone for another reason is dropped when the policy names it.
 * Locks: none while a policy works but those of single pages; then a space
 *	exclusively, so that its leaves are flushed before it goes on, and in it
 *	the object of a page, against the order: it only tries.
 * Memory: needs none.  The places of all frames are made at boot; a gather that
 *	is full is flushed.
 */
/*
 *	page			pinned	leaves	what happens
 *	no object's, no leaf	-	no	leaves the set
 *	any			yes	-	stays
 *	of a file, few cached	no	yes	stays
 *	of a file		no	yes	leaves go; the cache has it
 *	anonymous, swap full	no	-	stays
 *	anonymous		no	-	leaves go; to a slot of swap
 */
#include "abi/errno.h"
#include "mem/kmem.h"
#include "vm/mach/mach_page.h"
#include "vm/pageout.h"
#include "vm/pd_policy.h"
#include "vm/swap.h"

#define CHUNK_BITS 14 /* frames of one allocation */
#define CHUNKS	   256
#define BATCH	   64  /* victims of one call */
#define ARRIVALS   16  /* taken over at once */
#define SPACES	   256 /* that share a page and are looked at in one call */

/** A frame's place in the queues. */
struct queued {
	struct pd_page pd;   /* the daemon's */
	struct queued *next; /* [arrivals] NULL: not one of them */
	uint32_t frame;	     /* [I] */
	bool in_set;	     /* the daemon's */
	bool known;	     /* [a] it is an arrival, in the set, or a victim */
};

#define LAST ((struct queued *)1) /* end of the list of arrivals */

static struct queued *chunks[CHUNKS]; /* [I] */

static struct {
	struct spinlock lock; /* RANK_MISC */
	struct queued *first, **end;
} arrivals = { SPINLOCK_INIT(RANK_MISC, "arrivals"), LAST, &arrivals.first };

/* The daemon's; one caller at a time (pageout.h). */
static struct pd_set set;
static struct queued *victim[BATCH]; /* NULL: has gone */

static struct queued *
queued_of(const struct vm_page *pg)
{
	size_t i = (size_t)(pg - frame_array);

	return &chunks[i >> CHUNK_BITS][i & ((1u << CHUNK_BITS) - 1)];
}

static struct vm_page *
page_of(const struct queued *q)
{
	return &frame_array[q->frame];
}

static void
set_known(struct queued *q, bool known)
{
	__atomic_store_n(&q->known, known, __ATOMIC_SEQ_CST);
}

/* ---- the set ---- */

static bool
is_dirty(const struct vm_page *pg)
{
	return page_flags(pg) & PG_DIRTY;
}

/* A, and then D, over all leaves of a page. */
static unsigned
take_bits(struct pd_page *p, unsigned clear, void *arg)
{
	struct vm_page *pg = page_of(container_of(p, struct queued, pd));
	unsigned seen = pv_page_protect(pg,
	    clear & PD_REFERENCED ? PMAP_ACCESSED : 0, false, arg);

	return (seen & PMAP_ACCESSED ? PD_REFERENCED : 0) |
	    (seen & PMAP_DIRTY || is_dirty(pg) ? PD_MODIFIED : 0);
}

int
pageout_setup(void)
{
	pd_set_init(&set, pageout_policy());
	set.bits = take_bits;
	set.window = PAGEOUT_WINDOW;
	if (frame_array_size >> CHUNK_BITS >= CHUNKS)
		return ENOMEM;
	for (size_t i = 0; i < frame_array_size; i++) {
		struct queued **chunk = &chunks[i >> CHUNK_BITS];
		size_t n = MIN(frame_array_size - i, (size_t)1 << CHUNK_BITS);

		if (*chunk == NULL)
			*chunk = kzalloc(n * sizeof(struct queued));
		if (*chunk == NULL)
			return ENOMEM;
		queued_of(&frame_array[i])->frame = (uint32_t)i;
	}
	return 0;
}

void
pageout_arrived(const struct vm_page *pg)
{
	struct queued *q = queued_of(pg);

	/* A file's page may be there; one of an object is new, or back. */
	if (is_cached(pg) ?
		__atomic_load_n(&q->known, __ATOMIC_SEQ_CST) :
		swap_total() == 0)
		return;
	spin_lock(&arrivals.lock);
	if (q->next == NULL) {
		q->next = LAST;
		*arrivals.end = q;
		arrivals.end = &q->next;
		set_known(q, true);
	}
	spin_unlock(&arrivals.lock);
}

static void
insert(struct queued *q)
{
	pd_insert(&set, &q->pd);
	q->in_set = true;
}

/* Up to ARRIVALS of them, in order. */
static unsigned
take_arrivals(struct queued **q)
{
	unsigned n = 0;

	spin_lock(&arrivals.lock);
	while (n < ARRIVALS && arrivals.first != LAST) {
		q[n] = arrivals.first;
		arrivals.first = q[n]->next;
		q[n++]->next = NULL;
	}
	if (arrivals.first == LAST)
		arrivals.end = &arrivals.first;
	spin_unlock(&arrivals.lock);
	return n;
}

static void
queue_arrivals(void)
{
	struct queued *q[ARRIVALS];
	unsigned n;

	while ((n = take_arrivals(q)) > 0)
		for (unsigned i = 0; i < n; i++) {
			/* The frame was another page's before. */
			if (q[i]->in_set)
				pd_remove(&set, &q[i]->pd);
			insert(q[i]);
		}
}

/* ---- victims ---- */

enum verdict { NO_PAGE, STAYS, GOES };

/* So many cached pages stay mapped.  With less, programs only read their own
 * text again and again; it is better to say that there is no memory. */
static size_t
text_floor(void)
{
	return MAX(frame_total() / 128, (size_t)BATCH);
}

static enum verdict
judge(const struct vm_page *pg)
{
	enum verdict v = GOES;
	struct mach_object *o;
	bool busy;

	if (is_cached(pg)) {
		if (pv_space(pg) == NULL)
			return NO_PAGE;
		return is_pinned(pg) || vm_object_cached() <= text_floor() ?
		    STAYS :
		    GOES;
	}
	o = vm_page_lock_object(pg, &busy);
	if (o == NULL)
		return busy ? STAYS : NO_PAGE;
	if (is_pinned(pg) || !pager_has_room())
		v = STAYS;
	spin_unlock(&o->lock);
	return v;
}

/* It leaves the set; if somebody shows it at the same time, it comes back. */
static void
forget(struct queued *q)
{
	set_known(q, false); /* then the lock of its leaves orders the two */
	if (pv_space(page_of(q)) != NULL)
		pageout_arrived(page_of(q));
}

/* At most one look at each page. @return how many shall go */
static unsigned
choose(unsigned want)
{
	unsigned n = 0;

	queue_arrivals();
	if (want > 0)
		pd_tick(&set);
	for (size_t left = set.npages; left > 0 && n < want; left--) {
		struct queued *q = container_of(pd_victim(&set),
		    struct queued, pd);

		q->in_set = false;
		switch (judge(page_of(q))) {
		case NO_PAGE:
			forget(q);
			break;
		case STAYS:
			insert(q);
			break;
		case GOES:
			victim[n++] = q;
			break;
		}
	}
	return n;
}

/* ---- out ---- */

/* Only its object may hold it: no pin, no leaf, and none in somebody's gather.
 * @return false: it stays */
static bool
let_go(struct vm_page *pg)
{
	struct mach_object *o;
	bool busy, gone;

	if (is_cached(pg))
		return true; /* the cache reclaims it */
	o = vm_page_lock_object(pg, &busy);
	if (o == NULL)
		return !busy;
	gone = pv_space(pg) == NULL &&
	    __atomic_load_n(&pg->holds, __ATOMIC_ACQUIRE) == 1 &&
	    pager_page_out(pg) == 0;
	spin_unlock(&o->lock);
	if (gone)
		page_drop(pg); /* the swap cache has it */
	return gone;
}

/* Those victims that no leaf shows go. @return how many */
static unsigned
let_all_go(unsigned n)
{
	unsigned gone = 0;

	for (unsigned i = 0; i < n; i++) {
		if (victim[i] == NULL || pv_space(page_of(victim[i])) != NULL ||
		    !let_go(page_of(victim[i])))
			continue;
		forget(victim[i]);
		victim[i] = NULL;
		gone++;
	}
	return gone;
}

/* The leaves of all victims in one space, and those that nobody shows then.
 * While it is locked, and so between leaf and flush, the space does nothing
 * else: its fork or mprotect must not think that W is gone already. */
static unsigned
sweep_space(struct vmspace *vs, unsigned n)
{
	struct vm_txn txn;
	unsigned gone;

	tlb_gather_init(&txn.tg);
	sleep_lock(&vs->lock);
	for (unsigned i = 0; i < n; i++)
		while (victim[i] != NULL &&
		    pv_page_out(page_of(victim[i]), vs, &txn) == VM_WAIT)
			tlb_gather_flush(&txn.tg);
	if (!tlb_gather_empty(&txn.tg))
		tlb_gather_flush(&txn.tg);
	gone = let_all_go(n);
	vs->version++;
	sleep_unlock(&vs->lock);
	return gone;
}

static unsigned
sweep(unsigned n)
{
	unsigned gone = let_all_go(n);

	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < SPACES && victim[i] != NULL; k++) {
			struct vmspace *vs = pv_space(page_of(victim[i]));

			if (vs == NULL || is_pinned(page_of(victim[i])))
				break;
			gone += sweep_space(vs, n);
		}
	for (unsigned i = 0; i < n; i++)
		if (victim[i] != NULL)
			insert(victim[i]);
	return gone;
}

unsigned
mach_pageout(unsigned want)
{
	struct vm_txn txn;
	unsigned n, gone;

	tlb_gather_init(&txn.tg);
	set.arg = &txn;
	vmspace_list_hold(); /* spaces of leaves stay */
	n = choose(MIN(want, BATCH));
	gone = sweep(n);
	if (!tlb_gather_empty(&txn.tg))
		tlb_gather_flush(&txn.tg); /* A, which the policy cleared */
	vmspace_list_release();
	return gone;
}
