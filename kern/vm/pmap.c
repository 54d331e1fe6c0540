/* SPDX-License-Identifier: MIT */
/*
 * pmap.c - the page-table engine: entering, changing and visiting entries.
 *
 * Path: the fault handler of a design -> pmap_enter -> (the gather, if an old
 * leaf was replaced).  Tables come and go in pmap_table.c; loading a root is in
 * pmap_cpu.c.
 * Locks: each call takes pm->lock; a scan holds it over all its call-backs.
 * Invariants: a live entry is only ever changed by one atomic exchange, because
 * the hardware sets A and D at any time; what was taken away is noted in the
 * gather after the entry is changed, never before.
 */
#include "vm/pmap_priv.h"

#include "abi/errno.h"
#include "mem/oracle.h"

static __slowpath void
decode_rare(struct pmap_leaf *out, const struct pmap *pm, const pte_t *pte,
    pte_t raw, unsigned level)
{
	if (out->kind == PMAP_SOFT) {
		out->soft = pte_soft(raw);
		out->bits = 0;
		out->pa = 0;
	}
	if ((pm->flags & PMAP_LINKS) && level == 0)
		out->link = *link_word(pte);
}

/* Any entry but a software word of a pmap without links. */
static __always_inline void
decode_plain(struct pmap_leaf *out, pte_t raw, unsigned level)
{
	out->raw = raw;
	if (raw == 0) {
		out->kind = PMAP_EMPTY;
		out->bits = 0;
		return;
	}
	out->kind = (uint8_t)pte_kind(raw, level);
	out->order = (uint8_t)(level * PTE_INDEX_BITS);
	out->bits = (uint16_t)pte_bits(raw);
	out->pa = pte_pa(raw);
}

static inline void
decode(struct pmap_leaf *out, const struct pmap *pm, const pte_t *pte,
    pte_t raw, unsigned level)
{
	out->slot = NULL;
	decode_plain(out, raw, level);
	if (unlikely(out->kind == PMAP_SOFT || (pm->flags & PMAP_LINKS)))
		decode_rare(out, pm, pte, raw, level);
}

unsigned
pmap_rights(unsigned rights)
{
	return pte_rights(rights);
}

static bool
is_mapped(pte_t e, unsigned level)
{
	enum pte_kind k = pte_kind(e, level);

	return k == PTE_KIND_LEAF || k == PTE_KIND_NOACCESS;
}

/* Leaf @p old was taken from @p pm at @p va, or lost rights, A or D: CPUs may
 * still use it. */
static __always_inline void
lost_leaf(struct pmap *pm, vaddr_t va, pte_t old, unsigned level,
    struct tlb_gather *tg)
{
	va = ROUND_DOWN(va, level_size(level));
	tlb_gather_note(tg, pm, va, va + level_size(level));
	if (level == 0 && phys_is_ram(pte_pa(old)))
		tlb_oracle_released(phys_to_page(pte_pa(old)), pm);
}

/* The same of a page, as the first that is noted: without a call, so that
 * short functions save no registers. */
static __always_inline void
lost_first_leaf(struct pmap *pm, vaddr_t va, pte_t old, struct tlb_gather *tg)
{
	va = ROUND_DOWN(va, PAGE_SIZE);
	tlb_gather_note_first(tg, pm, va, va + PAGE_SIZE);
	if (phys_is_ram(pte_pa(old)))
		tlb_oracle_released(phys_to_page(pte_pa(old)), pm);
}

/* As lost_leaf(), if @p old is what a CPU may use at all. */
static inline void
lost_entry(struct pmap *pm, vaddr_t va, pte_t old, unsigned level,
    struct tlb_gather *tg)
{
	if (pte_kind(old, level) == PTE_KIND_LEAF && pm->type != PMAP_STORE)
		lost_leaf(pm, va, old, level, tg);
}

static __always_inline pte_t
encode(const struct pmap *pm, paddr_t pa, unsigned level, unsigned bits)
{
	if ((bits & PMAP_RWX) == 0)
		return pte_make_noaccess(pa, bits);
	return pte_make_leaf(pa, level, bits, pm->type != PMAP_KERNEL);
}

