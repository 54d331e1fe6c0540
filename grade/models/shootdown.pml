/* SPDX-License-Identifier: MIT */
/*
 * shootdown.pml - the shootdown protocol of kern/vm/tlb.c, for Spin.
 *
 * N CPUs, one space.  Each of the first NI CPUs unmaps ROUNDS pages of it and
 * frees their frames; the last JOINERS CPUs leave the space and join it again.
 * The hardware walks whenever the root is loaded; what a TLB holds outlives a
 * switch, as it does with ASIDs.  What an initiator writes, and the mask bit of
 * who joins, reach memory late, in their order, until a fence.
 * Claims: no CPU with the root loaded has a translation of a freed frame, not
 * even for what it fetches ahead; nobody waits for ever.
 * `= FILE:FUNCTION` above a step names the code that performs it.
 */
/*
 * Policies: TARGETS 0 mask, 1 all; CATCHUP 0 gen, 1 eager, 2 tick;
 * DELIVER 0 ipi, 1 sbi.
 *
 * Planted bugs, with BUG=n and what stands in brackets:
 *	1  frees without waiting for the answers
 *	2  answers, then carries out the request
 *	3  looks at the masks and flushes before the entry is changed
 *	4  no fence between the generation and the look at the masks
 *	5  who joins reads the generation before its mask bit is set
 *	6  who joins does not flush when it is behind
 *	7  flushes a range alone though a generation was missed
 *	8  reads the generation after the fence that it shall stand for [CATCHUP=2]
 *	9  the handler takes the lock of the page table
 *	10 waits with interrupts off and serves nobody
 *	11 frees before the others have flushed
 *	12 looks at the masks before the generation is advanced
 *	13 takes the interrupt back after the look into the inbox
 *	14 does not flush on its own CPU
 *	15 a tick notes the generation without a flush [CATCHUP=2]
 *	16 waits for no ticks of CPUs that run the space [CATCHUP=2]
 *	17 the remote fence reaches the first target only [DELIVER=1]
 *	18 who joins has no fence behind its mask bit
 */
#ifndef N
#define N 3
#endif
#ifndef NI
#define NI 2
#endif
#ifndef JOINERS
#define JOINERS N
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#ifndef TARGETS
#define TARGETS 0
#endif
#ifndef CATCHUP
#define CATCHUP 0
#endif
#ifndef DELIVER
#define DELIVER 0
#endif
#ifndef BUG
#define BUG 0
#endif
#define BIT(i)	(1 << (i))
#define ALL	(BIT(N) - 1)
#define PAGES	(BIT(NI * ROUNDS) - 1)

/* Memory: one struct pmap, requests[], inbox[]. */
byte pte = PAGES;	/* valid entries, a bit a page */
byte freed = 0;		/* pages whose frames belong to somebody else */
byte lock = 0;		/* pmap.lock */
byte gen = 0;		/* pmap.gen */
byte mask = ALL;	/* pmap.active */
byte cached = ALL;	/* pmap.cached */
byte cpu_gen[N];	/* pmap.cpu_gen */
byte rq_page[NI];	/* requests[].range */
byte rq_gen[NI];
byte waiting[NI];	/* requests[].waiting */
byte inbox[N];		/* inbox[].initiators */

/* The machine. */
byte tlb[N];		/* pages of the space that the CPU can translate */
bit loaded[N];		/* the root of the space is loaded */
byte ipi_pending = 0;	/* CPUs with an interrupt that is not taken */

/* On the way to memory: 1 the entry and the lock, 2 the generation. */
byte issued[NI];
byte drained[NI];
byte unmapping[NI];	/* the page */
byte new_gen[NI];	/* what the addition returned */
bit joins[N];		/* the mask bit */

/* = kern/vm/tlb.c:flush_whole */
inline flush_whole() {
#if BUG == 8
	tlb[me] = 0;
	cpu_gen[me] = gen;
#else
	have = gen;
	d_step { tlb[me] = 0; cpu_gen[me] = have };
#endif
	have = 0
}

/* = kern/vm/tlb.c:flush_local_rare */
inline flush_local_rare() {
	if
	:: cpu_gen[me] >= g -> skip
	:: cpu_gen[me] < g && loaded[me] -> flush_whole()
	:: cpu_gen[me] < g && !loaded[me] ->
		if
		:: CATCHUP == 1 && (cached & BIT(me)) ->
			cached = cached & ~BIT(me);
			flush_whole()
		:: else -> skip
		fi
	fi
}

#if BUG == 7
#define RANGE_SUFFICES (cpu_gen[me] < g && loaded[me])
#else
#define RANGE_SUFFICES (cpu_gen[me] + 1 == g && loaded[me])
#endif

/* = kern/vm/tlb.c:flush_local */
inline flush_local() {
	if
	:: RANGE_SUFFICES ->
		d_step { tlb[me] = tlb[me] & ~BIT(page); cpu_gen[me] = g }
	:: else -> flush_local_rare()
	fi;
	g = 0; page = 0
}

