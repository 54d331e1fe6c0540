/* SPDX-License-Identifier: MIT */
/*
 * asid.c - address-space identifiers, one generational allocator for all CPUs.
 *
 * A pmap's asid word is generation | number.  When the numbers run out a new
 * generation begins: every CPU drops its whole TLB before it next joins a
 * space, and only numbers in use on some CPU right now are kept.  Number 0 is
 * for the kernel's root, and for user spaces when no other number is left (or
 * the hardware has none): then its entries are dropped at each join.  One
 * numbering for all CPUs, since SBI's fence names one ASID for all harts.
 * Locks: asid_lock, with interrupts off (joining happens in the switch).  A
 * space whose number is of this generation joins without it: see asid_join.
 * The scheme follows the idea of Linux arch/arm64/mm/context.c.
 */
#include "lib/string.h"
#include "sync/counter.h"
#include "vm/pmap.h"

#define NUMBER_MASK ASID_NUMBER_MASK

static struct spinlock asid_lock = SPINLOCK_INIT(RANK_ASID, "asid");
static unsigned count;		    /* [I] numbers, 0 included; < 2: none */
static uint64_t generation = NUMBER_MASK + 1; /* [a] asid_lock to advance */
static uint64_t used[(NUMBER_MASK + 1) / 64]; /* [asid_lock] bitmap */
static unsigned hint;			      /* [asid_lock] search from here */
static uint64_t flush_pending; /* [asid_lock] CPUs that must drop all */
/* The asid word that a CPU loaded last; 0: none since the roll-over, and kept
 * has it. */
static uint64_t running[MAXCPU]; /* [a] its CPU's; a roll-over takes it out */
static uint64_t kept[MAXCPU];	 /* [asid_lock] */

void
asid_init(unsigned n)
{
	count = n;
	used[0] = 1;
	hint = 1;
}

static bool
is_used(uint64_t number)
{
	return used[number / 64] >> (number % 64) & 1;
}

static void
set_used(uint64_t number)
{
	used[number / 64] |= (uint64_t)1 << (number % 64);
}

/* A free number, or 0. */
static unsigned
find_free(void)
{
	for (unsigned n = hint; n < count; n++) {
		if (!is_used(n)) {
			hint = n + 1;
			return n;
		}
	}
	hint = count;
	return 0;
}

static void
roll_over(void)
{
	memset(used, 0, sizeof(used));
	used[0] = 1;
	hint = 1;
	__atomic_store_n(&generation, generation + NUMBER_MASK + 1,
	    __ATOMIC_SEQ_CST);
	/* A CPU goes on with the number that it has loaded: nobody else may
	 * get it in this generation. */
	for (unsigned c = 0; c < ncpu; c++) {
		uint64_t word = __atomic_exchange_n(&running[c], 0,
		    __ATOMIC_SEQ_CST);

		if (word != 0)
			kept[c] = word;
		set_used(kept[c] & NUMBER_MASK);
	}
	flush_pending = ~(uint64_t)0;
	counter_add(TS_asid_rollovers, 1);
}

/* Whether @p word, of an older generation, is still loaded on some CPU, so that
 * roll_over kept its number.  No CPU can load it again meanwhile. */
static bool
is_running(uint64_t word)
{
	for (unsigned c = 0; c < ncpu; c++)
		if (kept[c] == word &&
		    __atomic_load_n(&running[c], __ATOMIC_SEQ_CST) == 0)
			return true;
	return false;
}

/*
 * May @p pm go on with its old number in the new generation?  It must, while
 * another CPU has it loaded: flushes name the number of the pmap.  Number 0 is
 * shared, so words with it say nothing about who runs.
 */
static bool
must_keep(const struct pmap *pm)
{
	uint64_t others = __atomic_load_n(&pm->active, __ATOMIC_SEQ_CST) &
	    ~((uint64_t)1 << cpu_id());

	if ((pm->asid & NUMBER_MASK) != 0)
		return is_running(pm->asid);
	return pm->asid != 0 && others != 0;
}

static uint64_t
renew(struct pmap *pm)
{
	uint64_t number = pm->asid & NUMBER_MASK, old = pm->asid;

	if (!must_keep(pm)) {
		number = find_free();
		if (number == 0 && count > 1) {
			roll_over();
			/* Still none: more CPUs than numbers. Number 0 is
			 * shared, and dropped at each join. */
			number = find_free();
		}
		set_used(number);
	}
	/* Others that run the same pmap keep naming the same number. */
	for (unsigned c = 0; number != 0 && c < ncpu; c++)
		if (kept[c] == old)
			kept[c] = generation | number;
	return generation | number;
}

static __slowpath unsigned
join_locked(struct pmap *pm, bool *fresh)
{
	uint64_t self = (uint64_t)1 << cpu_id(), word;

	spin_lock(&asid_lock);
	if (((pm->asid ^ generation) & ~NUMBER_MASK) != 0)
		__atomic_store_n(&pm->asid, renew(pm), __ATOMIC_RELAXED);
	if (flush_pending & self) {
		flush_pending &= ~self;
		mmu_flush_all();
		*fresh = true;
	}
	word = pm->asid;
	__atomic_store_n(&running[cpu_id()], word, __ATOMIC_SEQ_CST);
	spin_unlock(&asid_lock);
	if ((word & NUMBER_MASK) == 0)
		*fresh = true; /* pmap_activate flushes after loading */
	return (unsigned)(word & NUMBER_MASK);
}

/*
 * Without the lock: a roll-over takes our word out of running[], so the
 * exchange below fails if one came in between; if it comes later, it keeps the
 * number that we put there.
 */
unsigned
asid_join(struct pmap *pm, bool *fresh)
{
	uint64_t *mine = &running[cpu_id()];
	uint64_t word = __atomic_load_n(&pm->asid, __ATOMIC_RELAXED);
	uint64_t old = __atomic_load_n(mine, __ATOMIC_RELAXED);
	uint64_t now = __atomic_load_n(&generation, __ATOMIC_RELAXED);

	*fresh = false;
	if (unlikely(old == 0 || (word ^ now) > NUMBER_MASK ||
		(word & NUMBER_MASK) == 0 ||
		!__atomic_compare_exchange_n(mine, &old, word, false,
		    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)))
		return join_locked(pm, fresh);
	return (unsigned)(word & NUMBER_MASK);
}
