/* SPDX-License-Identifier: MIT */
/*
 * sys_misc.c - the system itself: names, limits, random bytes, counters,
 * power.
 */
#include "abi/errno.h"
#include "abi/prctl.h"
#include "abi/reboot.h"
#include "abi/resource.h"
#include "abi/utsname.h"
#include "arch/boot.h"
#include "arch/timer.h"
#include "fs/vfs.h"
#include "lib/string.h"
#include "mem/failpoint.h"
#include "proc/id.h"
#include "proc/stats.h"
#include "sys/random.h"
#include "sys/syscall_table.h"
#include "vm/swap.h"

#if defined(__riscv)
#define MACHINE "riscv64"
#else
#define MACHINE "x86_64"
#endif

long
sys_uname(uintptr_t out)
{
	/* Programs compare the release with the Linux that they need. */
	static const struct utsname names = {
		.sysname = "Tern",
		.nodename = "tern",
		.release = "6.1.0-tern",
		.version = "#1 SMP",
		.machine = MACHINE,
		.domainname = "(none)",
	};

	return -copyout(thread_self()->space, out, &names, sizeof(names));
}

long
sys_sysinfo(uintptr_t out)
{
	struct sysinfo si;

	memset(&si, 0, sizeof(si));
	si.uptime = (int64_t)(timer_now() / 1000000000);
	si.totalram = frame_total();
	si.freeram = frame_free_count();
	si.totalswap = swap_total();
	si.freeswap = swap_total() - swap_used();
	si.procs = (uint16_t)counter_read(TS_processes);
	si.mem_unit = PAGE_SIZE;
	return -copyout(thread_self()->space, out, &si, sizeof(si));
}

long
sys_umask(uintptr_t mask)
{
	struct proc *p = proc_self();
	unsigned old = p->umask;

	p->umask = (unsigned)mask & 0777;
	return (long)old;
}

/* ---- limits ---- */

static int
limit_get(unsigned what, struct rlimit *r)
{
	if (what >= RLIM_NLIMITS)
		return EINVAL;
	r->rlim_cur = r->rlim_max = RLIM_INFINITY;
	if (what == RLIMIT_STACK)
		r->rlim_cur = r->rlim_max = 8 << 20;
	else if (what == RLIMIT_NOFILE) {
		r->rlim_cur = (unsigned)proc_self()->nofile;
		r->rlim_max = FD_MAX;
	} else if (what == RLIMIT_NPROC)
		r->rlim_cur = r->rlim_max = ID_LIMIT;
	else if (what == RLIMIT_CORE)
		r->rlim_cur = 0;
	else if (what == RLIMIT_AS &&
	    thread_self()->space->limit_bytes != USER_MAX)
		r->rlim_cur = thread_self()->space->limit_bytes;
	return 0;
}

/* Address space and descriptors have limits that can be set; to ask for what is
 * there already is fine. */
static int
limit_set(unsigned what, const struct rlimit *old, const struct rlimit *new)
{
	if (new->rlim_cur > new->rlim_max)
		return EINVAL;
	if (what == RLIMIT_AS)
		thread_self()->space->limit_bytes = MIN(new->rlim_cur,
		    (uint64_t)USER_MAX);
	else if (what == RLIMIT_NOFILE && new->rlim_cur <= FD_MAX)
		proc_self()->nofile = (int)new->rlim_cur;
	else if (new->rlim_cur != old->rlim_cur && what != RLIMIT_CORE)
		return EPERM;
	return 0;
}

long
sys_prlimit64(uintptr_t pid, uintptr_t what, uintptr_t new, uintptr_t old)
{
	struct vmspace *vs = thread_self()->space;
	struct rlimit was, set;
	int error;

	if ((int)pid != 0 && (int)pid != proc_self()->pid)
		return -ESRCH;
	error = limit_get((unsigned)what, &was);
	if (error == 0 && new != 0) {
		error = copyin(vs, &set, new, sizeof(set));
		if (error == 0)
			error = limit_set((unsigned)what, &was, &set);
	}
	if (error == 0 && old != 0)
		error = copyout(vs, old, &was, sizeof(was));
	return -error;
}

