/* SPDX-License-Identifier: MIT */
/**
 * @file platform.h
 * What the device tree says about this machine; boot.c fills it in before
 * anything else runs.  All addresses are physical; 0: there is none.
 */
#ifndef RISCV_PLATFORM_H
#define RISCV_PLATFORM_H

#include "lib/types.h"

#define PLATFORM_RANGES 16

struct range {
	paddr_t start, end;
};

struct ranges {
	unsigned n;
	struct range r[PLATFORM_RANGES];
};

struct platform {
	struct ranges ram;
	struct ranges reserved;	 /* firmware: neither mapped nor used */
	struct ranges devices;	 /* registers: mapped without caching rights */
	uint64_t timebase_hz;
	bool sstc;		 /* every CPU has stimecmp */
	unsigned nharts;
	uint64_t hart[MAXCPU];	 /* hart ids, the boot hart first */
	uint32_t intc[MAXCPU];	 /* phandles of their interrupt inputs */
	paddr_t uart;
	unsigned uart_irq;
	paddr_t plic;
	unsigned plic_context[MAXCPU]; /* of supervisor mode of that CPU */
	bool direct_ipi;	 /* every CPU has the next one */
	paddr_t sswi[MAXCPU];	 /* register that interrupts that CPU */
	paddr_t test;		 /* sifive_test: power and exit code */
	paddr_t rtc;		 /* goldfish: nanoseconds since 1970 */
	uint8_t pci_irq[4][4];	 /* by slot modulo 4 and pin */
};

extern struct platform platform;

/** First C code; the boot table is loaded. @param dtb physical (boot.c) */
void boot_main(uint64_t hart, paddr_t dtb) __noreturn;
/** First C code of the other harts. (cpu.c) */
void cpu_main(void) __noreturn;

/* Start-up of the parts, in the order of boot_main(). */
void cpu_init(void);	  /* control registers of this CPU */
void mmu_init(void);	  /* builds and loads the kernel's table */
void timer_init(void);
void uart_init(void);
void plic_init_cpu(void);
void results_uart_init(void);

/* Interrupt handlers, called by trap_irq(). */
void trap_irq(uintptr_t cause);
void ipi_interrupt(void);
void timer_interrupt(void);
void plic_interrupt(void);

/** Another CPU is in panic(): stop this one. (ipi.c) */
void ipi_stop_others(void);

/* kernel.ld */
extern char image_text_start[], image_rodata_start[], image_data_start[];
extern char image_bss_start[], image_bss_end[], image_end[];
/* entry.S, trap_entry.S, switch.S */
extern char boot_stacks[], boot_secondary[], emergency_stacks[];
extern char sigreturn_page[], trap_entry[];
struct fpu_state;
void fpu_store(struct fpu_state *);
void fpu_load(const struct fpu_state *);
/** The FPU is off: give it to the current thread. False when it was on, so the
 * instruction really is illegal. (context.c) */
bool fpu_first_use(struct fpu_state *);

#endif
