/* SPDX-License-Identifier: MIT */
/*
 * mmu.c - the kernel's page table, satp, and the local TLB.
 *
 * mmu_init() builds the table that pmap_init() adopts: direct map in the
 * largest pages that fit, image in 4 KiB pages.  W^X: text RX, rodata R, the
 * rest RW; the direct map never executes, and its alias of text and rodata is
 * read-only.  Table pages come from the RAM behind the image.
 * Source: RISC-V Privileged 20211203, sections 4.1.11, 4.2.1, 4.3.2.
 */
#include "arch/mmu.h"

#include "arch/boot.h"
#include "arch/cpu.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "machine/pte.h"
#include "platform.h"
#include "sbi.h"
#include "vm/pmap.h"

_Static_assert((int)PTE_KIND_EMPTY == (int)PMAP_EMPTY, "pte.h: kinds");
_Static_assert((int)PTE_KIND_TABLE == (int)PMAP_TABLE, "pte.h: kinds");
_Static_assert((int)PTE_KIND_LEAF == (int)PMAP_LEAF, "pte.h: kinds");
_Static_assert((int)PTE_KIND_NOACCESS == (int)PMAP_NOACCESS, "pte.h: kinds");
_Static_assert((int)PTE_KIND_SOFT == (int)PMAP_SOFT, "pte.h: kinds");
_Static_assert(PMAP_R == 1 && PMAP_W == 2 && PMAP_X == 4 && PMAP_COW == 8 &&
    PMAP_ACCESSED == 16 && PMAP_DIRTY == 32, "pte.h: pte_mask()");

#define SATP_MODE_SV39 ((uint64_t)8 << 60)
#define SATP_ASID_SHIFT 44
#define SATP_ASID_MASK	0xffffu

#define BITS_RO (PMAP_R | PMAP_ACCESSED)
#define BITS_RX (PMAP_R | PMAP_X | PMAP_ACCESSED)
#define BITS_RW (PMAP_R | PMAP_W | PMAP_ACCESSED | PMAP_DIRTY)

paddr_t mmu_kernel_table;      /* read by entry.S */
static paddr_t tables_end;     /* next table page; the image ends before */
static unsigned asid_count;

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
		unsigned level = PTE_LEVELS - 1;
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

/* RAM without the pieces in @p holes, in order. */
static void
foreach_piece(const struct ranges *holes, void (*fn)(paddr_t, paddr_t))
{
	for (unsigned i = 0; i < platform.ram.n; i++) {
		paddr_t at = ROUND_UP(platform.ram.r[i].start, PAGE_SIZE);
		paddr_t end = ROUND_DOWN(platform.ram.r[i].end, PAGE_SIZE);

		while (at < end) {
			paddr_t stop = end, next = end;

			for (unsigned h = 0; h < holes->n; h++) {
				paddr_t hs = ROUND_DOWN(holes->r[h].start,
				    PAGE_SIZE);
				paddr_t he = ROUND_UP(holes->r[h].end,
				    PAGE_SIZE);

				if (he > at && hs < stop) {
					stop = MAX(hs, at);
					next = he;
				}
			}
			if (at < stop)
				fn(at, stop);
			at = next;
		}
	}
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

static void
probe_asids(void)
{
	uint64_t old = csr_read(satp);

	csr_write(satp, old | (uint64_t)SATP_ASID_MASK << SATP_ASID_SHIFT);
	asid_count = (csr_read(satp) >> SATP_ASID_SHIFT & SATP_ASID_MASK) + 1;
	if (asid_count == 1)
		asid_count = 0;
	csr_write(satp, old);
	mmu_flush_all();
}

void
mmu_init(void)
{
	tables_end = virt_to_phys(image_end);
	mmu_kernel_table = table_alloc();
	foreach_piece(&platform.reserved, map_ram);
	for (unsigned i = 0; i < platform.devices.n; i++)
		map_direct(platform.devices.r[i].start,
		    platform.devices.r[i].end, BITS_RW);
	map_image(image_text_start, image_rodata_start, BITS_RX);
	map_image(image_rodata_start, image_data_start, BITS_RO);
	map_image(image_data_start, image_end, BITS_RW);
	for (unsigned c = 0; c < MAXCPU; c++)
		*walk((vaddr_t)boot_stacks + c * (PAGE_SIZE + KSTACK_SIZE), 0) =
		    0;
	*walk(SIGRETURN_VA, 0) = pte_make_leaf(virt_to_phys(sigreturn_page), 0,
	    BITS_RX, true);
	/* All user roots share the table of the kernel stacks. */
	walk(KSTACK_BASE, 1);
	mmu_load_root(mmu_kernel_table, 0);
	mmu_flush_all();
	probe_asids();
}

/* ---- contract of arch/mmu.h ---- */

unsigned
mmu_asid_count(void)
{
	return asid_count;
}

void
mmu_load_root(paddr_t root, unsigned asid)
{
	csr_write(satp, SATP_MODE_SV39 | (uint64_t)asid << SATP_ASID_SHIFT |
	    root >> PAGE_SHIFT);
}

void
mmu_flush_asid(unsigned asid)
{
	__asm__ volatile("sfence.vma zero, %0" ::"r"((uint64_t)asid)
			 : "memory");
}

void
mmu_flush_all(void)
{
	__asm__ volatile("sfence.vma" ::: "memory");
}

void
mmu_fence_kernel(void)
{
	mmu_flush_all();
}

void
mmu_sync_icache(void)
{
	__asm__ volatile("fence.i" ::: "memory");
}

bool
mmu_remote_flush_asid(uint64_t mask, unsigned asid)
{
	uint64_t harts = 0;

	for (unsigned c = 0; c < ncpu; c++)
		if (mask & (uint64_t)1 << c)
			harts |= (uint64_t)1 << cpus[c].hwid;
	return harts == 0 || sbi_remote_fence_asid(harts, asid) == 0;
}

paddr_t
mmu_kernel_root(void)
{
	return mmu_kernel_table;
}

void
mmu_foreach_ram(void (*add)(paddr_t start, paddr_t end))
{
	struct ranges holes = platform.reserved;

	KASSERT_ALWAYS(holes.n <= PLATFORM_RANGES - 2);
	holes.r[holes.n++] = (struct range){ virt_to_phys(image_text_start),
		tables_end };
	holes.r[holes.n++] = (struct range){ boot_info.initrd_start,
		boot_info.initrd_end };
	foreach_piece(&holes, add);
}

paddr_t
mmu_ram_end(void)
{
	paddr_t end = 0;

	for (unsigned i = 0; i < platform.ram.n; i++)
		end = MAX(end, platform.ram.r[i].end);
	return end;
}
