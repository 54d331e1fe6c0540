/* SPDX-License-Identifier: MIT */
/*
 * heap_pager.c - a pager in user space: a heap larger than its memory.
 *
 * The client uses a heap of NPAGES; the pager has NFRAMES pages to give, and a
 * store for the others.  It gives them read-only first, so that a write is a
 * second fault; when none is free it takes the one given longest ago back, and
 * saves it if unmap says that it was written.  Everything that a kernel does in
 * its page-out is here in a hundred lines, and if it were wrong only its
 * client would suffer.
 *
 * The client fills the heap with a pseudo-random permutation, follows it, and
 * adds up what it finds.
 */
#include "pager.h"

#define NPAGES	64
#define NFRAMES 12
#define WORDS	(PAGE_SIZE / 8)
#define NITEMS	(NPAGES * 8)	/* spread over the pages */

/* ---- the pager ---- */

static char *frames;		 /* NFRAMES pages, given to the client */
static char store[NPAGES][PAGE_SIZE];
static int frame_of[NPAGES];	 /* -1: in the store */
static int page_in[NFRAMES];	 /* -1: free */
static int hand;		 /* the frame given longest ago */
static unsigned faults, evictions, saves;

/* A frame that holds nothing any more. */
static int
free_frame(void)
{
	int f = hand, page = page_in[f];
	char *at = frames + (size_t)f * PAGE_SIZE;

	hand = (hand + 1) % NFRAMES;
	if (page < 0)
		return f;
	evictions++;
	if (take_back(at)) {
		memcpy(store[page], at, PAGE_SIZE);
		saves++;
	}
	frame_of[page] = -1;
	return f;
}

static void
serve(const struct l4_ipc *m)
{
	long page = (fault_page(m) - HEAP) / (long)PAGE_SIZE;
	unsigned long rights = L4_TAG_LABEL(m->mr[0]) & L4_FPAGE_W ?
	    RIGHTS : L4_FPAGE_R;
	int f;

	must(page >= 0 && page < NPAGES, "fault inside of the heap");
	faults++;
	f = frame_of[page];
	if (f < 0) {
		f = free_frame();
		memcpy(frames + (size_t)f * PAGE_SIZE, store[page], PAGE_SIZE);
		frame_of[page] = f;
		page_in[f] = (int)page;
	}
	/* Asking starts "written" anew, or what we wrote would count. */
	if (rights == L4_FPAGE_R)
		(void)take_back(frames + (size_t)f * PAGE_SIZE);
	must(give(m->from, frames + (size_t)f * PAGE_SIZE, fault_page(m),
	    rights), "answer");
}

/* ---- the client ---- */

/* Item @i: eight in each page, at different places. */
static uint64_t *
item(uint64_t i)
{
	return (uint64_t *)(void *)(HEAP + i / 8 * PAGE_SIZE) +
	    i % 8 * (WORDS / 8) + i % 5;
}

static int
client(void)
{
	uint64_t i, at, sum = 0;
	pid_t pager = getppid();

	must(l4_set_pager(pager) == 0, "set pager");
	/* 293 and the number of items have no common divisor: one cycle. */
	for (i = 0; i < NITEMS; i++)
		*item(i) = (i + 293) % NITEMS;
	for (i = 0, at = 0; i < NITEMS; i++, at = *item(at))
		sum += at;
	must(at == 0, "the cycle closes");
	(void)call(pager, sum);
	return 0;
}

int
main(void)
{
	struct l4_ipc m;
	pid_t pid;
	int i;

	need_l4();
	frames = mmap(NULL, NFRAMES * PAGE_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(frames != MAP_FAILED, "mmap");
	for (i = 0; i < NPAGES; i++)
		frame_of[i] = -1;
	for (i = 0; i < NFRAMES; i++)
		page_in[i] = -1;
	pid = spawn(client);
	for (await(&m, pid); is_fault(&m); await(&m, pid))
		serve(&m);
	reply(pid, 0);
	must(reap(pid) == 0, "client");
	must(m.mr[1] == (uint64_t)NITEMS * (NITEMS - 1) / 2, "sum");
	/* The second half only reads: nothing to save. */
	must(saves >= NPAGES - NFRAMES && evictions > 2 * saves, "evictions");
	printf("heap of %d pages in %d: %u faults, %u evictions, %u saved; "
	    "the sum is right\n", NPAGES, NFRAMES, faults, evictions, saves);
	return 0;
}
