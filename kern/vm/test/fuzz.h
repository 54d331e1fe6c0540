/* SPDX-License-Identifier: MIT */
/**
 * @file fuzz.h
 * Programs of the fuzzer: a header and records of eight bytes.
 *
 * Bytes in, verdict out: the same format serves the random generator, replay,
 * minimising and a coverage-guided fuzzer.  Every byte string is a program.
 */
#ifndef VM_TEST_FUZZ_H
#define VM_TEST_FUZZ_H

#include "lib/types.h"

struct sink;

struct fuzz_config {
	uint8_t ncpu;	   /* 1 + n % 4 */
	uint8_t policy;	   /* targets, deliver, catchup: 12 of them */
	uint8_t asid_bits; /* 0: all 16; else n - 1 */
	uint8_t flags;	   /* FUZZ_* */
	uint8_t hooks;	   /* interleaved accesses: one in n points; 0: none */
	uint8_t ram;	   /* 0: 4 MiB, else 2 MiB: it runs out */
	uint8_t swap;	   /* 2^(n % 10) slots; 0: none */
	uint8_t design;	   /* n % 16 % number of designs; n / 16 % 4: chaos */
};

#define FUZZ_NO_NEGATIVE 1u
#define FUZZ_SVADE	 2u
#define FUZZ_DEFERRED	 4u

struct fuzz_rec {
	uint8_t op, space, cpu, page, n, arg;
	uint8_t hook[2]; /* seed of what others do meanwhile */
};

_Static_assert(sizeof(struct fuzz_config) == 8, "header of a program");
_Static_assert(sizeof(struct fuzz_rec) == 8, "record of a program");

extern const char *fuzz_design; /* for all programs; NULL: as they say */

/** To compare designs: a word for each record, made of the errors and values
 * that it led to, or FUZZ_SHORT from when memory was short on: then designs
 * may differ. NULL: not wanted.  Allocations fail by themselves only. */
extern uint64_t *fuzz_trace;
#define FUZZ_SHORT UINT64_MAX

/**
 * Boot a machine and run the program; panics at the first difference from the
 * model.  Once in a process.
 * @param done  counts records carried out; may be shared memory
 */
void fuzz_run(const void *bytes, size_t size, volatile uint64_t *done);

/** One line that says what a record does. */
void fuzz_print(const struct fuzz_rec *, struct sink *);
void fuzz_print_config(const struct fuzz_config *, struct sink *);

#endif
