/* SPDX-License-Identifier: MIT */
/** @file ioapic.h Device interrupts through the I/O APIC. */
#ifndef X86_64_IOAPIC_H
#define X86_64_IOAPIC_H

#include "lib/types.h"

/** Call @p handler for ISA interrupt @p irq, on the boot CPU; it must quiet the
 * device. @ctx boot, before ioapic_init(); once per irq */
void ioapic_connect(unsigned irq, void (*handler)(void));

/** An interrupt with vector VECTOR_DEVICE + @p irq has come. */
void ioapic_interrupt(unsigned irq);

#endif
