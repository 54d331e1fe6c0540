/* SPDX-License-Identifier: MIT */
/*
 * ioapic.c - the I/O APIC.
 *
 * All device interrupts go to the boot CPU.  ISA devices only so far: edge
 * triggered, active high, each with a vector of its own.
 * Source: Intel 82093AA I/O APIC datasheet, section 3.2; the number of the
 * input comes from the MADT's overrides.
 */
#include "ioapic.h"

#include "apic.h"
#include "arch/cpu.h"
#include "arch/mmu.h"
#include "lib/panic.h"
#include "platform.h"

#define REG_SELECT 0x00
#define REG_WINDOW 0x10

#define VERSION	       0x01
#define REDIRECTION(n) (0x10 + 2 * (n))
#define ENTRY_MASKED   0x10000u

static void (*handlers[ISA_IRQS])(void); /* constant after boot */

static volatile uint32_t *
select(unsigned index)
{
	*(volatile uint32_t *)phys_to_virt(platform.ioapic + REG_SELECT) =
	    index;
	return (volatile uint32_t *)phys_to_virt(platform.ioapic + REG_WINDOW);
}

void
ioapic_connect(unsigned irq, void (*handler)(void))
{
	KASSERT_ALWAYS(irq < ISA_IRQS && handlers[irq] == NULL);
	handlers[irq] = handler;
}

void
ioapic_init(void)
{
	unsigned ninputs = (*select(VERSION) >> 16 & 0xff) + 1;

	for (unsigned n = 0; n < ninputs; n++)
		*select(REDIRECTION(n)) = ENTRY_MASKED;
	for (unsigned irq = 0; irq < ISA_IRQS; irq++) {
		unsigned n = platform.isa_gsi[irq] - platform.ioapic_gsi;

		if (handlers[irq] == NULL || n >= ninputs)
			continue;
		*select(REDIRECTION(n) + 1) = platform.apic_id[0] << 24;
		*select(REDIRECTION(n)) = VECTOR_ISA + irq;
	}
}

void
ioapic_interrupt(unsigned irq)
{
	if (irq < ISA_IRQS && handlers[irq] != NULL)
		handlers[irq]();
}
