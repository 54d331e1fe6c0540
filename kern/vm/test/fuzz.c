/* SPDX-License-Identifier: MIT */
/*
 * fuzz.c - carry out one fuzzer program and compare each step with the model.
 *
 * After every record: the result is what the model says, vm_check() is happy,
 * and the listing of the space equals the model.  While an operation runs,
 * other CPUs touch memory at its points (hook): where the operation cannot
 * matter, the model decides; elsewhere the MMU's own checks do (no freed frame,
 * no page table, no freed table is reached).
 */
#include "vm/test/fuzz.h"

#include "abi/errno.h"
#include "arch/host/host.h"
#include "arch/host/os.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mem/failpoint.h"
#include "mem/kmem.h"
#include "sync/counter.h"
#include "vm/test/model.h"

static struct vmspace *real[M_SPACES];
static uint64_t stamp; /* a new value for each write */

/* What the running operation may change; for the hook. */
static struct {
	unsigned spaces; /* mask */
	unsigned first, n;
} scope;

static uint64_t hook_rng;
static unsigned hook_rate;
static uint64_t failed_before;

static struct pin {
	bool active, write;
	unsigned space, page;
	uint32_t epoch;
	struct m_obj *obj;
	struct vm_pinned vp;
	bool loose; /* contents may differ from the model by now */
	uint64_t val;
} pins[M_PINS];

#define FAIL(...) panic("fuzz: " __VA_ARGS__)

/* ---- helpers ---- */

static const vm_prot_t prots[8] = { VM_PROT_READ | VM_PROT_WRITE,
	VM_PROT_READ, VM_PROT_READ | VM_PROT_WRITE, VM_PROT_NONE,
	VM_PROT_READ | VM_PROT_EXECUTE, VM_PROT_ALL, VM_PROT_EXECUTE,
	VM_PROT_READ | VM_PROT_WRITE };
static const vm_prot_t caps[4] = { VM_PROT_NONE, VM_PROT_READ, VM_PROT_ALL,
	VM_PROT_ALL };

static bool
memory_may_lack(void)
{
	return counter_read(TS_failed_allocs) != failed_before ||
	    frame_free_count() < 96;
}

/* @p got must be @p want, or ENOMEM when memory may be short.
 * @return whether the operation took place */
static bool
verdict(const char *what, int got, int want)
{
	if (got == want)
		return got == 0;
	if (got == ENOMEM && memory_may_lack())
		return false;
	FAIL("%s: error %d, the model says %d", what, got, want);
}

static bool
is_pinned_for_writing(unsigned s, unsigned i)
{
	const struct m_page *p = &model[s].page[i];

	for (unsigned k = 0; k < M_PINS; k++) {
		const struct pin *pin = &pins[k];

		if (pin->active && pin->write && pin->space == s &&
		    pin->page == i && pin->epoch == p->epoch)
			return true;
	}
	return false;
}

static bool
obj_is_written(const struct m_obj *o)
{
	for (unsigned k = 0; k < M_PINS; k++)
		if (pins[k].active && pins[k].write && pins[k].obj == o)
			return true;
	return false;
}

/* The words of a page changed: what read pins hold may be old. */
static void
loosen(unsigned s, unsigned i)
{
	const struct m_page *p = &model[s].page[i];

	for (unsigned k = 0; k < M_PINS; k++)
		if (pins[k].active &&
		    ((pins[k].space == s && pins[k].page == i) ||
			(pins[k].obj != NULL && pins[k].obj == p->obj)))
			pins[k].loose = true;
}

/* A write through @p pin: the same, also when its page is no longer mapped but
 * other pins still hold the frame. */
static void
loosen_alike(const struct pin *pin)
{
	for (unsigned k = 0; k < M_PINS; k++)
		if (pins[k].space == pin->space && pins[k].page == pin->page &&
		    pins[k].epoch == pin->epoch)
			pins[k].loose = true;
	if (pin->epoch == model[pin->space].page[pin->page].epoch &&
	    model[pin->space].used)
		loosen(pin->space, pin->page);
}

/* ---- accesses ---- */

static void
model_access(unsigned s, unsigned i, unsigned w, const struct host_op *op)
{
	struct m_page *p = &model[s].page[i];

	p->touched = true;
	if (op->access == VM_PROT_WRITE) {
		m_values(p)[w] = op->value;
		p->dirty = M_DIRTY;
		loosen(s, i);
	} else if (op->value != m_values(p)[w]) {
		FAIL("space %u page %u word %u holds 0x%lx, the model says "
		     "0x%lx",
		    s, i, w, (unsigned long)op->value,
		    (unsigned long)m_values(p)[w]);
	}
}

