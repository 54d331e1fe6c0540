/* SPDX-License-Identifier: MIT */
/* trap.h - the host port has no user registers; faults are calls. */
#ifndef MACHINE_TRAP_H
#define MACHINE_TRAP_H

struct trapframe {
	char none;
};

#endif
