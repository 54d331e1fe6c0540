/* SPDX-License-Identifier: MIT */
/*
 * conf_host.c - the conformance suite over vm_*() on the simulated machine.
 *
 * Every design, 1 and 4 CPUs; then every shootdown policy and the odd kinds of
 * hardware.  The machine of a configuration is booted once in a child; each
 * case runs in a copy of it.
 *
 * usage: conformance [-q | -f] [CASE]   -q: default policy only
 *					 -f: failing allocations only
 */
#include "arch/host/host.h"
#include "arch/host/os.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mem/failpoint.h"
#include "mem/kmem.h"
#include "sync/counter.h"
#include "vm/test/ct.h"
#include "vm/test/report.h"

#define CASE_MS 20000

static struct vmspace *space_of[CT_SPACES];
static uint64_t failed_before;

static int
add(struct vmspace *vs, unsigned *sp)
{
	for (unsigned i = 0; i < CT_SPACES; i++) {
		if (space_of[i] != NULL)
			continue;
		space_of[i] = vs;
		*sp = i;
		return 0;
	}
	panic("more than %u spaces", CT_SPACES);
}

static int
e_space(unsigned *sp)
{
	struct vmspace *vs;
	int error = vmspace_create(&vs);

	return error != 0 ? error : add(vs, sp);
}

static int
e_fork(unsigned sp, unsigned *child)
{
	struct vmspace *vs;
	int error = vmspace_fork(space_of[sp], &vs);

	return error != 0 ? error : add(vs, child);
}

static void
e_drop(unsigned sp)
{
	for (unsigned c = ncpu; c-- > 0;) {
		host_switch_cpu(c);
		if (host_loaded() == space_of[sp])
			host_load(NULL);
	}
	vmspace_drop(space_of[sp]);
	space_of[sp] = NULL;
}

static int
e_map(unsigned sp, const struct ct_map *m, uint64_t *va)
{
	struct vm_mapreq rq = {
		.va = m->va,
		.size = m->size,
		.prot = m->prot,
		.maxprot = m->maxprot ? m->maxprot : VM_PROT_ALL,
		.flags = (m->flags & CT_FIXED ? VM_MAP_FIXED : 0) |
		    (m->flags & CT_NOREPLACE ? VM_MAP_NOREPLACE : 0) |
		    (m->flags & CT_SHARED ? VM_MAP_SHARED : 0),
		.source = m->flags & CT_ALIAS ? VM_ALIAS : VM_ANON,
		.alias_va = m->alias_va,
	};

	return vm_map(space_of[sp], &rq, va);
}

static int
e_unmap(unsigned sp, uint64_t va, uint64_t size)
{
	return vm_unmap(space_of[sp], va, size);
}

static int
e_protect(unsigned sp, uint64_t va, uint64_t size, unsigned prot)
{
	return vm_protect(space_of[sp], va, size, prot);
}

static int
e_discard(unsigned sp, uint64_t va, uint64_t size)
{
	return vm_sync(space_of[sp], va, size, VM_SYNC_DISCARD);
}

static int
e_mincore(unsigned sp, uint64_t va, uint64_t size, uint8_t *vec)
{
	return vm_mincore(space_of[sp], va, size, vec);
}

static int
e_al_region(unsigned sp, uint64_t va, uint64_t size)
{
	return vm_overlay_register(space_of[sp], va, size);
}

static int
e_al_prot(unsigned sp, const struct ct_pageop *op, unsigned n)
{
	struct page_op po[64];

	KASSERT_ALWAYS(n <= ARRAY_SIZE(po));
	for (unsigned i = 0; i < n; i++)
		po[i] = (struct page_op){ op[i].va,
			op[i].va + op[i].npages * PAGE_SIZE, op[i].cap };
	return vm_prot_pages(space_of[sp], po, n);
}

static int
e_al_dirty(unsigned sp, uint64_t va, uint64_t size, uint64_t *bitmap)
{
	return vm_dirty(space_of[sp], va, size, bitmap);
}

static int
e_access(unsigned sp, unsigned cpu, uint64_t va, unsigned right,
    uint64_t *value)
{
	struct host_op op = { .va = va, .access = right, .width = HOST_WORD,
		.value = *value };
	int error;

	host_switch_cpu(cpu);
	error = host_access(space_of[sp], &op);
	*value = op.value;
	return error;
}

static int
e_copyin(unsigned sp, void *dst, uint64_t va, uint64_t n)
{
	return copyin(space_of[sp], dst, va, n);
}

static int
e_copyout(unsigned sp, uint64_t va, const void *src, uint64_t n)
{
	return copyout(space_of[sp], va, src, n);
}