static bool
in_scope(unsigned s, unsigned i)
{
	return (scope.spaces >> s & 1) && i >= scope.first &&
	    i < scope.first + scope.n;
}

static int
space_on(unsigned cpu)
{
	unsigned me = cpu_id();
	const struct vmspace *vs;

	host_switch_cpu(cpu);
	vs = host_loaded();
	host_switch_cpu(me);
	for (unsigned s = 0; s < M_SPACES; s++)
		if (vs != NULL && real[s] == vs && model[s].used)
			return (int)s;
	return -1;
}

/* Another CPU's program runs for one access, at a point of this CPU. */
static void
hook(enum host_point p)
{
	unsigned me = cpu_id(), cpu, i, w;
	uint64_t r;
	int s;

	(void)p;
	if (hook_rate == 0 || ncpu == 1)
		return;
	r = host_random(&hook_rng);
	if (r % hook_rate != 0)
		return;
	r >>= 8;
	cpu = (me + 1 + r % (ncpu - 1)) % ncpu;
	i = (r >> 8) % M_PAGES;
	if ((scope.spaces != 0) && (r >> 20 & 3) != 0)
		i = (scope.first + (r >> 8) % MAX(scope.n, 1u)) % M_PAGES;
	w = r >> 22 & 1;
	s = space_on(cpu);
	if (s < 0)
		return;
	struct host_op op = { .va = m_va(i) + m_offset(w),
		.access = (r >> 24 & 3) == 0 ? VM_PROT_WRITE : VM_PROT_READ,
		.width = HOST_WORD, .value = stamp + 1 };
	bool decided = !in_scope((unsigned)s, i);

	/* A write whose order to the operation is open would blur the model. */
	if (!decided || model[s].page[i].shared)
		op.access = VM_PROT_READ;
	host_switch_cpu(cpu);
	if (host_try(&op) == 0 && decided && !model[s].page[i].shared) {
		if (m_access_error(&model[s].page[i], op.access) != 0)
			FAIL("CPU %u may use space %d page %u, access %u, "
			     "during an operation elsewhere",
			    cpu, s, i, op.access);
		stamp += op.access == VM_PROT_WRITE;
		model_access((unsigned)s, i, w, &op);
	}
	host_switch_cpu(me);
}

static void
do_access(unsigned s, unsigned i, vm_prot_t access, unsigned w)
{
	struct m_page *p = &model[s].page[i];
	struct host_op op = { .va = m_va(i) + m_offset(w),
		.access = access, .width = HOST_WORD, .value = ++stamp };
	int want = m_access_error(p, access);

	if (verdict("access", host_access(real[s], &op), want))
		model_access(s, i, w, &op);
}

/* ---- listings ---- */

static void
check_listing(unsigned s)
{
	struct vm_region_info r = { .sva = 1, .eva = 0 };

	for (unsigned i = 0; i < M_PAGES; i++) {
		const struct m_page *p = &model[s].page[i];
		vaddr_t va = m_va(i);
		bool there;

		if (va < r.sva || va >= r.eva)
			if (vm_region(real[s], va, &r) != 0)
				r.sva = r.eva = USER_MAX;
		there = r.sva <= va && va < r.eva;
		if (there != p->mapped ||
		    (there && (r.prot != p->prot ||
				  !!(r.flags & VM_MAP_SHARED) != p->shared)))
			FAIL("listing of space %u differs at page %u: %s prot "
			     "%u, the model says %s prot %u",
			    s, i, there ? "mapped" : "unmapped", r.prot,
			    p->mapped ? "mapped" : "unmapped", p->prot);
	}
}

/* ---- operations on ranges ---- */

struct range {
	unsigned s, first, n;
	vaddr_t va;
	size_t size;
	const struct fuzz_rec *rec;
};

static bool
all_mapped(const struct range *r)
{
	for (unsigned i = r->first; i < r->first + r->n; i++)
		if (!model[r->s].page[i].mapped)
			return false;
	return true;
}

static bool
any_mapped(const struct range *r)
{
	for (unsigned i = r->first; i < r->first + r->n; i++)
		if (model[r->s].page[i].mapped)
			return true;
	return false;
}

