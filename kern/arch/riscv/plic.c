/* SPDX-License-Identifier: MIT */
/*
 * plic.c - the platform-level interrupt controller.
 *
 * All device interrupts go to the boot CPU.  A context is one privilege mode
 * of one hart; boot.c found ours in the device tree.
 * Source: RISC-V Platform-Level Interrupt Controller Specification 1.0.
 */
#include "arch/cpu.h"
#include "arch/mmu.h"
#include "arch/pci.h"
#include "lib/panic.h"
#include "platform.h"

#define NIRQS 128

#define PRIORITY(irq)	      (4 * (irq))
#define ENABLE(context, irq)  (0x2000 + 0x80 * (context) + (irq) / 32 * 4)
#define THRESHOLD(context)    (0x200000 + 0x1000 * (context))
#define CLAIM(context)	      (0x200004 + 0x1000 * (context))

static void (*handlers[NIRQS])(void); /* constant after boot */

static volatile uint32_t *
reg(uint32_t offset)
{
	return (volatile uint32_t *)phys_to_virt(platform.plic + offset);
}

void
irq_connect(unsigned irq, void (*handler)(void))
{
	if (irq == 0 || platform.plic == 0)
		return;
	KASSERT_ALWAYS(irq < NIRQS &&
	    (handlers[irq] == NULL || handlers[irq] == handler));
	handlers[irq] = handler;
	*reg(PRIORITY(irq)) = 1;
	*reg(ENABLE(platform.plic_context[0], irq)) |= 1u << irq % 32;
}

unsigned
pci_irq(unsigned slot, unsigned pin)
{
	return pin == 0 ? 0 : platform.pci_irq[slot & 3][(pin - 1) & 3];
}

void
plic_init_cpu(void)
{
	if (platform.plic != 0)
		*reg(THRESHOLD(platform.plic_context[cpu_id()])) = 0;
}

void
plic_interrupt(void)
{
	volatile uint32_t *claim = reg(CLAIM(platform.plic_context[cpu_id()]));
	uint32_t irq;

	while ((irq = *claim) != 0) {
		if (irq < NIRQS && handlers[irq] != NULL)
			handlers[irq]();
		*claim = irq;
	}
}
