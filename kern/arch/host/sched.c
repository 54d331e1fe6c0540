/* SPDX-License-Identifier: MIT */
/*
 * sched.c - who runs next on the host port: sync/sched.h, and the seeded
 * scheduler of the deterministic mode.
 *
 * Each CPU has one thread.  With stacks (host_run_stacks) main() is the
 * scheduler: each point of a CPU may switch to it, and it picks the next CPU by
 * a pseudo-random sequence; CPUs whose thread is blocked or done still take
 * interrupts.  Without stacks only one thing happens at a time, so blocking
 * could never end: it is a panic.
 */
#include "sync/sched.h"

#include "arch/host/host.h"
#include "arch/host/os.h"
#include "arch/ipi.h"
#include "arch/timer.h"
#include "mem/frame.h"

#define SWITCH_ONE_IN	8      /* points between two switches, on average */
#define IDLE_ROUNDS_MAX 100000 /* rounds in which nobody could run */
#define TURNS_MAX	1000000

struct thread {
	uint32_t blocked; /* [a] announced or asleep */
	bool dying;	  /* [a] */
	bool done;
	ns_t deadline;
	struct os_stack *stack;
	host_fn *fn;
	void *arg;
};

static struct thread threads[MAXCPU];
bool host_stacks_running, host_threads_running;
static uint64_t rng;
static unsigned ndone;

/* ---- the deterministic scheduler ---- */

static void
to_scheduler(void)
{
	struct cpu *me = host_cpu;

	os_stack_switch(threads[me->id].stack, NULL);
	host_cpu = me;
}

void
host_stack_point(enum host_point p)
{
	struct thread *t = &threads[cpu_id()];

	/* Handlers run by the scheduler itself, or points of a CPU that acts
	 * for another, cannot be left. */
	if (t->stack == NULL || host_cpu->thread != t)
		return;
	if (p == HOST_RELAX || host_random(&rng) % SWITCH_ONE_IN == 0)
		to_scheduler();
}

/* An interrupt takes its time. */
bool
host_stack_late(void)
{
	return host_random(&rng) >> 63;
}

static void
stack_main(void)
{
	struct thread *t = &threads[cpu_id()];

	t->fn(t->arg);
	t->done = true;
	ndone++;
	for (;;)
		to_scheduler();
}

static bool
can_run(struct thread *t)
{
	if (t->stack == NULL || t->done)
		return false;
	if (!__atomic_load_n(&t->blocked, __ATOMIC_SEQ_CST))
		return true;
	return t->deadline <= timer_now();
}

/* Let CPU @p c go on. @return false if it had nothing to do */
static bool
turn(unsigned c)
{
	struct thread *t = &threads[c];

	if (!can_run(t)) {
		/* The idle loop: interrupts only. */
		bool on;

		host_cpu = &cpus[c];
		host_cpu->thread = NULL;
		on = host_intr_set(true);
		(void)host_intr_set(on);
		host_cpu->thread = t;
		return false;
	}
	host_cpu = &cpus[c];
	host_cpu->thread = t;
	os_stack_switch(NULL, t->stack);
	return true;
}

void
host_run_stacks(uint64_t seed, unsigned n, host_fn *const fn[],
    void *const arg[])
{
	unsigned idle = 0, turns = 0, me = cpu_id();

	KASSERT_ALWAYS(!host_options.threads && n <= ncpu);
	rng = seed * 2 + 1;
	ndone = 0;
	for (unsigned c = 0; c < n; c++) {
		threads[c].fn = fn[c];
		threads[c].arg = arg[c];
		threads[c].done = fn[c] == NULL;
		ndone += fn[c] == NULL;
		threads[c].stack =
		    fn[c] != NULL ? os_stack_create(stack_main) : NULL;
	}
	host_stacks_running = host_watch_ptes = true;
	while (ndone < n) {
		host_tick();
		if (turn((unsigned)(host_random(&rng) >> 32) % ncpu))
			idle = 0;
		else if (++idle > IDLE_ROUNDS_MAX)
			panic("deadlock: no CPU can go on");
		if (++turns > TURNS_MAX)
			panic("livelock: %u turns without an end", turns);
	}
	host_stacks_running = host_watch_ptes = false;
	for (unsigned c = 0; c < n; c++) {
		if (threads[c].stack != NULL)
			os_stack_free(threads[c].stack);
		threads[c].stack = NULL;
	}
	host_switch_cpu(me);
}

/* ---- real threads ---- */

static unsigned nrunning;

static void
thread_run(void *arg)
{
	struct thread *t = arg;

	host_cpu = &cpus[t - threads];
	if (t->fn != NULL)
		t->fn(t->arg);
	/* Others may still wait for this CPU's handlers. */
	__atomic_fetch_sub(&nrunning, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&nrunning, __ATOMIC_SEQ_CST) != 0)
		cpu_relax();
}

void
host_run_threads(unsigned n, host_fn *const fn[], void *const arg[])
{
	struct os_thread *os[MAXCPU];

	KASSERT_ALWAYS(host_options.threads && n <= ncpu);
	nrunning = ncpu;
	host_threads_running = true;
	for (unsigned c = 0; c < ncpu; c++) {
		threads[c].fn = c < n ? fn[c] : NULL;
		threads[c].arg = c < n ? arg[c] : NULL;
		if (c > 0)
			os[c] = os_thread_start(thread_run, &threads[c]);
	}
	thread_run(&threads[0]);
	for (unsigned c = 1; c < ncpu; c++)
		os_thread_join(os[c]);
	host_threads_running = false;
}

void
host_sched_init(void)
{
	for (unsigned c = 0; c < ncpu; c++)
		cpus[c].thread = &threads[c];
}

void
host_kill(unsigned c, bool dying)
{
	bool on;

	__atomic_store_n(&threads[c].dying, dying, __ATOMIC_SEQ_CST);
	on = intr_disable();
	sched_wake(&threads[c]);
	intr_restore(on);
}

/* ---- sync/sched.h ---- */

void
sched_block_prepare(void)
{
	__atomic_store_n(&host_cpu->thread->blocked, 1, __ATOMIC_SEQ_CST);
}

bool
sched_block_cancel(void)
{
	return __atomic_exchange_n(&host_cpu->thread->blocked, 0,
	    __ATOMIC_SEQ_CST) != 0;
}

void
sched_block(ns_t deadline)
{
	struct thread *t = host_cpu->thread;

	KASSERT_ALWAYS(!host_intr_get());
	if (!host_options.threads && !host_stacks_running &&
	    __atomic_load_n(&t->blocked, __ATOMIC_SEQ_CST))
		panic("CPU %u blocks, and nobody else runs", cpu_id());
	t->deadline = deadline;
	while (__atomic_load_n(&t->blocked, __ATOMIC_SEQ_CST)) {
		if (timer_now() >= deadline)
			break;
		if (host_options.threads)
			cpu_idle();
		else
			to_scheduler();
	}
	__atomic_store_n(&t->blocked, 0, __ATOMIC_SEQ_CST);
}

void
sched_wake(struct thread *t)
{
	if (__atomic_exchange_n(&t->blocked, 0, __ATOMIC_SEQ_CST) != 0 &&
	    host_options.threads)
		ipi_send(1ull << (t - threads), IPI_RESCHED);
}

bool
sched_interrupted(enum wait_how how)
{
	return how != WAIT_FOREVER &&
	    __atomic_load_n(&host_cpu->thread->dying, __ATOMIC_SEQ_CST);
}

void
sched_yield(void)
{
	cpu_relax();
}

bool sched_fuzz_on;

void
sched_fuzz(void)
{
}
