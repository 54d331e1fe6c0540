/* SPDX-License-Identifier: MIT */
/**
 * @file ipi.h
 * Port contract: interrupts from one CPU to others.
 *
 * There are only two messages.  Each is idempotent and carries no data: the
 * receiver looks into memory for what to do.  The senders order their stores
 * before the interrupt (ipi_send is a full fence).
 */
#ifndef ARCH_IPI_H
#define ARCH_IPI_H

#include "lib/types.h"

enum ipi {
	IPI_TLB,	/* run tlb_ipi() (vm/tlb.c) */
	IPI_RESCHED,	/* look at the run queue before user mode */
};

/**
 * Send @p what to each CPU whose bit is set in @p mask; own bit is ignored.
 * @ctx any; does not wait for delivery
 */
void ipi_send(uint64_t mask, enum ipi what);

/*
 * Handlers, called by the port in interrupt context on the receiving CPU; a
 * port may call them without need.
 * tlb_ipi is in vm/tlb.c, sched_ipi in proc/sched.c; both take no lock that is
 * ever held with interrupts enabled.
 */
void tlb_ipi(void);
void sched_ipi(void);

#endif