/* Is entry @p now not what was seen, but for A and D of a leaf? */
static bool
differs(pte_t now, pte_t seen)
{
	return now != seen && (pte_kind(now, 0) == PTE_KIND_SOFT ||
		((now ^ seen) & ~PTE_AD_MASK) != 0);
}

/* Put @p new into @p pte if it still is @p seen. On success @p *old is what was
 * there, with the A and D that the hardware may just have set. */
static __always_inline int
exchange(pte_t *pte, const struct pmap_leaf *seen, pte_t new, pte_t *old)
{
	*old = pte_load(pte);
	do {
		if (seen != NULL && differs(*old, seen->raw))
			return EAGAIN;
	} while (!__atomic_compare_exchange_n(pte, old, new, false,
	    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	return 0;
}

/* Where pmap_get() looked a moment ago; NULL: nobody knows any more. */
static __always_inline pte_t *
seen_slot(const struct pmap *pm, const struct pmap_leaf *seen)
{
	return seen != NULL && seen->moves == pm->moves ? seen->slot : NULL;
}

void
pmap_note_code(struct pmap *pm, struct tlb_gather *tg)
{
	if (MMU_ICACHE_COHERENT)
		return;
	__atomic_store_n(&pm->icache_stale, ~(uint64_t)0, __ATOMIC_RELEASE);
	tg->rare |= TLB_RARE_ICACHE;
	tg->used = true;
}

static __always_inline int
enter_locked(struct pmap *pm, vaddr_t va, const struct pmap_new *nw,
    unsigned level, struct tlb_gather *tg)
{
	pte_t *pte = level == 0 ? seen_slot(pm, nw->seen) : NULL, old;
	unsigned found = level;
	int error = 0;

	KASSERT(IS_ALIGNED(va | nw->pa, PAGE_SIZE << nw->order));
	if (pte == NULL) {
		pte = pmap_walk(pm, va, &found);
		if (found != level ||
		    (level > 0 && pte_is_table(pte_load(pte))))
			error = pmap_walk_alloc(pm, va, level, &pte);
	}
	if (error == 0)
		error = exchange(pte, nw->seen,
		    encode(pm, nw->pa, level, nw->bits), &old);
	if (error != 0)
		return error;
	if (old == 0)
		table_count_entry(pte);
	if (!is_mapped(old, level))
		pm->nleaves += 1u << level * PTE_INDEX_BITS;
	lost_entry(pm, va, old, level, tg);
	if (unlikely(pm->flags & PMAP_LINKS) && level == 0)
		*link_word(pte) = nw->link;
	if ((nw->bits & PMAP_X) && pm->type == PMAP_USER)
		pmap_note_code(pm, tg);
	return 0;
}

/* Any case; the lock is held and released here. */
static __attribute__((noinline)) int
enter_any(struct pmap *pm, vaddr_t va, const struct pmap_new *nw,
    struct tlb_gather *tg)
{
	int error = likely(nw->order == 0) ?
	    enter_locked(pm, va, nw, 0, tg) :
	    enter_locked(pm, va, nw, nw->order / PTE_INDEX_BITS, tg);

	spin_unlock(&pm->lock);
	return error;
}

static __slowpath int
enter_contended(struct pmap *pm, vaddr_t va, const struct pmap_new *nw,
    struct tlb_gather *tg)
{
	spin_lock(&pm->lock);
	return enter_any(pm, va, nw, tg);
}

int
pmap_enter(struct pmap *pm, vaddr_t va, const struct pmap_new *nw,
    struct tlb_gather *tg)
{
	pte_t *pte, old, new;

	if (unlikely(!spin_lock_fast(&pm->lock)))
		return enter_contended(pm, va, nw, tg);
	/* Straight on for a page of data of a space, where nothing was or
	 * instead of a leaf that was seen a moment ago. */
	pte = seen_slot(pm, nw->seen);
	if (pte == NULL || pm->type != PMAP_USER || nw->order != 0 ||
	    (nw->bits & PMAP_X))
		return enter_any(pm, va, nw, tg);
	KASSERT(IS_ALIGNED(va | nw->pa, PAGE_SIZE));
	old = pte_load(pte);
	if (old != nw->seen->raw)
		return enter_any(pm, va, nw, tg);
	new = encode(pm, nw->pa, 0, nw->bits);
	if (old == 0) {
		/* The lock is held and the hardware leaves it alone. */
		__atomic_store_n(pte, new, __ATOMIC_RELEASE);
		table_count_entry(pte);
		pm->nleaves++;
	} else if (pte_kind(old, 0) == PTE_KIND_LEAF && tg->nranges == 0 &&
	    __atomic_compare_exchange_n(pte, &old, new, false,
		__ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
		lost_first_leaf(pm, va, old, tg);
	} else {
		return enter_any(pm, va, nw, tg);
	}
	if (unlikely(pm->flags & PMAP_LINKS))
		*link_word(pte) = nw->link;
	spin_unlock(&pm->lock);
	return 0;
}

/* A leaf that was rewritten in place. */
struct rewritten {
	pte_t old;
	unsigned before, after; /* bits */
};

static __always_inline int
rewrite(const struct pmap *pm, pte_t *pte, unsigned level, unsigned clear,
    unsigned set, const struct pmap_leaf *seen, struct rewritten *rw)
{
	pte_t old = pte_load(pte), new;

	do {
		if (!is_mapped(old, level))
			return ENOENT;
		if (seen != NULL && differs(old, seen->raw))
			return EAGAIN;
		rw->before = pte_bits(old);
		rw->after = (rw->before & ~clear) | set;
		if (rw->after & PMAP_COW)
			rw->after &= ~PMAP_W;
		new = encode(pm, pte_pa(old), level, rw->after);
	} while (new != old &&
	    !__atomic_compare_exchange_n(pte, &old, new, false,
		__ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	rw->old = old;
	return 0;
}

/* Taken rights, A or D may live on in a TLB; widening need not be flushed (C9),
 * and COW is for software only. */
static __always_inline bool
took_away(const struct rewritten *rw)
{
	return (rw->before & ~rw->after & ~PMAP_COW) != 0;
}

static __always_inline bool
gave_code(const struct rewritten *rw)
{
	return (rw->after & ~rw->before & PMAP_X) != 0;
}

/* Rewrite a leaf in place; @p *was gets its bits before. */
static __always_inline int
edit(struct pmap *pm, vaddr_t va, pte_t *pte, unsigned level, unsigned clear,
    unsigned set, const struct pmap_leaf *seen, unsigned *was,
    struct tlb_gather *tg)
{
	struct rewritten rw;
	int error = rewrite(pm, pte, level, clear, set, seen, &rw);

	if (error != 0)
		return error;
	*was = rw.before;
	if (took_away(&rw))
		lost_entry(pm, va, rw.old, level, tg);
	if (gave_code(&rw) && pm->type == PMAP_USER)
		pmap_note_code(pm, tg);
	return 0;
}

/* Any case; the lock is held and released here. */
static __attribute__((noinline)) int
change_any(struct pmap *pm, vaddr_t va, struct pmap_edit *ed,
    struct tlb_gather *tg)
{
	pte_t *pte = seen_slot(pm, ed->seen);
	unsigned level = 0;
	int error;

	if (pte == NULL)
		pte = pmap_walk(pm, va, &level);
	error = edit(pm, va, pte, level, ed->clear, ed->set, ed->seen,
	    &ed->old, tg);
	spin_unlock(&pm->lock);
	return error;
}

static __slowpath int
change_contended(struct pmap *pm, vaddr_t va, struct pmap_edit *ed,
    struct tlb_gather *tg)
{
	spin_lock(&pm->lock);
	return change_any(pm, va, ed, tg);
}

int
pmap_change(struct pmap *pm, vaddr_t va, struct pmap_edit *ed,
    struct tlb_gather *tg)
{
	pte_t *pte, old;

	if (unlikely(!spin_lock_fast(&pm->lock)))
		return change_contended(pm, va, ed, tg);
	/* Straight on for a fault that widens: nothing is taken away but COW,
	 * so there is nothing to flush (C9). */
	pte = seen_slot(pm, ed->seen);
	if (unlikely(pte == NULL || ed->clear != PMAP_COW ||
		(ed->set & (PMAP_X | PMAP_COW))))
		return change_any(pm, va, ed, tg);
	old = pte_load(pte);
	if (unlikely(old != ed->seen->raw ||
		pte_kind(old, 0) != PTE_KIND_LEAF ||
		!__atomic_compare_exchange_n(pte, &old,
		    pte_widen(old, ed->set), false, __ATOMIC_SEQ_CST,
		    __ATOMIC_RELAXED)))
		return change_any(pm, va, ed, tg);
	ed->old = pte_bits(old);
	spin_unlock(&pm->lock);
	return 0;
}

unsigned
pmap_cursor_change(struct pmap_cursor *c, unsigned clear, unsigned set,
    struct tlb_gather *tg)
{
	unsigned old = 0;

	(void)edit(c->pm, c->va, c->pte, c->level, clear, set, NULL, &old, tg);
	return old;
}

unsigned
pmap_cursor_clear(struct pmap_cursor *c, uint64_t soft,
    struct tlb_gather *tg)
{
	struct pmap *pm = c->pm;
	unsigned bits = 0;
	pte_t old = __atomic_exchange_n(c->pte,
	    soft != 0 ? pte_make_soft(soft) : 0, __ATOMIC_SEQ_CST);

	if (old == 0) {
		if (soft != 0)
			table_count_entry(c->pte);
		return 0;
	}
	if (is_mapped(old, c->level)) {
		bits = pte_bits(old);
		pm->nleaves -= 1u << (c->level * PTE_INDEX_BITS);
		lost_entry(pm, c->va, old, c->level, tg);
	}
	if (soft == 0)
		table_page(c->pte)->offset--;
	return bits;
}

int
pmap_clear(struct pmap *pm, vaddr_t va, uint64_t soft, struct pmap_leaf *old,
    struct tlb_gather *tg)
{
	struct pmap_cursor c = { .pm = pm, .va = va };
	pte_t raw;
	int error = 0;

	spin_lock(&pm->lock);
	c.pte = pmap_walk(pm, va, &c.level);
	raw = pte_load(c.pte);
	if (old != NULL)
		decode(old, pm, c.pte, raw, c.level);
	if (raw == 0)
		error = ENOENT;
	if (raw != 0 || (soft != 0 && c.level == 0))
		pmap_cursor_clear(&c, soft, tg);
	spin_unlock(&pm->lock);
	return error;
}

static __slowpath enum pmap_entry
get_rare(struct pmap *pm, pte_t *pte, unsigned level, struct pmap_leaf *out)
{
	decode(out, pm, pte, pte_load(pte), level);
	spin_unlock(&pm->lock);
	return out->kind;
}

/* Releases the lock. */
static __always_inline enum pmap_entry
get_locked(struct pmap *pm, vaddr_t va, struct pmap_leaf *out)
{
	unsigned level = 0;
	pte_t *pte = pmap_walk(pm, va, &level), raw = pte_load(pte);

	if (unlikely(level != 0 || pte_kind(raw, 0) == PTE_KIND_SOFT))
		return get_rare(pm, pte, level, out);
	out->slot = pte;
	out->moves = pm->moves;
	decode_plain(out, raw, 0);
	if (unlikely(pm->flags & PMAP_LINKS))
		out->link = *link_word(pte);
	spin_unlock(&pm->lock);
	return out->kind;
}

static __slowpath enum pmap_entry
get_contended(struct pmap *pm, vaddr_t va, struct pmap_leaf *out)
{
	spin_lock(&pm->lock);
	return get_locked(pm, va, out);
}

enum pmap_entry
pmap_get(struct pmap *pm, vaddr_t va, struct pmap_leaf *out)
{
	if (unlikely(!spin_lock_fast(&pm->lock)))
		return get_contended(pm, va, out);
	return get_locked(pm, va, out);
}

int
pmap_get_pin(struct pmap *pm, vaddr_t va, vm_prot_t access,
    struct vm_page **out)
{
	spin_lock(&pm->lock);
	return pmap_get_pin_locked(pm, va, access, out);
}

/* ---- scanning ---- */

/* The leaves of one table of level 0, from @p pte at @p va on.
 * @return where it ended */
static vaddr_t
protect_table(struct pmap *pm, pte_t *pte, vaddr_t va, vaddr_t eva,
    unsigned clear, unsigned set, struct tlb_gather *tg)
{
	uint64_t groups = table_page(pte)->groups;
	vaddr_t end = table_end(va, eva);
	unsigned was;

	for (; va < end; va += PAGE_SIZE, pte++) {
		unsigned n = pte_load(pte) == 0 ? unused_run(groups, va) : 0;

		if (likely(n == 0)) {
			(void)edit(pm, va, pte, 0, clear, set, NULL, &was, tg);
		} else {
			va += (n - 1) * PAGE_SIZE;
			pte += n - 1;
		}
	}
	return va;
}

/* The lock is held and released here. */
static __attribute__((noinline)) void
protect_range(struct pmap *pm, vaddr_t va, vaddr_t eva, unsigned clear,
    unsigned set, struct tlb_gather *tg)
{
	while (va < eva) {
		unsigned level = 0, was;
		pte_t *pte = pmap_walk(pm, va, &level);

		if (likely(level == 0)) {
			va = protect_table(pm, pte, va, eva, clear, set, tg);
			continue;
		}
		KASSERT(pte_load(pte) == 0 ||
		    (IS_ALIGNED(va, level_size(level)) &&
			eva - va >= level_size(level)));
		(void)edit(pm, va, pte, level, clear, set, NULL, &was, tg);
		va = ROUND_DOWN(va, level_size(level)) + level_size(level);
	}
	spin_unlock(&pm->lock);
}

static __slowpath void
protect_contended(struct pmap *pm, vaddr_t sva, vaddr_t eva, unsigned clear,
    unsigned set, struct tlb_gather *tg)
{
	spin_lock(&pm->lock);
	protect_range(pm, sva, eva, clear, set, tg);
}

void
pmap_protect(struct pmap *pm, vaddr_t sva, vaddr_t eva, unsigned clear,
    unsigned set, struct tlb_gather *tg)
{
	struct rewritten rw;
	unsigned level = 0;
	pte_t *pte;

	if (unlikely(!spin_lock_fast(&pm->lock))) {
		protect_contended(pm, sva, eva, clear, set, tg);
		return;
	}
	/* Straight on for a page of data of a space. */
	pte = pmap_walk(pm, sva, &level);
	if (level != 0 || eva - sva != PAGE_SIZE || tg->nranges > 0 ||
	    (set & PMAP_X) || pm->type != PMAP_USER) {
		protect_range(pm, sva, eva, clear, set, tg);
		return;
	}
	if (rewrite(pm, pte, 0, clear, set, NULL, &rw) == 0 &&
	    took_away(&rw) && pte_kind(rw.old, 0) == PTE_KIND_LEAF)
		lost_first_leaf(pm, sva, rw.old, tg);
	spin_unlock(&pm->lock);
}

/* As above; @p *next is where it ended. */
static int
remove_table(struct pmap *pm, pte_t *pte, vaddr_t va, vaddr_t eva, bool drop,
    struct tlb_gather *tg, vaddr_t *next)
{
	struct vm_page *table = table_page(pte);
	vaddr_t first = 0, last = 0; /* of what a CPU may use */
	unsigned nleaves = 0, nused = 0, n;
	int error = 0;

	for (eva = table_end(va, eva); va < eva; va += PAGE_SIZE, pte++) {
		pte_t old = pte_load(pte);
		enum pte_kind kind = pte_kind(old, 0);

		if (old == 0) {
			n = unused_run(table->groups, va);
			if (n > 0) {
				va += (n - 1) * PAGE_SIZE;
				pte += n - 1;
			}
			continue;
		}
		if (kind == PTE_KIND_SOFT)
			continue;
		if (drop &&
		    tlb_gather_page(tg, phys_to_page(pte_pa(old))) != 0) {
			error = EAGAIN;
			break;
		}
		/* The flush orders it before its look at the CPU masks. */
		(void)__atomic_exchange_n(pte, 0, __ATOMIC_RELAXED);
		nleaves++;
		if (kind != PTE_KIND_LEAF)
			continue;
		last = va;
		if (nused++ == 0)
			first = va;
		if (phys_is_ram(pte_pa(old)))
			tlb_oracle_released(phys_to_page(pte_pa(old)), pm);
	}
	pm->nleaves -= nleaves;
	table->offset -= nleaves;
	if (nused > 0 && pm->type != PMAP_STORE) {
		tlb_gather_note(tg, pm, first, last + PAGE_SIZE);
		tg->nnoted += nused - 1;
	}
	*next = va;
	return error;
}

/* A superpage, or nothing. */
static __slowpath int
remove_large(struct pmap *pm, pte_t *pte, vaddr_t va, unsigned level,
    bool drop, struct tlb_gather *tg)
{
	struct pmap_cursor c = { .pm = pm, .va = va, .pte = pte,
		.level = level };
	pte_t old = pte_load(pte);

	if (!is_mapped(old, level))
		return 0;
	KASSERT(IS_ALIGNED(va, level_size(level)));
	if (drop && tlb_gather_page(tg, phys_to_page(pte_pa(old))) != 0)
		return EAGAIN;
	pmap_cursor_clear(&c, 0, tg);
	return 0;
}

int
pmap_remove(struct pmap *pm, vaddr_t sva, vaddr_t eva, bool drop,
    struct tlb_gather *tg)
{
	vaddr_t va = sva;
	int error = 0;

	spin_lock(&pm->lock);
	while (va < eva && error == 0) {
		unsigned level = 0;
		pte_t *pte = pmap_walk(pm, va, &level);

		if (likely(level == 0)) {
			error = remove_table(pm, pte, va, eva, drop, tg, &va);
			continue;
		}
		error = remove_large(pm, pte, va, level, drop, tg);
		va = ROUND_DOWN(va, level_size(level)) + level_size(level);
	}
	spin_unlock(&pm->lock);
	return error;
}

/* Visit one table of level 0 from c->va up to @p eva or its end. */
static int
scan_table(struct pmap_cursor *c, vaddr_t eva, pmap_scan_fn *fn, void *arg)
{
	vaddr_t va = c->va, end = ROUND_DOWN(va, level_size(1)) + level_size(1);
	pte_t *pte = c->pte;
	uint64_t groups = table_page(pte)->groups;
	bool links = (c->pm->flags & PMAP_LINKS) != 0;
	struct pmap_leaf leaf;
	int r = 0;

	for (end = MIN(end, eva); va < end; va += PAGE_SIZE, pte++) {
		pte_t raw = pte_load(pte);

		if (raw == 0) {
			unsigned n = unused_run(groups, va);

			if (n > 0) {
				va += (n - 1) * PAGE_SIZE;
				pte += n - 1;
			}
			continue;
		}
		decode_plain(&leaf, raw, 0);
		if (unlikely(links || leaf.kind == PMAP_SOFT))
			decode_rare(&leaf, c->pm, pte, raw, 0);
		c->va = va;
		c->pte = pte;
		r = fn(c, &leaf, arg);
		if (unlikely(r != 0))
			break;
	}
	c->va = va;
	return r;
}

int
pmap_scan(struct pmap *pm, vaddr_t sva, vaddr_t eva, pmap_scan_fn *fn,
    void *arg)
{
	struct pmap_cursor c = { .pm = pm, .va = sva };
	struct pmap_leaf leaf;
	int r = 0;

	spin_lock(&pm->lock);
	while (r == 0 && c.va < eva) {
		vaddr_t size;

		c.level = 0;
		c.pte = pmap_walk(pm, c.va, &c.level);
		if (c.level == 0) {
			r = scan_table(&c, eva, fn, arg);
			continue;
		}
		size = level_size(c.level);
		if (pte_load(c.pte) != 0) {
			KASSERT(IS_ALIGNED(c.va, size) && eva - c.va >= size);
			decode(&leaf, pm, c.pte, pte_load(c.pte), c.level);
			r = fn(&c, &leaf, arg);
		}
		c.va = ROUND_DOWN(c.va, size) + size;
	}
	spin_unlock(&pm->lock);
	return r;
}

void
pmap_setlink(struct pmap *pm, vaddr_t va, uintptr_t link)
{
	unsigned level = 0;
	pte_t *pte;

	spin_lock(&pm->lock);
	pte = pmap_walk(pm, va, &level);
	KASSERT(pm->flags & PMAP_LINKS);
	KASSERT(level == 0 && is_mapped(pte_load(pte), 0));
	*link_word(pte) = link;
	spin_unlock(&pm->lock);
}
