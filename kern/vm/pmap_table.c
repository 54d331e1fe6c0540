/* SPDX-License-Identifier: MIT */
/*
 * pmap_table.c - table pages: making, freeing, splitting, checking.
 *
 * A table is freed only when all its entries are EMPTY, so it is zero again:
 * freed tables are kept as such, a few a CPU, and need no clearing when reused.
 * A root carries the kernel's entries in its upper half; they are taken out
 * before it goes back.
 * Locks: pm->lock for the tables of one pmap; the caches belong to their CPU.
 */
#include "vm/pmap_priv.h"

#include "abi/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mem/failpoint.h"
#include "mem/kmem.h"
#include "mem/oracle.h"
#include "sync/counter.h"

#define TABLE_CACHE_MAX 16
#define KERNEL_SLOTS_MAX 16

struct pmap pmap_kernel;

static struct kmem_cache pmap_cache;
static uint64_t next_id = 1; /* [a] */

/* The root entries that every space shares with the kernel; fixed at boot. */
static struct {
	unsigned index;
	pte_t pte;
} kernel_slots[KERNEL_SLOTS_MAX];
static unsigned nkernel_slots;

static struct table_cache {
	unsigned n;
	struct vm_page *page[TABLE_CACHE_MAX];
} __cacheline caches[MAXCPU];

void
pmap_init(void)
{
	const pte_t *root;

	kmem_cache_init(&pmap_cache, "pmap", sizeof(struct pmap));
	spin_init(&pmap_kernel.lock, RANK_PMAP, "pmap kernel");
	pmap_kernel.type = PMAP_KERNEL;
	pmap_kernel.refs = 1;
	pmap_kernel.root = mmu_kernel_root();
	root = table_virt(pmap_kernel.root);
	for (unsigned i = PTE_ROOT_USER_ENTRIES; i < PTE_ENTRIES; i++) {
		if (root[i] == 0)
			continue;
		KASSERT_ALWAYS(nkernel_slots < KERNEL_SLOTS_MAX);
		kernel_slots[nkernel_slots].index = i;
		kernel_slots[nkernel_slots++].pte = root[i];
	}
}

/* ---- single tables ---- */

struct vm_page *
table_alloc(struct pmap *pm, unsigned level)
{
	struct table_cache *c = &caches[cpu_id()];
	struct vm_page *pg, *links = NULL;

	if (fail_point())
		return NULL;
	if (c->n > 0) {
		pg = c->page[--c->n];
	} else {
		pg = frame_alloc(FRAME_NOFAIL_POINT);
		if (pg == NULL)
			return NULL;
		page_zero(page_to_virt(pg));
	}
	if ((pm->flags & PMAP_LINKS) && level == 0) {
		links = frame_alloc(FRAME_DEFAULT);
		if (links == NULL) {
			table_free(pg);
			return NULL;
		}
	}
	__atomic_store_n(&pg->flags, PG_TABLE, __ATOMIC_RELAXED);
	pg->offset = pg->groups = 0;
	pg->owner = links != NULL ? page_to_virt(links) : NULL;
	counter_add(TS_page_tables, 1);
	return pg;
}

static void
check_zero(struct vm_page *pg)
{
#ifdef DEBUG
	const pte_t *t = page_to_virt(pg);

	for (unsigned i = 0; i < PTE_ENTRIES; i++)
		if (t[i] != 0)
			panic("page table 0x%lx freed with entry %u = 0x%lx",
			    (unsigned long)page_to_phys(pg), i,
			    (unsigned long)t[i]);
#else
	(void)pg;
#endif
}

void
table_free(struct vm_page *pg)
{
	struct table_cache *c = &caches[cpu_id()];

	check_zero(pg);
	if (page_flags(pg) & PG_TABLE)
		counter_add(TS_page_tables, (uint64_t)-1);
	__atomic_store_n(&pg->flags, 0, __ATOMIC_RELAXED);
	if (pg->owner != NULL)
		frame_free(phys_to_page(virt_to_phys(pg->owner)));
	pg->owner = NULL;
	if (c->n < TABLE_CACHE_MAX)
		c->page[c->n++] = pg;
	else
		frame_free(pg);
}

