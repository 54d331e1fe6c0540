/* SPDX-License-Identifier: MIT */
/*
 * pci.c - find the devices on bus 0 and give their BARs addresses.
 *
 * OpenSBI assigns nothing, so the windows of the host bridge are ours.  One
 * pass: size each BAR, take the next aligned piece of its window, switch the
 * device on.  There are no bridges behind bus 0 of the machines we run on.
 * Source: PCI Local Bus Specification 3.0, chapter 6; PCIe ECAM.
 */
#include "pci.h"

#include "arch/cpu.h"
#include "arch/mmu.h"
#include "lib/printf.h"
#include "platform.h"

#define PCI_DEVICES_MAX 16

#define CONFIG_ID      0x00
#define CONFIG_COMMAND 0x04
#define CONFIG_HEADER  0x0e
#define CONFIG_BAR(n)  (0x10 + 4 * (n))

#define COMMAND_IO     0x1
#define COMMAND_MEMORY 0x2
#define COMMAND_MASTER 0x4
#define HEADER_TYPE    0x7f
#define HEADER_MULTI   0x80
#define BAR_IO	       0x1u
#define BAR_64	       0x4u

static struct pci_device devices[PCI_DEVICES_MAX];
static unsigned ndevices;
static uint64_t next_io, next_mem; /* bus addresses */

static volatile uint32_t *
config32(const struct pci_device *d, unsigned offset)
{
	return (volatile uint32_t *)(volatile void *)(d->config + offset);
}

/* A naturally aligned piece of one of the windows; 0: it is full. */
static uint64_t
take(uint64_t *next, uint64_t bus_end, uint32_t size)
{
	uint64_t at = ROUND_UP(*next, size);

	if (at + size > bus_end)
		return 0;
	*next = at + size;
	return at;
}

/* Size and place BAR @p n. @return how many BAR registers it occupies */
static unsigned
assign_bar(struct pci_device *d, unsigned n)
{
	const struct platform *p = &platform;
	volatile uint32_t *bar = config32(d, CONFIG_BAR(n));
	uint32_t flags = *bar, mask;
	bool io = flags & BAR_IO;
	uint64_t at;

	*bar = UINT32_MAX;
	mask = *bar & (io ? ~3u : ~15u);
	*bar = flags;
	if (mask == 0)
		return !io && (flags & BAR_64) ? 2 : 1;
	d->bar_size[n] = -mask;
	if (io)
		at = take(&next_io, p->pci_io_bus + p->pci_io.end -
		    p->pci_io.start, -mask);
	else
		at = take(&next_mem, p->pci_mem_bus + p->pci_mem.end -
		    p->pci_mem.start, -mask);
	if (at == 0) {
		kprintf("pci: no room for BAR %u of %x:%x\n", n, d->vendor,
		    d->device);
		d->bar_size[n] = 0;
	} else {
		*bar = (uint32_t)at;
		d->bar[n] = io ? at - p->pci_io_bus + p->pci_io.start :
				 at - p->pci_mem_bus + p->pci_mem.start;
	}
	if (io || !(flags & BAR_64))
		return 1;
	*config32(d, CONFIG_BAR(n + 1)) = 0;
	return 2;
}

/* @return the header byte, or -1: nobody there */
static int
probe(volatile uint8_t *config)
{
	struct pci_device *d = &devices[ndevices];
	unsigned header = config[CONFIG_HEADER];
	uint32_t id;

	d->config = config;
	id = *config32(d, CONFIG_ID);
	if ((id & 0xffff) == 0xffff)
		return -1;
	d->vendor = id & 0xffff;
	d->device = id >> 16;
	if ((header & HEADER_TYPE) == 0)
		for (unsigned n = 0; n < PCI_BARS;)
			n += assign_bar(d, n);
	*config32(d, CONFIG_COMMAND) = COMMAND_IO | COMMAND_MEMORY |
	    COMMAND_MASTER;
	ndevices++;
	return (int)header;
}

void
pci_init(void)
{
	volatile uint8_t *ecam = phys_to_virt(platform.pci_ecam);

	if (platform.pci_ecam == 0)
		return;
	/* Port and bus address 0 mean "unassigned" to devices. */
	next_io = MAX(platform.pci_io_bus, 0x1000u);
	next_mem = MAX(platform.pci_mem_bus, 0x1000u);
	for (unsigned slot = 0; slot < 32; slot++) {
		unsigned nfunctions = 1;

		for (unsigned fn = 0; fn < nfunctions; fn++) {
			size_t at = (slot << 3 | fn) << 12;
			int header;

			if (at >= platform.pci_ecam_size ||
			    ndevices == PCI_DEVICES_MAX)
				return;
			header = probe(ecam + at);
			if (fn == 0 && header > 0 && (header & HEADER_MULTI))
				nfunctions = 8;
		}
	}
}

struct pci_device *
pci_find(uint16_t vendor, uint16_t device, unsigned nth)
{
	for (unsigned i = 0; i < ndevices; i++)
		if (devices[i].vendor == vendor &&
		    devices[i].device == device && nth-- == 0)
			return &devices[i];
	return NULL;
}
