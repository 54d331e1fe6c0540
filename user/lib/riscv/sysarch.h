/* SPDX-License-Identifier: MIT */
/*
 * sysarch.h - raw system calls and the thread pointer, RISC-V.
 *
 * Number in a7, arguments in a0-a5, result or -errno in a0; every other
 * register survives.
 */
#ifndef SYSARCH_H
#define SYSARCH_H

static inline long
syscall6(long n, long a, long b, long c, long d, long e, long f)
{
	register long a7 __asm__("a7") = n;
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;
	register long a3 __asm__("a3") = d;
	register long a4 __asm__("a4") = e;
	register long a5 __asm__("a5") = f;

	__asm__ volatile("ecall"
	    : "+r"(a0)
	    : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5)
	    : "memory");
	return a0;
}

static inline long
syscall3(long n, long a, long b, long c)
{
	register long a7 __asm__("a7") = n;
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;

	__asm__ volatile("ecall"
	    : "+r"(a0)
	    : "r"(a7), "r"(a1), "r"(a2)
	    : "memory");
	return a0;
}

static inline long
syscall0(long n)
{
	register long a7 __asm__("a7") = n;
	register long a0 __asm__("a0");

	__asm__ volatile("ecall" : "=r"(a0) : "r"(a7) : "memory");
	return a0;
}

/* The TLS block starts at tp; nothing of ours lies below it. */
#define TLS_BELOW_TP	0

static inline void
thread_pointer_set(void *tp)
{
	__asm__ volatile("mv tp, %0" : : "r"(tp) : "memory");
}

/* Instructions retired, as a benchmark's clock. */
static inline unsigned long
counter_read(void)
{
	unsigned long n;

	__asm__ volatile("rdinstret %0" : "=r"(n) : : "memory");
	return n;
}

#endif /* SYSARCH_H */