size_t
pmap_tables_cached(void)
{
	size_t n = 0;

	for (unsigned i = 0; i < MAXCPU; i++)
		n += __atomic_load_n(&caches[i].n, __ATOMIC_RELAXED);
	return n;
}

int
pmap_walk_alloc(struct pmap *pm, vaddr_t va, unsigned level, pte_t **out)
{
	pte_t *table = table_virt(pm->root);

	for (unsigned l = PTE_LEVELS - 1;; l--) {
		pte_t *pte = &table[pte_index(va, l)], e = pte_load(pte);
		enum pte_kind kind = pte_kind(e, l);

		if (l == level) {
			if (kind == PTE_KIND_TABLE)
				return EBUSY;
			*out = pte;
			return 0;
		}
		if (kind == PTE_KIND_EMPTY) {
			struct vm_page *pg = table_alloc(pm, l - 1);

			if (pg == NULL)
				return ENOMEM;
			e = pte_make_table(page_to_phys(pg));
			/* The walker must see the zeroes before the table. */
			__atomic_store_n(pte, e, __ATOMIC_RELEASE);
			table_count_entry(pte);
			pm->ntables++;
		} else if (kind != PTE_KIND_TABLE) {
			return EBUSY;
		}
		table = table_virt(pte_pa(e));
	}
}

/* ---- whole pmaps ---- */

int
pmap_create(enum pmap_type type, unsigned flags, struct pmap **out)
{
	struct pmap *pm = kmem_alloc(&pmap_cache);
	struct vm_page *root;

	if (pm == NULL)
		return ENOMEM;
	memset(pm, 0, sizeof(*pm));
	spin_init(&pm->lock, RANK_PMAP, "pmap");
	pm->type = (uint8_t)type;
	pm->flags = (uint8_t)flags;
	pm->refs = 1;
	pm->ntables = 1;
	pm->id = __atomic_fetch_add(&next_id, 1, __ATOMIC_RELAXED);
	root = table_alloc(pm, PTE_LEVELS - 1);
	if (root == NULL) {
		kmem_free(&pmap_cache, pm);
		return ENOMEM;
	}
	pm->root = page_to_phys(root);
	if (type == PMAP_USER)
		for (unsigned i = 0; i < nkernel_slots; i++)
			table_virt(pm->root)[kernel_slots[i].index] =
			    kernel_slots[i].pte;
	tlb_oracle_pmap_created(pm);
	*out = pm;
	return 0;
}

/* Free the tables below @p table; all leaves are gone. */
static void
free_tables(struct pmap *pm, pte_t *table, unsigned level, unsigned n)
{
	struct vm_page *pg = table_page(table);

	for (unsigned i = 0; level > 0 && pg->offset > 0 && i < n; i++) {
		unsigned skip = i % GROUP_ENTRIES == 0 ?
		    unused_entries(pg->groups, i) :
		    0;

		if (skip > 0) {
			i += skip - 1;
			continue;
		}
		if (!pte_is_table(table[i]))
			continue;
		free_tables(pm, table_virt(pte_pa(table[i])), level - 1,
		    PTE_ENTRIES);
		table[i] = 0;
		pg->offset--;
	}
	KASSERT(pg->offset == 0);
	table_free(pg);
}

void
pmap_destroy(struct pmap *pm)
{
	pte_t *root = table_virt(pm->root);

	KASSERT(pm != &pmap_kernel && pm->active == 0 && pm->nleaves == 0);
	tlb_oracle_pmap_gone(pm);
	if (pm->type == PMAP_USER)
		for (unsigned i = 0; i < nkernel_slots; i++)
			root[kernel_slots[i].index] = 0;
	free_tables(pm, root, PTE_LEVELS - 1,
	    pm->type == PMAP_USER ? PTE_ROOT_USER_ENTRIES : PTE_ENTRIES);
	kmem_free(&pmap_cache, pm);
}

