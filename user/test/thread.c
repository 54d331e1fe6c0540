/* SPDX-License-Identifier: MIT */
/*
 * thread.c - threads: clone, futex, thread-local storage, shared spaces.
 */
#include "ktap.h"
#include <thread.h>

#define PG	PAGE_SIZE
#define NTHREADS 8

static __thread int tls_value = 5;
static __thread int tls_zero;
static int shared_counter;
static struct mutex lock;
static struct barrier gate;
static int flag;

static void *
store_flag(void *arg)
{
	__atomic_store_n(&flag, (int)(long)arg, __ATOMIC_RELEASE);
	return (void *)((long)arg + 1);
}

static void
start(struct thread *t, void *(*fn)(void *), void *arg)
{
	EXPECT_OK(thread_create(t, fn, arg));
}

static void
create_and_join(void)
{
	struct thread t;

	start(&t, store_flag, (void *)41L);
	EXPECT_EQ(thread_join(&t), 42);
	EXPECT_EQ(flag, 41);
}

static void *
tell_ids(void *arg)
{
	int *ids = arg;

	ids[0] = getpid();
	ids[1] = gettid();
	ids[2] = getppid();
	return NULL;
}

static void
ids(void)
{
	struct thread t;
	int id[3], tid;

	start(&t, tell_ids, id);
	tid = t.tid;
	thread_join(&t);
	EXPECT_EQ(id[0], getpid());
	EXPECT(id[1] != getpid() && id[1] > 0);
	EXPECT(tid == id[1] || tid == 0);
	EXPECT_EQ(id[2], getppid());
}

static void *
use_tls(void *arg)
{
	int i, me = (int)(long)arg;

	if (tls_value != 5 || tls_zero != 0)
		return (void *)1;
	for (i = 0; i < 50; i++) {
		tls_value = me;
		tls_zero = -me;
		errno = me + 1000;
		sched_yield();
		if (tls_value != me || tls_zero != -me || errno != me + 1000)
			return (void *)2;
	}
	return NULL;
}

static void
thread_local_storage(void)
{
	struct thread t[NTHREADS];
	long i;

	for (i = 0; i < NTHREADS; i++)
		start(&t[i], use_tls, (void *)(i + 10));
	for (i = 0; i < NTHREADS; i++)
		EXPECT_EQ(thread_join(&t[i]), 0);
	EXPECT_EQ(tls_value, 5);
}

static void *
add_many(void *arg)
{
	int i;

	barrier_wait(&gate);
	for (i = 0; i < 2000; i++) {
		mutex_lock(&lock);
		shared_counter++;
		mutex_unlock(&lock);
	}
	return arg;
}

static void
mutex_excludes(void)
{
	struct thread t[4];
	int i;

	barrier_init(&gate, 4);
	for (i = 0; i < 4; i++)
		start(&t[i], add_many, NULL);
	for (i = 0; i < 4; i++)
		thread_join(&t[i]);
	EXPECT_EQ(shared_counter, 8000);
}

static void *
barrier_rounds(void *arg)
{
	int i, *bad = arg;

	for (i = 0; i < 50; i++) {
		__atomic_add_fetch(&shared_counter, 1, __ATOMIC_SEQ_CST);
		barrier_wait(&gate);
		if (__atomic_load_n(&shared_counter, __ATOMIC_SEQ_CST) !=
		    (i + 1) * 4)
			*bad = 1;
		barrier_wait(&gate);
	}
	return NULL;
}

static void
barriers(void)
{
	struct thread t[4];
	int i, bad = 0;

	barrier_init(&gate, 4);
	for (i = 0; i < 4; i++)
		start(&t[i], barrier_rounds, &bad);
	for (i = 0; i < 4; i++)
		thread_join(&t[i]);
	EXPECT_EQ(bad, 0);
}

static void
many_in_a_row(void)
{
	struct thread t;
	long i;

	for (i = 0; i < 100; i++) {
		start(&t, store_flag, (void *)i);
		EXPECT_EQ(thread_join(&t), i + 1);
	}
}

static void *
wait_at_gate(void *arg)
{
	barrier_wait(&gate);
	return arg;
}

