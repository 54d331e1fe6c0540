/* SPDX-License-Identifier: MIT */
/*
 * bench.h - what the files of benchmarks share: taking samples.
 */
#ifndef USER_BENCH_BENCH_H
#define USER_BENCH_BENCH_H

#include <user.h>

#define MAX_SAMPLES	1000

extern uint64_t samples[MAX_SAMPLES];

/* Samples one operation into samples[i]. */
#define SAMPLE(i, op) do {						\
	uint64_t start_ = counter_read();				\
	op;								\
	samples[i] = counter_read() - start_;				\
} while (0)

/** Each fills samples[0..n). */
struct bench {
	const char	 *name;
	void		(*run)(int n);
	int		  n;
	const char	 *group;	/* what asks for it besides its name */
};

#define BENCH(name, n)	{ #name, bench_##name, n, "all" }
#define SWAP_BENCH(name, n)	{ #name, bench_##name, n, "swap" }
#define SMP_BENCH(name, n)	{ #name, bench_##name, n, "smp" }

void	must(bool good, const char *what);

/** Those of the L4 design; end with a NULL name.  None under another one. */
const struct bench *l4_benches(void);

#endif
