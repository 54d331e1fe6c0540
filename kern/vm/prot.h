/* SPDX-License-Identifier: MIT */
/** @file prot.h Access rights, the same values as PROT_* of mmap(2). */
#ifndef VM_PROT_H
#define VM_PROT_H

#include "lib/types.h"

typedef unsigned vm_prot_t;

#define VM_PROT_NONE	0u
#define VM_PROT_READ	1u
#define VM_PROT_WRITE	2u
#define VM_PROT_EXECUTE 4u
#define VM_PROT_ALL	7u

#endif
