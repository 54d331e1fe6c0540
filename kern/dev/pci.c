/* SPDX-License-Identifier: MIT */
/*
 * pci.c - find the devices on bus 0 and give their BARs addresses.
 *
 * One pass: size each BAR, keep what firmware assigned in the window (SeaBIOS
 * does, OpenSBI does not), else take the next aligned piece of it, and switch
 * the device on.  There are no bridges behind bus 0 of the machines we run on.
 * Interrupt lines are shared, so each interrupt asks all connected devices.
 * Source: PCI Local Bus Specification 3.0, chapter 6; PCIe ECAM.
 */
#include "dev/pci.h"

#include "arch/cpu.h"
#include "arch/mmu.h"
#include "lib/printf.h"

#define PCI_DEVICES_MAX 16

#define CONFIG_ID      0x00
#define CONFIG_COMMAND 0x04
#define CONFIG_HEADER  0x0e
#define CONFIG_BAR(n)  (0x10 + 4 * (n))
#define CONFIG_PIN     0x3d

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

/* A naturally aligned piece of a window; 0: it is full. */
static uint64_t
take(uint64_t *next, const struct pci_window *w, uint32_t size)
{
	uint64_t at = ROUND_UP(*next, size);

	if (at + size > w->bus + w->size)
		return 0;
	*next = at + size;
	return at;
}

static bool
inside(uint64_t at, const struct pci_window *w, uint32_t size)
{
	return at >= w->bus && at + size <= w->bus + w->size;
}

/* Size and place BAR @p n. @return how many BAR registers it occupies */
static unsigned
assign_bar(struct pci_device *d, unsigned n)
{
	volatile uint32_t *bar = config32(d, CONFIG_BAR(n));
	uint32_t flags = *bar, mask;
	bool io = flags & BAR_IO, wide = !io && (flags & BAR_64);
	const struct pci_window *w = io ? &pci_host.io : &pci_host.mem;
	uint64_t at = flags & (io ? ~3u : ~15u);

	*bar = UINT32_MAX;
	mask = *bar & (io ? ~3u : ~15u);
	*bar = flags;
	if (mask == 0)
		return wide ? 2 : 1;
	if (wide)
		at |= (uint64_t)*config32(d, CONFIG_BAR(n + 1)) << 32;
	d->bar_size[n] = -mask;
	if (at == 0 || !inside(at, w, -mask)) {
		at = take(io ? &next_io : &next_mem, w, -mask);
		*bar = (uint32_t)at;
		if (wide)
			*config32(d, CONFIG_BAR(n + 1)) = (uint32_t)(at >> 32);
	}
	if (at == 0) {
		kprintf("pci: no room for BAR %u of %x:%x\n", n, d->vendor,
		    d->device);
		d->bar_size[n] = 0;
	} else {
		d->bar[n] = at - w->bus + w->base;
	}
	return wide ? 2 : 1;
}

/* @return the header byte, or -1: nobody there */
static int
probe(volatile uint8_t *config, unsigned slot)
{
	struct pci_device *d = &devices[ndevices];
	unsigned header = config[CONFIG_HEADER];
	uint32_t id;

	d->config = config;
	d->slot = (uint8_t)slot;
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
	volatile uint8_t *ecam = phys_to_virt(pci_host.ecam);

	if (pci_host.ecam == 0)
		return;
	/* Port and bus address 0 mean "unassigned" to devices. */
	next_io = MAX(pci_host.io.bus, 0x1000u);
	next_mem = MAX(pci_host.mem.bus, 0x1000u);
	for (unsigned slot = 0; slot < 32; slot++) {
		unsigned nfunctions = 1;

		for (unsigned fn = 0; fn < nfunctions; fn++) {
			size_t at = (slot << 3 | fn) << 12;
			int header;

			if (at >= pci_host.ecam_size ||
			    ndevices == PCI_DEVICES_MAX)
				return;
			header = probe(ecam + at, slot);
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

static void
pci_interrupt(void)
{
	for (unsigned i = 0; i < ndevices; i++)
		if (devices[i].handler != NULL)
			devices[i].handler(devices[i].arg);
}

void
pci_connect(struct pci_device *d, void (*handler)(void *), void *arg)
{
	d->arg = arg;
	d->handler = handler;
	irq_connect(pci_irq(d->slot, d->config[CONFIG_PIN]), pci_interrupt);
}
