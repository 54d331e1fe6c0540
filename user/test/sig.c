/* SPDX-License-Identifier: MIT */
/*
 * sig.c - signals: delivery, masks, frames, faults, interrupted calls.
 */
#include "ktap.h"
#include <thread.h>

#define PG	PAGE_SIZE

static volatile int count, last_sig, last_code, last_pid, last_status;
static volatile int depth, max_depth;
static void *volatile last_addr;
static char alternate[SIGSTKSZ] __attribute__((aligned(16)));

static void
note(int sig, struct siginfo *si, void *uc)
{
	(void)uc;
	count++;
	last_sig = sig;
	last_code = si->si_code;
	last_pid = si->si_pid;
	last_status = si->si_status;
}

static void
handle(int sig, void (*fn)(int, struct siginfo *, void *),
    unsigned long flags, sigset_t mask)
{
	struct sigaction act = { .sa_sigaction = fn,
	    .sa_flags = flags | SA_SIGINFO, .sa_mask = mask };

	EXPECT_OK(sigaction(sig, &act, NULL));
}

static void
block(sigset_t set)
{
	EXPECT_OK(sigprocmask(SIG_BLOCK, &set, NULL));
}

static void
unblock(sigset_t set)
{
	EXPECT_OK(sigprocmask(SIG_UNBLOCK, &set, NULL));
}

static void
handler_gets_siginfo(void)
{
	handle(SIGUSR1, note, 0, 0);
	EXPECT_OK(kill(getpid(), SIGUSR1));
	EXPECT_EQ(count, 1);
	EXPECT_EQ(last_sig, SIGUSR1);
	EXPECT_EQ(last_code, SI_USER);
	EXPECT_EQ(last_pid, getpid());
	EXPECT_OK(raise(SIGUSR1));
	EXPECT_EQ(count, 2);
	EXPECT_EQ(last_code, SI_TKILL);
}

static void
action_is_returned(void)
{
	struct sigaction old;

	handle(SIGUSR1, note, SA_RESTART, SIGMASK(SIGUSR2));
	EXPECT_OK(sigaction(SIGUSR1, NULL, &old));
	EXPECT_EQ(old.sa_sigaction, note);
	EXPECT_EQ(old.sa_flags & (SA_RESTART | SA_SIGINFO),
	    SA_RESTART | SA_SIGINFO);
	EXPECT_EQ(old.sa_mask, SIGMASK(SIGUSR2));
	EXPECT_ERR(sigaction(SIGKILL, &old, NULL), EINVAL);
	EXPECT_ERR(sigaction(SIGSTOP, &old, NULL), EINVAL);
	EXPECT_ERR(sigaction(0, &old, NULL), EINVAL);
	EXPECT_ERR(sigaction(65, &old, NULL), EINVAL);
}

static void
blocked_stays_pending(void)
{
	sigset_t set;

	handle(SIGUSR1, note, 0, 0);
	block(SIGMASK(SIGUSR1));
	raise(SIGUSR1);
	raise(SIGUSR1);			/* a second one is not counted */
	EXPECT_EQ(count, 0);
	EXPECT_OK(sigpending(&set));
	EXPECT_EQ(set, SIGMASK(SIGUSR1));
	unblock(SIGMASK(SIGUSR1));
	EXPECT_EQ(count, 1);
	EXPECT_OK(sigpending(&set));
	EXPECT_EQ(set, 0);
	block(SIGMASK(SIGUSR1));
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_IGN);	/* ignoring discards it */
	unblock(SIGMASK(SIGUSR1));
	EXPECT_EQ(count, 1);
}

