/* SPDX-License-Identifier: MIT */
/*
 * sweep_args.c - the values that the sweep passes, good and bad.
 *
 * Everything that calls may reach is made here: descriptors at fixed numbers,
 * a folder of names, memory.  Input structures and the pages that only look
 * usable are full of zeroes, so that whatever is read there asks for nothing.
 */
#include "sweep.h"

#define PG		PAGE_SIZE
#define ARENA		0x1000000000ul	/* nothing else is near */
#define ARENA_ROOM	(8ul << 30)
#define USER_BEGIN	0x10000ul
#define TEMPORARY	"/tmp/sweep"

char *sweep_in, *sweep_out, *sweep_arena;

/* --- descriptors ----------------------------------------------------- */

enum { F_FILE = 40, F_DIR, F_READ, F_WRITE, F_NULL, F_RO, F_PROC, F_END };
#define SPARE	(30 - F_FILE)		/* a second one of each, to mend it */
#define CLOSED	39

static const long good_fds[] = { F_FILE, F_DIR, F_READ, F_WRITE, F_NULL, F_RO,
	F_PROC };
static const long bad_fds[] = { -1, -2, CLOSED, 63, 64, 65, 255, 1 << 20,
	INT32_MAX, INT32_MIN, 1l << 32 | CLOSED, 1l << 63 | CLOSED };
static const long good_ttys[] = { 0, F_FILE, F_READ, F_NULL };
static const long good_dirs[] = { AT_FDCWD, F_DIR };

static void
place(int fd, int number)
{
	EXPECT(fd >= 0);
	EXPECT_EQ(dup2(fd, number + SPARE), number + SPARE);
	EXPECT_EQ(dup2(fd, number), number);
	close(fd);
}

static void
make_descriptors(void)
{
	int fds[2];

	place(open("/tmp/sweep-data", O_RDWR | O_CREAT | O_TRUNC, 0600),
	    F_FILE);
	EXPECT_OK(unlink("/tmp/sweep-data"));
	EXPECT_EQ(ftruncate(F_FILE, 3 * PG), 0);
	place(open(".", O_RDONLY | O_DIRECTORY), F_DIR);
	EXPECT_OK(pipe2(fds, O_NONBLOCK));
	place(fds[0], F_READ);
	place(fds[1], F_WRITE);
	place(open("/dev/null", O_RDWR), F_NULL);
	place(open("/etc/motd", O_RDONLY), F_RO);
	place(open("/proc/self/maps", O_RDONLY), F_PROC);
}

static void
mend_descriptors(void)
{
	int fd;

	for (fd = F_FILE; fd < F_END; fd++)
		dup2(fd + SPARE, fd);
}

/* --- names ----------------------------------------------------------- */

static char long_name[256 + 1], long_path[4096 + 1], *tail;
static const char *const good_files[] = { "f", "d", "l", "none", ".", "..",
	"/", "d/../f", "ring", "f/x", "none/x", "", long_name, long_path };
static const char *const good_folders[] = { "d", ".", "f", "l" };
static const char *const good_links[] = { "l", "ring", "f", "none" };
static const char *const good_news[] = { "none", "f", "d", "l", "", "d/x" };

struct names {
	const char *const *v;
	size_t		   n;
};

static struct names
names_of(const struct arg *a)
{
	switch (a->kind) {
	case K_FOLDER:
		return (struct names){ good_folders, nitems(good_folders) };
	case K_LINK:
		return (struct names){ good_links, nitems(good_links) };
	case K_NEW:
		return (struct names){ good_news, nitems(good_news) };
	default:
		return (struct names){ good_files, nitems(good_files) };
	}
}

