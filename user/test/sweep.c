/* SPDX-License-Identifier: MIT */
/*
 * sweep.c - every system call, every argument, every kind of bad value.
 *
 * Three passes over each call of the kernel's table.  First all arguments are
 * good: it must succeed, so that the rest means something.  Then one argument
 * at a time takes each of its bad values: the call must fail with the errno of
 * just that.  Then all arguments are drawn at random: the result must be one
 * that sweep_calls.c allows.  Afterwards no file, pipe, pin, region, process or
 * space may be left, and no page without the right was written.
 *
 * Boot arguments: sweep=N random calls of each (default 200), sweepseed=S.
 * What fails says the call as numbers, and its number in the sequence.
 */
#include "sweep.h"

#define COUNT		200
#define SETTLE_NS	3000000000ull
#define ERRNO_MAX	133

/* One call that is made. */
struct trial {
	const struct sweep_call	*c;
	const char		*pass;
	unsigned long		 number;
	uint64_t		 seed;
	long			 v[6];
	int			 wrong;	/* the errno that it must return */
	bool			 always; /* it may not succeed */
};

static unsigned long ncalls;
static bool has_design[3] = { true, false, false };

static unsigned long
parameter(const char *name, unsigned long dflt)
{
	const char *s = getenv(name);

	return s != NULL ? strtoul(s, NULL, 0) : dflt;
}

/* --- what may come back ---------------------------------------------- */

static bool
in_list(const uint8_t *list, size_t n, long error)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (list[i] == error)
			return true;
	}
	return false;
}

/* What an argument of this kind can be blamed for. */
static bool
argument_error(const struct arg *a, long error)
{
	static const uint8_t path[] = { EFAULT, ENOENT, ENOTDIR, ELOOP,
		ENAMETOOLONG };

	switch (a->kind) {
	case K_NONE:
		return false;
	case K_FD: case K_DIR: case K_TTY:
		return error == EBADF || error == EINVAL;
	case K_IN: case K_OUT:
		return error == EFAULT || error == EINVAL;
	case K_FILE: case K_FOLDER: case K_LINK: case K_NEW:
		return in_list(path, nitems(path), error);
	case K_ADDR:
		return error == EINVAL || error == ENOMEM;
	default:
		return error == EINVAL;
	}
}

static bool
error_allowed(const struct trial *t, long error)
{
	const struct shape *s = t->c->shape;
	int i;

	if (t->wrong != 0 && s->result != R_NEVER)
		return error == t->wrong;
	if (in_list(s->errors, nitems(s->errors), error))
		return true;
	for (i = 0; i < 6; i++) {
		if (argument_error(&s->args[i], error))
			return true;
	}
	return false;
}

static unsigned long
first_length(const struct trial *t)
{
	int i;

	for (i = 0; i < 6; i++) {
		if (t->c->shape->args[i].kind == K_LEN)
			return (unsigned long)t->v[i];
	}
	return 0;
}

/* Ranges that lie in no address space.  Linux takes a length that rounds up to
 * 0 for 0 in msync and madvise. */
static bool
impossible_range(const struct trial *t)
{
	long nr = t->c->nr;

	return (nr == SYS_mmap || nr == SYS_munmap || nr == SYS_mprotect ||
	    nr == SYS_mincore || nr == SYS_mremap || nr == SYS_al_region) &&
	    first_length(t) > USER_END;
}

static bool
success_allowed(const struct trial *t, long r)
{
	const struct shape *s = t->c->shape;

	/* The bytes before the hole may have been moved. */
	if (t->wrong == EFAULT && s->result == R_COUNT && r > 0 && r <= 8)
		return true;
	if (t->wrong != 0 || t->always || impossible_range(t))
		return false;
	switch (s->result) {
	case R_NEVER:
		return false;
	case R_ZERO: case R_KERN:
		return r == 0;
	case R_COUNT:
		return r <= (long)ROOM && (unsigned long)r <= first_length(t);
	case R_FD:
		return r < 64;
	case R_MAP: case R_REMAP:
		return (unsigned long)r % PAGE_SIZE == 0 &&
		    (unsigned long)r < USER_END;
	case R_CHILD:
		return r > 0;
	default:
		return true;
	}
}