static void
mask_operations(void)
{
	sigset_t set = SIGMASK(SIGUSR1), old;

	EXPECT_OK(sigprocmask(SIG_SETMASK, &set, NULL));
	set = SIGMASK(SIGKILL) | SIGMASK(SIGSTOP) | SIGMASK(SIGUSR2);
	EXPECT_OK(sigprocmask(SIG_BLOCK, &set, &old));
	EXPECT_EQ(old, SIGMASK(SIGUSR1));
	EXPECT_OK(sigprocmask(SIG_BLOCK, NULL, &old));
	EXPECT_EQ(old, SIGMASK(SIGUSR1) | SIGMASK(SIGUSR2));
	EXPECT_ERR(sigprocmask(9, &set, NULL), EINVAL);
	EXPECT_EQ(syscall6(SYS_rt_sigprocmask, 0, (long)&set, 0, 4, 0, 0),
	    -EINVAL);
}

static void
nest(int sig, struct siginfo *si, void *uc)
{
	note(sig, si, uc);
	depth++;
	max_depth = MAX(max_depth, depth);
	if (count < 5)
		raise(SIGUSR1);
	if (sig == SIGUSR1 && count < 5)
		raise(SIGUSR2);
	depth--;
}

static void
own_signal_waits_in_handler(void)
{
	handle(SIGUSR1, nest, 0, 0);
	signal(SIGUSR2, SIG_IGN);
	raise(SIGUSR1);
	EXPECT_EQ(count, 5);
	EXPECT_EQ(max_depth, 1);
}

static void
nodefer_nests(void)
{
	handle(SIGUSR1, nest, SA_NODEFER, 0);
	handle(SIGUSR2, nest, 0, 0);
	raise(SIGUSR1);
	EXPECT_EQ(max_depth, 5);
	EXPECT_EQ(depth, 0);
}

static void
check_mask(int sig, struct siginfo *si, void *uc)
{
	sigset_t now;

	note(sig, si, uc);
	sigprocmask(SIG_BLOCK, NULL, &now);
	if (now != (SIGMASK(SIGUSR1) | SIGMASK(SIGUSR2)))
		last_sig = -1;
	if (((struct ucontext *)uc)->uc_sigmask != 0)
		last_sig = -2;
}

static void
handler_mask_and_restore(void)
{
	sigset_t after;

	handle(SIGUSR1, check_mask, 0, SIGMASK(SIGUSR2));
	raise(SIGUSR1);
	EXPECT_EQ(last_sig, SIGUSR1);
	EXPECT_OK(sigprocmask(SIG_BLOCK, NULL, &after));
	EXPECT_EQ(after, 0);
}

static void
block_more(int sig, struct siginfo *si, void *uc)
{
	note(sig, si, uc);
	((struct ucontext *)uc)->uc_sigmask |= SIGMASK(SIGHUP);
}

/* What was blocked before is blocked after; the frame may change it. */
static void
mask_comes_from_frame(void)
{
	sigset_t now;

	block(SIGMASK(SIGUSR2));
	handle(SIGUSR1, note, 0, SIGMASK(SIGTERM));
	raise(SIGUSR1);
	EXPECT_OK(sigprocmask(SIG_BLOCK, NULL, &now));
	EXPECT_EQ(now, SIGMASK(SIGUSR2));
	handle(SIGUSR1, block_more, 0, 0);
	raise(SIGUSR1);
	EXPECT_OK(sigprocmask(SIG_BLOCK, NULL, &now));
	EXPECT_EQ(now, SIGMASK(SIGUSR2) | SIGMASK(SIGHUP));
}

static void
reset_after_one(void)
{
	struct sigaction old;

	handle(SIGUSR1, note, SA_RESETHAND, 0);
	raise(SIGUSR1);
	EXPECT_EQ(count, 1);
	EXPECT_OK(sigaction(SIGUSR1, NULL, &old));
	EXPECT_EQ(old.sa_handler, SIG_DFL);
}

static void
default_and_ignore(void)
{
	static const int harmless[] = { SIGCHLD, SIGURG, SIGWINCH, SIGCONT };
	size_t i;

	for (i = 0; i < nitems(harmless); i++)
		EXPECT_OK(raise(harmless[i]));
	signal(SIGTERM, SIG_IGN);
	EXPECT_OK(raise(SIGTERM));
}

