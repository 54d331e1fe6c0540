/* SPDX-License-Identifier: MIT */
/**
 * @file sbi.h
 * Calls to the firmware (OpenSBI).
 * Source: RISC-V Supervisor Binary Interface Specification 1.0.
 */
#ifndef RISCV_SBI_H
#define RISCV_SBI_H

#include "lib/types.h"

/* Each returns 0 or a negative SBI error. Hart masks: bit n is hart n. */
long sbi_set_timer(uint64_t when_ticks);
/** @pre @p harts is not empty */
long sbi_send_ipi(uint64_t harts);
/** Complete on return. */
long sbi_remote_fence_asid(uint64_t harts, unsigned asid);
/** @p entry physical; it gets the hart id in a0 and @p arg in a1. */
long sbi_hart_start(uint64_t hart, paddr_t entry, uint64_t arg);
long sbi_system_reset(void);

/** Console of the firmware: until the device tree names ours. */
void sbi_putchar(char c);

#endif
