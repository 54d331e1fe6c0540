/* SPDX-License-Identifier: MIT */
/*
 * machine_x86_64.c - the half of machine.c that knows x86-64.
 */
#include "machine.h"
#include <thread.h>

#define PG	PAGE_SIZE
#define ROUNDS	200

#define SEL_USER_DATA	0x2b
#define SEL_USER_CODE	0x33

/* What RFLAGS has. */
#define FL_CARRY	0x1ul
#define FL_FIXED	0x2ul
#define FL_TRAP		0x100ul
#define FL_IF		0x200ul
#define FL_DF		0x400ul
#define FL_IOPL		0x3000ul
#define FL_NT		0x4000ul
#define FL_RF		0x10000ul
#define FL_VM		0x20000ul
#define FL_AC		0x40000ul
#define FL_ID		0x200000ul

const struct insn privileged[] = {
	INSN("hlt", "\xf4"),
	INSN("cli", "\xfa"),
	INSN("sti", "\xfb"),
	INSN("in", "\xec"),
	INSN("out", "\xee"),
	INSN("insb", "\x6c"),
	INSN("mov from cr0", "\x0f\x20\xc0"),
	INSN("mov from cr3", "\x0f\x20\xd8"),
	INSN("mov to cr3", "\x0f\x22\xd8"),
	INSN("mov to cr4", "\x0f\x22\xe0"),
	INSN("mov to cr8", "\x44\x0f\x22\xc0"),
	INSN("mov from dr7", "\x0f\x21\xf8"),
	INSN("lgdt", "\x0f\x01\x14\x24"),
	INSN("lidt", "\x0f\x01\x1c\x24"),
	INSN("lldt", "\x0f\x00\xd0"),
	INSN("ltr", "\x0f\x00\xd8"),
	INSN("lmsw", "\x0f\x01\xf0"),
	INSN("clts", "\x0f\x06"),
	INSN("invlpg", "\x0f\x01\x3c\x24"),
	INSN("invd", "\x0f\x08"),
	INSN("wbinvd", "\x0f\x09"),
	INSN("rdmsr", "\x0f\x32"),
	INSN("wrmsr", "\x0f\x30"),
	INSN("swapgs", "\x0f\x01\xf8"),
	INSN("sysretq", "\x48\x0f\x07"),
	INSN("sysretl", "\x0f\x07"),
	INSN("sysenter", "\x0f\x34"),
	INSN("sysexit", "\x48\x0f\x35"),
	INSN("stac", "\x0f\x01\xcb"),
	INSN("clac", "\x0f\x01\xca"),
	INSN("xsetbv", "\x0f\x01\xd1"),
	INSN("vmrun", "\x0f\x01\xd8"),
	INSN("ud2", "\x0f\x0b"),
	INSN("int 0 (division)", "\xcd\x00"),
	INSN("int 1 (debug)", "\xcd\x01"),
	INSN("int 2 (NMI)", "\xcd\x02"),
	INSN("int 8 (double fault)", "\xcd\x08"),
	INSN("int 14 (page fault)", "\xcd\x0e"),
	INSN("int 18 (machine check)", "\xcd\x12"),
	INSN("int 0x34 (serial port)", "\xcd\x34"),
	INSN("int 0xe0 (timer)", "\xcd\xe0"),
	INSN("int 0xf1 (shootdown)", "\xcd\xf1"),
	INSN("int 0xff (spurious)", "\xcd\xff"),
};
const size_t nprivileged = nitems(privileged);
const struct insn return_insn = INSN("ret", "\xc3");
const struct insn syscall_insn = INSN("syscall", "\x0f\x05");

void
flush_icache(void)
{
}

void
call_getpid_at(const char *insn)
{
	__asm__ volatile("jmp *%0" : : "r"(insn), "a"((long)SYS_getpid)
	    : "rcx", "r11", "memory");
}

/* All but rax, rcx, r11 and rsp. */
#define EACH(X) X(rdi, 0) X(rsi, 1) X(rdx, 2) X(r8, 3) X(r9, 4) X(r10, 5) \
	X(rbx, 6) X(rbp, 7) X(r12, 8) X(r13, 9) X(r14, 10) X(r15, 11)
