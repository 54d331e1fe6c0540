/* SPDX-License-Identifier: MIT */
/** @file pci.h Devices on PCI bus 0, with their registers assigned. */
#ifndef RISCV_PCI_H
#define RISCV_PCI_H

#include "lib/types.h"

#define PCI_BARS 6

struct pci_device {
	uint16_t vendor, device;
	volatile uint8_t *config; /* its configuration space */
	paddr_t bar[PCI_BARS];	  /* as the CPU addresses it; 0: none */
	uint32_t bar_size[PCI_BARS];
};

/** The @p nth device of that kind (from 0), or NULL. */
struct pci_device *pci_find(uint16_t vendor, uint16_t device, unsigned nth);

#endif
