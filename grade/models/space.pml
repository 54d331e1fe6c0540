/* SPDX-License-Identifier: MIT */
/*
 * space.pml - a space's lock with faults against unmap: kern/vm/fault.c,
 * kern/vm/space.c, the classic design's fault, and kern/sync/sleeplock.c.
 *
 * One page of one space.  Two threads write to it, thread 1 by the kernel
 * through a pin if PIN=1; a third one unmaps it, perhaps.  COW=1: the page is there and
 * another space shares its frame, which it may let go of; else it is empty.
 * Claims: nobody reaches a freed frame; no leaf is left where nothing is
 * mapped; no write is lost, none is seen by the other space; after unmap no CPU
 * translates; no frame leaks; nobody waits for ever for the lock.
 * `= FILE:FUNCTION` above a step names the code that performs it.
 */
/*
 * The flush is one step and waiting for a sequence too: shootdown.pml and
 * waitq.pml are about them.
 *
 * Planted bugs, with BUG=n and what stands in brackets:
 *	1  a fault enters its leaf whatever is there now
 *	2  unmap flushes after it has dropped the lock
 *	3  unmap takes the lock shared
 *	4  a fault looks up the region, then takes the lock
 *	5  who was slower keeps the frame that it has allocated
 *	6  a restarted fault goes on with the region of its first look-up
 *	7  copy-on-write frees the old frame before the flush [COW=1]
 *	8  writes to a shared frame without a look at its references [COW=1]
 *	9  an exclusive release wakes nobody
 *	10 who waits for the lock samples the sequence after its look at it
 *	11 who backs out of the lock does not wake whom it has kept out
 *	12 a frame is freed though it is pinned [PIN=1]
 *	13 unmap frees before it flushes
 *	14 a pin is taken without the lock of the page table [PIN=1]
 *	15 copy-on-write forgets its reference to the old frame [COW=1]
 *	16 copy-on-write does not flush [COW=1]
 *	17 a shared release wakes nobody
 *	18 the check for a last reference does not count pins [COW=1 PIN=1]
 */
#ifndef COW
#define COW 0
#endif
#ifndef PIN
#define PIN 0
#endif
#ifndef BUG
#define BUG 0
#endif
#define BIT(i)	(1 << (i))
#define NT	2	/* threads that write */
#define NF	10	/* frames; each is used once */
#define OLD	1	/* the frame that is there at first (COW) */

/* struct sleeplock: the parts of its word, and the queue's sequence. */
byte sharers;
byte shared_waits;
byte excl_waits;
bit exclusive;
byte seq;

/* The region, and the leaf: frame (0: none) and whether it may be written. */
bit region = 1;
byte leaf = COW;
bit leaf_w;
bit pmap_lock;

/* Frames. */
byte next = 2;		/* not used yet */
byte holds[NF];
byte pins[NF];
bit freed[NF];
byte data[NF];		/* who has written */
bit other_has = COW;	/* the other space */

byte tlb[NT];		/* frame, 0: none */
bit tlb_w[NT];
byte written;		/* threads whose store is done */
bit unmapped;

#define HOLDERS	     (exclusive || sharers > 0)
#define BEFORE_SHARED (exclusive || excl_waits > 0)
#define WAITERS	     (shared_waits > 0 || excl_waits > 0)

/* ---- the lock ---- */

/* = kern/sync/sleeplock.c:sleep_wake */
inline sleep_wake() {
	seq++
}

/* Exclusive. = kern/sync/sleeplock.h:sleep_lock
 * Then = kern/sync/sleeplock.c:wait_for */
inline sleep_lock() {
	if
	:: atomic { !HOLDERS && !WAITERS -> exclusive = 1 }
	:: else ->
		excl_waits++;
		do
		::
#if BUG != 10
			sample = seq;
#endif
			if
			:: atomic { !HOLDERS -> excl_waits--; exclusive = 1 };
				break
			:: else
			fi;
#if BUG == 10
			sample = seq;
#endif
			seq != sample	/* = kern/sync/waitq.c:waitq_wait */
		od
	fi;
	sample = 0
}

/* = kern/sync/sleeplock.h:sleep_unlock */
inline sleep_unlock() {
	d_step { exclusive = 0; wakes = (sharers > 0 || WAITERS) };
#if BUG == 9
	wakes = 0;
#endif
	if
	:: wakes -> sleep_wake(); wakes = 0
	:: else
	fi
}

/* Counts itself first. = kern/sync/sleeplock.h:sleep_lock_shared
 * Then = kern/sync/sleeplock.c:sleep_lock_shared_slow */
