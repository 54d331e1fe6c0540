/* SPDX-License-Identifier: MIT */
/*
 * kernel.c - the rest of the kernel, as much as file systems need of it.
 *
 * One CPU, one thread, nothing ever blocks.  Objects come from malloc, one
 * each, and frames have unmapped pages behind them, so that the sanitizers see
 * any access beyond an end.  A user address is an offset into the frames.
 */
#include "abi/errno.h"
#include "arch/boot.h"
#include "arch/timer.h"
#include "fs/test/test.h"
#include "lib/printf.h"
#include "mem/frame.h"
#include "mem/kmem.h"
#include "proc/proc.h"
#include "vm/pmap_priv.h"
#include "vm/txn.h"

#define NFRAMES (1200 + TEST_USER_PAGES)

static struct pmap empty = { .lock = SPINLOCK_INIT(RANK_PMAP, "pmap") };
struct cpu cpus[MAXCPU];
unsigned ncpu = 1;
_Thread_local struct cpu *host_cpu;
struct boot_info boot_info;
char *host_ram;
struct vm_page *frame_array;
paddr_t frame_base = HOST_RAM_BASE;
uintptr_t frame_bias;
bool sched_fuzz_on;
unsigned test_kprintf_lines;
long test_nalloc;
unsigned test_fail_frame;
size_t frame_array_size;
size_t (*frame_reclaim)(size_t want);
static struct thread self;
static struct lockset locks;
static struct list free_frames = LIST_INIT(free_frames);
static size_t nfree;

void
test_boot(void)
{
	host_cpu = &cpus[0];
	host_cpu->thread = &self;
	host_cpu->locks = &locks;
	host_ram = os_map_pages(NFRAMES);
	frame_array_size = 2 * NFRAMES; /* each other cannot be touched */
	frame_array = memset(os_alloc(frame_array_size * sizeof(*frame_array)),
	    0, frame_array_size * sizeof(*frame_array));
	frame_bias = (uintptr_t)frame_array -
	    (frame_base >> PAGE_SHIFT) * sizeof(*frame_array);
	/* The user's stay at the bottom. */
	for (size_t i = 0; i < TEST_USER_PAGES; i++)
		frame_array[2 * i].refs = 1;
	for (size_t i = TEST_USER_PAGES; i < NFRAMES; i++)
		frame_free(&frame_array[2 * i]);
	empty.root = page_to_phys(frame_alloc(0));
	memset(phys_to_virt(empty.root), 0, PAGE_SIZE);
}

struct vm_page *
frame_alloc(unsigned flags)
{
	struct vm_page *pg;

	if (nfree == 0 && (frame_reclaim == NULL || frame_reclaim(16) == 0))
		return NULL;
	if (test_fail_frame > 0 && --test_fail_frame == 0)
		return NULL;
	nfree--;
	pg = LIST_ENTRY(list_pop_front(&free_frames), struct vm_page, link);
	memset(page_to_virt(pg), 0xdd, PAGE_SIZE);
	pg->holds = 1;
	pg->flags = 0;
	return pg;
}

void
frame_free(struct vm_page *pg)
{
	pg->holds = 0;
	list_push_back(&free_frames, &pg->link);
	nfree++;
}

size_t
frame_total(void)
{
	return NFRAMES;
}

size_t
frame_free_count(void)
{
	return nfree;
}

/* User page n is accessible frame n, so that buffers may span pages; no table
 * says so, and each pin comes here. */
int
pmap_get_pin(struct pmap *pm, vaddr_t va, vm_prot_t access,
    struct vm_page **out)
{
	vaddr_t page = (va >> PAGE_SHIFT) - 1;

	if (page >= TEST_USER_PAGES)
		return EFAULT;
	*out = &frame_array[2 * page];
	(*out)->pins++;
	if (access & VM_PROT_WRITE)
		(*out)->wpins++;
	return 0;
}

char *
test_user(vaddr_t va)
{
	return host_ram + 2 * ((va >> PAGE_SHIFT) - 1) * PAGE_SIZE +
	    (va & PAGE_MASK);
}

static int
no_pin(struct vmspace *vs, vaddr_t va, vm_prot_t access, struct vm_page **out,
    struct vm_txn *txn)
{
	return EFAULT;
}

static const struct vm_ops space_ops = { .pin = no_pin };
const struct vm_ops *vm_design = &space_ops; /* nothing is ever mapped */
struct vmspace test_space = { .ops = &space_ops, .pmap = &empty };

int
vm_fault_retry(struct vmspace *vs, struct vm_txn *txn, int error)
{
	return error;
}

void
tlb_gather_flush(struct tlb_gather *tg)
{
}

/* ---- memory ---- */

void *
kmalloc(size_t n)
{
	test_nalloc++;
	return os_alloc(n);
}

void *
kzalloc(size_t n)
{
	return memset(kmalloc(n), 0, n);
}

void
kfree(void *p, size_t n)
{
	test_nalloc--;
	os_free(p);
}

void
kmem_cache_init(struct kmem_cache *c, const char *name, size_t size)
{
	c->size = (uint32_t)size;
}

void *
kmem_alloc(struct kmem_cache *c)
{
	return kmalloc(c->size);
}

void
kmem_free(struct kmem_cache *c, void *p)
{
	kfree(p, c->size);
}

/* ---- scheduling: there is none ---- */

bool
host_intr_set(bool on)
{
	return true;
}

bool
host_intr_get(void)
{
	return true;
}

void
host_point(enum host_point p)
{
	if (p == HOST_RELAX)
		os_fail("waits for a lock that nobody will release");
}

void
sched_block_prepare(void)
{
}

bool
sched_block_cancel(void)
{
	return true;
}

void
sched_block(ns_t deadline)
{
	os_fail("waits for ever");
}

void
sched_wake(struct thread *t)
{
}

bool
sched_interrupted(enum wait_how how)
{
	return false;
}

void
sched_yield(void)
{
}

void
sched_fuzz(void)
{
}

ns_t
timer_now(void)
{
	return os_clock_ns();
}

ns_t
timer_realtime(void)
{
	return 1767225600ull * 1000000000;
}

/* ---- the rest ---- */

/* No daemon: the tests sync by themselves. */
void
writeback_start(void)
{
}

void
kprintf(const char *fmt, ...)
{
	test_kprintf_lines++;
}

void
panic(const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	os_fail(text);
}

/* procfs is tested in the running system. */
int
procfs_mount(struct mount *mnt)
{
	return ENODEV;
}
