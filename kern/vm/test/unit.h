/* SPDX-License-Identifier: MIT */
/**
 * @file unit.h
 * A small frame for unit tests on the host port.
 *
 * Each test runs in a child with a freshly booted machine, so a test may break
 * it.  The first failed check ends the test.
 */
#ifndef VM_TEST_UNIT_H
#define VM_TEST_UNIT_H

#include "abi/errno.h"
#include "arch/host/host.h"

struct unit {
	const char *name;
	void (*fn)(void);
	int asid_bits; /* of the policy, when not 0 */
};

/** Tests of one file, ends with a NULL name. */
extern const struct unit unit_lib[], unit_mem[], unit_pmap[], unit_tlb[],
    unit_sync[], unit_object[], unit_page[], unit_mach[], unit_calls[],
    unit_pageout[], unit_swap[], unit_pd[], unit_l4[], unit_root[],
    unit_mapdb[], unit_null[];

#define CHECK(e)                                                       \
	do {                                                           \
		if (!(e))                                              \
			panic("%s:%d: %s", __FILE__, __LINE__, #e);    \
	} while (0)
#define EQUAL(a, b)                                                       \
	do {                                                              \
		uint64_t a_ = (uint64_t)(a), b_ = (uint64_t)(b);          \
		if (a_ != b_)                                             \
			panic("%s:%d: %s = %lu (0x%lx), expected %lu",    \
			    __FILE__, __LINE__, #a, (unsigned long)a_,    \
			    (unsigned long)a_, (unsigned long)b_);        \
	} while (0)
/** @p fn(@p arg) must panic. */
#define PANICS(fn, arg) CHECK(unit_panics(fn, arg))

bool unit_panics(host_fn *fn, void *arg);
uint64_t unit_random(void);

#endif
