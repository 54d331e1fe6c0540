/* SPDX-License-Identifier: MIT */
/** @file l4_fault.h Faults of the L4 design: from the entry to a pager. */
#ifndef VM_L4_L4_FAULT_H
#define VM_L4_L4_FAULT_H

#include "vm/vm.h"

int l4_fault(struct vmspace *, const struct vm_fault *, struct vm_txn *);
int l4_pin(struct vmspace *, vaddr_t, vm_prot_t access, struct vm_page **,
    struct vm_txn *);

#endif