#define LOAD(reg, i)	"movq 8*" #i "(%%rcx), %%" #reg "\n\t"
#define STORE(reg, i)	"movq %%" #reg ", 8*" #i "(%%rcx)\n\t"
const size_t npreserved = 12;

/* The stack pointer is where the compiler thinks: two words below it are ours
 * (-mno-red-zone). */
void __attribute__((noinline))
keep_registers(const unsigned long *in, unsigned long *out, long nr)
{
	__asm__ volatile(
	    "pushq %%rbp\n\t"
	    "pushq %[out]\n\t"
	    EACH(LOAD)
	    "syscall\n\t"
	    "popq %%rcx\n\t"
	    EACH(STORE)
	    "popq %%rbp\n\t"
	    : "+a"(nr), "+c"(in)
	    : [out] "d"(out)
	    : "rdi", "rsi", "r8", "r9", "r10", "r11", "rbx", "r12", "r13",
	      "r14", "r15", "memory");
}

static unsigned long
flags_get(void)
{
	unsigned long f;

	__asm__ volatile("pushfq; popq %0" : "=r"(f));
	return f;
}

static void
flags_set(unsigned long f)
{
	__asm__ volatile("pushq %0; popfq" : : "r"(f) : "memory", "cc");
}

static void
code_signal(const struct insn *i, int sig, int code)
{
	struct fault f = run_code(i->code, i->size);

	if (f.sig != sig || f.code != code)
		ktap_fail(__FILE__, __LINE__, "%s: expected signal %d code "
		    "%d, got %d code %d", i->name, sig, code, f.sig, f.code);
}

/* --- exceptions -------------------------------------------------------- */

static void
arithmetic_faults(void)
{
	static const struct insn divide = INSN("xor ecx, ecx; div ecx",
	    "\x31\xc9\xf7\xf1");
	/* Unmask and divide 1.0 by 0.0. */
	static const struct insn sse = INSN("divss",
	    "\xc7\x44\x24\xf8\x80\x1d\x00\x00\x0f\xae\x54\x24\xf8"
	    "\xb8\x00\x00\x80\x3f\x66\x0f\x6e\xc0\x0f\x57\xc9\xf3\x0f\x5e\xc1");
	static const struct insn x87 = INSN("fdiv; fwait",
	    "\xdb\xe3\xc7\x44\x24\xf8\x7b\x03\x00\x00\xd9\x6c\x24\xf8"
	    "\xd9\xe8\xd9\xee\xde\xf9\x9b");

	code_signal(&divide, SIGFPE, FPE_INTDIV);
	code_signal(&x87, SIGFPE, FPE_FLTDIV);
	/* QEMU computes on: it never raises the exceptions of SSE. */
	if (run_code(sse.code, sse.size).sig != 0)
		code_signal(&sse, SIGFPE, FPE_FLTDIV);
}

/* CR4.FSGSBASE is 0, so that the kernel can trust the top bit of the base. */
static void
no_new_base_instructions(void)
{
	static const struct insn insns[] = {
		INSN("rdfsbase", "\xf3\x48\x0f\xae\xc0"),
		INSN("rdgsbase", "\xf3\x48\x0f\xae\xc8"),
		INSN("wrfsbase", "\xf3\x48\x0f\xae\xd0"),
		INSN("wrgsbase", "\xf3\x48\x0f\xae\xd8"),
	};
	size_t i;

	for (i = 0; i < nitems(insns); i++)
		code_signal(&insns[i], SIGILL, ILL_ILLOPN);
}

static void
debug_faults(void)
{
	static const struct insn int3 = INSN("int3", "\xcc");
	struct fault f;

	code_signal(&int3, SIGTRAP, SI_KERNEL);
	f = run_code("\xf1", 1);	/* int1; QEMU does not know it */
	EXPECT(f.sig == SIGTRAP || f.sig == SIGILL);
}

/* An address that is not canonical is not reported. */
static void
not_canonical(void)
{
	static const unsigned long bad[] = { 0x800000000000ul,
		0x8000000000000000ul, 0xffff7ffffffff000ul };
	size_t i;

	for (i = 0; i < nitems(bad); i++) {
		struct fault f = probe((void *)bad[i], PROBE_READ);

		EXPECT_EQ(f.sig, SIGSEGV);
		EXPECT_EQ(f.code, SI_KERNEL);
		EXPECT(f.addr == NULL);
		f = probe((void *)bad[i], PROBE_WRITE);
		EXPECT_EQ(f.sig, SIGSEGV);
	}
}

