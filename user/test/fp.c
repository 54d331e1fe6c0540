/* SPDX-License-Identifier: MIT */
/*
 * fp.c - floating-point registers belong to their thread.
 *
 * hold() fills every FP register, gives the CPU away (by a system call or by
 * being preempted in a loop) and stores every register again.
 */
#include "ktap.h"
#include <thread.h>

/* The system call that gives the CPU away. */
struct call {
	long	nr, a, b, c;
};

#if defined(__riscv)
#define NREGS	32

#define EACH(X)	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10)	\
	X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20) X(21) \
	X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31)
#define LOAD(n)		"fld f" #n ", 8*" #n "(%[in])\n\t"
#define STORE(n)	"fsd f" #n ", 8*" #n "(%[out])\n\t"
#define FP_CLOBBERS							\
	"ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0",	\
	"fs1", "fa0", "fa1", "fa2", "fa3", "fa4", "fa5", "fa6", "fa7",	\
	"fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9", "fs10",	\
	"fs11", "ft8", "ft9", "ft10", "ft11"

static void
hold_over(const struct call *call, const uint64_t *in, uint64_t *out,
    long spins)
{
	register long nr __asm__("a7") = call->nr;
	register long a0 __asm__("a0") = call->a;
	register long a1 __asm__("a1") = call->b;
	register long a2 __asm__("a2") = call->c;

	__asm__ volatile(
	    EACH(LOAD)
	    "ecall\n"
	    "1:	addi %[spins], %[spins], -1\n\t"
	    "bgtz %[spins], 1b\n\t"
	    EACH(STORE)
	    : [spins] "+r"(spins), "+r"(a0)
	    : [in] "r"(in), [out] "r"(out), "r"(nr), "r"(a1), "r"(a2)
	    : "memory", FP_CLOBBERS);
}

static unsigned
control_get(void)
{
	unsigned v;

	__asm__ volatile("frcsr %0" : "=r"(v));
	return v;
}

static void
control_set(unsigned v)
{
	__asm__ volatile("fscsr %0" : : "r"(v));
}
#define CONTROL(i)	((unsigned)(i) % 5 << 5 | ((unsigned)(i) & 31))
#define CONTROL_FRESH	0u

#else
#define NREGS	32	/* halves of 16 registers */

#define EACH(X)	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10)	\
	X(11) X(12) X(13) X(14) X(15)
#define LOAD(n)		"movups 16*" #n "(%[in]), %%xmm" #n "\n\t"
#define STORE(n)	"movups %%xmm" #n ", 16*" #n "(%[out])\n\t"
#define FP_CLOBBERS							\
	"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",	\
	"xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

static void
hold_over(const struct call *call, const uint64_t *in, uint64_t *out,
    long spins)
{
	long ret = call->nr;

	__asm__ volatile(
	    EACH(LOAD)
	    "syscall\n"
	    "1:	decq %[spins]\n\t"
	    "jg 1b\n\t"
	    EACH(STORE)
	    : [spins] "+r"(spins), "+a"(ret)
	    : [in] "r"(in), [out] "r"(out), "D"(call->a), "S"(call->b),
	      "d"(call->c)
	    : "memory", "rcx", "r11", FP_CLOBBERS);
}

static unsigned
control_get(void)
{
	unsigned v;

	__asm__ volatile("stmxcsr %0" : "=m"(v));
	return v;
}

static void
control_set(unsigned v)
{
	__asm__ volatile("ldmxcsr %0" : : "m"(v));
}
#define CONTROL(i)	(0x1f80u | ((unsigned)(i) & 3) << 13)
#define CONTROL_FRESH	0x1f80u
#endif

static void
hold(const uint64_t *in, uint64_t *out, long spins)
{
	static const struct call yield = { .nr = SYS_sched_yield };

	hold_over(&yield, in, out, spins);
}

static bool
rounds(long me, int n, long spins)
{
	uint64_t in[NREGS], out[NREGS];
	unsigned control = CONTROL(me);
	int round, i;

	control_set(control);
	for (round = 0; round < n; round++) {
		for (i = 0; i < NREGS; i++)
			in[i] = (uint64_t)me << 48 | (uint64_t)round << 16 |
			    (uint64_t)i;
		memset(out, 0, sizeof(out));
		hold(in, out, spins);
		if (memcmp(in, out, sizeof(in)) != 0)
			return false;
		if (control_get() != control)
			return false;
	}
	return true;
}

static void *
thread_rounds(void *arg)
{
	return (void *)(long)rounds((long)arg, 200, 1);
}

static void *
thread_spins(void *arg)
{
	return (void *)(long)rounds((long)arg, 20, 200000);
}