static void
many_at_once(void)
{
	enum { N = 64 };
	struct thread t[N];
	int i;

	barrier_init(&gate, N + 1);
	for (i = 0; i < N; i++)
		start(&t[i], wait_at_gate, NULL);
	barrier_wait(&gate);
	for (i = 0; i < N; i++)
		thread_join(&t[i]);
}

/* --- futex ----------------------------------------------------------- */

static void
futex_checks_value(void)
{
	struct timespec ms = { .tv_nsec = 30000000 }, bad = { .tv_nsec = -1 };
	uint64_t begin;
	int word = 3;

	EXPECT_ERR(futex_wait(&word, 4, NULL), EAGAIN);
	EXPECT_EQ(futex_wake(&word, 1), 0);
	begin = now_ns();
	EXPECT_ERR(futex_wait(&word, 3, &ms), ETIMEDOUT);
	EXPECT(now_ns() - begin >= 30000000);
	EXPECT_ERR(futex_wait(&word, 3, &bad), EINVAL);
	EXPECT_ERR(futex_wait((int *)((char *)&word + 1), 3, &ms), EINVAL);
	EXPECT_ERR(futex_wait((int *)8, 3, &ms), EFAULT);
	EXPECT_EQ(syscall3(SYS_futex, (long)&word, 99, 0), -ENOSYS);
}

static void *
futex_sleeper(void *arg)
{
	int *word = arg;

	__atomic_add_fetch(&shared_counter, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == 0)
		futex_wait(word, 0, NULL);
	__atomic_add_fetch(&flag, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void
futex_wakes_so_many(void)
{
	struct thread t[NTHREADS];
	int word = 0, i, n = 0;

	for (i = 0; i < NTHREADS; i++)
		start(&t[i], futex_sleeper, &word);
	await(&shared_counter, NTHREADS);
	msleep(50);			/* now all sleep */
	word = 1;
	for (i = 1; i <= 3; i++) {
		EXPECT_EQ(futex_wake(&word, 1), 1);
		await(&flag, i);
	}
	n = futex_wake(&word, 1000);
	EXPECT_EQ(n, NTHREADS - 3);
	for (i = 0; i < NTHREADS; i++)
		thread_join(&t[i]);
}

static long
futex_call(int *addr, int op, int val, long val2, int *addr2, int val3)
{
	return syscall6(SYS_futex, (long)addr, op, val, val2, (long)addr2,
	    val3);
}

static void *
bitset_sleeper(void *arg)
{
	static int word;

	__atomic_add_fetch(&shared_counter, 1, __ATOMIC_SEQ_CST);
	if (arg == NULL)
		return &word;
	futex_call(&word, FUTEX_WAIT_BITSET, 0, 0, NULL, (int)(long)arg);
	return arg;
}

/* A wake-up passes by the sleepers whose bits it does not have. */
static void
futex_bitsets(void)
{
	struct thread one, two;
	int *word = bitset_sleeper(NULL);

	start(&one, bitset_sleeper, (void *)1L);
	start(&two, bitset_sleeper, (void *)2L);
	await(&shared_counter, 3);
	msleep(50);
	EXPECT_EQ(futex_call(word, FUTEX_WAKE_BITSET, 9, 0, NULL, 4), 0);
	EXPECT_EQ(futex_call(word, FUTEX_WAKE_BITSET, 9, 0, NULL, 2), 1);
	EXPECT_EQ(thread_join(&two), 2);
	EXPECT_EQ(futex_call(word, FUTEX_WAKE_BITSET, 9, 0, NULL, 3), 1);
	EXPECT_EQ(thread_join(&one), 1);
	EXPECT_EQ(futex_call(word, FUTEX_WAKE_BITSET, 9, 0, NULL, 0),
	    -EINVAL);
}

static int first_word, second_word;

static void *
requeued_sleeper(void *arg)
{
	__atomic_add_fetch(&shared_counter, 1, __ATOMIC_SEQ_CST);
	futex_wait(&first_word, 0, NULL);
	return arg;
}

static void
futex_requeues(void)
{
	struct thread t[4];
	int i;

	for (i = 0; i < 4; i++)
		start(&t[i], requeued_sleeper, NULL);
	await(&shared_counter, 4);
	msleep(50);
	EXPECT_EQ(futex_call(&first_word, FUTEX_CMP_REQUEUE, 1, 9,
	    &second_word, 77), -EAGAIN);
	EXPECT_EQ(futex_call(&first_word, FUTEX_CMP_REQUEUE, 1, 2,
	    &second_word, 0), 3);	/* one woke, two moved */
	EXPECT_EQ(futex_wake(&first_word, 9), 1);
	EXPECT_EQ(futex_wake(&second_word, 9), 2);
	for (i = 0; i < 4; i++)
		thread_join(&t[i]);
}

/* No wake-up is lost: two threads hand a word to each other. */
static void *
futex_partner(void *arg)
{
	int *word = arg, i;

	for (i = 0; i < 500; i++) {
		while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != 1)
			futex_wait(word, 0, NULL);
		__atomic_store_n(word, 0, __ATOMIC_RELEASE);
		futex_wake(word, 1);
	}
	return NULL;
}

static void
futex_ping_pong(void)
{
	struct thread t;
	int word = 0, i;

	start(&t, futex_partner, &word);
	for (i = 0; i < 500; i++) {
		__atomic_store_n(&word, 1, __ATOMIC_RELEASE);
		futex_wake(&word, 1);
		while (__atomic_load_n(&word, __ATOMIC_ACQUIRE) != 0)
			futex_wait(&word, 1, NULL);
	}
	thread_join(&t);
}

/* A futex in shared memory works between processes, at any address. */
static void
futex_between_processes(void)
{
	int *word = (int *)map_shared(1), status;
	pid_t pid = (pid_t)EXPECT_OK(fork());

	if (pid == 0) {
		word[1] = 1;
		while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == 0)
			futex_wait(word, 0, NULL);
		_exit(0);
	}
	await(&word[1], 1);
	msleep(20);
	__atomic_store_n(word, 1, __ATOMIC_RELEASE);
	EXPECT_EQ(futex_wake(word, 1), 1);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_exit(status, 0);
}