/* Whether a fault was a write is told to handlers: err bit 1. */
static volatile unsigned long fault_error, fault_cr2, fault_trap;

static void
read_context(int sig, struct siginfo *si, void *ucp)
{
	struct sigcontext *sc = &((struct ucontext *)ucp)->uc_mcontext;

	(void)sig;
	fault_error = sc->err;
	fault_cr2 = sc->cr2;
	fault_trap = sc->trapno;
	mprotect((void *)((unsigned long)si->si_addr & ~(PG - 1)), PG,
	    PROT_READ | PROT_WRITE);
}

static void
context_of_a_fault(void)
{
	volatile char *p = map_pages(1);

	set_handler(SIGSEGV, read_context);
	EXPECT_OK(mprotect((void *)(uintptr_t)p, PG, PROT_NONE));
	EXPECT_EQ(p[5], 0);
	EXPECT_EQ(fault_trap, 14);
	EXPECT_EQ(fault_error & 6, 4);
	EXPECT_EQ(fault_cr2, p + 5);
	EXPECT_OK(mprotect((void *)(uintptr_t)p, PG, PROT_READ));
	p[7] = 1;
	EXPECT_EQ(fault_error & 6, 6);
	EXPECT_EQ(fault_cr2, p + 7);
}

/* --- flags --------------------------------------------------------------- */

static volatile int traps, others;

static void
count_trap(int sig, struct siginfo *si, void *uc)
{
	(void)uc;
	if (sig == SIGTRAP && si->si_code == TRAP_TRACE)
		traps++;
	else
		others++;
}

/* A trap after each instruction, and none of them in the kernel. */
static void
single_steps(void)
{
	long i, pid = getpid(), got = -1;
	char *p = map_pages(1);

	set_handler(SIGTRAP, count_trap);
	for (i = 0; i < 20; i++) {
		traps = 0;
		__asm__ volatile(
		    "pushfq\n\t"
		    "orl $0x100, (%%rsp)\n\t"
		    "popfq\n\t"
		    "nop\n\t"
		    "syscall\n\t"
		    "movb $1, (%[page])\n\t"	/* a fault */
		    "pushfq\n\t"
		    "andl $~0x100, (%%rsp)\n\t"
		    "popfq\n\t"
		    : "=a"(got)
		    : "0"((long)SYS_getpid), [page] "r"(p)
		    : "rcx", "r11", "memory", "cc");
		EXPECT_EQ(got, pid);
		/* All from the nop to the second popfq; a step over SYSCALL
		 * ends behind it or one instruction later. */
		EXPECT(traps == 6 || traps == 5);
		EXPECT_OK(madvise(p, PG, MADV_DONTNEED));
	}
	EXPECT_EQ(others, 0);
}

/* Strings go up in the kernel whatever the program has set. */
static void
direction_flag(void)
{
	static const char path[] = "/bin/cat";
	char *p = map_pages(2), buf[8];
	long fd = -1, n = -1;
	unsigned long after;

	p[0] = 1;
	__asm__ volatile("std; syscall; cld" : "=a"(fd)
	    : "0"((long)SYS_open), "D"(root_path(path)), "S"(0l), "d"(0l)
	    : "rcx", "r11", "memory", "cc");
	EXPECT(fd >= 0);
	__asm__ volatile("std; syscall; movb $1, (%[fault]);"
	    "pushfq; popq %[after]; cld"
	    : "=a"(n), [after] "=&r"(after)
	    : "0"((long)SYS_read), "D"(fd), "S"(buf), "d"(sizeof(buf)),
	      [fault] "r"(p + PG)
	    : "rcx", "r11", "memory", "cc");
	EXPECT_EQ(n, sizeof(buf));
	EXPECT(memcmp(buf, "\177ELF", 4) == 0);
	EXPECT(after & FL_DF);
	EXPECT_EQ(p[PG], 1);
	close((int)fd);
}

/* AC opens SMAP for a kernel that forgets to clear it (a DEBUG kernel looks at
 * each trap and system call); to the program it means alignment. */
