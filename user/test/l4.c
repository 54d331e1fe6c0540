/* SPDX-License-Identifier: MIT */
/*
 * l4.c - the calls of the L4 design: IPC, map and grant items, unmap, pagers.
 *
 * Two processes: the parent gives, the child receives at PLACE, where nothing
 * of its own is.  Under another design the calls must say so, and the other
 * tests are skipped.
 */
#include "ktap.h"
#include <thread.h>

#include <abi/l4.h>

#define PG	PAGE_SIZE
#define PLACE	((char *)0x1000000000)
#define RIGHTS	(L4_FPAGE_R | L4_FPAGE_W)

static void
need_l4(void)
{
	if (l4_set_pager(0) != 0)
		ktap_skip("another design is booted");
}

static void
other_designs_refuse(void)
{
	uint64_t fpage = L4_FPAGE_ALL | RIGHTS;
	struct l4_ipc m = { .to = getpid() };

	if (l4_set_pager(0) == 0)
		ktap_skip("the L4 design is booted");
	EXPECT_EQ(errno, ENOSYS);
	EXPECT_ERR(l4_unmap(0, &fpage), ENOSYS);
	EXPECT_ERR(l4_ipc(&m), ENOSYS);
}

/* ---- short forms ---- */

static struct l4_ipc
words(pid_t to, uint64_t label, uint64_t w)
{
	struct l4_ipc m = { .to = to };

	m.mr[0] = L4_TAG(label, 1, 0);
	m.mr[1] = w;
	return m;
}

static void
send(pid_t to, uint64_t w)
{
	struct l4_ipc m = words(to, 1, w);

	EXPECT_OK(l4_ipc(&m));
}

/* Wait for a message with @w. */
static void
await_word(pid_t from, uint64_t w)
{
	struct l4_ipc m = { .from = from };

	EXPECT_OK(l4_ipc(&m));
	EXPECT_EQ(L4_TAG_U(m.mr[0]), 1);
	EXPECT_EQ(m.mr[1], w);
}

static struct l4_ipc
item(pid_t to, unsigned long what, unsigned long fpage)
{
	struct l4_ipc m = { .to = to };

	m.mr[0] = L4_TAG(2, 0, 2);
	m.mr[1] = what;
	m.mr[2] = fpage;
	return m;
}

/* Map or grant one page to where the receiver wants it. */
static void
give_page(pid_t to, char *page, unsigned long rights, bool grant)
{
	struct l4_ipc m = item(to, grant ? L4_ITEM_GRANT(PLACE) :
					   L4_ITEM_MAP(PLACE),
	    L4_FPAGE(page, 12, rights));

	EXPECT_OK(l4_ipc(&m));
}

static void
receive_page(pid_t from)
{
	struct l4_ipc m = { .from = from,
		.acceptor = L4_FPAGE(PLACE, 12, 0) };

	EXPECT_OK(l4_ipc(&m));
	EXPECT_EQ(L4_TAG_T(m.mr[0]), 2);
}

static pid_t
fork_child(void (*fn)(pid_t parent))
{
	pid_t parent = getpid(), pid = (pid_t)EXPECT_OK(fork());

	if (pid == 0) {
		fn(parent);
		_exit(0);
	}
	return pid;
}

static void
reap(pid_t pid)
{
	int status;

	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_exit(status, 0);
}

/* ---- messages ---- */

static void
echo_server(pid_t parent)
{
	struct l4_ipc m = { .from = parent };

	EXPECT_OK(l4_ipc(&m));
	while (m.mr[1] != 0) {
		EXPECT_EQ(m.from, parent);
		m.to = m.from;
		m.mr[1]++;
		m.send_timeout = L4_ZERO_TIME; /* the caller is waiting */
		EXPECT_OK(l4_ipc(&m));
	}
}

/* Call and reply; the reply finds the caller receiving, whatever happens. */
static void
calls(void)
{
	pid_t pid;
	int i;

	need_l4();
	pid = fork_child(echo_server);
	for (i = 1; i <= 500; i++) {
		struct l4_ipc m = words(pid, 7, (uint64_t)i * 10);

		m.from = pid;
		EXPECT_OK(l4_ipc(&m));
		EXPECT_EQ(m.mr[1], i * 10 + 1);
		EXPECT_EQ(L4_TAG_LABEL(m.mr[0]), 7);
		EXPECT_EQ(m.from, pid);
		EXPECT_EQ(m.error, 0);
	}
	send(pid, 0);
	reap(pid);
}

