/* SPDX-License-Identifier: MIT */
/*
 * cpu.c - CPU blocks, start-up of the other CPUs, power, backtraces.
 *
 * CPU numbers are dense and begin with the CPU that booted; APIC ids appear
 * only here, in ipi.c and in the I/O APIC.
 */
#include "arch/cpu.h"

#include "apic.h"
#include "arch/boot.h"
#include "arch/mmu.h"
#include "arch/timer.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "proc/proc.h"
#include "uart.h"

_Static_assert(offsetof(struct cpu, hwid) == CPU_HWID, "asm.h");
_Static_assert(sizeof(struct cpu) == CPU_SIZE, "asm.h");
_Static_assert(offsetof(struct cpu, id) == CPU_ID, "asm.h");
_Static_assert(offsetof(struct cpu, thread) == CPU_THREAD, "asm.h");
_Static_assert(offsetof(struct cpu, kstack) == CPU_KSTACK, "asm.h");
_Static_assert(offsetof(struct cpu, scratch[0]) == CPU_SCRATCH0, "asm.h");
_Static_assert(offsetof(struct cpu, scratch[1]) == CPU_SELF, "asm.h");
_Static_assert(offsetof(struct cpu, counter) == CPU_COUNTER, "asm.h");
_Static_assert(MAXCPU == 8, "entry.S and trap_entry.S: number of stacks");
_Static_assert(KSTACK_SIZE == KSTACK_PAGES * PAGE_SIZE, "asm.h");

#ifdef DEBUG
#define HAVE_FRAME_POINTERS 1
#else
#define HAVE_FRAME_POINTERS 0
#endif

#define START_LIMIT_NS 5000000000ull
#define INIT_WAIT_NS   10000000ull /* SDM 8.4.4.1 */
#define SPINS	       2000 /* between two looks */
#define SIPI_WAIT_NS   1000000ull

/* isa-debug-exit, and the ACPI register with sleep type 0: S5 of QEMU. */
#define PORT_EXIT  0xf4
#define PM1_SLEEP  0x2000

struct cpu cpus[MAXCPU];
unsigned ncpu = 1;
struct cpu *ap_cpu;

static void (*secondary_entry)(void);
static unsigned nonline = 1;  /* [a] */
static unsigned narrived = 1; /* [a] CPUs that have taken their ap_cpu */

static uintptr_t
boot_stack_top(unsigned id)
{
	return (uintptr_t)boot_stacks + (id + 1) * (PAGE_SIZE + KSTACK_SIZE);
}

void
cpu_init(void)
{
	desc_init_cpu();
	mmu_init_cpu();
}

void
cpu_main(void)
{
	cpu_init();
	apic_init();
	__atomic_fetch_add(&narrived, 1, __ATOMIC_RELEASE);
	secondary_entry();
	panic("cpu %u: no work", cpu_id());
}

/* Until @p *word reaches @p n, or the time is over. */
static bool
wait_for(const unsigned *word, unsigned n, ns_t duration)
{
	ns_t limit = timer_now() + duration;

	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) < n) {
		if (timer_now() > limit)
			return false;
		for (int i = 0; i < SPINS; i++)
			__asm__ volatile("");
		cpu_relax();
	}
	return true;
}

/* One at a time: ap_cpu is read by whoever starts.  A CPU that did not hear the
 * first start-up message gets a second one; running, it ignores it. */
static bool
start(struct cpu *c)
{
	uint32_t command = ICR_STARTUP | TRAMPOLINE >> PAGE_SHIFT;

	ap_cpu = c;
	mb();
	apic_send((uint32_t)c->hwid, command);
	if (wait_for(&narrived, (unsigned)c->id + 1, SIPI_WAIT_NS))
		return true;
	apic_send((uint32_t)c->hwid, command);
	return wait_for(&narrived, (unsigned)c->id + 1, START_LIMIT_NS);
}

void
cpu_start_others(void (*entry)(void))
{
	static const unsigned never;
	unsigned n;

	secondary_entry = entry;
	memcpy(phys_to_virt(TRAMPOLINE), ap_trampoline,
	    (size_t)(ap_trampoline_end - ap_trampoline));
	for (n = 1; n < platform.ncpus; n++) {
		cpus[n].id = n;
		cpus[n].hwid = platform.apic_id[n];
		cpus[n].kstack = boot_stack_top(n);
		apic_send(platform.apic_id[n], ICR_INIT);
	}
	if (n > 1)
		(void)wait_for(&never, 1, INIT_WAIT_NS);
	for (n = 1; n < platform.ncpus; n++) {
		if (start(&cpus[n]))
			continue;
		kprintf("cpu: APIC %u does not start, using %u CPUs\n",
		    platform.apic_id[n], n);
		break;
	}
	if (!wait_for(&nonline, n, START_LIMIT_NS))
		panic("cpu: only %u of %u CPUs came up", nonline, n);
	ncpu = n;
}

void
cpu_online(void)
{
	__atomic_fetch_add(&nonline, 1, __ATOMIC_RELEASE);
}

void
cpu_poweroff(int code)
{
	intr_disable();
	uart_drain();
	if (code != 0)
		port_write32(PORT_EXIT, (uint32_t)code);
	if (platform.pm_control != 0)
		port_write16(platform.pm_control, PM1_SLEEP);
	for (;;)
		__asm__ volatile("hlt");
}

static bool
in_stack(uintptr_t fp, uintptr_t top)
{
	return fp <= top - 2 * sizeof(fp) && fp >= top - KSTACK_SIZE;
}

/* Only frames inside a stack of this CPU or its thread are read. */
static bool
on_stack(uintptr_t fp)
{
	struct cpu *c = this_cpu();

	return fp % sizeof(fp) == 0 && (in_stack(fp, c->kstack) ||
	    (c->thread != NULL && in_stack(fp, c->thread->kstack)));
}

/* Frame pointers chain through the stack: fp[0] is the caller's fp, fp[1] the
 * return address. */
unsigned
cpu_backtrace(uintptr_t *pcs, unsigned max)
{
	uintptr_t fp = (uintptr_t)__builtin_frame_address(0);
	unsigned n = 0;

	if (!HAVE_FRAME_POINTERS)
		return 0;
	while (n < max && on_stack(fp)) {
		const uintptr_t *frame = (const uintptr_t *)fp;

		if (frame[1] < (uintptr_t)image_text_start ||
		    frame[1] >= (uintptr_t)image_rodata_start)
			break;
		pcs[n++] = frame[1];
		fp = frame[0];
	}
	return n;
}