static void
alignment_check_flag(void)
{
	char *p = map_pages(64), buf[16];
	int i, fds[2];
	long ok = 0;

	EXPECT_OK(pipe(fds));
	flags_set(flags_get() | FL_AC);
	for (i = 0; i < 64; i++) {
		p[i * (long)PG] = (char)i;
		ok += write(fds[1], p + i * (long)PG, 8) == 8;
		ok += read(fds[0], buf, 8) == 8;
		ok += buf[0] == (char)i;
	}
	ok += (flags_get() & FL_AC) != 0;
	flags_set(flags_get() & ~FL_AC);
	EXPECT_EQ(ok, 3 * 64 + 1);
	close(fds[0]);
	close(fds[1]);
}

/* Forged flags: what a program cannot set itself it does not get. */
static unsigned long forged_flags;

static void
forge_flags(int sig, struct siginfo *si, void *ucp)
{
	(void)sig, (void)si;
	((struct ucontext *)ucp)->uc_mcontext.eflags = forged_flags;
}

static void
forged_flags_are_filtered(void)
{
	static const unsigned long sets[] = { 0, FL_CARRY, FL_IOPL,
		FL_IOPL | FL_NT, FL_VM | FL_RF, 0xfffffffffffffafful,
		0xffffffff00000000ul };
	size_t i;

	set_handler(SIGUSR1, forge_flags);
	for (i = 0; i < nitems(sets); i++) {
		unsigned long f;

		forged_flags = sets[i] & ~(FL_TRAP | FL_DF);
		raise(SIGUSR1);
		f = flags_get();
		flags_set(FL_FIXED);
		EXPECT_EQ(f & (FL_FIXED | FL_IF), FL_FIXED | FL_IF);
		EXPECT_EQ(f & (FL_IOPL | FL_VM | FL_RF), 0);
		EXPECT_EQ(f & ~0x3fffffl, 0);
	}
	EXPECT_EQ(run_code("\xfa", 1).sig, SIGSEGV);	/* cli */
}

/* Also when the program sets all that it can. */
static void
nested_task_flag(void)
{
	char *p = map_pages(16);
	int i;

	flags_set(flags_get() | FL_NT | FL_ID);
	for (i = 0; i < 16; i++) {
		p[i * (long)PG] = 1;
		sched_yield();
	}
	EXPECT(flags_get() & FL_NT);
	flags_set(FL_FIXED);
}

/* --- segments -------------------------------------------------------- */

static unsigned forged_cs, forged_ss;

static void
forge_selectors(int sig, struct siginfo *si, void *ucp)
{
	struct sigcontext *sc = &((struct ucontext *)ucp)->uc_mcontext;

	(void)sig, (void)si;
	sc->cs = (uint16_t)forged_cs;
	sc->ss = (uint16_t)forged_ss;
}

static void
return_with_selectors(void *arg)
{
	forged_cs = (unsigned)(unsigned long)arg >> 16;
	forged_ss = (unsigned)(unsigned long)arg & 0xffff;
	set_handler(SIGUSR1, forge_selectors);
	raise(SIGUSR1);
	_exit(7);
}

static void *
selectors(unsigned cs, unsigned ss)
{
	return (void *)((unsigned long)cs << 16 | ss);
}

static void
forged_selectors_kill(void)
{
	static const unsigned bad_cs[] = { 0, 0x3, 0x8, 0x10, 0x13, 0x18, 0x23,
		0x28, 0x2b, 0x40, 0x43, 0x4b, 0x1000, 0xfffc, 0xffff };
	static const unsigned bad_ss[] = { 0x8, 0x10, 0x18, 0x1b, 0x23, 0x33,
		0x40, 0x43, 0x1000, 0xffff };
	size_t i;

	expect_exit(in_child(return_with_selectors,
	    selectors(SEL_USER_CODE, SEL_USER_DATA)), 7);
	for (i = 0; i < nitems(bad_cs); i++)
		expect_signal(in_child(return_with_selectors,
		    selectors(bad_cs[i], SEL_USER_DATA)), SIGSEGV);
	for (i = 0; i < nitems(bad_ss); i++)
		expect_signal(in_child(return_with_selectors,
		    selectors(SEL_USER_CODE, bad_ss[i])), SIGSEGV);
}

