/* SPDX-License-Identifier: MIT */
/*
 * conformance.c - the conformance suite of the VM interface, in the OS.
 *
 * The cases are those of kern/vm/test/conf_*.c, which also run on the host
 * port.  Here an address space is a process (a server) that carries out
 * commands sent through a pipe; a space that forks forks its server, and the
 * child listens on the next pipe.  This program is linked high, so that the
 * lowest addresses are free in every space.
 */
#include "ktap.h"

#include <abi/al.h>
#include <ct.h>

enum cmd_op {
	C_FORK, C_DROP, C_MAP, C_UNMAP, C_PROTECT, C_DISCARD, C_MINCORE,
	C_AL_REGION, C_AL_PROT, C_AL_DIRTY, C_ACCESS, C_COPYIN, C_COPYOUT,
	C_REGION,
};

/* A command and its answer. */
struct msg {
	enum cmd_op	 op;
	int		 error;
	unsigned	 child, cpu, right, n;
	uint64_t	 va, size, value;
	struct ct_map	 map;
	union {
		struct ct_pageop op[16];
		uint8_t		 bytes[512];
		uint64_t	 words[64];
	} u;
};

static int to[CT_SPACES][2], from[CT_SPACES][2], scratch[2];
static bool used[CT_SPACES];
static uint64_t nspaces;	/* of the system, before this case */

static void *
ptr(uint64_t va)
{
	return (void *)(uintptr_t)va;
}

static int
result(long r)
{
	return r < 0 ? errno : 0;
}

/* --- the server: one address space ----------------------------------- */

static void
s_map(struct msg *m)
{
	int flags = MAP_ANONYMOUS |
	    (m->map.flags & CT_SHARED ? MAP_SHARED : MAP_PRIVATE) |
	    (m->map.flags & CT_NOREPLACE ? MAP_FIXED_NOREPLACE :
	    m->map.flags & CT_FIXED ? MAP_FIXED : 0);
	void *p = mmap(ptr(m->map.va), m->map.size, (int)m->map.prot, flags,
	    -1, 0);

	m->error = p == MAP_FAILED ? errno : 0;
	m->va = (uintptr_t)p;
}

/* The word is read or written only when the right is there. */
static void
s_access(struct msg *m)
{
	volatile uint64_t *word = ptr(m->va);
	struct fault f;

	pin_to_cpu((int)m->cpu);
	f = probe(ptr(m->va), m->right == CT_X ? PROBE_EXEC :
	    m->right == CT_W ? PROBE_WRITE : PROBE_READ);
	m->error = 0;
	if (f.sig == SIGSEGV && f.addr == ptr(m->va))
		m->error = f.code == SEGV_MAPERR ? EFAULT : EACCES;
	else if (f.sig == SIGSEGV && f.code == SI_KERNEL && f.addr == NULL &&
	    m->va >= USER_END)
		m->error = EFAULT; /* not canonical: x86-64 forgets where */
	else if (f.sig != 0 && m->right != CT_X)
		m->error = EIO;
	if (m->error == 0 && m->right == CT_W)
		*word = m->value;
	else if (m->error == 0 && m->right == CT_R)
		m->value = *word;
}

static void
drain(size_t n)
{
	char c;

	while (n-- > 0)
		read(scratch[0], &c, 1);
}

/* The kernel copies from and to user memory through a pipe. */
static void
s_copy(struct msg *m)
{
	ssize_t n;

	if (m->op == C_COPYIN) {
		n = write(scratch[1], ptr(m->va), m->n);
		if (n == (ssize_t)m->n)
			read(scratch[0], m->u.bytes, m->n);
		else if (n > 0)
			drain((size_t)n);
	} else {
		write(scratch[1], m->u.bytes, m->n);
		n = read(scratch[0], ptr(m->va), m->n);
		if (n < 0)
			drain(m->n);
		else if (n < (ssize_t)m->n)
			drain(m->n - (size_t)n);
	}
	m->error = n == (ssize_t)m->n ? 0 : EFAULT;
}