static void
timeouts(void)
{
	struct l4_ipc m = words(getpid(), 1, 1);

	need_l4();
	m.send_timeout = L4_ZERO_TIME;
	EXPECT_ERR(l4_ipc(&m), ETIMEDOUT);
	EXPECT_EQ(m.error, L4_E_TIMEOUT << 1);
	m = (struct l4_ipc){ .from = L4_ANYTHREAD,
		.receive_timeout = L4_ZERO_TIME };
	EXPECT_ERR(l4_ipc(&m), ETIMEDOUT);
	EXPECT_EQ(m.error, L4_E_TIMEOUT << 1 | 1);
	m.receive_timeout = (uint16_t)L4_PERIOD(625, 4); /* 10 ms */
	EXPECT_ERR(l4_ipc(&m), ETIMEDOUT);
	m = words(1999999, 1, 1);
	EXPECT_ERR(l4_ipc(&m), ESRCH);
	EXPECT_EQ(m.error, L4_E_NO_PARTNER << 1);
	m = words(getpid(), 1, 1);
	m.mr[0] = L4_TAG(1, 60, 10);
	EXPECT_ERR(l4_ipc(&m), EINVAL);
}

#define TEXT 10000

static void
string_receiver(pid_t parent)
{
	static char buf[TEXT];
	struct l4_ipc m = { .from = parent, .acceptor = 1,
		.string = (uintptr_t)buf, .string_size = TEXT };
	int i;

	EXPECT_OK(l4_ipc(&m));
	EXPECT_EQ(m.string_size, TEXT);
	for (i = 0; i < TEXT; i++)
		EXPECT_EQ(buf[i], (char)(i * 7));
	/* Less room: the message is too large, for both. */
	m.string_size = 100;
	EXPECT_ERR(l4_ipc(&m), EMSGSIZE);
	EXPECT_EQ(m.error, L4_E_OVERFLOW << 1 | 1);
}

static void
strings(void)
{
	static char text[TEXT];
	struct l4_ipc m;
	pid_t pid;
	int i;

	need_l4();
	for (i = 0; i < TEXT; i++)
		text[i] = (char)(i * 7);
	pid = fork_child(string_receiver);
	m = item(pid, L4_ITEM_STRING(TEXT), (uintptr_t)text);
	EXPECT_OK(l4_ipc(&m));
	m = item(pid, L4_ITEM_STRING(TEXT), (uintptr_t)text);
	EXPECT_ERR(l4_ipc(&m), EMSGSIZE);
	EXPECT_EQ(m.error, L4_E_OVERFLOW << 1);
	reap(pid);
}

/* ---- mappings ---- */

static void
reader(pid_t parent)
{
	receive_page(parent);
	EXPECT_EQ(PLACE[5], 'x');
	EXPECT_SEGV(PLACE, PROBE_WRITE, SEGV_MAPERR);
	send(parent, 1);
	await_word(parent, 2);
	EXPECT_SEGV(PLACE, PROBE_READ, SEGV_MAPERR); /* revoked */
	receive_page(parent);
	PLACE[6] = 'y';
	send(parent, 3);
	await_word(parent, 4);
	EXPECT_EQ(PLACE[6], 'y'); /* W is gone, R is not */
	EXPECT_SEGV(PLACE, PROBE_WRITE, SEGV_MAPERR);
}

static void
map_and_unmap(void)
{
	char *p;
	uint64_t fpage;
	pid_t pid;

	need_l4();
	pid = fork_child(reader);
	p = map_pages(1);
	p[5] = 'x';
	give_page(pid, p, L4_FPAGE_R, false);
	await_word(pid, 1);
	fpage = L4_FPAGE(p, 12, RIGHTS | L4_FPAGE_X);
	EXPECT_OK(l4_unmap(0, &fpage));
	send(pid, 2);
	EXPECT_EQ(p[5], 'x'); /* others only */
	give_page(pid, p, RIGHTS, false);
	await_word(pid, 3);
	EXPECT_EQ(p[6], 'y');
	fpage = L4_FPAGE(p, 12, L4_FPAGE_W);
	EXPECT_OK(l4_unmap(0, &fpage));
	EXPECT(fpage & L4_FPAGE_W); /* it was written */
	send(pid, 4);
	reap(pid);
}

/* A right that the sender lacks cannot be given (FEATURES L1). */
static void
elevation(pid_t parent)
{
	receive_page(parent);
	EXPECT_EQ(PLACE[0], 'r');
	EXPECT_SEGV(PLACE, PROBE_WRITE, SEGV_MAPERR);
}

static void
no_elevation(void)
{
	char *p;
	pid_t pid;

	need_l4();
	pid = fork_child(elevation);
	p = map_pages(1);
	p[0] = 'r';
	EXPECT_OK(mprotect(p, PG, PROT_READ));
	EXPECT_EQ(p[0], 'r');
	give_page(pid, p, RIGHTS, false);
	reap(pid);
}

static void
grantee(pid_t parent)
{
	receive_page(parent);
	EXPECT_EQ(PLACE[0], 'g');
	send(parent, 1);
	await_word(parent, 2);
	EXPECT_EQ(PLACE[0], 'g'); /* the granter cannot take it back */
}

