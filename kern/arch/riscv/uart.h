/* SPDX-License-Identifier: MIT */
/** @file uart.h Driver for 16550 serial ports: console and results channel. */
#ifndef RISCV_UART_H
#define RISCV_UART_H

#include "lib/types.h"

struct uart {
	volatile uint8_t *regs; /* NULL: not there */
};

/** FIFOs on, 8n1, no interrupts. */
void uart_setup(struct uart *, paddr_t regs);
/** Polled. */
void uart_write(struct uart *, const char *s, size_t n);
/** Wait until both ports have sent what they hold, which would be lost with the
 * power; for two seconds at most, as the reader may have stopped. */
void uart_drain(void);

/** The second serial port, on PCI. (results.c) */
extern struct uart results_uart;

#endif