#define EACH_PAGE(r, p)                                         \
	for (struct m_page *p = &model[(r)->s].page[(r)->first],    \
			   *p##_end = p + (r)->n;                   \
	     p < p##_end; p++)

static void
do_map(const struct range *r, unsigned flags)
{
	struct vm_mapreq rq = { .va = r->va, .size = r->size,
		.prot = prots[r->rec->arg % 8], .maxprot = VM_PROT_ALL,
		.flags = flags | VM_MAP_FIXED };
	vaddr_t out = 0;
	int want = (flags & VM_MAP_NOREPLACE) && any_mapped(r) ? EEXIST : 0;

	if (!verdict("map", vm_map(real[r->s], &rq, &out), want))
		return;
	if (out != r->va)
		FAIL("map at 0x%lx instead of 0x%lx", (unsigned long)out,
		    (unsigned long)r->va);
	EACH_PAGE(r, p)
		m_map(p, rq.prot, flags & VM_MAP_SHARED, NULL);
}

static void
do_alias(const struct range *r)
{
	unsigned of = r->rec->n % M_PAGES;
	struct m_page *from = &model[r->s].page[of];
	struct vm_mapreq rq = { .va = r->va, .size = PAGE_SIZE,
		.prot = prots[r->rec->arg % 8], .maxprot = VM_PROT_ALL,
		.flags = VM_MAP_FIXED, .source = VM_ALIAS,
		.alias_va = m_va(of) };
	vaddr_t out;

	if (verdict("alias", vm_map(real[r->s], &rq, &out),
		from->shared ? 0 : EINVAL))
		m_map(&model[r->s].page[r->first], rq.prot, true, from->obj);
}

/* No fixed place: use what comes, then give it back. */
static void
do_map_anywhere(const struct range *r)
{
	struct vm_mapreq rq = { .va = r->rec->arg & 8 ? r->va : 0,
		.size = r->size, .prot = VM_PROT_READ | VM_PROT_WRITE,
		.maxprot = VM_PROT_ALL };
	uint64_t v = 0;
	vaddr_t out;

	if (!verdict("map anywhere", vm_map(real[r->s], &rq, &out), 0))
		return;
	if (rq.va != 0 && !any_mapped(r) && out != rq.va)
		FAIL("a free hint was not taken");
	for (unsigned i = 0; i < M_PAGES; i++)
		if (model[r->s].page[i].mapped && m_va(i) >= out &&
		    m_va(i) < out + r->size)
			FAIL("map chose a place in use");
	(void)verdict("write", host_write(real[r->s], out + 8, ++stamp), 0);
	if (verdict("read", host_read(real[r->s], out, &v), 0) && v != 0)
		FAIL("a new page holds 0x%lx", (unsigned long)v);
	/* A hole may be cut into a neighbour that it was merged with. */
	while (vm_unmap(real[r->s], out, r->size) != 0)
		if (!memory_may_lack())
			FAIL("unmap of what map chose");
	if (out == r->va && !any_mapped(r))
		EACH_PAGE(r, p)
			m_unmap(p);
}

static void
do_unmap(const struct range *r)
{
	if (verdict("unmap", vm_unmap(real[r->s], r->va, r->size), 0))
		EACH_PAGE(r, p)
			m_unmap(p);
}

static void
do_protect(const struct range *r)
{
	vm_prot_t prot = prots[r->rec->arg % 8];

	if (verdict("protect", vm_protect(real[r->s], r->va, r->size, prot),
		all_mapped(r) ? 0 : ENOMEM))
		EACH_PAGE(r, p)
			p->prot = (uint8_t)prot;
}

static void
do_discard(const struct range *r)
{
	if (verdict("discard",
		vm_sync(real[r->s], r->va, r->size, VM_SYNC_DISCARD),
		all_mapped(r) ? 0 : ENOMEM))
		EACH_PAGE(r, p)
			m_discard(p);
}

static void
do_mincore(const struct range *r)
{
	uint8_t vec[M_WPAGES];

	if (!verdict("mincore", vm_mincore(real[r->s], r->va, r->size, vec),
		all_mapped(r) ? 0 : ENOMEM))
		return;
	for (unsigned i = 0; i < r->n; i++)
		if ((vec[i] & 1) && !model[r->s].page[r->first + i].shared &&
		    !model[r->s].page[r->first + i].touched)
			FAIL("untouched page %u is resident", r->first + i);
}

/* ---- Appel-Li ---- */

static void
do_al_region(const struct range *r)
{
	int want = 0;

	EACH_PAGE(r, p)
		if (p->overlay)
			want = EEXIST;
	if (verdict("al_region",
		vm_overlay_register(real[r->s], r->va, r->size), want))
		EACH_PAGE(r, p)
			p->overlay = true;
}

/* Registered as one piece?  The model knows pages only, so ask for single
 * pages: those are covered whenever they are registered. */
static void
do_al_prot(const struct range *r)
{
	struct page_op op[M_WPAGES];
	unsigned n = MIN(r->n, 6u);
	int want = 0;

	for (unsigned k = 0; k < n; k++) {
		unsigned i = (r->first + k * (1 + r->rec->arg / 4 % 3)) %
		    M_PAGES;

		op[k] = (struct page_op){ m_va(i), m_va(i) + PAGE_SIZE,
			caps[(r->rec->arg + k / 3) % 4] };
		if (!model[r->s].page[i].overlay)
			want = EINVAL;
	}
	if (!verdict("al_prot", vm_prot_pages(real[r->s], op, n), want))
		return;
	for (unsigned k = 0; k < n; k++) {
		unsigned i = (r->first + k * (1 + r->rec->arg / 4 % 3)) %
		    M_PAGES;

		model[r->s].page[i].cap = (uint8_t)op[k].cap;
	}
}

static void
fetch_dirty(const struct range *r)
{
	for (unsigned i = r->first; i < r->first + r->n; i++) {
		struct m_page *p = &model[r->s].page[i];
		uint64_t bit = 0;

		if (!verdict("al_dirty",
			vm_dirty(real[r->s], m_va(i), PAGE_SIZE, &bit),
			p->overlay ? 0 : EINVAL))
			return;
		if (is_pinned_for_writing(r->s, i)) {
			if (bit != 1)
				FAIL("page %u is being written, not dirty", i);
			continue;
		}
		if (p->dirty != M_EITHER && bit != p->dirty)
			FAIL("space %u page %u: dirty %lu, the model says %u",
			    r->s, i, (unsigned long)bit, p->dirty);
		/* Written through a pin of the same frame elsewhere: this
		 * page may stay dirty too. */
		p->dirty = bit && p->obj != NULL && obj_is_written(p->obj) ?
		    M_EITHER :
		    M_CLEAN;
	}
}

/* Often with writes by two CPUs and a second fetch: those that still know the
 * page as dirty must not write unseen. */
static void
do_al_dirty(const struct range *r)
{
	fetch_dirty(r);
	if (!(r->rec->arg & 3))
		return;
	do_access(r->s, r->first, VM_PROT_WRITE, 0);
	host_switch_cpu((r->rec->cpu + (r->rec->arg & 1)) % ncpu);
	do_access(r->s, r->first + r->n - 1, VM_PROT_WRITE, 1);
	fetch_dirty(r);
}

/* ---- pins and copies ---- */

static void
unpin(struct pin *pin)
{
	struct m_page *p = &model[pin->space].page[pin->page];
	bool same = pin->epoch == p->epoch && model[pin->space].used;
	uint64_t v = 0;

	if (!pin->active)
		return;
	if (pin->write) {
		v = ++stamp;
		vm_pinned_write(&pin->vp, 0, &v, 8);
		if (pin->obj != NULL)
			pin->obj->val[0] = v;
		else if (same)
			p->val[0] = v;
		loosen_alike(pin);
	} else {
		vm_pinned_read(&pin->vp, 0, &v, 8);
		if (!pin->loose && v != pin->val)
			FAIL("a pinned page changed: 0x%lx, was 0x%lx",
			    (unsigned long)v, (unsigned long)pin->val);
	}
	vm_unpin(&pin->vp);
	m_drop(pin->obj);
	pin->active = false;
}

static void
do_pin(const struct range *r)
{
	struct pin *pin = &pins[r->rec->arg % M_PINS];
	struct m_page *p = &model[r->s].page[r->first];
	vm_prot_t access = r->rec->arg & 8 ? VM_PROT_WRITE : VM_PROT_READ;
	int want = m_access_error(p, access) != 0 ? EFAULT : 0;

	if (pin->active) {
		unpin(pin);
		return;
	}
	if (!verdict("pin",
		vm_pin(real[r->s], r->va + m_offset(0), 8, access,
		    &pin->vp),
		want))
		return;
	p->touched = true;
	*pin = (struct pin){ .active = true, .write = access == VM_PROT_WRITE,
		.space = r->s, .page = r->first, .epoch = p->epoch,
		.obj = m_hold(p->obj), .vp = pin->vp,
		.val = m_values(p)[0] };
	if (pin->write) {
		p->dirty = M_DIRTY;
		loosen(r->s, r->first); /* others: it may change any time */
	}
	for (unsigned k = 0; k < M_PINS; k++)
		if (pins[k].active && pins[k].write && pins[k].obj != NULL &&
		    pins[k].obj == p->obj)
			pin->loose = true;
}

static void
do_copy(const struct range *r)
{
	bool out = r->rec->arg & 1;
	uint64_t v = ++stamp, at = r->va + m_offset(1);
	struct m_page *p = &model[r->s].page[r->first];
	int want = m_access_error(p, out ? VM_PROT_WRITE : VM_PROT_READ) != 0 ?
	    EFAULT :
	    0;
	int got = out ? copyout(real[r->s], at, &v, 8) :
			copyin(real[r->s], &v, at, 8);

	/* Without memory a copy fails as if the page were not there. */
	if (got == EFAULT && want == 0 && memory_may_lack())
		return;
	if (!verdict("copy", got, want))
		return;
	struct host_op op = { .value = v,
		.access = out ? VM_PROT_WRITE : VM_PROT_READ };
	model_access(r->s, r->first, 1, &op);
}

/* ---- whole spaces ---- */

static void
leave(unsigned s)
{
	unsigned me = cpu_id();

	for (unsigned c = 0; c < ncpu; c++) {
		host_switch_cpu(c);
		if (host_loaded() == real[s])
			host_load(NULL);
	}
	host_switch_cpu(me);
}

static int
free_slot(void)
{
	for (unsigned s = 0; s < M_SPACES; s++)
		if (!model[s].used)
			return (int)s;
	return -1;
}

static void
do_create(void)
{
	int s = free_slot();

	if (s < 0 || !verdict("create", vmspace_create(&real[s]), 0))
		return;
	model[s].used = true;
	m_clear(&model[s]);
}

static void
do_fork(unsigned s)
{
	int c = free_slot();

	if (c < 0 || !verdict("fork", vmspace_fork(real[s], &real[c]), 0))
		return;
	m_fork(&model[c], &model[s]);
	for (unsigned i = 0; i < M_PAGES; i++)
		if (is_pinned_for_writing(s, i))
			model[c].page[i].dirty = M_EITHER;
}

static void
do_exit(unsigned s)
{
	struct vmspace *vs = real[s];

	leave(s);
	m_clear(&model[s]);
	model[s].used = false;
	vmspace_drop(vs);
}

static void
do_exec(unsigned s)
{
	vmspace_clear(real[s]);
	m_clear(&model[s]);
}

/* Ranges that leave the user range or wrap around: always an error. */
static void
do_wild(const struct range *r)
{
	static const size_t sizes[] = { (size_t)1 << 38, (size_t)1 << 39,
		(size_t)1 << 63, ~(size_t)0, ~(size_t)0 - 4095,
		~(size_t)0 - 8191, (size_t)1 << 37 };
	size_t size = sizes[r->rec->n % ARRAY_SIZE(sizes)];
	vaddr_t va = r->va;
	uint8_t none;
	uint64_t bits;
	int error = 0;

	if (size == (size_t)1 << 37)
		va = USER_MAX - PAGE_SIZE * (1 + r->rec->cpu);
	if (r->rec->arg & 8)
		size = (size_t)0 - PAGE_SIZE * (1 + r->rec->n % 4);
	switch (r->rec->arg % 7) {
	case 0:
		error = vm_unmap(real[r->s], va, size);
		break;
	case 1:
		error = vm_protect(real[r->s], va, size, VM_PROT_READ);
		break;
	case 2:
		error = vm_sync(real[r->s], va, size, VM_SYNC_DISCARD);
		break;
	case 3:
		error = vm_map(real[r->s],
		    &(struct vm_mapreq){ .va = va, .size = size, .prot = 3,
			.maxprot = 7, .flags = VM_MAP_FIXED },
		    &va);
		break;
	case 4:
		error = vm_mincore(real[r->s], va, size, &none);
		break;
	case 5:
		error = vm_overlay_register(real[r->s], va, size);
		break;
	case 6:
		error = vm_dirty(real[r->s], va, size, &bits);
		break;
	}
	if (error != EINVAL && error != ENOMEM)
		FAIL("a wild range [0x%lx, +0x%lx) was taken: %d",
		    (unsigned long)va, (unsigned long)size, error);
}

/* ---- the interpreter ---- */

enum op {
	OP_CREATE, OP_MAP, OP_MAP_SHARED, OP_ALIAS, OP_NOREPLACE, OP_ANYWHERE,
	OP_UNMAP, OP_PROTECT, OP_DISCARD, OP_MINCORE, OP_FORK, OP_EXIT,
	OP_EXEC, OP_LOAD, OP_LAZY, OP_READ, OP_WRITE, OP_FETCH, OP_AL_REGION,
	OP_AL_PROT, OP_AL_DIRTY, OP_PIN, OP_COPY, OP_FAILAT, OP_WILD, NOPS,
};

static const char *const op_names[NOPS] = { "create", "map", "map_shared",
	"alias", "noreplace", "map_anywhere", "unmap", "protect", "discard",
	"mincore", "fork", "exit", "exec", "load", "lazy", "read", "write",
	"fetch", "al_region", "al_prot", "al_dirty", "pin", "copy", "failat",
	"wild" };

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
		OP_LAZY, OP_READ, OP_READ, OP_READ, OP_READ, OP_READ, OP_READ,
		OP_READ, OP_READ, OP_WRITE, OP_WRITE, OP_WRITE, OP_WRITE,
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

	scope.spaces = 1u << r->s;
	scope.first = all || op == OP_AL_PROT ? 0 : r->first;
	scope.n = all || op == OP_AL_PROT ? M_PAGES : r->n;
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
	else if (model[r.s].used)
		run_op(op, &r);
	scope.spaces = 0;
	fail_arm(0, NULL);
	host_watch_ptes = false;
	hook_rate = 0;
	if (op >= OP_READ && op <= OP_FETCH && counter_read(TS_faults) == faults)
		return; /* the TLB alone: nothing has changed */
	if (vm_check() != 0)
		FAIL("vm_check failed after %s", op_names[op]);
	if (model[r.s].used)
		check_listing(r.s);
}

