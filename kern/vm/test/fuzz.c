/* SPDX-License-Identifier: MIT */
/*
 * fuzz.c - carry out one fuzzer program and compare each step with the model.
 *
 * After every record: the result is what the model says, vm_check() is happy,
 * and the listing of the space equals the model.
 */
#include "vm/test/fuzz.h"

#include "lib/printf.h"
#include "lib/string.h"
#include "mem/failpoint.h"
#include "mem/kmem.h"
#include "sync/counter.h"
#include "vm/swap.h"
#include "vm/test/fuzz_ops.h"

enum op {
	OP_CREATE, OP_MAP, OP_MAP_SHARED, OP_ALIAS, OP_NOREPLACE, OP_ANYWHERE,
	OP_UNMAP, OP_PROTECT, OP_DISCARD, OP_MINCORE, OP_FORK, OP_EXIT,
	OP_EXEC, OP_LOAD, OP_LAZY, OP_READ, OP_WRITE, OP_FETCH, OP_AL_REGION,
	OP_AL_PROT, OP_AL_DIRTY, OP_PIN, OP_COPY, OP_FAILAT, OP_WILD,
	OP_PAGEOUT, NOPS,
};

static const char *const op_names[NOPS] = { "create", "map", "map_shared",
	"alias", "noreplace", "map_anywhere", "unmap", "protect", "discard",
	"mincore", "fork", "exit", "exec", "load", "lazy", "read", "write",
	"fetch", "al_region", "al_prot", "al_dirty", "pin", "copy", "failat",
	"wild", "pageout" };

/* How often each is drawn from a byte: accesses, maps and forks most. */
static enum op
op_of(const struct fuzz_rec *rec)
{
	static const uint8_t table[64] = { OP_CREATE, OP_CREATE, OP_MAP,
		OP_MAP, OP_MAP, OP_MAP, OP_MAP, OP_MAP_SHARED, OP_MAP_SHARED,
		OP_ALIAS, OP_ALIAS, OP_NOREPLACE, OP_ANYWHERE, OP_UNMAP,
		OP_UNMAP, OP_UNMAP, OP_PROTECT, OP_PROTECT, OP_PROTECT,
		OP_PROTECT, OP_DISCARD, OP_DISCARD, OP_MINCORE, OP_FORK,
		OP_FORK, OP_FORK, OP_EXIT, OP_EXIT, OP_EXEC, OP_LOAD, OP_LOAD,
		OP_LAZY, OP_PAGEOUT, OP_PAGEOUT, OP_READ, OP_READ, OP_READ,
		OP_READ, OP_READ, OP_READ, OP_WRITE, OP_WRITE, OP_WRITE,
		OP_WRITE,
		OP_WRITE, OP_WRITE, OP_WRITE, OP_WRITE, OP_WRITE, OP_WRITE,
		OP_FETCH, OP_AL_REGION, OP_AL_REGION, OP_AL_PROT, OP_AL_PROT,
		OP_AL_DIRTY, OP_AL_DIRTY, OP_AL_DIRTY, OP_PIN, OP_PIN,
		OP_COPY, OP_COPY, OP_FAILAT, OP_WILD };

	return (enum op)table[rec->op % 64];
}

/* Most records aim at a few pages at the ends and in the middle. */
static unsigned
page_of(const struct fuzz_rec *rec)
{
	static const uint8_t hot[] = { 0, 1, 2, 5, 22, 23, 24, 30, 34, 35, 36,
		37, 47, 48, 55, 60, 69, 70, 71 };

	return rec->page < 180 ? hot[rec->page % ARRAY_SIZE(hot)] :
				 rec->page % M_PAGES;
}

static void
set_scope(enum op op, const struct range *r)
{
	bool all = op == OP_FORK || op == OP_EXIT || op == OP_EXEC;

	scope.spaces = op == OP_PAGEOUT ? 0 : 1u << r->s;
	scope.first = all || op == OP_AL_PROT ? 0 : r->first;
	scope.n = all || op == OP_AL_PROT ? M_PAGES : r->n;
}

