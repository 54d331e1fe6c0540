/* SPDX-License-Identifier: MIT */
/*
 * trap.c - decode traps; the accessors of trap frames.
 *
 * Path: trap_entry.S -> trap_user() -> trap_pagefault() (kern/trap.c)
 *				      | trap_user_exception()
 *		       -> trap_irq() -> sched_tick(), tlb_ipi(), drivers
 *		       -> trap_kernel() -> panic(): the kernel touches user
 *			  memory through the direct map only and has no fault
 *			  that it could resolve.
 */
#include "arch/trap.h"

#include "abi/errno.h"
#include "abi/signal.h"
#include "apic.h"
#include "arch/console.h"
#include "arch/cpu.h"
#include "arch/ipi.h"
#include "arch/mmu.h"
#include "ioapic.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "platform.h"
#include "proc/proc.h"
#include "sync/counter.h"
#include "vm/prot.h"

#define TF_CHECK(field, name) \
	_Static_assert(offsetof(struct trapframe, field) == (name), "asm.h")
TF_CHECK(r15, TF_R15);
TF_CHECK(r12, TF_R12);
TF_CHECK(rbp, TF_RBP);
TF_CHECK(rbx, TF_RBX);
TF_CHECK(r11, TF_R11);
TF_CHECK(r8, TF_R8);
TF_CHECK(rax, TF_RAX);
TF_CHECK(rcx, TF_RCX);
TF_CHECK(rdx, TF_RDX);
TF_CHECK(rsi, TF_RSI);
TF_CHECK(rdi, TF_RDI);
TF_CHECK(sysno, TF_SYSNO);
TF_CHECK(unused, TF_UNUSED);
TF_CHECK(vector, TF_VECTOR);
TF_CHECK(error, TF_ERROR);
TF_CHECK(rip, TF_RIP);
TF_CHECK(cs, TF_CS);
TF_CHECK(rflags, TF_RFLAGS);
TF_CHECK(rsp, TF_RSP);
TF_CHECK(ss, TF_SS);
_Static_assert(sizeof(struct trapframe) == TF_SIZE, "asm.h");
_Static_assert(offsetof(struct thread, work) == THREAD_WORK, "asm.h");
_Static_assert(USER_MAX == USER_END, "trap_entry.S compares with USER_END");

/* Exceptions (machine/asm.h has those of the assembly). */
enum {
	DIVIDE = 0,
	DEBUG_TRAP = 1,
	BREAKPOINT = 3,
	OVERFLOW = 4,
	BOUND = 5,
	INVALID_OPCODE = 6,
	NO_SEGMENT = 11,
	STACK_SEGMENT = 12,
	PROTECTION = 13,
	PAGE_FAULT = 14,
	X87 = 16,
	ALIGNMENT = 17,
	SIMD = 19,
};

/* Error code of a page fault. */
#define PF_WRITE 0x02u
#define PF_RESERVED 0x08u
#define PF_FETCH 0x10u

/* Called by trap_entry.S only. */
void trap_user(struct trapframe *, uintptr_t vector);
void trap_bad_pc(struct trapframe *);
void trap_nmi(const struct trapframe *);
void trap_kernel(struct trapframe *, uintptr_t vector) __noreturn;

#ifdef DEBUG
static struct lockset irq_locks[MAXCPU];
#endif

/* A device that asks by level is quiet after its handler only: acknowledged
 * before, it would interrupt twice. */
static void
device(uintptr_t vector)
{
	if (vector - VECTOR_DEVICE >= DEVICE_IRQS)
		panic("unexpected interrupt %lu", vector);
	counter_add(TS_interrupts, 1);
	ioapic_interrupt((unsigned)vector - VECTOR_DEVICE);
	apic_eoi();
}

/* The others are acknowledged first: the handler may cause the next one. */
static void
dispatch(uintptr_t vector)
{
	switch (vector) {
	case VECTOR_SPURIOUS:
		break;
	case VECTOR_TLB:
		apic_eoi();
		tlb_ipi();
		break;
	case VECTOR_RESCHED:
		apic_eoi();
		sched_ipi();
		break;
	case VECTOR_TIMER:
		apic_eoi();
		counter_add(TS_interrupts, 1);
		timer_interrupt();
		break;
	default:
		device(vector);
		break;
	}
}

