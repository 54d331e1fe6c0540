/* SPDX-License-Identifier: MIT */
/*
 * panic.c - the kernel's log, and the last words of a broken kernel.
 *
 * panic() takes no lock and allocates nothing: the reason may be a lock or
 * the allocator.  Its text goes to the console and to the results channel,
 * where the harness finds addresses that it can turn into lines.
 */
#include "lib/panic.h"

#include "arch/boot.h"
#include "arch/console.h"
#include "arch/cpu.h"
#include "lib/printf.h"
#include "lib/string.h"

#include "proc/console.h"

#define PANIC_EXIT_CODE 99
#define BACKTRACE_MAX	24

void
kprintf(const char *fmt, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	console_put(line, strlen(line));
}

static uint32_t panicking; /* [a] CPU + 1 that came first */

static void
say(const char *text)
{
	size_t n = strlen(text);

	console_write(CONSOLE_TTY, text, n);
	if (console_present(CONSOLE_RESULTS))
		console_write(CONSOLE_RESULTS, text, n);
}

static void
say_backtrace(void)
{
	uintptr_t pc[BACKTRACE_MAX];
	char word[24];
	unsigned n = cpu_backtrace(pc, BACKTRACE_MAX);

	say("# backtrace:");
	for (unsigned i = 0; i < n; i++) {
		snprintf(word, sizeof(word), " 0x%lx", pc[i]);
		say(word);
	}
	say("\n");
}

static void
stop(void)
{
	char how[8] = "";

	if (bootarg("panic", how, sizeof(how)) && strcmp(how, "halt") == 0)
		for (;;)
			cpu_idle();
	cpu_poweroff(PANIC_EXIT_CODE);
}

void
panic(const char *fmt, ...)
{
	uint32_t first = 0;
	char line[256];
	va_list ap;

	intr_disable();
	this_cpu()->locks = NULL; /* no more checks */
	if (!__atomic_compare_exchange_n(&panicking, &first, cpu_id() + 1,
		false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		if (first == cpu_id() + 1)
			cpu_poweroff(PANIC_EXIT_CODE); /* while panicking */
		for (;;)
			cpu_idle();
	}
	cpu_stop_others();
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	say("\n# panic: ");
	say(line);
	snprintf(line, sizeof(line), "\n# cpu %u pc 0x%lx\n", cpu_id(),
	    (uintptr_t)__builtin_return_address(0));
	say(line);
	say_backtrace();
	stop();
	for (;;)
		cpu_idle();
}
