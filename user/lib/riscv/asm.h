/* SPDX-License-Identifier: MIT */
/*
 * asm.h - system-call numbers for crt0.S; start.c compares them with the
 * table in abi/syscall.h.
 */
#ifndef ASM_H
#define ASM_H

#define ASM_SYS_clone		220
#define ASM_SYS_exit		93
#define ASM_SYS_rt_sigreturn	139

#endif /* ASM_H */