/* The locks of the interrupted context do not count against the handler. */
void
trap_irq(uintptr_t vector)
{
#ifdef DEBUG
	struct cpu *c = this_cpu();
	struct lockset *locks = c->locks;

	c->locks = &irq_locks[c->id];
	c->irq_depth++;
#endif
	dispatch(vector);
#ifdef DEBUG
	c->irq_depth--;
	c->locks = locks;
#endif
}

/* Which of the unmasked floating-point exceptions it was: the bits have the
 * same order in both units (SDM vol. 1, sections 8.1.3 and 11.6.4). */
static int
fp_code(uintptr_t vector)
{
	static const uint8_t codes[] = { FPE_FLTINV, FPE_FLTUND, FPE_FLTDIV,
		FPE_FLTOVF, FPE_FLTUND, FPE_FLTRES };
	struct fpu_state *fpu = &thread_self()->fpu;
	struct sigcontext_fp fx;
	unsigned raised;

	fpu_save(fpu);
	memcpy(&fx, fpu->fxsave, sizeof(fx));
	raised = vector == X87 ? fx.swd & ~(unsigned)fx.cwd :
				 fx.mxcsr & ~(fx.mxcsr >> 7);
	for (unsigned i = 0; i < ARRAY_SIZE(codes); i++)
		if (raised >> i & 1)
			return codes[i];
	return FPE_FLTINV;
}

/* What is not a page fault: a signal. */
static __slowpath void
user_exception(struct trapframe *tf, uintptr_t vector)
{
	static const struct {
		uint8_t signo, code;
		bool addr; /* siginfo names the instruction */
	} how[VECTOR_IRQ] = {
		[DIVIDE] = { SIGFPE, FPE_INTDIV, true },
		[DEBUG_TRAP] = { SIGTRAP, TRAP_TRACE, true },
		[BREAKPOINT] = { SIGTRAP, SI_KERNEL, false },
		[INVALID_OPCODE] = { SIGILL, ILL_ILLOPN, true },
		[NO_SEGMENT] = { SIGBUS, SI_KERNEL, false },
		[STACK_SEGMENT] = { SIGBUS, SI_KERNEL, false },
		[X87] = { SIGFPE, 0, true },
		[ALIGNMENT] = { SIGBUS, BUS_ADRALN, false },
		[SIMD] = { SIGFPE, 0, true },
	};
	int signo = SIGSEGV, code = SI_KERNEL;
	vaddr_t addr = 0;

	if (how[vector].signo != 0) {
		signo = how[vector].signo;
		code = how[vector].code;
		addr = how[vector].addr ? tf->rip : 0;
	}
	if (vector == X87 || vector == SIMD)
		code = fp_code(vector);
	intr_enable();
	trap_user_exception(tf, signo, code, addr);
}

/* Everything from user mode but system calls.  Interrupts are off. */
void
trap_user(struct trapframe *tf, uintptr_t vector)
{
	uintptr_t va;

	if (vector >= VECTOR_IRQ) {
		trap_irq(vector);
	} else if (likely(vector == PAGE_FAULT)) {
		va = cr_read(2);
		intr_enable();
		KASSERT(!(tf->error & PF_RESERVED));
		trap_pagefault(tf, va,
		    tf->error & PF_FETCH ? VM_PROT_EXECUTE :
		    tf->error & PF_WRITE ? VM_PROT_WRITE :
					   VM_PROT_READ);
	} else {
		user_exception(tf, vector);
	}
}

