/* SPDX-License-Identifier: MIT */
/*
 * ipi.c - interrupts between CPUs, by a register of the machine that raises
 * them in supervisor mode (ACLINT SSWI), or else through the firmware.
 *
 * A message is a bit in the receiver's word; the interrupt only says "look".
 * A sender that finds another bit set sends no interrupt: the receiver has not
 * taken the word yet, and whoever set that bit has sent one or is about to.
 * IPI_TLB has no bit: the inbox of vm/tlb.c is such a word already, and every
 * interrupt looks into it.
 * Source: RISC-V Advanced Core Local Interruptor Specification 1.0-rc4, ch. 4.
 */
#include "arch/ipi.h"

#include "arch/cpu.h"
#include "arch/mmu.h"
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

static __always_inline void
interrupt(uint64_t mask)
{
	uint64_t harts = 0;
	unsigned nsent = 0;

	mb();
	for (; mask != 0; mask &= mask - 1, nsent++) {
		unsigned c = (unsigned)__builtin_ctzll(mask);

		if (likely(platform.direct_ipi))
			*(volatile uint32_t *)phys_to_virt(platform.sswi[c]) =
			    1;
		else
			harts |= (uint64_t)1 << platform.hart[c];
	}
	if (harts != 0)
		sbi_send_ipi(harts);
	counter_add(TS_ipis_sent, nsent);
}

/* Interrupt those that had no message yet. */
static __slowpath void
post(uint64_t mask, unsigned message)
{
	for (uint64_t left = mask; left != 0; left &= left - 1)
		if (__atomic_fetch_or(&slots[__builtin_ctzll(left)].pending,
			1u << message, __ATOMIC_SEQ_CST) != 0)
			mask &= ~(left & -left);
	if (mask != 0)
		interrupt(mask);
}

void
ipi_send(uint64_t mask, enum ipi what)
{
	mask &= ~((uint64_t)1 << cpu_id());
	if (unlikely(what != IPI_TLB))
		post(mask, what);
	else if (likely(mask != 0))
		interrupt(mask);
}

static __slowpath void
take_messages(void)
{
	uint32_t bits = __atomic_exchange_n(&slots[cpu_id()].pending, 0,
	    __ATOMIC_SEQ_CST);

	if (bits & 1u << IPI_STOP) {
		__atomic_store_n(&slots[cpu_id()].stopped, true,
		    __ATOMIC_RELEASE);
		csr_write(sie, 0);
		for (;;)
			cpu_idle();
	}
	if (bits & 1u << IPI_RESCHED)
		sched_ipi();
}

void
ipi_interrupt(void)
{
	csr_clear(sip, SIE_SSIE);
	mb(); /* who sends from now on interrupts again */
	tlb_ipi();
	if (unlikely(__atomic_load_n(&slots[cpu_id()].pending,
		__ATOMIC_RELAXED) != 0))
		take_messages();
}

/* A CPU with interrupts off never answers: it is left behind after a while. */
void
ipi_stop_others(void)
{
	ns_t limit = timer_now() + STOP_WAIT_NS;
	uint64_t all = ((uint64_t)1 << ncpu) - 1;

	post(all & ~((uint64_t)1 << cpu_id()), IPI_STOP);
	for (unsigned c = 0; c < ncpu; c++)
		while (c != cpu_id() && timer_now() < limit &&
		    !__atomic_load_n(&slots[c].stopped, __ATOMIC_ACQUIRE))
			cpu_relax();
}
