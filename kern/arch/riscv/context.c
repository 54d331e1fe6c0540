/* SPDX-License-Identifier: MIT */
/*
 * context.c - first contexts of threads, and who owns the FP registers.
 *
 * FP registers are saved at a switch only when they changed (sstatus.FS says
 * so) and loaded at a switch only for threads that have ever used them.  The
 * first FP instruction of a program traps, once.  Measured with -icount: a load
 * or a save takes 39 instructions, the trap 452 (OpenSBI sees it before us), so
 * that trapping at the first use after every switch would pay only for threads
 * that use FP less than once in 11 switches.
 */
#include "arch/context.h"

#include "arch/cpu.h"
#include "lib/string.h"
#include "platform.h"

_Static_assert(offsetof(struct context, ra) == CTX_RA, "asm.h");
_Static_assert(offsetof(struct context, sp) == CTX_SP, "asm.h");
_Static_assert(offsetof(struct context, gp) == CTX_GP, "asm.h");
_Static_assert(offsetof(struct context, s[11]) == CTX_S(11), "asm.h");
_Static_assert(offsetof(struct context, t3) == CTX_T3, "asm.h");
_Static_assert(offsetof(struct context, t6) == CTX_T6, "asm.h");
_Static_assert(offsetof(struct fpu_state, f[31]) == FPU_F(31), "asm.h");
_Static_assert(offsetof(struct fpu_state, fcsr) == FPU_FCSR, "asm.h");

/** Where a new context begins (switch.S). */
extern char context_start[];

void
context_init(struct context *c, uintptr_t stack_top, void (*fn)(void *),
    void *arg)
{
	memset(c, 0, sizeof(*c));
	c->ra = (uintptr_t)context_start;
	c->sp = ROUND_DOWN(stack_top, 16);
	c->s[1] = (uintptr_t)fn;
	c->s[2] = (uintptr_t)arg;
}

void
fpu_init(struct fpu_state *fpu)
{
	memset(fpu, 0, sizeof(*fpu));
}

void
fpu_copy(struct fpu_state *to, const struct fpu_state *from)
{
	if (from->used)
		memcpy(to, from, sizeof(*to));
	else
		to->used = false;
}

void
fpu_save(struct fpu_state *fpu)
{
	if ((csr_read(sstatus) & SSTATUS_FS) == SSTATUS_FS)
		fpu_store(fpu);
}

void
fpu_restore(const struct fpu_state *fpu)
{
	if (fpu->used)
		fpu_load(fpu);
	else
		csr_clear(sstatus, SSTATUS_FS);
}

bool
fpu_first_use(struct fpu_state *fpu)
{
	if ((csr_read(sstatus) & SSTATUS_FS) != 0)
		return false;
	fpu_init(fpu); /* until here only "used" was valid */
	fpu->used = true;
	fpu_load(fpu);
	return true;
}
