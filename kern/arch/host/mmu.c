/* SPDX-License-Identifier: MIT */
/*
 * mmu.c - the simulated MMU: a walker and a TLB a CPU that never forgets.
 *
 * Path: host_access() -> host_try() -> translate() -> TLB or walk().
 * A TLB keeps leaves, table pointers and (option) invalid entries until exactly
 * they are fenced, so each missing, wrong or misplaced fence is seen by the
 * next access.  Each access is also checked against the frame allocator: no
 * program may reach a frame that is free or a page table, and no walk may read
 * a table that was freed.
 * Locks: a TLB belongs to its CPU; vtlb.lock is for remote fences of other
 * threads (deliver=sbi) and covers the use of a translation too.
 */
#include "arch/mmu.h"

#include "abi/errno.h"
#include "arch/host/host.h"
#include "arch/host/os.h"
#include "machine/pte.h"
#include "mem/frame.h"

#define NBUCKETS    1024
#define NONE	    UINT32_MAX
#define KERNEL_ASID UINT32_MAX /* of entries made by kernel accesses */

struct entry {
	uint64_t pte; /* leaf, table pointer, or 0: invalid */
	vaddr_t vpn;  /* va >> shift of the level */
	uint32_t asid;
	uint32_t next; /* in the bucket, or free list */
	uint8_t level;
	bool table; /* pte points to a table of the next level */
	bool used;
};

static struct vtlb {
	uint32_t lock;
	paddr_t root;
	unsigned asid;
	uint32_t bucket[NBUCKETS];
	struct entry *entry;
	uint32_t nentries, size, free, nused;
} __cacheline vtlbs[MAXCPU];

struct host_flushes host_flushes[MAXCPU];
void (*host_on_access)(const struct host_op *, paddr_t);

char *host_ram;
size_t host_ram_size;

static struct vtlb *
self(void)
{
	return &vtlbs[cpu_id()];
}

static void
lock(struct vtlb *t)
{
	while (__atomic_exchange_n(&t->lock, 1, __ATOMIC_ACQUIRE))
		os_yield();
}

static void
unlock(struct vtlb *t)
{
	__atomic_store_n(&t->lock, 0, __ATOMIC_RELEASE);
}

void
host_mmu_init(void)
{
	for (unsigned c = 0; c < MAXCPU; c++) {
		struct vtlb *t = &vtlbs[c];

		for (unsigned b = 0; b < NBUCKETS; b++)
			t->bucket[b] = NONE;
		t->free = NONE;
		t->root = mmu_kernel_root();
	}
}

/* ---- the TLB ---- */

static unsigned
shift_of(unsigned level)
{
	return PAGE_SHIFT + PTE_INDEX_BITS * level;
}

static uint32_t *
bucket_of(struct vtlb *t, unsigned asid, vaddr_t vpn, unsigned level)
{
	uint64_t h = (vpn * 3 + level) * 0x9e3779b97f4a7c15ull + asid * 40503u;

	return &t->bucket[(h >> 40) % NBUCKETS];
}

static struct entry *
find(struct vtlb *t, unsigned asid, vaddr_t va, unsigned level, bool table)
{
	vaddr_t vpn = va >> shift_of(level);
	uint32_t i = *bucket_of(t, asid, vpn, level);

	while (i != NONE) {
		struct entry *e = &t->entry[i];

		if (e->vpn == vpn && e->asid == asid && e->level == level &&
		    e->table == table)
			return e;
		i = e->next;
	}
	return NULL;
}

static void
keep(struct vtlb *t, vaddr_t va, unsigned level, pte_t pte, bool table)
{
	struct entry *e = find(t, t->asid, va, level, table);
	uint32_t *b, i;

	if (e != NULL) {
		e->pte = pte;
		return;
	}
	if (t->free == NONE) {
		if (t->nentries == t->size) {
			t->size = t->size ? t->size * 2 : 256;
			t->entry = os_grow(t->entry,
			    t->size * sizeof(t->entry[0]));
		}
		i = t->nentries++;
	} else {
		i = t->free;
		t->free = t->entry[i].next;
	}
	b = bucket_of(t, t->asid, va >> shift_of(level), level);
	t->entry[i] = (struct entry){ .pte = pte,
		.vpn = va >> shift_of(level), .asid = t->asid, .next = *b,
		.level = (uint8_t)level, .table = table, .used = true };
	*b = i;
	t->nused++;
}

