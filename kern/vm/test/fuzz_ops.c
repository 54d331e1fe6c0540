/* SPDX-License-Identifier: MIT */
/*
 * fuzz_ops.c - the operations of the fuzzer, each on the VM layer and on the
 * model, and what other CPUs do meanwhile.
 *
 * The hook runs at points of the running operation: another CPU touches memory.
 * Where the operation cannot matter, the model decides what it must see;
 * elsewhere the MMU's own checks do (no freed frame, no page table, no freed
 * table is reached).
 */
#include "vm/test/fuzz_ops.h"

#include "abi/errno.h"
#include "lib/string.h"
#include "sync/counter.h"

struct vmspace *real[M_SPACES];
static uint64_t stamp; /* a new value for each write */

struct fuzz_scope scope;

uint64_t hook_rng;
unsigned hook_rate;
uint64_t failed_before;
uint64_t noted;

static struct pin {
	bool active, write;
	unsigned space, page;
	uint32_t epoch;
	struct m_obj *obj;
	struct vm_pinned vp;
	bool loose; /* contents may differ from the model by now */
	uint64_t val;
} pins[M_PINS];

/* ---- helpers ---- */

const vm_prot_t fuzz_prots[8] = { VM_PROT_READ | VM_PROT_WRITE,
	VM_PROT_READ, VM_PROT_READ | VM_PROT_WRITE, VM_PROT_NONE,
	VM_PROT_READ | VM_PROT_EXECUTE, VM_PROT_ALL, VM_PROT_EXECUTE,
	VM_PROT_READ | VM_PROT_WRITE };
static const vm_prot_t caps[4] = { VM_PROT_NONE, VM_PROT_READ, VM_PROT_ALL,
	VM_PROT_ALL };

void
fuzz_note(uint64_t v)
{
	if (v == FUZZ_SHORT || noted == FUZZ_SHORT)
		noted = FUZZ_SHORT;
	else
		noted = (noted ^ v) * 0x9e3779b97f4a7c15ull >> 1;
}

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
	if (got == want) {
		fuzz_note((uint64_t)got + 1);
		return got == 0;
	}
	if (got == ENOMEM && memory_may_lack()) {
		fuzz_note(FUZZ_SHORT);
		return false;
	}
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
	fuzz_note(op->value);
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
void
fuzz_hook(enum host_point p)
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

void
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

void
fuzz_check_listing(unsigned s)
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

void
do_map(const struct range *r, unsigned flags)
{
	struct vm_mapreq rq = { .va = r->va, .size = r->size,
		.prot = fuzz_prots[r->rec->arg % 8], .maxprot = VM_PROT_ALL,
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

void
do_alias(const struct range *r)
{
	unsigned of = r->rec->n % M_PAGES;
	struct m_page *from = &model[r->s].page[of];
	struct vm_mapreq rq = { .va = r->va, .size = PAGE_SIZE,
		.prot = fuzz_prots[r->rec->arg % 8], .maxprot = VM_PROT_ALL,
		.flags = VM_MAP_FIXED, .source = VM_ALIAS,
		.alias_va = m_va(of) };
	vaddr_t out;

	if (verdict("alias", vm_map(real[r->s], &rq, &out),
		from->shared ? 0 : EINVAL))
		m_map(&model[r->s].page[r->first], rq.prot, true, from->obj);
}

/* No fixed place: use what comes, then give it back. */
void
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

void
do_unmap(const struct range *r)
{
	if (verdict("unmap", vm_unmap(real[r->s], r->va, r->size), 0))
		EACH_PAGE(r, p)
			m_unmap(p);
}

void
do_protect(const struct range *r)
{
	vm_prot_t prot = fuzz_prots[r->rec->arg % 8];

	if (verdict("protect", vm_protect(real[r->s], r->va, r->size, prot),
		all_mapped(r) ? 0 : ENOMEM))
		EACH_PAGE(r, p)
			p->prot = (uint8_t)prot;
}

void
do_discard(const struct range *r)
{
	if (verdict("discard",
		vm_sync(real[r->s], r->va, r->size, VM_SYNC_DISCARD),
		all_mapped(r) ? 0 : ENOMEM))
		EACH_PAGE(r, p)
			m_discard(p);
}

void
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

void
do_al_region(const struct range *r)
{
	int want = 0;

	EACH_PAGE(r, p)
		if (p->overlay)
			want = EEXIST;
	if (verdict("al_region",
		vm_overlay_register(real[r->s], r->va, r->size), want))
		EACH_PAGE(r, p)
		{
			p->overlay = true;
			if (p->shared && p->dirty == M_DIRTY)
				p->dirty = M_EITHER; /* al.h */
		}
}

/* Registered as one piece?  The model knows pages only, so ask for single
 * pages: those are covered whenever they are registered. */
void
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
void
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

void
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

void
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
	if (got == EFAULT && want == 0 && memory_may_lack()) {
		fuzz_note(FUZZ_SHORT);
		return;
	}
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

void
do_create(void)
{
	int s = free_slot();

	if (s < 0 || !verdict("create", vmspace_create(&real[s]), 0))
		return;
	model[s].used = true;
	m_clear(&model[s]);
}

void
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

void
do_exit(unsigned s)
{
	struct vmspace *vs = real[s];

	leave(s);
	m_clear(&model[s]);
	model[s].used = false;
	vmspace_drop(vs);
}

void
do_exec(unsigned s)
{
	vmspace_clear(real[s]);
	m_clear(&model[s]);
}

/* Ranges that leave the user range or wrap around: always an error. */
void
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
	fuzz_note((uint64_t)error);
}

void
fuzz_finish(void)
{
	for (unsigned k = 0; k < M_PINS; k++)
		unpin(&pins[k]);
	for (unsigned s = 0; s < M_SPACES; s++)
		if (model[s].used)
			do_exit(s);
}