/* ---- random ---- */

/* splitmix64: good enough for hash seeds, no cryptography; the same sequence
 * on each boot unless seed= says otherwise. */
static uint64_t random_state;

void
random_init(void)
{
	random_state = bootarg_u64("seed", 1);
}

uint64_t
random_u64(void)
{
	uint64_t z = __atomic_add_fetch(&random_state, 0x9e3779b97f4a7c15ull,
	    __ATOMIC_RELAXED);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

long
sys_getrandom(uintptr_t buf, uintptr_t n, uintptr_t flags)
{
	size_t done = 0;

	if (flags & ~(uintptr_t)7)
		return -EINVAL;
	n = MIN(n, (uintptr_t)INT32_MAX);
	while (done < n) {
		uint64_t piece[8];
		size_t now = MIN(n - done, sizeof(piece));

		for (unsigned i = 0; i < ARRAY_SIZE(piece); i++)
			piece[i] = random_u64();
		if (copyout(thread_self()->space, buf + done, piece, now) != 0)
			return done > 0 ? (long)done : -EFAULT;
		done += now;
		if (sched_interrupted(WAIT_SIGNAL))
			break;
	}
	return (long)done;
}

/* ---- Tern's own ---- */

long
sys_tern_stat(uintptr_t buf, uintptr_t size)
{
	struct tern_stat st;
	size_t n = MIN(size, sizeof(st));
	int error;

	stats_read(&st);
	error = copyout(thread_self()->space, buf, &st, n);
	return error != 0 ? -error : (long)n;
}

/* Let the n-th allocation of this thread fail. */
long
sys_tern_fail(uintptr_t n)
{
	return (long)fail_arm(n, thread_self());
}

long
sys_prctl(uintptr_t option, uintptr_t a, uintptr_t b, uintptr_t c,
    uintptr_t d)
{
	struct vmspace *vs = thread_self()->space;
	char name[PR_NAME_LEN];
	int error;

	switch (option) {
	case PR_SET_NAME:
		error = copyinstr(vs, name, a, sizeof(name));
		if (error != 0 && error != ENAMETOOLONG)
			return -error;
		name[sizeof(name) - 1] = '\0';
		memcpy(proc_self()->name, name, sizeof(name));
		return 0;
	case PR_GET_NAME:
		return -copyout(vs, a, proc_self()->name, PR_NAME_LEN);
	default:
		return -EINVAL;
	}
}
_Static_assert(PR_NAME_LEN == PROC_NAME_MAX, "prctl moves whole names");

long
sys_reboot(uintptr_t magic1, uintptr_t magic2, uintptr_t cmd, uintptr_t arg)
{
	if ((uint32_t)magic1 != LINUX_REBOOT_MAGIC1 ||
	    (uint32_t)magic2 != LINUX_REBOOT_MAGIC2)
		return -EINVAL;
	switch ((uint32_t)cmd) {
	case LINUX_REBOOT_CMD_POWER_OFF:
	case LINUX_REBOOT_CMD_HALT:
	case LINUX_REBOOT_CMD_RESTART:
		vfs_shutdown();
		cpu_poweroff(0);
	case LINUX_REBOOT_CMD_CAD_OFF:
		return 0;
	default:
		return -EINVAL;
	}
}

#if defined(__riscv)
/* Nothing is known: Linux answers so with the key -1. */
long
sys_riscv_hwprobe(uintptr_t pairs, uintptr_t n, uintptr_t ncpus,
    uintptr_t cpus_mask, uintptr_t flags)
{
	const struct {
		int64_t key;
		uint64_t value;
	} none = { -1, 0 };

	if (flags != 0 || n > 64)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		int error = copyout(thread_self()->space,
		    pairs + i * sizeof(none), &none, sizeof(none));

		if (error != 0)
			return -error;
	}
	return 0;
}
#endif
