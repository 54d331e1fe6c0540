/* SPDX-License-Identifier: MIT */
/*
 * context.c - first contexts of threads, and the user registers that no trap
 * frame holds.
 *
 * x87 and SSE are saved and loaded at every switch: as good as every program
 * uses SSE, since the compiler copies with it.  Measured with -icount: 6 and 22
 * instructions, segments included.  Trapping at the first use (CR0.TS) would
 * cost each of them 60 and more, and leave one program's registers in the CPU
 * while another one runs.
 * CR4.OSXSAVE stays 0: there is no AVX.
 * CR4.FSGSBASE stays 0 too, so the bases are what arch_prctl last set, unless
 * the program loads a selector: then base and selector are both switched.
 */
#include "arch/context.h"

#include "arch/cpu.h"
#include "lib/string.h"

_Static_assert(offsetof(struct context, rip) == CTX_RIP, "asm.h");
_Static_assert(offsetof(struct context, rsp) == CTX_RSP, "asm.h");
_Static_assert(offsetof(struct context, rbx) == CTX_RBX, "asm.h");
_Static_assert(offsetof(struct context, rbp) == CTX_RBP, "asm.h");
_Static_assert(offsetof(struct context, r12) == CTX_R12, "asm.h");
_Static_assert(offsetof(struct context, r15) == CTX_R15, "asm.h");

/* Offsets in the image of FXSAVE, and the state after a reset (SDM vol. 1,
 * sections 8.1 and 11.6.4). */
#define FX_FCW	 0
#define FX_MXCSR 24
#define FCW_INIT   0x037f
#define MXCSR_INIT 0x1f80u

/** Where a new context begins (switch.S). */
extern char context_start[];

void
context_init(struct context *c, uintptr_t stack_top, void (*fn)(void *),
    void *arg)
{
	memset(c, 0, sizeof(*c));
	c->rip = (uintptr_t)context_start;
	c->rsp = ROUND_DOWN(stack_top, 16);
	c->rbx = (uintptr_t)fn;
	c->r12 = (uintptr_t)arg;
}

void
fpu_init(struct fpu_state *fpu)
{
	uint16_t fcw = FCW_INIT;
	uint32_t mxcsr = MXCSR_INIT;

	memset(fpu, 0, sizeof(*fpu));
	memcpy(fpu->fxsave + FX_FCW, &fcw, sizeof(fcw));
	memcpy(fpu->fxsave + FX_MXCSR, &mxcsr, sizeof(mxcsr));
}

void
fpu_copy(struct fpu_state *to, const struct fpu_state *from)
{
	memcpy(to, from, sizeof(*to));
}

void
fpu_save(struct fpu_state *fpu)
{
	__asm__ volatile("fxsave64 %0" : "=m"(fpu->fxsave));
	__asm__("movw %%ds, %0" : "=m"(fpu->ds));
	__asm__("movw %%es, %0" : "=m"(fpu->es));
	__asm__("movw %%fs, %0" : "=m"(fpu->fs));
	__asm__("movw %%gs, %0" : "=m"(fpu->gs));
}

static inline void
load_bases(uint64_t fs, uint64_t gs)
{
	msr_write(MSR_FS_BASE, fs);
	msr_write(MSR_KERNEL_GS_BASE, gs);
}

/* A selector that the thread had loaded before can be loaded again: the table
 * never changes.  Loading gs also sets the base of the kernel, so it is done
 * while that one is aside.  A selector other than 0 brings its base: 0. */
static __slowpath void
load_selectors(const struct fpu_state *fpu)
{
	bool on = intr_disable();

	__asm__ volatile("movw %0, %%ds; movw %1, %%es; movw %2, %%fs\n\t"
			 "swapgs; movw %3, %%gs; swapgs"
			 ::"m"(fpu->ds), "m"(fpu->es), "m"(fpu->fs),
			 "m"(fpu->gs)
			 : "memory");
	load_bases(fpu->fs == 0 ? fpu->fs_base : 0,
	    fpu->gs == 0 ? fpu->gs_base : 0);
	intr_restore(on);
}

void
fpu_restore(const struct fpu_state *fpu)
{
	uint32_t ds, es, fs, gs;

	__asm__ volatile("movl %%ds, %0" : "=r"(ds));
	__asm__ volatile("movl %%es, %0" : "=r"(es));
	__asm__ volatile("movl %%fs, %0" : "=r"(fs));
	__asm__ volatile("movl %%gs, %0" : "=r"(gs));
	if (unlikely((ds | es | fs | gs | fpu->selectors) != 0))
		load_selectors(fpu);
	else
		load_bases(fpu->fs_base, fpu->gs_base);
	__asm__ volatile("fxrstor64 %0" ::"m"(fpu->fxsave));
}
