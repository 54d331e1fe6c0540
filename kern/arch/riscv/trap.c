/* SPDX-License-Identifier: MIT */
/*
 * trap.c - decode traps; the accessors of trap frames.
 *
 * Path: trap_entry.S -> trap_user() -> trap_pagefault() (kern/trap.c)
 *				      | trap_user_exception()
 *		       -> trap_irq() -> tlb_ipi(), sched_tick(), drivers
 *		       -> trap_kernel() -> panic(): the kernel touches user
 *			  memory through the direct map only and has no fault
 *			  that it could resolve.
 */
#include "arch/trap.h"

#include "abi/signal.h"
#include "arch/console.h"
#include "arch/cpu.h"
#include "arch/mmu.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "platform.h"
#include "proc/proc.h"
#include "sync/counter.h"
#include "vm/prot.h"

#define TF_CHECK(field, name) \
	_Static_assert(offsetof(struct trapframe, field) == (name), "asm.h")
TF_CHECK(pc, TF_PC);
TF_CHECK(ra, TF_RA);
TF_CHECK(sp, TF_SP);
TF_CHECK(gp, TF_GP);
TF_CHECK(tp, TF_TP);
TF_CHECK(t0, TF_T0);
TF_CHECK(s0, TF_S0);
TF_CHECK(a0, TF_A0);
TF_CHECK(a7, TF_A7);
TF_CHECK(s2, TF_S2);
TF_CHECK(s11, TF_S11);
TF_CHECK(t3, TF_T3);
TF_CHECK(t6, TF_T6);
TF_CHECK(sysno, TF_SYSNO);
TF_CHECK(arg0, TF_ARG0);
TF_CHECK(status, TF_STATUS);
_Static_assert(sizeof(struct trapframe) == TF_SIZE, "asm.h");
_Static_assert(offsetof(struct thread, work) == THREAD_WORK, "asm.h");

#define CAUSE_INTERRUPT	 ((uintptr_t)1 << 63)
#define IRQ_SOFTWARE	 1
#define IRQ_TIMER	 5
#define IRQ_EXTERNAL	 9

/* Other exceptions of user mode (machine/asm.h has those of the assembly). */
#define CAUSE_FETCH_ALIGN  0
#define CAUSE_FETCH_ACCESS 1
#define CAUSE_LOAD_ALIGN   4
#define CAUSE_LOAD_ACCESS  5
#define CAUSE_STORE_ALIGN  6
#define CAUSE_STORE_ACCESS 7

/* Called by trap_entry.S only. */
void trap_user(struct trapframe *, uintptr_t tval, uintptr_t cause);
void trap_kernel(struct trapframe *, uintptr_t tval, uintptr_t cause,
    bool overflow) __noreturn;

#ifdef DEBUG
static struct lockset irq_locks[MAXCPU];
#endif

static void
other_irq(uintptr_t irq)
{
	switch (irq) {
	case IRQ_TIMER:
		timer_interrupt();
		break;
	case IRQ_EXTERNAL:
		plic_interrupt();
		break;
	default:
		panic("unexpected interrupt %lu", irq);
	}
}

/* The locks of the interrupted context do not count against the handler. */
void
trap_irq(uintptr_t cause)
{
#ifdef DEBUG
	struct cpu *c = this_cpu();
	struct lockset *locks = c->locks;

	c->locks = &irq_locks[c->id];
	c->irq_depth++;
#endif
	if (likely(cause == (CAUSE_INTERRUPT | IRQ_SOFTWARE))) {
		ipi_interrupt();
	} else {
		counter_add(TS_interrupts, 1);
		other_irq(cause & ~CAUSE_INTERRUPT);
	}
#ifdef DEBUG
	c->irq_depth--;
	c->locks = locks;
#endif
}

/* What is not a page fault: a signal, but for the first FP instruction. */
static __slowpath void
user_exception(struct trapframe *tf, uintptr_t tval, uintptr_t cause)
{
	intr_enable();
	switch (cause) {
	case CAUSE_ILLEGAL:
		if (!fpu_first_use(&thread_self()->fpu))
			trap_user_exception(tf, SIGILL, ILL_ILLOPC, tf->pc);
		break;
	case CAUSE_BREAKPOINT:
		trap_user_exception(tf, SIGTRAP, TRAP_BRKPT, tf->pc);
		break;
	case CAUSE_FETCH_ALIGN:
	case CAUSE_LOAD_ALIGN:
	case CAUSE_STORE_ALIGN:
		trap_user_exception(tf, SIGBUS, BUS_ADRALN, tval);
		break;
	case CAUSE_FETCH_ACCESS:
	case CAUSE_LOAD_ACCESS:
	case CAUSE_STORE_ACCESS:
		trap_user_exception(tf, SIGBUS, BUS_ADRERR, tval);
		break;
	default:
		trap_user_exception(tf, SIGILL, ILL_ILLOPC, tf->pc);
		break;
	}
}

