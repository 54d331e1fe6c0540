/* SPDX-License-Identifier: MIT */
/**
 * @file host.h
 * The simulated machine as a test sees it.
 *
 * Two modes.  Deterministic: one host thread; the test says which CPU acts
 * (host_switch_cpu), or gives each CPU a stack and lets a seeded scheduler
 * choose at every host_point (host_run_stacks).  Threaded: one pthread a CPU
 * (host_run_threads), for race detectors and stress.
 *
 * Programs touch memory only through host_access(): the MMU with TLBs that
 * never evict decides; faults go to vm_fault() as the trap code would.
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include "arch/cpu.h"
#include "vm/vm.h"

struct host_options {
	unsigned ncpu;
	size_t ram_size;
	const char *design;
	unsigned chaos;	    /* vm_chaos */
	struct tlb_policy policy;
	unsigned asid_bits; /* of the hardware; 0: it has no ASIDs */
	bool negative;	    /* TLBs also keep invalid entries */
	bool svade;	    /* A and D trap instead of being set */
	bool sbi;	    /* the machine has remote fences */
	bool ipi_deferred;  /* handlers run only when the target polls */
	bool threads;
	size_t swap_slots;  /* 0: no swap; at most HOST_SWAP_MAX */
};

#define HOST_SWAP_MAX 512

/** Called before each transfer to or from swap; NULL. */
extern void (*host_swap_hook)(void);
/** Whether the device answers EIO for this slot; NULL: never. */
extern bool (*host_swap_fails)(uint64_t slot, bool write);

/** Four CPUs, 16 MiB, 16 ASID bits, negative entries, classic. */
extern const struct host_options host_defaults;
extern struct host_options host_options;

/** Build the machine and start the kernel's memory layers. @ctx once */
void host_boot(const struct host_options *);

/* ---- CPUs ---- */

/** Act as CPU @p c from now on (deterministic mode, no stacks running). */
void host_switch_cpu(unsigned c);

/** Called at each point of the current CPU (deterministic mode), never nested.
 * It may switch the CPU if it switches back. */
extern void (*host_hook)(enum host_point);

/**
 * Run fn[c](arg) on CPU c, each on its own stack; at each point a generator
 * with @p seed decides who goes on.  Panics on a deadlock.
 */
typedef void host_fn(void *);
void host_run_stacks(uint64_t seed, unsigned n, host_fn *const fn[],
    void *const arg[]);
/** The same with real threads; needs host_options.threads. */
void host_run_threads(unsigned n, host_fn *const fn[], void *const arg[]);

/** Mark the thread of CPU @p c as dying: its killable waits end. */
void host_kill(unsigned c, bool dying);

/* ---- memory ---- */

enum host_width { HOST_BYTE = 1, HOST_WORD = 8 };

/** One access of a program. */
struct host_op {
	vaddr_t va;
	vm_prot_t access;     /* exactly one right */
	enum host_width width;
	uint64_t value;	      /* to write; or what was read or fetched */
};

/**
 * The current CPU runs a program of @p vs that does @p op; faults are resolved
 * as the trap code does.
 * @return 0 or what vm_fault() said; panics when the fault repeats for ever
 */
int host_access(struct vmspace *vs, struct host_op *op);
int host_read(struct vmspace *, vaddr_t, uint64_t *value);
int host_write(struct vmspace *, vaddr_t, uint64_t value);

/** Only try: EAGAIN instead of a fault; the space must be loaded. */
int host_try(struct host_op *op);

/** The current CPU walks for @p va on its own initiative, as hardware may do at
 * any time with the root that is loaded. */
void host_speculate(vaddr_t va);
/** Whether the kernel could write at @p va of its own window just now. */
bool host_kernel_try(vaddr_t va);

/** Load @p vs on the current CPU as the scheduler would; NULL: be lazy. */
void host_load(struct vmspace *vs);

/**
 * Called for each access that the MMU lets through, with the physical address
 * that was really used.  For oracles.
 */
extern void (*host_on_access)(const struct host_op *, paddr_t);

/** Translations kept on CPU @p c. */
size_t host_tlb_count(unsigned c);
/** Whether CPU @p c could use @p va of @p asid without a walk. */
bool host_tlb_holds(unsigned c, unsigned asid, vaddr_t va);
/** Fences so far on CPU @p c. */
struct host_flushes {
	uint64_t ranges, pages, asids, all, icache;
};
extern struct host_flushes host_flushes[MAXCPU];

/* ---- failures ---- */

/** Message of the last panic; "" if none. In memory that children share. */
extern char *host_message;
#define HOST_MESSAGE_SIZE 512
/** Exit code of a child that panicked. */
#define HOST_EXIT_PANIC 96

/** Keep the kernel's own messages to itself. */
extern bool host_quiet;

/** Call @p fn(@p arg) and tell whether it panicked. The machine may be unusable
 * afterwards: run it in a child (os_run). */
bool host_panics(host_fn *fn, void *arg);

/** Pseudo-random numbers (xorshift64*); the state must not be 0. */
uint64_t host_random(uint64_t *state);

/* ---- between the files of the port ---- */

void host_cpu_init(void);
void host_mmu_init(void);
void host_sched_init(void);
void host_tick(void);	   /* virtual time passes */
bool host_poll_others(void); /* run handlers of other CPUs; did one run? */
extern bool host_stacks_running, host_threads_running;
void host_stack_point(enum host_point);
bool host_stack_late(void);
struct vmspace *host_loaded(void);

#endif
