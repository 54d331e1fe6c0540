/* SPDX-License-Identifier: MIT */
/*
 * cpu.c - simulated CPUs: interrupts on and off, interrupts between CPUs, time.
 *
 * Path: machine/cpu.h -> host_point() -> deliver() -> tlb_ipi(), sched_tick().
 * A CPU takes interrupts only at a point and only with interrupts on.  In the
 * deterministic mode a CPU that does not act now is idle, in user mode or
 * frozen between two instructions; somebody who spins on it (HOST_RELAX) lets
 * its handlers run, unless it was frozen with interrupts off.
 */
#include "arch/cpu.h"

#include "arch/host/host.h"
#include "arch/host/os.h"
#include "arch/ipi.h"
#include "arch/timer.h"
#include "sync/counter.h"
#include "sync/lockset.h"

#define TICK_PENDING  (1u << 31)
#define TICK_POINTS   64      /* points of a CPU between two ticks */
#define SPIN_DEADLOCK 1000000 /* turns of a spin loop without progress */

struct cpu cpus[MAXCPU];
unsigned ncpu;
_Thread_local struct cpu *host_cpu = &cpus[0];
void (*host_hook)(enum host_point);
bool host_watch_ptes;
#ifdef __SANITIZE_THREAD__
uint32_t host_fence_word;
#endif

static struct vcpu {
	bool intr;	  /* [c] interrupts are on */
	uint32_t pending; /* [a] enum ipi bits, TICK_PENDING */
	unsigned points;  /* [c] until the next tick */
	struct lockset locks, irq_locks;
	struct os_event *event; /* threaded: something is pending */
} __cacheline vcpu[MAXCPU];

static ns_t virtual_now;
static bool in_hook;
static unsigned spins;

static struct vcpu *
self(void)
{
	return &vcpu[cpu_id()];
}

void
host_cpu_init(void)
{
	ncpu = host_options.ncpu;
	KASSERT_ALWAYS(ncpu >= 1 && ncpu <= MAXCPU);
	for (unsigned c = 0; c < ncpu; c++) {
		cpus[c].id = cpus[c].hwid = c;
		cpus[c].locks = &vcpu[c].locks;
		vcpu[c].points = TICK_POINTS;
		if (host_options.threads)
			vcpu[c].event = os_event_create();
		vcpu[c].intr = true;
	}
	host_cpu = &cpus[0];
}

void
host_switch_cpu(unsigned c)
{
	KASSERT_ALWAYS(c < ncpu);
	host_cpu = &cpus[c];
}

/* ---- interrupts ---- */

/* Take what is pending on the current CPU. @pre interrupts on */
static bool
deliver(void)
{
	struct vcpu *v = self();
	struct lockset *outer;
	uint32_t what;

	if (likely(__atomic_load_n(&v->pending, __ATOMIC_RELAXED) == 0) ||
	    (host_stacks_running && host_stack_late()))
		return false;
	what = __atomic_exchange_n(&v->pending, 0, __ATOMIC_SEQ_CST);
	v->intr = false;
	outer = host_cpu->locks;
	host_cpu->locks = outer != NULL ? &v->irq_locks : NULL;
	host_cpu->irq_depth++;
	if (what & 1u << IPI_TLB)
		tlb_ipi();
	if (what & 1u << IPI_RESCHED)
		sched_ipi();
	if (what & TICK_PENDING)
		sched_tick();
	host_cpu->irq_depth--;
	host_cpu->locks = outer;
	v->intr = true;
	if (!host_options.threads)
		spins = 0;
	return what != 0;
}

bool
host_poll_others(void)
{
	struct cpu *me = host_cpu;
	bool any = false;

	for (unsigned c = 0; c < ncpu; c++) {
		if (c == me->id || !vcpu[c].intr)
			continue;
		host_cpu = &cpus[c];
		any |= deliver();
	}
	host_cpu = me;
	return any;
}

void
host_tick(void)
{
	virtual_now += 1000;
	for (unsigned c = 0; c < ncpu; c++)
		if (--vcpu[c].points == 0) {
			vcpu[c].points = TICK_POINTS;
			__atomic_fetch_or(&vcpu[c].pending, TICK_PENDING,
			    __ATOMIC_RELAXED);
		}
}

static void
point_threaded(enum host_point p)
{
	struct vcpu *v = self();

	if (p == HOST_RELAX && --v->points == 0) {
		v->points = TICK_POINTS;
		__atomic_fetch_or(&v->pending, TICK_PENDING, __ATOMIC_RELAXED);
	}
	if (v->intr)
		deliver();
	if (p != HOST_RELAX)
		return;
	if (host_threads_running)
		os_yield();
	else
		host_poll_others(); /* they have no thread of their own */
}

/* A spin loop without stacks: only handlers of other CPUs can end it. */
static void
relax_alone(void)
{
	host_tick();
	host_poll_others();
	if (++spins > SPIN_DEADLOCK)
		panic("CPU %u spins for ever", cpu_id());
}

void
host_point(enum host_point p)
{
	if (host_options.threads) {
		point_threaded(p);
		return;
	}
	if (self()->intr)
		deliver();
	if (host_hook != NULL && !in_hook) {
		in_hook = true;
		host_hook(p);
		in_hook = false;
	}
	if (host_stacks_running)
		host_stack_point(p);
	else if (p == HOST_RELAX)
		relax_alone();
}

bool
host_intr_get(void)
{
	bool on = self()->intr;

	host_point(HOST_INTR);
	return on;
}

bool
host_intr_set(bool on)
{
	struct vcpu *v = self();
	bool was = v->intr;

	v->intr = on;
	if (on)
		host_point(HOST_INTR);
	return was;
}

void
ipi_send(uint64_t mask, enum ipi what)
{
	host_fence();
	counter_add(TS_ipis_sent, (uint64_t)__builtin_popcountll(mask));
	for (unsigned c = 0; c < ncpu; c++) {
		if (!(mask >> c & 1) || c == cpu_id())
			continue;
		__atomic_fetch_or(&vcpu[c].pending, 1u << what,
		    __ATOMIC_SEQ_CST);
		if (host_options.threads)
			os_event_set(vcpu[c].event);
	}
	if (!host_options.threads && !host_options.ipi_deferred &&
	    !host_stacks_running)
		host_poll_others();
	host_point(HOST_IPI);
}

/* The scheduler's handlers: there is nothing to reschedule. */
void
sched_ipi(void)
{
}

void
sched_tick(void)
{
	tlb_tick();
}

void
cpu_idle(void)
{
	struct vcpu *v = self();

	if (host_options.threads)
		os_event_wait(v->event, 1000000);
	v->intr = true;
	host_point(HOST_RELAX);
	v->intr = false;
}

/* ---- start and stop: the CPUs exist from the beginning ---- */

void
cpu_start_others(void (*entry)(void))
{
	(void)entry;
}

void
cpu_online(void)
{
}

void
cpu_stop_others(void)
{
}

void
cpu_poweroff(int code)
{
	os_exit(code);
}

unsigned
cpu_backtrace(uintptr_t *pcs, unsigned max)
{
	(void)pcs, (void)max;
	return 0;
}

/* ---- time ---- */

ns_t
timer_now(void)
{
	return host_options.threads ? os_now() : virtual_now;
}

ns_t
timer_realtime(void)
{
	return timer_now();
}

void
timer_arm(ns_t when)
{
	(void)when;
}

uint64_t
host_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1dull;
}