/* Takes away everything in the folder @p path, not itself. */
static void
empty_folder(const char *path)
{
	char buf[1024], name[600];
	const struct linux_dirent64 *d;
	struct stat st;
	ssize_t n, at;
	bool found;
	int fd = (int)EXPECT_OK(open(path, O_RDONLY | O_DIRECTORY));

	while ((n = getdents64(fd, buf, sizeof(buf))) > 0) {
		for (at = 0, found = false; at < n; at += d->d_reclen) {
			d = (const void *)(buf + at);
			if (strcmp(d->d_name, ".") == 0 ||
			    strcmp(d->d_name, "..") == 0)
				continue;
			found = true;
			snprintf(name, sizeof(name), "%s/%s", path, d->d_name);
			if (lstat(name, &st) == 0 && S_ISDIR(st.st_mode)) {
				empty_folder(name);
				EXPECT_OK(rmdir(name));
			} else {
				EXPECT_OK(unlink(name));
			}
		}
		if (found)	/* the rest has moved */
			EXPECT_EQ(lseek(fd, 0, SEEK_SET), 0);
	}
	close(fd);
}

static void
make_names(void)
{
	int fd;

	empty_folder(TEMPORARY);
	fd = (int)EXPECT_OK(open("f", O_RDWR | O_CREAT, 0644));
	EXPECT_EQ(ftruncate(fd, 100), 0);
	close(fd);
	EXPECT_OK(mkdir("d", 0755));
	EXPECT_OK(symlink("f", "l"));
	EXPECT_OK(symlink("ring", "ring"));
}

/* --- memory ---------------------------------------------------------- */

#define BAD_MAX	36
static struct bad {
	unsigned long	va;
	size_t		readable;	/* bytes that are in order there */
	size_t		writable;
} bad[BAD_MAX];
static size_t nbad;
static char *readonly, *none;
#define NONE_BYTE 0xa5

static void
add(unsigned long va, size_t readable, size_t writable)
{
	EXPECT(nbad < BAD_MAX);
	bad[nbad++] = (struct bad){ va, readable, writable };
}

/* Four pages with a hole behind, far from where the kernel would put what it
 * may place: the hole stays one. */
