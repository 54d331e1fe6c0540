/* SPDX-License-Identifier: MIT */
/** @file uart.h Driver for 16550 serial ports: console and results channel. */
#ifndef X86_64_UART_H
#define X86_64_UART_H

#include "lib/types.h"

struct uart {
	uint16_t port; /* first I/O port; 0: not there */
};

/** FIFOs on, 8n1, no interrupts; no effect if nothing answers. */
void uart_setup(struct uart *, uint16_t port);
/** Polled. */
void uart_write(struct uart *, const char *s, size_t n);
/** Wait until both ports have sent what they hold, which would be lost with the
 * power; for two seconds at most, as the reader may have stopped. */
void uart_drain(void);

/** Let the console's input interrupt. @pre ioapic_init() */
void uart_listen(void);

/** The second serial port. (results.c) */
extern struct uart results_uart;
void results_uart_init(void);

#endif
