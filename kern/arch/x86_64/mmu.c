/* SPDX-License-Identifier: MIT */
/*
 * mmu.c - the kernel's page table, CR3, and the local TLB.
 *
 * mmu_init() builds the table that pmap_init() adopts: direct map in the
 * largest pages that fit, image in 4 KiB pages.  W^X: text RX, rodata R, the
 * rest RW; the direct map never executes, and its alias of text and rodata is
 * read-only.  Table pages come from the RAM behind the image.  Registers of
 * devices get no attribute of their own: the firmware's MTRRs make them
 * uncached.
 *
 * Kernel leaves are global and survive a load of CR3; toggling CR4.PGE drops
 * them.  INVLPG drops the leaf and all cached table pointers.
 * Source: Intel SDM vol. 3, sections 4.6, 4.10.2.4, 4.10.4.1, 11.11.
 */
#include "arch/mmu.h"

#include "arch/boot.h"
#include "arch/cpu.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "machine/pte.h"
#include "platform.h"
#include "vm/pmap.h"

_Static_assert((int)PTE_KIND_EMPTY == (int)PMAP_EMPTY, "pte.h: kinds");
_Static_assert((int)PTE_KIND_TABLE == (int)PMAP_TABLE, "pte.h: kinds");
_Static_assert((int)PTE_KIND_LEAF == (int)PMAP_LEAF, "pte.h: kinds");
_Static_assert((int)PTE_KIND_NOACCESS == (int)PMAP_NOACCESS, "pte.h: kinds");
_Static_assert((int)PTE_KIND_SOFT == (int)PMAP_SOFT, "pte.h: kinds");
_Static_assert(PMAP_R == 1 && PMAP_W == 2 && PMAP_X == 4 && PMAP_COW == 8 &&
    PMAP_ACCESSED == 16 && PMAP_DIRTY == 32, "pte.h: pte_mask()");

#define BITS_RO (PMAP_R | PMAP_ACCESSED)
#define BITS_RX (PMAP_R | PMAP_X | PMAP_ACCESSED)
#define BITS_RW (PMAP_R | PMAP_W | PMAP_ACCESSED | PMAP_DIRTY)

/* CPUID bits of what the kernel cannot do without. */
#define CPUID_7_EBX_NEEDED   (1u << 7 | 1u << 20)  /* SMEP, SMAP */
#define CPUID_EXT_EDX_NEEDED (1u << 11 | 1u << 20) /* SYSCALL, NX */
#define CPUID_EXT_EDX_1G     (1u << 26)

paddr_t mmu_kernel_table;      /* read by entry.S */
static paddr_t tables_end;     /* next table page; the image ends before */
static unsigned leaf_level;    /* highest with leaves */

static void
cpuid(uint32_t leaf, uint32_t *b, uint32_t *d)
{
	uint32_t a = leaf, c = 0;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(*b), "+c"(c), "=d"(*d));
}

/* CR4 bits that the CPU lacks must not be set. */
void
mmu_init_cpu(void)
{
	uint32_t b, d, extended;

	cpuid(7, &b, &d);
	cpuid(0x80000001, &d, &extended);
	if ((b & CPUID_7_EBX_NEEDED) != CPUID_7_EBX_NEEDED ||
	    (extended & CPUID_EXT_EDX_NEEDED) != CPUID_EXT_EDX_NEEDED)
		panic("cpu %u: SMEP, SMAP, NX or SYSCALL is missing",
		    cpu_id());
	leaf_level = extended & CPUID_EXT_EDX_1G ? 2 : 1;
	cr_write(4, cr_read(4) | CR4_FXSR | CR4_XMM | CR4_SMEP | CR4_SMAP);
}

/* ---- building the kernel's table ---- */

static paddr_t
table_alloc(void)
{
	paddr_t pa = tables_end;

	memset(phys_to_virt(pa), 0, PAGE_SIZE);
	tables_end += PAGE_SIZE;
	return pa;
}

/* The entry for @p va at @p level; makes the tables above it. */
static pte_t *
walk(vaddr_t va, unsigned level)
{
	pte_t *table = phys_to_virt(mmu_kernel_table);

	for (unsigned l = PTE_LEVELS - 1; l > level; l--) {
		pte_t *pte = &table[pte_index(va, l)];

		if (pte_kind(*pte, l) == PTE_KIND_EMPTY)
			*pte = pte_make_table(table_alloc());
		KASSERT_ALWAYS(pte_kind(*pte, l) == PTE_KIND_TABLE);
		table = phys_to_virt(pte_pa(*pte));
	}
	return &table[pte_index(va, level)];
}

