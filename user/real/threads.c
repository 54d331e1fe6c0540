/* SPDX-License-Identifier: MIT */
/*
 * threads.c - POSIX threads as an ordinary program uses them.
 *
 * Says only what every run must say, so that Tern and Linux can be compared:
 * sums, errors, what was cleaned up; never who was first.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, ROUNDS = 2000, SLOTS = 4, ITEMS = 500 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long counter;

static __thread long own = 100;		/* .tdata */
static __thread char scratch[5000];	/* .tbss, more than a page */

static void
must(int error, const char *what)
{
	if (error == 0)
		return;
	printf("%s: %s\n", what, strerror(error));
	exit(1);
}

/* Runs @fn in THREADS threads, with their numbers; the sum of what they
 * return. */
static long
run_all(void *(*fn)(void *))
{
	pthread_t t[THREADS];
	long i, sum = 0;
	void *result;

	for (i = 0; i < THREADS; i++)
		must(pthread_create(&t[i], NULL, fn, (void *)i), "create");
	for (i = 0; i < THREADS; i++) {
		must(pthread_join(t[i], &result), "join");
		sum += (long)result;
	}
	return sum;
}

static void *
add_many(void *arg)
{
	long i;

	for (i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		pthread_mutex_unlock(&lock);
	}
	return arg;
}

static void *
use_tls(void *arg)
{
	long me = (long)arg;
	size_t i, wrong = 0;

	for (i = 0; i < sizeof(scratch); i++)
		wrong += scratch[i] != 0;
	memset(scratch, (int)me + 1, sizeof(scratch));
	own += me;
	errno = (int)me + 1;
	sched_yield();
	usleep(1000);
	for (i = 0; i < sizeof(scratch); i++)
		wrong += scratch[i] != (char)(me + 1);
	wrong += errno != (int)me + 1;
	return (void *)(wrong == 0 ? own : -1000000);
}

/* A bounded queue: half of the threads put in, half take out. */
static struct {
	pthread_mutex_t	lock;
	pthread_cond_t	room, there;
	long		item[SLOTS];
	unsigned	head, tail;
} queue = { .lock = PTHREAD_MUTEX_INITIALIZER,
	.room = PTHREAD_COND_INITIALIZER, .there = PTHREAD_COND_INITIALIZER };

static void
put(long item)
{
	pthread_mutex_lock(&queue.lock);
	while (queue.head - queue.tail == SLOTS)
		pthread_cond_wait(&queue.room, &queue.lock);
	queue.item[queue.head++ % SLOTS] = item;
	pthread_cond_signal(&queue.there);
	pthread_mutex_unlock(&queue.lock);
}

static long
take(void)
{
	long item;

	pthread_mutex_lock(&queue.lock);
	while (queue.head == queue.tail)
		pthread_cond_wait(&queue.there, &queue.lock);
	item = queue.item[queue.tail++ % SLOTS];
	pthread_cond_signal(&queue.room);
	pthread_mutex_unlock(&queue.lock);
	return item;
}

static void *
trade(void *arg)
{
	long me = (long)arg, i, sum = 0;

	for (i = 0; i < ITEMS; i++) {
		if (me % 2 == 0)
			put(me * ITEMS + i);
		else
			sum += take();
	}
	return (void *)sum;
}

static pthread_barrier_t barrier;
static long column[THREADS];