static uint64_t
hex(const char **s)
{
	uint64_t v = 0;

	for (; strchr("0123456789abcdef", **s) != NULL && **s; (*s)++)
		v = v << 4 | (uint64_t)(**s <= '9' ? **s - '0' :
		    **s - 'a' + 10);
	return v;
}

/* The first line of /proc/self/maps that ends above the address. */
static void
s_region(struct msg *m)
{
	static char text[8192];
	ssize_t n = read_file("/proc/self/maps", text, sizeof(text) - 1);
	const char *s = text;

	m->error = ENOENT;
	if (n < 0)
		return;
	text[n] = '\0';
	while (*s != '\0') {
		uint64_t lo = hex(&s), hi;

		s++;
		hi = hex(&s);
		if (hi > m->va) {
			m->map = (struct ct_map){ .va = lo, .size = hi - lo };
			m->map.prot = (s[1] == 'r' ? CT_R : 0u) |
			    (s[2] == 'w' ? CT_W : 0u) |
			    (s[3] == 'x' ? CT_X : 0u);
			m->map.flags = s[4] == 's' ? CT_SHARED : 0;
			m->error = 0;
			return;
		}
		s = strchr(s, '\n');
		if (s++ == NULL)
			return;
	}
}

static void
s_al_prot(struct msg *m)
{
	struct al_op op[16];
	unsigned i;

	for (i = 0; i < m->n; i++) {
		op[i].va = m->u.op[i].va;
		op[i].npages = (uint32_t)m->u.op[i].npages;
		op[i].op = AL_UNPROT;
		if (m->u.op[i].cap == CT_NONE)
			op[i].op = AL_PROT_NONE;
		else if (m->u.op[i].cap == CT_R)
			op[i].op = AL_PROT_READ;
	}
	m->error = result(al_prot(op, m->n));
}

static void
carry_out(struct msg *m)
{
	switch (m->op) {
	case C_MAP:
		s_map(m);
		break;
	case C_UNMAP:
		m->error = result(munmap(ptr(m->va), m->size));
		break;
	case C_PROTECT:
		m->error = result(mprotect(ptr(m->va), m->size,
		    (int)m->right));
		break;
	case C_DISCARD:
		m->error = result(madvise(ptr(m->va), m->size,
		    MADV_DONTNEED));
		break;
	case C_MINCORE:
		m->error = result(mincore(ptr(m->va), m->size, m->u.bytes));
		break;
	case C_AL_REGION:
		m->error = result(al_region(ptr(m->va), m->size,
		    AL_REGION_ADD));
		break;
	case C_AL_PROT:
		s_al_prot(m);
		break;
	case C_AL_DIRTY:
		m->error = result(al_dirty(ptr(m->va), m->size, m->u.words));
		break;
	case C_ACCESS:
		s_access(m);
		break;
	case C_COPYIN:
	case C_COPYOUT:
		s_copy(m);
		break;
	case C_REGION:
		s_region(m);
		break;
	case C_FORK:
	case C_DROP:
		break;
	}
}

static void noreturn
serve(unsigned me)
{
	static struct msg m;

	while (read(to[me][0], &m, sizeof(m)) == sizeof(m)) {
		if (m.op == C_DROP)
			break;
		if (m.op == C_FORK) {
			pid_t pid = fork();

			if (pid == 0) {
				me = m.child;
				continue;
			}
			m.error = pid < 0 ? errno : 0;
		} else {
			carry_out(&m);
		}
		write_all(from[me][1], &m, sizeof(m));
	}
	_exit(0);
}

/* --- the environment: commands to servers ---------------------------- */

static struct msg msg;

static int
call(unsigned sp, enum cmd_op op)
{
	msg.op = op;
	write_all(to[sp][1], &msg, sizeof(msg));
	if (read(from[sp][0], &msg, sizeof(msg)) != sizeof(msg))
		ktap_fail(__FILE__, __LINE__, "space %u is dead", sp);
	return msg.error;
}