static int
e_region(unsigned sp, uint64_t va, struct ct_map *m)
{
	struct vm_region_info info;
	int error = vm_region(space_of[sp], va, &info);

	if (error != 0)
		return error;
	*m = (struct ct_map){
		.va = info.sva,
		.size = info.eva - info.sva,
		.prot = info.prot,
		.flags = info.flags & VM_MAP_SHARED ? CT_SHARED : 0,
	};
	return 0;
}

static int
e_limit(unsigned sp, uint64_t bytes)
{
	space_of[sp]->limit_bytes = bytes;
	return 0;
}

static uint64_t
e_counter(enum tern_stat_index i)
{
	/* Frames that are free or that a cache may give back. */
	if (i == TS_frames_free)
		return frame_free_count() + pmap_tables_cached() +
		    kmem_slab_frames();
	if (i == TS_slab_objects)
		return kmem_used_objects();
	return counter_read(i);
}

static bool
e_failat(unsigned n)
{
	bool failed = counter_read(TS_failed_allocs) != failed_before;

	fail_arm(n, NULL);
	failed_before = counter_read(TS_failed_allocs);
	return n == 0 && failed;
}

static bool
e_sound(void)
{
	return vm_check() == 0;
}

static void __noreturn
e_fail(const char *file, int line, const char *what, uint64_t got,
    uint64_t want)
{
	snprintf(host_message, HOST_MESSAGE_SIZE,
	    "%s:%d: %s: got %lu (0x%lx), want %lu", file, line, what,
	    (unsigned long)got, (unsigned long)got, (unsigned long)want);
	os_exit(1);
}

#define WINDOW ((uint64_t)16 << 20)

static struct ct_env env = {
	.has = CT_HAS_ALIAS | CT_HAS_MAXPROT | CT_HAS_FAILAT | CT_HAS_LIMIT |
	    CT_HAS_COUNTERS,
	.window = { { "low", USER_MIN, USER_MIN + WINDOW },
	    { "middle", 0x1555555000, 0x1555555000 + 64 * WINDOW },
	    { "high", USER_MAX - WINDOW, USER_MAX } },
	.user_lo = USER_MIN,
	.user_hi = USER_MAX,
	.space = e_space,
	.fork = e_fork,
	.drop = e_drop,
	.map = e_map,
	.unmap = e_unmap,
	.protect = e_protect,
	.discard = e_discard,
	.mincore = e_mincore,
	.al_region = e_al_region,
	.al_prot = e_al_prot,
	.al_dirty = e_al_dirty,
	.access = e_access,
	.copyin = e_copyin,
	.copyout = e_copyout,
	.region = e_region,
	.limit = e_limit,
	.counter = e_counter,
	.failat = e_failat,
	.sound = e_sound,
	.fail = e_fail,
};

/* ---- configurations ---- */

struct config {
	char name[64];
	struct host_options o;
};

static struct config configs[64];
static unsigned nconfigs;

static struct host_options *
config(const char *fmt, ...) __printf(1, 2);

static struct host_options *
config(const char *fmt, ...)
{
	struct config *c = &configs[nconfigs++];
	va_list ap;

	KASSERT_ALWAYS(nconfigs <= ARRAY_SIZE(configs));
	va_start(ap, fmt);
	vsnprintf(c->name, sizeof(c->name), fmt, ap);
	va_end(ap);
	c->o = host_defaults;
	return &c->o;
}

static void
add_policies(const char *design)
{
	static const char *const targets[] = { "mask", "all" };
	static const char *const deliver[] = { "ipi", "sbi" };
	static const char *const catchup[] = { "gen", "eager", "tick" };

	for (unsigned i = 1; i < 12; i++) {
		struct host_options *o = config("%s/4/%s-%s-%s", design,
		    targets[i % 2], deliver[i / 2 % 2], catchup[i / 4]);

		o->design = design;
		o->policy.targets = i % 2 ? TLB_TARGETS_ALL : TLB_TARGETS_MASK;
		o->policy.deliver =
		    i / 2 % 2 ? TLB_DELIVER_SBI : TLB_DELIVER_IPI;
		o->policy.catchup = (enum tlb_catchup)(i / 4);
	}
}

