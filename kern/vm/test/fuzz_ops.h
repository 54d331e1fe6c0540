/* SPDX-License-Identifier: MIT */
/*
 * fuzz_ops.h - between the interpreter (fuzz.c) and its operations.
 */
#ifndef VM_TEST_FUZZ_OPS_H
#define VM_TEST_FUZZ_OPS_H

#include "arch/host/host.h"
#include "vm/test/fuzz.h"
#include "vm/test/model.h"

#define FAIL(...) panic("fuzz: " __VA_ARGS__)

/* The pages and the space that a record is about. */
struct range {
	unsigned s, first, n;
	vaddr_t va;
	size_t size;
	const struct fuzz_rec *rec;
};

/** The real counterparts of model[]. */
extern struct vmspace *real[M_SPACES];
extern const vm_prot_t fuzz_prots[8];

/* What the running operation may change; for the hook. */
extern struct fuzz_scope {
	unsigned spaces; /* mask */
	unsigned first, n;
} scope;

extern uint64_t hook_rng;
/** One access of another CPU in so many points; 0: none. */
extern unsigned hook_rate;
/** Failed allocations before the running operation. */
extern uint64_t failed_before;

/** What the running record has led to, for fuzz_trace. */
extern uint64_t noted;
void fuzz_note(uint64_t);

void fuzz_hook(enum host_point);
void fuzz_check_listing(unsigned s);
/** Unpin and drop everything. */
void fuzz_finish(void);

void do_access(unsigned s, unsigned i, vm_prot_t access, unsigned w);
void do_map(const struct range *, unsigned flags);
void do_alias(const struct range *);
void do_map_anywhere(const struct range *);
void do_unmap(const struct range *);
void do_protect(const struct range *);
void do_discard(const struct range *);
void do_mincore(const struct range *);
void do_al_region(const struct range *);
void do_al_prot(const struct range *);
void do_al_dirty(const struct range *);
void do_pin(const struct range *);
void do_copy(const struct range *);
void do_create(void);
void do_fork(unsigned s);
void do_exit(unsigned s);
void do_exec(unsigned s);
void do_wild(const struct range *);

#endif
