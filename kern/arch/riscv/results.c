/* SPDX-License-Identifier: MIT */
/*
 * results.c - the second serial channel (QEMU's pci-serial), where test results
 * go; and the order in which devices start.
 */
#include "arch/boot.h"
#include "arch/cpu.h"
#include "dev/pci.h"
#include "platform.h"
#include "uart.h"

#define VENDOR_REDHAT	  0x1b36
#define DEVICE_PCI_SERIAL 0x0002

struct uart results_uart;

void
results_uart_init(void)
{
	struct pci_device *d = pci_find(VENDOR_REDHAT, DEVICE_PCI_SERIAL, 0);

	if (d != NULL && d->bar[0] != 0)
		uart_setup(&results_uart, d->bar[0]);
}

void
machine_init_devices(void)
{
	pci_init();
	results_uart_init();
}

void
machine_init_cpu(void)
{
	plic_init_cpu();
	csr_write(sie, SIE_SSIE | SIE_STIE | SIE_SEIE);
}
