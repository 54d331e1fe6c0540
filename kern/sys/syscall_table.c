/* SPDX-License-Identifier: MIT */
/*
 * syscall_table.c - from numbers to handlers.
 *
 * Path: trap_entry.S (ecall) -> syscall_table[a7].
 * The handlers of some calls need the caller's registers as a whole: the table
 * names the port's NAME_full, which completes the trap frame first.
 */
#include "sys/syscall_table.h"

#include "abi/errno.h"

long sys_enosys(void);
void sys_clone_full(void);
void sys_clone3_full(void);
void sys_execve_full(void);
void sys_rt_sigreturn_full(void);

long
sys_enosys(void)
{
	return -ENOSYS;
}

#define NO_CALL ((syscall_entry *)sys_enosys)
#define LINUX_ENTRY(name, rv, x86, nargs) \
	[SYS_##name] = (syscall_entry *)sys_##name,
#define TERN_ENTRY(name, rv, x86, nargs) \
	[SYS_##name - SYSCALL_TERN_BASE] = (syscall_entry *)sys_##name,

/* Later entries replace the default of the first line. */
#pragma GCC diagnostic ignored "-Woverride-init"

syscall_entry *const syscall_table[SYSCALL_MAX_LINUX] = {
	[0 ... SYSCALL_MAX_LINUX - 1] = NO_CALL,
	SYSCALLS_FILE(LINUX_ENTRY)
	SYSCALLS_PROC(LINUX_ENTRY)
	SYSCALLS_SIGNAL(LINUX_ENTRY)
	SYSCALLS_TIME(LINUX_ENTRY)
	SYSCALLS_MEM(LINUX_ENTRY)
	SYSCALLS_ARCH(LINUX_ENTRY)
	[SYS_clone] = sys_clone_full,
	[SYS_clone3] = sys_clone3_full,
	[SYS_execve] = sys_execve_full,
	[SYS_rt_sigreturn] = sys_rt_sigreturn_full,
};

syscall_entry *const syscall_table_tern[SYSCALL_TERN_END -
    SYSCALL_TERN_BASE] = {
	[0 ... SYSCALL_TERN_END - SYSCALL_TERN_BASE - 1] = NO_CALL,
	SYSCALLS_TERN(TERN_ENTRY)
};