#define LOAD_SELECTOR(reg, sel) \
	__asm__ volatile("movw %w0, %%" #reg : : "r"(sel) : "memory")
#define READ_SELECTOR(reg) __extension__ ({				\
	unsigned sel_;							\
	__asm__ volatile("movl %%" #reg ", %0" : "=r"(sel_));		\
	sel_; })

static unsigned selector;

static void
load_ds(void)
{
	LOAD_SELECTOR(ds, selector);
}

static void
load_es(void)
{
	LOAD_SELECTOR(es, selector);
}

static void
load_gs(void)
{
	LOAD_SELECTOR(gs, selector);
}

static void
load_ss(void)
{
	LOAD_SELECTOR(ss, selector);
}

/* A program can load its own selectors and none of the kernel's. */
static void
loading_selectors(void)
{
	static const unsigned bad[] = { 0x10, 0x18, 0x1b, 0x23, 0x40, 0x43,
		0x4b, 0x4, 0x2f, 0x1003, 0xffff };
	static void (*const loads[])(void) = { load_ds, load_es, load_gs,
		load_ss };
	size_t i, k;

	for (i = 0; i < nitems(bad); i++)
		for (k = 0; k < nitems(loads); k++) {
			selector = bad[i];
			EXPECT_EQ(outcome(loads[k]).sig, SIGSEGV);
		}
	for (i = 0; i <= 3; i++) {
		selector = (unsigned)i;
		EXPECT_EQ(outcome(load_gs).sig, 0);
	}
	selector = SEL_USER_DATA;
	for (k = 0; k < nitems(loads); k++)
		EXPECT_EQ(outcome(loads[k]).sig, 0);
	EXPECT_EQ(READ_SELECTOR(ds), SEL_USER_DATA);
	EXPECT_EQ(READ_SELECTOR(gs), SEL_USER_DATA);
}

/* --- bases of FS and GS ---------------------------------------------- */

static long
prctl_arch(long code, unsigned long arg)
{
	return syscall3(SYS_arch_prctl, code, (long)arg, 0);
}

static unsigned long
gs_word(void)
{
	unsigned long v;

	__asm__ volatile("movq %%gs:0, %0" : "=r"(v) : : "memory");
	return v;
}

static void
segment_bases(void)
{
	unsigned long word[2] = { 77, 78 }, base = 0, fs = 0;

	EXPECT_EQ(prctl_arch(ARCH_GET_FS, (unsigned long)&fs), 0);
	EXPECT(fs != 0);
	EXPECT_EQ(prctl_arch(ARCH_SET_GS, (unsigned long)word), 0);
	EXPECT_EQ(gs_word(), 77);
	EXPECT_EQ(prctl_arch(ARCH_GET_GS, (unsigned long)&base), 0);
	EXPECT_EQ(base, word);
	EXPECT_EQ(prctl_arch(ARCH_SET_GS, USER_END), -EPERM);
	EXPECT_EQ(prctl_arch(ARCH_SET_GS, 0xffffffff80000000ul), -EPERM);
	EXPECT_EQ(prctl_arch(ARCH_SET_FS, 0x800000000000ul), -EPERM);
	EXPECT_EQ(prctl_arch(ARCH_SET_FS, ~0ul), -EPERM);
	EXPECT_EQ(syscall6(SYS_clone, CLONE_SETTLS | SIGCHLD, 0, 0, 0,
	    0x800000000000, 0), -EPERM);
	EXPECT_EQ(prctl_arch(0x7777, 0), -EINVAL);
	EXPECT_EQ(prctl_arch(ARCH_GET_FS, 8), -EFAULT);
	EXPECT_EQ(gs_word(), 77);
	EXPECT_EQ(prctl_arch(ARCH_SET_GS, (unsigned long)(word + 1)), 0);
	EXPECT_EQ(gs_word(), 78);
}

static __thread unsigned long mine;

/* Each thread has bases of its own, on whatever CPU. */
static void *
hold_bases(void *arg)
{
	unsigned long word = (unsigned long)arg, i;

	EXPECT_EQ(prctl_arch(ARCH_SET_GS, (unsigned long)&word), 0);
	mine = word * 3;
	for (i = 0; i < 300; i++) {
		if (i % 10 == 0)
			pin_to_cpu((int)(i / 10 + word) % cpu_count());
		sched_yield();
		if (gs_word() != word || mine != word * 3)
			return NULL;
	}
	return arg;
}

