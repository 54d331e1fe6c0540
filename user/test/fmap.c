/* SPDX-License-Identifier: MIT */
/*
 * fmap.c - mappings of files: coherent with read and write, their end, their
 * fate when the file changes.
 */
#include "ktap.h"
#include "thread.h"

static char work[256];

/* A file of @npages pages; byte i of page p is p + 1 (+ i / 1024). */
static int
make_file(size_t size)
{
	static char buf[16 * PAGE_SIZE];
	size_t i;
	int fd;

	snprintf(work, sizeof(work), "%s/m%d", root_path("/tmp"), getpid());
	fd = (int)EXPECT_OK(open(work, O_RDWR | O_CREAT | O_TRUNC, 0666));
	for (i = 0; i < size; i++)
		buf[i] = (char)(i / PAGE_SIZE + 1 + i % PAGE_SIZE / 1024);
	EXPECT_EQ(write(fd, buf, size), size);
	return fd;
}

static void
done(int fd)
{
	close(fd);
	EXPECT_OK(unlink(work));
}

static char *
map(int fd, size_t npages, int prot, int flags)
{
	char *p = mmap(NULL, npages * PAGE_SIZE, prot, flags, fd, 0);

	EXPECT(p != MAP_FAILED);
	return p;
}

static int
byte_at(int fd, off_t pos)
{
	char c;

	EXPECT_EQ(pread(fd, &c, 1, pos), 1);
	return c;
}

#define RW (PROT_READ | PROT_WRITE)

static void
private_pages(void)
{
	int fd = make_file(3 * PAGE_SIZE);
	char *p = map(fd, 3, RW, MAP_PRIVATE);

	EXPECT(p[0] == 1 && p[PAGE_SIZE] == 2 && p[3 * PAGE_SIZE - 1] == 6);
	p[PAGE_SIZE] = 77;			/* a copy */
	p[0] = 78;				/* seen before, then copied */
	EXPECT_EQ(byte_at(fd, PAGE_SIZE), 2);
	EXPECT_EQ(byte_at(fd, 0), 1);
	EXPECT_EQ(pwrite(fd, "x", 1, PAGE_SIZE + 1), 1);
	EXPECT_EQ(p[PAGE_SIZE + 1], 2);		/* the copy is ours alone */
	EXPECT_OK(madvise(p, 3 * PAGE_SIZE, MADV_DONTNEED));
	EXPECT(p[0] == 1 && p[PAGE_SIZE] == 2 && p[PAGE_SIZE + 1] == 'x');
	EXPECT_OK(munmap(p, 3 * PAGE_SIZE));
	done(fd);
}

static void
shared_pages(void)
{
	int fd = make_file(3 * PAGE_SIZE);
	char *a = map(fd, 3, RW, MAP_SHARED), *b = map(fd, 3, PROT_READ,
	    MAP_SHARED), *c = map(fd, 3, RW, MAP_PRIVATE);

	EXPECT_EQ(b[5], 1);
	EXPECT_EQ(c[5], 1);
	a[5] = 50;
	EXPECT(b[5] == 50 && byte_at(fd, 5) == 50);
	EXPECT_EQ(pwrite(fd, "z", 1, 6), 1);
	EXPECT(a[6] == 'z' && b[6] == 'z');
	a[PAGE_SIZE] = 60;			/* stored first, never read */
	EXPECT_EQ(byte_at(fd, PAGE_SIZE), 60);
	EXPECT_OK(munmap(a, 3 * PAGE_SIZE));
	EXPECT_EQ(byte_at(fd, PAGE_SIZE), 60);
	EXPECT_EQ(b[PAGE_SIZE], 60);
	done(fd);
}

