/* SPDX-License-Identifier: MIT */
/*
 * stress.c - real threads as CPUs, for the race detector.
 *
 * All CPUs run one space.  Each owns a window of it, where it maps, writes,
 * protects, discards and unmaps and knows what must be there; it reads the
 * windows of the others, where anything may happen but a wrong frame.  Between
 * two rounds every CPU also forks the space, changes its copy and drops it;
 * one of them pages out now and then, as the daemon would.
 * Then one of them truncates a file that the others have mapped.
 * For L4 all CPUs also map, grant and unmap the same few pages of four spaces.
 *
 * usage: stress [-s SEED] [-n ROUNDS] [-d DESIGN]
 */
#include "abi/errno.h"
#include "arch/host/host.h"
#include "arch/host/os.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mem/kmem.h"
#include "vm/l4/l4.h"
#include "vm/swap.h"
#include "vm/test/report.h"

#define WINDOW 16 /* pages of one CPU */
#define BASE   ((vaddr_t)0x15555f8000) /* over a border of tables */

static struct vmspace *shared;
static uint64_t seed = 1, rounds = 20;

struct worker {
	unsigned cpu;
	uint64_t rng;
	bool mapped[WINDOW];
	vm_prot_t prot[WINDOW];
	uint64_t value[WINDOW];
	uint64_t ops;
};

static struct worker workers[MAXCPU];

#define BAD(...) panic("stress: " __VA_ARGS__)

static vaddr_t
page(unsigned cpu, unsigned i)
{
	return BASE + (cpu * WINDOW + i) * PAGE_SIZE;
}

/* Marks whose page it is: a reader can tell a foreign frame. */
static uint64_t
mark(unsigned cpu, unsigned i, uint64_t n)
{
	return (uint64_t)(cpu + 1) << 56 | (uint64_t)(i + 1) << 48 |
	    (n & 0xffffffff);
}

static void
must(const char *what, int got, int want)
{
	if (got != want)
		BAD("%s: error %d, expected %d", what, got, want);
}

static void
do_map(struct worker *w, unsigned i, unsigned n)
{
	struct vm_mapreq rq = { .va = page(w->cpu, i), .size = n * PAGE_SIZE,
		.prot = VM_PROT_READ | VM_PROT_WRITE, .maxprot = VM_PROT_ALL,
		.flags = VM_MAP_FIXED };
	vaddr_t va;

	must("map", vm_map(shared, &rq, &va), 0);
	for (; n > 0; n--, i++) {
		w->mapped[i] = true;
		w->prot[i] = rq.prot;
		w->value[i] = 0;
	}
}

static void
do_unmap(struct worker *w, unsigned i, unsigned n)
{
	must("unmap", vm_unmap(shared, page(w->cpu, i), n * PAGE_SIZE), 0);
	for (; n > 0; n--, i++) {
		w->mapped[i] = false;
		w->value[i] = 0;
	}
}

static void
do_protect(struct worker *w, unsigned i, unsigned n, vm_prot_t prot)
{
	bool all = true;

	for (unsigned k = i; k < i + n; k++)
		all &= w->mapped[k];
	must("protect",
	    vm_protect(shared, page(w->cpu, i), n * PAGE_SIZE, prot),
	    all ? 0 : ENOMEM);
	for (; all && n > 0; n--, i++)
		w->prot[i] = prot;
}

static void
do_discard(struct worker *w, unsigned i)
{
	must("discard",
	    vm_sync(shared, page(w->cpu, i), PAGE_SIZE, VM_SYNC_DISCARD),
	    w->mapped[i] ? 0 : ENOMEM);
	w->value[i] = 0;
}

static void
do_write(struct worker *w, unsigned i)
{
	uint64_t v = mark(w->cpu, i, w->ops);
	int want = !w->mapped[i]		  ? EFAULT :
	    w->prot[i] & VM_PROT_WRITE ? 0 :
					 EACCES;

	must("write", host_write(shared, page(w->cpu, i) + 64, v), want);
	if (want == 0)
		w->value[i] = v;
}

static void
do_read(struct worker *w, unsigned i)
{
	int want = !w->mapped[i]		 ? EFAULT :
	    w->prot[i] & VM_PROT_READ ? 0 :
					EACCES;
	uint64_t v = 0;

	must("read", host_read(shared, page(w->cpu, i) + 64, &v), want);
	if (want == 0 && v != w->value[i])
		BAD("CPU %u page %u holds 0x%lx, expected 0x%lx", w->cpu, i,
		    (unsigned long)v, (unsigned long)w->value[i]);
}