static void
grant(void)
{
	uint64_t fpage;
	char *p;
	pid_t pid;

	need_l4();
	pid = fork_child(grantee);
	p = map_pages(1);
	p[0] = 'g';
	give_page(pid, p, RIGHTS, true);
	await_word(pid, 1);
	fpage = L4_FPAGE(p, 12, RIGHTS | L4_FPAGE_X);
	EXPECT_OK(l4_unmap(L4_UNMAP_FLUSH, &fpage));
	EXPECT_OK(munmap(p, PG));
	send(pid, 2);
	reap(pid);
}

/* What was mapped and not granted goes with the region that it came from. */
static void
client_of_region(pid_t parent)
{
	receive_page(parent);
	EXPECT_EQ(PLACE[0], 'm');
	send(parent, 1);
	await_word(parent, 2);
	EXPECT_SEGV(PLACE, PROBE_READ, SEGV_MAPERR);
}

static void
munmap_revokes(void)
{
	char *p;
	pid_t pid;

	need_l4();
	pid = fork_child(client_of_region);
	p = map_pages(1);
	p[0] = 'm';
	give_page(pid, p, RIGHTS, false);
	await_word(pid, 1);
	EXPECT_OK(munmap(p, PG));
	send(pid, 2);
	reap(pid);
}

/* Windows: nil refuses; a large item is cut down to what the hot spot says. */
static void
window_client(pid_t parent)
{
	struct l4_ipc m = { .from = parent };

	EXPECT_ERR(l4_ipc(&m), EMSGSIZE);
	m = (struct l4_ipc){ .from = parent,
		.acceptor = L4_FPAGE(PLACE, 13, 0) };
	EXPECT_OK(l4_ipc(&m));
	EXPECT_EQ(PLACE[0], 2);
	EXPECT_EQ(PLACE[PG], 3);
	EXPECT_SEGV(PLACE + 2 * PG, PROBE_READ, SEGV_MAPERR);
}

static void
windows(void)
{
	struct l4_ipc m;
	char *p;
	pid_t pid;
	int i;

	need_l4();
	pid = fork_child(window_client);
	p = map_pages(8);
	p = (char *)(((uintptr_t)p + 4 * PG - 1) & ~(4 * PG - 1));
	for (i = 0; i < 4; i++)
		p[i * PG] = (char)i;
	m = item(pid, L4_ITEM_MAP(0), L4_FPAGE(p, 14, RIGHTS));
	EXPECT_ERR(l4_ipc(&m), EMSGSIZE);
	m = item(pid, L4_ITEM_MAP(3 * PG), L4_FPAGE(p, 14, RIGHTS));
	EXPECT_OK(l4_ipc(&m));
	reap(pid);
}

static void
unmap_errors(void)
{
	uint64_t fpages[2] = { L4_FPAGE_NIL, L4_FPAGE(0x1235000, 14, 1) };

	need_l4();
	EXPECT_OK(l4_unmap(0, fpages));
	EXPECT_ERR(l4_unmap(1, fpages), EINVAL); /* unaligned */
	EXPECT_ERR(l4_unmap(0, (uint64_t *)8), EFAULT);
}

/* ---- pagers ---- */

static void
paged(pid_t parent)
{
	EXPECT_OK(l4_set_pager(parent));
	EXPECT_EQ(PLACE[3 * PG + 9], 3);
	PLACE[5 * PG] = 55;
	EXPECT_EQ(PLACE[5 * PG], 55);
	send(parent, 99);
}

static struct l4_ipc
await_fault(pid_t client, char *va, unsigned rwx)
{
	struct l4_ipc m = { .from = client };

	EXPECT_OK(l4_ipc(&m));
	EXPECT_EQ(m.mr[0], L4_TAG(L4_LABEL_FAULT(rwx), 2, 0));
	EXPECT_EQ(m.mr[1], (uintptr_t)va);
	EXPECT(m.mr[2] != 0 && m.mr[2] < USER_END);
	return m;
}

static void
answer(pid_t client, char *page, char *va, unsigned long rights)
{
	struct l4_ipc m = item(client, L4_ITEM_MAP(va),
	    L4_FPAGE(page, 12, rights));

	EXPECT_OK(l4_ipc(&m));
}

