/* SPDX-License-Identifier: MIT */
/**
 * @file pci.h
 * Port contract: the PCI host bridge and its interrupt lines.
 *
 * Both machines have memory-mapped configuration space (ECAM); the scan, the
 * BARs and the drivers above it are machine-independent (dev/pci.c).
 */
#ifndef ARCH_PCI_H
#define ARCH_PCI_H

#include "lib/types.h"

/** A window of the bridge: what the CPU addresses as @p base is @p bus on the
 * bus. Of x86 ports base = bus. */
struct pci_window {
	paddr_t base;
	uint64_t bus;
	size_t size;
};

struct pci_host {
	paddr_t ecam;	  /* of bus 0; in the direct map; 0: no PCI */
	size_t ecam_size; /* bytes of it that may be touched */
	struct pci_window io, mem; /* for BARs that firmware left unassigned */
};

/** Filled in by the port before it calls pci_init(). */
extern struct pci_host pci_host;

/** Interrupt number of INTx @p pin (1 = A) of the device in @p slot. */
unsigned pci_irq(unsigned slot, unsigned pin);

/** Call @p handler on interrupt @p irq, which is level-triggered and shared;
 * again with the same arguments does nothing. @ctx boot, one CPU */
void irq_connect(unsigned irq, void (*handler)(void));

#endif