static void
forget(struct vtlb *t, uint32_t i)
{
	struct entry *e = &t->entry[i];
	uint32_t *p = bucket_of(t, e->asid, e->vpn, e->level);

	while (*p != i)
		p = &t->entry[*p].next;
	*p = e->next;
	e->used = false;
	e->next = t->free;
	t->free = i;
	t->nused--;
}

/* What a fence takes away. */
enum drop { LEAVES, ALL_OF_ASID, EVERYTHING };

/* Entries of @p asid that overlap the range. */
static void
drop(struct vtlb *t, unsigned asid, vaddr_t sva, vaddr_t eva, enum drop what)
{
	lock(t);
	for (uint32_t i = 0; i < t->nentries; i++) {
		const struct entry *e = &t->entry[i];
		vaddr_t s = e->vpn << shift_of(e->level);
		vaddr_t last = s + (((vaddr_t)1 << shift_of(e->level)) - 1);

		if (!e->used || (what != EVERYTHING && e->asid != asid) ||
		    (what == LEAVES && e->table))
			continue;
		if (s < eva && sva <= last)
			forget(t, i);
	}
	unlock(t);
}

size_t
host_tlb_count(unsigned c)
{
	return vtlbs[c].nused;
}

bool
host_tlb_holds(unsigned c, unsigned asid, vaddr_t va)
{
	struct vtlb *t = &vtlbs[c];

	for (unsigned level = 0; level < PTE_LEVELS; level++) {
		const struct entry *e = find(t, asid, va, level, false);

		if (e != NULL && (e->pte & PTE_V))
			return true;
	}
	return false;
}

/* ---- the walker ---- */

/* A table that hardware may read: never freed, never handed out as data. */
static void
check_table(paddr_t table, vaddr_t va)
{
	const struct vm_page *pg;

	if (table == mmu_kernel_root())
		return;
	if (table - HOST_RAM_BASE >= host_ram_size)
		panic("MMU: CPU %u walks 0x%lx through table 0x%lx outside of "
		      "RAM",
		    cpu_id(), (unsigned long)va, (unsigned long)table);
	pg = phys_to_page(table);
	if (__atomic_load_n(&pg->holds, __ATOMIC_RELAXED) == 0 ||
	    !(page_flags(pg) & PG_TABLE))
		panic("MMU: CPU %u walks 0x%lx through freed table 0x%lx, "
		      "ASID %u, root 0x%lx",
		    cpu_id(), (unsigned long)va, (unsigned long)table,
		    self()->asid, (unsigned long)self()->root);
}

static void
check_frame(paddr_t pa, vaddr_t va)
{
	const struct vm_page *pg;

	if (pa - HOST_RAM_BASE >= host_ram_size)
		panic("MMU: CPU %u reaches 0x%lx outside of RAM at 0x%lx",
		    cpu_id(), (unsigned long)pa, (unsigned long)va);
	pg = phys_to_page(pa);
	if (pg->state == FRAME_RESERVED)
		return; /* VM_PHYS */
	if (pg->state == FRAME_FREE ||
	    __atomic_load_n(&pg->holds, __ATOMIC_RELAXED) == 0)
		panic("MMU: CPU %u reaches freed frame 0x%lx at 0x%lx",
		    cpu_id(), (unsigned long)pa, (unsigned long)va);
	if (page_flags(pg) & PG_TABLE)
		panic("MMU: CPU %u reaches page table 0x%lx at 0x%lx",
		    cpu_id(), (unsigned long)pa, (unsigned long)va);
}