/* --- alternate stack ------------------------------------------------- */

static void
on_alternate(int sig, struct siginfo *si, void *uc)
{
	char *here = __builtin_frame_address(0);
	stack_t now, other = { .ss_flags = SS_DISABLE };

	note(sig, si, uc);
	if (here < alternate || here >= alternate + sizeof(alternate))
		last_sig = -1;
	sigaltstack(NULL, &now);
	if ((now.ss_flags & SS_ONSTACK) == 0)
		last_sig = -2;
	if (sigaltstack(&other, NULL) != -1 || errno != EPERM)
		last_sig = -3;
}

static void
alternate_stack(void)
{
	stack_t ss = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
	stack_t old, tiny = { .ss_sp = alternate, .ss_size = 100 };

	EXPECT_OK(sigaltstack(&ss, &old));
	EXPECT_EQ(old.ss_flags, SS_DISABLE);
	handle(SIGUSR1, on_alternate, SA_ONSTACK, 0);
	raise(SIGUSR1);
	EXPECT_EQ(last_sig, SIGUSR1);
	EXPECT_OK(sigaltstack(NULL, &old));
	EXPECT_EQ(old.ss_flags, 0);
	EXPECT_EQ(old.ss_sp, alternate);
	handle(SIGUSR2, note, 0, 0);	/* without SA_ONSTACK: not used */
	raise(SIGUSR2);
	EXPECT_ERR(sigaltstack(&tiny, NULL), ENOMEM);
	tiny.ss_flags = 0x777;
	EXPECT_ERR(sigaltstack(&tiny, NULL), EINVAL);
}

/* --- faults ---------------------------------------------------------- */

static void
fault_info(void)
{
	char *p = map_pages(3);

	EXPECT_OK(munmap(p + PG, PG));
	EXPECT_OK(mprotect(p + 2 * PG, PG, PROT_READ));
	EXPECT_SEGV(p + PG + 123, PROBE_READ, SEGV_MAPERR);
	EXPECT_SEGV(p + PG + 77, PROBE_WRITE, SEGV_MAPERR);
	EXPECT_SEGV(p + 2 * PG + 4095, PROBE_WRITE, SEGV_ACCERR);
	EXPECT_SEGV(p + PG + 64, PROBE_EXEC, SEGV_MAPERR);
}

static char *protected;
static volatile int resumed;

static void
open_page(int sig, struct siginfo *si, void *uc)
{
	uintptr_t page = (uintptr_t)si->si_addr & -PG;

	(void)sig;
	(void)uc;
	resumed++;
	mprotect((void *)page, PG, PROT_READ | PROT_WRITE);
}

/* The user-level pager in its simplest form. */
static void
handler_repairs_and_resumes(void)
{
	enum { N = 50 };
	size_t i;

	protected = map_pages(N);
	memset(protected, 3, N * PG);
	EXPECT_OK(mprotect(protected, N * PG, PROT_NONE));
	handle(SIGSEGV, open_page, 0, 0);
	for (i = 0; i < N; i++) {
		EXPECT_EQ(protected[i * PG + i], 3);
		protected[i * PG] = 4;
	}
	EXPECT_EQ(resumed, N);
}

static void
skip_insn(int sig, struct siginfo *si, void *ucp)
{
	struct ucontext *uc = ucp;

	note(sig, si, ucp);
	last_addr = si->si_addr;
#if defined(__riscv)
	UC_PC(uc) += 4;
#else
	UC_PC(uc) += 2;
#endif
}

/* Changing the program counter in the frame takes effect. */
static void
handler_changes_pc(void)
{
	handle(SIGILL, skip_insn, 0, 0);
#if defined(__riscv)
	__asm__ volatile(".word 0" : : : "memory");
#else
	__asm__ volatile("ud2" : : : "memory");
#endif
	EXPECT_EQ(count, 1);
	EXPECT_EQ(last_code > 0, 1);
	EXPECT(last_addr != NULL);
}

