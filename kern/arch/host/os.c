/* SPDX-License-Identifier: MIT */
/*
 * os.c - the host port's use of the C library: memory, threads, stacks,
 * children, files.
 *
 * A test that may break the simulated machine runs in a child (os_run): the
 * booted machine is copied with the process, so each run starts from the same
 * state, costs about a millisecond and may end by any crash.
 */
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define STACK_SIZE (256 * 1024)

#ifdef COVERAGE
void __gcov_dump(void);
#endif

/* Without what the parent has registered with atexit(); the counts of a build
 * for `make coverage` are written all the same. */
static __attribute__((noreturn)) void
end_process(int code)
{
#ifdef COVERAGE
	__gcov_dump();
#endif
	_exit(code);
}

static void
die(const char *what)
{
	perror(what);
	end_process(98);
}

void *
os_map(size_t size, bool shared)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_ANONYMOUS | (shared ? MAP_SHARED : MAP_PRIVATE), -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

void
os_share(void *pages, size_t size)
{
	if (mmap(pages, size, PROT_READ | PROT_WRITE,
		MAP_ANONYMOUS | MAP_SHARED | MAP_FIXED, -1, 0) != pages)
		die("mmap of shared pages");
}

void
os_map_at(uintptr_t va, size_t size)
{
	if (mmap((void *)va, size, PROT_READ | PROT_WRITE,
		MAP_ANONYMOUS | MAP_PRIVATE | MAP_FIXED_NOREPLACE, -1,
		0) != (void *)va)
		die("mmap at a fixed address");
}

void
os_unmap(void *p, size_t size)
{
	munmap(p, size);
}

void *
os_grow(void *old, size_t size)
{
	void *p = realloc(old, size);

	if (p == NULL)
		die("realloc");
	return p;
}

void
os_free(void *p)
{
	free(p);
}

void
os_write(int fd, const void *buf, size_t n)
{
	const char *s = buf;

	while (n > 0) {
		ssize_t k = write(fd, s, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return;
		s += k;
		n -= (size_t)k;
	}
}

void
os_exit(int code)
{
	end_process(code);
}

uint64_t
os_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

const char *
os_getenv(const char *name)
{
	return getenv(name);
}

bool
os_save(const char *path, const void *data, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	if (fd < 0)
		return false;
	os_write(fd, data, n);
	return close(fd) == 0;
}

void *
os_load(const char *path, size_t *n)
{
	int fd = open(path, O_RDONLY);
	char *buf = NULL;
	size_t size = 0;
	ssize_t k;

	if (fd < 0)
		return NULL;
	do {
		buf = os_grow(buf, size + 65536);
		k = read(fd, buf + size, 65536);
		size += k > 0 ? (size_t)k : 0;
	} while (k > 0);
	close(fd);
	*n = size;
	return buf;
}

static void
child(int (*fn)(void *), void *arg, bool quiet)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (quiet) {
		int fd = open("/dev/null", O_WRONLY);

		dup2(fd, 1);
		dup2(fd, 2);
	}
	end_process(fn(arg));
}

int
os_run(int (*fn)(void *), void *arg, unsigned timeout_ms, bool quiet)
{
	struct timespec limit = { .tv_sec = timeout_ms / 1000,
		.tv_nsec = (long)(timeout_ms % 1000) * 1000000 };
	sigset_t set, old;
	int status, code;
	pid_t pid;

	/* SIGCHLD is blocked, so sigtimedwait sleeps until the child ends. */
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &old);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, &old, NULL);
		child(fn, arg, quiet);
	}
	while (sigtimedwait(&set, NULL, &limit) < 0 && errno == EINTR)
		;
	if (waitpid(pid, &status, WNOHANG) == 0) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		code = OS_TIMEOUT;
	} else {
		code = WIFEXITED(status) ? WEXITSTATUS(status) :
					   OS_SIGNAL + WTERMSIG(status);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return code;
}

/* ---- threads ---- */

struct os_thread {
	pthread_t id;
	void (*fn)(void *);
	void *arg;
};

static void *
thread_main(void *arg)
{
	struct os_thread *t = arg;

	t->fn(t->arg);
	return NULL;
}

struct os_thread *
os_thread_start(void (*fn)(void *), void *arg)
{
	struct os_thread *t = os_grow(NULL, sizeof(*t));

	t->fn = fn;
	t->arg = arg;
	if (pthread_create(&t->id, NULL, thread_main, t) != 0)
		die("pthread_create");
	return t;
}

void
os_thread_join(struct os_thread *t)
{
	pthread_join(t->id, NULL);
	free(t);
}

void
os_yield(void)
{
	sched_yield();
}

struct os_event {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool set;
};

struct os_event *
os_event_create(void)
{
	struct os_event *e = os_grow(NULL, sizeof(*e));

	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->cond, NULL);
	e->set = false;
	return e;
}

void
os_event_set(struct os_event *e)
{
	pthread_mutex_lock(&e->lock);
	e->set = true;
	pthread_cond_signal(&e->cond);
	pthread_mutex_unlock(&e->lock);
}

void
os_event_wait(struct os_event *e, uint64_t ns)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	ns += (uint64_t)until.tv_nsec;
	until.tv_sec += (time_t)(ns / 1000000000u);
	until.tv_nsec = (long)(ns % 1000000000u);
	pthread_mutex_lock(&e->lock);
	while (!e->set)
		if (pthread_cond_timedwait(&e->cond, &e->lock, &until) != 0)
			break;
	e->set = false;
	pthread_mutex_unlock(&e->lock);
}

/* ---- stacks ---- */

struct os_stack {
	ucontext_t context;
	void *memory;
};

static struct os_stack main_stack;

struct os_stack *
os_stack_create(void (*fn)(void))
{
	struct os_stack *s = os_grow(NULL, sizeof(*s));

	s->memory = os_map(STACK_SIZE, false);
	mprotect(s->memory, 4096, PROT_NONE);
	getcontext(&s->context);
	s->context.uc_stack.ss_sp = s->memory;
	s->context.uc_stack.ss_size = STACK_SIZE;
	s->context.uc_link = NULL;
	makecontext(&s->context, fn, 0);
	return s;
}

void
os_stack_switch(struct os_stack *from, struct os_stack *to)
{
	swapcontext(from != NULL ? &from->context : &main_stack.context,
	    to != NULL ? &to->context : &main_stack.context);
}

void
os_stack_free(struct os_stack *s)
{
	os_unmap(s->memory, STACK_SIZE);
	free(s);
}

/* ---- exceptions ---- */

static jmp_buf *catcher;

bool
os_catch(void (*fn)(void *), void *arg)
{
	jmp_buf here, *outer = catcher;
	volatile bool thrown = true;

	catcher = &here;
	if (setjmp(here) == 0) {
		fn(arg);
		thrown = false;
	}
	catcher = outer;
	return thrown;
}

bool
os_throw(void)
{
	if (catcher != NULL)
		longjmp(*catcher, 1);
	return false;
}

#ifdef __SANITIZE_THREAD__
/* The DEBUG checks of spin locks look at the owner without the lock. */
const char *__tsan_default_suppressions(void);
const char *
__tsan_default_suppressions(void)
{
	return "race:spin_check_before\n"
	       "race:spin_check_acquired\n"
	       "race:spin_check_release\n"
	       "race:spin_held\n";
}
#endif

#ifdef __SANITIZE_ADDRESS__
/* Memory of the simulation lives as long as the process; the kernel's own leaks
 * are found by its counters. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif
