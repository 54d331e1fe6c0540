/* SPDX-License-Identifier: MIT */
/*
 * machine.h - between machine.c and the half that knows the instructions of
 * one machine (machine_x86_64.c, machine_riscv.c).
 */
#ifndef MACHINE_H
#define MACHINE_H

#include "ktap.h"

/* --- machine.c -------------------------------------------------------- */

/** Calls @p fn; the signal it ends in, .sig 0: it returned. */
struct fault outcome(void (*fn)(void));
/** Copies instructions into a page, adds a return, and calls them. */
struct fault run_code(const void *code, size_t size);
/** Handler of SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGTRAP, on a stack of its
 * own. */
void	catch_all(void (*fn)(int, struct siginfo *, void *));
void	set_handler(int sig, void (*fn)(int, struct siginfo *, void *));

/* --- the other half --------------------------------------------------- */

struct insn {
	const char	*name;
	const void	*code;
	size_t		 size;
};
#define INSN(name, bytes)	{ name, bytes, sizeof(bytes) - 1 }

extern const struct insn privileged[], return_insn, syscall_insn;
extern const size_t nprivileged;
extern const struct ktap_test machine_tests[];
extern const size_t nmachine_tests;

void	flush_icache(void);
/** Just after exec: nothing of the old program's state is left. */
bool	machine_is_fresh(void);
/** System call getpid by the instruction at @p insn, with registers as they
 * must be. */
void	call_getpid_at(const char *insn);
/** Fills the registers that system call @p nr (no arguments) must preserve
 * from @p in, calls, and stores them. */
#define NPRESERVED_MAX	32
extern const size_t npreserved;
void	keep_registers(const unsigned long *in, unsigned long *out, long nr);

/* --- oldcalls_x86_64.c: tests ------------------------------------------ */

void	old_calls(void);
void	old_names(void);
void	old_vfork(void);
void	old_getdents(void);

#endif /* MACHINE_H */
