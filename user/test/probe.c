/* SPDX-License-Identifier: MIT */
/*
 * probe.c - touch an address and report the fault, if any.
 *
 * The handler jumps back into probe(), so nothing of the faulting context
 * is needed.  Each thread has its own jump buffer.
 */
#include "ktap.h"

int *volatile nowhere = (int *)8;

static __thread void *jump[5];
static __thread struct fault fault;

static void
on_fault(int sig, struct siginfo *si, void *uc)
{
	(void)uc;
	fault = (struct fault){ sig, si->si_code, si->si_addr };
	__builtin_longjmp(jump, 1);
}

/* A page of zeroes is made of instructions, on x86-64: they add to what rax
 * points to, a place of ours, until the next page faults. */
static void
run(volatile unsigned char *p)
{
#if defined(__x86_64__)
	static long place[2];

	__asm__ volatile("call *%1" : : "a"(place), "r"(p)
	    : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory");
#else
	((void (*)(void))(uintptr_t)p)();
#endif
}

static void
touch(volatile unsigned char *p, enum probe how)
{
	if (how == PROBE_EXEC)
		run(p);
	else if (how == PROBE_WRITE)
		*p = *p;
	else
		(void)*p;
}

struct fault __attribute__((noinline))
probe(const void *addr, enum probe how)
{
	struct sigaction act = { .sa_sigaction = on_fault,
	    .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK };
	struct sigaction segv, bus, ill;

	sigaction(SIGSEGV, &act, &segv);
	sigaction(SIGBUS, &act, &bus);
	sigaction(SIGILL, &act, &ill);
	fault = (struct fault){ 0, 0, NULL };
	if (__builtin_setjmp(jump) == 0)
		touch((volatile unsigned char *)(uintptr_t)addr, how);
	sigaction(SIGSEGV, &segv, NULL);
	sigaction(SIGBUS, &bus, NULL);
	sigaction(SIGILL, &ill, NULL);
	return fault;
}

/* @code 0: there must be no fault. */
void
expect_fault(const char *file, int line, const void *addr, enum probe how,
    int code)
{
	static const char *const names[] = { "read", "write", "execution" };
	struct fault f = probe(addr, how);

	if (code == 0 && f.sig == 0)
		return;
	if (code == 0)
		ktap_fail(file, line, "%s at %p: expected success, got %s",
		    names[how], addr, strsignal(f.sig));
	if (f.sig != SIGSEGV || f.code != code)
		ktap_fail(file, line,
		    "%s at %p: expected SIGSEGV code %d, got signal %d code "
		    "%d", names[how], addr, code, f.sig, f.code);
	if (f.addr != addr)
		ktap_fail(file, line, "%s: expected si_addr %p, got %p",
		    names[how], addr, f.addr);
}
