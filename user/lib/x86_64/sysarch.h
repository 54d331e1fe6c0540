/* SPDX-License-Identifier: MIT */
/*
 * sysarch.h - raw system calls and the thread pointer, x86-64.
 *
 * Number in rax, arguments in rdi rsi rdx r10 r8 r9, result or -errno in
 * rax; the syscall instruction itself destroys rcx and r11.
 */
#ifndef SYSARCH_H
#define SYSARCH_H

#include <abi/prctl.h>
#include <abi/syscall.h>

static inline long
syscall6(long n, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
	    : "=a"(ret)
	    : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
	    : "rcx", "r11", "memory");
	return ret;
}

static inline long
syscall3(long n, long a, long b, long c)
{
	long ret;

	__asm__ volatile("syscall"
	    : "=a"(ret)
	    : "a"(n), "D"(a), "S"(b), "d"(c)
	    : "rcx", "r11", "memory");
	return ret;
}

static inline long
syscall0(long n)
{
	long ret;

	__asm__ volatile("syscall"
	    : "=a"(ret)
	    : "a"(n)
	    : "rcx", "r11", "memory");
	return ret;
}

/* The TLS block ends at fs; the word there points to itself. */
#define TLS_BELOW_TP	1

static inline void
thread_pointer_set(void *tp)
{
	syscall3(SYS_arch_prctl, ARCH_SET_FS, (long)tp, 0);
}

/* The time-stamp counter: instructions under icount, else cycles. */
static inline unsigned long
counter_read(void)
{
	unsigned lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (unsigned long)hi << 32 | lo;
}

#endif /* SYSARCH_H */
