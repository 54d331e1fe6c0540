/* SPDX-License-Identifier: MIT */
/*
 * sched.c - run queues, blocking, waking and switching.
 *
 * Path: waitq_wait -> sched_block -> pick_next -> context_switch;
 *	sched_wake -> enqueue -> an idle CPU.
 * Locks: one run-queue lock a CPU, held for list edits only, never over a
 *	switch.  Interrupts are off from the decision to switch to its end.
 * Invariants: whoever turns BLOCKED into RUNNABLE by compare-and-swap, and
 *	nobody else, puts the thread on a queue.  A thread with on_cpu set (its
 *	registers are not saved yet) is only on the queue of its own CPU, so
 *	no CPU ever waits for another one to finish a switch.
 */
#include "arch/boot.h"
#include "arch/ipi.h"
#include "arch/timer.h"
#include "lib/bits.h"
#include "lib/printf.h"
#include "proc/proc.h"

#define SLICE_NS	10000000ull
#define TICK_DEFAULT_NS 10000000ull

/** Letters: s lock, t timer_lock, c this CPU only, a atomic. */
static struct runq {
	struct spinlock lock;	     /* RANK_SCHED */
	struct list ready;	     /* [s] */
	uint32_t nready;	     /* [a] written with s */
	uint64_t slice_ns;	     /* [c] used by the running thread */
	struct thread *prev;	     /* [c] being switched away from */
	struct thread *misplaced;    /* [c] prev, when it must not stay here */
	uint64_t random;	     /* [c] state of the generator */
	struct spinlock timer_lock;  /* RANK_TIMER */
	struct rb_tree sleepers;     /* [t] by deadline */
	ns_t next_tick;		     /* [c] */
	ns_t last_tick;		     /* [c] */
	ns_t armed;		     /* [c] what the timer is set to */
} __cacheline runqs[MAXCPU];

static struct thread idle_threads[MAXCPU];
static uint64_t idle_mask; /* [a] CPUs in the idle loop with nothing to do */
static ns_t tick_ns = TICK_DEFAULT_NS;
static ns_t tick_jitter_ns; /* a tick comes up to this much later */
bool sched_fuzz_on;

static inline struct runq *
this_runq(void)
{
	return &runqs[this_cpu()->id];
}

/* ---- run queues ---- */

static bool
allowed(const struct thread *t, unsigned cpu)
{
	return t->affinity >> cpu & 1;
}

/* Previous CPU if it is idle, else an idle one, else the previous one. */
static __attribute__((noinline)) unsigned
choose_cpu(const struct thread *t, uint64_t idle)
{
	if (idle != 0 && !(idle >> t->cpu & 1))
		return bits_lowest(idle);
	if (allowed(t, t->cpu))
		return t->cpu;
	return bits_lowest(t->affinity);
}

/* @p t is RUNNABLE by our doing. After the unlock it may run, and be gone. */
static void
enqueue(struct thread *t)
{
	uint64_t cpu = t->cpu;
	struct runq *rq;

	if (!__atomic_load_n(&t->on_cpu, __ATOMIC_ACQUIRE)) {
		uint64_t idle = __atomic_load_n(&idle_mask, __ATOMIC_RELAXED) &
		    t->affinity;

		if (idle != 0 || unlikely(!allowed(t, t->cpu)))
			cpu = choose_cpu(t, idle);
	}
	rq = &runqs[cpu];
	spin_lock_irq(&rq->lock);
	list_push_back(&rq->ready, &t->run_link);
	__atomic_store_n(&rq->nready, rq->nready + 1, __ATOMIC_SEQ_CST);
	spin_unlock(&rq->lock);
	/* The idle loop sets its bit, then looks at nready; we the reverse.
	 * Without the bit the next waker chooses another CPU. */
	if (unlikely(cpu != this_cpu()->id) &&
	    __atomic_fetch_and(&idle_mask, ~(1ull << cpu), __ATOMIC_SEQ_CST) >>
		    cpu & 1)
		ipi_send(1ull << cpu, IPI_RESCHED);
}

static void
dequeue_locked(struct runq *rq, struct thread *t)
{
	list_remove(&t->run_link);
	__atomic_store_n(&rq->nready, rq->nready - 1, __ATOMIC_RELAXED);
}

/* First thread of this CPU's queue that may run here, or the idle thread. */
static __attribute__((noinline)) struct thread *
pick_next(struct runq *rq)
{
	struct thread *t = NULL;

	while (rq->nready > 0) {
		spin_lock_irq(&rq->lock);
		t = NULL;
		if (!list_empty(&rq->ready)) {
			t = LIST_ENTRY(rq->ready.next, struct thread, run_link);
			dequeue_locked(rq, t);
		}
		spin_unlock(&rq->lock);
		if (t == NULL || likely(allowed(t, cpu_id())))
			break;
		/* Its affinity has changed meanwhile. */
		if (t->on_cpu)
			rq->misplaced = t;
		else
			enqueue(t);
		t = NULL;
	}
	return t != NULL ? t : &idle_threads[cpu_id()];
}

