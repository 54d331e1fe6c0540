/* SPDX-License-Identifier: MIT */
/*
 * heap.c - malloc, mmap and their relatives, hard at work.
 *
 * A fixed sequence of random operations with every byte checked, so the last
 * checksums must be the same on Tern and on Linux.
 */
#define _GNU_SOURCE /* mremap */

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SLOTS = 256, STEPS = 20000, PAGE = 4096 };

static uint64_t state = 88172645463325252u;

static uint64_t
next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void
fail(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

struct block {
	unsigned char	*p;
	size_t		 size;
	unsigned char	 seed;
};

/* The sum goes over every 61st byte, and the first and the last one. */
static uint64_t
check_block(const struct block *b)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < b->size; i += 61) {
		if (b->p[i] != (unsigned char)(b->seed + i)) {
			printf("byte %zu of %zu is wrong\n", i, b->size);
			exit(1);
		}
		sum += b->p[i];
	}
	if (b->size > 0)
		sum += b->p[b->size - 1];
	return sum;
}

static void
fill_block(struct block *b)
{
	size_t i;

	b->seed = (unsigned char)next();
	for (i = 0; i < b->size; i++)
		b->p[i] = (unsigned char)(b->seed + i);
}

/* Mostly small, some of some pages, a few so large that malloc maps them. */
static size_t
some_size(void)
{
	uint64_t r = next();

	if (r % 100 < 80)
		return r / 100 % 600;
	if (r % 100 < 98)
		return r / 100 % 20000;
	return r / 100 % 300000;
}

static void
mallocs(void)
{
	static struct block slot[SLOTS];
	uint64_t sum = 0;
	int i;

	for (i = 0; i < STEPS; i++) {
		struct block *b = &slot[next() % SLOTS];
		size_t size = some_size(), kept;

		if (b->p != NULL)
			sum += check_block(b);
		if (b->p != NULL && next() % 3 == 0) {
			kept = size < b->size ? size : b->size;
			b->p = realloc(b->p, size + 1);
			if (b->p == NULL)
				fail("realloc");
			b->size = kept;
			sum += check_block(b);
			b->size = size;
			fill_block(b);
			continue;
		}
		free(b->p);
		b->size = size;
		b->p = next() % 2 ? malloc(size + 1) : calloc(1, size + 1);
		if (b->p == NULL)
			fail("malloc");
		fill_block(b);
	}
	for (i = 0; i < SLOTS; i++) {
		if (slot[i].p != NULL)
			sum += check_block(&slot[i]);
		free(slot[i].p);
	}
	printf("malloc: %d steps, sum %llu\n", STEPS, (unsigned long long)sum);
}

static void
alignment(void)
{
	size_t align, wrong = 0;
	void *p;

	for (align = sizeof(void *); align <= 1 << 20; align *= 2) {
		if (posix_memalign(&p, align, 1000) != 0)
			fail("posix_memalign");
		wrong += (uintptr_t)p % align != 0;
		memset(p, 1, 1000);
		free(p);
	}
	printf("memalign: %zu wrong\n", wrong);
}

static void *
map(void *at, size_t size, int prot, int flags)
{
	void *p = mmap(at, size, prot, flags | MAP_PRIVATE | MAP_ANONYMOUS, -1,
	    0);

	if (p == MAP_FAILED)
		fail("mmap");
	return p;
}

/* One area of 64 pages, cut and mended at random; a model says what each page
 * must hold: 0 is "not mapped". */
static void
cut_and_mend(void)
{
	enum { PAGES = 64 };
	unsigned char model[PAGES];
	unsigned char *area = map(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
	    0);
	unsigned i, k, at, n, tag = 1;
	uint64_t sum = 0;

	for (i = 0; i < PAGES; i++) {
		model[i] = 1;
		area[i * PAGE] = 1;
	}
	for (k = 0; k < 1500; k++) {
		at = (unsigned)(next() % PAGES);
		n = (unsigned)(next() % (PAGES - at)) % 9 + 1;
		tag = tag % 250 + 1;
		if (next() % 3 == 0) {
			if (munmap(area + at * PAGE, n * PAGE) != 0)
				fail("munmap");
			memset(model + at, 0, n);
			continue;
		}
		map(area + at * PAGE, n * PAGE, PROT_READ | PROT_WRITE,
		    MAP_FIXED);
		for (i = at; i < at + n; i++) {
			area[i * PAGE] = (unsigned char)tag;
			model[i] = (unsigned char)tag;
		}
		for (i = 0; i < PAGES; i++) {
			if (model[i] == 0)
				continue;
			if (area[i * PAGE] != model[i])
				fail("a page has changed");
			sum += area[i * PAGE] * (i + 1);
		}
	}
	if (munmap(area, PAGES * PAGE) != 0)
		fail("munmap");
	printf("mmap: sum %llu\n", (unsigned long long)sum);
}