static void
bases_follow_their_thread(void)
{
	struct thread t[6];
	unsigned long i;

	for (i = 0; i < 6; i++)
		EXPECT_OK(thread_create(&t[i], hold_bases, (void *)(i + 1)));
	for (i = 0; i < 6; i++)
		EXPECT_EQ(thread_join(&t[i]), i + 1);
}

/* A selector hides the base, also after a switch, and switches go right. */
static void
selectors_follow_their_thread(void)
{
	unsigned long word = 5;
	int status, i;
	pid_t pid;

	EXPECT_EQ(prctl_arch(ARCH_SET_GS, (unsigned long)&word), 0);
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		LOAD_SELECTOR(gs, SEL_USER_DATA);
		LOAD_SELECTOR(es, SEL_USER_DATA);
		for (i = 0; i < 200; i++) {
			sched_yield();
			if (READ_SELECTOR(gs) != SEL_USER_DATA ||
			    READ_SELECTOR(es) != SEL_USER_DATA)
				_exit(1);
		}
		_exit(0);
	}
	for (i = 0; i < 200; i++) {
		sched_yield();
		EXPECT_EQ(gs_word(), 5);
		EXPECT_EQ(READ_SELECTOR(gs), 0);
		EXPECT_EQ(READ_SELECTOR(es), 0);
	}
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_exit(status, 0);
}

bool
machine_is_fresh(void)
{
	unsigned long base = 1;

	return prctl_arch(ARCH_GET_GS, (unsigned long)&base) == 0 &&
	    base == 0 && READ_SELECTOR(gs) == 0 && READ_SELECTOR(es) == 0 &&
	    READ_SELECTOR(ds) == 0 && !(flags_get() & (FL_AC | FL_DF | FL_NT));
}

static void
exec_starts_fresh(void)
{
	const char *argv[] = { "machine", "fresh", NULL };
	pid_t pid = (pid_t)EXPECT_OK(fork());
	int status;

	if (pid == 0) {
		prctl_arch(ARCH_SET_GS, 0x123456);
		LOAD_SELECTOR(es, SEL_USER_DATA);
		LOAD_SELECTOR(ds, SEL_USER_DATA);
		flags_set(flags_get() | FL_NT);
		execve(root_path("/test/machine"), argv, (strings_t)environ);
		_exit(99);
	}
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_exit(status, 0);
}

/* --- floating point in signal frames --------------------------------- */

static unsigned
mxcsr_get(void)
{
	unsigned v;

	__asm__ volatile("stmxcsr %0" : "=m"(v));
	return v;
}

static unsigned long new_fpstate;
static unsigned forged_mxcsr;

static void
forge_fp(int sig, struct siginfo *si, void *ucp)
{
	struct sigcontext *sc = &((struct ucontext *)ucp)->uc_mcontext;

	(void)sig, (void)si;
	sc->fpstate->mxcsr = forged_mxcsr;
	memset(sc->fpstate->xmm, 0x5a, sizeof(sc->fpstate->xmm));
	memset(sc->fpstate->st, 0xff, sizeof(sc->fpstate->st));
	if (new_fpstate != ~0ul)
		sc->fpstate = (struct sigcontext_fp *)new_fpstate;
}

/* Reserved bits of MXCSR would fault in the kernel. */
static void
forged_mxcsr_is_filtered(void)
{
	uint64_t low;

	new_fpstate = ~0ul;
	forged_mxcsr = 0xffffffffu;
	set_handler(SIGUSR1, forge_fp);
	raise(SIGUSR1);
	__asm__ volatile("movq %%xmm7, %0" : "=r"(low));
	EXPECT_EQ(low, 0x5a5a5a5a5a5a5a5aul);
	EXPECT_EQ(mxcsr_get() & 0xffff0000u, 0);
	EXPECT_EQ(mxcsr_get() & 0x1f80u, 0x1f80);
}

static void
return_with_fpstate(void *at)
{
	new_fpstate = (unsigned long)at;
	forged_mxcsr = 0x1f80;
	set_handler(SIGUSR1, forge_fp);
	raise(SIGUSR1);
	_exit(mxcsr_get() == 0x1f80 ? 7 : 8);
}