/* Map @p pa to @p end at @p va, in the largest pages that fit. */
static void
map(vaddr_t va, paddr_t pa, paddr_t end, unsigned bits)
{
	while (pa < end) {
		unsigned level = leaf_level;
		size_t size;

		for (;; level--) {
			size = PAGE_SIZE << PTE_INDEX_BITS * level;
			if (level == 0 || (IS_ALIGNED(va | pa, size) &&
			    end - pa >= size))
				break;
		}
		*walk(va, level) = pte_make_leaf(pa, level, bits, false);
		va += size;
		pa += size;
	}
}

static void
map_direct(paddr_t start, paddr_t end, unsigned bits)
{
	start = ROUND_DOWN(start, PAGE_SIZE);
	end = ROUND_UP(end, PAGE_SIZE);
	if (start >= DIRECT_END - DIRECT_BASE || end > DIRECT_END - DIRECT_BASE)
		panic("mmu: 0x%lx is beyond the direct map", end);
	map(DIRECT_BASE + start, start, end, bits);
}

static void
map_image(const char *start, const char *end, unsigned bits)
{
	for (const char *p = start; p < end; p += PAGE_SIZE)
		*walk((vaddr_t)p, 0) =
		    pte_make_leaf(virt_to_phys(p), 0, bits, false);
}

/* One piece of RAM: the image's text and rodata cannot be written here. */
static void
map_ram(paddr_t start, paddr_t end)
{
	paddr_t ro = virt_to_phys(image_text_start);
	paddr_t rw = virt_to_phys(image_data_start);

	if (ro < start || rw >= end) {
		map_direct(start, end, BITS_RW);
		return;
	}
	map_direct(start, ro, BITS_RW);
	map_direct(ro, rw, BITS_RO);
	map_direct(rw, end, BITS_RW);
}

void
mmu_init(void)
{
	const struct platform *p = &platform;

	tables_end = virt_to_phys(image_end);
	mmu_kernel_table = table_alloc();
	for (unsigned i = 0; i < p->ram.n; i++)
		map_ram(p->ram.r[i].start, p->ram.r[i].end);
	for (unsigned i = 0; i < p->devices.n; i++)
		map_direct(p->devices.r[i].start, p->devices.r[i].end, BITS_RW);
	map_image(image_text_start, image_rodata_start, BITS_RX);
	map_image(image_rodata_start, image_data_start, BITS_RO);
	map_image(image_data_start, image_end, BITS_RW);
	for (unsigned c = 0; c < MAXCPU; c++)
		*walk((vaddr_t)boot_stacks + c * (PAGE_SIZE + KSTACK_SIZE), 0) =
		    0;
	/* All user roots share the tables of the kernel stacks. */
	walk(KSTACK_BASE, 1);
	mmu_load_root(mmu_kernel_table, 0);
	mmu_flush_all();
}

/* ---- contract of arch/mmu.h ---- */

unsigned
mmu_asid_count(void)
{
	return 0;
}

void
mmu_load_root(paddr_t root, unsigned asid)
{
	(void)asid;
	cr_write(3, root);
}

void
mmu_flush_asid(unsigned asid)
{
	(void)asid;
	cr_write(3, cr_read(3));
}

void
mmu_flush_all(void)
{
	uint64_t cr4 = cr_read(4);

	cr_write(4, cr4 ^ CR4_PGE);
	cr_write(4, cr4);
}

/* Entries that were invalid are not kept. */
void
mmu_fence_kernel(void)
{
}

void
mmu_sync_icache(void)
{
}

bool
mmu_remote_flush_asid(uint64_t mask, unsigned asid)
{
	(void)mask, (void)asid;
	return false;
}

paddr_t
mmu_kernel_root(void)
{
	return mmu_kernel_table;
}

/* One piece of RAM without what lies in [hs, he). */
static void
add_around(paddr_t start, paddr_t end, void (*add)(paddr_t, paddr_t),
    const struct range *hole, unsigned nholes)
{
	for (; nholes > 0; hole++, nholes--) {
		paddr_t hs = ROUND_DOWN(hole->start, PAGE_SIZE);
		paddr_t he = ROUND_UP(hole->end, PAGE_SIZE);

		if (he <= start || hs >= end || hs == he)
			continue;
		if (hs > start)
			add_around(start, hs, add, hole + 1, nholes - 1);
		start = he;
	}
	if (start < end)
		add(start, end);
}

void
mmu_foreach_ram(void (*add)(paddr_t start, paddr_t end))
{
	const struct range holes[] = {
		{ virt_to_phys(image_text_start), tables_end },
		{ boot_info.initrd_start, boot_info.initrd_end },
	};

	for (unsigned i = 0; i < platform.ram.n; i++)
		add_around(ROUND_UP(platform.ram.r[i].start, PAGE_SIZE),
		    ROUND_DOWN(platform.ram.r[i].end, PAGE_SIZE), add, holes,
		    ARRAY_SIZE(holes));
}

paddr_t
mmu_ram_end(void)
{
	paddr_t end = 0;

	for (unsigned i = 0; i < platform.ram.n; i++)
		end = MAX(end, platform.ram.r[i].end);
	return end;
}