/* Somebody else's window: zero or one of its own marks, or an error. */
static void
do_spy(struct worker *w, unsigned cpu, unsigned i)
{
	uint64_t v = 0;
	int error = host_read(shared, page(cpu, i) + 64, &v);

	(void)w;
	if (error == 0 && v != 0 && v >> 48 != mark(cpu, i, 0) >> 48)
		BAD("page %u of CPU %u holds 0x%lx", i, cpu,
		    (unsigned long)v);
}

static void
do_copy(struct worker *w, unsigned i)
{
	uint64_t v = mark(w->cpu, i, w->ops), back = 0;
	vaddr_t va = page(w->cpu, i) + 128; /* nobody spies there */

	if (!w->mapped[i] || w->prot[i] != (VM_PROT_READ | VM_PROT_WRITE))
		return;
	must("copyout", copyout(shared, va, &v, 8), 0);
	must("copyin", copyin(shared, &back, va, 8), 0);
	if (back != v)
		BAD("copyin does not see what copyout wrote");
}

/* Own pages in a child: as they were, and apart from then on. */
static void
do_fork(struct worker *w)
{
	struct vmspace *child;
	uint64_t v;

	must("fork", vmspace_fork(shared, &child), 0);
	for (unsigned i = 0; i < WINDOW; i++) {
		vaddr_t va = page(w->cpu, i) + 64;

		if (!w->mapped[i] || !(w->prot[i] & VM_PROT_READ))
			continue;
		must("read of child", host_read(child, va, &v), 0);
		if (v != w->value[i])
			BAD("the child of CPU %u has 0x%lx, expected 0x%lx",
			    w->cpu, (unsigned long)v,
			    (unsigned long)w->value[i]);
		if (w->prot[i] & VM_PROT_WRITE) {
			must("write of child",
			    host_write(child, va, mark(w->cpu, i, 1)), 0);
			do_write(w, i);
		}
	}
	host_load(shared);
	vmspace_drop(child);
}

/* Contents stay; where they are does not. */
static void
do_pageout(uint64_t r)
{
	(void)vm_design->pageout(1 + r % 40);
	vm_object_flush(&swap_object);
	if (r >> 8 & 1)
		(void)frame_reclaim(1 + (r >> 9) % 32);
}

static void
one_op(struct worker *w)
{
	uint64_t r = host_random(&w->rng) >> 16;
	unsigned i = r % WINDOW, n = 1 + (r >> 8) % (WINDOW - i), what;
	vm_prot_t prot = (r >> 20 & 3) == 0 ? VM_PROT_NONE :
	    (r >> 20 & 3) == 1		    ? VM_PROT_READ :
					      VM_PROT_READ | VM_PROT_WRITE;

	w->ops++;
	what = r >> 24 & 15;
	if (w->cpu == 0 && (r >> 40 & 7) == 0)
		do_pageout(r >> 44);
	if (what == 0)
		do_map(w, i, MIN(n, 5u));
	else if (what == 1)
		do_unmap(w, i, MIN(n, 3u));
	else if (what == 2)
		do_protect(w, i, MIN(n, 4u), prot);
	else if (what == 3)
		do_discard(w, i);
	else if (what == 4)
		do_copy(w, i);
	else if (what < 9)
		do_write(w, i);
	else if (what < 12)
		do_read(w, i);
	else
		do_spy(w, (unsigned)(r >> 32) % ncpu, i);
}

static void
work(void *arg)
{
	struct worker *w = arg;

	host_load(shared);
	do_map(w, 0, WINDOW);
	for (uint64_t k = 0; k < rounds; k++) {
		for (unsigned i = 0; i < 40; i++)
			one_op(w);
		if (k % 4 == w->cpu % 4)
			do_fork(w);
	}
	host_load(NULL);
}

static size_t
frames_left(void)
{
	return frame_free_count() + pmap_tables_cached() + kmem_slab_frames() +
	    vm_object_cached();
}

