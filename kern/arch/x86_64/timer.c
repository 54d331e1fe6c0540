/* SPDX-License-Identifier: MIT */
/*
 * timer.c - time since boot, the CPU's own timer, and waiting by it.
 *
 * Time is the time-stamp counter, the same on all CPUs; the interrupt comes
 * from the local APIC's timer in one-shot mode.  The rates of both are measured
 * at boot against the one clock whose rate is known, the 8254.
 * Conversions multiply by a fixed-point factor, so that nothing divides.
 */
#include "arch/timer.h"

#include "apic.h"
#include "arch/boot.h"
#include "arch/cpu.h"
#include "lib/panic.h"
#include "lib/string.h"

#define NS_PER_S 1000000000ull

/* 8254, channel 2: counts down, its gate is in port 0x61. */
#define PIT_HZ	      1193182ull
#define PIT_COUNTER2  0x42
#define PIT_CONTROL   0x43
#define PIT_LATCH2    0x80
#define PIT_MODE2_CH2 0xb4 /* low byte, high byte, rate generator */
#define PIT_GATE      0x61
#define GATE_ON	      0x01
#define GATE_SPEAKER  0x02
#define MEASURE_TICKS 11932 /* 10 ms */
#define TRIES	      5
#define SPINS	      50000

/* CMOS clock. */
#define CMOS_INDEX  0x70
#define CMOS_DATA   0x71
#define RTC_STATUSA 0x0a
#define RTC_STATUSB 0x0b
#define RTC_BUSY    0x80
#define RTC_BINARY  0x04
#define RTC_24H	    0x02
#define RTC_PM	    0x80

static uint64_t ns_per_tsc_32;	/* 32.32 */
static uint64_t apic_per_ns_32; /* 32.32 */
static uint64_t boot_tsc;
static ns_t realtime_base;	/* of timer_now() = 0 */
static bool idle_spins;		/* relax=wfi */
bool cpu_relax_none;

/* ---- calibration ---- */

struct sample {
	uint64_t tsc;
	uint32_t apic;
	uint16_t pit;
};

static uint16_t
pit_read(void)
{
	uint8_t low;

	port_write8(PIT_CONTROL, PIT_LATCH2);
	low = port_read8(PIT_COUNTER2);
	return (uint16_t)(port_read8(PIT_COUNTER2) << 8 | low);
}

/* All three clocks at one moment: the closest of some tries, since the emulator
 * may be interrupted in between. */
static struct sample
sample(void)
{
	struct sample best = { 0 };
	uint64_t width = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = cpu_tsc();
		uint16_t pit = pit_read();
		uint32_t apic = *apic_reg(APIC_TIMER_NOW);
		uint64_t after = cpu_tsc();

		if (after - before >= width)
			continue;
		width = after - before;
		best = (struct sample){ before + width / 2, apic, pit };
	}
	return best;
}

/* Time passes without a look at a device: with -icount each look is dear, and
 * an instruction is a nanosecond. */
static void
spin(void)
{
	for (int i = 0; i < SPINS; i++)
		__asm__ volatile("");
}

static void
calibrate(void)
{
	struct sample a, b;
	uint64_t ns;

	port_write8(PIT_GATE, (port_read8(PIT_GATE) & ~GATE_SPEAKER) | GATE_ON);
	port_write8(PIT_CONTROL, PIT_MODE2_CH2);
	port_write8(PIT_COUNTER2, 0xff);
	port_write8(PIT_COUNTER2, 0xff);
	*apic_reg(APIC_TIMER_INIT) = UINT32_MAX; /* masked: no interrupt */
	a = sample();
	while ((uint16_t)(a.pit - pit_read()) < MEASURE_TICKS)
		spin();
	b = sample();
	*apic_reg(APIC_TIMER_INIT) = 0;
	if (b.tsc <= a.tsc || a.apic <= b.apic)
		panic("timer: TSC or APIC timer does not run");
	ns = (uint16_t)(a.pit - b.pit) * NS_PER_S / PIT_HZ;
	ns_per_tsc_32 = (ns << 32) / (b.tsc - a.tsc);
	apic_per_ns_32 = ((uint64_t)(a.apic - b.apic) << 32) / ns;
	boot_tsc = b.tsc;
}

/* ---- the date ---- */

static uint8_t
cmos(uint8_t reg)
{
	port_write8(CMOS_INDEX, reg);
	return port_read8(CMOS_DATA);
}

static unsigned
rtc_number(uint8_t reg, uint8_t status)
{
	unsigned v = cmos(reg);

	if (reg == 4 && !(status & RTC_24H))
		v &= ~(unsigned)RTC_PM;
	return status & RTC_BINARY ? v : (v >> 4) * 10 + (v & 15);
}

/* Days since 1970-01-01: years begin in March, so the leap day is the last. */
static uint64_t
days(unsigned year, unsigned month, unsigned day)
{
	unsigned y = month > 2 ? year : year - 1;
	unsigned m = month > 2 ? month - 3 : month + 9;

	return 365ull * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 +
	    day - 1 - 719468;
}

static ns_t
rtc_read(void)
{
	uint8_t b = cmos(RTC_STATUSB);
	unsigned second, hour;
	uint64_t s;

	do { /* until nothing has changed in between */
		while (cmos(RTC_STATUSA) & RTC_BUSY)
			cpu_relax();
		second = rtc_number(0, b);
		hour = rtc_number(4, b);
		if (!(b & RTC_24H))
			hour = hour % 12 + (cmos(4) & RTC_PM ? 12 : 0);
		s = days(2000 + rtc_number(9, b), rtc_number(8, b),
		    rtc_number(7, b)) * 86400 + hour * 3600 +
		    rtc_number(2, b) * 60 + second;
	} while (second != rtc_number(0, b));
	return s * NS_PER_S;
}

void
timer_init(void)
{
	char relax[8];

	calibrate();
	realtime_base = rtc_read();
	if (platform.ncpus == 1 || !bootarg("relax", relax, sizeof(relax)))
		return;
	idle_spins = strcmp(relax, "wfi") == 0;
	cpu_relax_none = strcmp(relax, "none") == 0;
}

/* ---- contract of arch/timer.h ---- */

ns_t
timer_now(void)
{
	uint64_t ticks = cpu_tsc() - boot_tsc;

	return (ns_t)((unsigned __int128)ticks * ns_per_tsc_32 >> 32);
}

ns_t
timer_realtime(void)
{
	return realtime_base + timer_now();
}

/* One tick more than exact: the interrupt is never early by rounding.  What
 * does not fit into the counter comes early, and is armed again. */
void
timer_arm(ns_t when)
{
	ns_t now = timer_now();
	uint64_t ticks = 1;

	if (when > now)
		ticks += (uint64_t)((unsigned __int128)(when - now) *
		    apic_per_ns_32 >> 32);
	*apic_reg(APIC_LVT_TIMER) = VECTOR_TIMER;
	*apic_reg(APIC_TIMER_INIT) = (uint32_t)MIN(ticks, UINT32_MAX);
}

void
timer_interrupt(void)
{
	sched_tick();
}

/*
 * STI takes effect after the next instruction, so that an interrupt that is
 * pending ends the HLT.  relax=wfi, the deterministic lane: CPU 0 gives its
 * turn away but never sleeps.  When all CPUs sleep, QEMU with -icount moves its
 * clock from another thread, and runs differ.
 */
void
cpu_idle(void)
{
	if (unlikely(idle_spins && cpu_id() == 0))
		__asm__ volatile("sti; pause; cli" ::: "memory");
	else
		__asm__ volatile("sti; hlt; cli" ::: "memory");
}
