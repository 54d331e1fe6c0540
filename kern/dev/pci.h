/* SPDX-License-Identifier: MIT */
/** @file pci.h Devices on PCI bus 0, with their registers assigned. */
#ifndef DEV_PCI_H
#define DEV_PCI_H

#include "arch/pci.h"

#define PCI_BARS 6

struct pci_device {
	uint16_t vendor, device;
	uint8_t slot;
	volatile uint8_t *config; /* its configuration space */
	paddr_t bar[PCI_BARS];	  /* as the CPU addresses it; 0: none */
	uint32_t bar_size[PCI_BARS];
	void (*handler)(void *); /* of its interrupt line */
	void *arg;
};

/** Find the devices. @ctx boot, once, by the port */
void pci_init(void);
/** The @p nth device of that kind (from 0), or NULL. */
struct pci_device *pci_find(uint16_t vendor, uint16_t device, unsigned nth);
/** Call @p handler in interrupt context whenever the device may have asked; it
 * looks whether it did, and quiets the device. */
void pci_connect(struct pci_device *, void (*handler)(void *), void *arg);

static inline uint32_t
pci_read32(const struct pci_device *d, unsigned offset)
{
	return *(volatile uint32_t *)(volatile void *)(d->config + offset);
}

#endif
