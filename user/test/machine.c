/* SPDX-License-Identifier: MIT */
/*
 * machine.c - what a program can do to the machine below the system calls:
 * privileged instructions, forged signal frames, odd flags and addresses.
 *
 * Each must end in a signal for the program, and never reach the kernel.  What
 * exists on one machine only is in machine_x86_64.c or machine_riscv.c.
 */
#include "machine.h"
#include <thread.h>

#define PG	PAGE_SIZE
#define ROUNDS	200

/* --- run a few instructions and see what comes of it ----------------- */

static void *jump[5];
static struct fault caught;
static char handler_stack[SIGSTKSZ] __attribute__((aligned(16)));

static void
on_signal(int sig, struct siginfo *si, void *uc)
{
	(void)uc;
	caught = (struct fault){ sig, si->si_code, si->si_addr };
	__builtin_longjmp(jump, 1);
}

/* On a stack of its own, since the program may have lost its stack pointer. */
void
catch_all(void (*fn)(int, struct siginfo *, void *))
{
	static const int sigs[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
	struct sigaction act = { .sa_sigaction = fn,
	    .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK };
	stack_t st = { .ss_sp = handler_stack,
	    .ss_size = sizeof(handler_stack) };
	size_t i;

	EXPECT_OK(syscall3(SYS_sigaltstack, (long)&st, 0, 0));
	for (i = 0; i < nitems(sigs); i++)
		EXPECT_OK(sigaction(sigs[i], &act, NULL));
}

/* The signal that fn() ends in; .sig 0: it returned. */
struct fault __attribute__((noinline))
outcome(void (*fn)(void))
{
	catch_all(on_signal);
	caught = (struct fault){ 0, 0, NULL };
	if (__builtin_setjmp(jump) == 0)
		fn();
	return caught;
}

/* As a function without arguments. */
struct fault
run_code(const void *code, size_t size)
{
	static char *page;

	if (page == NULL)
		page = map_pages(1);
	EXPECT_OK(mprotect(page, PG, PROT_READ | PROT_WRITE));
	memset(page, 0, PG);
	memcpy(page, code, size);
	memcpy(page + size, return_insn.code, return_insn.size);
	EXPECT_OK(mprotect(page, PG, PROT_READ | PROT_EXEC));
	flush_icache();
	return outcome((void (*)(void))(uintptr_t)page);
}

static void
privileged_instructions(void)
{
	size_t i;

	for (i = 0; i < nprivileged; i++) {
		const struct insn *p = &privileged[i];
		struct fault f = run_code(p->code, p->size);

		if (f.sig != SIGSEGV && f.sig != SIGILL)
			ktap_fail(__FILE__, __LINE__, "%s: signal %d",
			    p->name, f.sig);
	}
}

/* --- the program counter --------------------------------------------- */

/* Not in any program: the kernel's half, the hole, the page below it. */
static const unsigned long nowhere_pc[] = {
	USER_END, 0x800000000000ul, 0x0123456789abcde0ul,
	0x8000000000000000ul, 0xffff7ffffffffffcul, 0xffff800000000000ul,
	0xffffffc000000000ul, 0xffffffff80200000ul, 0xfffffffffffffff0ul,
};

static unsigned long wanted_pc, seen_pc;
static int seen;

static void
go_there(int sig, struct siginfo *si, void *ucp)
{
	struct ucontext *uc = ucp;

	(void)sig, (void)si;
	UC_PC(uc) = wanted_pc;
}

static void
see(int sig, struct siginfo *si, void *ucp)
{
	struct ucontext *uc = ucp;

	seen_pc = UC_PC(uc);
	seen++;
	on_signal(sig, si, ucp);
}

void
set_handler(int sig, void (*fn)(int, struct siginfo *, void *))
{
	struct sigaction act = { .sa_sigaction = fn,
	    .sa_flags = SA_SIGINFO | SA_RESTART };

	EXPECT_OK(sigaction(sig, &act, NULL));
}

static void
return_to(void *pc)
{
	wanted_pc = (unsigned long)pc;
	set_handler(SIGUSR1, go_there);
	raise(SIGUSR1);
}

/* rt_sigreturn to an address where no program can be. */
static void
sigreturn_to_nowhere(void)
{
	size_t i;

	for (i = 0; i < nitems(nowhere_pc); i++)
		expect_signal(in_child(return_to, (void *)nowhere_pc[i]),
		    SIGSEGV);
}

/* The same with a handler: it runs, and sees the address. */
static void
nowhere_is_reported(void)
{
	size_t i;

	for (i = 0; i < nitems(nowhere_pc); i++) {
		catch_all(see);
		if (__builtin_setjmp(jump) == 0)
			return_to((void *)nowhere_pc[i]);
		EXPECT_EQ(seen, i + 1);
		EXPECT_EQ(caught.sig, SIGSEGV);
		EXPECT_EQ(seen_pc, nowhere_pc[i]);
	}
}

static void
bad_handler(void *pc)
{
	struct sigaction act = { .sa_flags = SA_NODEFER };

	act.sa_handler = (void (*)(int))pc;
	EXPECT_OK(sigaction(SIGUSR1, &act, NULL));
	raise(SIGUSR1);
}

static void
handler_is_nowhere(void)
{
	size_t i;

	for (i = 0; i < nitems(nowhere_pc); i++)
		expect_signal(in_child(bad_handler, (void *)nowhere_pc[i]),
		    SIGSEGV);
}

static void
both_are_nowhere(void *pc)
{
	struct sigaction act = { .sa_flags = SA_NODEFER };

	act.sa_handler = (void (*)(int))pc;
	EXPECT_OK(sigaction(SIGSEGV, &act, NULL));
	bad_handler(pc);
}

/* The handler of the fault is as bad: the frames fill the stack, no more. */
static void
fault_handler_is_nowhere(void)
{
	expect_signal(in_child(both_are_nowhere, (void *)nowhere_pc[1]),
	    SIGSEGV);
	expect_signal(in_child(both_are_nowhere, (void *)nowhere_pc[7]),
	    SIGSEGV);
}

static void *
jump_there(void *pc)
{
	((void (*)(void))(uintptr_t)pc)();
	return NULL;
}

static void
thread_goes(void *pc)
{
	struct thread t;

	EXPECT_OK(thread_create(&t, jump_there, pc));
	thread_join(&t);
}

static void
jump_to_nowhere(void)
{
	size_t i;

	for (i = 0; i < nitems(nowhere_pc); i++)
		expect_signal(in_child(thread_goes, (void *)nowhere_pc[i]),
		    SIGSEGV);
}

/* The very last instruction of the user half is a system call: it returns to
 * the first address behind. */
static void
at_the_end(void *unused)
{
	char *last = mmap((void *)(USER_END - PG), PG, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	(void)unused;
	EXPECT(last == (char *)(USER_END - PG));
	memcpy(last + PG - syscall_insn.size, syscall_insn.code,
	    syscall_insn.size);
	EXPECT_OK(mprotect(last, PG, PROT_READ | PROT_EXEC));
	flush_icache();
	call_getpid_at(last + PG - syscall_insn.size);
}

static void
call_at_the_end_of_memory(void)
{
	expect_signal(in_child(at_the_end, NULL), SIGSEGV);
}

/* --- registers -------------------------------------------------------- */

/* Every register that a system call leaves alone, with and without work on the
 * way back. */
static void
calls_preserve_registers(void)
{
	unsigned long in[NPRESERVED_MAX], out[NPRESERVED_MAX];
	size_t i, round;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < npreserved; i++)
			in[i] = 0x1111111111111111ul * (i + 1) + round;
		keep_registers(in, out,
		    round % 2 ? SYS_sched_yield : SYS_getppid);
		for (i = 0; i < npreserved; i++)
			EXPECT_EQ(out[i], in[i]);
	}
}