/* After fork the private page is another page: no cross-talk. */
static void
futex_private_after_fork(void)
{
	struct timespec ms = { .tv_nsec = 100000000 };
	int *word = (int *)map_pages(1), status;
	pid_t pid;

	word[0] = 0;
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		EXPECT_ERR(futex_wait(word, 0, &ms), ETIMEDOUT);
		_exit(0);
	}
	msleep(30);
	EXPECT_EQ(futex_wake(word, 10), 0);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_exit(status, 0);
}

/* --- one space, several threads -------------------------------------- */

static void *
touch_when_told(void *arg)
{
	char *volatile *slot = arg;
	struct fault f;

	await(&flag, 1);
	**slot = 77;
	__atomic_store_n(&flag, 2, __ATOMIC_RELEASE);
	await(&flag, 3);
	f = probe(*slot, PROBE_READ);
	return (void *)(long)(f.sig == SIGSEGV && f.code == SEGV_MAPERR);
}

static void
map_and_unmap_are_seen(void)
{
	char *volatile slot = NULL;
	struct thread t;

	start(&t, touch_when_told, (void *)(uintptr_t)&slot);
	slot = map_pages(1);
	__atomic_store_n(&flag, 1, __ATOMIC_RELEASE);
	await(&flag, 2);
	EXPECT_EQ(*slot, 77);
	EXPECT_OK(munmap(slot, PG));
	__atomic_store_n(&flag, 3, __ATOMIC_RELEASE);
	EXPECT_EQ(thread_join(&t), 1);
}