inline sleep_lock_shared() {
	d_step { alone = !(exclusive || WAITERS); sharers++ };
	if
	:: alone
	:: else ->
		d_step { wakes = (exclusive || WAITERS); sharers-- };
#if BUG == 11
		wakes = 0;
#endif
		if
		:: wakes -> sleep_wake(); wakes = 0
		:: else
		fi;
		if
		:: atomic { !BEFORE_SHARED -> sharers++ }
		:: else ->
			shared_waits++;
			do
			::
#if BUG != 10
				sample = seq;
#endif
				if
				:: atomic { !BEFORE_SHARED ->
					shared_waits--; sharers++ };
					break
				:: else
				fi;
#if BUG == 10
				sample = seq;
#endif
				seq != sample
			od
		fi
	fi;
	sample = 0; alone = 0
}

/* = kern/sync/sleeplock.h:sleep_unlock_shared */
inline sleep_unlock_shared() {
	d_step { wakes = (exclusive || WAITERS); sharers-- };
#if BUG == 17
	wakes = 0;
#endif
	if
	:: wakes -> sleep_wake(); wakes = 0
	:: else
	fi
}

/* ---- frames ---- */

/* One word holds references and pins. = kern/mem/frame.h:page_drop */
inline page_drop(f) {
	d_step {
		assert(holds[f] > 0);
		holds[f]--;
		if
#if BUG == 12
		:: holds[f] == 0 -> freed[f] = 1
#else
		:: holds[f] == 0 && pins[f] == 0 -> freed[f] = 1
#endif
		:: else
		fi
	}
}

/* = kern/mem/frame.h:page_unpin */
inline page_unpin(f) {
	d_step {
		pins[f]--;
		if
		:: holds[f] == 0 && pins[f] == 0 -> freed[f] = 1
		:: else
		fi
	}
}

/* = kern/mem/frame.c:frame_alloc */
inline frame_alloc() {
	d_step {
		assert(next < NF);
		fresh = next; next++;
		holds[fresh] = 1; data[fresh] = 0
	}
}

/* = kern/vm/tlb.c:tlb_gather_flush */
inline tlb_gather_flush() {
	d_step { tlb[0] = 0; tlb[1] = 0; tlb_w[0] = 0; tlb_w[1] = 0 }
}

/* ---- the fault ---- */

#if BUG == 1
#define AS_SEEN 1
#else
#define AS_SEEN (leaf == seen && leaf_w == seen_w)
#endif

/* Put the fresh frame where `seen` was. = kern/vm/pmap.c:pmap_enter
 * Called by = kern/vm/classic/classic_fault.c:enter */
inline enter() {
	if
	:: atomic { AS_SEEN -> leaf = fresh; leaf_w = 1 };
		entered = 1
	:: else ->
#if BUG != 5
		page_drop(fresh);
#endif
		again = 1
	fi
}

/* = kern/vm/classic/classic_fault.c:zero_fill */
inline zero_fill() {
	frame_alloc();
	enter()
}

/* = kern/vm/classic/classic_fault.c:copy */
inline copy() {
	frame_alloc();
	data[fresh] = data[seen];
	enter();
	if
	:: entered ->
#if BUG == 7
		page_drop(seen);
#endif
#if BUG != 16
		tlb_gather_flush();
#endif
#if BUG != 7 && BUG != 15
		page_drop(seen)	/* = kern/vm/tlb.c:release */
#endif
	:: else
	fi
}

/* = kern/vm/classic/classic_fault.c:widen, by = kern/vm/pmap.c:pmap_change */
inline widen() {
	if
	:: atomic { leaf == seen && leaf_w == seen_w -> leaf_w = 1 }
	:: else -> again = 1
	fi
}

#if BUG == 8
#define LAST_REFERENCE 1
#elif BUG == 18
#define LAST_REFERENCE (holds[seen] == 1)
#else
#define LAST_REFERENCE (holds[seen] == 1 && pins[seen] == 0)
#endif

/* = kern/vm/classic/classic_fault.c:write_private */
inline write_private() {
	if
	:: LAST_REFERENCE -> widen()
	:: else -> copy()
	fi
}

/* = kern/vm/classic/classic_fault.c:classic_fault */
inline classic_fault() {
#if BUG == 6
	found = found || region;	/* what it knows from before */
#elif BUG != 4
	found = region;		/* = kern/vm/region.h:region_find */
#endif
	again = 0; entered = 0;
	if
	:: !found
	:: else ->
		/* = kern/vm/pmap.c:pmap_get */
		d_step { seen = leaf; seen_w = leaf_w };
		if
		:: seen == 0 -> zero_fill()
		:: seen != 0 && !seen_w -> write_private()
		:: seen != 0 && seen_w ->	/* = kern/vm/pmap_cpu.c:pmap_fixup */
			d_step { tlb[me] = 0; tlb_w[me] = 0 }
		fi
	fi;
	fresh = 0; seen = 0; seen_w = 0; entered = 0
}

/* = kern/vm/fault.c:attempt */
inline attempt() {
#if BUG == 4
	found = region;
#endif
	sleep_lock_shared();
	classic_fault();
	sleep_unlock_shared()
}