/* An idle CPU takes the oldest thread that another one has to spare. */
static bool
steal(struct runq *mine)
{
	for (unsigned i = 1; i < ncpu; i++) {
		struct runq *rq = &runqs[(cpu_id() + i) % ncpu];
		struct thread *found = NULL;

		if (__atomic_load_n(&rq->nready, __ATOMIC_RELAXED) == 0)
			continue;
		spin_lock_irq(&rq->lock);
		LIST_FOREACH(l, &rq->ready) {
			struct thread *t = LIST_ENTRY(l, struct thread,
			    run_link);

			if (allowed(t, cpu_id()) &&
			    !__atomic_load_n(&t->on_cpu, __ATOMIC_ACQUIRE)) {
				found = t;
				dequeue_locked(rq, t);
				break;
			}
		}
		spin_unlock(&rq->lock);
		if (found == NULL)
			continue;
		spin_lock_irq(&mine->lock);
		list_push_back(&mine->ready, &found->run_link);
		mine->nready++;
		spin_unlock(&mine->lock);
		return true;
	}
	return false;
}

unsigned
sched_nready(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ncpu; i++)
		n += __atomic_load_n(&runqs[i].nready, __ATOMIC_RELAXED);
	return n;
}

/* ---- the switch ---- */

/* The old thread is dead, or must not stay on this CPU. */
static __slowpath void
leave_rare(struct runq *rq, struct thread *prev)
{
	bool free_it = prev->state == THREAD_DEAD && !prev->reap_by_parent;

	__atomic_store_n(&prev->on_cpu, 0, __ATOMIC_RELEASE);
	if (rq->misplaced != NULL) {
		rq->misplaced = NULL;
		enqueue(prev);
	}
	if (free_it)
		thread_free(prev);
}

/*
 * The new thread, on its own stack: now nobody uses the old one's, so that it
 * may run elsewhere or be freed.
 */
void
sched_finish_switch(void)
{
	struct runq *rq = this_runq();
	struct thread *self = thread_self(), *prev = rq->prev;

	if (unlikely(prev->state == THREAD_DEAD || rq->misplaced != NULL))
		leave_rare(rq, prev);
	else
		__atomic_store_n(&prev->on_cpu, 0, __ATOMIC_RELEASE);
	if (self->space != NULL)
		fpu_restore(&self->fpu);
}

static void
load_space(const struct thread *t)
{
	if (t->space == NULL)
		pmap_lazy();
	else
		pmap_activate(t->space->pmap);
}

/* The caller has given the current thread its new state. Interrupts are off. */
static void
schedule(void)
{
	struct runq *rq = this_runq();
	struct cpu *cpu = this_cpu();
	struct thread *prev = cpu->thread, *next = pick_next(rq);

	if (next == prev) {
		prev->state = THREAD_RUNNING;
		return;
	}
	counter_add(TS_context_switches, 1);
	next->switches++;
	if (prev->space != NULL)
		fpu_save(&prev->fpu);
	next->cpu = (uint32_t)cpu->id;
	next->on_cpu = 1;
	next->state = THREAD_RUNNING;
	load_space(next);
	kstack_fence();
	cpu->thread = next;
	cpu->kstack = next->kstack;
#ifdef DEBUG
	cpu->locks = &next->locks;
#endif
	rq->prev = prev;
	rq->slice_ns = 0;
	context_switch(&prev->ctx, &next->ctx);
	sched_finish_switch();
}

void
sched_start(struct thread *t)
{
	bool on = intr_disable();

	t->state = THREAD_RUNNABLE;
	t->cpu = cpu_id();
	enqueue(t);
	intr_restore(on);
}

void
sched_exit(void)
{
	thread_self()->state = THREAD_DEAD;
	schedule();
	panic("a dead thread runs");
}

void
thread_set_space(struct vmspace *vs)
{
	bool on = intr_disable();

	thread_self()->space = vs;
	load_space(thread_self());
	intr_restore(on);
}

/* ---- blocking and waking ---- */

void
sched_block_prepare(void)
{
	__atomic_store_n(&thread_self()->state, THREAD_BLOCKED,
	    __ATOMIC_SEQ_CST);
	mb();
}

/* A waker has put the running thread on this CPU's queue: take it off. */
static void
unqueue_self(struct thread *t)
{
	struct runq *rq = this_runq();

	/* The waker changes the state before it queues. */
	for (;;) {
		spin_lock_irq(&rq->lock);
		if (!list_empty(&t->run_link)) {
			dequeue_locked(rq, t);
			spin_unlock(&rq->lock);
			break;
		}
		spin_unlock(&rq->lock);
		cpu_relax();
	}
	t->state = THREAD_RUNNING;
}