/* After the barrier everybody sees what everybody wrote before it. */
static void *
meet(void *arg)
{
	long me = (long)arg, sum = 0, i, serial = 0;

	column[me] = me + 1;
	serial = pthread_barrier_wait(&barrier) ==
	    PTHREAD_BARRIER_SERIAL_THREAD;
	for (i = 0; i < THREADS; i++)
		sum += column[i];
	return (void *)(sum + serial * 1000);
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static long left, right;	/* always equal under the lock */

static void *
read_write(void *arg)
{
	long me = (long)arg, i, torn = 0;

	for (i = 0; i < 300; i++) {
		if (me == 0) {
			pthread_rwlock_wrlock(&rwlock);
			left++;
			right++;
		} else {
			pthread_rwlock_rdlock(&rwlock);
			torn += left != right;
		}
		pthread_rwlock_unlock(&rwlock);
	}
	return (void *)torn;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static long initialised, destroyed;

static void
destroy(void *value)
{
	__atomic_add_fetch(&destroyed, (long)value, __ATOMIC_RELAXED);
}

static void
initialise(void)
{
	initialised++;
	must(pthread_key_create(&key, destroy), "key");
}

static void *
keep(void *arg)
{
	pthread_once(&once, initialise);
	pthread_setspecific(key, (void *)((long)arg + 1));
	return NULL;
}

/* Every thread has its arena; what one allocates another one frees. */
static char *parcel[THREADS];

static void *
allocate(void *arg)
{
	long me = (long)arg, i;
	char *p;

	for (i = 1; i < 400; i++) {
		p = malloc((size_t)(i * 37 % 5000 + 1));
		if (p == NULL)
			return (void *)-1;
		p[0] = (char)me;
		p = realloc(p, (size_t)(i * 91 % 9000 + 1));
		if (p == NULL || p[0] != (char)me)
			return (void *)-1;
		free(p);
	}
	p = malloc(100000);
	if (p == NULL)
		return (void *)-1;
	memset(p, (int)me, 100000);
	pthread_barrier_wait(&barrier);
	parcel[me] = p;
	pthread_barrier_wait(&barrier);
	p = parcel[(me + 1) % THREADS];
	i = p[0] + p[99999];
	free(p);
	return (void *)i;
}

static int pipe_fd[2];

static void
note(void *arg)
{
	*(int *)arg = 1;
}

/* Waits for a byte that never comes, until it is cancelled. */
static void *
wait_for_ever(void *arg)
{
	char byte;

	pthread_cleanup_push(note, arg);
	if (read(pipe_fd[0], &byte, 1) >= 0)
		printf("read something?\n");
	pthread_cleanup_pop(0);
	return NULL;
}

static void
cancellation(void)
{
	pthread_t t;
	void *result;
	int cleaned = 0;

	if (pipe(pipe_fd) != 0)
		must(errno, "pipe");
	must(pthread_create(&t, NULL, wait_for_ever, &cleaned), "create");
	usleep(20000);
	must(pthread_cancel(t), "cancel");
	must(pthread_join(t, &result), "join");
	printf("cancelled %d, cleaned up %d\n", result == PTHREAD_CANCELED,
	    cleaned);
}

static pthread_mutex_t orphan;

static void *
die_with_it(void *arg)
{
	pthread_mutex_lock(&orphan);
	return arg;
}

/* The kernel marks what a dead thread held. */
static void
robust(void)
{
	pthread_mutexattr_t attr;
	pthread_t t;
	int first, second;

	pthread_mutexattr_init(&attr);
	must(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST),
	    "setrobust");
	must(pthread_mutex_init(&orphan, &attr), "mutex_init");
	must(pthread_create(&t, NULL, die_with_it, NULL), "create");
	must(pthread_join(t, NULL), "join");
	first = pthread_mutex_lock(&orphan);
	must(pthread_mutex_consistent(&orphan), "consistent");
	pthread_mutex_unlock(&orphan);
	second = pthread_mutex_lock(&orphan);
	printf("owner died: %s; then %d\n", strerror(first), second);
}

static void
timeouts(void)
{
	struct timespec when;
	pthread_cond_t never;
	pthread_condattr_t attr;
	int error;

	clock_gettime(CLOCK_REALTIME, &when);
	when.tv_nsec += 5000000;
	if (when.tv_nsec >= 1000000000) {
		when.tv_sec++;
		when.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&lock);
	error = pthread_mutex_timedlock(&lock, &when);
	printf("timedlock: %s\n", strerror(error));
	pthread_condattr_init(&attr);
	must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC), "setclock");
	must(pthread_cond_init(&never, &attr), "cond_init");
	clock_gettime(CLOCK_MONOTONIC, &when);
	error = pthread_cond_timedwait(&never, &lock, &when);
	printf("timedwait: %s\n", strerror(error));
	pthread_mutex_unlock(&lock);
}

static sem_t sem;
static volatile sig_atomic_t hits;

static void
on_signal(int sig)
{
	hits += sig == SIGUSR1;
	sem_post(&sem);
}

static void *
be_hit(void *arg)
{
	sem_post(&sem);
	while (hits == 0)
		usleep(1000);
	return arg;
}

/* A signal for one thread, and a thread that nobody joins. */
static void
signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	pthread_attr_t attr;
	pthread_t t;

	sem_init(&sem, 0, 0);
	sigaction(SIGUSR1, &sa, NULL);
	pthread_attr_init(&attr);
	must(pthread_attr_setstacksize(&attr, 256 << 10), "setstacksize");
	must(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED),
	    "setdetachstate");
	must(pthread_create(&t, &attr, be_hit, NULL), "create");
	while (sem_wait(&sem) != 0)
		continue;
	must(pthread_kill(t, SIGUSR1), "kill");
	while (sem_wait(&sem) != 0)
		continue;
	printf("signal handled %d times\n", (int)hits);
}

int
main(void)
{
	long got;

	got = run_all(add_many);
	printf("%ld additions, %ld from joins\n", counter, got);
	printf("thread-local sum %ld, mine %ld\n", run_all(use_tls), own);
	printf("traded %ld\n", run_all(trade));
	must(pthread_barrier_init(&barrier, NULL, THREADS), "barrier");
	printf("met %ld\n", run_all(meet));
	got = run_all(read_write);
	printf("torn reads %ld, writes %ld\n", got, left);
	run_all(keep);
	printf("initialised %ld, destroyed %ld\n", initialised, destroyed);
	printf("parcels %ld\n", run_all(allocate));
	cancellation();
	robust();
	timeouts();
	signals();
	return 3;
}