/* Clean again after a sync; the next store must be noticed. */
static void
stores_after_sync(void)
{
	int fd = make_file(2 * PAGE_SIZE), i;
	char *p = map(fd, 2, RW, MAP_SHARED);
	uint64_t before, after;

	for (i = 0; i < 20; i++) {
		p[i] = (char)(100 + i);
		before = on_tern() ? stat_now(TS_cache_writes) : 0;
		EXPECT_OK(msync(p, 2 * PAGE_SIZE, MS_SYNC));
		after = on_tern() ? stat_now(TS_cache_writes) : 1;
		EXPECT(after > before);		/* it had to be written */
		EXPECT_EQ(byte_at(fd, i), 100 + i);
	}
	EXPECT_OK(msync(p, PAGE_SIZE, MS_ASYNC));
	EXPECT_ERR(msync(p, PAGE_SIZE, MS_SYNC | MS_ASYNC), EINVAL);
	EXPECT_ERR(msync(p + 1, PAGE_SIZE, MS_SYNC), EINVAL);
	EXPECT_OK(munmap(p + PAGE_SIZE, PAGE_SIZE));
	EXPECT_ERR(msync(p, 2 * PAGE_SIZE, MS_SYNC), ENOMEM);
	done(fd);
}

static void
expect_bus(const char *at, enum probe how)
{
	struct fault f = probe(at, how);

	EXPECT_EQ(f.sig, SIGBUS);
	EXPECT_EQ(f.code, BUS_ADRERR);
}

static void
end_of_file(void)
{
	int fd = make_file(PAGE_SIZE + 100), flags[2] = { MAP_SHARED,
		MAP_PRIVATE }, k;
	char *p;
	size_t i;

	for (k = 0; k < 2; k++) {
		p = map(fd, 4, RW, flags[k]);
		EXPECT_EQ(p[PAGE_SIZE + 99], 2);
		for (i = 100; i < PAGE_SIZE; i++)
			EXPECT_EQ(p[PAGE_SIZE + i], 0);
		expect_bus(p + 2 * PAGE_SIZE, PROBE_READ);
		expect_bus(p + 3 * PAGE_SIZE, PROBE_WRITE);
		EXPECT_OK(munmap(p, 4 * PAGE_SIZE));
	}
	/* What is stored beyond the end is not part of the file. */
	p = map(fd, 2, RW, MAP_SHARED);
	p[PAGE_SIZE + 200] = 9;
	EXPECT_OK(ftruncate(fd, 2 * PAGE_SIZE));
	EXPECT_EQ(byte_at(fd, PAGE_SIZE + 200), 0);
	p[PAGE_SIZE + 200] = 10;
	EXPECT_EQ(byte_at(fd, PAGE_SIZE + 200), 10);
	EXPECT_ERR(write(fd, map(fd, 4, PROT_READ, MAP_SHARED) + 2 * PAGE_SIZE,
	    10), EFAULT);
	done(fd);
}

static void
truncated_below(void)
{
	int fd = make_file(4 * PAGE_SIZE);
	char *s = map(fd, 4, RW, MAP_SHARED), *p = map(fd, 4, RW, MAP_PRIVATE);

	s[3 * PAGE_SIZE] = 5;
	p[3 * PAGE_SIZE + 1] = 6;
	EXPECT_EQ(p[2 * PAGE_SIZE], 3);
	EXPECT_OK(ftruncate(fd, PAGE_SIZE + 10));
	EXPECT_EQ(s[PAGE_SIZE + 9], 2);
	EXPECT_EQ(s[PAGE_SIZE + 10], 0);
	expect_bus(s + 3 * PAGE_SIZE, PROBE_READ);
	expect_bus(p + 2 * PAGE_SIZE, PROBE_READ);
	expect_bus(p + 3 * PAGE_SIZE, PROBE_READ);	/* copies go too */
	EXPECT_OK(ftruncate(fd, 4 * PAGE_SIZE));
	EXPECT(s[3 * PAGE_SIZE] == 0 && p[3 * PAGE_SIZE + 1] == 0);
	s[3 * PAGE_SIZE + 2] = 7;
	EXPECT_EQ(p[3 * PAGE_SIZE + 2], 7);
	EXPECT_EQ(byte_at(fd, 3 * PAGE_SIZE + 2), 7);
	done(fd);
}