static void
nothing(int sig, struct siginfo *si, void *uc)
{
	(void)sig, (void)si, (void)uc;
}

/* Others interrupt and signal this thread all the time. */
static void
interrupts_preserve_registers(void)
{
	pid_t me = getpid(), pid;

	set_handler(SIGUSR1, nothing);
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		while (kill(me, SIGUSR1) == 0) {
			sched_yield();
			sched_yield();
		}
		_exit(0);
	}
	calls_preserve_registers();
	kill(pid, SIGKILL);
	EXPECT_EQ(waitpid(pid, NULL, 0), pid);
}

#define NCOMMON	9
#define NTESTS_MAX	64
static struct ktap_test tests[NTESTS_MAX] = {
	TEST(privileged_instructions, T_NOEMU),
	TEST(sigreturn_to_nowhere, T_NOEMU),
	TEST(nowhere_is_reported, T_NOEMU),
	TEST(handler_is_nowhere, T_NOEMU),
	TEST(fault_handler_is_nowhere, T_NOEMU),
	TEST(jump_to_nowhere, T_NOEMU),
	TEST(call_at_the_end_of_memory, T_TERN),
	TEST(calls_preserve_registers, 0),
	TEST(interrupts_preserve_registers, 0),
};

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "fresh") == 0)
		return machine_is_fresh() ? 0 : 1;
	memcpy(tests + NCOMMON, machine_tests,
	    nmachine_tests * sizeof(tests[0]));
	return ktap_run("machine", tests, NCOMMON + nmachine_tests, argc,
	    argv);
}
