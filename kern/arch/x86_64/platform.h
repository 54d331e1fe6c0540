/* SPDX-License-Identifier: MIT */
/**
 * @file platform.h
 * What PVH and ACPI say about this machine; boot.c fills it in before anything
 * else runs.  All addresses are physical; 0: there is none.
 */
#ifndef X86_64_PLATFORM_H
#define X86_64_PLATFORM_H

#include "lib/types.h"

#define PLATFORM_RANGES 16
#define ISA_IRQS	16
#define DEVICE_IRQS	24 /* the ISA ones, then PCI's */

/** Memory below is firmware's: never handed out. */
#define LOW_MEMORY_END ((paddr_t)0x100000)

struct range {
	paddr_t start, end;
};

struct ranges {
	unsigned n;
	struct range r[PLATFORM_RANGES];
};

struct platform {
	struct ranges ram;
	struct ranges devices;	 /* registers: mapped, never RAM */
	unsigned ncpus;
	uint32_t apic_id[MAXCPU]; /* the boot CPU first */
	paddr_t lapic;
	paddr_t ioapic;
	uint32_t ioapic_gsi;	 /* number of its first input */
	uint32_t isa_gsi[ISA_IRQS]; /* which input an ISA interrupt has */
	uint16_t pm_control;	 /* ACPI PM1a control port: power off */
	paddr_t ecam;		 /* configuration space of PCI, from bus 0 */
	size_t ecam_size;
};

extern struct platform platform;

/** Append; panics when there are too many. (boot.c) */
void platform_range(struct ranges *, paddr_t start, uint64_t size);

/** First C code; the boot tables are loaded.  (boot.c)
 * @param start_info physical */
void boot_main(paddr_t start_info) __noreturn;
/** First C code of the other CPUs. (cpu.c) */
void cpu_main(void) __noreturn;

/* Start-up of the parts, in the order of boot_main(). */
void acpi_init(paddr_t rsdp); /* fills in platform */
void pci_host_init(void);     /* pci_host, from platform */
void desc_init(void);	      /* IDT */
void cpu_init(void);	      /* control registers and tables of this CPU */
void desc_init_cpu(void);     /* GDT, TSS, system-call entry */
void mmu_init(void);	      /* builds and loads the kernel's table */
void mmu_init_cpu(void);      /* NX, SMEP, SMAP */
void uart_init(void);
void apic_init(void);	      /* this CPU's; the 8259s go silent */
void timer_init(void);
void ioapic_init(void);

/* Interrupt handlers, called by trap_irq(). */
void trap_irq(uintptr_t vector);
void timer_interrupt(void);

/** In the NMI handler: stops here if a panic asked for it. (ipi.c) */
void ipi_nmi(void);

/* kernel.ld */
extern char image_text_start[], image_rodata_start[], image_data_start[];
extern char image_bss_start[], image_bss_end[], image_end[];
/* entry.S, trap_entry.S */
extern char boot_stacks[], ap_trampoline[], ap_trampoline_end[];
extern char emergency_stacks[], nmi_stacks[];
extern char trap_stubs[], syscall_entry_point[];
/** What the next CPU to start becomes; read by entry.S. (cpu.c) */
extern struct cpu *ap_cpu;

#endif
