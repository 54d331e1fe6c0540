/* SPDX-License-Identifier: MIT */
/*
 * unit_main.c - run all unit tests of the machine-independent kernel.
 *
 * usage: unit [TEST]
 */
#include "arch/host/os.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "vm/test/report.h"
#include "vm/test/unit.h"

#define TEST_MS 30000

static const struct {
	const char *name;
	const struct unit *units;
	const char *design; /* NULL: the default */
	size_t swap_slots;
} files[] = { { "lib", unit_lib, NULL, 0 }, { "sync", unit_sync, NULL, 0 },
	{ "mem", unit_mem, NULL, 0 }, { "pmap", unit_pmap, NULL, 0 },
	{ "tlb", unit_tlb, NULL, 0 }, { "object", unit_object, "classic", 0 },
	{ "object-mach", unit_object, "mach", 0 },
	{ "object-l4", unit_object, "l4", 0 },
	{ "mach", unit_mach, "mach", 0 }, { "calls", unit_calls, "mach", 0 },
	{ "page", unit_page, "classic", 0 },
	{ "page-mach", unit_page, "mach", 0 },
	{ "page-l4", unit_page, "l4", 0 },
	{ "pageout", unit_pageout, "mach", 256 },
	{ "swap-classic", unit_swap, "classic", 64 },
	{ "swap-mach", unit_swap, "mach", 64 },
	{ "swap-l4", unit_swap, "l4", 64 },
	{ "pd", unit_pd, NULL, 0 }, { "l4", unit_l4, "l4", 0 },
	{ "mapdb", unit_mapdb, "l4", 0 }, { "root", unit_root, "l4", 64 },
	{ "null", unit_null, "null", 0 } };

static uint64_t rng = 88172645463325252ull;

uint64_t
unit_random(void)
{
	return host_random(&rng);
}

struct call {
	host_fn *fn;
	void *arg;
};

static int
call_child(void *arg)
{
	const struct call *c = arg;

	c->fn(c->arg);
	return 0;
}

bool
unit_panics(host_fn *fn, void *arg)
{
	struct call c = { fn, arg };

	return os_run(call_child, &c, 10000, true) == HOST_EXIT_PANIC;
}

struct run {
	const struct unit *unit;
	const char *design;
	size_t swap_slots;
};

static int
run_unit(void *arg)
{
	const struct run *r = arg;
	const struct unit *u = r->unit;
	struct host_options o = host_defaults;

	o.ram_size = (size_t)4 << 20;
	if (u->asid_bits != 0)
		o.policy.asid_bits = u->asid_bits;
	if (r->design != NULL)
		o.design = r->design;
	o.swap_slots = r->swap_slots;
	host_boot(&o);
	u->fn();
	return 0;
}

int
main(int argc, char **argv)
{
	const char *only = argc > 1 ? argv[1] : NULL;
	unsigned n = 0;

	for (unsigned f = 0; f < ARRAY_SIZE(files); f++)
		for (const struct unit *u = files[f].units; u->name; u++)
			n += !only || strcmp(only, u->name) == 0;
	report_begin("unit", "build/unit.json", n);
	for (unsigned f = 0; f < ARRAY_SIZE(files); f++)
		for (const struct unit *u = files[f].units; u->name; u++) {
			struct run r = { u, files[f].design,
				files[f].swap_slots };
			const char *bad;
			char name[96];

			if (only && strcmp(only, u->name) != 0)
				continue;
			bad = run_child(run_unit, &r, TEST_MS, !only);
			snprintf(name, sizeof(name), "%s/%s", files[f].name,
			    u->name);
			report_result(bad[0] == '\0', name, bad);
		}
	return report_end();
}
