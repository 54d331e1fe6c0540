/* SPDX-License-Identifier: MIT */
/* unit_sync.c - kern/sync: ranks, sleep locks, wait queues under a scheduler
 * that switches at every point. */
#include "arch/timer.h"
#include "sync/sleeplock.h"
#include "sync/spinlock.h"
#include "vm/test/unit.h"

#define SEEDS 200

static struct spinlock low = SPINLOCK_INIT(RANK_PAGE, "low");
static struct spinlock high = SPINLOCK_INIT(RANK_FRAME, "high");
static struct sleeplock sl;
static struct waitq wq = WAITQ_INIT(wq);
static unsigned inside, counter, readers, most_readers;
static bool condition;

static void
inversion(void *arg)
{
	(void)arg;
	spin_lock(&high);
	spin_lock(&low);
}

static void
twice(void *arg)
{
	(void)arg;
	spin_lock(&low);
	spin_lock(&low);
}

static void
sleep_with_spinlock(void *arg)
{
	(void)arg;
	sleeplock_init(&sl, RANK_OBJECT, "sleep");
	spin_lock(&high);
	sleep_lock(&sl);
}

static void
foreign_release(void *arg)
{
	(void)arg;
	spin_lock(&low);
	host_switch_cpu(1);
	spin_unlock(&low);
}

static void
ranks(void)
{
	spin_lock(&low);
	spin_lock(&high);
	CHECK(spin_held(&high));
	spin_unlock(&high);
	spin_unlock(&low);
	CHECK(spin_trylock(&low));
	spin_unlock(&low);
	PANICS(inversion, NULL);
	PANICS(twice, NULL);
	PANICS(sleep_with_spinlock, NULL);
	PANICS(foreign_release, NULL);
}

static void
four(uint64_t seed, host_fn *a, host_fn *b, host_fn *c, host_fn *d)
{
	host_fn *const fn[4] = { a, b, c, d };
	void *const none[4] = { NULL };

	host_run_stacks(seed, 4, fn, none);
}

static void
count_up(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 20; i++) {
		spin_lock(&low);
		unsigned n = counter;

		host_point(HOST_MB);
		CHECK(inside++ == 0);
		host_point(HOST_MB);
		counter = n + 1;
		inside--;
		spin_unlock(&low);
	}
}

static void
spin_excludes(void)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		counter = 0;
		four(seed, count_up, count_up, count_up, count_up);
		EQUAL(counter, 80);
	}
}

static void
writer(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 10; i++) {
		sleep_lock(&sl);
		CHECK(sleep_held_exclusive(&sl));
		CHECK(inside++ == 0 && readers == 0);
		host_point(HOST_MB);
		counter++;
		inside--;
		sleep_unlock(&sl);
	}
}

static void
reader(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 10; i++) {
		sleep_lock_shared(&sl);
		CHECK(inside == 0);
		readers++;
		most_readers = MAX(most_readers, readers);
		host_point(HOST_MB);
		readers--;
		sleep_unlock_shared(&sl);
	}
}

static void
sleep_lock_excludes(void)
{
	sleeplock_init(&sl, RANK_OBJECT, "sleep");
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		counter = 0;
		four(seed, writer, reader, writer, reader);
		EQUAL(counter, 20);
		EQUAL(sl.state, 0);
	}
	CHECK(most_readers == 2);
	CHECK(sleep_trylock(&sl));
	CHECK(!sleep_trylock_shared(&sl));
	sleep_unlock(&sl);
}

/* Holds it shared until somebody waits for it exclusively. */
static void
holder(void *arg)
{
	(void)arg;
	sleep_lock_shared(&sl);
	__atomic_store_n(&inside, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&sl.state, __ATOMIC_SEQ_CST) <
	    SLEEPLOCK_EXCL_WAIT)
		host_point(HOST_MB);
	CHECK(!sleep_trylock_shared(&sl));
	sleep_unlock_shared(&sl);
}

static void
exclusive_waiter(void *arg)
{
	(void)arg;
	while (__atomic_load_n(&inside, __ATOMIC_SEQ_CST) == 0)
		host_point(HOST_MB);
	sleep_lock(&sl);
	inside = 0;
	sleep_unlock(&sl);
}

static void
nobody(void *arg)
{
	(void)arg;
}

/* New shared holders stay out while an exclusive one waits. */
static void
sleep_lock_exclusive_first(void)
{
	sleeplock_init(&sl, RANK_OBJECT, "sleep");
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		four(seed, holder, exclusive_waiter, nobody, nobody);
		EQUAL(sl.state, 0);
	}
}