/* The request stays as it is until the answer.
 * = kern/vm/tlb.c:carry_out */
inline carry_out() {
	d_step { page = rq_page[from]; g = rq_gen[from] };
	flush_local()
}

/* = kern/vm/tlb.c:tlb_ipi, = kern/vm/tlb.c:serve */
inline tlb_ipi() {
	d_step { todo = inbox[me]; inbox[me] = 0 };
	do
	:: todo == 0 -> break
	:: todo != 0 ->
		/* the lowest bit */
		d_step {
			from = 0;
			do
			:: todo & BIT(from) -> break
			:: else -> from++
			od;
			todo = todo & ~BIT(from)
		};
#if BUG == 2
		waiting[from] = waiting[from] & ~BIT(me);
		carry_out();
#else
		carry_out();
		waiting[from] = waiting[from] & ~BIT(me);
#endif
		from = 0
	od
}

#define IPI_DUE (ipi_pending & BIT(me))

/* = kern/arch/riscv/ipi.c:ipi_interrupt */
inline ipi_interrupt() {
#if BUG != 13
	ipi_pending = ipi_pending & ~BIT(me);
#endif
#if BUG == 9
	lock == 0;
#endif
	tlb_ipi();
#if BUG == 13
	ipi_pending = ipi_pending & ~BIT(me);
#endif
}

#define TICK_DUE (CATCHUP == 2 && loaded[me] && cpu_gen[me] != gen)

/* = kern/vm/tlb.c:tlb_tick */
inline tlb_tick() {
#if BUG == 15
	cpu_gen[me] = gen;
#else
	flush_whole();
#endif
}

/* Interrupts are on here: what is pending may come, now or later. */
inline interruptible() {
	do
	:: IPI_DUE -> ipi_interrupt()
	:: TICK_DUE -> tlb_tick()
	:: break
	od
}

/* = kern/vm/tlb.c:targets_of */
inline targets_of() {
#if TARGETS == 1
	targets = ALL & ~BIT(me);
#elif CATCHUP == 1
	targets = mask;
	targets = (targets | cached) & ~BIT(me);
#else
	targets = mask & ~BIT(me);
#endif
}

/* = kern/vm/tlb.c:wait_for_answers */
inline wait_for_answers() {
#if BUG == 1
	skip
#elif BUG == 10
	waiting[me] == 0
#else
	do
	:: waiting[me] == 0 -> break
	:: waiting[me] != 0 && inbox[me] != 0 -> tlb_ipi()
	:: waiting[me] != 0 && IPI_DUE -> ipi_interrupt()
	od
#endif
}

/* Interrupts are off while the CPU flushes.
 * = kern/vm/tlb.c:flush_here, = kern/vm/tlb.c:flush_alone */
inline flush_here() {
#if BUG != 14
	page = unmapping[me]; g = new_gen[me];
	flush_local();
#endif
	interruptible()
}

/* = kern/vm/tlb.c:shoot_ipi */
inline shoot_ipi() {
	d_step {	/* nobody looks before the inbox says so */
		rq_page[me] = unmapping[me];
		rq_gen[me] = new_gen[me];
		waiting[me] = targets
	};
	do
	:: t < N && (targets & BIT(t)) ->
		d_step {
			if
			:: inbox[t] == 0 -> interrupt = interrupt | BIT(t)
			:: else
			fi;
			inbox[t] = inbox[t] | BIT(me);
			t++
		}
	:: t < N && !(targets & BIT(t)) -> t++
	:: t == N -> break
	od;
	t = 0;
	/* In one step: each may be taken as late as it likes. */
	d_step { ipi_pending = ipi_pending | interrupt; interrupt = 0 };
	flush_here();
	wait_for_answers()
}

#if BUG == 16
#define HAS_CAUGHT_UP(c) loaded[c]
#else
#define HAS_CAUGHT_UP(c) (cpu_gen[c] >= new_gen[me])
#endif

/* = kern/vm/tlb.c:wait_for_ticks */
inline wait_for_ticks() {
	do
	:: t < N && (!(targets & BIT(t)) || HAS_CAUGHT_UP(t)) -> t++
	:: t < N && (targets & BIT(t)) && !(mask & BIT(t)) -> t++
	:: t < N && TICK_DUE -> tlb_tick()
	:: t == N -> t = 0; break
	od
}

/* = kern/vm/tlb.c:shoot_sbi */
inline shoot_sbi() {
	do
	:: t < N && (targets & BIT(t)) ->
#if BUG == 17
		d_step { tlb[t] = 0; t = N }
#else
		d_step { tlb[t] = 0; t++ }
#endif
	:: t < N && !(targets & BIT(t)) -> t++
	:: t == N -> t = 0; break
	od
}

/* = kern/vm/tlb.c:shoot */
inline shoot() {
	if
	:: targets == 0 -> flush_here()
	:: targets != 0 ->
#if DELIVER == 1
		flush_here();
		shoot_sbi()
#elif CATCHUP == 2
		flush_here();
		wait_for_ticks()
#else
		shoot_ipi()
#endif
	fi;
	targets = 0
}

