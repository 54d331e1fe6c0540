/* SPDX-License-Identifier: MIT */
/*
 * ktap.h - the frame of the in-OS tests.
 *
 * A group is one program.  Each test runs in a child with a time limit, in a
 * process group of its own, so that a crash or hang ends that test only;
 * afterwards the kernel's resource counters must be back where they were.
 * EXPECT macros end the process on failure, in grandchildren and threads too:
 * a test must look at the status of children that it forks (expect_exit).
 */
#ifndef KTAP_H
#define KTAP_H

#include <user.h>

#include <abi/stat_tern.h>

#define T_TERN	0x1u	/* uses Tern's own calls or promises */
#define T_EXEC	0x2u	/* starts programs: not below an emulator of Linux */
#define T_SMP	0x4u	/* needs two CPUs */
#define T_NOEMU	0x8u	/* an emulator of Linux gets this wrong */
#define T_KEEPS	0x10u	/* keeps resources by intent: no leak check */
#define T_LINUX	0x20u	/* Linux differs by right: only run on Tern */

struct ktap_test {
	const char	 *name;
	void		(*fn)(void);
	unsigned	  flags;
};
#define TEST(fn, flags)	{ #fn, fn, flags }

#define KTAP_MAIN(group)						\
int									\
main(int argc, char **argv)						\
{									\
	return ktap_run(group, tests, nitems(tests), argc, argv);	\
}

int	ktap_run(const char *group, const struct ktap_test *tests, size_t n,
	    int argc, char **argv);
void	ktap_note(const char *fmt, ...) printflike(1, 2);
void	ktap_fail(const char *file, int line, const char *fmt, ...) noreturn
	    printflike(3, 4);
/** Ends the test as skipped. */
void	ktap_skip(const char *reason) noreturn;

#define EXPECT(cond) do {						\
	if (!(cond))							\
		ktap_fail(__FILE__, __LINE__, "%s: expected to hold",	\
		    #cond);						\
} while (0)

#define EXPECT_EQ(got, want) do {					\
	long got_ = (long)(got), want_ = (long)(want);			\
	if (got_ != want_)						\
		ktap_fail(__FILE__, __LINE__,				\
		    "%s: expected %ld (%#lx), got %ld (%#lx), last %s",	\
		    #got, want_, want_, got_, got_, strerror(errno));	\
} while (0)

/* The call must not return -1; gives its result. */
#define EXPECT_OK(call) __extension__ ({				\
	long ok_ = (long)(call);					\
	if (ok_ == -1)							\
		ktap_fail(__FILE__, __LINE__,				\
		    "%s: expected success, got %s", #call,		\
		    strerror(errno));					\
	ok_;								\
})

/* The call must return -1 with this errno. */
#define EXPECT_ERR(call, error) do {					\
	long err_;							\
	errno = 0;							\
	err_ = (long)(call);						\
	if (err_ != -1 || errno != (error))				\
		ktap_fail(__FILE__, __LINE__,				\
		    "%s: expected %s, got %ld and %s", #call,		\
		    strerror(error), err_, strerror(errno));		\
} while (0)

#define EXPECT_STR(got, want) do {					\
	const char *got_ = (got), *want_ = (want);			\
	if (strcmp(got_, want_) != 0)					\
		ktap_fail(__FILE__, __LINE__,				\
		    "%s: expected \"%s\", got \"%s\"", #got, want_,	\
		    got_);						\
} while (0)

/* --- helpers --------------------------------------------------------- */

/* Where Tern's user addresses end. */
#if defined(__riscv)
#define USER_END	0x4000000000ul
#else
#define USER_END	0x7ffffffff000ul
#endif

bool	on_tern(void);
/** @p path below $TEST_ROOT, where the root image is staged on Linux. */
const char *root_path(const char *path);
/** Runs fn(arg) in a child; returns the status of wait. */
int	in_child(void (*fn)(void *), void *arg);
/** It must exit with this code, or be killed by this signal. */
void	expect_exit(int status, int code);
void	expect_signal(int status, int sig);
/** Anonymous private pages, readable and writable, or the test fails. */
char	*map_pages(size_t npages);
char	*map_shared(size_t npages);
uint64_t stat_now(enum tern_stat_index i);
/** All of them, once what ended before is gone: a thread that was waited for
 * may still be on its way out on another CPU. */
void	stat_settled(struct tern_stat *st);
/** Waits, yielding, until *@p word is @p value; fails after 10 s. */
void	await(int *word, int value);
/** A pseudo-random sequence, the same everywhere. */
uint64_t prng(uint64_t *state);
/** Puts the calling thread on one CPU; false if it may not run there. */
bool	pin_to_cpu(int cpu);

/* --- probe.c: what happens at an address, without dying of it -------- */

enum probe { PROBE_READ, PROBE_WRITE, PROBE_EXEC };
struct fault {
	int	 sig;			/* 0: none happened */
	int	 code;			/* si_code */
	void	*addr;			/* si_addr */
};
extern int *volatile nowhere;	/* a place that is never mapped */
/** Reads, writes (back what it read) or calls (a return) at @p addr. */
struct fault probe(const void *addr, enum probe how);
void	expect_fault(const char *file, int line, const void *addr,
	    enum probe how, int code);
#define EXPECT_SEGV(addr, how, code)					\
	expect_fault(__FILE__, __LINE__, (const void *)(addr), how, code)
#define EXPECT_ACCESS(addr, how)					\
	expect_fault(__FILE__, __LINE__, (const void *)(addr), how, 0)

#endif /* KTAP_H */
