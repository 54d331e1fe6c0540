/* SPDX-License-Identifier: MIT */
/*
 * pager_chain.c - three pagers in a row, and a revocation in the middle.
 *
 * A has memory of its own.  B has what A gives it, C what B gives it, the
 * client what C gives it: each page of the client is the fourth mapping in its
 * tree.  A pager that has no page itself touches it, which is a fault message
 * to its own pager; so one touch of the client runs up the chain, and the
 * answers come down.
 *
 * Then B takes the pages back from those below.  C and the client have lost
 * them and A has noticed nothing: the next touch runs up to B only.  After that
 * A takes them back, and it runs up to A.  The contents are the same all the
 * time, because the page is.
 *
 * usage: pager_chain [hold]	hold: stay after the first touch, so that gdb
 *				can look at the tree (vm mapdb)
 */
#include "pager.h"

#define NPAGES	4

enum { ASK_FAULTS = 1, REVOKE, QUIT };

static pid_t a, b, c;		/* known to those further down */
static bool hold;
static unsigned faults;		/* that this pager has answered */
static char *memory = HEAP;	/* what this pager gives; A's is its own */

static void
serve(const struct l4_ipc *m)
{
	char *va = fault_page(m);
	char *page = memory + (va - HEAP);

	must(va >= HEAP && va < HEAP + NPAGES * PAGE_SIZE, "fault in range");
	faults++;
	/* Whom we give it waits, so nobody else changes it meanwhile. */
	*(volatile char *)page = *(volatile char *)page;
	must(give(m->from, page, va, RIGHTS), "answer");
}

/* Until somebody says QUIT. */
static void
run_pager(void)
{
	struct l4_ipc m;
	int i;

	for (;;) {
		await(&m, L4_ANYTHREAD);
		if (is_fault(&m)) {
			serve(&m);
			continue;
		}
		if (m.mr[1] == REVOKE)
			for (i = 0; i < NPAGES; i++)
				(void)take_back(memory + i * PAGE_SIZE);
		reply(m.from, faults);
		if (m.mr[1] == QUIT)
			return;
	}
}

/* ---- the client ---- */

static void
expect_faults(unsigned at_a, unsigned at_b, unsigned at_c)
{
	unsigned fa = (unsigned)call(a, ASK_FAULTS);
	unsigned fb = (unsigned)call(b, ASK_FAULTS);
	unsigned fc = (unsigned)call(c, ASK_FAULTS);

	printf("  answered by A %u, by B %u, by C %u\n", fa, fb, fc);
	if (fa != at_a || fb != at_b || fc != at_c)
		die("expected %u, %u, %u", at_a, at_b, at_c);
}

static void
touch(const char *when)
{
	int i;

	printf("%s\n", when);
	for (i = 0; i < NPAGES; i++) {
		must(HEAP[i * PAGE_SIZE] == 10 + i, "contents");
		HEAP[i * PAGE_SIZE + 1] = 1;
	}
}

static int
client(void)
{
	int i;

	must(l4_set_pager(c) == 0, "set pager");
	for (i = 0; i < NPAGES; i++)
		HEAP[i * PAGE_SIZE] = (char)(10 + i);
	touch("first touch:");
	expect_faults(NPAGES, NPAGES, NPAGES);
	while (hold)
		msleep(1000);
	touch("again:");
	expect_faults(NPAGES, NPAGES, NPAGES);
	(void)call(b, REVOKE);
	touch("after B has revoked:");
	expect_faults(NPAGES, 2 * NPAGES, 2 * NPAGES);
	(void)call(a, REVOKE);
	touch("after A has revoked:");
	expect_faults(2 * NPAGES, 3 * NPAGES, 3 * NPAGES);
	(void)call(c, QUIT);
	(void)call(b, QUIT);
	(void)call(a, QUIT);
	return 0;
}

static int
pager_c(void)
{
	pid_t pid;

	c = getpid();
	must(l4_set_pager(b) == 0, "set pager");
	pid = spawn(client);
	run_pager();
	return reap(pid);
}

static int
pager_b(void)
{
	pid_t pid;

	b = getpid();
	must(l4_set_pager(a) == 0, "set pager");
	pid = spawn(pager_c);
	run_pager();
	return reap(pid);
}

int
main(int argc, char **argv)
{
	pid_t pid;

	need_l4();
	hold = argc > 1 && strcmp(argv[1], "hold") == 0;
	a = getpid();
	pid = spawn(pager_b);
	memory = mmap(NULL, NPAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(memory != MAP_FAILED, "mmap");
	run_pager();
	must(reap(pid) == 0, "chain");
	printf("the page was the same all the time\n");
	return 0;
}
