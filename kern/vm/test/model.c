/* SPDX-License-Identifier: MIT */
/* model.c - the flat reference model: see model.h. */
#include "vm/test/model.h"

#include "abi/errno.h"
#include "lib/string.h"

#define NOBJ (M_SPACES * M_PAGES + M_PINS)

struct m_space model[M_SPACES];
static struct m_obj objs[NOBJ];
static uint32_t last_epoch; /* never the same for two contents */

vaddr_t
m_va(unsigned i)
{
	static const vaddr_t base[M_WINDOWS] = { USER_MIN,
		0x1555600000 - M_WPAGES / 2 * PAGE_SIZE,
		USER_MAX - M_WPAGES * PAGE_SIZE };

	return base[i / M_WPAGES] + i % M_WPAGES * PAGE_SIZE;
}

size_t
m_offset(unsigned w)
{
	return w == 0 ? 64 : PAGE_SIZE - 8;
}

unsigned
m_span(unsigned i, unsigned n)
{
	return MIN(n, M_WPAGES - i % M_WPAGES);
}

int
m_access_error(const struct m_page *p, vm_prot_t access)
{
	if (!p->mapped)
		return EFAULT;
	return m_rights(p) & access ? 0 : EACCES;
}

struct m_obj *
m_hold(struct m_obj *o)
{
	if (o != NULL)
		o->refs++;
	return o;
}

void
m_drop(struct m_obj *o)
{
	if (o != NULL)
		o->refs--;
}

static struct m_obj *
new_obj(void)
{
	for (unsigned i = 0; i < NOBJ; i++)
		if (objs[i].refs == 0) {
			memset(&objs[i], 0, sizeof(objs[i]));
			objs[i].refs = 1;
			return &objs[i];
		}
	panic("model: no object left");
}

void
m_unmap(struct m_page *p)
{
	m_drop(p->obj);
	p->obj = NULL;
	p->mapped = p->shared = p->touched = false;
	p->prot = 0;
	p->cap = VM_PROT_ALL;
	p->dirty = M_CLEAN;
	p->epoch = ++last_epoch;
	memset(p->val, 0, sizeof(p->val));
}

void
m_map(struct m_page *p, vm_prot_t prot, bool shared, struct m_obj *alias)
{
	/* First: the page may be mapped over what it is an alias of. */
	struct m_obj *o = alias != NULL ? m_hold(alias) :
	    shared			? new_obj() :
					  NULL;

	m_unmap(p);
	p->mapped = true;
	p->shared = o != NULL;
	p->obj = o;
	p->prot = (uint8_t)prot;
}

/* Private contents become zeroes, which is a write; shared ones stay. */
void
m_discard(struct m_page *p)
{
	p->touched = false;
	if (p->shared)
		return;
	p->epoch = ++last_epoch;
	memset(p->val, 0, sizeof(p->val));
	p->dirty = p->overlay ? M_DIRTY : M_CLEAN;
}

void
m_fork(struct m_space *child, const struct m_space *parent)
{
	*child = *parent;
	for (unsigned i = 0; i < M_PAGES; i++) {
		m_hold(child->page[i].obj);
		child->page[i].epoch = ++last_epoch;
		if (child->page[i].dirty == M_DIRTY)
			child->page[i].dirty = M_EITHER;
	}
}

void
m_clear(struct m_space *s)
{
	for (unsigned i = 0; i < M_PAGES; i++) {
		m_unmap(&s->page[i]);
		s->page[i].overlay = false;
	}
}