static void *
map_storm(void *arg)
{
	long tag = (long)arg;
	size_t i;
	int round;
	char *p;

	for (round = 0; round < 60; round++) {
		p = mmap(NULL, 8 * PG, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			return (void *)1;
		for (i = 0; i < 8; i++) {
			if (*(long *)(p + i * PG) != 0)
				return (void *)2;
			*(long *)(p + i * PG) = tag;
		}
		mprotect(p + 2 * PG, 2 * PG, PROT_READ);
		sched_yield();
		for (i = 0; i < 8; i++) {
			if (*(long *)(p + i * PG) != tag)
				return (void *)3;
		}
		munmap(p, 8 * PG);
	}
	return NULL;
}

static void
concurrent_map_storm(void)
{
	struct thread t[4];
	long i;

	for (i = 0; i < 4; i++)
		start(&t[i], map_storm, (void *)(i + 1));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(thread_join(&t[i]), 0);
}

static char *common;

static void *
fault_together(void *arg)
{
	long me = (long)arg;
	int i;

	barrier_wait(&gate);
	for (i = 0; i < 64; i++)
		__atomic_add_fetch((int *)(common + (size_t)i * PG), 1,
		    __ATOMIC_SEQ_CST);
	return (void *)me;
}

/* All threads take the first fault on the same pages at once. */
static void
same_page_faults(void)
{
	struct thread t[4];
	long i;
	int round;

	for (round = 0; round < 10; round++) {
		common = map_pages(64);
		barrier_init(&gate, 4);
		for (i = 0; i < 4; i++)
			start(&t[i], fault_together, NULL);
		for (i = 0; i < 4; i++)
			thread_join(&t[i]);
		for (i = 0; i < 64; i++)
			EXPECT_EQ(*(int *)(common + (size_t)i * PG), 4);
		EXPECT_OK(munmap(common, 64 * PG));
	}
}

static void *
malloc_storm(void *arg)
{
	char *p[16] = { NULL };
	uint64_t seed = (uint64_t)(long)arg;
	size_t i, n;
	int step;

	for (step = 0; step < 1000; step++) {
		i = prng(&seed) % 16;
		if (p[i] != NULL && p[i][0] != (char)i)
			return (void *)1;
		free(p[i]);
		n = 1 + prng(&seed) % 3000;
		p[i] = malloc(n);
		if (p[i] == NULL)
			return (void *)2;
		memset(p[i], (int)i, n);
	}
	for (i = 0; i < 16; i++)
		free(p[i]);
	return NULL;
}

static void
concurrent_malloc(void)
{
	struct thread t[4];
	long i;

	for (i = 0; i < 4; i++)
		start(&t[i], malloc_storm, (void *)(i + 1));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(thread_join(&t[i]), 0);
}

static void *
overrun_stack(void *arg)
{
	char *guard = arg;
	struct fault f = probe(guard, PROBE_WRITE);

	return (void *)(long)(f.sig == SIGSEGV && f.addr == guard);
}

static void
guard_page_of_stack(void)
{
	struct thread t;

	memset(&t, 0, sizeof(t));
	start(&t, store_flag, NULL);
	thread_join(&t);
	start(&t, overrun_stack, t.stack + 8);	/* the stack comes back there */
	EXPECT(thread_join(&t) != NULL);
}

/* --- the end of threads and processes -------------------------------- */

static void *
spin(void *arg)
{
	while (getpid() > 0)
		continue;
	return arg;
}

static void *
sleep_long(void *arg)
{
	(void)arg;
	sleep(1000);
	return NULL;
}

static void
threads_then(void *arg)
{
	static struct thread t[4];
	const char *argv[] = { "tiny", NULL };

	start(&t[0], spin, NULL);
	start(&t[1], sleep_long, NULL);
	start(&t[2], spin, NULL);
	msleep(20);
	switch ((long)arg) {
	case 0:
		_exit(21);
	case 1:
		kill(getpid(), SIGKILL);
		break;
	case 2:
		*nowhere = 1;
		break;
	case 3:
		execve(root_path("/bin/tiny"), argv, argv);
		break;
	}
	sleep(1000);
	_exit(1);
}

static void
exit_group_ends_all(void)
{
	expect_exit(in_child(threads_then, (void *)0L), 21);
}

static void
kill_ends_all(void)
{
	expect_signal(in_child(threads_then, (void *)1L), SIGKILL);
}

static void
fault_ends_all(void)
{
	expect_signal(in_child(threads_then, (void *)2L), SIGSEGV);
}

static void
exec_ends_siblings(void)
{
	expect_exit(in_child(threads_then, (void *)3L), 0);
}

static void *
exec_here(void *arg)
{
	const char *argv[] = { "sh", "-c", arg, NULL };

	execve(root_path("/bin/sh"), argv, (strings_t)environ);
	return NULL;
}

/* exec from another thread: the process keeps its pid. */
static void
exec_in_thread(void *arg)
{
	static char command[64];
	static struct thread t;

	(void)arg;
	snprintf(command, sizeof(command), "exit $$");
	start(&t, exec_here, command);
	sleep(1000);
}

static void
exec_by_thread_keeps_pid(void)
{
	int status;
	pid_t pid = (pid_t)EXPECT_OK(fork());

	if (pid == 0)
		exec_in_thread(NULL);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_exit(status, pid & 0xff);
}

static void *
exit_later(void *arg)
{
	msleep(50);
	_exit((int)(long)arg);
}

static void
main_thread_leaves(void *arg)
{
	static struct thread t;

	start(&t, exit_later, arg);
	syscall3(SYS_exit, 3, 0, 0);
}

/* The process lives until its last thread. */
static void
first_thread_may_leave(void)
{
	expect_exit(in_child(main_thread_leaves, (void *)33L), 33);
}

static void *
fork_here(void *arg)
{
	int status, *ok = arg;
	pid_t pid;

	tls_value = 99;
	pid = fork();
	if (pid == 0)
		_exit(tls_value == 99 && gettid() == getpid() ? 0 : 1);
	if (waitpid(pid, &status, 0) == pid && status == 0)
		*ok = 1;
	return NULL;
}

static void
fork_takes_one_thread(void)
{
	struct thread t, spinner;
	int ok = 0;

	start(&spinner, sleep_long, NULL);
	start(&t, fork_here, &ok);
	thread_join(&t);
	EXPECT_EQ(ok, 1);
}

static void
clone_errors(void)
{
	char *stack = map_pages(1);

	EXPECT_ERR(clone(NULL, stack + PG, CLONE_THREAD, NULL, NULL, NULL,
	    NULL), EINVAL);
	EXPECT_ERR(clone(NULL, stack + PG, CLONE_SIGHAND, NULL, NULL, NULL,
	    NULL), EINVAL);
	EXPECT_ERR(clone(NULL, stack + PG, CLONE_THREAD | CLONE_SIGHAND, NULL,
	    NULL, NULL, NULL), EINVAL);
}

static void
affinity(void)
{
	unsigned long mask[16] = { 0 }, none[16] = { 0 };
	int cpu;

	EXPECT_OK(sched_getaffinity(0, sizeof(mask), mask));
	for (cpu = 0; cpu < 64; cpu++) {
		if ((mask[0] >> cpu & 1) == 0)
			continue;
		EXPECT(pin_to_cpu(cpu));
		EXPECT_EQ(getcpu(), cpu);
		sched_yield();
		EXPECT_EQ(getcpu(), cpu);
	}
	EXPECT_ERR(sched_setaffinity(0, sizeof(none), none), EINVAL);
	EXPECT_ERR(sched_setaffinity(1 << 30, sizeof(mask), mask), ESRCH);
}

static const struct ktap_test tests[] = {
	TEST(create_and_join, 0),
	TEST(ids, 0),
	TEST(thread_local_storage, 0),
	TEST(mutex_excludes, 0),
	TEST(barriers, 0),
	TEST(many_in_a_row, 0),
	TEST(many_at_once, 0),
	TEST(futex_checks_value, T_NOEMU),
	TEST(futex_wakes_so_many, 0),
	TEST(futex_bitsets, 0),
	TEST(futex_requeues, 0),
	TEST(futex_ping_pong, 0),
	TEST(futex_between_processes, 0),
	TEST(futex_private_after_fork, 0),
	TEST(map_and_unmap_are_seen, 0),
	TEST(concurrent_map_storm, 0),
	TEST(same_page_faults, 0),
	TEST(concurrent_malloc, 0),
	TEST(guard_page_of_stack, 0),
	TEST(exit_group_ends_all, 0),
	TEST(kill_ends_all, 0),
	TEST(fault_ends_all, 0),
	TEST(exec_ends_siblings, T_EXEC),
	TEST(exec_by_thread_keeps_pid, T_EXEC),
	TEST(first_thread_may_leave, T_NOEMU),
	TEST(fork_takes_one_thread, 0),
	TEST(clone_errors, T_NOEMU),
	TEST(affinity, 0),
};

KTAP_MAIN("thread")
