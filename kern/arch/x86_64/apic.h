/* SPDX-License-Identifier: MIT */
/**
 * @file apic.h
 * The local APIC of this CPU, in xAPIC mode, and the interrupt vectors.
 * Source: Intel SDM vol. 3, chapter 10.
 */
#ifndef X86_64_APIC_H
#define X86_64_APIC_H

#include "arch/mmu.h"
#include "platform.h"

/* Vectors: the upper half-byte is the priority. */
#define VECTOR_DEVICE	0x30 /* + interrupt, below DEVICE_IRQS */
#define VECTOR_TIMER	0xe0
#define VECTOR_RESCHED	0xf0
#define VECTOR_TLB	0xf1
#define VECTOR_SPURIOUS 0xff

#define APIC_ID		 0x020
#define APIC_TPR	 0x080
#define APIC_EOI	 0x0b0
#define APIC_LDR	 0x0d0
#define APIC_DFR	 0x0e0
#define APIC_SVR	 0x0f0
#define APIC_ICR	 0x300
#define APIC_ICR_HIGH	 0x310
#define APIC_LVT_TIMER	 0x320
#define APIC_LVT_LINT0	 0x350
#define APIC_LVT_LINT1	 0x360
#define APIC_LVT_ERROR	 0x370
#define APIC_TIMER_INIT	 0x380
#define APIC_TIMER_NOW	 0x390
#define APIC_TIMER_DIV	 0x3e0

#define ICR_FIXED     0x000u
#define ICR_NMI	      0x400u
#define ICR_INIT      0x500u
#define ICR_STARTUP   0x600u
#define ICR_LOGICAL   0x800u /* to each CPU whose bit is set */
#define ICR_PENDING   0x1000u
#define ICR_ASSERT    0x4000u

static inline volatile uint32_t *
apic_reg(unsigned offset)
{
	return (volatile uint32_t *)phys_to_virt(platform.lapic + offset);
}

static inline void
apic_eoi(void)
{
	*apic_reg(APIC_EOI) = 0;
}

/** Send @p command (ICR_* | vector) to the CPU with APIC id @p to; with
 * ICR_LOGICAL to the CPUs of the mask @p to. @pre interrupts off */
static inline void
apic_send(uint32_t to, uint32_t command)
{
	while (*apic_reg(APIC_ICR) & ICR_PENDING)
		__asm__ volatile("pause");
	*apic_reg(APIC_ICR_HIGH) = to << 24;
	*apic_reg(APIC_ICR) = command | ICR_ASSERT;
}

/** This CPU's number, without the APIC's registers. */
uint32_t cpuid_apic_id(void);

#endif