/* The program shall go on where no program can be. Interrupts are on. */
void
trap_bad_pc(struct trapframe *tf)
{
	trap_user_exception(tf, SIGSEGV, SI_KERNEL, 0);
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

/* The NMI button: where is this CPU?  Interrupts are off in any case. */
void
trap_nmi(const struct trapframe *tf)
{
	ipi_nmi();
	say("\n# nmi: cpu %u pc 0x%lx sp 0x%lx\n", cpu_id(), tf->rip, tf->rsp);
}

static void
print_registers(const struct trapframe *tf, uintptr_t vector)
{
	static const char names[][4] = { "r15", "r14", "r13", "r12", "rbp",
		"rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi",
		"rdi" };
	const uint64_t *r = &tf->r15;

	say("\n# trap in the kernel: vector %lu error 0x%lx cr2 0x%lx rflags "
	    "0x%lx\n", vector, tf->error, cr_read(2), tf->rflags);
	say("# rip %016lx rsp %016lx cs %lx ss %lx\n", tf->rip, tf->rsp, tf->cs,
	    tf->ss);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i += 3)
		say("# %3s %016lx %3s %016lx %3s %016lx\n", names[i], r[i],
		    names[i + 1], r[i + 1], names[i + 2], r[i + 2]);
}

/* Pushing a trap's frame failed: below the stack is a guard page. */
static bool
is_overflow(const struct trapframe *tf, uintptr_t vector)
{
	struct thread *t = this_cpu()->thread;
	uintptr_t bottom = (t != NULL ? t->kstack : this_cpu()->kstack) -
	    KSTACK_SIZE;

	return vector == VECTOR_DOUBLEFAULT && tf->rsp <= bottom + TF_SIZE &&
	    tf->rsp + PAGE_SIZE > bottom;
}

void
trap_kernel(struct trapframe *tf, uintptr_t vector)
{
	static const char *const what[VECTOR_IRQ] = {
		[DIVIDE] = "division error",
		[BREAKPOINT] = "breakpoint",
		[INVALID_OPCODE] = "illegal instruction (undefined behaviour?)",
		[VECTOR_DOUBLEFAULT] = "double fault",
		[PROTECTION] = "protection fault",
		[VECTOR_MACHINE] = "machine check",
	};
	const char *name = what[vector % VECTOR_IRQ];

	if (vector == VECTOR_DOUBLEFAULT || vector == VECTOR_MACHINE)
		this_cpu()->kstack = (uintptr_t)(tf + 1); /* backtraces */
	print_registers(tf, vector);
	if (is_overflow(tf, vector))
		panic("kernel stack overflow: sp 0x%lx pc 0x%lx", tf->rsp,
		    tf->rip);
	if (vector == PAGE_FAULT)
		name = tf->error & PF_FETCH ? "execute fault" :
		    tf->error & PF_WRITE    ? "store fault" :
					      "load fault";
	panic("%s in the kernel at pc 0x%lx, address 0x%lx",
	    name != NULL ? name : "exception", tf->rip,
	    vector == PAGE_FAULT ? cr_read(2) : 0);
}

/* ---- accessors ---- */

uintptr_t
tf_pc(const struct trapframe *tf)
{
	return tf->rip;
}

void
tf_set_pc(struct trapframe *tf, uintptr_t pc)
{
	tf->rip = pc;
}

uintptr_t
tf_sp(const struct trapframe *tf)
{
	return tf->rsp;
}

void
tf_set_sp(struct trapframe *tf, uintptr_t sp)
{
	tf->rsp = sp;
}

long
tf_result(const struct trapframe *tf)
{
	return (long)tf->rax;
}

void
tf_set_result(struct trapframe *tf, long result)
{
	tf->rax = (uint64_t)result;
}

/* A base that is not canonical would be a fault of the kernel, in wrmsr. */
int
tf_set_tls(struct trapframe *tf, struct fpu_state *fpu, uintptr_t tls)
{
	(void)tf;
	if (tls >= USER_MAX)
		return EPERM;
	fpu->fs_base = tls;
	fpu->fs = 0;
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
	enum { SYSCALL_SIZE = 2 };

	tf->rip -= SYSCALL_SIZE;
	tf->rax = tf->sysno;
	tf->sysno = TF_NO_SYSCALL;
}

void
tf_init(struct trapframe *tf, uintptr_t pc, uintptr_t sp)
{
	memset(tf, 0, sizeof(*tf));
	tf->rip = pc;
	tf->cs = USER_CS;
	tf->rflags = RFLAGS_IF | 2;
	tf->rsp = sp;
	tf->ss = USER_SS;
	tf->sysno = TF_NO_SYSCALL;
}

struct trapframe *
tf_of_kstack(uintptr_t top)
{
	return (struct trapframe *)(top - sizeof(struct trapframe));
}
