/* SPDX-License-Identifier: MIT */
/*
 * stress.c - load the system: stress [-t SECONDS] [-n WORKERS] [-m PAGES] MODE
 *
 * memory	each worker process maps, writes, checks and unmaps PAGES pages
 * fork		each worker forks children that write to shared pages
 * thread	each worker process runs 4 threads that map, write and unmap
 * hog		each worker takes memory until it is refused or killed
 */
#include <user.h>
#include <thread.h>

#define NTHREADS	4

static uint64_t deadline;
static size_t npages = 64;

static bool
time_left(void)
{
	return now_ns() < deadline;
}

static void
map_write_check(uint64_t tag)
{
	size_t i, len = npages * PAGE_SIZE;
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("stress: mmap");
		_exit(1);
	}
	for (i = 0; i < len; i += PAGE_SIZE) {
		if (*(uint64_t *)(p + i) != 0)
			die("stress: page %zu is not zero", i / PAGE_SIZE);
		*(uint64_t *)(p + i) = tag + i;
	}
	mprotect(p, len / 2, PROT_READ);
	for (i = 0; i < len; i += PAGE_SIZE) {
		if (*(uint64_t *)(p + i) != tag + i)
			die("stress: page %zu has changed", i / PAGE_SIZE);
	}
	munmap(p, len);
}

static void
memory_worker(void)
{
	while (time_left())
		map_write_check((uint64_t)getpid() << 32);
}

static void
fork_worker(void)
{
	size_t i, len = npages * PAGE_SIZE;
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	if (p == MAP_FAILED)
		die("stress: mmap: %s", strerror(errno));
	memset(p, 'p', len);
	while (time_left()) {
		pid = fork();
		if (pid == 0) {
			for (i = 0; i < len; i += 2 * PAGE_SIZE)
				p[i] = 'c';
			_exit(0);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
			die("stress: fork or wait failed");
		for (i = 0; i < len; i += PAGE_SIZE) {
			if (p[i] != 'p')
				die("stress: the child wrote to the parent");
		}
	}
}

static void *
thread_main(void *arg)
{
	while (time_left())
		map_write_check((uint64_t)(uintptr_t)arg << 32);
	return NULL;
}

static void
thread_worker(void)
{
	struct thread t[NTHREADS];
	uintptr_t i;

	for (i = 0; i < NTHREADS; i++) {
		if (thread_create(&t[i], thread_main, (void *)(i + 1)) < 0)
			die("stress: thread: %s", strerror(errno));
	}
	for (i = 0; i < NTHREADS; i++)
		thread_join(&t[i]);
}

static void
hog_worker(void)
{
	size_t i, n = 0, len = npages * PAGE_SIZE;
	char *p;

	while (time_left()) {
		p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			die("stress: refused after %zu pages", n);
		for (i = 0; i < len; i += PAGE_SIZE)
			p[i] = 1;
		n += npages;
	}
}

static int
run(void (*worker)(void), int nworkers)
{
	int i, status, failed = 0;

	for (i = 0; i < nworkers; i++) {
		switch (fork()) {
		case 0:
			worker();
			_exit(0);
		case -1:
			perror("stress: fork");
			failed = 1;
		}
	}
	while (wait(&status) > 0)
		failed |= status != 0;
	return failed;
}

int
main(int argc, char **argv)
{
	static const struct {
		const char	 *name;
		void		(*worker)(void);
	} modes[] = {
		{ "memory", memory_worker },
		{ "fork", fork_worker },
		{ "thread", thread_worker },
		{ "hog", hog_worker },
	};
	int c, nworkers = cpu_count();
	unsigned ms = 5000;
	size_t i;

	while ((c = getopt(argc, argv, "t:n:m:")) != -1) {
		switch (c) {
		case 't':
			if (!parse_seconds(optarg, &ms))
				die("stress: not a number of seconds: %s",
				    optarg);
			break;
		case 'n': nworkers = atoi(optarg); break;
		case 'm': npages = strtoul(optarg, NULL, 0); break;
		default: return 2;
		}
	}
	deadline = now_ns() + (uint64_t)ms * 1000000u;
	for (i = 0; i < nitems(modes) && optind < argc; i++) {
		if (strcmp(argv[optind], modes[i].name) == 0)
			return run(modes[i].worker, nworkers);
	}
	die("usage: stress [-t s] [-n workers] [-m pages] "
	    "memory|fork|thread|hog");
}
