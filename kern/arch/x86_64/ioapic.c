/* SPDX-License-Identifier: MIT */
/*
 * ioapic.c - the I/O APIC.
 *
 * All device interrupts go to the boot CPU, each with a vector of its own.
 * Below ISA_IRQS they are those of ISA: edge triggered, active high, their
 * inputs in the MADT's overrides.  The others are numbered as the inputs and
 * are PCI's: level triggered, active low, shared.
 * Source: Intel 82093AA I/O APIC datasheet, section 3.2.
 */
#include "ioapic.h"

#include "apic.h"
#include "arch/cpu.h"
#include "arch/mmu.h"
#include "arch/pci.h"
#include "lib/panic.h"
#include "platform.h"

#define REG_SELECT 0x00
#define REG_WINDOW 0x10

#define VERSION	       0x01
#define REDIRECTION(n) (0x10 + 2 * (n))
#define ENTRY_LOW      0x2000u
#define ENTRY_LEVEL    0x8000u
#define ENTRY_MASKED   0x10000u

static void (*handlers[DEVICE_IRQS])(void); /* constant after boot */
static unsigned ninputs;

static volatile uint32_t *
select(unsigned index)
{
	*(volatile uint32_t *)phys_to_virt(platform.ioapic + REG_SELECT) =
	    index;
	return (volatile uint32_t *)phys_to_virt(platform.ioapic + REG_WINDOW);
}

/* The other half first: the second write opens the input. */
static void
route(unsigned irq, uint32_t mode)
{
	unsigned gsi = irq < ISA_IRQS ? platform.isa_gsi[irq] : irq;
	unsigned n = gsi - platform.ioapic_gsi;

	if (n >= ninputs)
		return;
	*select(REDIRECTION(n) + 1) = platform.apic_id[0] << 24;
	*select(REDIRECTION(n)) = mode | (VECTOR_DEVICE + irq);
}

void
ioapic_connect(unsigned irq, void (*handler)(void))
{
	KASSERT_ALWAYS(irq < ISA_IRQS && handlers[irq] == NULL);
	handlers[irq] = handler;
}

void
irq_connect(unsigned irq, void (*handler)(void))
{
	if (irq == 0)
		return;
	KASSERT_ALWAYS(irq >= ISA_IRQS && irq < DEVICE_IRQS &&
	    (handlers[irq] == NULL || handlers[irq] == handler));
	handlers[irq] = handler;
	route(irq, ENTRY_LEVEL | ENTRY_LOW);
}

void
ioapic_init(void)
{
	ninputs = (*select(VERSION) >> 16 & 0xff) + 1;
	for (unsigned n = 0; n < ninputs; n++)
		*select(REDIRECTION(n)) = ENTRY_MASKED;
	for (unsigned irq = 0; irq < ISA_IRQS; irq++)
		if (handlers[irq] != NULL)
			route(irq, 0);
}

void
ioapic_interrupt(unsigned irq)
{
	if (irq < DEVICE_IRQS && handlers[irq] != NULL)
		handlers[irq]();
}