/* Contents do not change, whoever is at work meanwhile. */
static void
do_pageout(const struct fuzz_rec *rec)
{
	(void)vm_design->pageout(1 + rec->n % 24);
	if (rec->arg & 1)
		vm_object_flush(&swap_object);
	if (rec->arg & 2)
		(void)frame_reclaim(1 + rec->arg / 4);
}

static void
run_op(enum op op, const struct range *r)
{
	switch (op) {
	case OP_MAP: do_map(r, 0); break;
	case OP_MAP_SHARED: do_map(r, VM_MAP_SHARED); break;
	case OP_ALIAS: do_alias(r); break;
	case OP_NOREPLACE: do_map(r, VM_MAP_NOREPLACE); break;
	case OP_ANYWHERE: do_map_anywhere(r); break;
	case OP_UNMAP: do_unmap(r); break;
	case OP_PROTECT: do_protect(r); break;
	case OP_DISCARD: do_discard(r); break;
	case OP_MINCORE: do_mincore(r); break;
	case OP_FORK: do_fork(r->s); break;
	case OP_EXIT: do_exit(r->s); break;
	case OP_EXEC: do_exec(r->s); break;
	case OP_LOAD: host_load(real[r->s]); break;
	case OP_READ:
		do_access(r->s, r->first, VM_PROT_READ, r->rec->arg & 1);
		break;
	case OP_WRITE:
		do_access(r->s, r->first, VM_PROT_WRITE, r->rec->arg & 1);
		break;
	case OP_FETCH:
		do_access(r->s, r->first, VM_PROT_EXECUTE, 0);
		break;
	case OP_AL_REGION: do_al_region(r); break;
	case OP_AL_PROT: do_al_prot(r); break;
	case OP_AL_DIRTY: do_al_dirty(r); break;
	case OP_PIN: do_pin(r); break;
	case OP_COPY: do_copy(r); break;
	case OP_WILD: do_wild(r); break;
	default: break;
	}
}

static void
step(const struct fuzz_rec *rec)
{
	enum op op = op_of(rec);
	struct range r = { .s = rec->space % M_SPACES,
		.first = page_of(rec), .rec = rec };
	uint64_t faults;

	r.n = m_span(r.first, 1 + rec->n % 8);
	r.va = m_va(r.first);
	r.size = r.n * PAGE_SIZE;
	host_switch_cpu(rec->cpu % ncpu);
	failed_before = counter_read(TS_failed_allocs);
	if (op == OP_FAILAT) {
		if (fuzz_trace == NULL)
			fail_arm(1 + rec->arg % 6, NULL);
		return;
	}
	/* From the record alone: dropping others must not change it. */
	memcpy(&hook_rng, rec, sizeof(hook_rng));
	hook_rng |= 1;
	set_scope(op, &r);
	host_watch_ptes = hook_rate != 0;
	faults = counter_read(TS_faults);
	if (op == OP_CREATE)
		do_create();
	else if (op == OP_LAZY)
		host_load(NULL);
	else if (op == OP_PAGEOUT)
		do_pageout(rec);
	else if (model[r.s].used)
		run_op(op, &r);
	scope.spaces = 0;
	fail_arm(0, NULL);
	host_watch_ptes = false;
	hook_rate = 0;
	if (op >= OP_READ && op <= OP_FETCH &&
	    counter_read(TS_faults) == faults)
		return; /* the TLB alone: nothing has changed */
	if (vm_check() != 0)
		FAIL("vm_check failed after %s", op_names[op]);
	if (model[r.s].used)
		fuzz_check_listing(r.s);
}

static size_t
frames_left(void)
{
	return frame_free_count() + pmap_tables_cached() + kmem_slab_frames() +
	    vm_object_cached();
}

const char *fuzz_design;
uint64_t *fuzz_trace;

static const char *
design_of(const struct fuzz_config *c)
{
	unsigned n = 0;

	while (vm_design_names[n] != NULL)
		n++;
	return fuzz_design != NULL ? fuzz_design :
				     vm_design_names[c->design % 16 % n];
}

