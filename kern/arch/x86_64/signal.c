/* SPDX-License-Identifier: MIT */
/*
 * signal.c - signal frames as Linux lays them out on x86-64.
 *
 * Path: signal_deliver() (proc) -> signal_frame_push(), back in user mode the
 * handler runs and returns to the restorer that the program itself has named ->
 * sys_rt_sigreturn_full -> signal_frame_pop().
 * Nothing that a program writes into its frame can hurt more than itself: the
 * selectors must be the user's, of the flags only those count that a program
 * can set anyway, and trap_entry.S looks at the address.
 */
#include "abi/errno.h"
#include "abi/signal.h"
#include "arch/context.h"
#include "arch/mmu.h"
#include "arch/trap.h"
#include "lib/string.h"
#include "proc/proc.h"
#include "proc/signal.h"

#define RED_ZONE    128 /* below the stack pointer; System V ABI, 3.2.2 */
#define FRAME_ALIGN 16

#define UC_SIGCONTEXT_SS     2
#define UC_STRICT_RESTORE_SS 4

/* CF PF AF ZF SF TF DF OF RF AC. */
#define RFLAGS_USER  0x50dd5ull
#define RFLAGS_FIXED (RFLAGS_IF | 2)
/* A handler starts without: TF DF RF AC. */
#define RFLAGS_HANDLER_CLEAR 0x50500ull

#define MXCSR_DEFAULT_MASK 0xffbfu

_Static_assert(sizeof(((struct fpu_state *)0)->fxsave) ==
    sizeof(struct sigcontext_fp), "FXSAVE is copied as a block");
_Static_assert(offsetof(struct rt_sigframe, uc) == 8, "Linux's layout");
_Static_assert(offsetof(struct ucontext, uc_mcontext) == 40, "Linux's layout");

static void
fill(struct sigcontext *sc, const struct trapframe *tf)
{
	sc->r8 = tf->r8;
	sc->r9 = tf->r9;
	sc->r10 = tf->r10;
	sc->r11 = tf->r11;
	sc->r12 = tf->r12;
	sc->r13 = tf->r13;
	sc->r14 = tf->r14;
	sc->r15 = tf->r15;
	sc->rdi = tf->rdi;
	sc->rsi = tf->rsi;
	sc->rbp = tf->rbp;
	sc->rbx = tf->rbx;
	sc->rdx = tf->rdx;
	sc->rax = tf->rax;
	sc->rcx = tf->rcx;
	sc->rsp = tf->rsp;
	sc->rip = tf->rip;
	sc->eflags = tf->rflags;
	sc->cs = USER_CS;
	sc->ss = USER_SS;
	sc->err = tf->error;
	sc->trapno = tf->vector;
}

static void
take(struct trapframe *tf, const struct sigcontext *sc)
{
	tf->r8 = sc->r8;
	tf->r9 = sc->r9;
	tf->r10 = sc->r10;
	tf->r11 = sc->r11;
	tf->r12 = sc->r12;
	tf->r13 = sc->r13;
	tf->r14 = sc->r14;
	tf->r15 = sc->r15;
	tf->rdi = sc->rdi;
	tf->rsi = sc->rsi;
	tf->rbp = sc->rbp;
	tf->rbx = sc->rbx;
	tf->rdx = sc->rdx;
	tf->rax = sc->rax;
	tf->rcx = sc->rcx;
	tf->rsp = sc->rsp;
	tf->rip = sc->rip;
	tf->rflags = (sc->eflags & RFLAGS_USER) | RFLAGS_FIXED;
	tf->sysno = TF_NO_SYSCALL;
}

int
signal_frame_push(struct trapframe *tf, const struct signal_delivery *d)
{
	struct thread *t = thread_self();
	struct rt_sigframe frame;
	vaddr_t fp = ROUND_DOWN(d->sp - RED_ZONE - sizeof(t->fpu.fxsave),
	    FRAME_ALIGN);
	/* As after a call: the handler expects its return address there. */
	vaddr_t at = ROUND_DOWN(fp - sizeof(frame), FRAME_ALIGN) - 8;
	int error;

	if (!(d->action.sa_flags & SA_RESTORER))
		return EFAULT;
	memset(&frame, 0, sizeof(frame));
	frame.pretcode = d->action.sa_restorer;
	frame.info = d->info;
	frame.uc.uc_flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
	frame.uc.uc_stack = d->stack;
	frame.uc.uc_sigmask = d->mask;
	fill(&frame.uc.uc_mcontext, tf);
	frame.uc.uc_mcontext.oldmask = d->mask;
	frame.uc.uc_mcontext.fpstate = (struct sigcontext_fp *)fp;
	if (d->signo == SIGSEGV || d->signo == SIGBUS)
		frame.uc.uc_mcontext.cr2 = (uint64_t)d->info.si_addr;
	fpu_save(&t->fpu);
	error = copyout(t->space, fp, t->fpu.fxsave, sizeof(t->fpu.fxsave));
	if (error == 0)
		error = copyout(t->space, at, &frame, sizeof(frame));
	if (error != 0)
		return error;

	tf->rsp = at;
	tf->rip = (uint64_t)d->action.sa_handler;
	tf->rax = 0;
	tf->rdi = (uint64_t)d->signo;
	tf->rsi = at + offsetof(struct rt_sigframe, info);
	tf->rdx = at + offsetof(struct rt_sigframe, uc);
	tf->rflags &= ~RFLAGS_HANDLER_CLEAR;
	tf->sysno = TF_NO_SYSCALL;
	return 0;
}

/* Bits of MXCSR that the CPU does not know would fault in the kernel.  No
 * address: a fresh state, as Linux has it. */
static int
fpu_pop(struct thread *t, vaddr_t at)
{
	struct fpu_state *fpu = &t->fpu;
	struct sigcontext_fp fp;
	uint32_t mask;
	int error;

	fpu_save(fpu); /* also the selectors, which stay */
	memcpy(&fp, fpu->fxsave, sizeof(fp));
	mask = fp.mxcsr_mask != 0 ? fp.mxcsr_mask : MXCSR_DEFAULT_MASK;
	if (at != 0) {
		error = copyin(t->space, &fp, at, sizeof(fp));
		if (error != 0)
			return error;
		fp.mxcsr &= mask;
	} else {
		struct fpu_state fresh;

		fpu_init(&fresh);
		memcpy(&fp, fresh.fxsave, sizeof(fp));
	}
	memcpy(fpu->fxsave, &fp, sizeof(fp));
	fpu_restore(fpu);
	return 0;
}

int
signal_frame_pop(struct trapframe *tf, uint64_t *mask)
{
	struct thread *t = thread_self();
	struct rt_sigframe frame;
	const struct sigcontext *sc = &frame.uc.uc_mcontext;
	int error;

	/* The handler's return has popped pretcode. */
	error = copyin(t->space, &frame, tf->rsp - sizeof(frame.pretcode),
	    sizeof(frame));
	if (error != 0)
		return error;
	if (sc->cs != USER_CS || sc->ss != USER_SS)
		return EINVAL;
	error = fpu_pop(t, (vaddr_t)sc->fpstate);
	if (error != 0)
		return error;
	take(tf, sc);
	*mask = frame.uc.uc_sigmask;
	return 0;
}