static void
waiter(void *arg)
{
	(void)arg;
	for (;;) {
		uint32_t seq;
		bool done;

		spin_lock(&low);
		seq = waitq_sequence(&wq);
		done = condition;
		spin_unlock(&low);
		if (done)
			return;
		EQUAL(waitq_wait(&wq, seq, WAIT_FOREVER, DEADLINE_NONE), 0);
	}
}

static void
waker(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 5; i++)
		waitq_wake(&wq, 1); /* in vain */
	spin_lock(&low);
	condition = true;
	spin_unlock(&low);
	waitq_wake_all(&wq);
}

/* A lost wake-up would leave everybody blocked: the scheduler panics. */
static void
no_lost_wakeup(void)
{
	for (uint64_t seed = 1; seed <= 5 * SEEDS; seed++) {
		condition = false;
		four(seed, waiter, waker, waiter, waiter);
		EQUAL(wq.nwaiting, 0);
	}
}

/* ---- several queues ---- */

static struct waitq wq2 = WAITQ_INIT(wq2);

static void
poller(void *arg)
{
	struct waitq_place p[2] = { { .wq = &wq }, { .wq = &wq2 } };

	(void)arg;
	for (;;) {
		for (unsigned i = 0; i < 2; i++)
			p[i].seq = waitq_sequence(p[i].wq);
		if (__atomic_load_n(&condition, __ATOMIC_SEQ_CST))
			return;
		EQUAL(waitq_wait_any(p, 2, WAIT_FOREVER, DEADLINE_NONE), 0);
	}
}

static void
second_waker(void *arg)
{
	(void)arg;
	waitq_wake_all(&wq); /* in vain */
	__atomic_store_n(&condition, true, __ATOMIC_SEQ_CST);
	waitq_wake_all(&wq2);
}

static void
poll_loses_no_wakeup(void)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		condition = false;
		four(seed, poller, second_waker, poller, nobody);
		EQUAL(wq.nwaiting, 0);
		EQUAL(wq2.nwaiting, 0);
	}
}

static void
killable_poller(void *arg)
{
	struct waitq_place p = { .wq = &wq, .seq = waitq_sequence(&wq) };

	(void)arg;
	EQUAL(waitq_wait_any(&p, 1, WAIT_KILLABLE, DEADLINE_NONE), EINTR);
	counter++;
}

static void
impatient_poller(void *arg)
{
	ns_t until = timer_now() + 50000;

	(void)arg;
	/* Of no queue: a sleep. */
	EQUAL(waitq_wait_any(NULL, 0, WAIT_FOREVER, until), ETIMEDOUT);
	CHECK(timer_now() >= until);
	counter++;
}

static void killer(void *arg);

static void
poll_ends(void)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		counter = 0;
		four(seed, killable_poller, killer, impatient_poller, NULL);
		host_kill(0, false);
		EQUAL(counter, 2);
		EQUAL(wq.nwaiting, 0);
	}
}

static void
killable(void *arg)
{
	(void)arg;
	EQUAL(waitq_wait(&wq, waitq_sequence(&wq), WAIT_KILLABLE,
		  DEADLINE_NONE),
	    EINTR);
	counter++;
}

static void
killer(void *arg)
{
	(void)arg;
	host_kill(0, true);
}

static void
kill_ends_wait(void)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		counter = 0;
		four(seed, killable, killer, NULL, NULL);
		host_kill(0, false);
		EQUAL(counter, 1);
		EQUAL(wq.nwaiting, 0);
	}
}

static void
impatient(void *arg)
{
	ns_t until = timer_now() + 50000;

	(void)arg;
	EQUAL(waitq_wait(&wq, waitq_sequence(&wq), WAIT_FOREVER, until),
	    ETIMEDOUT);
	CHECK(timer_now() >= until);
}

static void
deadline(void)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		four(seed, impatient, NULL, impatient, NULL);
}

static void
blocks_alone(void *arg)
{
	(void)arg;
	(void)waitq_wait(&wq, waitq_sequence(&wq), WAIT_FOREVER,
	    DEADLINE_NONE);
}

static void
deadlock_is_reported(void)
{
	PANICS(blocks_alone, NULL);
}

const struct unit unit_sync[] = {
	{ "ranks", ranks, 0 },
	{ "spin_excludes", spin_excludes, 0 },
	{ "sleep_lock_excludes", sleep_lock_excludes, 0 },
	{ "sleep_lock_exclusive_first", sleep_lock_exclusive_first, 0 },
	{ "no_lost_wakeup", no_lost_wakeup, 0 },
	{ "poll_loses_no_wakeup", poll_loses_no_wakeup, 0 },
	{ "poll_ends", poll_ends, 0 },
	{ "kill_ends_wait", kill_ends_wait, 0 },
	{ "deadline", deadline, 0 },
	{ "deadlock_is_reported", deadlock_is_reported, 0 },
	{ NULL, NULL, 0 },
};
