/* SPDX-License-Identifier: MIT */
/*
 * uart.c - 16550 serial ports, and the console on the first of them.
 *
 * Output is polled and goes in bursts of one FIFO; input interrupts.
 */
#include "uart.h"

#include "arch/console.h"
#include "arch/cpu.h"
#include "arch/timer.h"
#include "ioapic.h"
#include "platform.h"

#define COM1	 0x3f8
#define COM1_IRQ 4

#define REG_DATA    0 /* receive, transmit */
#define REG_IER	    1
#define REG_FCR	    2
#define REG_LCR	    3
#define REG_MCR	    4
#define REG_LSR	    5
#define REG_SCRATCH 7

#define IER_RECEIVE   0x01
#define FCR_ENABLE    0x07 /* on, both cleared; interrupt at one byte */
#define LCR_8N1	      0x03
#define MCR_READY     0x0b /* DTR, RTS, OUT2 */
#define LSR_RECEIVED  0x01
#define LSR_TX_EMPTY  0x20
#define LSR_TX_IDLE   0x40 /* the last bit has left */

#define FIFO_SIZE 16
#define DRAIN_NS  2000000000ull
#define PROBE	  0x5a

static struct uart console;

void
uart_setup(struct uart *u, uint16_t port)
{
	port_write8(port + REG_SCRATCH, PROBE);
	if (port_read8(port + REG_SCRATCH) != PROBE)
		return;
	u->port = port;
	port_write8(port + REG_IER, 0);
	port_write8(port + REG_LCR, LCR_8N1);
	port_write8(port + REG_FCR, FCR_ENABLE);
	port_write8(port + REG_MCR, MCR_READY);
}

void
uart_write(struct uart *u, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i % FIFO_SIZE == 0)
			while (!(port_read8(u->port + REG_LSR) & LSR_TX_EMPTY))
				cpu_relax();
		port_write8(u->port + REG_DATA, (uint8_t)s[i]);
	}
}

static void
drain(struct uart *u, ns_t deadline)
{
	while (u->port != 0 && !(port_read8(u->port + REG_LSR) & LSR_TX_IDLE) &&
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
	uart_setup(&console, COM1);
	if (console.port != 0)
		ioapic_connect(COM1_IRQ, uart_interrupt);
}

/* Not before the input of the I/O APIC is open: it sees edges only, and one
 * that is lost would be the last. */
void
uart_listen(void)
{
	if (console.port != 0)
		port_write8(console.port + REG_IER, IER_RECEIVE);
}

void
console_write(enum console_port port, const char *s, size_t n)
{
	struct uart *u = port == CONSOLE_RESULTS ? &results_uart : &console;

	if (u->port != 0)
		uart_write(u, s, n);
}

bool
console_present(enum console_port port)
{
	return port == CONSOLE_TTY || results_uart.port != 0;
}

int
console_getc(void)
{
	if (console.port == 0 ||
	    !(port_read8(console.port + REG_LSR) & LSR_RECEIVED))
		return -1;
	return port_read8(console.port + REG_DATA);
}