static void
boot(const struct fuzz_config *c)
{
	struct host_options o = host_defaults;

	o.design = design_of(c);
	o.ncpu = 1 + c->ncpu % 4;
	o.policy.targets = (enum tlb_targets)(c->policy % 2);
	o.policy.deliver = (enum tlb_deliver)(c->policy / 2 % 2);
	o.policy.catchup = (enum tlb_catchup)(c->policy / 4 % 3);
	o.policy.asid_bits = (int)(c->asid_bits % 5) - 1;
	o.negative = !(c->flags & FUZZ_NO_NEGATIVE);
	o.svade = c->flags & FUZZ_SVADE;
	o.ipi_deferred = c->flags & FUZZ_DEFERRED;
	o.ram_size = c->ram % 4 == 1 ? (size_t)2 << 20 : (size_t)4 << 20;
	o.swap_slots = (size_t)1 << c->swap % 10 & ~(size_t)1;
	o.design = design_of(c);
	o.chaos = c->design / 16 % 4;
	host_boot(&o);
	host_hook = fuzz_hook;
}

void
fuzz_run(const void *bytes, size_t size, volatile uint64_t *done)
{
	struct fuzz_config c;
	struct fuzz_rec rec;
	size_t before;

	if (size < sizeof(c))
		return;
	memcpy(&c, bytes, sizeof(c));
	boot(&c);
	before = frames_left();
	for (size_t at = sizeof(c); at + sizeof(rec) <= size;
	     at += sizeof(rec)) {
		memcpy(&rec, (const char *)bytes + at, sizeof(rec));
		hook_rate = c.hooks % 8;
		if (noted != FUZZ_SHORT)
			noted = 0;
		step(&rec);
		if (fuzz_trace != NULL)
			fuzz_trace[*done] = noted;
		(*done)++;
	}
	fuzz_finish();
	if (swap_used() != 0)
		FAIL("%zu swap slots are lost at the end", swap_used());
	if (frames_left() != before)
		FAIL("%ld frames are lost at the end",
		    (long)before - (long)frames_left());
}

/* ---- printing ---- */

void
fuzz_print(const struct fuzz_rec *rec, struct sink *sk)
{
	enum op op = op_of(rec);
	unsigned first = page_of(rec);

	sink_printf(sk, "%-12s space %u cpu %u page %u+%u (0x%lx) arg %u",
	    op_names[op], rec->space % M_SPACES, rec->cpu % 4, first,
	    m_span(first, 1 + rec->n % 8), (unsigned long)m_va(first),
	    rec->arg);
	if (op == OP_MAP || op == OP_MAP_SHARED || op == OP_PROTECT ||
	    op == OP_NOREPLACE || op == OP_ALIAS)
		sink_printf(sk, " prot %u", fuzz_prots[rec->arg % 8]);
	if (op == OP_ALIAS)
		sink_printf(sk, " of page %u", rec->n % M_PAGES);
	sink_printf(sk, "\n");
}

void
fuzz_print_config(const struct fuzz_config *c, struct sink *sk)
{
	sink_printf(sk, "%s chaos %u, ", design_of(c), c->design / 16 % 4);
	sink_printf(sk, "%u CPUs, targets=%s deliver=%s catchup=%s asidbits=%d"
			"%s%s%s hooks 1/%u, %u swap slots\n",
	    1 + c->ncpu % 4, c->policy % 2 ? "all" : "mask",
	    c->policy / 2 % 2 ? "sbi" : "ipi",
	    c->policy / 4 % 3 == 0	? "gen" :
		c->policy / 4 % 3 == 1 ? "eager" :
					 "tick",
	    (int)(c->asid_bits % 5) - 1,
	    c->flags & FUZZ_NO_NEGATIVE ? "" : " negative",
	    c->flags & FUZZ_SVADE ? " svade" : "",
	    c->flags & FUZZ_DEFERRED ? " deferred" : "", c->hooks % 8,
	    1u << c->swap % 10 & ~1u);
}