static int
run(void *arg)
{
	const struct host_options *o = arg;
	host_fn *fn[MAXCPU];
	void *args[MAXCPU];
	uint64_t ops = 0;
	size_t before;

	host_boot(o);
	before = frames_left();
	must("create", vmspace_create(&shared), 0);
	for (unsigned c = 0; c < ncpu; c++) {
		workers[c] = (struct worker){ .cpu = c,
			.rng = seed * 1000003 + c + 1 };
		fn[c] = work;
		args[c] = &workers[c];
	}
	host_run_threads(ncpu, fn, args);
	for (unsigned c = 0; c < ncpu; c++)
		ops += workers[c].ops;
	if (vm_check() != 0)
		BAD("vm_check");
	vmspace_drop(shared);
	if (swap_used() != 0)
		BAD("%zu swap slots lost", swap_used());
	if (frames_left() != before)
		BAD("%ld frames lost", (long)before - (long)frames_left());
	return ops == 0;
}

/* ---- a file is truncated while others map, copy, discard, unmap it ---- */

#define FILE_PAGES 16
#define FILES	   3 /* runs, each with a seed of its own */

static struct vm_object file;
static struct sleeplock file_size; /* as an inode's: fills share it */

static void
file_nothing(struct vm_object *o)
{
	(void)o;
}

static void
file_enter(struct vm_object *o, bool write)
{
	(void)o, (void)write;
	sleep_lock_shared(&file_size);
}

static void
file_leave(struct vm_object *o, bool write)
{
	(void)o, (void)write;
	sleep_unlock_shared(&file_size);
}

static int
file_read(struct vm_object *o, struct vm_page *pg)
{
	(void)o;
	memset(page_to_virt(pg), 0, PAGE_SIZE);
	return 0;
}

static int
file_back(struct vm_object *o, struct vm_page *pg)
{
	(void)o, (void)pg;
	return 0;
}

static int
file_write(struct vm_object *o, struct vm_page *const *pages, unsigned n)
{
	(void)o, (void)pages, (void)n;
	return 0;
}

static int
file_sync(struct vm_object *o)
{
	(void)o;
	return 0;
}

static const struct vm_object_ops file_ops = { file_nothing, file_nothing,
	file_enter, file_leave, file_read, file_back, file_write, file_sync };

static void
truncate_work(void *arg)
{
	struct worker *w = arg;

	for (uint64_t k = 0; k < 20 * rounds; k++) {
		uint64_t r = host_random(&w->rng) >> 16;

		sleep_lock(&file_size);
		vm_object_resize(&file, r % 3 ? FILE_PAGES : r % FILE_PAGES);
		sleep_unlock(&file_size);
		w->ops++;
	}
}

/* Private: what was written is there, or was cut off with the file. */
static void
file_access(struct vmspace *vs, struct worker *w, unsigned i)
{
	uint64_t v = mark(w->cpu, i, w->ops), got = v;
	vaddr_t va = page(w->cpu, i);
	int error = host_write(vs, va, v);

	if (error == 0)
		error = host_read(vs, va, &got);
	if (error != 0 && error != ENXIO)
		BAD("a page of a file: error %d", error);
	if (got != v && got != 0)
		BAD("a page of a file holds 0x%lx, expected 0x%lx or 0",
		    (unsigned long)got, (unsigned long)v);
}

static void
file_step(struct vmspace *vs, struct worker *w)
{
	struct vm_mapreq rq = { .va = page(w->cpu, 0),
		.size = FILE_PAGES * PAGE_SIZE,
		.prot = VM_PROT_READ | VM_PROT_WRITE, .maxprot = VM_PROT_ALL,
		.flags = VM_MAP_FIXED, .source = VM_FILE, .object = &file };
	uint64_t r = host_random(&w->rng) >> 16;
	unsigned i = r % FILE_PAGES;
	struct vmspace *child;
	vaddr_t va;

	w->ops++;
	must("map", vm_map(vs, &rq, &va), 0);
	for (unsigned k = 0; k < 6; k++)
		file_access(vs, w, (i + 3 * k) % FILE_PAGES);
	if (r >> 8 & 1)
		must("discard", vm_sync(vs, page(w->cpu, i), PAGE_SIZE,
		    VM_SYNC_DISCARD), 0);
	if ((r >> 9 & 3) == 0) {
		must("fork", vmspace_fork(vs, &child), 0);
		file_access(child, w, i);
		file_access(vs, w, i);
		host_load(vs);
		vmspace_drop(child);
	}
	if (r >> 11 & 1)
		must("unmap", vm_unmap(vs, page(w->cpu, i), PAGE_SIZE), 0);
}

