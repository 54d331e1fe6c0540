/* SPDX-License-Identifier: MIT */
/*
 * procfs_text.c - the texts of /proc, in Linux's formats.
 *
 * Path: procfs.c (text_make) -> HERE.
 * Locks: called with a file's position lock held; each function takes and
 *	drops what it needs, so a text is not one atomic view of a process.
 * What a process might delay is not waited for: its arguments are read only
 *	where its pages are present.
 * Source: proc(5) of the Linux man-pages.
 */
#include "arch/boot.h"
#include "abi/stat.h"
#include "abi/time.h"
#include "arch/timer.h"
#include "fs/procfs.h"
#include "lib/string.h"
#include "mem/frame.h"
#include "mem/kmem.h"
#include "proc/device.h"
#include "proc/job.h"
#include "proc/signal.h"
#include "proc/stats.h"
#include "vm/swap.h"

#define TICK_NS	 (1000000000ull / USER_HZ)
#define PAGE_KIB (PAGE_SIZE / 1024)

/* ---- of the system ---- */

static void
show_meminfo(struct sink *sk, struct proc *p)
{
	uint64_t free = frame_free_count() * PAGE_KIB;
	const struct {
		const char *name;
		uint64_t kib;
	} rows[] = {
		{ "MemTotal:", frame_total() * PAGE_KIB },
		{ "MemFree:", free },
		{ "MemAvailable:", free },
		{ "Buffers:", 0 },
		{ "Cached:", 0 },
		{ "SwapCached:", 0 },
		{ "SwapTotal:", swap_total() * PAGE_KIB },
		{ "SwapFree:", (swap_total() - swap_used()) * PAGE_KIB },
		{ "Dirty:", 0 },
		{ "Slab:", kmem_slab_frames() * PAGE_KIB },
		{ "KernelStack:", counter_read(TS_threads) * KSTACK_PAGES *
			PAGE_KIB },
		{ "PageTables:", counter_read(TS_page_tables) * PAGE_KIB },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		sink_printf(sk, "%-15s %8lu kB\n", rows[i].name,
		    (unsigned long)rows[i].kib);
}

static void
cpu_row(struct sink *sk, const char *name, uint64_t busy, uint64_t idle)
{
	sink_printf(sk, "%s %lu 0 0 %lu 0 0 0 0 0 0\n", name,
	    (unsigned long)(busy / TICK_NS), (unsigned long)(idle / TICK_NS));
}

/* Time of CPU @p c without work; what is left of the uptime is busy. */
static ns_t
cpu_idle_ns(unsigned c, ns_t now)
{
	return MIN(sched_idle_ns(c), now);
}

static void
show_stat(struct sink *sk, struct proc *p)
{
	ns_t now = timer_now(), idle, total = 0;
	char name[16];

	for (unsigned c = 0; c < ncpu; c++)
		total += cpu_idle_ns(c, now);
	cpu_row(sk, "cpu ", now * ncpu - total, total);
	for (unsigned c = 0; c < ncpu; c++) {
		idle = cpu_idle_ns(c, now);
		(void)snprintf(name, sizeof(name), "cpu%u", c);
		cpu_row(sk, name, now - idle, idle);
	}
	sink_printf(sk, "intr %lu\nctxt %lu\nbtime %lu\nprocesses %lu\n"
			"procs_running %u\nprocs_blocked 0\n",
	    (unsigned long)counter_read(TS_interrupts),
	    (unsigned long)counter_read(TS_context_switches),
	    (unsigned long)((timer_realtime() - now) / 1000000000ull),
	    (unsigned long)counter_read(TS_forks), sched_nready() + 1);
}

static void
show_vmstat(struct sink *sk, struct proc *p)
{
	static const char *const names[] = {
#define STAT_NAME(name, text) [TS_##name] = #name,
		TERN_STAT_LEVELS(STAT_NAME)
		TERN_STAT_EVENTS(STAT_NAME)
#undef STAT_NAME
	};
	struct tern_stat st;

	stats_read(&st);
	for (unsigned i = 0; i < TS_COUNT; i++)
		sink_printf(sk, "%s %lu\n", names[i], (unsigned long)st.v[i]);
}

static void
show_uptime(struct sink *sk, struct proc *p)
{
	ns_t now = timer_now(), idle = 0;

	for (unsigned c = 0; c < ncpu; c++)
		idle += cpu_idle_ns(c, now);
	sink_printf(sk, "%lu.%02lu %lu.%02lu\n",
	    (unsigned long)(now / 1000000000ull),
	    (unsigned long)(now / 10000000ull % 100),
	    (unsigned long)(idle / 1000000000ull),
	    (unsigned long)(idle / 10000000ull % 100));
}

static void
show_boot_args(struct sink *sk, struct proc *p)
{
	sink_printf(sk, "%s\n", boot_info.cmdline);
}

static void
show_cpuinfo(struct sink *sk, struct proc *p)
{
	for (unsigned c = 0; c < ncpu; c++)
		sink_printf(sk, "processor\t: %u\nhwid\t\t: %lu\n\n", c,
		    (unsigned long)cpus[c].hwid);
}

/* ---- of one process ---- */

static void
maps_row(struct sink *sk, const struct vm_region_info *r)
{
	const char *name = r->flags & VM_MAP_HEAP ? "[heap]" :
	    r->flags & VM_MAP_STACK		  ? "[stack]" :
	    r->source == VM_PHYS		  ? "[phys]" :
						    "";
	char row[64];

	(void)snprintf(row, sizeof(row),
	    "%08lx-%08lx %c%c%c%c 00000000 00:00 0",
	    (unsigned long)r->sva, (unsigned long)r->eva,
	    r->prot & VM_PROT_READ ? 'r' : '-',
	    r->prot & VM_PROT_WRITE ? 'w' : '-',
	    r->prot & VM_PROT_EXECUTE ? 'x' : '-',
	    r->flags & VM_MAP_SHARED ? 's' : 'p');
	if (*name != '\0')
		sink_printf(sk, "%-73s%s\n", row, name);
	else
		sink_printf(sk, "%s\n", row);
}

static void
show_maps(struct sink *sk, struct proc *p)
{
	struct vmspace *vs = proc_space(p);
	struct vm_region_info r;
	vaddr_t va = 0;

	if (vs == NULL)
		return;
	while (vm_region(vs, va, &r) == 0) {
		maps_row(sk, &r);
		va = r.eva;
	}
	vmspace_drop(vs);
}

/** Sizes in bytes; all 0 of a zombie. */
struct memory {
	uint64_t mapped, resident;
};

static struct memory
memory_of(struct proc *p)
{
	struct vmspace *vs = proc_space(p);
	struct memory m = { 0 };

	if (vs != NULL) {
		m.mapped = vs->size_bytes;
		m.resident = (uint64_t)vs->pmap->nleaves * PAGE_SIZE;
		vmspace_drop(vs);
	}
	return m;
}

/** Copies of what the signal lock covers. */
struct signals {
	sigset_t pending, process_pending, blocked, ignored, caught;
	unsigned nthreads;
};

static struct signals
signals_of(struct proc *p)
{
	bool on = spin_lock_irq(&p->siglock);
	struct signals s = { .process_pending = p->sigpending,
		.nthreads = p->nthreads };

	if (!list_empty(&p->threads)) {
		const struct thread *t = LIST_ENTRY(p->threads.next,
		    struct thread, proc_link);

		s.pending = t->sigpending;
		s.blocked = t->sigmask;
	}
	if (p->acts != NULL) {
		s.ignored = p->acts->ignored;
		s.caught = p->acts->caught;
	}
	spin_unlock_irq(&p->siglock, on);
	return s;
}

/* 52 fields; those that mean nothing here are 0. */
static void
show_pid_stat(struct sink *sk, struct proc *p)
{
	struct memory m = memory_of(p);
	struct signals s = signals_of(p);
	struct proc_usage u;
	bool mine;

	proc_usage(p, &u);
	/* 1 pid ... 7 tty_nr, tpgid, 9 flags */
	mine = p->sid == terminal.sid;
	sink_printf(sk, "%d (%s) %c %d %d %d %d %d 0 ", p->pid, p->name,
	    proc_state(p), proc_ppid(p), p->pgid, p->sid,
	    mine ? TERMINAL_NUMBER : 0, mine ? terminal.pgid : -1);
	/* 10 minflt ... 17 cstime */
	sink_printf(sk, "%lu %lu 0 0 %lu 0 %lu 0 ", (unsigned long)u.nfaults,
	    (unsigned long)p->child_nfaults,
	    (unsigned long)(u.run_ns / TICK_NS),
	    (unsigned long)(p->child_run_ns / TICK_NS));
	/* 18 priority, nice, num_threads, itrealvalue, 22 starttime */
	sink_printf(sk, "20 0 %u 0 0 ", s.nthreads);
	/* 23 vsize, rss, rsslim, 26 startcode ... 30 kstkeip */
	sink_printf(sk, "%lu %lu %lu 0 0 0 0 0 ", (unsigned long)m.mapped,
	    (unsigned long)(m.resident / PAGE_SIZE), ~0ul);
	/* 31 signal, blocked, sigignore, sigcatch, 35 wchan */
	sink_printf(sk, "%lu %lu %lu %lu 0 ",
	    (unsigned long)(s.pending | s.process_pending),
	    (unsigned long)s.blocked, (unsigned long)s.ignored,
	    (unsigned long)s.caught);
	/* 36 nswap, cnswap, exit_signal, 39 processor ... 47 start_brk */
	sink_printf(sk, "0 0 %u 0 0 0 0 0 0 0 0 0 ", p->exit_signal);
	/* 48 arg_start, arg_end, env_start, env_end, 52 exit_code */
	sink_printf(sk, "%lu %lu 0 0 %d\n", (unsigned long)p->arg_start,
	    (unsigned long)p->arg_end, p->exit_status);
}

static void
show_statm(struct sink *sk, struct proc *p)
{
	struct memory m = memory_of(p);

	sink_printf(sk, "%lu %lu 0 0 0 %lu 0\n",
	    (unsigned long)(m.mapped / PAGE_SIZE),
	    (unsigned long)(m.resident / PAGE_SIZE),
	    (unsigned long)(m.mapped / PAGE_SIZE));
}

static const char *
state_name(char state)
{
	switch (state) {
	case 'R':
		return "running";
	case 'Z':
		return "zombie";
	case 'T':
		return "stopped";
	default:
		return "sleeping";
	}
}

static void
show_status(struct sink *sk, struct proc *p)
{
	struct memory m = memory_of(p);
	struct signals s = signals_of(p);
	char state = proc_state(p);

	sink_printf(sk, "Name:\t%s\nUmask:\t0%u%u%u\nState:\t%c (%s)\n",
	    p->name, p->umask >> 6 & 7, p->umask >> 3 & 7, p->umask & 7,
	    state, state_name(state));
	sink_printf(sk, "Tgid:\t%d\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n",
	    p->pid, p->pid, proc_ppid(p));
	sink_printf(sk, "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nFDSize:\t%d\n",
	    FD_MAX);
	sink_printf(sk, "VmSize:\t%8lu kB\nVmRSS:\t%8lu kB\n",
	    (unsigned long)m.mapped / 1024, (unsigned long)m.resident / 1024);
	sink_printf(sk, "Threads:\t%u\n", s.nthreads);
	sink_printf(sk, "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n",
	    (unsigned long)s.pending, (unsigned long)s.process_pending,
	    (unsigned long)s.blocked);
	sink_printf(sk, "SigIgn:\t%016lx\nSigCgt:\t%016lx\n",
	    (unsigned long)s.ignored, (unsigned long)s.caught);
}

static void
show_comm(struct sink *sk, struct proc *p)
{
	sink_printf(sk, "%s\n", p->name);
}

/* Arguments as they stand on the stack, each with its NUL. */
static void
show_cmdline(struct sink *sk, struct proc *p)
{
	struct vmspace *vs = proc_space(p);
	vaddr_t va = p->arg_start, end = p->arg_end;
	struct vm_page *pg;
	size_t n;

	if (vs == NULL)
		return;
	for (; va < end; va += n) {
		n = MIN(end - va, PAGE_SIZE - (va & PAGE_MASK));
		if (pmap_get_pin(vs->pmap, va, VM_PROT_READ, &pg) != 0)
			break;
		sk->put(sk, (const char *)page_to_virt(pg) + (va & PAGE_MASK),
		    n);
		page_unpin(pg, false);
	}
	vmspace_drop(vs);
}

/* ---- of Tern ---- */

static void
show_vm(struct sink *sk, struct proc *p)
{
	vm_dump(proc_self()->space, sk);
}

static void
show_slab(struct sink *sk, struct proc *p)
{
	kmem_dump(sk);
}

#define DIR_MODE  (S_IFDIR | 0555)
#define FILE_MODE (S_IFREG | 0444)

const struct procfs_entry procfs_entries[] = {
	{ "", PROCFS_NONE, PROCFS_ROOT, DIR_MODE, NULL },
	{ "", PROCFS_NONE, PROCFS_PID, DIR_MODE, NULL },
	{ "self", PROCFS_ROOT, PROCFS_NONE, S_IFLNK | 0777, NULL },
	{ "meminfo", PROCFS_ROOT, PROCFS_NONE, FILE_MODE, show_meminfo },
	{ "stat", PROCFS_ROOT, PROCFS_NONE, FILE_MODE, show_stat },
	{ "vmstat", PROCFS_ROOT, PROCFS_NONE, FILE_MODE, show_vmstat },
	{ "uptime", PROCFS_ROOT, PROCFS_NONE, FILE_MODE, show_uptime },
	{ "cmdline", PROCFS_ROOT, PROCFS_NONE, FILE_MODE, show_boot_args },
	{ "cpuinfo", PROCFS_ROOT, PROCFS_NONE, FILE_MODE, show_cpuinfo },
	{ "tern", PROCFS_ROOT, PROCFS_TERN, DIR_MODE, NULL },
	{ "vm", PROCFS_TERN, PROCFS_NONE, FILE_MODE, show_vm },
	{ "slab", PROCFS_TERN, PROCFS_NONE, FILE_MODE, show_slab },
	{ "maps", PROCFS_PID, PROCFS_NONE, FILE_MODE, show_maps },
	{ "stat", PROCFS_PID, PROCFS_NONE, FILE_MODE, show_pid_stat },
	{ "statm", PROCFS_PID, PROCFS_NONE, FILE_MODE, show_statm },
	{ "status", PROCFS_PID, PROCFS_NONE, FILE_MODE, show_status },
	{ "cmdline", PROCFS_PID, PROCFS_NONE, FILE_MODE, show_cmdline },
	{ "comm", PROCFS_PID, PROCFS_NONE, FILE_MODE, show_comm },
};
const unsigned procfs_nentries = ARRAY_SIZE(procfs_entries);
