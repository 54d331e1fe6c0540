/* SPDX-License-Identifier: MIT */
/*
 * prctl.h - the few prctl(2) options and arch_prctl(2) codes in use.
 */
#ifndef ABI_PRCTL_H
#define ABI_PRCTL_H

#define PR_SET_PDEATHSIG	1
#define PR_SET_NAME		15
#define PR_GET_NAME		16
#define PR_NAME_LEN		16	/* with the terminating zero */

#define ARCH_SET_GS		0x1001
#define ARCH_SET_FS		0x1002
#define ARCH_GET_FS		0x1003
#define ARCH_GET_GS		0x1004

#endif /* ABI_PRCTL_H */