/* The base of a segment register is an address of the program's. */
static bool
bad_tls(const struct trial *t)
{
#if defined(__x86_64__)
	return t->c->nr == SYS_clone && (t->v[0] & CLONE_SETTLS) &&
	    (unsigned long)t->v[4] >= USER_END;
#else
	return t->c->nr < 0;
#endif
}

static bool
legal(const struct trial *t, long r)
{
	const struct shape *s = t->c->shape;
	bool negative = r < 0 && r >= -ERRNO_MAX;

	if (s == NULL || !has_design[s->owner])
		return r == -ENOSYS;
	if (s->result == R_KERN && r > 0)
		return r <= 8;
	if (bad_tls(t) && !negative)
		return false;
	if (negative && s->result != R_ANY)
		return error_allowed(t, -r) || (bad_tls(t) && r == -EPERM);
	if (negative)
		return error_allowed(t, -r) || t->c->nr == SYS_lseek;
	return success_allowed(t, r);
}

static void
judge(const struct trial *t, long r)
{
	const long *v = t->v;

	ncalls++;
	if (!legal(t, r))
		ktap_fail(__FILE__, __LINE__, "%s(%#lx, %#lx, %#lx, %#lx, "
		    "%#lx, %#lx): %ld%s%s is not legal (%s pass, call %lu, "
		    "seed %lu)", t->c->name, v[0], v[1], v[2], v[3], v[4],
		    v[5], r, r < 0 ? " " : "", r < 0 ? strerror((int)-r) : "",
		    t->pass, t->number, t->seed);
}

/* --- making the call ------------------------------------------------- */

static void
raw_exit(int code)
{
	for (;;)
		syscall3(SYS_exit_group, code, 0, 0);
}

/* A child ends here: its memory may be ours (vfork), its stack none. */
static long __attribute__((noinline))
do_call(const struct trial *t)
{
	const long *v = t->v;
	bool child = t->c->shape != NULL && t->c->shape->result == R_CHILD;
	long r = syscall6(t->c->nr, v[0], v[1], v[2], v[3], v[4], v[5]);

	if (child && r == 0)
		raw_exit(0);
	return r;
}

static int
wait_for(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
		continue;
	return status;
}

/* Returns from a handler that never ran, to whatever the stack says. */
static void
sigreturn_on(char *stack)
{
#if defined(__riscv)
	__asm__ volatile("mv sp, %0; mv a7, %1; ecall"
	    : : "r"(stack), "r"((long)SYS_rt_sigreturn) : "memory");
#else
	__asm__ volatile("movq %0, %%rsp; syscall"
	    : : "r"(stack), "a"((long)SYS_rt_sigreturn) : "memory");
#endif
	raw_exit(1);
}

/* Half of the stacks are bad addresses, the others full of random words. */
static char *
random_stack(uint64_t *seed)
{
	static const struct arg stack = { .kind = K_IN, .size = 2048 };
	bool always = false;
	uint64_t *w = (uint64_t *)(void *)sweep_out;
	size_t i;

	if (prng(seed) % 2 == 0)
		return (char *)sweep_random(&stack, seed, &always);
	for (i = 0; i < ROOM / sizeof(*w); i++)
		w[i] = prng(seed) >> prng(seed) % 64;
	return sweep_out + PAGE_SIZE + prng(seed) % 512 * 8;
}