bool
sched_block_cancel(void)
{
	struct thread *t = thread_self();
	uint32_t blocked = THREAD_BLOCKED;

	KASSERT(!intr_enabled());
	if (__atomic_compare_exchange_n(&t->state, &blocked, THREAD_RUNNING,
		false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return true;
	unqueue_self(t);
	return false;
}

void
sched_wake(struct thread *t)
{
	uint32_t blocked = THREAD_BLOCKED;

	KASSERT(!intr_enabled());
	if (__atomic_compare_exchange_n(&t->state, &blocked, THREAD_RUNNABLE,
		false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		enqueue(t);
}

static void
arm(struct runq *rq, ns_t when)
{
	rq->armed = when;
	timer_arm(when);
}

static void
timer_add(struct thread *t, ns_t deadline)
{
	struct runq *rq = this_runq();
	struct rb_node *n;

	spin_lock_irq(&rq->timer_lock);
	/* Keys are unique: the next free nanosecond. */
	while ((n = rb_find_le(&rq->sleepers, deadline)) != NULL &&
	    n->key == deadline)
		deadline++;
	t->sleep.key = deadline;
	t->sleep_cpu = cpu_id();
	t->sleeping = true;
	rb_insert(&rq->sleepers, &t->sleep);
	spin_unlock(&rq->timer_lock);
	if (deadline < rq->armed)
		arm(rq, deadline);
}

/* Also when the tick has removed it: only the lock tells that it has let go. */
static void
timer_remove(struct thread *t)
{
	struct runq *rq = &runqs[t->sleep_cpu];

	spin_lock_irq(&rq->timer_lock);
	if (t->sleeping) {
		rb_remove(&rq->sleepers, &t->sleep);
		t->sleeping = false;
	}
	spin_unlock(&rq->timer_lock);
}

static inline void
block(struct thread *t)
{
	if (likely(__atomic_load_n(&t->state, __ATOMIC_ACQUIRE) ==
		THREAD_BLOCKED))
		schedule();
	else
		unqueue_self(t);
}

static __attribute__((noinline)) void
block_until(struct thread *t, ns_t deadline)
{
	timer_add(t, deadline);
	block(t);
	timer_remove(t);
}

void
sched_block(ns_t deadline)
{
	struct thread *t = thread_self();

	KASSERT(!intr_enabled());
	KASSERT(this_cpu()->irq_depth == 0);
	KASSERT(t != &idle_threads[cpu_id()]);
#ifdef DEBUG
	lockset_assert_none("sched_block", true);
#endif
	if (deadline == DEADLINE_NONE)
		block(t);
	else
		block_until(t, deadline);
}

bool
sched_interrupted(enum wait_how how)
{
	static const uint32_t why[] = {
		[WAIT_FOREVER] = 0,
		[WAIT_KILLABLE] = WORK_EXIT,
		[WAIT_SIGNAL] = WORK_EXIT | WORK_SIGNAL,
	};
	const struct thread *t = thread_self();

	/* After sched_block_prepare(), which has a fence: whoever sets a bit
	 * wakes, so one of the two sees the other. */
	return __atomic_load_n(&t->work, __ATOMIC_ACQUIRE) & why[how];
}

void
sched_yield(void)
{
	struct thread *t = thread_self();
	struct runq *rq;
	bool on = intr_disable();

#ifdef DEBUG
	lockset_assert_none("sched_yield", true);
#endif
	rq = this_runq();
	__atomic_fetch_and(&t->work, ~WORK_RESCHED, __ATOMIC_RELAXED);
	if (rq->nready > 0 || !allowed(t, cpu_id())) {
		t->state = THREAD_RUNNABLE;
		enqueue(t); /* on_cpu is set: here */
		schedule();
	} else {
		rq->slice_ns = 0;
	}
	intr_restore(on);
}

void
thread_poke(struct thread *t)
{
	KASSERT(!intr_enabled());
	sched_wake(t);
	if (t->on_cpu && t->cpu != cpu_id())
		ipi_send(1ull << t->cpu, IPI_RESCHED);
}

/* What matters is the way back to user mode, or out of cpu_idle(). */
void
sched_ipi(void)
{
}

/* xorshift64; the same sequence for the same seed and CPU. */
static uint32_t
random_next(struct runq *rq)
{
	uint64_t x = rq->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	rq->random = x;
	return (uint32_t)(x >> 32);
}

void
sched_fuzz(void)
{
	if (this_cpu()->irq_depth > 0 || !intr_enabled() ||
	    thread_self() == &idle_threads[cpu_id()])
		return;
	if ((random_next(this_runq()) & 15) == 0)
		sched_yield();
}

/* ---- time ---- */

static void
wake_sleepers(struct runq *rq, ns_t now)
{
	struct rb_node *n;

	if (rq->sleepers.root == NULL)
		return;
	spin_lock_irq(&rq->timer_lock);
	while ((n = rb_first(&rq->sleepers)) != NULL && n->key <= now) {
		struct thread *t = container_of(n, struct thread, sleep);

		rb_remove(&rq->sleepers, n);
		t->sleeping = false;
		sched_wake(t);
	}
	spin_unlock(&rq->timer_lock);
}

static ns_t
next_deadline(struct runq *rq)
{
	struct rb_node *n;
	ns_t when = rq->next_tick;

	if (rq->sleepers.root == NULL)
		return when;
	spin_lock_irq(&rq->timer_lock);
	n = rb_first(&rq->sleepers);
	if (n != NULL)
		when = MIN(when, n->key);
	spin_unlock(&rq->timer_lock);
	return when;
}

/* QEMU with -icount lets a CPU run until the next deadline of any CPU.  When
 * one's tick comes due in each turn of another, it does nothing but tick, and
 * with equal periods that goes on for ever: 2 CPUs on x86-64 did. */
static void
vary_tick(struct runq *rq)
{
	rq->next_tick += random_next(rq) % tick_jitter_ns;
}

void
sched_tick(void)
{
	struct runq *rq = this_runq();
	struct thread *t = thread_self();
	ns_t now = timer_now();

	wake_sleepers(rq, now);
	if (now >= rq->next_tick) {
		rq->next_tick += tick_ns;
		if (rq->next_tick <= now) /* ticks were lost */
			rq->next_tick = now + tick_ns;
		if (unlikely(tick_jitter_ns != 0))
			vary_tick(rq);
		t->run_ns += now - rq->last_tick;
		rq->slice_ns += now - rq->last_tick;
		rq->last_tick = now;
		if (rq->slice_ns >= SLICE_NS && rq->nready > 0)
			thread_work(t, WORK_RESCHED);
		tlb_tick();
	}
	arm(rq, next_deadline(rq));
}

ns_t
sched_idle_ns(unsigned cpu)
{
	return idle_threads[cpu].run_ns;
}

/* ---- start, and idle ---- */

static void
start_ticking(void)
{
	struct runq *rq = this_runq();

	rq->last_tick = timer_now();
	rq->next_tick = rq->last_tick + tick_ns;
	arm(rq, rq->next_tick);
}

static void
become_thread(unsigned cpu)
{
	struct thread *t = &idle_threads[cpu];

	t->state = THREAD_RUNNING;
	t->on_cpu = 1;
	t->cpu = cpu;
	t->affinity = 1ull << cpu;
	t->kstack = this_cpu()->kstack;
	list_init(&t->run_link);
	this_cpu()->thread = t;
#ifdef DEBUG
	this_cpu()->locks = &t->locks;
#endif
}

void
sched_init(void)
{
	for (unsigned i = 0; i < MAXCPU; i++) {
		struct runq *rq = &runqs[i];

		spin_init(&rq->lock, RANK_SCHED, "run queue");
		spin_init(&rq->timer_lock, RANK_TIMER, "timer");
		list_init(&rq->ready);
		rq->armed = DEADLINE_NONE;
	}
	become_thread(cpu_id());
}

void
sched_configure(void)
{
	uint64_t seed = bootarg_u64("fuzz", 0);

	tick_ns = MAX(bootarg_u64("tick", TICK_DEFAULT_NS), (ns_t)1000);
	tick_jitter_ns = bootarg_u64("tick.jitter", 0);
	sched_fuzz_on = seed != 0;
#ifndef DEBUG
	if (sched_fuzz_on)
		kprintf("boot: fuzz= has no effect without DEBUG=1\n");
#endif
	for (unsigned i = 0; i < MAXCPU; i++)
		runqs[i].random = seed * 0x9e3779b97f4a7c15ull + i + 1;
}

void
sched_cpu_start(void)
{
	become_thread(cpu_id());
	pmap_lazy();
	machine_init_cpu();
	cpu_online();
	sched_idle_loop();
}

void
sched_idle_loop(void)
{
	uint64_t bit = 1ull << cpu_id();
	struct runq *rq = this_runq();

	KASSERT(!intr_enabled());
	start_ticking();
	for (;;) {
		__atomic_fetch_or(&idle_mask, bit, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&rq->nready, __ATOMIC_SEQ_CST) == 0 &&
		    !steal(rq))
			cpu_idle();
		intr_enable();
		intr_disable();
		if (__atomic_load_n(&rq->nready, __ATOMIC_RELAXED) > 0) {
			__atomic_fetch_and(&idle_mask, ~bit, __ATOMIC_SEQ_CST);
			schedule();
		}
	}
}
