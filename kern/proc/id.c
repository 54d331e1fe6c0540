/* SPDX-License-Identifier: MIT */
/*
 * id.c - thread and process ids: a direct-mapped table.
 *
 * Id n lives in slot n modulo the table size.  The next free id is the next
 * number whose slot is free, so that look-up, allocation and release need no
 * search, and an id comes back only after all the others.
 * Locks: proc_tree_lock.
 */
#include "proc/id.h"

#define ID_SLOTS 2048u
#define ID_MAX	 4194304 /* as Linux on 64 bits */
_Static_assert(ID_LIMIT < ID_SLOTS, "a free slot is always near");

static struct id_slot {
	int id;
	struct thread *thread;
	struct proc *proc;
} slots[ID_SLOTS];
static int last_id;

static struct id_slot *
slot_of(int id)
{
	return &slots[(unsigned)id % ID_SLOTS];
}

int
id_alloc(struct thread *t, struct proc *p)
{
	KASSERT(spin_held(&proc_tree_lock));
	for (unsigned i = 0; i < ID_SLOTS; i++) {
		struct id_slot *s;

		last_id = last_id < ID_MAX ? last_id + 1 : PID_INIT + 1;
		s = slot_of(last_id);
		if (s->thread != NULL || s->proc != NULL)
			continue;
		s->id = last_id;
		s->thread = t;
		s->proc = p;
		return last_id;
	}
	return 0;
}

void
id_release(int id, struct thread *t, struct proc *p)
{
	struct id_slot *s = slot_of(id);

	KASSERT(spin_held(&proc_tree_lock));
	KASSERT(s->id == id);
	if (t != NULL && s->thread == t)
		s->thread = NULL;
	if (p != NULL && s->proc == p)
		s->proc = NULL;
}

void
id_take_pid(struct thread *t, int pid)
{
	id_release(t->tid, t, NULL);
	KASSERT(slot_of(pid)->id == pid && slot_of(pid)->thread == NULL);
	slot_of(pid)->thread = t;
	t->tid = pid;
}

struct thread *
id_thread(int id)
{
	struct id_slot *s = slot_of(id);

	return s->id == id ? s->thread : NULL;
}

struct proc *
id_proc(int id)
{
	struct id_slot *s = slot_of(id);

	return s->id == id ? s->proc : NULL;
}