static void
breakpoint(void)
{
#if defined(__riscv)
	handle(SIGTRAP, skip_insn, 0, 0);
	__asm__ volatile(".option push; .option norvc; ebreak; .option pop");
#else
	handle(SIGTRAP, note, 0, 0);
	__asm__ volatile("int3");
#endif
	EXPECT_EQ(count, 1);
	EXPECT_EQ(last_sig, SIGTRAP);
}

static void
fault_with_blocked_signal(void *arg)
{
	handle(SIGSEGV, note, 0, 0);
	block(SIGMASK(SIGSEGV));
	*(volatile int *)arg = 1;
}

static void
blocked_fault_kills(void)
{
	expect_signal(in_child(fault_with_blocked_signal, (void *)8),
	    SIGSEGV);
}

static void
fault_again(int sig, struct siginfo *si, void *uc)
{
	(void)sig, (void)si, (void)uc;
	*nowhere = 1;
}

static void
fault_in_handler(void *arg)
{
	handle(SIGSEGV, fault_again, 0, 0);
	*(volatile int *)arg = 1;
}

static void
fault_in_handler_kills(void)
{
	expect_signal(in_child(fault_in_handler, (void *)8), SIGSEGV);
}

static void
signal_on_bad_stack(void *arg)
{
	handle(SIGUSR1, note, 0, 0);
#if defined(__riscv)
	__asm__ volatile("mv sp, %0; mv a0, %1; li a1, 10; mv a7, %2; ecall"
	    : : "r"(arg), "r"((long)getpid()), "r"((long)SYS_kill)
	    : "a0", "a1", "a7");
#else
	__asm__ volatile("movq %0, %%rsp; movl $10, %%esi; syscall"
	    : : "r"(arg), "D"((long)getpid()), "a"((long)SYS_kill)
	    : "rsi", "rcx", "r11");
#endif
	__builtin_trap();
}

/* The frame cannot be written: SIGSEGV, never a panic. */
static void
frame_on_bad_stack_kills(void)
{
	static const unsigned long stacks[] = { 0, 64, 0xffffffc000000000ul,
		-16ul, 0x0123456789abcde0ul };
	size_t i;

	for (i = 0; i < nitems(stacks); i++)
		expect_signal(in_child(signal_on_bad_stack,
		    (void *)stacks[i]), SIGSEGV);
}

static void
bad_sigreturn(void *arg)
{
	long nr = SYS_rt_sigreturn;

#if defined(__riscv)
	__asm__ volatile("mv sp, %0; mv a7, %1; ecall"
	    : : "r"(arg), "r"(nr) : "a7");
#else
	__asm__ volatile("movq %0, %%rsp; syscall" : : "r"(arg), "a"(nr));
#endif
	__builtin_trap();
}

/* sigreturn with no frame, or with one full of ones: dies alone. */
static void
forged_sigreturn_is_harmless(void)
{
	char *page = map_pages(2);
	int status;

	memset(page, 0xff, 2 * PG);
	expect_signal(in_child(bad_sigreturn, (void *)8), SIGSEGV);
	expect_signal(in_child(bad_sigreturn, (void *)-4096), SIGSEGV);
	status = in_child(bad_sigreturn, page);
	EXPECT(WIFSIGNALED(status));
	memset(page, 0, 2 * PG);
	status = in_child(bad_sigreturn, page);
	EXPECT(WIFSIGNALED(status));
}

/* --- SIGCHLD --------------------------------------------------------- */

static void
child_signal_tells_how(void)
{
	sigset_t none = 0;
	pid_t pid;

	handle(SIGCHLD, note, 0, 0);
	block(SIGMASK(SIGCHLD));
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0)
		_exit(5);
	EXPECT_ERR(sigsuspend(&none), EINTR);
	EXPECT_EQ(last_sig, SIGCHLD);
	EXPECT_EQ(last_pid, pid);
	EXPECT_EQ(last_code, CLD_EXITED);
	EXPECT_EQ(last_status, 5);
	EXPECT_EQ(wait(NULL), pid);
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0)
		kill(getpid(), SIGKILL);
	EXPECT_ERR(sigsuspend(&none), EINTR);
	EXPECT_EQ(last_code, CLD_KILLED);
	EXPECT_EQ(last_status, SIGKILL);
	EXPECT_EQ(wait(NULL), pid);
}