/* = kern/vm/fault.c:vm_fault, then = kern/vm/fault.c:attempt_again */
inline vm_fault() {
	do
	::	attempt();
		if
		:: again
		:: else -> break
		fi
	od
}

/* ---- who uses the page ---- */

inline store(f) {
	assert(!freed[f]);
	assert(!(f == OLD && other_has));
	data[f] = data[f] | BIT(me)
}

/* A store of a program; it faults until it is done or in vain. */
inline user_write() {
	do
	:: d_step { tlb[me] != 0 && tlb_w[me] ->
		store(tlb[me]);
		written = written | BIT(me) };
		break
	:: d_step { tlb[me] == 0 && leaf != 0 ->
		tlb[me] = leaf; tlb_w[me] = leaf_w }	/* the walker */
	:: !(tlb[me] != 0 && tlb_w[me]) && !(leaf != 0 && leaf_w) ->
		vm_fault();
		if
		:: !found -> break
		:: else
		fi
	:: tlb[me] != 0 && !tlb_w[me] && leaf_w ->
		vm_fault();
		if
		:: !found -> break
		:: else
		fi
	od
}

/* = kern/vm/pmap.c:pmap_get_pin */
inline pmap_get_pin() {
#if BUG == 14
	pinned = (leaf_w -> leaf : 0);
	if
	:: pinned != 0 -> pins[pinned]++
	:: else
	fi
#else
	d_step {
		pinned = (leaf_w -> leaf : 0);
		if
		:: pinned != 0 -> pins[pinned]++
		:: else
		fi
	}
#endif
}

/* The kernel writes for a program. = kern/vm/copy.c:pin_page_slow */
inline kernel_write() {
	do
	::	pmap_get_pin();
		if
		:: pinned != 0 ->
			d_step { store(pinned) };
			/* Of a page that is gone meanwhile nobody sees it. */
			d_step {
				if
				:: leaf == pinned ->
					written = written | BIT(me)
				:: else
				fi
			};
			page_unpin(pinned);
			break
		:: else
		fi;
		vm_fault();
		if
		:: !found -> break
		:: else
		fi
	od;
	pinned = 0
}

proctype writer(byte me) {
	byte fresh, seen, sample, pinned;
	bit seen_w, found, again, entered, alone, wakes;

	if
	:: PIN && me == 1 -> kernel_write()
	:: else -> user_write()
	fi
}

/* = kern/vm/space.c:vm_unmap */
proctype unmapper() {
	byte sample, old;
	bit wakes, alone;

	if
	:: goto leave	/* nobody unmaps: no write may be lost */
	:: skip
	fi;
#if BUG == 3
	sleep_lock_shared();
#else
	sleep_lock();
#endif
	region = 0;
	/* = kern/vm/pmap.c:pmap_remove */
	d_step { old = leaf; leaf = 0; leaf_w = 0 };
#if BUG == 13
	if
	:: old != 0 -> page_drop(old)
	:: else
	fi;
#endif
#if BUG != 2
	tlb_gather_flush();	/* = kern/vm/space.c:again */
#endif
#if BUG != 13 && BUG != 2
	if
	:: old != 0 -> page_drop(old)
	:: else
	fi;
#endif
#if BUG == 3
	sleep_unlock_shared();
#else
	sleep_unlock();		/* = kern/vm/space.c:end */
#endif
	unmapped = 1;
#if BUG == 2
	tlb_gather_flush();
	if
	:: old != 0 -> page_drop(old)
	:: else
	fi;
#endif
leave:	skip
}

/* The space that shares the old frame exits, perhaps.  PIN=1: a system call of
 * it is reading the page still. */
proctype other_space() {
	if
	:: COW && PIN ->
		pins[OLD]++;
		d_step { other_has = 0; page_drop(OLD) };
		assert(data[OLD] == 0);
		page_unpin(OLD)
	:: COW -> d_step { other_has = 0; page_drop(OLD) }
	:: skip
	fi
}

#define USERS(f) ((leaf == (f)) + ((f) == OLD && other_has))

proctype monitor() {
	byte f = OLD;

end:	do
	:: d_step { unmapped && (leaf != 0 || tlb[0] != 0 || tlb[1] != 0) ->
		assert(false) }
	:: d_step { freed[tlb[0]] || freed[tlb[1]] -> assert(false) }
	:: d_step { timeout ->
		assert(leaf == 0 || region);
		assert(leaf == 0 || (data[leaf] & written) == written);
		do
		:: f < next ->
			assert(holds[f] == USERS(f) && pins[f] == 0);
			assert(freed[f] == (holds[f] == 0 && (f > OLD || COW)));
			f++
		:: else -> break
		od;
		assert(!HOLDERS && !WAITERS) };
		break
	od
}

init {
	atomic {
		holds[OLD] = 2 * COW;
		run writer(0); run writer(1); run unmapper();
		run other_space(); run monitor()
	}
}