static void
run_threads(void *(*fn)(void *))
{
	struct thread t[6];
	long i;

	for (i = 0; i < 6; i++)
		EXPECT_OK(thread_create(&t[i], fn, (void *)(i + 1)));
	EXPECT(rounds(77, 100, 1000));
	for (i = 0; i < 6; i++)
		EXPECT_EQ(thread_join(&t[i]), 1);
}

static void
threads_that_yield(void)
{
	run_threads(thread_rounds);
}

static void
threads_that_are_preempted(void)
{
	run_threads(thread_spins);
}

/* From CPU to CPU with the registers full, while others do the same. */
static bool
migrations(long me, int n)
{
	uint64_t in[NREGS], out[NREGS], mask;
	struct call move = { SYS_sched_setaffinity, 0, sizeof(mask),
	    (long)&mask };
	unsigned control = CONTROL(me);
	int round, i;

	control_set(control);
	for (round = 0; round < n; round++) {
		for (i = 0; i < NREGS; i++)
			in[i] = (uint64_t)me << 48 | (uint64_t)round << 16 |
			    (uint64_t)i;
		memset(out, 0, sizeof(out));
		mask = 1ul << (round + me) % cpu_count();
		hold_over(&move, in, out, 100);
		if (memcmp(in, out, sizeof(in)) != 0 ||
		    control_get() != control)
			return false;
	}
	return true;
}

static void
registers_go_to_other_cpus(void)
{
	int i, status;

	for (i = 0; i < 6; i++) {
		if (EXPECT_OK(fork()) == 0)
			_exit(!migrations(i + 1, 200));
	}
	EXPECT(migrations(50, 200));
	while (wait(&status) > 0)
		expect_exit(status, 0);
}

static void
processes(void)
{
	int i, status;

	for (i = 0; i < 6; i++) {
		if (EXPECT_OK(fork()) == 0)
			_exit(!rounds(i + 1, 100, 20000));
	}
	EXPECT(rounds(50, 100, 20000));
	while (wait(&status) > 0)
		expect_exit(status, 0);
}

/* fork copies the registers: the child computes on with them. */
static void
fork_inherits(void)
{
	volatile double x = 2.5, y;
	int status;
	pid_t pid;

	control_set(CONTROL(3));
	pid = (pid_t)EXPECT_OK(fork());
	y = x * 4;
	if (pid == 0)
		_exit(!(y >= 10 && y <= 10 && control_get() >> 5 ==
		    CONTROL(3) >> 5));
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_exit(status, 0);
}

/* Nothing of another program's registers is visible after exec. */
static void
exec_clears(void)
{
	const char *argv[] = { "fp", "fresh", NULL };
	uint64_t secret[NREGS], out[NREGS];
	int status;
	pid_t pid = (pid_t)EXPECT_OK(fork());

	if (pid == 0) {
		memset(secret, 0x5a, sizeof(secret));
		control_set(CONTROL(2));
		hold(secret, out, 1);
		execve(root_path("/test/fp"), argv, (strings_t)environ);
		_exit(99);
	}
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_exit(status, 0);
}

static int
check_fresh(void)
{
	uint64_t out[NREGS];
	int i;

	__asm__ volatile(EACH(STORE) : : [out] "r"(out) : "memory");
	for (i = 0; i < NREGS; i++) {
		if (out[i] == 0x5a5a5a5a5a5a5a5aul)
			return 1;
	}
	return control_get() == CONTROL_FRESH ? 0 : 2;
}

static volatile int signals;

static void
dirty_handler(int sig)
{
	static const uint64_t junk[NREGS] = { ~0ul, ~0ul, ~0ul, ~0ul };
	uint64_t out[NREGS];

	(void)sig;
	control_set(CONTROL(4));
	hold(junk, out, 1);
	signals++;
}

/* A handler that uses FP does not disturb the code it interrupted. */
static void
signal_handlers(void)
{
	pid_t me = getpid(), pid;
	int i;

	signal(SIGUSR1, dirty_handler);
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		/* The handler yields too: with one CPU, a signal at each turn
		 * would keep it from ever leaving the handler. */
		while (kill(me, SIGUSR1) == 0) {
			sched_yield();
			sched_yield();
		}
		_exit(0);
	}
	for (i = 0; i < 200 || signals == 0; i++)
		EXPECT(rounds(9, 5, 3000));
	kill(pid, SIGKILL);
	EXPECT_EQ(waitpid(pid, NULL, 0), pid);
}

static const struct ktap_test tests[] = {
	TEST(threads_that_yield, 0),
	TEST(threads_that_are_preempted, 0),
	TEST(processes, 0),
	TEST(registers_go_to_other_cpus, T_SMP),
	TEST(fork_inherits, 0),
	TEST(exec_clears, T_EXEC),
	TEST(signal_handlers, 0),
};

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "fresh") == 0)
		return check_fresh();
	return ktap_run("fp", tests, nitems(tests), argc, argv);
}