static void
growing(void)
{
	size_t size = 2 * PAGE, i;
	uint64_t *p = map(NULL, size, PROT_READ | PROT_WRITE, 0), sum = 0;

	p[0] = 7;
	while (size < 8 << 20) {
		p = mremap(p, size, size * 2, MREMAP_MAYMOVE);
		if (p == MAP_FAILED)
			fail("mremap");
		for (i = size / 8; i < size / 4; i += PAGE / 8)
			p[i] = i;
		size *= 2;
	}
	for (i = 0; i < size / 8; i += PAGE / 8)
		sum += p[i];
	p = mremap(p, size, PAGE, 0);
	printf("mremap: sum %llu, then %llu\n", (unsigned long long)sum,
	    (unsigned long long)p[0]);
	munmap(p, PAGE);
}

static void
dont_need(void)
{
	unsigned char *p = map(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, 0);

	memset(p, 9, 4 * PAGE);
	if (madvise(p + PAGE, 2 * PAGE, MADV_DONTNEED) != 0)
		fail("madvise");
	printf("madvise: %d %d %d %d\n", p[0], p[PAGE], p[2 * PAGE + 5],
	    p[3 * PAGE]);
	munmap(p, 4 * PAGE);
}

static sigjmp_buf back;
static void *volatile fault_address;
static volatile int fault_code;

static void
on_fault(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	fault_address = info->si_addr;
	fault_code = info->si_code;
	siglongjmp(back, 1);
}

static void
faults(void)
{
	static const int prots[] = { PROT_NONE, PROT_READ };
	struct sigaction sa = { .sa_sigaction = on_fault,
		.sa_flags = SA_SIGINFO };
	volatile unsigned char *p = map(NULL, PAGE, PROT_READ | PROT_WRITE, 0);
	volatile int i;

	sigaction(SIGSEGV, &sa, NULL);
	for (i = 0; i < 3; i++) {
		if (i < 2 && mprotect((void *)p, PAGE, prots[i]) != 0)
			fail("mprotect");
		if (i == 2 && munmap((void *)p, PAGE) != 0)
			fail("munmap");
		fault_code = 0;
		if (sigsetjmp(back, 1) == 0)
			p[123] = 1;
		printf("fault %d: %s, code %d\n", i, fault_address ==
		    (void *)(p + 123) ? "there" : "elsewhere", fault_code);
	}
}

/* Stores through a shared mapping are what read() and others see. */
static void
file_mappings(void)
{
	unsigned char *shared, *private, byte = 0;
	int fd = open("heap.tmp", O_RDWR | O_CREAT | O_TRUNC, 0644), i, sum = 0;

	if (fd < 0 || ftruncate(fd, 3 * PAGE + 100) != 0)
		fail("heap.tmp");
	shared = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	    0);
	private = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd,
	    0);
	if (shared == MAP_FAILED || private == MAP_FAILED)
		fail("mmap of a file");
	for (i = 0; i < 3 * PAGE + 100; i++)
		shared[i] = (unsigned char)(i * 7);
	private[PAGE] = 200;
	if (msync(shared, 4 * PAGE, MS_SYNC) != 0)
		fail("msync");
	for (i = 0; i < 3 * PAGE + 100; i += 50) {
		if (pread(fd, &byte, 1, i) != 1)
			fail("pread");
		sum += byte;
	}
	if (pwrite(fd, "\x55", 1, 2 * PAGE) != 1)
		fail("pwrite");
	printf("file: sum %d, shared %d %d, private %d %d, tail %d\n", sum,
	    shared[PAGE], shared[2 * PAGE], private[PAGE], private[2 * PAGE],
	    shared[3 * PAGE + 200]);
	munmap(shared, 4 * PAGE);
	munmap(private, 4 * PAGE);
	close(fd);
	if (unlink("heap.tmp") != 0)
		fail("unlink");
}

/* Children change their copies; what is shared they change together. */
static void
children(void)
{
	enum { CHILDREN = 6, BYTES = 1 << 20 };
	unsigned char *mine = malloc(BYTES);
	int *together = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0), i, status, codes = 0;

	if (mine == NULL || together == MAP_FAILED)
		fail("memory for children");
	memset(mine, 3, BYTES);
	for (i = 0; i < CHILDREN; i++) {
		pid_t pid = fork();

		if (pid < 0)
			fail("fork");
		if (pid == 0) {
			memset(mine, i, BYTES / 2);
			__atomic_add_fetch(together, mine[0] + mine[BYTES - 1],
			    __ATOMIC_SEQ_CST);
			free(mine);
			_exit(i + 10);
		}
	}
	for (i = 0; i < CHILDREN; i++) {
		if (wait(&status) < 0)
			fail("wait");
		codes += WEXITSTATUS(status);
	}
	for (i = 0; i < BYTES; i++) {
		if (mine[i] != 3)
			fail("a child changed its parent");
	}
	free(mine);
	printf("children: together %d, codes %d\n", *together, codes);
}

int
main(void)
{
	mallocs();
	alignment();
	cut_and_mend();
	growing();
	dont_need();
	faults();
	file_mappings();
	children();
	return 5;
}
