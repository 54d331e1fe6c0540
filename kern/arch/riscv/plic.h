/* SPDX-License-Identifier: MIT */
/** @file plic.h Device interrupts through the platform-level controller. */
#ifndef RISCV_PLIC_H
#define RISCV_PLIC_H

#include "lib/types.h"

/** Call @p handler for interrupt @p irq, on the boot CPU; it must quiet the
 * device. @ctx boot, before machine_init_devices() ends; once per irq */
void plic_connect(unsigned irq, void (*handler)(void));

#endif
