/* SPDX-License-Identifier: MIT */
/*
 * mach.c - Mach's calls on address spaces, with vm=mach.
 */
#include "ktap.h"

#include <mach.h>

#define PG	((size_t)PAGE_SIZE)
#define MB	((size_t)1 << 20)
#define RW	(PROT_READ | PROT_WRITE)

static void
need_mach(void)
{
	struct vm_statistics st;

	if (vm_statistics(&st) == -1 && errno == ENOSYS)
		ktap_skip("another design is booted");
}

static char *
allocate(size_t size)
{
	uint64_t at = 0;

	EXPECT_EQ(vm_allocate(0, &at, size, 1), KERN_SUCCESS);
	EXPECT(at != 0 && at % PG == 0);
	return (char *)(uintptr_t)at;
}

static uint64_t
addr(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static uint64_t
resident(void)
{
	struct vm_statistics st;

	EXPECT_EQ(vm_statistics(&st), KERN_SUCCESS);
	return st.resident_count;
}

/* Pages of memory objects grew by @p n since @p before.  The count is of all
 * processes: what this one and its parent touch besides is a few pages. */
static void
grew_by(uint64_t before, long n)
{
	long grown = (long)(resident() - before);

	if (grown < n - 8 || grown > n + 8)
		ktap_fail(__FILE__, __LINE__, "%ld more pages, not %ld", grown,
		    n);
}

/* Ends the child; the parent wants 0. */
static void
child_does(void (*fn)(char *), char *arg)
{
	pid_t pid = (pid_t)EXPECT_OK(fork());
	int status;

	if (pid == 0) {
		fn(arg);
		_exit(0);
	}
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_exit(status, 0);
}

/* M1: touching 30 pages of 1 GiB costs 30 pages. */
static void
allocate_and_deallocate(void)
{
	size_t size = (size_t)1 << 30;
	uint64_t before, at = 0;
	char *p;

	need_mach();
	p = allocate(size);
	before = resident();
	EXPECT_EQ(p[0], 0);
	for (size_t i = 1; i < 30; i++)
		p[i * (size / 30)] = 1;
	grew_by(before, 30);
	at = addr(p) + PG;
	EXPECT_EQ(vm_allocate(0, &at, PG, 0), KERN_NO_SPACE);
	EXPECT_EQ(vm_deallocate(0, addr(p) + PG, PG), KERN_SUCCESS);
	EXPECT_EQ(vm_deallocate(0, addr(p), 3 * PG), KERN_INVALID_ADDRESS);
	EXPECT_EQ(p[0], 0);
	at = addr(p) + PG + 5; /* truncated */
	EXPECT_EQ(vm_allocate(0, &at, 8, 0), KERN_SUCCESS);
	EXPECT_EQ(at, addr(p) + PG);
	p[PG] = 3;
	EXPECT_EQ(vm_deallocate(0, addr(p), size), KERN_SUCCESS);
	grew_by(before, 0);
	at = 77;
	EXPECT_EQ(vm_allocate(0, &at, 0, 1), KERN_SUCCESS);
	EXPECT_EQ(at, 0);
	at = 0;
	EXPECT_EQ(vm_allocate(0, &at, PG, 0), KERN_INVALID_ADDRESS);
}

static void
region_at(const char *p, struct vm_region_row *row)
{
	uint64_t at = addr(p);

	EXPECT_EQ(vm_region(0, &at, row), KERN_SUCCESS);
	EXPECT_EQ(at, row->address);
}

/* M2: the maximum only falls. */
static void
maximum_only_falls(void)
{
	struct vm_region_row row;
	char *p;

	need_mach();
	p = allocate(4 * PG);
	p[PG] = 5;
	EXPECT_EQ(vm_protect(0, addr(p) + PG, PG, 1, PROT_READ), KERN_SUCCESS);
	region_at(p + PG, &row);
	EXPECT_EQ(row.protection, PROT_READ);
	EXPECT_EQ(row.max_protection, PROT_READ);
	EXPECT_EQ(row.size, PG);
	EXPECT_EQ(p[PG], 5);
	EXPECT_EQ(vm_protect(0, addr(p) + PG, PG, 0, RW),
	    KERN_PROTECTION_FAILURE);
	EXPECT_EQ(vm_protect(0, addr(p), 4 * PG, 1, RW),
	    KERN_PROTECTION_FAILURE);
	EXPECT_ERR(mprotect(p + PG, PG, RW), EACCES);
	region_at(p, &row);
	EXPECT_EQ(row.max_protection, PROT_READ | PROT_WRITE | PROT_EXEC);
	EXPECT_EQ(vm_deallocate(0, addr(p) + 2 * PG, PG), KERN_SUCCESS);
	EXPECT_EQ(vm_protect(0, addr(p), 4 * PG, 0, PROT_READ),
	    KERN_INVALID_ADDRESS);
	p[0] = 1;
}

static void
three_in_child(char *p)
{
	uint64_t at = addr(p) + 2 * PG;
	struct vm_region_row row;

	EXPECT_EQ(p[0], 1);
	EXPECT_EQ(p[PG], 2);
	p[0] = 11;
	p[PG] = 12;
	EXPECT(vm_region(0, &at, &row) != KERN_SUCCESS ||
	    at != addr(p) + 2 * PG);
}

/* M3: three neighbours, one of each. */
static void
inheritance(void)
{
	char *p;

	need_mach();
	p = allocate(3 * PG);
	for (int i = 0; i < 3; i++)
		p[i * PG] = (char)(1 + i);
	EXPECT_EQ(vm_inherit(0, addr(p), PG, VM_INHERIT_SHARE), KERN_SUCCESS);
	EXPECT_EQ(vm_inherit(0, addr(p) + 2 * PG, PG, VM_INHERIT_NONE),
	    KERN_SUCCESS);
	child_does(three_in_child, p);
	EXPECT_EQ(p[0], 11);
	EXPECT_EQ(p[PG], 2);
	EXPECT_EQ(p[2 * PG], 3);
	EXPECT_EQ(vm_inherit(0, addr(p), PG, 3), KERN_INVALID_ARGUMENT);
	EXPECT_EQ(vm_deallocate(0, addr(p) + PG, PG), KERN_SUCCESS);
	EXPECT_EQ(vm_inherit(0, addr(p), 3 * PG, VM_INHERIT_COPY),
	    KERN_INVALID_ADDRESS);
}

static void
share_in_child(char *p)
{
	EXPECT_EQ(p[0], 1);
	EXPECT_EQ(p[PG], 7);
	p[0] = 3;
	p[PG] = 8;
}

/* A copy that relatives share: what one copies up, all must see. */
static void
shared_copy(void)
{
	char *p, *q;

	need_mach();
	p = allocate(2 * PG);
	q = allocate(2 * PG);
	p[0] = 1;
	p[PG] = 7;
	EXPECT_EQ(vm_copy(0, addr(p), 2 * PG, addr(q)), KERN_SUCCESS);
	EXPECT_EQ(q[0], 1); /* read through: a leaf of the page of p */
	EXPECT_EQ(vm_inherit(0, addr(q), 2 * PG, VM_INHERIT_SHARE),
	    KERN_SUCCESS);
	child_does(share_in_child, q);
	EXPECT_EQ(q[0], 3);
	EXPECT_EQ(q[PG], 8);
	EXPECT_EQ(p[0], 1);
	EXPECT_EQ(p[PG], 7);
	q[0] = 4;
	EXPECT_EQ(p[0], 1);
}

/* M4: 8 MiB copied cost nothing; each page written costs one. */
static void
virtual_copy(void)
{
	char *p, *q;
	uint64_t before;

	need_mach();
	p = allocate(8 * MB);
	q = allocate(8 * MB);
	for (size_t i = 0; i < 8 * MB; i += PG)
		p[i] = (char)(i / PG);
	for (size_t i = 0; i < 100; i++)
		q[i * PG] = 99; /* is replaced */
	before = resident();
	EXPECT_EQ(vm_copy(0, addr(p), 8 * MB, addr(q)), KERN_SUCCESS);
	grew_by(before, -100);
	for (size_t i = 0; i < 8 * MB; i += PG)
		EXPECT_EQ(q[i], (char)(i / PG));
	grew_by(before, -100);
	for (size_t i = 0; i < 50; i++)
		q[i * PG] = 70;
	grew_by(before, -50);
	for (size_t i = 50; i < 80; i++)
		p[i * PG] = 80;
	grew_by(before, -20);
	for (size_t i = 0; i < 50; i++)
		EXPECT_EQ(p[i * PG], (char)i);
	for (size_t i = 50; i < 80; i++)
		EXPECT_EQ(q[i * PG], (char)i);
	EXPECT_EQ(vm_copy(0, addr(p), 2 * PG, addr(p) + PG),
	    KERN_INVALID_ARGUMENT);
	EXPECT_EQ(vm_copy(0, addr(p) + 1, PG, addr(q)), KERN_INVALID_ARGUMENT);
	EXPECT_EQ(mprotect(q, PG, PROT_READ), 0);
	EXPECT_EQ(vm_copy(0, addr(p), PG, addr(q)), KERN_PROTECTION_FAILURE);
}

static void
read_and_write(void)
{
	char *p, *q;
	uint64_t at = 0;

	need_mach();
	p = allocate(4 * PG);
	for (int i = 0; i < 4; i++)
		p[i * PG] = (char)(40 + i);
	EXPECT_EQ(vm_read(0, addr(p), 4 * PG, &at), KERN_SUCCESS);
	q = (char *)(uintptr_t)at;
	p[0] = 1;
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(q[i * PG], 40 + i);
	EXPECT_EQ(vm_write(0, addr(p) + PG, addr(q), 2 * PG), KERN_SUCCESS);
	EXPECT_EQ(p[0], 1);
	EXPECT_EQ(p[PG], 40);
	EXPECT_EQ(p[2 * PG], 41);
	EXPECT_EQ(p[3 * PG], 43);
}

/* Memory that others write too is copied at once. */
static void
copy_of_shared_memory(void)
{
	char *p, *q = mmap(NULL, 2 * PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1,
	    0);

	need_mach();
	p = allocate(PG);
	EXPECT(q != MAP_FAILED);
	q[0] = 5;
	EXPECT_EQ(vm_copy(0, addr(q), PG, addr(p)), KERN_SUCCESS);
	q[0] = 6;
	EXPECT_EQ(p[0], 5);
	p[0] = 7;
	EXPECT_EQ(vm_copy(0, addr(p), PG, addr(q) + PG), KERN_SUCCESS);
	EXPECT_EQ(q[PG], 7);
	EXPECT_EQ(q[0], 6);
}

/* M5: regions tile what is mapped, as a model of the window says. */
static void
regions_tile(void)
{
	enum { N = 64 };
	unsigned char prot[N];
	unsigned rng = 12345;
	char *p;

	need_mach();
	p = allocate(N * PG);
	memset(prot, RW, N);
	for (int step = 0; step < 300; step++) {
		unsigned i, n, what;

		rng = rng * 1664525 + 1013904223;
		i = rng >> 8 & (N - 1);
		n = 1 + (rng >> 16) % (N - i);
		what = rng >> 24 & 3;
		if (what < 2) {
			EXPECT_EQ(vm_protect(0, addr(p) + i * PG, PG, 0,
			    what ? RW : PROT_READ),
			    prot[i] ? KERN_SUCCESS : KERN_INVALID_ADDRESS);
			if (prot[i])
				prot[i] = what ? RW : PROT_READ;
		} else if (what == 2 && n < 4) {
			EXPECT_OK(munmap(p + i * PG, n * PG));
			memset(prot + i, 0, n);
		} else if (prot[i] == 0) {
			uint64_t at = addr(p) + i * PG;

			EXPECT_EQ(vm_allocate(0, &at, PG, 0), KERN_SUCCESS);
			prot[i] = RW;
		}
	}
	for (unsigned i = 0; i < N;) {
		uint64_t at = addr(p) + i * PG;
		struct vm_region_row row;

		while (i < N && prot[i] == 0)
			i++;
		if (i == N)
			break;
		EXPECT_EQ(vm_region(0, &at, &row), KERN_SUCCESS);
		if (i == 0 || prot[i - 1] == 0)
			EXPECT(at >= addr(p) + i * PG || i == 0);
		for (; i < N && addr(p) + i * PG < row.address + row.size; i++)
			EXPECT_EQ(row.protection, prot[i]);
	}
}

static int pipe_to_child[2], pipe_to_parent[2];

/* M6: the parent has the right to its child's space, the child none to its. */
static void
foreign_task(void)
{
	uint64_t at = 0, data = 0;
	char c, *p, *q;
	pid_t pid;
	int status;

	need_mach();
	p = allocate(2 * PG);
	q = allocate(2 * PG);
	p[0] = 1;
	EXPECT_OK(pipe2(pipe_to_child, 0));
	EXPECT_OK(pipe2(pipe_to_parent, 0));
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		uint64_t mine = 0;

		EXPECT_EQ(vm_allocate(getppid(), &mine, PG, 1),
		    KERN_NO_ACCESS);
		p[0] = 2;
		EXPECT_EQ(write(pipe_to_parent[1], "x", 1), 1);
		EXPECT_EQ(read(pipe_to_child[0], &c, 1), 1);
		EXPECT_EQ(p[PG], 55);
		EXPECT_EQ(read(pipe_to_child[0], &mine, 8), 8);
		*(char *)(uintptr_t)mine = 1;
		_exit(0);
	}
	EXPECT_EQ(read(pipe_to_parent[0], &c, 1), 1);
	EXPECT_EQ(vm_read(pid, addr(p), PG, &data), KERN_SUCCESS);
	EXPECT_EQ(*(char *)(uintptr_t)data, 2);
	EXPECT_EQ(p[0], 1);
	q[0] = 55;
	EXPECT_EQ(vm_write(pid, addr(p) + PG, addr(q), PG), KERN_SUCCESS);
	EXPECT_EQ(p[PG], 0);
	EXPECT_EQ(vm_allocate(pid, &at, PG, 1), KERN_SUCCESS);
	EXPECT_EQ(write(pipe_to_child[1], "y", 1), 1);
	EXPECT_EQ(write(pipe_to_child[1], &at, 8), 8);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_exit(status, 0);
	EXPECT_EQ(vm_allocate(pid, &at, PG, 1), KERN_INVALID_ARGUMENT);
}

