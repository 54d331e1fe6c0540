/* SPDX-License-Identifier: MIT */
/*
 * txn.h - what space.c, fault.c and copy.c share about restarting.
 */
#ifndef VM_TXN_H
#define VM_TXN_H

#include "vm/vm.h"

/**
 * After a slot under the shared lock failed with @p error: wait if it asked to,
 * or for memory.
 * @return VM_WAIT: call the slot again; else the error for the caller
 * @pre no lock held
 */
int vm_fault_retry(struct vmspace *, struct vm_txn *, int error);

#endif
