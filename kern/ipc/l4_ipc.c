/* SPDX-License-Identifier: MIT */
/*
 * l4_ipc.c - synchronous IPC: who meets whom.
 *
 * Path: sys_l4_ipc, trap_pagefault -> HERE -> l4_transfer.
 * A message moves when a sender meets a receiver: whoever comes second moves
 * it, while the other rests (L4_BUSY) and cannot end.  A sender that also wants
 * to receive becomes a receiver in the same step, so that a reply with timeout
 * zero finds it.
 * Locks: ipc_lock for all states; none over a transfer or a wait.
 * Source: L4 X.2 Reference Manual, section 5.
 */
#include "ipc/l4_ipc.h"

#include "abi/errno.h"
#include "arch/timer.h"
#include "proc/id.h"

static struct spinlock ipc_lock = SPINLOCK_INIT(RANK_MISC, "l4 ipc");
static struct list waiting = LIST_INIT(waiting); /* [ipc_lock] */

/* m * 2^e microseconds; 0 stands for never. */
static ns_t
deadline_of(unsigned timeout)
{
	uint64_t us = (uint64_t)(timeout & 1023) << (timeout >> 10 & 31);

	return timeout == L4_NEVER ? DEADLINE_NONE : timer_now() + us * 1000;
}

static bool
accepts(const struct l4_party *r, int tid)
{
	return r->m->from == L4_ANYTHREAD || r->m->from == tid;
}

/* A receiver for @p s. @locks ipc_lock */
static struct l4_party *
find_receiver(const struct l4_party *s)
{
	LIST_FOREACH(l, &waiting) {
		struct l4_party *p = LIST_ENTRY(l, struct l4_party, link);

		if (p->state == L4_RECEIVING && p->tid == s->m->to &&
		    accepts(p, s->tid))
			return p;
	}
	return NULL;
}

/* The sender that has waited longest for @p r. @locks ipc_lock */
static struct l4_party *
find_sender(const struct l4_party *r)
{
	LIST_FOREACH(l, &waiting) {
		struct l4_party *p = LIST_ENTRY(l, struct l4_party, link);

		if (p->state == L4_SENDING && p->m->to == r->tid &&
		    accepts(r, p->tid))
			return p;
	}
	return NULL;
}

static void
queue(struct l4_party *p, unsigned state)
{
	p->state = state;
	list_remove(&p->link);
	list_push_back(&waiting, &p->link);
}

/* The resting party goes on. @locks ipc_lock */
static void
release(struct l4_party *p, bool sender, unsigned code)
{
	p->code = code;
	p->received = !sender;
	if (sender && code == 0 && p->m->from != L4_NILTHREAD)
		queue(p, L4_RECEIVING);
	else
		p->state = L4_IDLE;
	waitq_wake_all(&p->wq);
}

/* Move a message between the current thread and @p other, who waits.
 * @locks ipc_lock, dropped meanwhile */
static unsigned
meet(struct l4_party *self, struct l4_party *other, bool sending)
{
	unsigned code;

	list_remove(&other->link);
	list_remove(&self->link);
	other->state = L4_BUSY;
	self->state = L4_IDLE;
	spin_unlock(&ipc_lock);
	code = sending ? l4_transfer(self, other) : l4_transfer(other, self);
	spin_lock(&ipc_lock);
	release(other, !sending, code);
	return code;
}

/* Until the state is not @p state any more, and nobody moves our message.
 * @locks ipc_lock, dropped meanwhile */
static unsigned
rest(struct l4_party *self, unsigned state, ns_t deadline, enum wait_how how)
{
	int error = 0;

	while (self->state == state || self->state == L4_BUSY) {
		bool busy = self->state == L4_BUSY;
		uint32_t seq = waitq_sequence(&self->wq);

		if (error != 0 && !busy) {
			list_remove(&self->link);
			self->state = L4_IDLE;
			return error == ETIMEDOUT ? L4_E_TIMEOUT :
						    L4_E_CANCELLED;
		}
		spin_unlock(&ipc_lock);
		if (busy)
			(void)waitq_wait(&self->wq, seq, WAIT_FOREVER,
			    DEADLINE_NONE);
		else
			error = waitq_wait(&self->wq, seq, how, deadline);
		spin_lock(&ipc_lock);
	}
	return self->code;
}