static char *
map_before_hole(void)
{
	static unsigned long next = ARENA - (1ul << 30);
	char *p = mmap((void *)next, ROOM, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	EXPECT_EQ(p, next);
	next += 2 * ROOM;
	return p;
}

static void
make_bad_pointers(void)
{
	static const unsigned long wild[] = { 0, 1, 8, PG, PG - 1, 0xfff8,
		USER_END - PG, USER_END - 8, USER_END - 1, USER_END,
		USER_END + PG, 0x4000000000, 0x7fffffffffff, 0x800000000000,
		0x0123456789abcdef, 1ul << 63, (1ul << 63) - 8,
		0xffffffc000000000,		/* Sv39's upper half */
		0xffffffd600000000, 0xffffffe000000000,
		0xffff7fffffffffff, 0xffff800000000000,	/* x86-64's */
		0xffff800010000000, 0xffffc00000000000,
		0xffffffff80000000, 0xffffffff80200000, -PG, -8ul, -1ul };
	char *hole = map_before_hole();
	size_t i;

	nbad = 0;
	for (i = 0; i < nitems(wild); i++)
		add(wild[i], 0, 0);
	readonly = map_pages(1);
	none = map_pages(1);
	memset(none, NONE_BYTE, PG);
	EXPECT_OK(mprotect(readonly, PG, PROT_READ));
	EXPECT_OK(mprotect(none, PG, PROT_NONE));
	add((unsigned long)(hole + ROOM), 0, 0);
	add((unsigned long)none + 8, 0, 0);
	add((unsigned long)readonly, PG, 0);
	add((unsigned long)(hole + ROOM - 1), 1, 1);
	add((unsigned long)(hole + ROOM - 4), 4, 4);
	add((unsigned long)(hole + ROOM - 8), 8, 8);
	tail = map_before_hole();
	memset(tail, 'x', ROOM);
}

void
sweep_canaries(const char *name)
{
	size_t i;

	EXPECT_OK(mprotect(none, PG, PROT_READ));
	for (i = 0; i < PG; i++) {
		if ((unsigned char)none[i] != NONE_BYTE || readonly[i] != 0)
			ktap_fail(__FILE__, __LINE__,
			    "%s wrote to a page without the right to", name);
	}
	EXPECT_OK(mprotect(none, PG, PROT_NONE));
}

/* --- all of it ------------------------------------------------------- */

void
sweep_prepare(void)
{
	if (mkdir(TEMPORARY, 0755) != 0)
		EXPECT_EQ(errno, EEXIST);
	EXPECT_OK(chdir(TEMPORARY));
	memset(long_name, 'n', sizeof(long_name) - 1);
	memset(long_path, '/', sizeof(long_path) - 1);
	make_names();
	make_descriptors();
	make_bad_pointers();
	sweep_in = map_before_hole();
	sweep_out = map_before_hole();
	sweep_arena = mmap((void *)ARENA, ARENA_PAGES * PG,
	    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
	    MAP_FIXED_NOREPLACE, -1, 0);
	EXPECT_EQ(sweep_arena, ARENA);
	signal(SIGPIPE, SIG_IGN);
}

/* As it was before the call, or NULL: as it was before everything. */
void
sweep_restore(const struct sweep_call *c)
{
	unsigned how = c != NULL && c->shape != NULL ? c->shape->how : 0;

	if (how & C_CWD)
		EXPECT_OK(fchdir(F_DIR + SPARE));
	if (how & C_CLOSE)
		mend_descriptors();
	if (how & C_FLAGS) {
		fcntl(F_READ, F_SETFL, O_NONBLOCK);
		fcntl(F_WRITE, F_SETFL, O_NONBLOCK);
	}
	if (how & C_NAMES)
		make_names();
	if (how & C_RANGE)
		EXPECT(mmap(sweep_arena, ARENA_PAGES * PG,
		    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
		    MAP_FIXED, -1, 0) == sweep_arena);
	if (c == NULL) {
		empty_folder(TEMPORARY);
		EXPECT_OK(chdir("/"));
		EXPECT_OK(rmdir(TEMPORARY));
	}
}

/* --- values of arguments --------------------------------------------- */

static const long lengths[] = { 0, 1, PG - 1, PG, PG + 1, INT32_MAX,
	1l << 31, UINT32_MAX, 1l << 32, 1l << 62, INT64_MAX, INT64_MIN, -PG,
	-1 };
static const long numbers[] = { 0, 1, 2, -1, 64, 0xfff, INT32_MAX, INT32_MIN,
	1l << 32, 1l << 33 | 1, INT64_MAX, INT64_MIN };

static bool
is_path(const struct arg *a)
{
	return a->kind >= K_FILE && a->kind <= K_NEW;
}

size_t
sweep_count(const struct arg *a)
{
	switch (a->kind) {
	case K_FD: case K_DIR: case K_TTY:
		return nitems(bad_fds);
	case K_FILE: case K_FOLDER: case K_LINK: case K_NEW:
		return nbad + names_of(a).n + 1;
	case K_IN: case K_OUT:
		return nbad;
	case K_ADDR:
		return nbad + 3;
	case K_LEN:
		return nitems(lengths);
	case K_PICK:
		return a->nvals;
	case K_VALUE:
		return a->nvals + nitems(numbers);
	default:
		return 0;
	}
}

long
sweep_good(const struct arg *a)
{
	switch (a->kind) {
	case K_FD:
		return F_FILE;
	case K_DIR:
		return AT_FDCWD;
	case K_TTY:
		return 0;
	case K_FILE: case K_FOLDER: case K_LINK: case K_NEW:
		return (long)names_of(a).v[0];
	case K_IN:
		return a->flags & P_BAD ? 1 : (long)sweep_in;
	case K_OUT:
		return (long)sweep_out;
	case K_ADDR:
		return (long)sweep_arena;
	case K_LEN:
		return a->size;
	case K_PICK: case K_VALUE:
		return a->vals[0];
	default:
		return 0;
	}
}

/* A pointer that is bad for this argument, or the good one where a bad one
 * would not do what it should: keep us here. */
static long
pointer_value(const struct arg *a, const struct bad *b, int *wrong)
{
	size_t there = a->kind == K_OUT ? b->writable : b->readable;
	size_t need = is_path(a) ? 1 : a->size;

	if (a->flags & P_BAD ? there >= need : b->va == 0 &&
	    (a->flags & P_NOT_NULL))
		return sweep_good(a);
	if (there < need && !(a->flags & P_MAY) &&
	    !(b->va == 0 && (a->flags & P_NULL)))
		*wrong = EFAULT;
	return (long)b->va;
}

static long
arena_value(size_t i)
{
	static const long offsets[] = { 1, PG, (ARENA_PAGES - 1) * PG };

	return i < nbad ? (long)bad[i].va :
	    (long)sweep_arena + offsets[i - nbad];
}

long
sweep_value(const struct arg *a, size_t i, int *wrong)
{
	*wrong = 0;
	switch (a->kind) {
	case K_DIR: case K_FD: case K_TTY:
		*wrong = a->flags & P_MAY ? 0 : EBADF;
		return bad_fds[i];
	case K_IN: case K_OUT:
		return pointer_value(a, &bad[i], wrong);
	case K_ADDR:
		return arena_value(i);
	case K_LEN:
		return lengths[i];
	case K_PICK: case K_VALUE:
		return i < a->nvals ? a->vals[i] : numbers[i - a->nvals];
	default:
		break;
	}
	if (i < nbad)
		return pointer_value(a, &bad[i], wrong);
	if (i - nbad < names_of(a).n)
		return (long)names_of(a).v[i - nbad];
	*wrong = a->flags & P_MAY ? 0 : EFAULT;	/* it has no end */
	return (long)tail + ROOM - 5;
}

static long
random_good(const struct arg *a, uint64_t r)
{
	switch (a->kind) {
	case K_FD:
		return good_fds[r % nitems(good_fds)];
	case K_DIR:
		return good_dirs[r % nitems(good_dirs)];
	case K_TTY:
		return good_ttys[r % nitems(good_ttys)];
	case K_FILE: case K_FOLDER: case K_LINK: case K_NEW:
		return (long)names_of(a).v[r % names_of(a).n];
	case K_PICK: case K_VALUE:
		return a->vals[r % a->nvals];
	default:
		return sweep_good(a);
	}
}

long
sweep_random(const struct arg *a, uint64_t *seed, bool *always)
{
	uint64_t r = prng(seed);
	int wrong = 0;
	long v;

	if (a->kind == K_NONE)
		return 0;
	if (r % 4 < 2)
		return random_good(a, r / 4);
	if (r % 4 == 3 && a->kind == K_VALUE)
		return (long)(prng(seed) >> r / 4 % 64);
	v = sweep_value(a, r / 4 % sweep_count(a), &wrong);
	*always |= wrong != 0 && (a->flags & P_ALWAYS);
	return v;
}

/* A range that lies where nothing of ours is, or in no space at all. */
static bool
spares_us(unsigned long va, unsigned long len)
{
	unsigned long end;

	if (len == 0 || va >= USER_END || len > USER_END ||
	    __builtin_add_overflow(va, len, &end) || end > USER_END)
		return true;
	return (va >= ARENA && end <= ARENA + ARENA_ROOM) ||
	    end <= USER_BEGIN;
}

bool
sweep_hurts(const struct sweep_call *c, const long *v)
{
	const struct arg *a = c->shape->args;
	int i, k;

	for (i = 0; (c->shape->how & C_RANGE) && i < 6; i++) {
		for (k = 0; a[i].kind == K_ADDR && k < 6; k++) {
			if (a[k].kind == K_LEN &&
			    !spares_us((unsigned long)v[i],
				(unsigned long)v[k]))
				return true;
		}
	}
	return false;
}
