/* SPDX-License-Identifier: MIT */
/*
 * uart.c - 16550 serial ports, and the console on the first of them.
 *
 * Output is polled and goes in bursts of one FIFO; input interrupts.  Before
 * the device tree has named the port, output goes through the firmware.
 */
#include "uart.h"

#include "arch/console.h"
#include "arch/cpu.h"
#include "arch/mmu.h"
#include "arch/pci.h"
#include "arch/timer.h"
#include "platform.h"
#include "sbi.h"

#define REG_DATA 0 /* receive, transmit */
#define REG_IER	 1
#define REG_FCR	 2
#define REG_LCR	 3
#define REG_MCR	 4
#define REG_LSR	 5

#define IER_RECEIVE   0x01
#define FCR_ENABLE    0x07 /* on, both cleared; interrupt at one byte */
#define LCR_8N1	      0x03
#define MCR_READY     0x0b /* DTR, RTS, OUT2 */
#define LSR_RECEIVED  0x01
#define LSR_TX_EMPTY  0x20
#define LSR_TX_IDLE   0x40 /* the last bit has left */

#define FIFO_SIZE 16
#define DRAIN_NS  2000000000ull

static struct uart console;

void
uart_setup(struct uart *u, paddr_t regs)
{
	u->regs = phys_to_virt(regs);
	u->regs[REG_IER] = 0;
	u->regs[REG_LCR] = LCR_8N1;
	u->regs[REG_FCR] = FCR_ENABLE;
	u->regs[REG_MCR] = MCR_READY;
}

void
uart_write(struct uart *u, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i % FIFO_SIZE == 0)
			while (!(u->regs[REG_LSR] & LSR_TX_EMPTY))
				cpu_relax();
		u->regs[REG_DATA] = (uint8_t)s[i];
	}
}

static void
drain(struct uart *u, ns_t deadline)
{
	while (u->regs != NULL && !(u->regs[REG_LSR] & LSR_TX_IDLE) &&
	    timer_now() < deadline)
		cpu_relax();
}

void
uart_drain(void)
{
	ns_t deadline = timer_now() + DRAIN_NS;

	drain(&console, deadline);
	drain(&results_uart, deadline);
}

static void
uart_interrupt(void)
{
	tty_input_ready();
}

void
uart_init(void)
{
	if (platform.uart == 0)
		return;
	uart_setup(&console, platform.uart);
	console.regs[REG_IER] = IER_RECEIVE;
	irq_connect(platform.uart_irq, uart_interrupt);
}

void
console_write(enum console_port port, const char *s, size_t n)
{
	if (port == CONSOLE_RESULTS) {
		if (results_uart.regs != NULL)
			uart_write(&results_uart, s, n);
	} else if (console.regs != NULL) {
		uart_write(&console, s, n);
	} else {
		for (size_t i = 0; i < n; i++)
			sbi_putchar(s[i]);
	}
}

bool
console_present(enum console_port port)
{
	return port == CONSOLE_TTY || results_uart.regs != NULL;
}

int
console_getc(void)
{
	if (console.regs == NULL || !(console.regs[REG_LSR] & LSR_RECEIVED))
		return -1;
	return console.regs[REG_DATA];
}
