/* SPDX-License-Identifier: MIT */
/*
 * waitq.pml - sleeping and waking: kern/sync/waitq.c and the part of
 * kern/proc/sched.c that blocks a thread and makes it run again, for Spin.
 *
 * Two consumers wait for an item each, on one queue; producers bring one or
 * two.  Consumer 0 may be killed and has a deadline.  With ANY=1 it only looks
 * at two queues, takes nothing, and has no deadline.
 * Claims: nobody sleeps for ever while there is an item; a thread is at most
 * once on a run queue and runs on one CPU; nobody touches the place of a waiter
 * that has returned.
 * `= FILE:FUNCTION` above a step names the code that performs it.
 */
/*
 * ONE 1: producers wake one waiter, else all.
 *
 * Planted bugs, with BUG=n and what stands in brackets:
 *	1  samples the sequence after the lock of the condition is dropped
 *	2  looks at the sequence, then announces itself
 *	3  the waker looks for waiters before it advances the sequence
 *	4  the waker does not advance the sequence
 *	5  announces that it will block after it has dropped the queue's lock
 *	6  looks whether it was killed, then announces that it will block
 *	7  two wakers both make a thread runnable
 *	8  returns without the queue's lock once it sees that it was woken
 *	9  the waker drops the queue's lock, then wakes the thread
 *	10 who does not block after all stays on the run queue
 *	11 an idle CPU takes a thread whose registers are not saved
 *	12 who was woken reports its deadline or death all the same [ONE=1]
 *	13 polls the sequences, then announces that it will block [ANY=1]
 *	14 enters the second queue after the look at the sequences [ANY=1]
 *	15 the tick wakes without the lock that its sleepers wait for
 */
#ifndef ONE
#define ONE 0
#endif
#ifndef ANY
#define ANY 0
#endif
#ifndef BUG
#define BUG 0
#endif
#define NQ (ANY + 1)	/* queues */
#define NT 2		/* threads that wait */

#define RUNNING	 0
#define BLOCKED	 1
#define RUNNABLE 2
#define DEAD	 3

#define OK	  0
#define EINTR	  1
#define ETIMEDOUT 2

/* The condition: how many items, under a lock of its own. */
byte items[NQ];
byte cond_lock[NQ];

/* struct waitq */
byte wq_lock[NQ];
byte seq[NQ];
byte nwaiting[NQ];

/* struct waitq_place, one a thread and queue */
#define PLACE(q, t) ((q) * NT + (t))
bit listed[NQ * NT];
bit woken[NQ * NT];
bit exists[NQ * NT];	/* the stack frame that it lives in */

/* struct thread */
byte state[NT];
byte on_cpu[NT];
byte queued[NT];	/* how often on a run queue */
bit go[NT];		/* a CPU has switched to it */
bit killed[NT];
bit sleeping[NT];	/* has a place among the sleepers */
bit finished[NT];
byte timer_lock;
bit expired;		/* the deadline is over */

#define LOCK(l)	  atomic { l == 0 -> l = 1 }
#define UNLOCK(l) l = 0

/* = kern/proc/sched.c:enqueue */
inline enqueue(t) {
	d_step { queued[t]++; assert(queued[t] == 1) }
}

/* = kern/proc/sched.c:sched_wake */
inline sched_wake(t) {
#if BUG == 7
	if
	:: state[t] == BLOCKED -> state[t] = RUNNABLE; enqueue(t)
	:: else
	fi
#else
	if
	:: atomic { state[t] == BLOCKED -> state[t] = RUNNABLE }; enqueue(t)
	:: state[t] != BLOCKED
	fi
#endif
}

/* = kern/proc/sched.c:sched_block_prepare */
inline sched_block_prepare() {
	state[me] = BLOCKED
}

/* = kern/proc/sched.c:unqueue_self */
inline unqueue_self() {
	atomic { queued[me] > 0 -> queued[me]-- };
	state[me] = RUNNING
}

/* = kern/proc/sched.c:sched_block_cancel */
inline sched_block_cancel() {
#if BUG == 10
	state[me] = RUNNING
#else
	if
	:: atomic { state[me] == BLOCKED -> state[me] = RUNNING }
	:: state[me] != BLOCKED -> unqueue_self()
	fi
#endif
}

/* The thread itself may be first on the queue of its CPU.
 * = kern/proc/sched.c:schedule */
inline schedule() {
	if
	:: atomic { queued[me] > 0 -> queued[me]-- };
		state[me] = RUNNING
	:: skip ->	/* another one, or the idle thread */
		on_cpu[me] = 0;	/* = kern/proc/sched.c:sched_finish_switch */
end_sleep:	atomic { go[me] -> go[me] = 0 }
	fi
}

