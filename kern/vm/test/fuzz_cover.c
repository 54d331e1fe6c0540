/* SPDX-License-Identifier: MIT */
/*
 * fuzz_cover.c - the fuzzer's programs, chosen by libFuzzer for their reach.
 *
 * usage: fuzz-cover CORPUS [-max_total_time=N] ...     (libFuzzer's options)
 * The machine boots once in a process, so each program runs in a child.  The
 * child's counts of edges would be lost with it: it copies them to a page that
 * it shares with its parent and that libFuzzer takes for more counters.
 * In the environment, DESIGN=NAME is for all programs; SHOW=1 lets them print.
 * What fails is saved by libFuzzer; `fuzz -r FILE` lists and runs it.
 */
#include "arch/host/host.h"
#include "arch/host/os.h"
#include "lib/string.h"
#include "vm/test/fuzz.h"
#include "vm/test/report.h"

#define COUNTERS   (64 * PAGE_SIZE)
#define RUN_MS	 60000
#define RECORDS	   400 /* of a program, at most */
#define REC	   sizeof(struct fuzz_rec)
#define HEAD	   sizeof(struct fuzz_config)

/* libFuzzer's own interface. */
int LLVMFuzzerInitialize(int *, char ***);
int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
size_t LLVMFuzzerCustomMutator(uint8_t *, size_t, size_t, unsigned);
size_t LLVMFuzzerMutate(uint8_t *, size_t, size_t);

/* Between these the compiler puts the counters of all objects. */
extern uint8_t __start___sancov_cntrs[], __stop___sancov_cntrs[];

__attribute__((section("__libfuzzer_extra_counters"),
    aligned(PAGE_SIZE))) static uint8_t counters[COUNTERS];

static struct program {
	const uint8_t *bytes;
	size_t size;
	volatile uint64_t *done;
} program;

static int
child(void *arg)
{
	size_t n = (size_t)(__stop___sancov_cntrs - __start___sancov_cntrs);

	(void)arg;
	memset(__start___sancov_cntrs, 0, n);
	fuzz_run(program.bytes, program.size, program.done);
	memcpy(counters, __start___sancov_cntrs, n);
	return 0;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	KASSERT_ALWAYS((size_t)(__stop___sancov_cntrs -
	    __start___sancov_cntrs) <= COUNTERS);
	os_share(counters, COUNTERS);
	fuzz_design = os_getenv("DESIGN");
	program.done = os_map(PAGE_SIZE, true);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *what;

	if (size < HEAD + REC)
		return -1; /* no program: not into the corpus */
	program.bytes = bytes;
	program.size = size;
	*program.done = 0;
	what = run_child(child, NULL, RUN_MS, os_getenv("SHOW") == NULL);
	if (what[0] == '\0')
		return 0;
	say("# finding after %lu operations: %s\n",
	    (unsigned long)*program.done, what);
	__builtin_trap();
}

/* ---- mutations that keep records whole ---- */

static uint8_t *
record(uint8_t *bytes, size_t size, uint64_t *rng)
{
	return bytes + HEAD +
	    (host_random(rng) >> 16) % ((size - HEAD) / REC) * REC;
}

/* One record more: a copy of another one, at a random place. */
static size_t
insert(uint8_t *bytes, size_t size, uint64_t *rng)
{
	uint8_t *at = record(bytes, size, rng), rec[REC];

	memcpy(rec, record(bytes, size, rng), REC);
	memmove(at + REC, at, (size_t)(bytes + size - at));
	memcpy(at, rec, REC);
	return size + REC;
}

static size_t
drop(uint8_t *bytes, size_t size, uint64_t *rng)
{
	uint8_t *at = record(bytes, size, rng);

	memmove(at, at + REC, (size_t)(bytes + size - at) - REC);
	return size - REC;
}

size_t
LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max, unsigned seed)
{
	uint64_t rng = ((uint64_t)seed << 1 | 1) * 0x9e3779b97f4a7c15ull;
	uint8_t *a;

	max = MIN(max, HEAD + RECORDS * REC);
	if (size < HEAD + REC || max < HEAD + 2 * REC) {
		memset(bytes, 0, HEAD);
		for (size_t i = 0; i < HEAD + REC && i < max; i++)
			bytes[i] = (uint8_t)(host_random(&rng) >> 24);
		return MIN(max, HEAD + REC);
	}
	size = MIN(size, max);
	size -= (size - HEAD) % REC;
	switch ((host_random(&rng) >> 20) % 8) {
	case 0:
	case 1:
	case 2:
		if (size + REC <= max)
			return insert(bytes, size, &rng);
		return drop(bytes, size, &rng);
	case 3:
		if (size >= HEAD + 2 * REC)
			return drop(bytes, size, &rng);
		return insert(bytes, size, &rng);
	case 4:
		LLVMFuzzerMutate(bytes, HEAD, HEAD);
		return size;
	default:
		/* One byte of one record. */
		a = record(bytes, size, &rng);
		a[(host_random(&rng) >> 8) % REC] =
		    (uint8_t)(host_random(&rng) >> 24);
		return size;
	}
}
