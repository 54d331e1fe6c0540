/* SPDX-License-Identifier: MIT */
/*
 * desc.c - descriptor tables: segments, stacks for traps, gates, SYSCALL.
 *
 * Nothing here has a counterpart on RISC-V, where one register says where all
 * traps go.  64-bit mode ignores most of a segment; what counts is the order
 * of the selectors (machine/asm.h), the stack for traps from user mode
 * (rsp0, set by each switch), and two more stacks for traps that must not
 * trust the one they find: double faults, NMI.
 * Every gate is an interrupt gate, so that a trap handler decides when
 * interrupts come on.  User mode may raise breakpoints only.
 * Source: Intel SDM vol. 3, sections 5.8.8, 6.14, 7.7.
 */
#include "arch/cpu.h"
#include "arch/mmu.h"
#include "lib/string.h"
#include "platform.h"

#define GATE_SIZE  16 /* of one of trap_stubs */
#define NVECTORS   256
#define GATE_INTR  0x8e
#define GATE_USER  0x60 /* DPL 3 */
#define IST_DOUBLE 1
#define IST_NMI	   2

#define VECTOR_BREAKPOINT 3

#define CODE_KERNEL 0x00af9b000000ffffull
#define DATA_KERNEL 0x00cf93000000ffffull
#define DATA_USER   0x00cff3000000ffffull
#define CODE_USER   0x00affb000000ffffull
#define TSS_TYPE    0x89ull

/* What SYSCALL clears: all that a program can set. */
#define SYSCALL_MASK 0x257fd5u

/* CPUs of one table of task-state segments; switch.S writes rsp0. */
struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3, io_bitmap;
} __attribute__((packed, aligned(1 << TSS_SHIFT)));
_Static_assert(offsetof(struct tss, rsp[0]) == TSS_RSP0, "asm.h");
_Static_assert(offsetof(struct tss, io_bitmap) == 102, "layout of the TSS");
_Static_assert(sizeof(struct tss) == 1 << TSS_SHIFT, "asm.h");

struct gate {
	uint16_t offset0, selector;
	uint8_t ist, type;
	uint16_t offset16;
	uint32_t offset32, reserved;
};

struct table_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

extern struct tss tss[MAXCPU];
struct tss tss[MAXCPU];
static uint64_t gdt[MAXCPU][TSS_SEL / 8 + 2];
static struct gate idt[NVECTORS];

static void
gate_set(unsigned vector, unsigned ist, unsigned type)
{
	uint64_t to = (uint64_t)trap_stubs + vector * GATE_SIZE;

	idt[vector] = (struct gate){
		.offset0 = (uint16_t)to,
		.selector = KERNEL_CS,
		.ist = (uint8_t)ist,
		.type = (uint8_t)type,
		.offset16 = (uint16_t)(to >> 16),
		.offset32 = (uint32_t)(to >> 32),
	};
}

void
desc_init(void)
{
	for (unsigned v = 0; v < NVECTORS; v++)
		gate_set(v, 0, GATE_INTR);
	gate_set(VECTOR_BREAKPOINT, 0, GATE_INTR | GATE_USER);
	gate_set(VECTOR_NMI, IST_NMI, GATE_INTR);
	gate_set(VECTOR_DOUBLEFAULT, IST_DOUBLE, GATE_INTR);
	gate_set(VECTOR_MACHINE, IST_DOUBLE, GATE_INTR);
}

void
desc_init_cpu(void)
{
	unsigned id = cpu_id();
	struct tss *t = &tss[id];
	uint64_t *g = gdt[id], base = (uint64_t)t;
	size_t limit = offsetof(struct tss, io_bitmap) + 1;
	struct table_register r = { sizeof(gdt[0]) - 1, (uint64_t)g };

	t->rsp[0] = this_cpu()->kstack;
	t->ist[IST_DOUBLE - 1] = (uint64_t)emergency_stacks +
	    ((uint64_t)(id + 1) << EMERGENCY_SHIFT);
	t->ist[IST_NMI - 1] = (uint64_t)nmi_stacks +
	    ((uint64_t)(id + 1) << EMERGENCY_SHIFT);
	t->io_bitmap = sizeof(*t); /* none */
	g[KERNEL_CS / 8] = CODE_KERNEL;
	g[KERNEL_SS / 8] = DATA_KERNEL;
	g[USER_SS / 8] = DATA_USER;
	g[USER_CS / 8] = CODE_USER;
	g[TSS_SEL / 8] = limit | (base & 0xffffff) << 16 | TSS_TYPE << 40 |
	    (base >> 24 & 0xff) << 56;
	g[TSS_SEL / 8 + 1] = base >> 32;
	__asm__ volatile("lgdt %0" ::"m"(r));
	__asm__ volatile("ltr %w0" ::"r"(TSS_SEL));
	r = (struct table_register){ sizeof(idt) - 1, (uint64_t)idt };
	__asm__ volatile("lidt %0" ::"m"(r));

	msr_write(MSR_STAR, (uint64_t)(USER_SS - 8) << 48 |
	    (uint64_t)KERNEL_CS << 32);
	msr_write(MSR_LSTAR, (uint64_t)syscall_entry_point);
	msr_write(MSR_SFMASK, SYSCALL_MASK);
}
