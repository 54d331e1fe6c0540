/* SPDX-License-Identifier: MIT */
/*
 * kstack.c - kernel stacks: mapped, with a guard page below, and recycled.
 *
 * Path: thread_alloc -> kstack_alloc -> pmap_enter(&pmap_kernel).
 * The window is cut into slots of twice the stack size.  The stack is the
 * lower half, aligned; the upper half stays empty and guards the next slot,
 * so one bit of the stack pointer tells an overflow (trap_entry.S).
 * Locks: one spin lock for the two lists.
 * Invariant (C12): a CPU fences before it uses a stack that was mapped since
 * its last fence; a cached stack stays mapped and needs none.
 */
#include "mem/frame.h"
#include "proc/proc.h"

#define STACK_SIZE (KSTACK_PAGES * PAGE_SIZE)
#define SLOT_SIZE  (2 * STACK_SIZE)

/* In the lowest word of a cached stack. */
struct free_stack {
	struct free_stack *next;
};

static struct spinlock lock = SPINLOCK_INIT(RANK_MISC, "kstack");
static struct free_stack *cache; /* [lock] */
static size_t ncached;		 /* [lock] */
static vaddr_t unused = KSTACK_BASE + SLOT_SIZE; /* [lock] never mapped yet */
/* Slots given back by kstack_trim, as a stack of numbers. */
#define NSLOTS ((KSTACK_END - KSTACK_BASE) / SLOT_SIZE)
static uint16_t holes[NSLOTS]; /* [lock] */
static unsigned nholes;	       /* [lock] */
_Static_assert(NSLOTS <= 65536, "slot numbers fit holes[]");

uint64_t kstack_epoch;
uint64_t kstack_seen[MAXCPU];

void
kstack_fence_slow(uint64_t now)
{
	mmu_fence_kernel();
	kstack_seen[cpu_id()] = now;
}

static vaddr_t
slot_take(void)
{
	vaddr_t base = 0;

	spin_lock(&lock);
	if (nholes > 0) {
		base = KSTACK_BASE + holes[--nholes] * SLOT_SIZE;
	} else if (unused < KSTACK_END) {
		base = unused;
		unused += SLOT_SIZE;
	}
	spin_unlock(&lock);
	return base;
}

static void
slot_give(vaddr_t base)
{
	spin_lock(&lock);
	holes[nholes++] = (uint16_t)((base - KSTACK_BASE) / SLOT_SIZE);
	spin_unlock(&lock);
}

/* Unmap what is mapped of a stack; the frames go after the shootdown. */
static void
stack_unmap(vaddr_t base)
{
	struct tlb_gather tg;
	struct pmap_leaf old;

	tlb_gather_init(&tg);
	for (unsigned i = 0; i < KSTACK_PAGES; i++) {
		if (pmap_clear(&pmap_kernel, base + i * PAGE_SIZE, 0, &old,
			&tg) != 0)
			continue;
		if (tlb_gather_page(&tg, phys_to_page(old.pa)) != 0)
			panic("kstack: the gather is full");
	}
	tlb_gather_flush(&tg);
	slot_give(base);
}

static vaddr_t
stack_map(void)
{
	vaddr_t base = slot_take();
	struct tlb_gather tg;

	if (base == 0)
		return 0;
	tlb_gather_init(&tg);
	for (unsigned i = 0; i < KSTACK_PAGES; i++) {
		struct vm_page *pg = frame_alloc(FRAME_DEFAULT);
		struct pmap_new leaf = {
			.bits = PMAP_R | PMAP_W | PMAP_ACCESSED | PMAP_DIRTY,
		};

		if (pg != NULL) {
			leaf.pa = page_to_phys(pg);
			if (pmap_enter(&pmap_kernel, base + i * PAGE_SIZE,
				&leaf, &tg) == 0)
				continue;
			page_drop(pg);
		}
		stack_unmap(base);
		return 0;
	}
	KASSERT(tlb_gather_empty(&tg)); /* nothing was there before */
	__atomic_fetch_add(&kstack_epoch, 1, __ATOMIC_RELEASE);
	return base;
}

uintptr_t
kstack_alloc(void)
{
	struct free_stack *s;
	vaddr_t base;

	spin_lock(&lock);
	s = cache;
	if (s != NULL) {
		/* Another CPU may have mapped it: this is its first use. */
		kstack_fence();
		cache = s->next;
		ncached--;
	}
	spin_unlock(&lock);
	base = s != NULL ? (vaddr_t)s : stack_map();
	if (base == 0)
		return 0;
	kstack_fence();
	return base + STACK_SIZE;
}

void
kstack_free(uintptr_t top)
{
	struct free_stack *s = (struct free_stack *)(top - STACK_SIZE);

	spin_lock(&lock);
	kstack_fence();
	s->next = cache;
	cache = s;
	ncached++;
	spin_unlock(&lock);
}

void
kstack_trim(void)
{
	for (;;) {
		struct free_stack *s;

		spin_lock(&lock);
		s = cache;
		if (s != NULL) {
			kstack_fence();
			cache = s->next;
			ncached--;
		}
		spin_unlock(&lock);
		if (s == NULL)
			return;
		stack_unmap((vaddr_t)s);
	}
}

size_t
kstack_cached_frames(void)
{
	return __atomic_load_n(&ncached, __ATOMIC_RELAXED) * KSTACK_PAGES;
}