int
pmap_reserve(struct pmap *pm, vaddr_t sva, vaddr_t eva)
{
	int error = 0;
	pte_t *pte;

	spin_lock(&pm->lock);
	for (vaddr_t va = sva; error == 0 && va < eva;
	     va = ROUND_DOWN(va, level_size(1)) + level_size(1))
		error = pmap_walk_alloc(pm, va, 0, &pte);
	spin_unlock(&pm->lock);
	return error;
}

/* Unhook the table behind @p pte, if it is one and empty, into the gather. */
static void
trim_entry(struct pmap *pm, vaddr_t va, pte_t *pte, unsigned level,
    struct tlb_gather *tg)
{
	pte_t e = pte_load(pte);
	struct vm_page *pg;

	if (pte_kind(e, level) != PTE_KIND_TABLE)
		return;
	pg = phys_to_page(pte_pa(e));
	if (pg->offset != 0)
		return;
	__atomic_store_n(pte, 0, __ATOMIC_SEQ_CST);
	table_page(pte)->offset--;
	pm->ntables--;
	pm->moves++;
	va = ROUND_DOWN(va, level_size(level));
	if (pm->type != PMAP_STORE)
		tlb_gather_note(tg, pm, va, va + level_size(level));
	tlb_gather_table(tg, pg);
}

/* Trim [sva, eva): tables of level 0 first, they may empty the one above. */
static void
trim_range(struct pmap *pm, vaddr_t sva, vaddr_t eva, struct tlb_gather *tg)
{
	for (unsigned level = 1; level < PTE_LEVELS; level++) {
		vaddr_t size = level_size(level);

		for (vaddr_t va = ROUND_DOWN(sva, size); va < eva; va += size) {
			unsigned found = level;
			pte_t *pte = pmap_walk(pm, va, &found);

			if (found == level)
				trim_entry(pm, va, pte, level, tg);
			else /* nothing below: skip what the entry covers */
				va = ROUND_DOWN(va, level_size(found)) +
				    level_size(found) - size;
		}
	}
}

/*
 * A program that maps and unmaps a page again and again would make and free the
 * same tables each time.  So one empty table of level 0 may stay in place until
 * another one becomes empty.
 */
static __slowpath void
trim_other(struct pmap *pm, vaddr_t va, struct tlb_gather *tg)
{
	vaddr_t old = pm->empty_table;

	pm->empty_table = va;
	if (old != 0)
		trim_range(pm, old, old + 1, tg);
}

void
pmap_trim(struct pmap *pm, vaddr_t sva, vaddr_t eva, struct tlb_gather *tg)
{
	vaddr_t first = ROUND_DOWN(sva, level_size(1)) | PAGE_SIZE;

	spin_lock(&pm->lock);
	if ((sva ^ (eva - 1)) >= level_size(1)) {
		pm->empty_table = 0;
		trim_range(pm, sva, eva, tg);
	} else if (unlikely(pm->empty_table != first)) {
		unsigned level = 0;
		pte_t *pte = pmap_walk(pm, sva, &level);

		if (level == 0 && table_page(pte)->offset == 0)
			trim_other(pm, first, tg);
	}
	spin_unlock(&pm->lock);
}