/* M10, M11: a server's chain stays short and its memory flat. */
static void
chains_collapse(void)
{
	struct vm_statistics before, after;
	struct vm_region_row row;
	unsigned deepest = 0, left = 0;
	int fds[2];
	char *p, c;

	need_mach();
	p = allocate(8 * PG);
	for (int i = 0; i < 8; i++)
		p[i * PG] = (char)i;
	EXPECT_OK(pipe(fds));
	EXPECT_EQ(vm_statistics(&before), KERN_SUCCESS);
	for (int r = 0; r < 200; r++) {
		pid_t pid = (pid_t)EXPECT_OK(fork());
		int status;

		p[r % 8 * PG] = (char)r;
		if (pid == 0) {
			p[(r + 1) % 8 * PG] = 1;
			read(fds[0], &c, 1);
			_exit(0);
		}
		region_at(p, &row); /* the child is there */
		EXPECT(row.depth >= 1);
		deepest = MAX(deepest, row.depth);
		EXPECT_EQ(write(fds[1], "x", 1), 1);
		EXPECT_EQ(waitpid(pid, &status, 0), pid);
		region_at(p, &row);
		left += row.depth;
		deepest = MAX(deepest, row.depth);
	}
	EXPECT_EQ(vm_statistics(&after), KERN_SUCCESS);
	EXPECT(deepest >= 1 && deepest <= 2);
	EXPECT(left <= 20); /* an exit collapses, unless locks are in use */
	EXPECT(after.collapses > before.collapses);
	EXPECT(after.resident_count <= before.resident_count + 64);
}