static void
call_in_child(struct trial *t)
{
	unsigned how = t->c->shape->how;
	char *stack = how & C_SIGRETURN ? random_stack(&t->seed) : NULL;
	pid_t pid = (pid_t)EXPECT_OK(fork());
	long r;
	int status;

	if (pid == 0 && (how & C_SIGRETURN))
		sigreturn_on(stack);
	if (pid == 0) {
		r = do_call(t);
		if (legal(t, r) && !(how & C_EXIT))
			raw_exit(0);
		judge(t, r);
	}
	status = wait_for(pid);
	ncalls++;
	if (how & C_SIGRETURN)
		EXPECT(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	else
		expect_exit(status, how & C_EXIT ? (int)t->v[0] & 0xff : 0);
}

/* Takes back what a successful call has given. */
static void
undo(const struct trial *t, long r)
{
	const struct shape *s = t->c->shape;
	size_t len = first_length(t);
	uint64_t va;
	int fds[2];

	if (s->result == R_FD || (t->c->nr == SYS_fcntl &&
	    (t->v[1] == F_DUPFD || t->v[1] == F_DUPFD_CLOEXEC)))
		close((int)r);
	if (s->result == R_MAP)
		EXPECT_OK(munmap((void *)r, len));
	if (s->result == R_REMAP)
		EXPECT_OK(munmap((void *)r, (size_t)t->v[2]));
	if (s->result == R_CHILD)
		wait_for((pid_t)r);
	if (strncmp(t->c->name, "pipe", 4) == 0) {
		memcpy(fds, (void *)t->v[0], sizeof(fds));
		close(fds[0]);
		close(fds[1]);
	}
	if ((s->how & C_ALLOCATE) && len > 0) {
		memcpy(&va, (void *)t->v[t->c->nr == SYS_vm_read ? 3 : 1],
		    sizeof(va));
		EXPECT_OK(munmap((void *)va, len));
	}
}

static void
try_call(struct trial *t)
{
	const struct shape *s = t->c->shape;
	long r;

	if (s != NULL && (s->how & (C_FORK | C_EXIT | C_SIGRETURN))) {
		call_in_child(t);
		return;
	}
	memset(sweep_in, 0, 512);
	if (s != NULL)
		memcpy(sweep_in, s->in, sizeof(s->in));
	r = do_call(t);
	judge(t, r);
	if (s == NULL || !has_design[s->owner])
		return;
	if (r >= 0 && !(s->result == R_KERN && r != 0))
		undo(t, r);
	/* In the random pass names come and go: what is asked of the call does
	 * not depend on them. */
	if (!(s->how & C_NAMES) || (r >= 0 && (t->seed == 0 ||
	    t->number % 8 == 0)))
		sweep_restore(t->c);
}

/* --- the three passes ------------------------------------------------ */

static void
fill_good(struct trial *t)
{
	int i;

	t->wrong = 0;
	t->always = false;
	for (i = 0; i < 6; i++)
		t->v[i] = t->c->shape != NULL ?
		    sweep_good(&t->c->shape->args[i]) : 0;
}

static void
all_good(const struct sweep_call *c)
{
	struct trial t = { .c = c, .pass = "good" };
	long r;

	fill_good(&t);
	if (c->shape == NULL || c->shape->result == R_NEVER ||
	    (c->shape->how & (C_NO_SANITY | C_FORK)) ||
	    !has_design[c->shape->owner]) {
		try_call(&t);
		return;
	}
	memset(sweep_in, 0, 512);
	memcpy(sweep_in, c->shape->in, sizeof(c->shape->in));
	r = do_call(&t);
	judge(&t, r);
	if (r < 0 || (r > 0 && c->shape->result == R_KERN))
		ktap_fail(__FILE__, __LINE__, "%s with good arguments: %ld %s",
		    c->name, r, strerror((int)-r));
	undo(&t, r);
	sweep_restore(c);
}

static void
one_bad(const struct sweep_call *c)
{
	struct trial t = { .c = c, .pass = "one bad" };
	const struct arg *a;
	size_t k, n;
	int i;

	for (i = 0; c->shape != NULL && i < 6; i++) {
		a = &c->shape->args[i];
		n = sweep_count(a);
		for (k = 0; k < n; k++, t.number++) {
			fill_good(&t);
			t.v[i] = sweep_value(a, k, &t.wrong);
			if (!sweep_hurts(c, t.v))
				try_call(&t);
		}
	}
}

static void
all_random(const struct sweep_call *c, unsigned long n, uint64_t seed)
{
	struct trial t = { .c = c, .pass = "random" };
	uint64_t state = (seed + (uint64_t)c->nr * 7919 + 1) *
	    0x9e3779b97f4a7c15ull;
	int i;

	for (t.number = 0; t.number < n; t.number++) {
		t.seed = state;
		t.always = false;
		for (i = 0; i < 6; i++)
			t.v[i] = c->shape != NULL ?
			    sweep_random(&c->shape->args[i], &state,
				&t.always) :
			    (long)(prng(&state) >> prng(&state) % 64);
		if (c->shape == NULL || !sweep_hurts(c, t.v))
			try_call(&t);
		else
			prng(&state);
	}
}

/* --- nothing stays --------------------------------------------------- */

/* What is exact at each moment; the runner looks at memory. */
static const enum tern_stat_index exact[] = { TS_processes, TS_threads,
	TS_spaces, TS_regions, TS_files, TS_pipes, TS_futex_waiters,
	TS_pinned_pages };

static void
expect_unchanged(const char *name, const struct tern_stat *before)
{
	static const char *const what[] = { "processes", "threads", "spaces",
		"regions", "files", "pipes", "waiters", "pins" };
	static struct tern_stat now;
	uint64_t end = now_ns() + SETTLE_NS;
	size_t i;

	for (i = 0; i < nitems(exact); i++) {
		do {
			tern_stat(&now, sizeof(now));
		} while (now.v[exact[i]] != before->v[exact[i]] &&
		    now_ns() < end);
		if (now.v[exact[i]] != before->v[exact[i]])
			ktap_fail(__FILE__, __LINE__,
			    "%s: %s: %lu before, %lu after", name, what[i],
			    before->v[exact[i]], now.v[exact[i]]);
	}
}

static void
ask_for_designs(void)
{
	has_design[O_MACH] = syscall3(SYS_vm_statistics, (long)sweep_out, 0,
	    0) != -ENOSYS;
	has_design[O_L4] = syscall3(SYS_l4_set_pager, 0, 0, 0) != -ENOSYS;
}

static void
sweep_section(enum section s)
{
	static struct tern_stat before;
	const struct sweep_section *sec = &sweep_sections[s];
	unsigned long n = parameter("sweep", COUNT);
	uint64_t seed = parameter("sweepseed", 1);
	const struct sweep_call *c;

	sweep_prepare();
	ask_for_designs();
	stat_settled(&before);
	for (c = sec->calls; c < sec->calls + sec->n; c++) {
		sweep_restore(c);
		tern_stat(&before, sizeof(before));
		if (getenv("sweep") != NULL)
			ktap_note("%s", c->name);	/* it takes a while */
		all_good(c);
		one_bad(c);
		all_random(c, n, seed);
		sweep_restore(c);
		expect_unchanged(c->name, &before);
		sweep_canaries(c->name);
	}
	sweep_restore(NULL);
	ktap_note("%zu calls, made %lu times, seed %lu", sec->n, ncalls, seed);
}

/* --- tests: a section of the table each ------------------------------ */

static bool
is_pointer(const struct arg *a)
{
	return a->kind == K_IN || a->kind == K_OUT ||
	    (a->kind >= K_FILE && a->kind <= K_NEW);
}

/* Each argument that the kernel's table counts has a shape, and no other. */
static void
table_is_complete(void)
{
	const struct sweep_call *c;
	size_t k, pointers = 0, values = 0;
	int s, i, n;

	for (s = 0; s < S_LATER; s++) {
		for (k = 0; k < sweep_sections[s].n; k++) {
			c = &sweep_sections[s].calls[k];
			for (i = n = 0; i < 6; i++) {
				n += c->shape->args[i].kind != K_NONE;
				pointers += is_pointer(&c->shape->args[i]);
				values += sweep_count(&c->shape->args[i]);
			}
			if (n != c->nargs)
				ktap_fail(__FILE__, __LINE__, "%s has %d "
				    "arguments, described are %d", c->name,
				    c->nargs, n);
		}
	}
	ktap_note("%zu pointers, %zu values of arguments", pointers, values);
}

#define SECTION(name, s)						\
	static void							\
	name(void)							\
	{								\
		sweep_section(s);					\
	}

SECTION(files, S_FILE)
SECTION(processes, S_PROC)
SECTION(signals, S_SIGNAL)
SECTION(times_and_sleep, S_TIME)
SECTION(memory, S_MEM)
SECTION(of_this_machine, S_ARCH)
SECTION(terns_own, S_TERN)
SECTION(not_there_yet, S_LATER)

static const struct ktap_test tests[] = {
	TEST(table_is_complete, T_TERN),
	TEST(files, T_TERN),
	TEST(processes, T_TERN),
	TEST(signals, T_TERN),
	TEST(times_and_sleep, T_TERN),
	TEST(memory, T_TERN),
	TEST(of_this_machine, T_TERN),
	TEST(terns_own, T_TERN),
	TEST(not_there_yet, T_TERN),
};

KTAP_MAIN("sweep")