static unsigned
new_slot(void)
{
	unsigned i;

	for (i = 0; i < CT_SPACES && used[i]; i++)
		;
	if (i == CT_SPACES)
		ktap_fail(__FILE__, __LINE__, "too many spaces");
	used[i] = true;
	return i;
}

static int
e_space(unsigned *sp)
{
	unsigned i = new_slot();
	pid_t pid = fork();

	if (pid == 0)
		serve(i);
	*sp = i;
	used[i] = pid > 0;
	return pid < 0 ? errno : 0;
}

static int
e_fork(unsigned sp, unsigned *child)
{
	msg.child = new_slot();
	*child = msg.child;
	if (call(sp, C_FORK) != 0)
		used[*child] = false;
	return msg.error;
}

/* The space is gone when its server's memory is; others wait for that. */
static void
e_drop(unsigned sp)
{
	uint64_t end = now_ns() + 5000000000ull, alive = 0;
	unsigned i;

	msg.op = C_DROP;
	write_all(to[sp][1], &msg, sizeof(msg));
	used[sp] = false;
	for (i = 0; i < CT_SPACES; i++)
		alive += used[i];
	while (on_tern() && stat_now(TS_spaces) > nspaces + alive &&
	    now_ns() < end)
		msleep(1);
}

static int
e_map(unsigned sp, const struct ct_map *m, uint64_t *va)
{
	msg.map = *m;
	call(sp, C_MAP);
	*va = msg.va;
	return msg.error;
}

static int
range(unsigned sp, enum cmd_op op, uint64_t va, uint64_t size, unsigned right)
{
	msg.va = va;
	msg.size = size;
	msg.right = right;
	return call(sp, op);
}

static int
e_unmap(unsigned sp, uint64_t va, uint64_t size)
{
	return range(sp, C_UNMAP, va, size, 0);
}

static int
e_protect(unsigned sp, uint64_t va, uint64_t size, unsigned prot)
{
	return range(sp, C_PROTECT, va, size, prot);
}

static int
e_discard(unsigned sp, uint64_t va, uint64_t size)
{
	return range(sp, C_DISCARD, va, size, 0);
}

static int
e_mincore(unsigned sp, uint64_t va, uint64_t size, uint8_t *vec)
{
	int error = range(sp, C_MINCORE, va, size, 0);

	if (error == 0)
		memcpy(vec, msg.u.bytes, size / CT_PAGE);
	return error;
}

static int
e_al_region(unsigned sp, uint64_t va, uint64_t size)
{
	return range(sp, C_AL_REGION, va, size, 0);
}

static int
e_al_prot(unsigned sp, const struct ct_pageop *op, unsigned n)
{
	memcpy(msg.u.op, op, n * sizeof(*op));
	msg.n = n;
	return call(sp, C_AL_PROT);
}

static int
e_al_dirty(unsigned sp, uint64_t va, uint64_t size, uint64_t *bitmap)
{
	size_t n = (size / CT_PAGE + 63) / 64 * 8;

	memset(msg.u.words, 0, n);
	if (range(sp, C_AL_DIRTY, va, size, 0) == 0)
		memcpy(bitmap, msg.u.words, n);
	return msg.error;
}

static int
e_access(unsigned sp, unsigned cpu, uint64_t va, unsigned right,
    uint64_t *value)
{
	msg.cpu = cpu;
	msg.value = *value;
	range(sp, C_ACCESS, va, 8, right);
	*value = msg.value;
	return msg.error;
}

static int
e_copyin(unsigned sp, void *dst, uint64_t va, uint64_t n)
{
	msg.n = (unsigned)n;
	if (range(sp, C_COPYIN, va, n, 0) == 0)
		memcpy(dst, msg.u.bytes, n);
	return msg.error;
}

static int
e_copyout(unsigned sp, uint64_t va, const void *src, uint64_t n)
{
	msg.n = (unsigned)n;
	memcpy(msg.u.bytes, src, n);
	return range(sp, C_COPYOUT, va, n, 0);
}

static int
e_region(unsigned sp, uint64_t va, struct ct_map *m)
{
	int error = range(sp, C_REGION, va, 0, 0);

	*m = msg.map;
	return error;
}