/* The client's window is its complete space; the hot spot says where. */
static void
user_pager(void)
{
	char *pages;
	pid_t pid;
	int i;

	need_l4();
	pid = fork_child(paged);
	pages = map_pages(8);
	for (i = 0; i < 8; i++)
		memset(pages + i * PG, i, PG);
	(void)await_fault(pid, PLACE + 3 * PG + 9, L4_FPAGE_R);
	/* A wrong page: it faults again, at the same place. */
	answer(pid, pages + 7 * PG, PLACE + 7 * PG, RIGHTS);
	(void)await_fault(pid, PLACE + 3 * PG + 9, L4_FPAGE_R);
	answer(pid, pages + 3 * PG, PLACE + 3 * PG, L4_FPAGE_R);
	(void)await_fault(pid, PLACE + 5 * PG, L4_FPAGE_W);
	/* Too few rights: again. */
	answer(pid, pages + 5 * PG, PLACE + 5 * PG, L4_FPAGE_R);
	(void)await_fault(pid, PLACE + 5 * PG, L4_FPAGE_W);
	answer(pid, pages + 5 * PG, PLACE + 5 * PG, RIGHTS);
	await_word(pid, 99);
	EXPECT_EQ(pages[5 * PG], 55);
	reap(pid);
}

static void
client_of_silence(pid_t parent)
{
	EXPECT_OK(l4_set_pager(parent));
	PLACE[0] = 1; /* for ever */
}

/* A pager that never answers stops its client, and nobody else. */
static void
silent_pager(void)
{
	pid_t pid;
	int status, i;

	need_l4();
	pid = fork_child(client_of_silence);
	(void)await_fault(pid, PLACE, L4_FPAGE_W);
	for (i = 0; i < 20; i++) {
		char *p = map_pages(16);

		memset(p, i, 16 * PG);
		EXPECT_OK(munmap(p, 16 * PG));
		sched_yield();
	}
	EXPECT_EQ(waitpid(pid, &status, WNOHANG), 0);
	EXPECT_OK(kill(pid, SIGKILL));
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_signal(status, SIGKILL);
}

static void
client_of_nobody(pid_t parent)
{
	(void)parent;
	EXPECT_OK(l4_set_pager(1999999));
	EXPECT_SEGV(PLACE, PROBE_READ, SEGV_MAPERR);
}

static void
dead_pager(void)
{
	need_l4();
	reap(fork_child(client_of_nobody));
}

/* Three spaces in a row; the middle one is revoked from above. */
static char *volatile middle_place = PLACE;

static void
last_client(pid_t parent)
{
	receive_page(parent);
	EXPECT_EQ(PLACE[0], 'c');
	send(parent, 1);
	await_word(parent, 2);
	EXPECT_SEGV(PLACE, PROBE_READ, SEGV_MAPERR);
}

static void
middle(pid_t parent)
{
	pid_t pid = fork_child(last_client);

	receive_page(parent);
	give_page(pid, middle_place, RIGHTS, false);
	await_word(pid, 1);
	send(parent, 1);
	await_word(parent, 2);
	EXPECT_SEGV(middle_place, PROBE_READ, SEGV_MAPERR);
	send(pid, 2);
	reap(pid);
}

static void
chain_of_three(void)
{
	uint64_t fpage;
	char *p;
	pid_t pid;

	need_l4();
	pid = fork_child(middle);
	p = map_pages(1);
	p[0] = 'c';
	give_page(pid, p, RIGHTS, false);
	await_word(pid, 1);
	fpage = L4_FPAGE(p, 12, RIGHTS | L4_FPAGE_X);
	EXPECT_OK(l4_unmap(0, &fpage));
	send(pid, 2);
	reap(pid);
}

/* ---- the demonstrations of user/l4 ---- */

static void
run_demo(const char *path)
{
	const char *argv[] = { path, NULL }, *envp[] = { NULL };
	int status;
	pid_t pid;

	need_l4();
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		/* What it prints is for people; here its status says all. */
		dup2((int)EXPECT_OK(open("/dev/null", O_WRONLY)),
		    STDOUT_FILENO);
		execve(root_path(path), argv, envp);
		_exit(127);
	}
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_exit(status, 0);
}

static void
demo_heap_pager(void)
{
	run_demo("/bin/heap_pager");
}

static void
demo_pager_chain(void)
{
	run_demo("/bin/pager_chain");
}

static void
demo_hostile_pager(void)
{
	run_demo("/bin/hostile_pager");
}

static const struct ktap_test tests[] = {
	TEST(other_designs_refuse, T_TERN),
	TEST(calls, T_TERN),
	TEST(timeouts, T_TERN),
	TEST(strings, T_TERN),
	TEST(map_and_unmap, T_TERN),
	TEST(no_elevation, T_TERN),
	TEST(grant, T_TERN),
	TEST(munmap_revokes, T_TERN),
	TEST(windows, T_TERN),
	TEST(unmap_errors, T_TERN),
	TEST(user_pager, T_TERN),
	TEST(silent_pager, T_TERN),
	TEST(dead_pager, T_TERN),
	TEST(chain_of_three, T_TERN),
	TEST(demo_heap_pager, T_TERN),
	TEST(demo_pager_chain, T_TERN),
	TEST(demo_hostile_pager, T_TERN),
};
KTAP_MAIN("l4")