static void
rights(void)
{
	int fd = make_file(PAGE_SIZE), ro, wo, p[2];
	char *m;

	ro = (int)EXPECT_OK(open(work, O_RDONLY));
	wo = (int)EXPECT_OK(open(work, O_WRONLY));
	EXPECT_EQ(mmap(NULL, PAGE_SIZE, RW, MAP_SHARED, ro, 0), MAP_FAILED);
	EXPECT_EQ(errno, EACCES);
	EXPECT_EQ(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, wo, 0),
	    MAP_FAILED);
	EXPECT_EQ(errno, EACCES);
	m = map(ro, 1, PROT_READ, MAP_SHARED);
	EXPECT_ERR(mprotect(m, PAGE_SIZE, RW), EACCES);
	EXPECT_SEGV(m, PROBE_WRITE, SEGV_ACCERR);
	m = map(ro, 1, RW, MAP_PRIVATE);	/* it is only a copy */
	m[0] = 3;
	EXPECT_EQ(byte_at(fd, 0), 1);
	m = map(fd, 1, PROT_READ, MAP_SHARED);
	EXPECT_EQ(m[0], 1);
	EXPECT_OK(mprotect(m, PAGE_SIZE, RW));
	m[0] = 4;
	EXPECT_EQ(byte_at(fd, 0), 4);
	EXPECT_OK(msync(m, PAGE_SIZE, MS_SYNC));
	EXPECT_OK(mprotect(m, PAGE_SIZE, PROT_READ));
	EXPECT_OK(mprotect(m, PAGE_SIZE, RW));
	m[0] = 5;
	EXPECT_EQ(byte_at(fd, 0), 5);
	EXPECT_EQ(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, fd, 100),
	    MAP_FAILED);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_OK(pipe(p));
	EXPECT_EQ(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, p[0], 0),
	    MAP_FAILED);
	EXPECT_EQ(errno, ENODEV);
	done(fd);
}

static void
after_close_and_unlink(void)
{
	int fd = make_file(2 * PAGE_SIZE);
	char *p = map(fd, 2, RW, MAP_SHARED);

	done(fd);
	EXPECT_EQ(p[PAGE_SIZE], 2);
	p[PAGE_SIZE] = 11;
	EXPECT_EQ(p[PAGE_SIZE], 11);
	EXPECT_OK(munmap(p, 2 * PAGE_SIZE));
}

static void
children(void)
{
	int fd = make_file(3 * PAGE_SIZE), status;
	char *s = map(fd, 3, RW, MAP_SHARED), *p = map(fd, 3, RW, MAP_PRIVATE);

	EXPECT(s[0] == 1 && p[0] == 1);
	p[PAGE_SIZE] = 20;
	if (EXPECT_OK(fork()) == 0) {
		EXPECT(p[0] == 1 && p[PAGE_SIZE] == 20);
		s[0] = 30;
		p[0] = 40;
		p[PAGE_SIZE] = 50;
		p[2 * PAGE_SIZE] = 60;
		_exit(0);
	}
	EXPECT(wait(&status) > 0);
	expect_exit(status, 0);
	EXPECT(s[0] == 30 && p[PAGE_SIZE] == 20 && p[2 * PAGE_SIZE] == 3);
	EXPECT_EQ(p[0], 30);	/* never written here: still the file's page */
	done(fd);
}