/* = kern/proc/sched.c:sched_block */
inline sched_block() {
	if
	:: me == 0 ->	/* = kern/proc/sched.c:timer_add */
		atomic { timer_lock == 0 -> sleeping[me] = 1 }
	:: else
	fi;
	if
	:: state[me] == BLOCKED -> schedule()
	:: state[me] != BLOCKED -> unqueue_self()
	fi;
	if
	:: me == 0 ->	/* = kern/proc/sched.c:timer_remove */
#if BUG == 15
		sleeping[me] = 0
#else
		atomic { timer_lock == 0 -> sleeping[me] = 0 }
#endif
	:: else
	fi
}

/* = kern/sync/waitq.c:waitq_wait */
inline waitq_wait(q) {
#if BUG == 2
	if
	:: seq[q] != sample -> goto waited
	:: else
	fi;
#endif
	LOCK(wq_lock[q]);
	nwaiting[q]++;
	d_step {
		exists[PLACE(q, me)] = 1;
		woken[PLACE(q, me)] = 0;
		listed[PLACE(q, me)] = 1
	};
	do
#if BUG == 2
	:: woken[PLACE(q, me)] -> break
	:: !woken[PLACE(q, me)] ->
#else
	:: woken[PLACE(q, me)] || seq[q] != sample -> break
	:: !woken[PLACE(q, me)] && seq[q] == sample ->
#endif
#if BUG == 5
		skip;
#elif BUG == 6
		dying = killed[me];
		sched_block_prepare();
#else
		sched_block_prepare();
		dying = killed[me];
#endif
		if
		:: dying -> sched_block_cancel(); error = EINTR; break
		:: else
		fi;
		UNLOCK(wq_lock[q]);
#if BUG == 5
		sched_block_prepare();
#endif
		sched_block();
#if BUG == 8
		if
		:: woken[PLACE(q, me)] ->
			exists[PLACE(q, me)] = 0; goto waited
		:: else
		fi;
#endif
		LOCK(wq_lock[q]);
		if
		:: !woken[PLACE(q, me)] && me == 0 && expired ->
			error = ETIMEDOUT; break
		:: else
		fi
	od;
	if
	:: !woken[PLACE(q, me)] ->
		listed[PLACE(q, me)] = 0;
		nwaiting[q]--
	:: else ->
#if BUG == 12
		error = (me == 0 && expired -> ETIMEDOUT : error);
		error = (killed[me] -> EINTR : error)
#else
		error = OK
#endif
	fi;
	UNLOCK(wq_lock[q]);
	exists[PLACE(q, me)] = 0;
waited:	skip
}

/* = kern/sync/waitq.c:place_enter */
inline place_enter(q) {
	LOCK(wq_lock[q]);
	nwaiting[q]++;
	d_step {
		exists[PLACE(q, me)] = 1;
		woken[PLACE(q, me)] = 0;
		listed[PLACE(q, me)] = 1
	};
	UNLOCK(wq_lock[q])
}

/* = kern/sync/waitq.c:place_leave */
inline place_leave(q) {
	LOCK(wq_lock[q]);
	if
	:: !woken[PLACE(q, me)] -> listed[PLACE(q, me)] = 0; nwaiting[q]--
	:: else
	fi;
	UNLOCK(wq_lock[q]);
	exists[PLACE(q, me)] = 0
}

#if ANY
/* = kern/sync/waitq.c:any_advanced */
inline any_advanced() {
	advanced = (seq[0] != sample);
	advanced = advanced || (seq[1] != sample1)
}

/* = kern/sync/waitq.c:waitq_wait_any */
inline waitq_wait_any() {
	place_enter(0);
#if BUG != 14
	place_enter(1);
#endif
	do
	::
#if BUG == 13
		any_advanced();
		sched_block_prepare();
#else
		sched_block_prepare();
		any_advanced();
#endif
#if BUG == 14
		place_enter(1);
#endif
		dying = killed[me];
		if
		:: advanced || dying || expired ->
			sched_block_cancel(); break
		:: else -> sched_block()
		fi
	od;
	place_leave(0);
	place_leave(1)
}
#endif

inline pop(q, w) {
	assert(exists[PLACE(q, w)]);
	d_step { listed[PLACE(q, w)] = 0; woken[PLACE(q, w)] = 1 };
	nwaiting[q]--;
#if BUG == 9
	UNLOCK(wq_lock[q]);
#endif
	assert(exists[PLACE(q, w)]);	/* w->thread */
	sched_wake(w);
#if BUG == 9
	LOCK(wq_lock[q]);
#endif
	n++
}

