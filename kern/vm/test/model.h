/* SPDX-License-Identifier: MIT */
/**
 * @file model.h
 * The flat reference model that the fuzzer compares the VM layer with.
 *
 * No page tables, no sharing of frames, no laziness: for each page of each
 * space what is mapped there, with which rights, and what it contains.  Private
 * contents are copied at fork; shared ones are an object with a count.
 */
#ifndef VM_TEST_MODEL_H
#define VM_TEST_MODEL_H

#include "vm/vm.h"

#define M_SPACES  4
#define M_WINDOWS 3
#define M_WPAGES  24 /* pages of one window */
#define M_PAGES	  (M_WINDOWS * M_WPAGES)
#define M_WORDS	  2 /* words of a page that are written and compared */
#define M_PINS	  4

/** Contents of one shared page. */
struct m_obj {
	unsigned refs;
	uint64_t val[M_WORDS];
};

/** Written since the last al_dirty?  A child need not inherit the answer. */
enum m_dirty { M_CLEAN, M_DIRTY, M_EITHER };

struct m_page {
	bool mapped, shared, touched;
	uint8_t prot;
	bool overlay; /* registered for Appel-Li rights */
	uint8_t cap;
	uint8_t dirty; /* enum m_dirty */
	uint32_t epoch; /* changes when the contents are another page */
	struct m_obj *obj;
	uint64_t val[M_WORDS];
};

struct m_space {
	bool used;
	struct m_page page[M_PAGES];
};

extern struct m_space model[M_SPACES];

/** Address of page @p i: windows at both ends of the user range, and one over a
 * border of last-level tables in the middle. */
vaddr_t m_va(unsigned i);
/** Place of word @p w in every page (an alias has another number). */
size_t m_offset(unsigned w);
/** Pages from @p i on that one range may cover, at most @p n. */
unsigned m_span(unsigned i, unsigned n);

static inline vm_prot_t
m_rights(const struct m_page *p)
{
	return p->prot & p->cap;
}

static inline uint64_t *
m_values(struct m_page *p)
{
	return p->shared ? p->obj->val : p->val;
}

/** What an access must return. */
int m_access_error(const struct m_page *, vm_prot_t access);

void m_map(struct m_page *, vm_prot_t prot, bool shared, struct m_obj *alias);
void m_unmap(struct m_page *);
void m_discard(struct m_page *);
void m_fork(struct m_space *child, const struct m_space *parent);
void m_clear(struct m_space *);
struct m_obj *m_hold(struct m_obj *);
void m_drop(struct m_obj *);

#endif