int
pmap_split(struct pmap *pm, vaddr_t va, struct tlb_gather *tg)
{
	unsigned level = 0, bits;
	struct vm_page *pg;
	int error = ENOENT;
	pte_t *pte, *table, old;

	spin_lock(&pm->lock);
	pte = pmap_walk(pm, va, &level);
	old = pte_load(pte);
	if (level == 0 || old == 0)
		goto out;
	error = ENOMEM;
	pg = table_alloc(pm, level - 1);
	if (pg == NULL)
		goto out;
	error = 0;
	table = page_to_virt(pg);
	pm->ntables++;
	pg->offset = PTE_ENTRIES;
	pg->groups = ~(uint64_t)0;
	for (;;) { /* until the hardware sets no A or D in between */
		bits = pte_bits(old);
		for (unsigned i = 0; i < PTE_ENTRIES; i++) {
			paddr_t pa = pte_pa(old) + i * level_size(level - 1);

			table[i] = bits & PMAP_RWX ?
			    pte_make_leaf(pa, level - 1, bits,
				pm->type != PMAP_KERNEL) :
			    pte_make_noaccess(pa, bits);
		}
		if (__atomic_compare_exchange_n(pte, &old,
			pte_make_table(page_to_phys(pg)), false,
			__ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			break;
	}
	va = ROUND_DOWN(va, level_size(level));
	if (pm->type != PMAP_STORE)
		tlb_gather_note(tg, pm, va, va + level_size(level));
out:
	spin_unlock(&pm->lock);
	return error;
}

/* ---- checking and dumping ---- */

struct census {
	struct pmap *pm;
	uint32_t ntables, nleaves;
	bool bad;
};

static void
census_fail(struct census *c, vaddr_t va, pte_t e, const char *what)
{
	kprintf("pmap_check: %s at 0x%lx, entry 0x%lx\n", what,
	    (unsigned long)va, (unsigned long)e);
	c->bad = true;
}

static void
census_table(struct census *c, const pte_t *table, unsigned level, vaddr_t va)
{
	unsigned n = level == PTE_LEVELS - 1 && c->pm->type == PMAP_USER ?
	    PTE_ROOT_USER_ENTRIES :
	    PTE_ENTRIES;
	uint64_t used = 0, used_groups = 0;

	c->ntables++;
	for (unsigned i = 0; i < n; i++, va += level_size(level)) {
		pte_t e = pte_load(&table[i]);
		enum pte_kind kind = pte_kind(e, level);

		used += e != 0;
		used_groups |= (uint64_t)(e != 0) << i / GROUP_ENTRIES;
		if (kind == PTE_KIND_TABLE && level == 0)
			census_fail(c, va, e, "table pointer in level 0");
		else if (kind == PTE_KIND_TABLE)
			census_table(c, table_virt(pte_pa(e)), level - 1, va);
		if (kind == PTE_KIND_LEAF || kind == PTE_KIND_NOACCESS)
			c->nleaves += 1u << (level * PTE_INDEX_BITS);
		if (kind == PTE_KIND_LEAF &&
		    (pte_bits(e) & (PMAP_COW | PMAP_W)) == (PMAP_COW | PMAP_W))
			census_fail(c, va, e, "writable copy-on-write leaf");
		if (kind == PTE_KIND_LEAF && c->pm->type == PMAP_USER &&
		    !pte_user(e))
			census_fail(c, va, e, "kernel leaf in the user half");
	}
	if (table_page(table)->offset != used || (used_groups &
	    ~table_page(table)->groups) != 0)
		census_fail(c, va, used, "wrong entry count of a table");
}

int
pmap_check(struct pmap *pm)
{
	struct census c = { .pm = pm };

	spin_lock(&pm->lock);
	census_table(&c, table_virt(pm->root), PTE_LEVELS - 1, 0);
	if (c.ntables != pm->ntables || c.nleaves != pm->nleaves)
		census_fail(&c, 0, c.nleaves, "wrong counts of the pmap");
	spin_unlock(&pm->lock);
	return c.bad ? EINVAL : 0;
}

static int
dump_entry(struct pmap_cursor *c, const struct pmap_leaf *l, void *arg)
{
	static const char *const kinds[] = { "empty", "table", "leaf",
		"noaccess", "soft" };

	sink_printf(arg, "%lx %s order %u %c%c%c%s%s%s pa %lx soft %lx\n",
	    (unsigned long)c->va, kinds[l->kind], l->order,
	    l->bits & PMAP_R ? 'r' : '-', l->bits & PMAP_W ? 'w' : '-',
	    l->bits & PMAP_X ? 'x' : '-', l->bits & PMAP_COW ? " cow" : "",
	    l->bits & PMAP_ACCESSED ? " a" : "",
	    l->bits & PMAP_DIRTY ? " d" : "", (unsigned long)l->pa,
	    l->kind == PMAP_SOFT ? (unsigned long)l->soft : 0);
	return 0;
}

void
pmap_dump(struct pmap *pm, struct sink *sk)
{
	pmap_scan(pm, 0, USER_MAX, dump_entry, sk);
}