/* Where the address of new memory cannot be stored there is none. */
static void
nowhere_to_tell(void)
{
	char *p = map_pages(1), *source;
	uint64_t regions;

	need_mach();
	source = allocate(2 * PG);
	memset(source, 1, 2 * PG);
	EXPECT_OK(mprotect(p, PG, PROT_READ));
	regions = stat_now(TS_regions);
	EXPECT_EQ(vm_allocate(0, (void *)p, 3 * PG, 1), KERN_INVALID_ADDRESS);
	EXPECT_EQ(stat_now(TS_regions), regions);
	EXPECT_EQ(vm_read(0, addr(source), 2 * PG, (void *)p),
	    KERN_INVALID_ADDRESS);
	EXPECT_EQ(stat_now(TS_regions), regions);
	EXPECT_EQ(source[PG], 1);
}

static const struct ktap_test tests[] = {
	TEST(allocate_and_deallocate, T_TERN),
	TEST(maximum_only_falls, T_TERN),
	TEST(inheritance, T_TERN),
	TEST(shared_copy, T_TERN),
	TEST(virtual_copy, T_TERN),
	TEST(read_and_write, T_TERN),
	TEST(copy_of_shared_memory, T_TERN),
	TEST(regions_tile, T_TERN),
	TEST(foreign_task, T_TERN),
	TEST(chains_collapse, T_TERN),
	TEST(nowhere_to_tell, T_TERN),
};

KTAP_MAIN("mach")
