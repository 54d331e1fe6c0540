/* SPDX-License-Identifier: MIT */
/*
 * console.c - one writer at a time on the console.
 *
 * Path: kprintf, dev/tty.c -> HERE -> console_write (port).
 * Locks: console_lock, the last of all: messages come from anywhere.
 */
#include "arch/console.h"
#include "proc/console.h"
#include "sync/spinlock.h"

static struct spinlock console_lock = SPINLOCK_INIT(RANK_CONSOLE, "console");

void
console_put(const char *s, size_t n)
{
	bool on = spin_lock_irq(&console_lock);

	console_write(CONSOLE_TTY, s, n);
	spin_unlock_irq(&console_lock, on);
}