static void
add_configs(bool quick)
{
	for (unsigned d = 0; vm_design_names[d] != NULL; d++) {
		const char *name = vm_design_names[d];
		struct host_options *o;

		o = config("%s/1", name);
		o->design = name;
		o->ncpu = 1;
		o = config("%s/4", name);
		o->design = name;
		if (quick)
			continue;
		o = config("%s/8", name);
		o->design = name;
		o->ncpu = 8;
		o = config("%s/4/asid2", name);
		o->design = name;
		o->policy.asid_bits = 2;
		o = config("%s/4/asid0", name);
		o->design = name;
		o->asid_bits = 0;
		o = config("%s/4/svade", name);
		o->design = name;
		o->svade = true;
		o = config("%s/4/deferred", name);
		o->design = name;
		o->ipi_deferred = true;
		add_policies(name);
		if (strcmp(name, "mach") != 0)
			continue;
		o = config("%s/4/chaos-1", name);
		o->design = name;
		o->chaos = 1;
	}
}

/* ---- running ---- */

struct run {
	const struct config *config;
	const struct ct_case *c;
	unsigned window;
};

static int
run_case(void *arg)
{
	const struct run *r = arg;

	ct_run(&env, r->c, r->window);
	return 0;
}

static bool
applies(const struct config *cf, const struct ct_case *c)
{
	/* Targets and pages are what the default policy promises. */
	if ((c->needs & CT_HAS_COUNTERS) && strchr(cf->name, '-') != NULL)
		return false;
	return true;
}

/* What a configuration's child tells its parent, in shared memory. */
struct outcome {
	char name[96];
	char detail[256];
	enum { NOT_RUN, PASSED, FAILED, SKIPPED } what;
};

static struct outcome *outcomes;
static unsigned noutcomes;
static const char *filter;

/* By the beginning of its name. */
static bool
chosen(const struct ct_case *c)
{
	return !filter || strncmp(filter, c->name, strlen(filter)) == 0;
}

static void
run_one(const struct config *cf, const struct ct_case *c, unsigned w)
{
	bool each = c->flags & CT_EACH_WINDOW;
	struct outcome *out = &outcomes[noutcomes++];
	struct run r = { cf, c, each ? w : 1 };
	const char *bad;

	snprintf(out->name, sizeof(out->name), "%s/%s%s%s", cf->name, c->name,
	    each ? "@" : "", each ? env.window[w].name : "");
	if (!applies(cf, c)) {
		out->what = SKIPPED;
		return;
	}
	bad = run_child(run_case, &r, CASE_MS, false);
	strlcpy(out->detail, bad, sizeof(out->detail));
	out->what = bad[0] == '\0' ? PASSED : FAILED;
}

/* In a child of its own, since a machine boots once in a process. */
static int
run_config(void *arg)
{
	const struct config *cf = arg;

	host_boot(&cf->o);
	env.ncpu = ncpu;
	for (unsigned l = 0; ct_lists[l] != NULL; l++)
		for (const struct ct_case *c = ct_lists[l]; c->name; c++)
			for (unsigned w = 0;
			     w < (c->flags & CT_EACH_WINDOW ? 3 : 1); w++)
				if (chosen(c))
					run_one(cf, c, w);
	return 0;
}

static void
report_config(struct config *cf, unsigned n)
{
	const char *bad;

	memset(outcomes, 0, n * sizeof(outcomes[0]));
	bad = run_child(run_config, cf, 600000, false);
	for (unsigned i = 0; i < n; i++) {
		const struct outcome *o = &outcomes[i];

		if (o->what == SKIPPED)
			report_skip(o->name, "counts hold by default only");
		else
			report_result(o->what == PASSED,
			    o->what == NOT_RUN ? cf->name : o->name,
			    o->what == NOT_RUN ? bad : o->detail);
	}
}

static unsigned
count_runs(void)
{
	unsigned n = 0;

	for (unsigned l = 0; ct_lists[l] != NULL; l++)
		for (const struct ct_case *c = ct_lists[l]; c->name; c++)
			if (chosen(c))
				n += c->flags & CT_EACH_WINDOW ? 3 : 1;
	return n;
}

int
main(int argc, char **argv)
{
	bool quick = false, faults = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-q") == 0)
			quick = true;
		else if (strcmp(argv[i], "-f") == 0)
			faults = true;
		else
			filter = argv[i];
	}
	if (faults)
		filter = "oom_";
	add_configs(quick);
	report_begin(faults ? "faults" : "conformance",
	    filter && !faults ? NULL :
	    faults	      ? "build/faults-host.json" :
				"build/conformance-host.json",
	    nconfigs * count_runs());
	outcomes = os_map(count_runs() * sizeof(outcomes[0]), true);
	for (unsigned i = 0; i < nconfigs; i++)
		report_config(&configs[i], count_runs());
	report_text("where", "host port");
	report_number("configurations", nconfigs);
	report_number("cases", count_runs());
	return report_end();
}
