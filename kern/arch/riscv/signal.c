/* SPDX-License-Identifier: MIT */
/*
 * signal.c - signal frames as Linux lays them out on RISC-V.
 *
 * Path: signal_deliver() (proc) -> signal_frame_push(), back in user mode the
 * handler runs and returns to SIGRETURN_VA, a page of the kernel image that
 * every space shares -> sys_rt_sigreturn_full -> signal_frame_pop().
 * Nothing that a program writes into its frame can hurt more than itself: the
 * frame holds no privileged state.
 */
#include "abi/errno.h"
#include "abi/signal.h"
#include "arch/context.h"
#include "arch/mmu.h"
#include "arch/trap.h"
#include "lib/string.h"
#include "proc/proc.h"
#include "proc/signal.h"

#define FRAME_ALIGN 16

_Static_assert(sizeof(struct user_regs_struct) ==
    offsetof(struct trapframe, sysno), "the registers are copied as a block");
_Static_assert(offsetof(struct user_regs_struct, t6) ==
    offsetof(struct trapframe, t6), "the registers are copied as a block");
_Static_assert(sizeof(((struct fpu_state *)0)->f) ==
    sizeof(((struct sigcontext_fp *)0)->f), "FP registers likewise");

int
signal_frame_push(struct trapframe *tf, const struct signal_delivery *d)
{
	struct thread *t = thread_self();
	struct rt_sigframe frame;
	struct sigcontext *sc = &frame.uc.uc_mcontext;
	vaddr_t at = ROUND_DOWN(d->sp - sizeof(frame), FRAME_ALIGN);
	int error;

	memset(&frame, 0, sizeof(frame));
	frame.info = d->info;
	frame.uc.uc_stack = d->stack;
	frame.uc.uc_sigmask = d->mask;
	memcpy(&sc->sc_regs, tf, sizeof(sc->sc_regs));
	fpu_save(&t->fpu);
	if (t->fpu.used) {
		memcpy(sc->sc_fpregs.f, t->fpu.f, sizeof(sc->sc_fpregs.f));
		sc->sc_fpregs.fcsr = t->fpu.fcsr;
	}
	error = copyout(t->space, at, &frame, sizeof(frame));
	if (error != 0)
		return error;

	tf->ra = SIGRETURN_VA;
	tf->sp = at;
	tf->pc = (uint64_t)d->action.sa_handler;
	tf->a0 = (uint64_t)d->signo;
	tf->a1 = at + offsetof(struct rt_sigframe, info);
	tf->a2 = at + offsetof(struct rt_sigframe, uc);
	tf->sysno = TF_NO_SYSCALL;
	return 0;
}

/* A program that has never used FP stays so unless the frame has values. */
static void
fpu_pop(struct fpu_state *fpu, const struct sigcontext_fp *fp)
{
	uint64_t any = fp->fcsr;

	for (unsigned i = 0; i < ARRAY_SIZE(fp->f); i++)
		any |= fp->f[i];
	if (any == 0 && !fpu->used)
		return;
	memcpy(fpu->f, fp->f, sizeof(fpu->f));
	fpu->fcsr = fp->fcsr;
	fpu->used = true;
	fpu_restore(fpu);
}

int
signal_frame_pop(struct trapframe *tf, uint64_t *mask)
{
	struct thread *t = thread_self();
	struct rt_sigframe frame;
	int error;

	if (!IS_ALIGNED(tf->sp, FRAME_ALIGN))
		return EINVAL;
	error = copyin(t->space, &frame, tf->sp, sizeof(frame));
	if (error != 0)
		return error;
	memcpy(tf, &frame.uc.uc_mcontext.sc_regs,
	    sizeof(struct user_regs_struct));
	tf->sysno = TF_NO_SYSCALL;
	fpu_pop(&t->fpu, &frame.uc.uc_mcontext.sc_fpregs);
	*mask = frame.uc.uc_sigmask;
	return 0;
}
