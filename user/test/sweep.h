/* SPDX-License-Identifier: MIT */
/*
 * sweep.h - what the sweep knows of a system call.
 */
#ifndef SWEEP_H
#define SWEEP_H

#include "ktap.h"

enum kind {
	K_NONE,			/* the call has no such argument */
	K_VALUE,		/* a number: any; vals mean something */
	K_PICK,			/* only vals: others would end or stop us */
	K_FD, K_DIR, K_TTY,	/* a descriptor: any; for *at calls; of ioctl */
	K_FILE, K_FOLDER, K_LINK, K_NEW, /* a path; of what, if all is good */
	K_IN, K_OUT,		/* a pointer to size bytes */
	K_LEN,			/* a size; the good one is in size */
	K_ADDR,			/* memory of the program that may go */
};

/* Of pointers. */
#define P_NULL		0x1u	/* NULL has a meaning */
#define P_NOT_NULL	0x2u	/* it has one that would keep us for ever */
#define P_MAY		0x4u	/* the call may leave it alone */
#define P_ALWAYS	0x8u	/* nothing else decides whether it is used */
#define P_BAD		0x10u	/* a good one would keep us for ever */

struct arg {
	uint8_t		 kind, flags, nvals;
	uint32_t	 size;
	const long	*vals;
};

/* What a call may return when it does not fail. */
enum result {
	R_ZERO, R_ANY,
	R_COUNT,		/* no more than there is room for */
	R_FD,			/* closed again */
	R_MAP, R_REMAP,		/* unmapped again */
	R_CHILD,		/* ends at once; waited for */
	R_NEVER,		/* it must fail */
	R_KERN,			/* Mach's: a kern_return_t */
};

/* How a call is made. */
#define C_CWD		0x1u	/* changes the working directory */
#define C_RANGE		0x2u	/* changes mappings: only those of the arena */
#define C_FLAGS		0x4u	/* changes the flags of descriptors */
#define C_FORK		0x8u	/* in a child, which ends well */
#define C_EXIT		0x10u	/* in a child, which ends with the argument */
#define C_SIGRETURN	0x20u	/* in a child, on a stack of random words */
#define C_NAMES		0x40u	/* changes names: they are made again */
#define C_CLOSE		0x80u	/* closes descriptors: they are made again */
#define C_ALLOCATE	0x100u	/* vm_allocate, vm_read: undone */
#define C_NO_SANITY	0x200u	/* nothing good to ask for */

enum owner { O_ALL, O_MACH, O_L4 };	/* designs that have the call */

struct shape {
	enum result	 result;
	enum owner	 owner;
	unsigned	 how;
	uint8_t		 errors[14];	/* beside those of the arguments */
	struct arg	 args[6];
	long		 in[3];		/* what input structures begin with */
};

struct sweep_call {
	const char	   *name;
	long		    nr;
	int		    nargs;
	const struct shape *shape;	/* NULL: the kernel has none yet */
};

/* By the sections of the kernel's table. */
enum section { S_FILE, S_PROC, S_SIGNAL, S_TIME, S_MEM, S_ARCH, S_TERN, S_LATER,
	NSECTIONS };
struct sweep_section {
	const struct sweep_call	*calls;
	size_t			 n;
};
extern const struct sweep_section sweep_sections[NSECTIONS];

/* --- sweep_args.c: what is passed ------------------------------------ */

/* Where things are; each is apart from the others. */
extern char *sweep_in, *sweep_out;	/* four pages each, then a hole */
extern char *sweep_arena;		/* ARENA_PAGES, then much room */
#define ARENA_PAGES	16
#define ROOM		(4 * PAGE_SIZE)	/* behind a good pointer */

void	sweep_prepare(void);
void	sweep_restore(const struct sweep_call *c);
/** How many values an argument has beside the good ones. */
size_t	sweep_count(const struct arg *a);
long	sweep_good(const struct arg *a);
/** The @p i-th value; *@p wrong: what an otherwise good call answers (0: it
 * may succeed). */
long	sweep_value(const struct arg *a, size_t i, int *wrong);
long	sweep_random(const struct arg *a, uint64_t *seed, bool *bad);
/** Whether making the call would take away what we stand on. */
bool	sweep_hurts(const struct sweep_call *c, const long *v);
/** What must not have been written was not, or the test fails. */
void	sweep_canaries(const char *name);

#endif /* SWEEP_H */
