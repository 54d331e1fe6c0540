/* SPDX-License-Identifier: MIT */
/*
 * timer.c - time since boot, the CPU's own timer, and waiting by it.
 *
 * With Sstc the deadline is the CSR stimecmp, else a call to the firmware.
 * Conversions multiply by a fixed-point factor, so that nothing divides.
 */
#include "arch/timer.h"

#include "arch/boot.h"
#include "arch/cpu.h"
#include "arch/mmu.h"
#include "lib/string.h"
#include "platform.h"
#include "sbi.h"

#define NEVER	     UINT64_MAX
#define NS_PER_S     1000000000ull
#define RELAX_NS     10000ull
#define IDLE_SPINS   100
/* goldfish-rtc: reading the low half latches the high one */
#define RTC_TIME_LOW  0
#define RTC_TIME_HIGH 1

static uint64_t ns_per_tick_32;	 /* 32.32 */
static uint64_t ticks_per_ns_64; /* 0.64, rounded up */
static uint64_t boot_ticks;
static ns_t realtime_base;	 /* of timer_now() = 0 */
static uint64_t armed[MAXCPU];	 /* [c] deadline, by the time register */
bool cpu_relax_wfi;

static void
program(uint64_t ticks)
{
	if (platform.sstc)
		csr_write(0x14d, ticks); /* stimecmp */
	else
		sbi_set_timer(ticks);
}

static uint64_t
ns_to_ticks(ns_t ns)
{
	return (uint64_t)((unsigned __int128)ns * ticks_per_ns_64 >> 64);
}

void
timer_init(void)
{
	volatile uint32_t *rtc = phys_to_virt(platform.rtc);
	uint64_t scaled;
	char relax[8];

	boot_ticks = csr_read(time);
	ns_per_tick_32 = (NS_PER_S << 32) / platform.timebase_hz;
	scaled = platform.timebase_hz << 32;
	ticks_per_ns_64 = (scaled / NS_PER_S << 32) +
	    (scaled % NS_PER_S << 32) / NS_PER_S + 1;
	for (unsigned c = 0; c < MAXCPU; c++)
		armed[c] = NEVER;
	if (platform.rtc != 0) {
		uint64_t low = rtc[RTC_TIME_LOW];

		realtime_base = (uint64_t)rtc[RTC_TIME_HIGH] << 32 | low;
	}
	cpu_relax_wfi = platform.nharts > 1 &&
	    bootarg("relax", relax, sizeof(relax)) &&
	    strcmp(relax, "wfi") == 0;
}

ns_t
timer_now(void)
{
	uint64_t ticks = csr_read(time) - boot_ticks;

	return (ns_t)((unsigned __int128)ticks * ns_per_tick_32 >> 32);
}

ns_t
timer_realtime(void)
{
	return realtime_base + timer_now();
}

/* One tick more than exact: the interrupt is never early. */
void
timer_arm(ns_t when)
{
	uint64_t ticks = boot_ticks + ns_to_ticks(when) + 1;

	armed[cpu_id()] = ticks;
	program(ticks);
}

/*
 * relax=wfi: the deterministic lane.  QEMU with -icount runs one CPU at a time
 * and lets it use up the time to the next deadline; those behind it then get
 * nothing.  So a waiting CPU must give its turn away, and a busy one at each
 * tick: else a program that never waits starves the other CPUs.  wfi does that.
 *
 * Other CPUs sleep for at most RELAX_NS.  A deadline of their own that comes
 * earlier stays in force; one that has passed and could not interrupt is put
 * back afterwards.  While interrupts are off only the timer may end the sleep:
 * a message that waits for its handler would end it at once, for ever.
 *
 * CPU 0 never sleeps: its wfi meets a timer that has expired already, which
 * passes the slice on and returns.  When all CPUs sleep, QEMU moves its clock
 * from another thread, and then runs were seen to differ (7 of 8 with a tick of
 * 10 us on 4 CPUs; none of 8 this way).
 */
static void
wait_for_timer(uint64_t until, uint64_t wake_by)
{
	uint64_t enabled = csr_read(sie);

	program(until);
	csr_write(sie, wake_by);
	__asm__ volatile("wfi" ::: "memory");
	program(armed[cpu_id()]);
	csr_write(sie, enabled);
}

void
timer_interrupt(void)
{
	armed[cpu_id()] = NEVER;
	program(NEVER);
	if (unlikely(cpu_relax_wfi))
		wait_for_timer(0, SIE_STIE);	/* the others' turn */
	sched_tick();
}

void
cpu_relax_slow(void)
{
	bool on = intr_disable();
	uint64_t now = csr_read(time);
	uint64_t until = now + ns_to_ticks(RELAX_NS);
	uint64_t deadline = armed[cpu_id()];

	if (deadline > now && deadline < until)
		until = deadline;
	if (cpu_id() == 0)
		until = 0;
	wait_for_timer(until, on ? csr_read(sie) | SIE_STIE : SIE_STIE);
	intr_restore(on);
}

void
cpu_idle(void)
{
	if (likely(!cpu_relax_wfi || cpu_id() != 0)) {
		__asm__ volatile("wfi" ::: "memory");
		return;
	}
	/* Let the clock advance by a useful amount between two yields. */
	for (unsigned i = 0; i < IDLE_SPINS; i++)
		if (csr_read(sip) & csr_read(sie))
			return;
	wait_for_timer(0, SIE_STIE);
}