/* A store into a hole takes a block; without one it is SIGBUS. */
static void
stores_into_holes(void)
{
	static char buf[65536];
	char full[256];
	int fd = make_file(PAGE_SIZE), other;
	struct stat st;
	int64_t before;
	char *p;

	EXPECT_OK(ftruncate(fd, 8 * PAGE_SIZE));
	p = map(fd, 8, RW, MAP_SHARED);
	EXPECT_OK(fstat(fd, &st));
	before = st.st_blocks;
	EXPECT_EQ(p[3 * PAGE_SIZE], 0);
	p[3 * PAGE_SIZE] = 1;
	p[4 * PAGE_SIZE] = 2;
	EXPECT_OK(msync(p, 8 * PAGE_SIZE, MS_SYNC));
	EXPECT_OK(fstat(fd, &st));
	EXPECT_EQ(st.st_blocks, before + 16);
	if (on_tern()) {
		snprintf(full, sizeof(full), "%s-full", work);
		other = (int)EXPECT_OK(open(full, O_RDWR | O_CREAT, 0666));
		while (write(other, buf, sizeof(buf)) > 0)
			continue;
		EXPECT_EQ(errno, ENOSPC);
		EXPECT_EQ(p[6 * PAGE_SIZE], 0);
		expect_bus(p + 6 * PAGE_SIZE, PROBE_WRITE);
		EXPECT_OK(unlink(full));
		close(other);
		p[6 * PAGE_SIZE] = 3;
		EXPECT_EQ(byte_at(fd, 6 * PAGE_SIZE), 3);
	}
	done(fd);
}

/* Each counts in words of its own while the pages are cleaned all the time. */
static void
stores_against_writeback(void)
{
	enum { ROUNDS = 400, PROCS = 3 };
	int fd = make_file(2 * PAGE_SIZE), i, k, status;
	uint64_t *w = (void *)map(fd, 2, RW, MAP_SHARED), got;

	memset(w, 0, 2 * PAGE_SIZE);
	for (i = 0; i < PROCS; i++)
		if (EXPECT_OK(fork()) == 0) {
			for (k = 0; k < ROUNDS; k++) {
				w[i]++;
				w[PAGE_SIZE / 8 + (size_t)i]++;
				if (k % 16 == 0)
					sched_yield();
			}
			_exit(0);
		}
	if (EXPECT_OK(fork()) == 0) {
		for (k = 0; k < 30; k++)
			EXPECT_OK(fsync(fd));
		_exit(0);
	}
	while (wait(&status) > 0)
		expect_exit(status, 0);
	EXPECT_OK(fsync(fd));
	for (i = 0; i < PROCS; i++) {
		EXPECT_EQ(pread(fd, &got, 8, i * 8), 8);
		EXPECT_EQ(got, ROUNDS);
		EXPECT_EQ(pread(fd, &got, 8, (off_t)PAGE_SIZE + i * 8), 8);
		EXPECT_EQ(got, ROUNDS);
	}
	done(fd);
}

/* The buffer of a transfer is a mapping of the same file. */
static void
buffer_is_the_file(void)
{
	int fd = make_file(4 * PAGE_SIZE);
	char *p = map(fd, 4, RW, MAP_SHARED);

	EXPECT_EQ(pread(fd, p, PAGE_SIZE, 0), PAGE_SIZE);	/* itself */
	EXPECT_EQ(p[0], 1);
	EXPECT_EQ(pread(fd, p, PAGE_SIZE, 2 * PAGE_SIZE), PAGE_SIZE);
	EXPECT_EQ(byte_at(fd, 0), 3);
	EXPECT_EQ(pwrite(fd, p + 2 * PAGE_SIZE, PAGE_SIZE, PAGE_SIZE),
	    PAGE_SIZE);
	EXPECT_EQ(p[PAGE_SIZE], 3);
	EXPECT_EQ(pwrite(fd, p, 4 * PAGE_SIZE, 4 * PAGE_SIZE), 4 * PAGE_SIZE);
	EXPECT_EQ(byte_at(fd, 4 * PAGE_SIZE), 3);
	done(fd);
}

static int crossing_fd;
static char *crossing;

static void *
read_across(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 300; i++) {
		if (pread(crossing_fd, crossing + 4 * PAGE_SIZE, 3 * PAGE_SIZE,
		    100) != 3 * PAGE_SIZE)
			return crossing;
		if (i % 8 == 0)
			madvise(crossing, 8 * PAGE_SIZE, MADV_DONTNEED);
	}
	return NULL;
}

static void *
write_across(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 300; i++) {
		if (pwrite(crossing_fd, crossing, 3 * PAGE_SIZE,
		    4 * PAGE_SIZE + 200) != 3 * PAGE_SIZE)
			return crossing;
		if (i % 16 == 0 && fsync(crossing_fd) != 0)
			return crossing;
	}
	return NULL;
}