/* access 0: a speculative walk, which needs no right. */
static bool
permits(pte_t pte, vm_prot_t access, bool user)
{
	return (pte & PTE_V) && !(pte & PTE_U) == !user &&
	    (pte & ((pte_t)access << 1));
}

/* Set A and D as the hardware does: only if the entry is still the same. */
static bool
set_ad(pte_t *where, pte_t *pte, vm_prot_t access)
{
	pte_t want = *pte | PTE_A | (access == VM_PROT_WRITE ? PTE_D : 0);

	if (want == *pte)
		return true;
	if (host_options.svade) {
		*pte = 0; /* traps */
		return true;
	}
	if (!__atomic_compare_exchange_n(where, pte, want, false,
		__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return false;
	*pte = want;
	return true;
}

/*
 * Walk from the deepest table pointer that the TLB knows.
 * @return the leaf and its level, or 0; *keepable: may stay in the TLB
 */
static pte_t
walk(struct vtlb *t, vaddr_t va, vm_prot_t access, unsigned *level)
{
	unsigned l = PTE_LEVELS - 1;
	paddr_t table = t->root;
	pte_t pte, *where;

	for (unsigned i = 1; i < PTE_LEVELS; i++) {
		const struct entry *e = find(t, t->asid, va, i, true);

		if (e != NULL) {
			l = i - 1;
			table = pte_pa(e->pte);
			break;
		}
	}
	for (;;) {
		check_table(table, va);
		where = (pte_t *)phys_to_virt(table) + pte_index(va, l);
		pte = __atomic_load_n(where, __ATOMIC_ACQUIRE);
		*level = l;
		if (!(pte & PTE_V))
			return 0;
		if (pte & PTE_RWX)
			break;
		if (l == 0)
			panic("MMU: table pointer 0x%lx at level 0 for 0x%lx",
			    (unsigned long)pte, (unsigned long)va);
		keep(t, va, l--, pte, true);
		table = pte_pa(pte);
	}
	if ((pte & PTE_W) && !(pte & PTE_R))
		panic("MMU: reserved rights in entry 0x%lx for 0x%lx",
		    (unsigned long)pte, (unsigned long)va);
	if (pte_pa(pte) & (((paddr_t)1 << shift_of(l)) - 1))
		panic("MMU: misaligned superpage 0x%lx at 0x%lx",
		    (unsigned long)pte, (unsigned long)va);
	if (permits(pte, access, t->asid != KERNEL_ASID) &&
	    !set_ad(where, &pte, access))
		return walk(t, va, access, level);
	return pte;
}

static bool
translate(struct vtlb *t, vaddr_t va, vm_prot_t access, paddr_t *pa)
{
	bool user = t->asid != KERNEL_ASID;
	const struct entry *e = NULL;
	unsigned level = 0;
	pte_t pte = 0;

	if (user && va >= (vaddr_t)1 << (shift_of(PTE_LEVELS) - 1))
		return false;
	for (unsigned l = 0; l < PTE_LEVELS && e == NULL; l++)
		if ((e = find(t, t->asid, va, l, false)) != NULL)
			level = l;
	if (e != NULL)
		pte = e->pte;
	/* Miss, or a first store: D must be set in the table itself. */
	if (e == NULL || (access == VM_PROT_WRITE &&
			     permits(pte, access, user) && !(pte & PTE_D))) {
		pte = walk(t, va, access, &level);
		if ((pte & PTE_V) || host_options.negative)
			keep(t, va, level, pte, false);
	}
	if (!permits(pte, access, user))
		return false;
	*pa = pte_pa(pte) | (va & (((vaddr_t)1 << shift_of(level)) - 1));
	return true;
}

static void
transfer(struct host_op *op, paddr_t pa)
{
	void *p = phys_to_virt(pa);

	check_frame(pa & ~(paddr_t)PAGE_MASK, op->va);
	if (host_on_access != NULL)
		host_on_access(op, pa);
	if (op->width == HOST_BYTE && op->access == VM_PROT_WRITE)
		__atomic_store_n((uint8_t *)p, (uint8_t)op->value,
		    __ATOMIC_RELAXED);
	else if (op->width == HOST_BYTE)
		op->value = __atomic_load_n((uint8_t *)p, __ATOMIC_RELAXED);
	else if (op->access == VM_PROT_WRITE)
		__atomic_store_n((uint64_t *)p, op->value, __ATOMIC_RELAXED);
	else
		op->value = __atomic_load_n((uint64_t *)p, __ATOMIC_RELAXED);
}

int
host_try(struct host_op *op)
{
	struct vtlb *t = self();
	paddr_t pa;
	bool ok;

	KASSERT_ALWAYS(IS_ALIGNED(op->va, op->width));
	lock(t);
	ok = translate(t, op->va, op->access, &pa);
	if (ok)
		transfer(op, pa);
	unlock(t);
	return ok ? 0 : EAGAIN;
}

void
host_speculate(vaddr_t va)
{
	struct vtlb *t = self();
	unsigned level;
	pte_t pte;

	lock(t);
	if (find(t, t->asid, va, 0, false) == NULL) {
		pte = walk(t, va, 0, &level);
		if ((pte & PTE_V) || host_options.negative)
			keep(t, va, level, pte, false);
	}
	unlock(t);
}

bool
host_kernel_try(vaddr_t va)
{
	struct vtlb *t = self();
	paddr_t root, pa;
	unsigned asid;
	bool ok;

	lock(t);
	root = t->root;
	asid = t->asid;
	t->root = mmu_kernel_root();
	t->asid = KERNEL_ASID;
	ok = translate(t, va, VM_PROT_WRITE, &pa);
	t->root = root;
	t->asid = asid;
	unlock(t);
	return ok;
}

/* ---- arch/mmu.h ---- */

unsigned
mmu_asid_count(void)
{
	return host_options.asid_bits ? 1u << host_options.asid_bits : 0;
}

void
mmu_load_root(paddr_t root, unsigned asid)
{
	struct vtlb *t = self();

	KASSERT_ALWAYS(asid < MAX(mmu_asid_count(), 1u));
	lock(t);
	t->root = root;
	t->asid = asid;
	unlock(t);
}

void
mmu_flush_range(unsigned asid, vaddr_t sva, vaddr_t eva)
{
	host_flushes[cpu_id()].ranges++;
	host_flushes[cpu_id()].pages += (eva - sva) >> PAGE_SHIFT;
	drop(self(), asid, sva, eva, LEAVES);
	host_point(HOST_FLUSH);
}

void
mmu_flush_asid(unsigned asid)
{
	host_flushes[cpu_id()].asids++;
	drop(self(), asid, 0, UINTPTR_MAX, ALL_OF_ASID);
	host_point(HOST_FLUSH);
}

void
mmu_flush_all(void)
{
	host_flushes[cpu_id()].all++;
	drop(self(), 0, 0, UINTPTR_MAX, EVERYTHING);
	host_point(HOST_FLUSH);
}

void
mmu_fence_kernel(void)
{
	drop(self(), KERNEL_ASID, 0, UINTPTR_MAX, ALL_OF_ASID);
}

void
mmu_sync_icache(void)
{
	host_flushes[cpu_id()].icache++;
}

bool
mmu_remote_flush_asid(uint64_t mask, unsigned asid)
{
	if (!host_options.sbi)
		return false;
	for (unsigned c = 0; c < ncpu; c++)
		if (mask >> c & 1)
			drop(&vtlbs[c], asid, 0, UINTPTR_MAX,
			    ALL_OF_ASID);
	host_point(HOST_FLUSH);
	return true;
}

/* The kernel's root is the first frame of RAM; its user half stays empty. */
paddr_t
mmu_kernel_root(void)
{
	return HOST_RAM_BASE;
}

void
mmu_foreach_ram(void (*add)(paddr_t start, paddr_t end))
{
	add(HOST_RAM_BASE + HOST_RESERVED_SIZE, mmu_ram_end());
}

paddr_t
mmu_ram_end(void)
{
	return HOST_RAM_BASE + host_ram_size;
}