/* = kern/vm/tlb.c:release, = kern/vm/tlb.c:release_usual */
inline release() {
	freed = freed | BIT(unmapping[me])
}

/* = kern/vm/pmap.c:pmap_clear */
inline pmap_clear() {
	do
	:: atomic { lock == 0 -> lock = 1 }; break
	:: lock != 0 && IPI_DUE -> ipi_interrupt()
	:: lock != 0 && TICK_DUE -> tlb_tick()
	od;
	interruptible();
	issued[me] = 1	/* the entry, then the lock */
}

#define FENCE (drained[me] == issued[me])

/* = kern/vm/tlb.c:announce */
inline announce() {
#if BUG == 12
	targets_of();
#endif
	issued[me] = 2;	/* the generation */
#if BUG == 4
	targets_of();
#endif
	FENCE;
#if BUG != 4 && BUG != 12
	targets_of();
#endif
}

/* = kern/vm/tlb.c:tlb_gather_flush */
inline tlb_gather_flush() {
	announce();
#if BUG == 11
	release();
#endif
	shoot();
	release()
}

inline unmap() {
#if BUG == 3
	/* Somebody who flushes for an entry that is still valid. */
	d_step { gen++; new_gen[me] = gen };
	targets_of();
	shoot();
	pmap_clear();
	FENCE;
	release();
#else
	pmap_clear();
	tlb_gather_flush();
#endif
	d_step {
		issued[me] = 0; drained[me] = 0;
		unmapping[me] = unmapping[me] + NI;
		new_gen[me] = 0
	}
}

/* Interrupts are off. = kern/vm/tlb.c:tlb_join */
inline tlb_join() {
#if BUG == 5
	have = gen;
	joins[me] = 1;
	!joins[me];
#elif BUG == 18
	joins[me] = 1;
	have = gen;
#else
	joins[me] = 1;
	!joins[me];	/* the fence */
	have = gen;
#endif
	if
	:: cpu_gen[me] != have ->
#if BUG != 6
		tlb[me] = 0;
#endif
		cpu_gen[me] = have
	:: else
	fi;
	have = 0
}

/* = kern/vm/pmap_cpu.c:pmap_activate */
inline pmap_activate() {
	tlb_join();
	loaded[me] = 1
}

/* = kern/vm/tlb.c:tlb_leave */
inline tlb_leave() {
	mask = mask & ~BIT(me)
}

/* = kern/vm/pmap_cpu.c:pmap_lazy */
inline pmap_lazy() {
	loaded[me] = 0;
	tlb_leave()
}

proctype cpu(byte me) {
	byte have, page, g, todo, from, targets, t, interrupt;
	byte rounds = (me < NI -> ROUNDS : 0);
	bit has_left = (me < N - JOINERS);
	bit has_joined = (me < N - JOINERS);

end:	do
	:: IPI_DUE -> ipi_interrupt()
	:: TICK_DUE -> tlb_tick()
	:: rounds > 0 -> rounds--; unmap()
	:: !has_left -> has_left = 1; pmap_lazy()
	:: has_left && !has_joined -> has_joined = 1;
		pmap_activate()
	od
}

/* The walker of a CPU.  It fetches all that is valid: with more in its TLB it
 * can only do more harm. */
proctype walker(byte me) {
end:	do
	:: d_step { loaded[me] && (tlb[me] & pte) != pte ->
		tlb[me] = tlb[me] | pte }
	od
}

/* Stores of an initiator reach memory. */
proctype store_buffer(byte me) {
end:	do
	:: d_step { drained[me] == 0 && issued[me] >= 1 ->
		pte = pte & ~BIT(unmapping[me]); lock = 0; drained[me] = 1 }
	:: d_step { drained[me] == 1 && issued[me] == 2 ->
		gen++; new_gen[me] = gen; drained[me] = 2 }
	od
}

/* The mask bits of who joins reach memory. */
proctype join_buffer(byte me) {
end:	do
	:: d_step { joins[me] ->
		mask = mask | BIT(me);
		cached = (CATCHUP == 1 -> cached | BIT(me) : cached);
		joins[me] = 0 }
	od
}

#define STALE(c) (loaded[c] && (tlb[c] & freed) != 0)

#if N == 2
#define ANY_STALE (STALE(0) || STALE(1))
#elif N == 3
#define ANY_STALE (STALE(0) || STALE(1) || STALE(2))
#else
#define ANY_STALE (STALE(0) || STALE(1) || STALE(2) || STALE(3))
#endif

proctype monitor() {
end:	d_step { ANY_STALE -> assert(false) }
}

init {
	byte c;

	atomic {
		do
		:: c < N ->
			tlb[c] = PAGES; loaded[c] = 1;
			run cpu(c); run walker(c); run join_buffer(c);
			if
			:: c < NI -> unmapping[c] = c; run store_buffer(c)
			:: else
			fi;
			c++
		:: c == N -> break
		od;
		run monitor()
	}
}
