/* SPDX-License-Identifier: MIT */
/*
 * results.c - the second serial port (COM2), where test results go; and the
 * order in which devices start.
 */
#include "apic.h"
#include "arch/boot.h"
#include "arch/cpu.h"
#include "dev/pci.h"
#include "uart.h"

#define COM2 0x2f8

struct uart results_uart;

void
results_uart_init(void)
{
	uart_setup(&results_uart, COM2);
}

void
machine_init_devices(void)
{
	results_uart_init();
	ioapic_init();
	pci_init();
	uart_listen();
}

/* The APIC of this CPU is on since boot; the interrupt flag decides. */
void
machine_init_cpu(void)
{
}