static void
ignored_children_reap_themselves(void)
{
	pid_t pid;

	signal(SIGCHLD, SIG_IGN);
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0)
		_exit(1);
	EXPECT_ERR(wait(NULL), ECHILD);
	EXPECT_ERR(kill(pid, 0), ESRCH);
}

/* --- interrupted calls ----------------------------------------------- */

/* A child that sends SIGUSR1 to its parent after a while, then "x". */
static pid_t
signal_me(int fd)
{
	pid_t parent = getpid(), pid = (pid_t)EXPECT_OK(fork());

	if (pid == 0) {
		msleep(30);
		kill(parent, SIGUSR1);
		msleep(30);
		if (fd >= 0)
			write(fd, "x", 1);
		_exit(0);
	}
	return pid;
}

static void
read_is_interrupted(void)
{
	int fds[2];
	char c;

	EXPECT_OK(pipe(fds));
	handle(SIGUSR1, note, 0, 0);
	signal_me(fds[1]);
	EXPECT_ERR(read(fds[0], &c, 1), EINTR);
	EXPECT_EQ(count, 1);
	EXPECT_EQ(read(fds[0], &c, 1), 1);
}

static void
read_restarts(void)
{
	int fds[2];
	char c = 0;

	EXPECT_OK(pipe(fds));
	handle(SIGUSR1, note, SA_RESTART, 0);
	signal_me(fds[1]);
	EXPECT_EQ(read(fds[0], &c, 1), 1);
	EXPECT_EQ(c, 'x');
	EXPECT_EQ(count, 1);
}

static void
ignored_signal_does_not_interrupt(void)
{
	int fds[2];
	char c;

	EXPECT_OK(pipe(fds));
	signal(SIGUSR1, SIG_IGN);
	signal_me(fds[1]);
	EXPECT_EQ(read(fds[0], &c, 1), 1);
}

static void
wait_is_interrupted_or_restarts(void)
{
	int status;
	pid_t pid;

	handle(SIGUSR1, note, 0, 0);
	pid = signal_me(-1);
	EXPECT_ERR(waitpid(pid, &status, 0), EINTR);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	handle(SIGUSR1, note, SA_RESTART, 0);
	pid = signal_me(-1);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(count, 2);
}

static void
sleep_tells_what_is_left(void)
{
	struct timespec ts = { .tv_sec = 5 }, left = { 0, 0 };
	int word = 0;

	handle(SIGUSR1, note, SA_RESTART, 0);
	signal_me(-1);
	EXPECT_ERR(nanosleep(&ts, &left), EINTR);
	EXPECT(left.tv_sec == 4 || left.tv_sec == 3);
	handle(SIGUSR1, note, 0, 0);
	signal_me(-1);
	EXPECT_ERR(futex_wait(&word, 0, NULL), EINTR);
	signal_me(-1);
	EXPECT_ERR(poll(NULL, 0, 5000), EINTR);
}

/* --- threads and registers ------------------------------------------- */

static int thread_hit, ready;

static void
note_thread(int sig, struct siginfo *si, void *uc)
{
	(void)sig, (void)si, (void)uc;
	__atomic_store_n(&thread_hit, gettid(), __ATOMIC_RELEASE);
}

static void *
until_hit(void *arg)
{
	__atomic_store_n(&ready, gettid(), __ATOMIC_RELEASE);
	while (__atomic_load_n(&thread_hit, __ATOMIC_ACQUIRE) == 0)
		sched_yield();
	return arg;
}

