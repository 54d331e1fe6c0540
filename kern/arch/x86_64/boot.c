/* SPDX-License-Identifier: MIT */
/*
 * boot.c - from PVH's start info and ACPI to struct platform and boot_info.
 *
 * Path: entry.S -> boot_main() -> kmain() (kern/main.c).
 * The start info, the command line and the memory map lie below 1 MiB and are
 * read here, once.  What is missing or broken ends in a message.
 * Source: x86/HVM direct boot ABI (Xen, docs/misc/pvh.pandoc).
 */
#include "arch/boot.h"

#include "acpi.h"
#include "apic.h"
#include "arch/cpu.h"
#include "arch/mmu.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "platform.h"

#define START_MAGIC  0x336ec578u
#define MEMORY_RAM   1u
#define PHYS_MAX ((paddr_t)1 << 52)

/* The loader aligns them as it likes. */
struct start_info {
	uint32_t magic, version, flags, nmodules;
	uint64_t modules, cmdline, rsdp;
	uint64_t memmap; /* from version 1 on */
	uint32_t nmemmap, reserved;
} __attribute__((packed));

struct start_module {
	uint64_t start, size, cmdline, reserved;
} __attribute__((packed));

struct start_memory {
	uint64_t start, size;
	uint32_t type, reserved;
} __attribute__((packed));

struct platform platform;
struct boot_info boot_info = { .cmdline = "" };

static char cmdline[1024];

void
platform_range(struct ranges *rs, paddr_t start, uint64_t size)
{
	if (size == 0 || start + size < start || start + size > PHYS_MAX)
		return;
	if (rs->n == PLATFORM_RANGES)
		panic("boot: more than %d ranges", PLATFORM_RANGES);
	rs->r[rs->n].start = start;
	rs->r[rs->n++].end = start + size;
}

static void
read_memory(const struct start_info *si)
{
	const struct start_memory *m = phys_to_virt(si->memmap);

	for (uint32_t i = 0; i < si->nmemmap; i++, m++) {
		uint64_t start = MAX(m->start, LOW_MEMORY_END);

		if (m->type == MEMORY_RAM && m->start + m->size > start)
			platform_range(&platform.ram, start,
			    m->start + m->size - start);
	}
	if (platform.ram.n == 0)
		panic("boot: no memory");
	/* Where the other CPUs begin. */
	platform_range(&platform.devices, TRAMPOLINE, PAGE_SIZE);
}

static void
read_start_info(const struct start_info *si)
{
	const struct start_module *m = phys_to_virt(si->modules);

	if (si->magic != START_MAGIC || si->version < 1)
		panic("boot: no PVH start info with a memory map");
	if (si->cmdline != 0 && strlcpy(cmdline, phys_to_virt(si->cmdline),
	    sizeof(cmdline)) >= sizeof(cmdline))
		kprintf("boot: command line cut to %zu bytes\n",
		    sizeof(cmdline) - 1);
	boot_info.cmdline = cmdline;
	if (si->nmodules > 0) {
		boot_info.initrd_start = m->start;
		boot_info.initrd_end = m->start + m->size;
	}
	read_memory(si);
	acpi_init(si->rsdp);
	pci_host_init();
}

/* The RAM disk must lie in one piece of RAM; else go on without it. */
static void
check_initrd(void)
{
	struct boot_info *b = &boot_info;

	for (unsigned i = 0; i < platform.ram.n; i++)
		if (b->initrd_start >= platform.ram.r[i].start &&
		    b->initrd_end <= platform.ram.r[i].end &&
		    b->initrd_start <= b->initrd_end)
			return;
	if (b->initrd_end != 0)
		kprintf("boot: initrd outside of RAM, ignored\n");
	b->initrd_start = b->initrd_end = 0;
}

void
boot_main(paddr_t start_info)
{
	uart_init();
	desc_init();
	cpu_init();
	platform.apic_id[0] = cpuid_apic_id();
	platform.ncpus = 1;
	this_cpu()->hwid = platform.apic_id[0];
	read_start_info(phys_to_virt(start_info));
	check_initrd();
	boot_info.ncpus = platform.ncpus;
	mmu_init();
	apic_init();
	timer_init();
	kmain();
}
