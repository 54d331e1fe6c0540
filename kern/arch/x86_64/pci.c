/* SPDX-License-Identifier: MIT */
/*
 * pci.c - the PCI host bridge of q35: configuration space, windows, interrupts.
 *
 * Path: boot.c -> pci_host_init(), before the kernel's table is built.
 * Configuration space is where the MCFG says.  Without that table the bridge
 * itself is asked, through its ports; what no firmware has set is set here.
 * BARs without an address get one between configuration space and the I/O APIC;
 * SeaBIOS fills the same window from its upper end.
 * The way of the interrupt pins is in no static table (it is AML).
 * Source: Intel 3 Series MCH datasheet (PCIEXBAR), ICH9 datasheet (D25IR to
 * D31IR, PIRQ); QEMU's hw/isa/lpc_ich9.c for the slots that ICH9 lacks.
 */
#include "arch/pci.h"

#include "arch/cpu.h"
#include "lib/printf.h"
#include "platform.h"

#define PORT_ADDRESS   0xcf8
#define PORT_DATA      0xcfc
#define ADDRESS_ENABLE 0x80000000u

/* Of the host bridge, device 0. */
#define CONFIG_ID	  0x00
#define CONFIG_PCIEXBAR	  0x60
#define ID_Q35		  0x29c08086u
#define PCIEXBAR_ENABLE	  0x1u
#define PCIEXBAR_LENGTH	  0x6u /* 256 MiB, halved so many times */
#define PCIEXBAR_ADDRESS  0xfc000000u
#define PCIEXBAR_DEFAULT  0xb0000000u /* above all RAM below 4 GiB */
#define PCIEXBAR_SIZE_MAX ((size_t)256 << 20)

#define BUS_SIZE  ((size_t)1 << 20)
#define LIMIT_32  ((paddr_t)1 << 32)
#define IO_START  0x1000u /* legacy devices below */
#define IO_END	  0x10000u
#define FIRST_PIRQ 16 /* PIRQA's input of the I/O APIC */

struct pci_host pci_host;

static uint32_t
bridge_read(unsigned offset)
{
	port_write32(PORT_ADDRESS, ADDRESS_ENABLE | offset);
	return port_read32(PORT_DATA);
}

static void
bridge_write(unsigned offset, uint32_t value)
{
	port_write32(PORT_ADDRESS, ADDRESS_ENABLE | offset);
	port_write32(PORT_DATA, value);
}

/* No MCFG: as the bridge is set, or set it. */
static void
ask_bridge(void)
{
	uint32_t low;

	if (bridge_read(CONFIG_ID) != ID_Q35)
		return;
	if (!(bridge_read(CONFIG_PCIEXBAR) & PCIEXBAR_ENABLE)) {
		bridge_write(CONFIG_PCIEXBAR + 4, 0);
		bridge_write(CONFIG_PCIEXBAR,
		    PCIEXBAR_DEFAULT | PCIEXBAR_ENABLE);
	}
	low = bridge_read(CONFIG_PCIEXBAR);
	platform.ecam = (paddr_t)bridge_read(CONFIG_PCIEXBAR + 4) << 32 |
	    (low & PCIEXBAR_ADDRESS);
	platform.ecam_size = PCIEXBAR_SIZE_MAX >> (low & PCIEXBAR_LENGTH) / 2;
}

/* The end of what lies below 4 GiB, of RAM and of configuration space. */
static paddr_t
used_end(void)
{
	const struct platform *p = &platform;
	paddr_t end = p->ecam < LIMIT_32 ? p->ecam + p->ecam_size : 0;

	for (unsigned i = 0; i < p->ram.n; i++)
		if (p->ram.r[i].start < LIMIT_32)
			end = MAX(end, p->ram.r[i].end);
	return end;
}

void
pci_host_init(void)
{
	struct platform *p = &platform;
	paddr_t start;

	if (p->ecam == 0)
		ask_bridge();
	if (p->ecam == 0)
		return;
	pci_host.ecam = p->ecam;
	pci_host.ecam_size = MIN(p->ecam_size, BUS_SIZE);
	pci_host.io = (struct pci_window){ IO_START, IO_START,
		IO_END - IO_START };
	start = used_end();
	if (start < p->ioapic)
		pci_host.mem = (struct pci_window){ start, start,
			p->ioapic - start };
	platform_range(&p->devices, pci_host.ecam, pci_host.ecam_size);
	platform_range(&p->devices, pci_host.mem.base, pci_host.mem.size);
}

/* The pins of the chip's own slots go to PIRQA to PIRQD, those of its bridge to
 * PIRQE to PIRQH, on which the other slots take turns. */
unsigned
pci_irq(unsigned slot, unsigned pin)
{
	enum { FIRST_OWN_SLOT = 25, BRIDGE_SLOT = 30, NPINS = 4 };

	if (pin == 0)
		return 0;
	if (slot == BRIDGE_SLOT)
		slot = 0;
	if (slot >= FIRST_OWN_SLOT)
		return FIRST_PIRQ + (pin - 1) % NPINS;
	return FIRST_PIRQ + NPINS + (slot + pin - 1) % NPINS;
}