static uint64_t
e_counter(enum tern_stat_index i)
{
	return stat_now(i);
}

/* A DEBUG kernel checks a space after each operation itself. */
static bool
e_sound(void)
{
	return true;
}

static void noreturn
e_fail(const char *file, int line, const char *what, uint64_t got,
    uint64_t want)
{
	ktap_fail(file, line, "%s: expected %lu, got %lu (0x%lx)", what, want,
	    got, got);
}

static struct ct_env env = {
	.user_lo = 0x10000,
	.user_hi = USER_END,
	.space = e_space,
	.fork = e_fork,
	.drop = e_drop,
	.map = e_map,
	.unmap = e_unmap,
	.protect = e_protect,
	.discard = e_discard,
	.mincore = e_mincore,
	.al_region = e_al_region,
	.al_prot = e_al_prot,
	.al_dirty = e_al_dirty,
	.access = e_access,
	.copyin = e_copyin,
	.copyout = e_copyout,
	.region = e_region,
	.counter = e_counter,
	.sound = e_sound,
	.fail = e_fail,
};

/* The stack has the top; just below it is as high as we get. */
static void
choose_windows(void)
{
	uint64_t top = ((uintptr_t)&top & ~0xffffffull) - (32ull << 20);

	env.window[0] = (struct ct_window){ "low", env.user_lo,
	    env.user_lo + (16ull << 20) };
	env.window[1] = (struct ct_window){ "middle", 0x1555555000,
	    0x1555555000 + (1ull << 30) };
	env.window[2] = (struct ct_window){ "high", top - (8ull << 20), top };
	env.ncpu = (unsigned)MIN(cpu_count(), 4);
	if (sizeof(void *) == 8 && !on_tern())
		env.user_hi = 1ull << 47;
}

/* --- the frame: one test a case -------------------------------------- */

#define NCASES_MAX 120

static const struct ct_case *cases[NCASES_MAX];
static struct ktap_test tests[NCASES_MAX];
static size_t ncases;

static void
run_case(size_t i)
{
	const struct ct_case *c = cases[i];
	unsigned w, n = c->flags & CT_EACH_WINDOW ? 3 : 1;

	if ((c->needs & ~env.has) != 0)
		ktap_skip("only where the counters are ours: host port");
	signal(SIGCHLD, SIG_IGN);
	nspaces = stat_now(TS_spaces);
	for (w = 0; w < CT_SPACES; w++)
		if (pipe(to[w]) != 0 || pipe(from[w]) != 0)
			ktap_fail(__FILE__, __LINE__, "no pipes");
	pipe(scratch);
	for (w = 0; w < n; w++)
		ct_run(&env, c, n == 1 ? 1 : w);
}

/* A test has no argument: one function for each place in the list. */
#define F(n) static void f##n(void) { run_case(n); }
#define TEN(m, n) m(n##0) m(n##1) m(n##2) m(n##3) m(n##4) m(n##5) m(n##6) \
	m(n##7) m(n##8) m(n##9)
#define ALL(m) TEN(m, ) TEN(m, 1) TEN(m, 2) TEN(m, 3) TEN(m, 4) TEN(m, 5) \
	TEN(m, 6) TEN(m, 7) TEN(m, 8) TEN(m, 9) TEN(m, 10) TEN(m, 11)
#define N(n) f##n,
ALL(F)
static void (*const functions[NCASES_MAX])(void) = { ALL(N) };

int
main(int argc, char **argv)
{
	size_t l;

	choose_windows();
	for (l = 0; ct_lists[l] != NULL; l++) {
		const struct ct_case *c;

		for (c = ct_lists[l]; c->name != NULL; c++) {
			if (ncases == NCASES_MAX)
				die("conformance: more than %d cases",
				    NCASES_MAX);
			cases[ncases] = c;
			tests[ncases] = (struct ktap_test){ c->name,
			    functions[ncases], T_TERN };
			ncases++;
		}
	}
	return ktap_run("conformance", tests, ncases, argc, argv);
}
