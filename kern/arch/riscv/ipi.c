/* SPDX-License-Identifier: MIT */
/*
 * ipi.c - interrupts between CPUs, through the firmware.
 *
 * A message is a bit in the receiver's word; the interrupt only says "look".
 * A sender that finds another bit set sends no interrupt: the receiver has not
 * taken the word yet, and whoever set that bit has sent one or is about to.
 */
#include "arch/ipi.h"

#include "arch/cpu.h"
#include "arch/timer.h"
#include "platform.h"
#include "sbi.h"
#include "sync/counter.h"

#define IPI_STOP     2 /* private: panic */
#define STOP_WAIT_NS 10000000ull

static struct {
	uint32_t pending; /* [a] 1 << message */
	bool stopped;	  /* [a] */
} __cacheline slots[MAXCPU];

static void
send(uint64_t mask, unsigned message)
{
	uint64_t harts = 0;
	unsigned nsent = 0;

	mask &= ~((uint64_t)1 << cpu_id());
	for (unsigned c = 0; c < ncpu; c++) {
		if (!(mask >> c & 1))
			continue;
		if (__atomic_fetch_or(&slots[c].pending, 1u << message,
			__ATOMIC_SEQ_CST) != 0)
			continue;
		harts |= (uint64_t)1 << cpus[c].hwid;
		nsent++;
	}
	if (harts == 0)
		return;
	mb();
	sbi_send_ipi(harts);
	counter_add(TS_ipis_sent, nsent);
}

void
ipi_send(uint64_t mask, enum ipi what)
{
	send(mask, what);
}

void
ipi_interrupt(void)
{
	uint32_t *word = &slots[cpu_id()].pending;
	uint32_t bits;

	csr_clear(sip, SIE_SSIE);
	bits = __atomic_exchange_n(word, 0, __ATOMIC_SEQ_CST);
	if (bits & 1u << IPI_STOP) {
		__atomic_store_n(&slots[cpu_id()].stopped, true,
		    __ATOMIC_RELEASE);
		csr_write(sie, 0);
		for (;;)
			cpu_idle();
	}
	if (bits & 1u << IPI_TLB)
		tlb_ipi();
	if (bits & 1u << IPI_RESCHED)
		sched_ipi();
}

/* A CPU with interrupts off never answers: it is left behind after a while. */
void
ipi_stop_others(void)
{
	ns_t limit = timer_now() + STOP_WAIT_NS;

	send(UINT64_MAX, IPI_STOP);
	for (unsigned c = 0; c < ncpu; c++)
		while (c != cpu_id() && timer_now() < limit &&
		    !__atomic_load_n(&slots[c].stopped, __ATOMIC_ACQUIRE))
			cpu_relax();
}
