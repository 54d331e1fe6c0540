/* SPDX-License-Identifier: MIT */
/*
 * litmus_main.c - run the litmus tests: every policy, many seeds.
 *
 * At each point the MMUs of all CPUs may also walk speculatively.
 *
 * usage: litmus [-t TEST] [-n SEEDS] [-p]      -p: default policy only
 */
#include "arch/host/os.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "vm/test/litmus.h"
#include "vm/test/report.h"

struct job {
	const struct litmus *test;
	unsigned policy;
	unsigned nseeds;
};

/* Hardware walks whenever it likes. */
static uint64_t speculation = 1;

static void
speculate(enum host_point p)
{
	unsigned me = cpu_id();
	uint64_t r = host_random(&speculation);

	(void)p;
	if (r % 16 != 0)
		return;
	host_switch_cpu((unsigned)(r >> 8) % ncpu);
	host_speculate(LITMUS_VA + (r >> 16) % 6 * PAGE_SIZE);
	host_switch_cpu(me);
}

static void
clean_up(void)
{
	for (unsigned c = ncpu; c-- > 0;) {
		host_switch_cpu(c);
		host_load(NULL);
	}
	if (L.s != NULL)
		vmspace_drop(L.s);
	if (L.t != NULL)
		vmspace_drop(L.t);
	if (vm_check() != 0)
		BAD("vm_check");
}

static int
run_job(void *arg)
{
	const struct job *j = arg;
	struct host_options o = host_defaults;

	o.ram_size = (size_t)2 << 20;
	o.policy.targets = (enum tlb_targets)(j->policy & 1);
	o.policy.deliver = (enum tlb_deliver)(j->policy >> 1 & 1);
	o.policy.catchup = (enum tlb_catchup)(j->policy >> 2);
	o.policy.asid_bits = j->test->asid_bits;
	host_boot(&o);
	host_hook = speculate;
	/* kstack.c chains free stacks through their memory. */
	os_map_at(KSTACK_BASE, KSTACK_END - KSTACK_BASE);
	for (uint64_t seed = 1; seed <= j->nseeds; seed++) {
		memset(&L, 0, sizeof(L));
		if (vmspace_create(&L.s) != 0)
			BAD("no memory for a space");
		speculation = seed;
		j->test->fn(seed);
		clean_up();
	}
	return 0;
}

static void
name_policy(char *buf, size_t size, unsigned p)
{
	static const char *const catchup[] = { "gen", "eager", "tick" };

	snprintf(buf, size, "%s-%s-%s", p & 1 ? "all" : "mask",
	    p >> 1 & 1 ? "sbi" : "ipi", catchup[p >> 2]);
}

int
main(int argc, char **argv)
{
	const struct litmus *t;
	const char *only = NULL;
	uint64_t nseeds = 60;
	unsigned npolicies = 12, n = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-p") == 0)
			npolicies = 1;
		else if (strcmp(argv[i], "-t") == 0 && i + 1 < argc)
			only = argv[++i];
		else if (strcmp(argv[i], "-n") == 0 && i + 1 < argc)
			(void)strtou64(argv[++i], &nseeds);
	}
	for (t = litmus_tests; t->name != NULL; t++)
		n += (!only || strcmp(only, t->name) == 0) * npolicies;
	report_begin("litmus", NULL, n);
	for (t = litmus_tests; t->name != NULL; t++) {
		if (only && strcmp(only, t->name) != 0)
			continue;
		for (unsigned p = 0; p < npolicies; p++) {
			struct job j = { t, p, (unsigned)nseeds };
			char policy[32], name[96];
			const char *bad = run_child(run_job, &j, 120000, true);

			name_policy(policy, sizeof(policy), p);
			snprintf(name, sizeof(name), "%s/%s - %s",
			    t->name, policy, t->what);
			report_result(bad[0] == '\0', name, bad);
		}
	}
	if (!only)
		report_note("C10 (second-stage tables): nothing to test yet");
	report_number("seeds", nseeds);
	return report_end();
}
