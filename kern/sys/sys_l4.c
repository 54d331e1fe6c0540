/* SPDX-License-Identifier: MIT */
/*
 * sys_l4.c - calls of the L4 design: ENOSYS when another one was booted.
 *
 * They touch spaces whose locks they do not hold; frame locks and pmap locks
 * guard them, and each owns its gather and flushes it before it returns.
 */
#include "abi/errno.h"
#include "abi/l4.h"
#include "ipc/l4_ipc.h"
#include "lib/string.h"
#include "sys/syscall_table.h"
#include "vm/l4/fpage.h"
#include "vm/l4/l4.h"

static bool
is_l4(void)
{
	return strcmp(vm_design->name, "l4") == 0;
}

/* X.2: what is returned in the rights is what happened since last time. */
static int
unmap_fpage(uint64_t *fpage, bool flush)
{
	struct l4_unmap u = { .space = thread_self()->space,
		.rights = fpage_prot(*fpage),
		.flags = L4_UNMAP_RESET | L4_UNMAP_OWNER |
		    (flush ? L4_UNMAP_SELF : 0) };
	struct tlb_gather tg;

	if (fpage_is_nil(*fpage))
		return 0;
	if (!fpage_valid(*fpage))
		return EINVAL;
	u.sva = fpage_base(*fpage);
	u.eva = fpage_size_log2(*fpage) == 64 ?
	    USER_MAX :
	    u.sva + ((vaddr_t)1 << fpage_size_log2(*fpage));
	tlb_gather_init(&tg);
	sleep_lock_shared(&u.space->lock); /* for the overlay */
	while (l4_unmap(&u, &tg) != 0)
		tlb_gather_flush(&tg);
	tlb_gather_flush(&tg);
	sleep_unlock_shared(&u.space->lock);
	*fpage &= ~(uint64_t)7;
	if (u.status & L4_REFERENCED)
		*fpage |= L4_FPAGE_R;
	if (u.status & L4_WRITTEN)
		*fpage |= L4_FPAGE_W;
	return 0;
}

long
sys_l4_unmap(uintptr_t control, uintptr_t fpages)
{
	struct vmspace *vs = thread_self()->space;
	unsigned n = (unsigned)(control & 63) + 1;
	int error = 0;

	if (!is_l4())
		return -ENOSYS;
	for (unsigned i = 0; error == 0 && i < n; i++) {
		uintptr_t at = fpages + i * sizeof(uint64_t);
		uint64_t fpage;

		error = copyin(vs, &fpage, at, sizeof(fpage));
		if (error == 0)
			error = unmap_fpage(&fpage, control & L4_UNMAP_FLUSH);
		if (error == 0)
			error = copyout(vs, at, &fpage, sizeof(fpage));
	}
	return -error;
}

/* Bytes of a message up to the last word that its tag speaks of. */
static size_t
used_bytes(const struct l4_ipc *m)
{
	return offsetof(struct l4_ipc, mr) + sizeof(m->mr[0]) *
	    (1 + L4_TAG_U(m->mr[0]) + L4_TAG_T(m->mr[0]));
}

/* What the tag does not speak of is not moved, here as in l4_transfer(). */
static int
get_message(struct vmspace *vs, struct l4_ipc *m, uintptr_t args)
{
	const size_t head = offsetof(struct l4_ipc, mr[1]);
	int error = copyin(vs, m, args, head);

	if (error != 0)
		return error;
	if (m->from < L4_ANYTHREAD || m->to < 0 || used_bytes(m) > sizeof(*m))
		return EINVAL;
	if (used_bytes(m) == head)
		return 0;
	return copyin(vs, &m->mr[1], args + head, used_bytes(m) - head);
}

long
sys_l4_ipc(uintptr_t args)
{
	struct vmspace *vs = thread_self()->space;
	struct l4_ipc m;
	int error, fault;

	if (!is_l4())
		return -ENOSYS;
	error = get_message(vs, &m, args);
	if (error != 0)
		return -error;
	error = l4_ipc_run(&m, WAIT_SIGNAL);
	fault = copyout(vs, args, &m, used_bytes(&m));
	return error != 0 ? -error : -fault;
}

long
sys_l4_set_pager(uintptr_t tid)
{
	if (!is_l4())
		return -ENOSYS;
	if (tid > INT32_MAX)
		return -EINVAL;
	thread_self()->pager = (int)tid;
	return 0;
}
