/* SPDX-License-Identifier: MIT */
/*
 * ipi.c - interrupts between CPUs, through the local APIC.
 *
 * Each message has a vector of its own, and the APIC remembers that one is
 * pending; so there is no word in memory to look into.  One command reaches any
 * set of CPUs: apic_init() gave each of them a bit.  A panic stops the others
 * by NMI: they come to a stop even with interrupts off.
 */
#include "arch/ipi.h"

#include "apic.h"
#include "arch/cpu.h"
#include "arch/timer.h"
#include "sync/counter.h"

#define STOP_WAIT_NS 10000000ull

static uint32_t stopping;      /* [a] */
static uint64_t stopped;       /* [a] CPUs that have */

static void
send(uint64_t mask, uint32_t command)
{
	bool on;

	mask &= ~((uint64_t)1 << cpu_id());
	if (mask == 0)
		return;
	mb();
	on = intr_disable(); /* the ICR is written in two steps */
	apic_send((uint32_t)mask, command | ICR_LOGICAL);
	intr_restore(on);
	for (; mask != 0; mask &= mask - 1)
		counter_add(TS_ipis_sent, 1);
}

void
ipi_send(uint64_t mask, enum ipi what)
{
	send(mask, ICR_FIXED |
	    (what == IPI_TLB ? VECTOR_TLB : VECTOR_RESCHED));
}

void
ipi_nmi(void)
{
	if (!__atomic_load_n(&stopping, __ATOMIC_ACQUIRE))
		return;
	__atomic_fetch_or(&stopped, (uint64_t)1 << cpu_id(), __ATOMIC_RELEASE);
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* From now on nothing interrupts this CPU either. */
void
cpu_stop_others(void)
{
	ns_t limit = timer_now() + STOP_WAIT_NS;
	uint64_t others = (((uint64_t)1 << ncpu) - 1) &
	    ~((uint64_t)1 << cpu_id());

	if (platform.lapic == 0)
		return;
	*apic_reg(APIC_TPR) = 0xff;
	__atomic_store_n(&stopping, 1, __ATOMIC_RELEASE);
	send(others, ICR_NMI);
	while (timer_now() < limit &&
	    (__atomic_load_n(&stopped, __ATOMIC_ACQUIRE) & others) != others)
		cpu_relax();
}
