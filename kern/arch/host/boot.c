/* SPDX-License-Identifier: MIT */
/*
 * boot.c - build the simulated machine, start the kernel's memory layers, and
 * run programs on it: host_access() is the trap path of the host port.
 */
#include "arch/boot.h"

#include "abi/errno.h"
#include "arch/console.h"
#include "arch/host/host.h"
#include "arch/host/os.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "machine/pte.h"
#include "mem/frame.h"
#include "mem/kmem.h"
#include "vm/swap.h"

#define FAULTS_MAX 64 /* faults of one access; more: livelock */

_Static_assert((int)PTE_KIND_EMPTY == (int)PMAP_EMPTY &&
	(int)PTE_KIND_TABLE == (int)PMAP_TABLE &&
	(int)PTE_KIND_LEAF == (int)PMAP_LEAF &&
	(int)PTE_KIND_NOACCESS == (int)PMAP_NOACCESS &&
	(int)PTE_KIND_SOFT == (int)PMAP_SOFT,
    "pte_kind returns enum pmap_entry");

const struct host_options host_defaults = {
	.ncpu = 4,
	.ram_size = 16u << 20,
	.design = "classic",
	.policy = { .targets = TLB_TARGETS_MASK,
	    .deliver = TLB_DELIVER_IPI,
	    .catchup = TLB_CATCHUP_GEN,
	    .asid_bits = -1 },
	.asid_bits = 16,
	.negative = true,
	.sbi = true,
};
struct host_options host_options;
struct boot_info boot_info = { .cmdline = "" };
char *host_message;
bool host_quiet;

static struct vmspace *loaded[MAXCPU];

void
host_boot(const struct host_options *o)
{
	host_options = *o;
	host_ram_size = o->ram_size;
	host_ram = os_map(host_ram_size, false);
	if (host_message == NULL)
		host_message = os_map(PAGE_SIZE, true);
	host_cpu_init();
	host_sched_init();
	host_mmu_init();
	frame_init();
	kmem_init();
	pmap_init();
	if (tlb_init(&host_options.policy) != 0)
		panic("tlb_init refused the policy");
	vm_chaos = o->chaos;
	if (vm_init(o->design) != 0)
		panic("no design %s", o->design);
	if (swap_start() != 0)
		panic("no memory for swap");
}

/* ---- programs ---- */

void
host_load(struct vmspace *vs)
{
	struct vmspace *old = loaded[cpu_id()];
	bool on;

	if (old == vs && (vs == NULL || pmap_current() == vs->pmap))
		return;
	if (vs != NULL)
		vmspace_hold(vs);
	on = intr_disable();
	if (vs != NULL)
		pmap_activate(vs->pmap);
	else
		pmap_lazy();
	loaded[cpu_id()] = vs;
	intr_restore(on);
	if (old != NULL)
		vmspace_drop(old);
}

struct vmspace *
host_loaded(void)
{
	return loaded[cpu_id()];
}

int
host_access(struct vmspace *vs, struct host_op *op)
{
	struct vm_fault f = { .va = op->va, .access = op->access };
	int error;
	bool on;

	host_load(vs);
	for (unsigned i = 0; i < FAULTS_MAX; i++) {
		on = intr_disable();
		pmap_user_fence();
		intr_restore(on);
		host_point(HOST_USER);
		if (host_try(op) == 0)
			return 0;
		error = vm_fault(vs, &f);
		if (error != 0)
			return error;
	}
	panic("MMU: CPU %u faults for ever at 0x%lx, access %u", cpu_id(),
	    (unsigned long)op->va, op->access);
}

int
host_read(struct vmspace *vs, vaddr_t va, uint64_t *value)
{
	struct host_op op = { .va = va, .access = VM_PROT_READ,
		.width = HOST_WORD };
	int error = host_access(vs, &op);

	if (error == 0)
		*value = op.value;
	return error;
}

int
host_write(struct vmspace *vs, vaddr_t va, uint64_t value)
{
	struct host_op op = { .va = va, .access = VM_PROT_WRITE,
		.width = HOST_WORD, .value = value };

	return host_access(vs, &op);
}

/* ---- messages ---- */

void
console_write(enum console_port port, const char *s, size_t n)
{
	(void)port;
	os_write(1, s, n);
}

bool
console_present(enum console_port port)
{
	return port == CONSOLE_TTY;
}

int
console_getc(void)
{
	return -1;
}

void
kprintf(const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	/* KTAP readers take what the kernel says as comments. */
	if (host_quiet)
		return;
	os_write(1, "# ", 2);
	os_write(1, line, strlen(line));
	if (strlen(line) == 0 || line[strlen(line) - 1] != '\n')
		os_write(1, "\n", 1);
}

void
panic(const char *fmt, ...)
{
	static char text[HOST_MESSAGE_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (host_message != NULL)
		strlcpy(host_message, text, HOST_MESSAGE_SIZE);
	if (!host_options.threads)
		os_throw();
	kprintf("panic: %s", text);
	os_exit(HOST_EXIT_PANIC);
}

bool
host_panics(host_fn *fn, void *arg)
{
	return os_catch(fn, arg);
}

bool
bootarg(const char *key, char *buf, size_t size)
{
	(void)key, (void)buf, (void)size;
	return false;
}

uint64_t
bootarg_u64(const char *key, uint64_t dflt)
{
	(void)key;
	return dflt;
}