static void
file_work(void *arg)
{
	struct worker *w = arg;
	struct vmspace *vs;

	must("create", vmspace_create(&vs), 0);
	host_load(vs);
	for (uint64_t k = 0; k < 10 * rounds; k++)
		file_step(vs, w);
	host_load(NULL);
	vmspace_drop(vs);
}

static int
run_file(void *arg)
{
	host_fn *fn[MAXCPU];
	void *args[MAXCPU];
	size_t before;

	host_boot(arg);
	sleeplock_init(&file_size, RANK_INODE, "file");
	vm_object_init(&file, &file_ops);
	vm_object_resize(&file, FILE_PAGES);
	before = frames_left();
	for (unsigned c = 0; c < ncpu; c++) {
		workers[c] = (struct worker){ .cpu = c,
			.rng = seed * 104729 + c + 1 };
		fn[c] = c == 0 ? truncate_work : file_work;
		args[c] = &workers[c];
	}
	host_run_threads(ncpu, fn, args);
	vm_object_resize(&file, 0);
	if (vm_check() != 0)
		BAD("vm_check");
	if (frames_left() != before)
		BAD("%ld frames lost", (long)before - (long)frames_left());
	return 0;
}

static void
stress_file(const char *design, unsigned n)
{
	struct host_options o = host_defaults;
	char name[64];
	const char *bad;

	o.design = design;
	o.threads = true;
	seed += n;
	snprintf(name, sizeof(name), "%s/truncate/%u", design, n);
	bad = run_child(run_file, &o, 300000, false);
	seed -= n;
	report_result(bad[0] == '\0', name, bad);
}

/* ---- L4 primitives: all CPUs give and take the same few pages ---- */

#define FLOW_SPACES 4
#define FLOW_PAGES  4
#define FLOW_FRAMES 3
#define FLOW_STEPS  (100 * rounds)
#define FLOWS	    4 /* runs, each with a seed of its own */

static struct vmspace *flow_space[FLOW_SPACES];
static struct vm_page *flow_frame[FLOW_FRAMES];

static vaddr_t
flow_page(uint64_t r)
{
	return BASE + r % FLOW_PAGES * PAGE_SIZE;
}

static void
flow_step(struct worker *w, struct tlb_gather *tg)
{
	uint64_t r = host_random(&w->rng);
	struct vmspace *a = flow_space[r % FLOW_SPACES];
	struct l4_map m = { .from = a, .src = flow_page(r >> 8),
		.to = flow_space[(r >> 16) % FLOW_SPACES],
		.dst = flow_page(r >> 24),
		.rights = r >> 32 & 1 ? VM_PROT_READ : VM_PROT_ALL,
		.how = (enum l4_how)((r >> 33 & 7) % 3) };
	struct l4_unmap u = { .space = a, .sva = flow_page(r >> 8),
		.eva = flow_page(r >> 8) + PAGE_SIZE,
		.rights = r >> 32 & 1 ? VM_PROT_WRITE : VM_PROT_ALL,
		.flags = r >> 33 & 1 ? L4_UNMAP_SELF : 0 };

	switch (r >> 40 & 7) {
	case 0:
	case 1:
		m.from = NULL;
		m.src = page_to_phys(flow_frame[(r >> 8) % FLOW_FRAMES]);
		m.how = L4_MAP;
		must("map of sigma0", l4_map(&m, tg), 0);
		break;
	case 2:
		must("unmap", l4_unmap(&u, tg), 0);
		break;
	case 3:
		must("unmap of sigma0",
		    l4_unmap_frame(flow_frame[(r >> 8) % FLOW_FRAMES],
			u.rights, 0, NULL, tg), 0);
		break;
	default:
		switch (l4_map(&m, tg)) {
		case 0:
		case ENOENT: /* the sender has nothing */
		case EACCES:
		case EMLINK:
			break;
		default:
			BAD("l4_map");
		}
	}
}

static void
flow_work(void *arg)
{
	struct worker *w = arg;
	struct tlb_gather tg;

	tlb_gather_init(&tg);
	host_load(flow_space[w->cpu % FLOW_SPACES]);
	for (uint64_t k = 0; k < FLOW_STEPS; k++) {
		struct host_op op = { .va = flow_page(k),
			.access = VM_PROT_READ, .width = HOST_WORD };

		flow_step(w, &tg);
		tlb_gather_flush(&tg);
		/* Whatever is mapped is one of the three frames. */
		if (host_try(&op) == 0 && op.value != mark(9, 9, 9))
			BAD("a foreign frame: 0x%lx", (unsigned long)op.value);
		w->ops++;
	}
	host_load(NULL);
}

