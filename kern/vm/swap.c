/* SPDX-License-Identifier: MIT */
/*
 * swap.c - slots of the swap device; the swap cache.
 *
 * Path: a design's page-out and its faults on software words -> HERE -> the
 * page cache (object.c) -> swap_read, swap_write -> vm_env_swap_io.
 * Locks: vm_object_lock for counts and hand.
 */
#include "vm/swap.h"

#include "abi/errno.h"
#include "lib/printf.h"
#include "mem/kmem.h"
#include "sync/counter.h"
#include "vm/vm.h"

#define NOTE_BITS   14 /* slots of one allocation of notes */
#define NOTE_CHUNKS 32

struct vm_object swap_object;
size_t swap_note_size;

static char *notes[NOTE_CHUNKS]; /* [I] */
static uint32_t *words;	 /* [o] software words, by slot */
static uint32_t *found;	 /* vm_check(): those that are there */
static uint64_t nslots;	 /* [I] */
static uint64_t hand;	 /* [o] the search goes on here */
static size_t used;	 /* [o] slots with words; read by anybody */
static uint32_t failing; /* [a] the last write stored nothing */

/* ---- the object ---- */

static void
swap_nothing(struct vm_object *o)
{
	(void)o;
}

static void
swap_no_lock(struct vm_object *o, bool write)
{
	(void)o, (void)write;
}

static int
swap_read(struct vm_object *o, struct vm_page *pg)
{
	(void)o;
	counter_add(TS_swap_ins, 1);
	return vm_env_swap_io(&pg, 1, false);
}

static int
swap_back(struct vm_object *o, struct vm_page *pg)
{
	(void)o, (void)pg;
	return 0; /* a slot is a place on the device */
}

/* A page that cannot be written stays modified: nobody else has it. */
static bool
write_alone(struct vm_page *pg)
{
	if (vm_env_swap_io(&pg, 1, true) == 0)
		return true;
	spin_lock(&vm_object_lock);
	vm_object_modify(pg);
	spin_unlock(&vm_object_lock);
	return false;
}

/* One bad slot costs one frame; of a device that stores nothing no further page
 * is put, until a write succeeds again. */
static int
swap_write(struct vm_object *o, struct vm_page *const *pages, unsigned n)
{
	int error = vm_env_swap_io(pages, n, true);
	unsigned nstored = error == 0 ? n : 0;

	(void)o;
	for (unsigned i = 0; error != 0 && i < n; i++)
		nstored += write_alone(pages[i]);
	counter_add(TS_swap_outs, nstored);
	if (!__atomic_exchange_n(&failing, nstored == 0, __ATOMIC_RELAXED) &&
	    nstored == 0)
		kprintf("swap: the device does not write (error %d); "
			"pages stay in memory\n", error);
	return error;
}

static int
swap_sync(struct vm_object *o)
{
	vm_object_flush(o);
	return vm_object_error(o);
}

static const struct vm_object_ops swap_ops = {
	.hold = swap_nothing,
	.drop = swap_nothing,
	.enter = swap_no_lock,
	.leave = swap_no_lock,
	.read = swap_read,
	.back = swap_back,
	.write = swap_write,
	.sync = swap_sync,
};

static int
make_notes(uint64_t n)
{
	const uint64_t per_chunk = (uint64_t)1 << NOTE_BITS;

	if (n > NOTE_CHUNKS * per_chunk)
		return ENOMEM;
	for (uint64_t first = 0; first < n; first += per_chunk) {
		char *chunk = kzalloc(MIN(n - first, per_chunk) *
		    swap_note_size);

		if (chunk == NULL)
			return ENOMEM;
		notes[first >> NOTE_BITS] = chunk;
	}
	return 0;
}

int
swap_start(void)
{
	uint64_t n = vm_env_swap_slots();

	vm_object_init(&swap_object, &swap_ops);
	if (n == 0)
		return 0;
	words = kzalloc(n * sizeof(*words));
	if (words == NULL ||
	    (swap_note_size != 0 && make_notes(n) != 0))
		return ENOMEM;
	nslots = swap_object.npages = n;
	return 0;
}

void *
swap_note(uint64_t slot)
{
	return notes[slot >> NOTE_BITS] +
	    (slot & (((uint64_t)1 << NOTE_BITS) - 1)) * swap_note_size;
}

size_t
swap_total(void)
{
	return nslots;
}

size_t
swap_used(void)
{
	return __atomic_load_n(&used, __ATOMIC_RELAXED);
}

/* ---- slots ---- */

/* A slot without words may still have a page that was being written when the
 * last word went. */
static int
find_free(uint64_t *slot)
{
	for (uint64_t i = 0; i < nslots; i++) {
		uint64_t n = hand;

		hand = n + 1 == nslots ? 0 : n + 1;
		if (words[n] == 0 && vm_object_discard(&swap_object, n)) {
			*slot = n;
			return 0;
		}
	}
	return ENOSPC;
}

int
swap_out(struct vm_page *pg, uint64_t *slot)
{
	KASSERT(!(page_flags(pg) & PG_CACHED) || pg->owner == &swap_object);
	if (page_flags(pg) & PG_CACHED) {
		*slot = pg->offset;
		if (words[*slot] == 0)
			vm_object_modify(pg); /* who had it may have written */
	} else {
		if (__atomic_load_n(&failing, __ATOMIC_RELAXED) ||
		    used == nslots || find_free(slot) != 0)
			return ENOSPC;
		vm_object_adopt(&swap_object, *slot, pg);
	}
	swap_hold(*slot);
	return 0;
}

void
swap_hold(uint64_t slot)
{
	if (words[slot]++ == 0)
		__atomic_store_n(&used, used + 1, __ATOMIC_RELAXED);
}

void
swap_drop(uint64_t slot)
{
	KASSERT(words[slot] > 0);
	if (--words[slot] > 0)
		return;
	__atomic_store_n(&used, used - 1, __ATOMIC_RELAXED);
	(void)vm_object_discard(&swap_object, slot);
}

bool
swap_is_last(uint64_t slot, const struct vm_page *pg)
{
	return words[slot] == 1 &&
	    __atomic_load_n(&pg->holds, __ATOMIC_ACQUIRE) == 1 &&
	    !(page_flags(pg) & (PG_BUSY | PG_WRITEBACK));
}

/* ---- checking ---- */

void
swap_check_begin(void)
{
	found = nslots > 0 ? kzalloc(nslots * sizeof(*found)) : NULL;
}

void
swap_check_word(uint64_t slot)
{
	if (found != NULL && slot < nslots)
		found[slot]++;
}

int
swap_check_end(void)
{
	size_t n = 0;
	int error = 0;

	for (uint64_t i = 0; found != NULL && i < nslots; i++) {
		n += words[i] > 0;
		if (found[i] == words[i])
			continue;
		kprintf("vm_check: swap slot %lu: %u words found, %u counted\n",
		    (unsigned long)i, found[i], words[i]);
		error = EINVAL;
	}
	if (found != NULL && n != used)
		error = EINVAL;
	kfree(found, nslots * sizeof(*found));
	found = NULL;
	return error;
}
