/* SPDX-License-Identifier: MIT */
/**
 * @file syscall_table.h
 * Handlers of system calls: prototypes from the one list in abi/syscall.h.
 *
 * A handler gets the caller's argument registers as they are and checks each;
 * it returns a result or a negative errno.  User memory is reached through
 * copyin, copyout and vm_pin only.  How to add one: docs/howto/add-syscall.md.
 */
#ifndef SYS_SYSCALL_TABLE_H
#define SYS_SYSCALL_TABLE_H

#include "abi/syscall.h"
#include "lib/types.h"

#define SYSCALL_ARGS_0 void
#define SYSCALL_ARGS_1 uintptr_t
#define SYSCALL_ARGS_2 uintptr_t, uintptr_t
#define SYSCALL_ARGS_3 SYSCALL_ARGS_2, uintptr_t
#define SYSCALL_ARGS_4 SYSCALL_ARGS_3, uintptr_t
#define SYSCALL_ARGS_5 SYSCALL_ARGS_4, uintptr_t
#define SYSCALL_ARGS_6 SYSCALL_ARGS_5, uintptr_t

#define SYSCALL_PROTOTYPE(name, rv, x86, nargs) \
	long sys_##name(SYSCALL_ARGS_##nargs);
SYSCALLS(SYSCALL_PROTOTYPE)

/** Entries of the tables; only trap_entry.S calls them. */
typedef void syscall_entry(void);
/** Indexed by Linux number, and by number - SYSCALL_TERN_BASE. No slot is
 * NULL. */
extern syscall_entry *const syscall_table[SYSCALL_MAX_LINUX];
extern syscall_entry *const syscall_table_tern[SYSCALL_TERN_END -
    SYSCALL_TERN_BASE];

/* For handlers. */

/** A path, copied in; free with path_free(). */
int path_copyin(uintptr_t user, char **out);
void path_free(char *path);

/** exec of a program with kernel strings, for the first process. */
int exec_init(const char *path, const char *const *argv,
    const char *const *envp);

#endif