static int
run_flow(void *arg)
{
	host_fn *fn[MAXCPU];
	void *args[MAXCPU];

	host_boot(arg);
	for (unsigned s = 0; s < FLOW_SPACES; s++)
		must("create", vmspace_create(&flow_space[s]), 0);
	for (unsigned f = 0; f < FLOW_FRAMES; f++) {
		uint64_t *word = page_to_virt(flow_frame[f] = sigma0_alloc());

		for (unsigned i = 0; i < PAGE_SIZE / sizeof(*word); i++)
			word[i] = mark(9, 9, 9);
	}
	for (unsigned c = 0; c < ncpu; c++) {
		workers[c] = (struct worker){ .cpu = c,
			.rng = seed * 7919 + c + 1 };
		fn[c] = flow_work;
		args[c] = &workers[c];
	}
	host_run_threads(ncpu, fn, args);
	for (unsigned s = 0; s < FLOW_SPACES; s++)
		must("check", vm_design->check(flow_space[s]), 0);
	for (unsigned s = 0; s < FLOW_SPACES; s++)
		vmspace_drop(flow_space[s]);
	for (unsigned f = 0; f < FLOW_FRAMES; f++)
		if (flow_frame[f]->holds != 1)
			BAD("%lu references are left",
			    (unsigned long)flow_frame[f]->holds);
	return 0;
}

static void
stress_flow(unsigned n)
{
	struct host_options o = host_defaults;
	char name[64];
	const char *bad;

	o.design = "l4";
	o.threads = true;
	seed += n;
	snprintf(name, sizeof(name), "l4/primitives/%u", n);
	bad = run_child(run_flow, &o, 300000, false);
	seed -= n;
	report_result(bad[0] == '\0', name, bad);
}

static void
stress(const char *design, unsigned p)
{
	static const char *const catchup[] = { "gen", "eager", "tick" };
	struct host_options o = host_defaults;
	char name[64];
	const char *bad;

	o.design = design;
	o.threads = true;
	o.swap_slots = p % 2 ? 256 : 24;
	o.chaos = p % 4;
	o.policy.targets = (enum tlb_targets)(p & 1);
	o.policy.deliver = (enum tlb_deliver)(p >> 1 & 1);
	o.policy.catchup = (enum tlb_catchup)(p >> 2);
	o.policy.asid_bits = p % 3 == 2 ? 2 : -1;
	snprintf(name, sizeof(name), "%s/threads/%s-%s-%s-%d", design,
	    p & 1 ? "all" : "mask", p >> 1 & 1 ? "sbi" : "ipi",
	    catchup[p >> 2], o.policy.asid_bits);
	bad = run_child(run, &o, 300000, false);
	report_result(bad[0] == '\0', name, bad);
}

static bool
chosen(const char *only, const char *design)
{
	return only == NULL || strcmp(only, design) == 0;
}

int
main(int argc, char **argv)
{
	unsigned ndesigns = 0;
	const char *only = NULL;

	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "-d") == 0)
			only = argv[i + 1];
		else if (strcmp(argv[i], "-s") == 0)
			(void)strtou64(argv[i + 1], &seed);
		else if (strcmp(argv[i], "-n") == 0)
			(void)strtou64(argv[i + 1], &rounds);
	}
	for (unsigned d = 0; vm_design_names[d] != NULL; d++)
		ndesigns += chosen(only, vm_design_names[d]);
	report_begin("tsan", only != NULL ? NULL : "build/tsan.json",
	    (12 + FILES) * ndesigns + (chosen(only, "l4") ? FLOWS : 0));
	for (unsigned d = 0; vm_design_names[d] != NULL; d++) {
		if (!chosen(only, vm_design_names[d]))
			continue;
		for (unsigned p = 0; p < 12; p++)
			stress(vm_design_names[d], p);
		for (unsigned n = 0; n < FILES; n++)
			stress_file(vm_design_names[d], n);
	}
	for (unsigned n = 0; n < FLOWS && chosen(only, "l4"); n++)
		stress_flow(n);
	report_number("rounds", rounds);
	return report_end();
}