/* Exceptions of user mode but system calls.  Interrupts are off. */
void
trap_user(struct trapframe *tf, uintptr_t tval, uintptr_t cause)
{
	static const uint8_t access[16] = {
		[CAUSE_PF_EXEC] = VM_PROT_EXECUTE,
		[CAUSE_PF_LOAD] = VM_PROT_READ,
		[CAUSE_PF_STORE] = VM_PROT_WRITE,
	};

	unsigned right = cause < ARRAY_SIZE(access) ? access[cause] : 0;

	KASSERT((csr_read(sstatus) & (SSTATUS_SPP | SSTATUS_SPIE)) ==
	    SSTATUS_SPIE);
	if (likely(right != 0)) {
		intr_enable();
		trap_pagefault(tf, tval, right);
	} else {
		user_exception(tf, tval, cause);
	}
}

/* Without locks: nobody knows what this CPU holds. */
static void
say(const char *fmt, ...) __printf(1, 2);

static void
say(const char *fmt, ...)
{
	char line[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	console_write(CONSOLE_TTY, line, strlen(line));
}

static void
print_registers(const struct trapframe *tf, uintptr_t tval, uintptr_t cause)
{
	static const char names[][4] = { "pc", "ra", "sp", "gp", "tp", "t0",
		"t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5",
		"a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9",
		"s10", "s11", "t3", "t4", "t5", "t6" };
	const uint64_t *r = &tf->pc;

	say("\n# trap in the kernel: scause 0x%lx stval 0x%lx sstatus 0x%lx\n",
	    cause, tval, tf->status);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i += 4)
		say("# %3s %016lx %3s %016lx %3s %016lx %3s %016lx\n",
		    names[i], r[i], names[i + 1], r[i + 1], names[i + 2],
		    r[i + 2], names[i + 3], r[i + 3]);
}

void
trap_kernel(struct trapframe *tf, uintptr_t tval, uintptr_t cause,
    bool overflow)
{
	static const char *const what[16] = {
		[CAUSE_ILLEGAL] = "illegal instruction",
		[CAUSE_BREAKPOINT] = "breakpoint (undefined behaviour?)",
		[CAUSE_LOAD_ACCESS] = "load from no device",
		[CAUSE_STORE_ACCESS] = "store to no device",
		[CAUSE_PF_EXEC] = "execute fault",
		[CAUSE_PF_LOAD] = "load fault",
		[CAUSE_PF_STORE] = "store fault",
	};
	const char *name = cause < ARRAY_SIZE(what) ? what[cause] : NULL;

	print_registers(tf, tval, cause);
	if (overflow)
		panic("kernel stack overflow: sp 0x%lx pc 0x%lx", tf->sp,
		    tf->pc);
	panic("%s in the kernel at pc 0x%lx, address 0x%lx",
	    name != NULL ? name : "exception", tf->pc, tval);
}

/* ---- accessors ---- */

uintptr_t
tf_pc(const struct trapframe *tf)
{
	return tf->pc;
}

void
tf_set_pc(struct trapframe *tf, uintptr_t pc)
{
	tf->pc = pc;
}

uintptr_t
tf_sp(const struct trapframe *tf)
{
	return tf->sp;
}

void
tf_set_sp(struct trapframe *tf, uintptr_t sp)
{
	tf->sp = sp;
}

long
tf_result(const struct trapframe *tf)
{
	return (long)tf->a0;
}

void
tf_set_result(struct trapframe *tf, long result)
{
	tf->a0 = (uint64_t)result;
}

int
tf_set_tls(struct trapframe *tf, struct fpu_state *fpu, uintptr_t tls)
{
	(void)fpu;
	tf->tp = tls;
	return 0;
}

uintptr_t
tf_sysno(const struct trapframe *tf)
{
	return tf->sysno;
}

void
tf_restart_syscall(struct trapframe *tf)
{
	enum { ECALL_SIZE = 4 };

	tf->pc -= ECALL_SIZE;
	tf->a0 = tf->arg0;
	tf->sysno = TF_NO_SYSCALL;
}

void
tf_init(struct trapframe *tf, uintptr_t pc, uintptr_t sp)
{
	memset(tf, 0, sizeof(*tf));
	tf->pc = pc;
	tf->sp = sp;
	tf->sysno = TF_NO_SYSCALL;
}

struct trapframe *
tf_of_kstack(uintptr_t top)
{
	return (struct trapframe *)(top - sizeof(struct trapframe));
}