/* = kern/sync/waitq.c:waitq_wake */
inline waitq_wake(q) {
#if BUG == 3
	waits = (nwaiting[q] > 0);
	seq[q]++;
#elif BUG == 4
	waits = (nwaiting[q] > 0);
#else
	seq[q]++;
	waits = (nwaiting[q] > 0);
#endif
	if
	:: !waits
	:: waits ->
		LOCK(wq_lock[q]);
		do
		:: ONE && n == 1 -> break
		:: !(ONE && n == 1) && listed[PLACE(q, 0)] -> pop(q, 0)
		:: !(ONE && n == 1) && listed[PLACE(q, 1)] -> pop(q, 1)
		:: !listed[PLACE(q, 0)] && !listed[PLACE(q, 1)] -> break
		od;
		UNLOCK(wq_lock[q])
	fi;
	n = 0; waits = 0
}

/* Whoever waits: = kern/sync/waitq.h:waitq_sequence */
inline take(q) {
	do
	::	LOCK(cond_lock[q]);
		if
		:: items[q] > 0 -> items[q]--; UNLOCK(cond_lock[q]); break
		:: else
		fi;
#if BUG == 1
		UNLOCK(cond_lock[q]);
		sample = seq[q];
#else
		sample = seq[q];
		UNLOCK(cond_lock[q]);
#endif
		error = OK;
		waitq_wait(q);
		if
		:: error != OK -> break
		:: else
		fi
	od
}

/* = kern/proc/sched.c:sched_exit */
inline sched_exit() {
	d_step { finished[me] = 1; state[me] = DEAD };
	on_cpu[me] = 0
}

proctype consumer(byte me) {
	byte sample, error;
	bit dying;

	take(0);
	sample = 0; error = 0; dying = 0;
	sched_exit()
}

#if ANY
proctype poller(byte me) {
	byte sample, sample1;
	bit dying, advanced;

	do
	::	sample = seq[0];
		sample1 = seq[1];
		if
		:: items[0] > 0 || items[1] > 0 || dying || expired -> break
		:: else
		fi;
		waitq_wait_any()
	od;
	sched_exit()
}
#endif

proctype producer(byte q; bit may_fail) {
	byte n;
	bit waits;

	if
	:: may_fail -> goto none
	:: skip
	fi;
	LOCK(cond_lock[q]);
	items[q]++;
	UNLOCK(cond_lock[q]);
	waitq_wake(q);
none:	skip
}

/* = kern/proc/sched.c:thread_poke */
proctype killer() {
	if
	:: killed[0] = 1; sched_wake(0)
	:: skip		/* it lives */
	fi
}

/* = kern/proc/sched.c:wake_sleepers */
proctype tick() {
	if
	:: expired = 1 ->
		/* Each later tick looks again; one that comes after the
		 * thread has gone to sleep suffices. */
end:		do
#if BUG == 15
		:: sleeping[0] -> sched_wake(0); assert(!finished[0]);
			sleeping[0] = 0; break
#else
		:: atomic { sleeping[0] && timer_lock == 0 -> timer_lock = 1 };
			sleeping[0] = 0;
			sched_wake(0);
			assert(!finished[0]);
			timer_lock = 0
#endif
		od
	:: skip		/* the deadline is far away */
	fi
}

/* Another CPU, or the same one later. = kern/proc/sched.c:pick_next,
 * = kern/proc/sched.c:steal */
proctype other_cpu(byte t) {
end:	do
#if BUG == 11
	:: atomic { queued[t] > 0 -> queued[t]-- };
#else
	:: atomic { queued[t] > 0 && !on_cpu[t] -> queued[t]-- };
#endif
		assert(!on_cpu[t]);
		assert(state[t] == RUNNABLE);
		on_cpu[t] = 1;
		state[t] = RUNNING;
		go[t] = 1
	od
}

#define MAY_SLEEP(t) (finished[t] || (items[0] == 0 && wq_lock[0] == 0 && \
	cond_lock[0] == 0 && !((t) == 0 && (killed[0] || expired || ANY))))

/* When nobody can take a step any more. */
proctype monitor() {
	timeout;
	assert(MAY_SLEEP(0) && MAY_SLEEP(1))
}

init {
	atomic {
		on_cpu[0] = 1; on_cpu[1] = 1;
#if ANY
		run poller(0); run producer(1, 0);
#else
		run consumer(0); run producer(0, 1); run tick();
#endif
		run consumer(1); run producer(0, 0);
		run killer();
		run other_cpu(0); run other_cpu(1); run monitor()
	}
}
