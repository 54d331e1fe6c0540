/* SPDX-License-Identifier: MIT */
/*
 * l4_fault.c - a fault is a message to a pager.
 *
 * Path: vm_fault (vm/fault.c) -> HERE -> root_fault, the default pager, by a
 * call instead of a message -> l4_map -> pmap_enter.
 * Locks: the space shared.
 * What the entry permits already is no pager's business: the CPU held an older
 * translation, which is fenced here (C9).
 */
#include "vm/l4/l4_fault.h"

#include "abi/errno.h"
#include "vm/l4/root_pager.h"

int
l4_fault(struct vmspace *vs, const struct vm_fault *vf, struct vm_txn *txn)
{
	if (pmap_fixup(vs->pmap, vf->va, vf->access))
		return 0;
	return root_fault(vs, vf, txn);
}

int
l4_pin(struct vmspace *vs, vaddr_t va, vm_prot_t access,
    struct vm_page **out, struct vm_txn *txn)
{
	struct vm_fault vf = { .va = va, .access = access };
	const struct region *r;
	int error = l4_fault(vs, &vf, txn);

	if (error != 0)
		return error;
	if (pmap_get_pin(vs->pmap, va, access, out) == 0)
		return 0;
	/* Device memory has no struct vm_page to pin. */
	r = region_find(vs, va);
	if (r != NULL && r->source == VM_PHYS)
		return EFAULT;
	return root_restart(txn); /* changed again in between */
}