/* Two threads, each with its buffer in what the other one moves. */
static void
two_threads_across(void)
{
	static struct thread t[3];
	int i, fd = make_file(8 * PAGE_SIZE);

	crossing_fd = fd;
	crossing = map(fd, 8, RW, MAP_SHARED);
	for (i = 0; i < 3; i++)
		EXPECT_OK(thread_create(&t[i],
		    i == 1 ? write_across : read_across, NULL));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(thread_join(&t[i]), 0);
	EXPECT_OK(munmap(crossing, 8 * PAGE_SIZE));
	done(fd);
}

/* Others truncate and extend what we look at: old bytes or zero, or SIGBUS. */
static void
faults_against_truncate(void)
{
	int fd = make_file(4 * PAGE_SIZE), i, status;
	char *p = map(fd, 4, RW, MAP_SHARED);
	pid_t pid;

	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		for (i = 0; i < 200; i++) {
			EXPECT_OK(ftruncate(fd, i % 2 == 0 ? 100 :
			    4 * (off_t)PAGE_SIZE));
			sched_yield();
		}
		_exit(0);
	}
	for (i = 0; i < 200; i++) {
		struct fault f = probe(p + (size_t)(1 + i % 3) * PAGE_SIZE,
		    i % 2 == 0 ? PROBE_READ : PROBE_WRITE);

		EXPECT(f.sig == 0 || f.sig == SIGBUS);
	}
	EXPECT(wait(&status) == pid);
	expect_exit(status, 0);
	EXPECT_OK(ftruncate(fd, 4 * (off_t)PAGE_SIZE));
	p[3 * PAGE_SIZE] = 1;
	EXPECT_EQ(byte_at(fd, 3 * PAGE_SIZE), 1);
	done(fd);
}

/* The middle of a mapping goes; the rest is what it was. */
static void
pieces(void)
{
	int fd = make_file(8 * PAGE_SIZE);
	char *p = map(fd, 8, RW, MAP_SHARED), *q;

	EXPECT_OK(munmap(p + 2 * PAGE_SIZE, 2 * PAGE_SIZE));
	EXPECT(p[PAGE_SIZE] == 2 && p[4 * PAGE_SIZE] == 5);
	EXPECT_SEGV(p + 2 * PAGE_SIZE, PROBE_READ, SEGV_MAPERR);
	EXPECT_OK(mprotect(p + 5 * PAGE_SIZE, PAGE_SIZE, PROT_READ));
	EXPECT_EQ(p[5 * PAGE_SIZE], 6);
	p[6 * PAGE_SIZE] = 99;
	EXPECT_EQ(byte_at(fd, 6 * PAGE_SIZE), 99);
	q = mmap(p + 2 * PAGE_SIZE, PAGE_SIZE, RW, MAP_SHARED | MAP_FIXED, fd,
	    6 * PAGE_SIZE);
	EXPECT_EQ(q[0], 99);
	q[1] = 98;
	EXPECT_EQ(p[6 * PAGE_SIZE + 1], 98);
	EXPECT_OK(ftruncate(fd, 6 * (off_t)PAGE_SIZE + 1));
	EXPECT_EQ(q[0], 99);
	EXPECT_EQ(q[1], 0);
	expect_bus(p + 7 * PAGE_SIZE, PROBE_READ);
	done(fd);
}

static const struct ktap_test tests[] = {
	TEST(private_pages, 0),
	TEST(shared_pages, 0),
	TEST(stores_after_sync, 0),
	TEST(end_of_file, 0),
	TEST(truncated_below, T_NOEMU),
	TEST(rights, 0),
	TEST(after_close_and_unlink, 0),
	TEST(children, 0),
	TEST(stores_into_holes, 0),
	TEST(stores_against_writeback, 0),
	TEST(buffer_is_the_file, 0),
	TEST(two_threads_across, 0),
	TEST(faults_against_truncate, 0),
	TEST(pieces, 0),
};

KTAP_MAIN("fmap")
