/* SPDX-License-Identifier: MIT */
/** @file acpi.h The static tables of ACPI: CPUs, interrupts, power, PCI.
 * Source: ACPI Specification 6.4, sections 5.2.5 to 5.2.12; PCI Firmware
 * Specification 3.0, section 4.1.2. */
#ifndef X86_64_ACPI_H
#define X86_64_ACPI_H

#include "lib/types.h"

struct acpi_rsdp {
	char signature[8]; /* "RSD PTR " */
	uint8_t checksum;
	char oem[6];
	uint8_t revision; /* from 2 on there is an XSDT */
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t checksum_extended, reserved[3];
} __attribute__((packed));

struct acpi_table {
	char signature[4];
	uint32_t length; /* of all, header included */
	uint8_t revision, checksum;
	char oem[6], oem_table[8];
	uint32_t oem_revision, creator, creator_revision;
} __attribute__((packed));

struct acpi_madt {
	struct acpi_table header; /* "APIC" */
	uint32_t lapic, flags;
} __attribute__((packed));

/** One entry of the MADT; its type decides which member counts. */
struct acpi_madt_entry {
	uint8_t type, length;
	union {
		struct {
			uint8_t processor, apic_id;
			uint32_t flags;
		} __attribute__((packed)) cpu;
		struct {
			uint8_t id, reserved;
			uint32_t address, gsi;
		} __attribute__((packed)) ioapic;
		struct {
			uint8_t bus, irq;
			uint32_t gsi;
			uint16_t flags;
		} __attribute__((packed)) override;
	};
} __attribute__((packed));

#define MADT_CPU      0
#define MADT_IOAPIC   1
#define MADT_OVERRIDE 2

/** As much of "FACP" as we need. */
struct acpi_fadt {
	struct acpi_table header;
	uint8_t skip[28];
	uint32_t pm1a_control;
} __attribute__((packed));

/** Where the configuration space of PCI is. */
struct acpi_mcfg {
	struct acpi_table header; /* "MCFG" */
	uint64_t reserved;
	struct acpi_mcfg_entry {
		uint64_t base;	  /* of bus 0 */
		uint16_t segment;
		uint8_t first_bus, last_bus;
		uint32_t reserved;
	} __attribute__((packed)) entry[];
} __attribute__((packed));

#endif
