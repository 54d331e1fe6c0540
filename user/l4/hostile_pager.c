/* SPDX-License-Identifier: MIT */
/*
 * hostile_pager.c - bad pagers: only their clients suffer.
 *
 * One never answers, one answers with everything but the page that is asked
 * for, one sends what is no message at all, one dies.  Each has a client that
 * trusts it.  Meanwhile a client of an honest pager, and this process, go on as
 * if nothing were.  Whatever happened to the clients, they can be ended.
 */
#include "pager.h"

#define ROUNDS 40

/* ---- bad ones ---- */

static pid_t bad;

static int
victim(void)
{
	must(l4_set_pager(bad) == 0, "set pager");
	HEAP[0] = 1; /* waits for a page that never comes */
	return 42;
}

static int
silent(void)
{
	struct l4_ipc m;

	await(&m, L4_ANYTHREAD);
	for (;;)
		msleep(1000);
	return 0;
}

/* Nothing, words, a nil item, a page elsewhere, too few rights. */
static void
answer_wrongly(pid_t client, unsigned n, char *page)
{
	struct l4_ipc m = { .to = client, .send_timeout = L4_ZERO_TIME };

	switch (n % 5) {
	case 0:
		m.mr[0] = L4_TAG(0, 0, 0);
		break;
	case 1:
		m.mr[0] = L4_TAG(0, 3, 0);
		break;
	case 2:
		m.mr[0] = L4_TAG(0, 0, 2);
		m.mr[1] = L4_ITEM_MAP(0);
		m.mr[2] = L4_FPAGE_NIL;
		break;
	case 3:
		m.mr[0] = L4_TAG(0, 0, 2);
		m.mr[1] = L4_ITEM_MAP(HEAP + 5 * PAGE_SIZE);
		m.mr[2] = L4_FPAGE(page, 12, RIGHTS);
		break;
	default:
		m.mr[0] = L4_TAG(0, 0, 2);
		m.mr[1] = L4_ITEM_MAP(HEAP);
		m.mr[2] = L4_FPAGE(page, 12, L4_FPAGE_R);
		break;
	}
	(void)l4_ipc(&m); /* the client may be gone */
}

static int
lying(void)
{
	static char page[2 * PAGE_SIZE];
	char *aligned = (char *)(((uintptr_t)page + PAGE_SIZE - 1) &
	    ~(uintptr_t)(PAGE_SIZE - 1));
	struct l4_ipc m;
	unsigned n;

	aligned[0] = 1;
	for (n = 0;; n++) {
		await(&m, L4_ANYTHREAD);
		answer_wrongly(m.from, n, aligned);
	}
	return 0;
}

/* An item that is none: the client's fault cannot be answered any more. */
static int
garbling(void)
{
	struct l4_ipc m;

	for (;;) {
		await(&m, L4_ANYTHREAD);
		m.to = m.from;
		m.from = L4_NILTHREAD;
		m.send_timeout = L4_ZERO_TIME;
		m.mr[0] = L4_TAG(77, 0, 2);
		m.mr[1] = m.mr[2] = ~0ul;
		must(l4_ipc(&m) < 0 && errno == EMSGSIZE, "garbage refused");
	}
	return 0;
}

static int
dying(void)
{
	struct l4_ipc m;

	await(&m, L4_ANYTHREAD);
	return 0;
}

/* ---- honest ones ---- */

static pid_t honest;

static int
honest_pager(void)
{
	static char pages[(ROUNDS + 1) * PAGE_SIZE];
	char *first = (char *)(((uintptr_t)pages + PAGE_SIZE - 1) &
	    ~(uintptr_t)(PAGE_SIZE - 1));
	struct l4_ipc m;

	for (;;) {
		await(&m, L4_ANYTHREAD);
		if (!is_fault(&m))
			break;
		first[fault_page(&m) - HEAP] = 7;
		must(give(m.from, first + (fault_page(&m) - HEAP),
		    fault_page(&m), RIGHTS), "answer");
	}
	reply(m.from, 0);
	return 0;
}

/* A page more each time somebody asks. */
static int
honest_client(void)
{
	struct l4_ipc m;
	char *at = HEAP;

	must(l4_set_pager(honest) == 0, "set pager");
	for (;; at += PAGE_SIZE) {
		await(&m, L4_ANYTHREAD);
		if (m.mr[1] == 0)
			break;
		must(*at == 7, "contents");
		*at = 8;
		reply(m.from, 7);
	}
	reply(m.from, 0);
	return 0;
}

/* Memory of our own, and a fault of an honest pager's client. */
static void
live_on(pid_t client)
{
	char *p = mmap(NULL, 8 * PAGE_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED, "mmap");
	memset(p, 1, 8 * PAGE_SIZE);
	must(munmap(p, 8 * PAGE_SIZE) == 0, "munmap");
	must(call(client, 1) == 7, "honest client");
}

/* @killed: the signal that ends the client; it waits if that is SIGKILL. */
static void
try_one(const char *name, int (*pager)(void), pid_t client, int killed)
{
	int i, status;
	pid_t pid;

	bad = spawn(pager);
	pid = spawn(victim);
	for (i = 0; i < ROUNDS / 4; i++) {
		live_on(client);
		sched_yield();
	}
	if (killed == SIGKILL) {
		must(waitpid(pid, &status, WNOHANG) == 0, "the client waits");
		must(kill(pid, SIGKILL) == 0, "kill");
	}
	must(reap(pid) == 128 + killed, "the client's end");
	if (pager != dying)
		must(kill(bad, SIGKILL) == 0, "kill");
	(void)reap(bad);
	printf("a pager that %s: its client %s, %d faults of others were "
	    "served\n", name, killed == SIGKILL ? "waited" : "got a signal",
	    ROUNDS / 4);
}

int
main(void)
{
	pid_t client;

	need_l4();
	honest = spawn(honest_pager);
	client = spawn(honest_client);
	try_one("never answers", silent, client, SIGKILL);
	try_one("answers wrongly", lying, client, SIGKILL);
	try_one("sends garbage", garbling, client, SIGSEGV);
	try_one("dies", dying, client, SIGKILL);
	must(call(client, 0) == 0 && reap(client) == 0, "honest client");
	must(call(honest, 0) == 0 && reap(honest) == 0, "honest pager");
	return 0;
}