static void
forged_fpstate(void)
{
	static const unsigned long bad[] = { 8, 0x123456789abcul,
		0x800000000000ul, 0xffff800000000000ul, -16ul };
	size_t i;

	expect_exit(in_child(return_with_fpstate, NULL), 7);
	for (i = 0; i < nitems(bad); i++)
		expect_signal(in_child(return_with_fpstate, (void *)bad[i]),
		    SIGSEGV);
}

/* The stack of the x87, and its control word. */
static bool
x87_rounds(long me)
{
	double in[8], out[8];
	uint16_t control = (uint16_t)(0x37f ^ (me & 3) << 10), got = 0;
	long ret;
	int round, i;

	__asm__ volatile("fldcw %0" : : "m"(control));
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < 8; i++)
			in[i] = (double)(me * 10000 + round * 8 + i);
		ret = SYS_sched_yield;
		__asm__ volatile(
		    "fldl (%[in]); fldl 8(%[in]); fldl 16(%[in]);"
		    "fldl 24(%[in]); fldl 32(%[in]); fldl 40(%[in]);"
		    "fldl 48(%[in]); fldl 56(%[in]);"
		    "syscall;"
		    "fstpl 56(%[out]); fstpl 48(%[out]); fstpl 40(%[out]);"
		    "fstpl 32(%[out]); fstpl 24(%[out]); fstpl 16(%[out]);"
		    "fstpl 8(%[out]); fstpl (%[out]); fnstcw %[got]"
		    : "+a"(ret), [got] "=m"(got)
		    : [in] "r"(in), [out] "r"(out)
		    : "rcx", "r11", "memory", "st", "st(1)", "st(2)", "st(3)",
		      "st(4)", "st(5)", "st(6)", "st(7)");
		if (memcmp(in, out, sizeof(in)) != 0 || got != control)
			return false;
	}
	return true;
}

static void
x87_follows_its_process(void)
{
	int i, status;

	for (i = 0; i < 5; i++)
		if (EXPECT_OK(fork()) == 0)
			_exit(!x87_rounds(i + 1));
	EXPECT(x87_rounds(9));
	while (wait(&status) > 0)
		expect_exit(status, 0);
}

/* --- registers after a system call ----------------------------------- */

/* rcx and r11 are destroyed, by values that the program knows anyway. */
static void
calls_leak_nothing(void)
{
	int i;

	for (i = 0; i < 100; i++) {
		unsigned long rcx, r11, here, flags = flags_get();
		long nr = i % 2 ? SYS_sched_yield : SYS_getpid;

		__asm__ volatile(
		    "leaq 1f(%%rip), %[here]\n\t"
		    "syscall\n"
		    "1:	movq %%r11, %[r11]\n\t"
		    : "+a"(nr), "=c"(rcx), [r11] "=&r"(r11),
		      [here] "=&r"(here)
		    : : "r11", "memory");
		EXPECT_EQ(rcx, here);
		EXPECT_EQ(r11 & ~0x8d5ul, flags & ~0x8d5ul);
	}
}

const struct ktap_test machine_tests[] = {
	TEST(arithmetic_faults, 0),
	TEST(no_new_base_instructions, T_TERN),
	TEST(debug_faults, 0),
	TEST(not_canonical, 0),
	TEST(context_of_a_fault, 0),
	TEST(single_steps, 0),
	TEST(direction_flag, 0),
	TEST(alignment_check_flag, T_TERN),
	TEST(forged_flags_are_filtered, 0),
	TEST(nested_task_flag, 0),
	TEST(forged_selectors_kill, T_LINUX),
	TEST(loading_selectors, T_LINUX),
	TEST(segment_bases, 0),
	TEST(bases_follow_their_thread, 0),
	TEST(selectors_follow_their_thread, 0),
	TEST(exec_starts_fresh, T_EXEC),
	TEST(forged_mxcsr_is_filtered, T_LINUX),
	TEST(forged_fpstate, 0),
	TEST(x87_follows_its_process, 0),
	TEST(calls_leak_nothing, 0),
	TEST(old_calls, 0),
	TEST(old_names, 0),
	TEST(old_vfork, 0),
	TEST(old_getdents, 0),
};
const size_t nmachine_tests = nitems(machine_tests);
