/* SPDX-License-Identifier: MIT */
/*
 * guest.h - what a self-test kernel needs to misbehave: both serial lines and
 * the ways to stop QEMU's virt machine.
 *
 * Each kernel here shows the harness one kind of ending; test_harness.py says
 * what it must be called.
 */
#ifndef GUEST_H
#define GUEST_H

#define ECAM		0x30000000ul	/* PCI configuration space */
#define PCI_IO		0x03000000ul	/* PCI I/O ports */
#define RESULTS_PORT	0x1000ul
#define CONSOLE		((volatile unsigned char *)0x10000000)
#define RESULTS		((volatile unsigned char *)(PCI_IO + RESULTS_PORT))
#define STOP		((volatile unsigned int *)0x100000)
#define STOP_PASS	0x5555u
#define STOP_RESET	0x7777u
#define STOP_FAIL(code)	(((unsigned int)(code) << 16) | 0x3333u)

void main(void);

/** Print on a 16550 whose registers are at @p uart. */
static inline void
print_on(volatile unsigned char *uart, const char *s)
{
	for (; *s; s++) {
		while (!(uart[5] & 0x20))
			;
		uart[0] = (unsigned char)*s;
	}
}

static inline void
say(const char *s)
{
	print_on(CONSOLE, s);
}

/** Find the serial card behind PCI, give it a port, print on it. */
static inline void
result(const char *s)
{
	unsigned long slot;

	for (slot = 0; slot < 32; slot++) {
		volatile unsigned int *cfg =
		    (volatile unsigned int *)(ECAM + (slot << 15));

		if (cfg[0] == 0x00021b36u) {
			cfg[4] = RESULTS_PORT;
			cfg[1] = 1;
			print_on(RESULTS, s);
			return;
		}
	}
	say("no results channel\n");
}

static inline _Noreturn void
stop(unsigned int how)
{
	*STOP = how;
	for (;;)
		;
}

#endif
