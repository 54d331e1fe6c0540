/* SPDX-License-Identifier: MIT */
/*
 * acpi.c - what the firmware's tables say goes into struct platform.
 *
 * Path: boot_main() -> acpi_init(), on the boot tables, before mmu_init().
 * The tables lie in memory that the memory map does not call RAM; nothing
 * keeps a pointer into them.  Every length is checked: a broken table ends in a
 * message, as a missing one does.
 */
#include "acpi.h"

#include "arch/cpu.h"
#include "arch/mmu.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "platform.h"

#define BOOT_MAPPED  ((paddr_t)4 << 30) /* entry.S */
#define LENGTH_MAX   ((uint32_t)1 << 20)
#define CPU_ENABLED  1u
#define APIC_ID_MAX  254u
#define APIC_SIZE    0x1000
#define IOAPIC_SIZE  0x1000
#define RSDP_1_SIZE  20

static uint8_t
sum(const void *p, size_t n)
{
	const uint8_t *b = p;
	uint8_t s = 0;

	while (n-- > 0)
		s += *b++;
	return s;
}

static const void *
map(paddr_t pa, size_t size)
{
	return pa != 0 && pa < BOOT_MAPPED && size < BOOT_MAPPED - pa ?
	    phys_to_virt(pa) :
	    NULL;
}

/* The table at @p pa if it is sound and is called @p signature, else NULL. */
static const void *
table(paddr_t pa, const char *signature, size_t min)
{
	const struct acpi_table *t = map(pa, sizeof(*t));

	if (t == NULL || memcmp(t->signature, signature, 4) != 0)
		return NULL;
	if (t->length < min || t->length > LENGTH_MAX ||
	    map(pa, t->length) == NULL || sum(t, t->length) != 0)
		panic("acpi: table %.4s is broken", signature);
	return t;
}

/* NULL: there is no such table. */
static const void *
find(const struct acpi_rsdp *rsdp, const char *signature, size_t min)
{
	bool wide = rsdp->revision >= 2 && rsdp->xsdt != 0;
	const struct acpi_table *root = wide ?
	    table(rsdp->xsdt, "XSDT", sizeof(*root)) :
	    table(rsdp->rsdt, "RSDT", sizeof(*root));
	const char *p = (const char *)(root + 1);
	size_t size = wide ? 8 : 4;

	if (root == NULL)
		panic("acpi: no root table");
	for (size_t n = (root->length - sizeof(*root)) / size; n > 0; n--) {
		const void *t;
		uint64_t pa = 0;

		memcpy(&pa, p, size);
		p += size;
		t = table(pa, signature, min);
		if (t != NULL)
			return t;
	}
	return NULL;
}

static const void *
need(const struct acpi_rsdp *rsdp, const char *signature, size_t min)
{
	const void *t = find(rsdp, signature, min);

	if (t == NULL)
		panic("acpi: no table %s", signature);
	return t;
}

static void
add_cpu(uint32_t apic_id, uint32_t flags)
{
	struct platform *p = &platform;

	if (!(flags & CPU_ENABLED) || apic_id == p->apic_id[0])
		return;
	if (p->ncpus == MAXCPU || apic_id > APIC_ID_MAX)
		kprintf("boot: CPU with APIC %u stays off\n", apic_id);
	else
		p->apic_id[p->ncpus++] = apic_id;
}

static void
read_madt(const struct acpi_madt *m)
{
	const uint8_t *at = (const uint8_t *)(m + 1);
	const uint8_t *end = (const uint8_t *)m + m->header.length;
	struct platform *p = &platform;

	p->lapic = m->lapic;
	for (; end - at >= 2 && at[1] >= 2 && at[1] <= end - at; at += at[1]) {
		struct acpi_madt_entry e;

		memset(&e, 0, sizeof(e));
		memcpy(&e, at, MIN((size_t)at[1], sizeof(e)));
		if (e.type == MADT_CPU) {
			add_cpu(e.cpu.apic_id, e.cpu.flags);
		} else if (e.type == MADT_IOAPIC && p->ioapic == 0) {
			p->ioapic = e.ioapic.address;
			p->ioapic_gsi = e.ioapic.gsi;
		} else if (e.type == MADT_OVERRIDE &&
		    e.override.irq < ISA_IRQS) {
			p->isa_gsi[e.override.irq] = e.override.gsi;
		}
	}
}

/* The only one of its kind that may be missing: pci.c asks the chip then. */
static void
read_mcfg(const struct acpi_mcfg *m)
{
	size_t n = m == NULL ? 0 :
	    (m->header.length - sizeof(*m)) / sizeof(m->entry[0]);

	for (size_t i = 0; i < n; i++) {
		const struct acpi_mcfg_entry *e = &m->entry[i];

		if (e->segment != 0 || e->first_bus != 0)
			continue;
		platform.ecam = e->base;
		platform.ecam_size = (e->last_bus + (size_t)1) << 20;
		return;
	}
}

void
acpi_init(paddr_t rsdp_pa)
{
	const struct acpi_rsdp *rsdp = map(rsdp_pa, sizeof(*rsdp));
	const struct acpi_fadt *fadt;
	struct platform *p = &platform;

	if (rsdp == NULL || memcmp(rsdp->signature, "RSD PTR ", 8) != 0 ||
	    sum(rsdp, RSDP_1_SIZE) != 0)
		panic("acpi: no root pointer");
	for (unsigned irq = 0; irq < ISA_IRQS; irq++)
		p->isa_gsi[irq] = irq;
	read_madt(need(rsdp, "APIC", sizeof(struct acpi_madt)));
	fadt = need(rsdp, "FACP", sizeof(*fadt));
	p->pm_control = (uint16_t)fadt->pm1a_control;
	read_mcfg(find(rsdp, "MCFG", sizeof(struct acpi_mcfg)));
	if (p->lapic == 0 || p->ioapic == 0)
		panic("acpi: no local APIC or no I/O APIC");
	platform_range(&p->devices, p->lapic, APIC_SIZE);
	platform_range(&p->devices, p->ioapic, IOAPIC_SIZE);
}
