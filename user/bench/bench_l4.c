/* SPDX-License-Identifier: MIT */
/*
 * bench_l4.c - what IPC, map, unmap and a pager in user space cost (vm=l4).
 *
 * The partner is a child: two spaces, one CPU.  What is sampled is one system
 * call or one touch of this process, with all that the partner does meanwhile.
 */
#include <abi/l4.h>

#include "bench.h"

#define PLACE	((char *)0x1000000000)
#define RIGHTS	(L4_FPAGE_R | L4_FPAGE_W)
#define NCHILDREN 64

static pid_t self;	/* of the parent */

static pid_t
partner(void (*fn)(void))
{
	pid_t pid;

	self = getpid();
	pid = fork();
	must(pid >= 0, "fork");
	if (pid == 0) {
		fn();
		_exit(0);
	}
	return pid;
}

static void
end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static char *
touched_page(void)
{
	char *p = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED, "mmap");
	*p = 1;
	return p;
}

/* ---- messages ---- */

static void
echo(void)
{
	struct l4_ipc m = { .from = self };

	must(l4_ipc(&m) == 0, "receive");
	for (;;) {
		m.to = m.from = self;
		m.acceptor = L4_FPAGE_ALL;
		m.mr[0] = L4_TAG(1, 4, 0);
		must(l4_ipc(&m) == 0, "reply");
	}
}

/* Call and reply, four words each way. */
static void
bench_l4_ipc_roundtrip(int n)
{
	pid_t pid = partner(echo);
	struct l4_ipc m = { 0 };
	int i, error = 0;

	for (i = 0; i < n; i++) {
		m.to = m.from = pid;
		m.mr[0] = L4_TAG(1, 4, 0);
		SAMPLE(i, error |= l4_ipc(&m));
	}
	must(error == 0, "ipc");
	end(pid);
}

/* The same with a map item of one page one way: call, map, reply. */
static void
bench_l4_map_1p(int n)
{
	pid_t pid = partner(echo);
	struct l4_ipc m = { 0 };
	char *page = touched_page();
	int i, error = 0;

	/* The first message has no window yet. */
	m.to = m.from = pid;
	m.mr[0] = L4_TAG(1, 0, 0);
	must(l4_ipc(&m) == 0, "ipc");
	for (i = 0; i < n; i++) {
		uint64_t fpage = L4_FPAGE(page, 12, RIGHTS);

		m.to = m.from = pid;
		m.mr[0] = L4_TAG(1, 0, 2);
		m.mr[1] = L4_ITEM_MAP(PLACE);
		m.mr[2] = L4_FPAGE(page, 12, RIGHTS);
		SAMPLE(i, error |= l4_ipc(&m));
		error |= l4_unmap(0, &fpage);
	}
	must(error == 0, "map");
	end(pid);
}

/* ---- unmap ---- */

/* Map @page to @n places of the partner, then sample taking it back. */
static void
sample_unmap(int i, pid_t pid, char *page, int n)
{
	uint64_t fpage = L4_FPAGE(page, 12, RIGHTS | L4_FPAGE_X);
	struct l4_ipc m = { 0 };
	int k, error = 0;

	for (k = 0; k < n; k++) {
		m.to = m.from = pid;
		m.mr[0] = L4_TAG(1, 0, 2);
		m.mr[1] = L4_ITEM_MAP(PLACE + (size_t)k * PAGE_SIZE);
		m.mr[2] = L4_FPAGE(page, 12, RIGHTS);
		error |= l4_ipc(&m);
	}
	must(error == 0, "map");
	SAMPLE(i, error = l4_unmap(0, &fpage));
	must(error == 0, "unmap");
}

static void
first_window(pid_t pid)
{
	struct l4_ipc m = { .to = pid, .from = pid };

	m.mr[0] = L4_TAG(1, 0, 0);
	must(l4_ipc(&m) == 0, "ipc");
}

static void
bench_l4_unmap_1_child(int n)
{
	pid_t pid = partner(echo);
	char *page = touched_page();
	int i;

	first_window(pid);
	for (i = 0; i < n; i++)
		sample_unmap(i, pid, page, 1);
	end(pid);
}

/* The slope: what each further child costs. */
static void
bench_l4_unmap_per_child(int n)
{
	pid_t pid = partner(echo);
	char *page = touched_page();
	uint64_t one;
	int i;

	first_window(pid);
	for (i = 0; i < n; i++) {
		sample_unmap(i, pid, page, 1);
		one = samples[i];
		sample_unmap(i, pid, page, NCHILDREN);
		samples[i] = (samples[i] - one) / (NCHILDREN - 1);
	}
	end(pid);
}

/* ---- faults ---- */

static char *pages;	/* of the pager, touched */

static void
pager(void)
{
	struct l4_ipc m = { .from = L4_ANYTHREAD };

	must(l4_ipc(&m) == 0, "receive");
	for (;;) {
		char *va = (char *)(uintptr_t)(m.mr[1] & -PAGE_SIZE);

		m.to = m.from;
		m.mr[0] = L4_TAG(0, 0, 2);
		m.mr[2] = L4_FPAGE(pages + (va - PLACE), 12, RIGHTS);
		m.mr[1] = L4_ITEM_MAP(va);
		must(l4_ipc(&m) == 0, "answer");
	}
}

static void
touch_and_serve(void)
{
	/* After the fork the first write copies: not in the samples. */
	memset(pages, 1, 256 * PAGE_SIZE);
	pager();
}

/* A write to a page that only the pager has: message, map, retry. */
static void
bench_l4_pager_fault(int n)
{
	pid_t pid;
	int i;

	must(n <= 256, "pages");
	pages = mmap(NULL, 256 * PAGE_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(pages != MAP_FAILED, "mmap");
	pid = partner(touch_and_serve);
	must(l4_set_pager(pid) == 0, "set pager");
	for (i = 0; i < n; i++)
		SAMPLE(i, *(volatile char *)(PLACE + (size_t)i * PAGE_SIZE) =
		    1);
	end(pid);
}

static const struct bench benches[] = {
	BENCH(l4_ipc_roundtrip, 500),
	BENCH(l4_map_1p, 500),
	BENCH(l4_unmap_1_child, 200),
	BENCH(l4_unmap_per_child, 50),
	BENCH(l4_pager_fault, 256),
	{ NULL, NULL, 0, NULL },
};

const struct bench *
l4_benches(void)
{
	static const struct bench none[] = { { NULL, NULL, 0, NULL } };

	return l4_set_pager(L4_NILTHREAD) == 0 ? benches : none;
}
