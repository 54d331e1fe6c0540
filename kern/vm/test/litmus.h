/* SPDX-License-Identifier: MIT */
/*
 * litmus.h - between the litmus tests (litmus.c) and their runner.
 */
#ifndef VM_TEST_LITMUS_H
#define VM_TEST_LITMUS_H

#include "arch/host/host.h"

#define LITMUS_VA ((vaddr_t)0x1555400000)

/** What the programs of one run share. */
extern struct litmus_state {
	struct vmspace *s, *t;
	bool done[4]; /* what "after it returned" means for the others */
	bool stop;
	unsigned turn;
} L;

#define BAD(...) panic("litmus: " __VA_ARGS__)

struct litmus {
	const char *name, *what;
	void (*fn)(uint64_t seed);
	int asid_bits;
};

/** In order of the conditions, ends with a NULL name. */
extern const struct litmus litmus_tests[];

#endif
