/* SPDX-License-Identifier: MIT */
/*
 * main.c - boot order, from the first C of the generic kernel to /bin/init.
 *
 * The port has set up the direct map, the kernel's page table and the console.
 * kmain() becomes the idle thread of the boot CPU; what may sleep (mounting,
 * loading init) runs in the first process.
 */
#include "abi/errno.h"
#include "arch/boot.h"
#include "arch/cpu.h"
#include "bootarg.h"
#include "crash.h"
#include "dev/dev.h"
#include "fs/vfs.h"
#include "ipc/futex.h"
#include "ipc/pipe.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mem/failpoint.h"
#include "mem/kmem.h"
#include "proc/proc.h"
#include "proc/swapon.h"
#include "sys/random.h"
#include "sys/syscall_table.h"
#include "vm/pageout.h"

#define ENV_MAX 16

/* Which of @p names the boot argument @p key chooses; the first by default. */
static unsigned
choice(const char *key, const char *const *names)
{
	char value[16];

	if (!bootarg(key, value, sizeof(value)))
		return 0;
	for (unsigned i = 0; names[i] != NULL; i++)
		if (strcmp(value, names[i]) == 0)
			return i;
	kprintf("boot: %s=%s is unknown, using %s\n", key, value, names[0]);
	return 0;
}

static void
init_tlb(void)
{
	static const char *const targets[] = { "mask", "all", NULL };
	static const char *const deliver[] = { "ipi", "sbi", NULL };
	static const char *const catchup[] = { "gen", "eager", "tick", NULL };
	const struct tlb_policy policy = {
		.targets = choice("tlb.targets", targets),
		.deliver = choice("tlb.deliver", deliver),
		.catchup = choice("tlb.catchup", catchup),
		.asid_bits = (int)bootarg_u64("tlb.asidbits", (uint64_t)-1),
	};

	if (tlb_init(&policy) != 0)
		panic("this machine cannot do what tlb.* asks for");
}

static void
init_vm(void)
{
	char design[16] = "classic", policy[16];

	frame_init();
	kmem_init();
	pmap_init();
	init_tlb();
	(void)bootarg("vm", design, sizeof(design));
	vm_chaos = (unsigned)bootarg_u64("mach.chaos", 0);
	if (bootarg("pd", policy, sizeof(policy)) &&
	    pageout_choose(policy) != 0)
		panic("pd=%s: no such policy", policy);
	switch (vm_init(design)) {
	case 0:
		break;
	case ENOENT:
		panic("vm=%s: no such design", design);
	default:
		panic("vm=%s: no memory to start with", design);
	}
}

/* First process: mount, load, leave to user mode. */
static void
init_process(void *arg)
{
	static char path[128] = "/bin/init", root[16] = "ram0", text[512];
	static char swap[16];
	uint64_t size = bootarg_u64("ram1", 0);
	static const char *env[ENV_MAX];
	const char *argv[] = { path, NULL };
	int error;

	(void)arg;
	sched_finish_switch();
	intr_enable();
	(void)bootarg("root", root, sizeof(root));
	(void)bootarg("init", path, sizeof(path));
	bootarg_environment(env, ENV_MAX, text, sizeof(text));
	if (size > 0 && ramdisk_create(size) != 0)
		kprintf("ram1=: not enough memory\n");
	if (swap_on(bootarg("swap", swap, sizeof(swap)) ? swap : NULL) != 0)
		panic("no memory for the page-out daemon");
	error = vfs_init(root);
	if (error != 0)
		panic("cannot mount %s as root: error %d", root, error);
	error = vfs_open(NULL, "/", O_RDONLY | O_DIRECTORY, 0,
	    &proc_self()->cwd);
	if (error == 0)
		error = exec_init(path, argv, env);
	if (error != 0)
		panic("cannot run %s: error %d", path, error);
	crash_plant();
	fail_arm(bootarg_u64("failat", 0), NULL);
	trap_return_user();
}

void
kmain(void)
{
	sched_init();
	kprintf("Tern: %u CPUs\n", boot_info.ncpus);
	init_vm();
	sched_configure();
	random_init();
	file_init();
	proc_init();
	futex_init();
	pipe_init();
	machine_init_devices();
	dev_init();
	cpu_start_others(sched_cpu_start);
	pmap_lazy();
	machine_init_cpu();
	kprintf("Tern: %zu MiB, vm=%s, %u CPUs\n",
	    frame_total() * PAGE_SIZE >> 20, vm_design->name, ncpu);
	if (proc_create_init(init_process) != 0)
		panic("no memory for the first process");
	sched_idle_loop();
}
