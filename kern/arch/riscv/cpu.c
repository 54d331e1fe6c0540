/* SPDX-License-Identifier: MIT */
/*
 * cpu.c - CPU blocks, start-up of the other harts, power, backtraces.
 *
 * CPU numbers are dense and begin with the hart that booted; hart ids appear
 * only here, in ipi.c and in mmu_remote_flush_asid().
 */
#include "arch/cpu.h"

#include "arch/boot.h"
#include "arch/mmu.h"
#include "arch/timer.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "platform.h"
#include "proc/proc.h"
#include "sbi.h"
#include "uart.h"

_Static_assert(offsetof(struct cpu, hwid) == CPU_HWID, "asm.h");
_Static_assert(sizeof(struct cpu) == CPU_SIZE, "asm.h");
_Static_assert(offsetof(struct cpu, id) == CPU_ID, "asm.h");
_Static_assert(offsetof(struct cpu, thread) == CPU_THREAD, "asm.h");
_Static_assert(offsetof(struct cpu, kstack) == CPU_KSTACK, "asm.h");
_Static_assert(offsetof(struct cpu, scratch[0]) == CPU_SCRATCH0, "asm.h");
_Static_assert(offsetof(struct cpu, scratch[1]) == CPU_SCRATCH1, "asm.h");
_Static_assert(offsetof(struct cpu, counter) == CPU_COUNTER, "asm.h");
_Static_assert(MAXCPU == 8, "entry.S and trap_entry.S: number of stacks");
_Static_assert(KSTACK_SIZE == KSTACK_PAGES * PAGE_SIZE, "asm.h");

#ifdef DEBUG
#define HAVE_FRAME_POINTERS 1
#else
#define HAVE_FRAME_POINTERS 0
#endif

#define START_LIMIT_NS 5000000000ull
#define COUNTERS_USER  7 /* cycle, time, instret */

/* sifive_test */
#define TEST_PASS 0x5555u
#define TEST_FAIL 0x3333u

struct cpu cpus[MAXCPU];
unsigned ncpu = 1;

static void (*secondary_entry)(void);
static unsigned nonline = 1; /* [a] */

static uintptr_t
boot_stack_top(unsigned id)
{
	return (uintptr_t)boot_stacks + (id + 1) * (PAGE_SIZE + KSTACK_SIZE);
}

/* SPP and SPIE: see trap_entry.S. SUM and MXR are never set after this. */
void
cpu_init(void)
{
	csr_write(stvec, (uint64_t)trap_entry);
	csr_write(sie, 0);
	csr_clear(sstatus, ~(uint64_t)SSTATUS_SPIE);
	csr_set(sstatus, SSTATUS_SPIE);
	csr_write(scounteren, COUNTERS_USER);
}

void
cpu_main(void)
{
	cpu_init();
	mmu_flush_all();
	secondary_entry();
	panic("cpu %u: no work", cpu_id());
}

void
cpu_start_others(void (*entry)(void))
{
	ns_t limit = timer_now() + START_LIMIT_NS;
	unsigned n;

	secondary_entry = entry;
	mb();
	for (n = 1; n < platform.nharts; n++) {
		struct cpu *c = &cpus[n];
		long error;

		c->id = n;
		c->hwid = platform.hart[n];
		c->kstack = boot_stack_top(n);
		error = sbi_hart_start(c->hwid, virt_to_phys(boot_secondary),
		    (uint64_t)c);
		if (error != 0) {
			kprintf("cpu: hart %lu does not start (%ld), using "
				"%u CPUs\n", c->hwid, error, n);
			break;
		}
	}
	while (__atomic_load_n(&nonline, __ATOMIC_ACQUIRE) < n) {
		if (timer_now() > limit)
			panic("cpu: only %u of %u CPUs came up", nonline, n);
		cpu_relax();
	}
	ncpu = n;
}

void
cpu_online(void)
{
	__atomic_fetch_add(&nonline, 1, __ATOMIC_RELEASE);
}

void
cpu_stop_others(void)
{
	ipi_stop_others();
}

void
cpu_poweroff(int code)
{
	volatile uint32_t *test = phys_to_virt(platform.test);

	intr_disable();
	uart_drain();
	if (platform.test != 0)
		*test = code == 0 ? TEST_PASS :
				    (uint32_t)code << 16 | TEST_FAIL;
	sbi_system_reset();
	for (;;)
		cpu_idle();
}

static bool
in_stack(uintptr_t fp, uintptr_t top)
{
	return fp <= top && fp >= top - KSTACK_SIZE + 2 * sizeof(fp);
}

/* Only frames inside a stack of this CPU or its thread are read. */
static bool
on_stack(uintptr_t fp)
{
	struct cpu *c = this_cpu();

	return fp % sizeof(fp) == 0 && (in_stack(fp, c->kstack) ||
	    (c->thread != NULL && in_stack(fp, c->thread->kstack)));
}

/*
 * Frame pointers chain through the stack: fp[-1] is the return address and
 * fp[-2] the caller's fp.  A function that calls none and was interrupted has
 * stored its caller's fp only, at fp[-1].
 */
unsigned
cpu_backtrace(uintptr_t *pcs, unsigned max)
{
	uintptr_t fp = (uintptr_t)__builtin_frame_address(0);
	unsigned n = 0;

	if (!HAVE_FRAME_POINTERS)
		return 0;
	__asm__ volatile("" ::: "ra"); /* so that our own frame has it */
	while (n < max && on_stack(fp)) {
		const uintptr_t *frame = (const uintptr_t *)fp;

		if (frame[-1] >= (uintptr_t)image_text_start &&
		    frame[-1] < (uintptr_t)image_rodata_start) {
			pcs[n++] = frame[-1];
			fp = frame[-2];
		} else if (on_stack(frame[-1]) && frame[-1] > fp) {
			fp = frame[-1];
		} else {
			break;
		}
	}
	return n;
}