static void
directed_to_thread(void)
{
	struct thread t;
	int tid;

	handle(SIGUSR1, note_thread, 0, 0);
	EXPECT_OK(thread_create(&t, until_hit, NULL));
	while ((tid = __atomic_load_n(&ready, __ATOMIC_ACQUIRE)) == 0)
		sched_yield();
	EXPECT_OK(tgkill(getpid(), tid, SIGUSR1));
	thread_join(&t);
	EXPECT_EQ(thread_hit, tid);
	EXPECT_ERR(tgkill(getpid(), 1 << 30, SIGUSR1), ESRCH);
	EXPECT_ERR(tgkill(getpid(), -1, SIGUSR1), EINVAL);
}

static void
process_signal_finds_open_thread(void)
{
	struct thread t;
	int tid;

	handle(SIGUSR1, note_thread, 0, 0);
	EXPECT_OK(thread_create(&t, until_hit, NULL));
	while ((tid = __atomic_load_n(&ready, __ATOMIC_ACQUIRE)) == 0)
		sched_yield();
	block(SIGMASK(SIGUSR1));
	EXPECT_OK(kill(getpid(), SIGUSR1));
	thread_join(&t);
	EXPECT_EQ(thread_hit, tid);
}

static void
clobber(int sig, struct siginfo *si, void *uc)
{
	uint64_t seed = 3;
	volatile double x = 1.5;
	int i;

	note(sig, si, uc);
	for (i = 0; i < 50; i++) {
		prng(&seed);
		x = x * 1.01 + (double)(seed & 7);
	}
}

/* Signals at any instruction leave the interrupted computation intact. */
static void
registers_survive(void)
{
	uint64_t seed, end = now_ns() + 400000000ull, sum, want = 0;
	double x, want_x = 0;
	int rounds = 0, i, status;
	pid_t parent = getpid(), pid;

	handle(SIGUSR1, clobber, 0, 0);
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		while (kill(parent, SIGUSR1) == 0)
			sched_yield();
		_exit(0);
	}
	for (; now_ns() < end || count < 3; rounds++) {
		seed = 11;
		x = 0;
		sum = 0;
		for (i = 0; i < 2000; i++) {
			sum += prng(&seed);
			x += (double)(seed >> 40) * 0.5;
		}
		if (rounds == 0) {
			want = sum;
			want_x = x;
		}
		EXPECT_EQ(sum, want);
		EXPECT(x >= want_x && x <= want_x);
	}
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		continue;
	EXPECT(count > 0);
}

static const struct ktap_test tests[] = {
	TEST(handler_gets_siginfo, 0),
	TEST(action_is_returned, 0),
	TEST(blocked_stays_pending, 0),
	TEST(mask_operations, 0),
	TEST(own_signal_waits_in_handler, 0),
	TEST(nodefer_nests, 0),
	TEST(handler_mask_and_restore, T_NOEMU),
	TEST(mask_comes_from_frame, 0),
	TEST(reset_after_one, 0),
	TEST(default_and_ignore, 0),
	TEST(alternate_stack, 0),
	TEST(fault_info, 0),
	TEST(handler_repairs_and_resumes, 0),
	TEST(handler_changes_pc, 0),
	TEST(breakpoint, 0),
	TEST(blocked_fault_kills, 0),
	TEST(fault_in_handler_kills, 0),
	TEST(frame_on_bad_stack_kills, T_NOEMU),
	TEST(forged_sigreturn_is_harmless, T_NOEMU),
	TEST(child_signal_tells_how, 0),
	TEST(ignored_children_reap_themselves, 0),
	TEST(read_is_interrupted, 0),
	TEST(read_restarts, 0),
	TEST(ignored_signal_does_not_interrupt, 0),
	TEST(wait_is_interrupted_or_restarts, 0),
	TEST(sleep_tells_what_is_left, 0),
	TEST(directed_to_thread, 0),
	TEST(process_signal_finds_open_thread, 0),
	TEST(registers_survive, 0),
};

KTAP_MAIN("sig")