static bool
exists(int tid)
{
	bool irq = spin_lock_irq(&proc_tree_lock);
	bool found = tid > 0 && id_thread(tid) != NULL;

	spin_unlock_irq(&proc_tree_lock, irq);
	return found;
}

static unsigned
send_phase(struct l4_party *self, enum wait_how how)
{
	unsigned timeout = self->m->send_timeout;
	struct l4_party *r = find_receiver(self);

	if (r != NULL)
		return meet(self, r, true);
	if (timeout == L4_ZERO_TIME)
		return L4_E_TIMEOUT;
	queue(self, L4_SENDING);
	return rest(self, L4_SENDING, deadline_of(timeout), how);
}

/* After a send that rested, we are a receiver already. */
static unsigned
receive_phase(struct l4_party *self, enum wait_how how)
{
	unsigned timeout = self->m->receive_timeout;
	struct l4_party *s;

	if (self->state == L4_BUSY)
		return rest(self, L4_RECEIVING, deadline_of(timeout), how);
	s = find_sender(self);
	if (s != NULL)
		return meet(self, s, false);
	if (timeout == L4_ZERO_TIME) {
		list_remove(&self->link);
		return L4_E_TIMEOUT;
	}
	if (self->state != L4_RECEIVING)
		queue(self, L4_RECEIVING);
	return rest(self, L4_RECEIVING, deadline_of(timeout), how);
}

static int
errno_of(unsigned code)
{
	switch (code) {
	case 0:
		return 0;
	case L4_E_TIMEOUT:
		return ETIMEDOUT;
	case L4_E_NO_PARTNER:
		return ESRCH;
	case L4_E_CANCELLED:
		return EINTR;
	case L4_E_OVERFLOW:
		return EMSGSIZE;
	default:
		return EIO;
	}
}

int
l4_ipc_run(struct l4_ipc *m, enum wait_how how)
{
	struct thread *t = thread_self();
	struct l4_party self = { .tid = t->tid, .space = t->space, .m = m };
	unsigned code = 0, phase = 0;

	list_init(&self.link);
	waitq_init(&self.wq, "l4 ipc");
	m->error = 0;
	if ((m->to != L4_NILTHREAD && !exists(m->to)) ||
	    (m->from > 0 && !exists(m->from)))
		code = L4_E_NO_PARTNER;
	spin_lock(&ipc_lock);
	if (code == 0 && m->to != L4_NILTHREAD)
		code = send_phase(&self, how);
	if (self.received) { /* before we were awake again */
		phase = 1;
	} else if (code == 0 && m->from != L4_NILTHREAD) {
		phase = 1;
		code = receive_phase(&self, how);
	}
	spin_unlock(&ipc_lock);
	KASSERT(list_empty(&self.link));
	m->error = code != 0 ? code << 1 | phase : 0;
	return errno_of(code);
}

int
l4_pager_fault(const struct vm_fault *f, uintptr_t pc)
{
	unsigned rwx = f->access & VM_PROT_READ ? L4_FPAGE_R :
	    f->access & VM_PROT_WRITE		? L4_FPAGE_W :
						  L4_FPAGE_X;
	int pager = thread_self()->pager;
	struct l4_ipc m = { .to = pager, .from = pager,
		.acceptor = L4_FPAGE_ALL };
	int error;

	m.mr[0] = L4_TAG(L4_LABEL_FAULT(rwx), 2, 0);
	m.mr[1] = f->va;
	m.mr[2] = pc;
	error = l4_ipc_run(&m, WAIT_KILLABLE);
	return error == 0 || error == EINTR ? error : EFAULT;
}
