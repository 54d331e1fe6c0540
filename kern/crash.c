/* SPDX-License-Identifier: MIT */
/*
 * crash.c - planted bugs of the kernel itself: crash=NAME, DEBUG builds only.
 *
 * Each must end in the one panic that its guard has for it; a guard that
 * nobody ever saw at work is no guard.  The first process calls crash_plant()
 * when its program is loaded; grade/suites/test_crash.py names the panics.
 */
#include "crash.h"

#include "arch/boot.h"
#include "arch/cpu.h"
#include "arch/mmu.h"
#include "lib/string.h"
#include "mem/frame.h"
#include "mem/kmem.h"
#include "sync/spinlock.h"
#include "proc/proc.h"
#include "vm/pmap.h"

#ifdef DEBUG
/* The compiler must not see that what follows is wrong. */
#define HIDE(x) __asm__ volatile("" : "+r"(x))

static struct spinlock low = SPINLOCK_INIT(RANK_PMAP, "low");
static struct spinlock high = SPINLOCK_INIT(RANK_FRAME, "high");
static volatile uint8_t sink;
static uint8_t data[16];

static void
store(uintptr_t va)
{
	HIDE(va);
	*(volatile uint8_t *)va = 0;
}

static void
load(uintptr_t va)
{
	HIDE(va);
	sink = *(volatile uint8_t *)va;
}

static void
crash_stack(void)
{
	void (*again)(void) = crash_stack;
	volatile uint8_t deep[200];

	HIDE(again);
	deep[0] = sink;
	again();
	sink = deep[0]; /* no tail call */
}

/* A field of a structure that is not there. */
static void
crash_null(void)
{
	load(16);
}

/* An address of the program that is about to start, and mapped. */
static uintptr_t
user_address(uintptr_t (*of)(const struct trapframe *), vm_prot_t access)
{
	struct vm_fault f = { of(tf_of_kstack(thread_self()->kstack)),
		access };

	KASSERT(f.va != 0);
	if (vm_fault(thread_self()->space, &f) != 0)
		panic("crash: the program cannot use 0x%lx", f.va);
	return f.va;
}

static void
crash_user(void)
{
	load(user_address(tf_sp, VM_PROT_READ));
}

static void
crash_userexec(void)
{
	uintptr_t va = user_address(tf_pc, VM_PROT_EXECUTE);

	HIDE(va);
	((void (*)(void))va)();
}

static void
crash_text(void)
{
	store((uintptr_t)&crash_null);
}

static void
crash_alias(void)
{
	uintptr_t text = (uintptr_t)&crash_null;

	store((uintptr_t)phys_to_virt(virt_to_phys((const void *)text)));
}

static void
crash_exec(void)
{
	uintptr_t va = (uintptr_t)data;

	HIDE(va);
	((void (*)(void))va)();
}

static void
crash_overflow(void)
{
	int n = 0x7fffffff;

	HIDE(n);
	n++;
	HIDE(n);
}

static void
crash_rank(void)
{
	spin_lock(&high);
	spin_lock(&low);
}

static void
crash_twice(void)
{
	spin_lock(&low);
	spin_lock(&low);
}

/* Written after it was freed; whoever gets it next must notice. */
static void
crash_frame(void)
{
	struct vm_page *pg = frame_alloc(0);
	uintptr_t va;

	KASSERT(pg != NULL);
	va = (uintptr_t)page_to_virt(pg);
	frame_free(pg);
	store(va + 100);
	for (size_t n = frame_free_count(); n > 0; n--)
		(void)frame_alloc(0);
}

static void
crash_object(void)
{
	uint8_t *p = kmalloc(100);

	KASSERT(p != NULL);
	kfree(p, 100);
	store((uintptr_t)p + 50);
	for (int i = 0; i < 1000; i++)
		(void)kmalloc(100);
}

/* Not even an interrupt ends this: for the harness to find. */
static void
crash_hang(void)
{
	intr_disable();
	for (;;)
		sink = 0;
}

static const struct {
	const char *name;
	void (*fn)(void);
} bugs[] = {
	{ "stack", crash_stack },
	{ "null", crash_null },
	{ "user", crash_user },
	{ "userexec", crash_userexec },
	{ "text", crash_text },
	{ "alias", crash_alias },
	{ "exec", crash_exec },
	{ "overflow", crash_overflow },
	{ "rank", crash_rank },
	{ "twice", crash_twice },
	{ "frame", crash_frame },
	{ "object", crash_object },
	{ "hang", crash_hang },
};
#endif

void
crash_plant(void)
{
#ifdef DEBUG
	char name[16];

	if (!bootarg("crash", name, sizeof(name)))
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(bugs); i++)
		if (strcmp(bugs[i].name, name) == 0)
			bugs[i].fn();
	panic("crash=%s: no such bug, or nothing noticed it", name);
#endif
}
