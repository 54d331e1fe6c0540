/* SPDX-License-Identifier: MIT */
/**
 * @file syscall_table.h
 * The tables that the port's system-call entry jumps through.
 *
 * Entry n serves number n (Linux) or SYSCALL_TERN_BASE + n (Tern's own); no
 * entry is NULL, a hole is sys_enosys.  A handler gets the six argument
 * registers and returns a result or -errno.  It runs on the thread's kernel
 * stack with interrupts on and nothing locked.
 *
 * Entry saves the caller-saved registers only.  Handlers that read or replace
 * all of the user's registers stand in the table as NAME_full: the port
 * completes the frame, calls NAME, and loads every register on the way back
 * (list at the end of kern/arch/PORT/trap_entry.S).  The value that NAME returns
 * becomes the result register, so sys_rt_sigreturn returns tf_result().
 */
#ifndef SYS_SYSCALL_TABLE_H
#define SYS_SYSCALL_TABLE_H

#include "abi/syscall.h"

typedef long syscall_fn(long, long, long, long, long, long);

extern syscall_fn *const syscall_table[SYSCALL_MAX_LINUX];
extern syscall_fn *const syscall_table_tern[SYSCALL_TERN_END -
    SYSCALL_TERN_BASE];

/* Port: completes the frame, then calls the function without _full. */
syscall_fn sys_clone_full, sys_clone3_full, sys_execve_full,
    sys_rt_sigreturn_full;

#endif
