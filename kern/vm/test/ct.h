/* SPDX-License-Identifier: MIT */
/**
 * @file ct.h
 * The conformance suite and the environment that it runs in.
 *
 * The cases (conf_*.c) know nothing but struct ct_env.  One binding calls the
 * VM layer on the host port (conf_host.c), another runs in the OS as a user
 * program with one process a space (user/test/conformance.c).  Whatever passes
 * in both, for every design, is the meaning of the interface.
 *
 * A case runs in a process of its own, so the first failed check ends it.
 */
#ifndef VM_TEST_CT_H
#define VM_TEST_CT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/errno.h"
#include "abi/stat_tern.h"

#define CT_PAGE	  4096ull
#define CT_SPACES 10 /* that may exist at the same time */

/* Rights: the values of PROT_* and VM_PROT_*. */
enum { CT_NONE = 0, CT_R = 1, CT_W = 2, CT_X = 4, CT_RW = 3, CT_RX = 5 };

/* ct_map.flags */
#define CT_FIXED     1u
#define CT_NOREPLACE 2u
#define CT_SHARED    4u
#define CT_ALIAS     8u /* the pages at alias_va: MAP2 */

struct ct_map {
	uint64_t va, size;
	unsigned prot;
	unsigned maxprot; /* 0: everything */
	unsigned flags;
	uint64_t alias_va;
};

struct ct_pageop {
	uint64_t va, npages;
	unsigned cap; /* CT_NONE, CT_R, or CT_R | CT_W | CT_X: none */
};

/** Where a case may map: nothing is there in a new space. */
struct ct_window {
	const char *name;
	uint64_t lo, hi;
};

/* What an environment cannot do; cases that need it are skipped. */
#define CT_HAS_ALIAS	1u
#define CT_HAS_MAXPROT	2u
#define CT_HAS_FAILAT	4u  /* allocation failure of an access is ENOMEM */
#define CT_HAS_LIMIT	8u
#define CT_HAS_COUNTERS 16u /* nobody else moves the event counters */

/** Results are 0 or a positive errno. */
struct ct_env {
	unsigned ncpu;
	unsigned has;
	/** The lowest, a middle and the highest part of the user range. */
	struct ct_window window[3];
	/** The user range: [lo, hi) may be mapped, nothing else. */
	uint64_t user_lo, user_hi;

	int (*space)(unsigned *sp);
	int (*fork)(unsigned sp, unsigned *child);
	void (*drop)(unsigned sp);
	int (*map)(unsigned sp, const struct ct_map *, uint64_t *va);
	int (*unmap)(unsigned sp, uint64_t va, uint64_t size);
	int (*protect)(unsigned sp, uint64_t va, uint64_t size, unsigned prot);
	int (*discard)(unsigned sp, uint64_t va, uint64_t size);
	int (*mincore)(unsigned sp, uint64_t va, uint64_t size, uint8_t *vec);
	int (*al_region)(unsigned sp, uint64_t va, uint64_t size);
	int (*al_prot)(unsigned sp, const struct ct_pageop *, unsigned n);
	int (*al_dirty)(unsigned sp, uint64_t va, uint64_t size,
	    uint64_t *bitmap);
	/** A program in @p sp on @p cpu touches a word with one right.
	 * EFAULT: nothing mapped; EACCES: forbidden. */
	int (*access)(unsigned sp, unsigned cpu, uint64_t va, unsigned right,
	    uint64_t *value);
	/** The kernel copies for @p sp, as in read(2) and write(2). */
	int (*copyin)(unsigned sp, void *dst, uint64_t va, uint64_t n);
	int (*copyout)(unsigned sp, uint64_t va, const void *src, uint64_t n);
	/** First region ending above @p va. ENOENT: none */
	int (*region)(unsigned sp, uint64_t va, struct ct_map *);
	int (*limit)(unsigned sp, uint64_t bytes);
	uint64_t (*counter)(enum tern_stat_index);
	/** Let the n-th allocation fail; 0 disarms. @return true if one did */
	bool (*failat)(unsigned n);
	/** The whole VM layer is sound (vm_check). */
	bool (*sound)(void);
	void (*fail)(const char *file, int line, const char *what,
	    uint64_t got, uint64_t want) __attribute__((__noreturn__));
};

#define CT_EACH_WINDOW 1u /* runs once in each window */

struct ct_case {
	const char *name;
	void (*fn)(void);
	unsigned needs; /* CT_HAS_* */
	unsigned flags;
};

/** Every case of every file, ends with a NULL name. */
extern const struct ct_case *const ct_lists[];
extern const struct ct_case ct_map_cases[], ct_fork_cases[], ct_al_cases[],
    ct_error_cases[];

/** Run one case in window @p w; returns when it passed. */
void ct_run(const struct ct_env *, const struct ct_case *, unsigned w);

/* ---- for the cases (ct.c) ---- */

extern const struct ct_env *ct;
extern uint64_t W, WEND; /* the window of this run */

/** Address of page @p n of the window. */
#define P(n) (W + (uint64_t)(n) * CT_PAGE)

#define CT_EQ(got, want) \
	ct_eq(__FILE__, __LINE__, #got, (uint64_t)(got), (uint64_t)(want))
#define CT_OK(e)       CT_EQ(e, 0)
#define CT_TRUE(e)     CT_EQ(!!(e), 1)
#define RD(sp, va, want) \
	ct_read(__FILE__, __LINE__, sp, va, want)
#define WR(sp, va, value) \
	ct_write(__FILE__, __LINE__, sp, va, value)
/** The access must fail with exactly this error. */
#define BAD(sp, va, right, error) \
	ct_bad(__FILE__, __LINE__, sp, va, right, error)
#define LISTING(sp, text) ct_listing(__FILE__, __LINE__, sp, text)

void ct_eq(const char *file, int line, const char *what, uint64_t got,
    uint64_t want);
void ct_read(const char *file, int line, unsigned sp, uint64_t va,
    uint64_t want);
void ct_write(const char *file, int line, unsigned sp, uint64_t va,
    uint64_t value);
void ct_bad(const char *file, int line, unsigned sp, uint64_t va,
    unsigned right, int error);
/**
 * Regions of the window as text: "FIRST+COUNT RIGHTS[s]" for each, in pages,
 * separated by spaces; neighbours that are alike count as one.
 */
void ct_listing(const char *file, int line, unsigned sp, const char *text);

/** Spaces that live to the end of the case; it drops them. */
unsigned ct_space(void);
unsigned ct_fork(unsigned sp);
void ct_drop(unsigned sp);
/** Map pages [first, first + n) of the window; must succeed. */
void ct_map(unsigned sp, unsigned first, unsigned n, unsigned prot,
    unsigned flags);
void ct_unmap(unsigned sp, unsigned first, unsigned n);
void ct_protect(unsigned sp, unsigned first, unsigned n, unsigned prot);
/** The next accesses run on CPU @p cpu (mod ncpu); CT_ANY: all in turn. */
#define CT_ANY UINT32_MAX
void ct_on(unsigned cpu);
uint64_t ct_count(enum tern_stat_index);

#endif
