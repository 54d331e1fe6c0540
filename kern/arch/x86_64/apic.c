/* SPDX-License-Identifier: MIT */
/*
 * apic.c - switch on this CPU's local APIC.
 */
#include "apic.h"

#include "arch/cpu.h"
#include "lib/panic.h"

#define APIC_BASE_ENABLE 0x800u
#define APIC_BASE_X2APIC 0x400u
#define SVR_ENABLE	 0x100u
#define LVT_MASKED	 0x10000u
#define LVT_NMI		 0x400u
#define DIVIDE_BY_1	 0xbu
#define DFR_FLAT	 0xffffffffu

_Static_assert(MAXCPU <= 8, "flat logical destinations have 8 bits");

#define PIC1_DATA 0x21
#define PIC2_DATA 0xa1

uint32_t
cpuid_apic_id(void)
{
	uint32_t a = 1, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return b >> 24;
}

/* LINT1 is where a machine's NMI button goes; nothing else comes that way. */
void
apic_init(void)
{
	/* The firmware leaves the old controllers on: timer as vector 8. */
	port_write8(PIC1_DATA, 0xff);
	port_write8(PIC2_DATA, 0xff);
	if (msr_read(MSR_APIC_BASE) & APIC_BASE_X2APIC)
		panic("apic: the firmware left it in x2APIC mode");
	msr_write(MSR_APIC_BASE, platform.lapic | APIC_BASE_ENABLE |
	    (msr_read(MSR_APIC_BASE) & PAGE_MASK));
	*apic_reg(APIC_LVT_TIMER) = LVT_MASKED;
	*apic_reg(APIC_LVT_LINT0) = LVT_MASKED;
	*apic_reg(APIC_LVT_LINT1) = LVT_NMI;
	*apic_reg(APIC_LVT_ERROR) = LVT_MASKED;
	*apic_reg(APIC_TPR) = 0;
	*apic_reg(APIC_DFR) = DFR_FLAT;
	*apic_reg(APIC_LDR) = 1u << (24 + cpu_id());
	*apic_reg(APIC_TIMER_DIV) = DIVIDE_BY_1;
	*apic_reg(APIC_SVR) = SVR_ENABLE | VECTOR_SPURIOUS;
}
