/* SPDX-License-Identifier: MIT */
/*
 * asm.h - system-call numbers for crt0.S; start.c compares them with the
 * table in abi/syscall.h.
 */
#ifndef ASM_H
#define ASM_H

#define ASM_SYS_clone		56
#define ASM_SYS_exit		60
#define ASM_SYS_rt_sigreturn	15

#endif /* ASM_H */