static size_t
frames_left(void)
{
	return frame_free_count() + pmap_tables_cached() + kmem_slab_frames();
}

static void
boot(const struct fuzz_config *c)
{
	struct host_options o = host_defaults;

	o.ncpu = 1 + c->ncpu % 4;
	o.policy.targets = (enum tlb_targets)(c->policy % 2);
	o.policy.deliver = (enum tlb_deliver)(c->policy / 2 % 2);
	o.policy.catchup = (enum tlb_catchup)(c->policy / 4 % 3);
	o.policy.asid_bits = (int)(c->asid_bits % 5) - 1;
	o.negative = !(c->flags & FUZZ_NO_NEGATIVE);
	o.svade = c->flags & FUZZ_SVADE;
	o.ipi_deferred = c->flags & FUZZ_DEFERRED;
	o.ram_size = c->ram % 4 == 1 ? (size_t)2 << 20 : (size_t)4 << 20;
	host_boot(&o);
	host_hook = hook;
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
		step(&rec);
		(*done)++;
	}
	for (unsigned k = 0; k < M_PINS; k++)
		unpin(&pins[k]);
	for (unsigned s = 0; s < M_SPACES; s++)
		if (model[s].used)
			do_exit(s);
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
		sink_printf(sk, " prot %u", prots[rec->arg % 8]);
	if (op == OP_ALIAS)
		sink_printf(sk, " of page %u", rec->n % M_PAGES);
	sink_printf(sk, "\n");
}

void
fuzz_print_config(const struct fuzz_config *c, struct sink *sk)
{
	sink_printf(sk, "%u CPUs, targets=%s deliver=%s catchup=%s asidbits=%d"
			"%s%s%s hooks 1/%u\n",
	    1 + c->ncpu % 4, c->policy % 2 ? "all" : "mask",
	    c->policy / 2 % 2 ? "sbi" : "ipi",
	    c->policy / 4 % 3 == 0	? "gen" :
		c->policy / 4 % 3 == 1 ? "eager" :
					 "tick",
	    (int)(c->asid_bits % 5) - 1,
	    c->flags & FUZZ_NO_NEGATIVE ? "" : " negative",
	    c->flags & FUZZ_SVADE ? " svade" : "",
	    c->flags & FUZZ_DEFERRED ? " deferred" : "", c->hooks % 8);
}
