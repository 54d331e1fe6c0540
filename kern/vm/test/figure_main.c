/* SPDX-License-Identifier: MIT */
/*
 * figure_main.c - a fork in the classic design, as a graph for docs/.
 *
 * usage: figures > fork.dot          (make figures)
 *
 * Runs on the host port: a parent writes two of three pages, forks, and the
 * child writes one.  After each step the regions, leaves and frames that are
 * really there become one cluster of the graph.
 */
#include "arch/host/os.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "vm/test/unit.h"

#define BASE   ((vaddr_t)0x1555555000)
#define NPAGES 3
#define RW     (VM_PROT_READ | VM_PROT_WRITE)

static paddr_t known[8]; /* frames in the order of their appearance */
static unsigned nknown;

static void __printf(1, 2)
put(const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	os_write(1, line, strlen(line));
}

/* Frames are numbered, so that the picture is the same on every machine. */
static unsigned
number_of(paddr_t pa)
{
	unsigned i = 0;

	while (i < nknown && known[i] != pa)
		i++;
	if (i == nknown)
		known[nknown++] = pa;
	return i + 1;
}

static const char *
rights(const struct pmap_leaf *leaf)
{
	if (leaf->kind == PMAP_EMPTY)
		return "empty";
	if (leaf->bits & PMAP_COW)
		return "R, COW";
	return leaf->bits & PMAP_W ? "R W" : "R";
}

/* One space: its region, and an entry for each page. */
static void
put_space(unsigned step, const char *name, struct vmspace *vs)
{
	struct vm_region_info info;
	struct pmap_leaf leaf;

	EQUAL(vm_region(vs, BASE, &info), 0);
	put("\t\t%s%u [shape=record, label=\"{%s|region: %lu pages, %s}", name,
	    step, name, (unsigned long)(info.eva - info.sva) / PAGE_SIZE,
	    info.flags & VM_MAP_SHARED ? "shared" : "private");
	for (unsigned i = 0; i < NPAGES; i++) {
		pmap_get(vs->pmap, BASE + i * PAGE_SIZE, &leaf);
		put("|<p%u>page %u: %s", i, i, rights(&leaf));
	}
	put("\"];\n");
}

static void
put_leaves(unsigned step, const char *name, struct vmspace *vs)
{
	struct pmap_leaf leaf;

	for (unsigned i = 0; i < NPAGES; i++) {
		unsigned frame;

		if (pmap_get(vs->pmap, BASE + i * PAGE_SIZE, &leaf) !=
		    PMAP_LEAF)
			continue;
		frame = number_of(leaf.pa);
		put("\t\tf%u_%u [label=\"frame %u\\nrefs %u\", "
		    "style=filled, fillcolor=\"%s\"];\n",
		    step, frame, frame,
		    (unsigned)phys_to_page(leaf.pa)->refs,
		    phys_to_page(leaf.pa)->refs > 1 ? "#fde9c9" : "#d9ead3");
		put("\t\t%s%u:p%u -> f%u_%u;\n", name, step, i, step, frame);
	}
}

static void
put_step(unsigned step, const char *title, struct vmspace *parent,
    struct vmspace *child)
{
	put("\tsubgraph cluster%u {\n\t\tlabel=\"%s\";\n", step, title);
	put_space(step, "parent", parent);
	put_leaves(step, "parent", parent);
	if (child != NULL) {
		put_space(step, "child", child);
		put_leaves(step, "child", child);
	}
	put("\t}\n");
}

int
main(void)
{
	struct vm_mapreq rq = { .va = BASE, .size = NPAGES * PAGE_SIZE,
		.prot = RW, .maxprot = VM_PROT_ALL, .flags = VM_MAP_FIXED };
	struct vmspace *parent, *child;
	struct host_options o = host_defaults;
	vaddr_t va;

	o.ncpu = 1;
	host_boot(&o);
	EQUAL(vmspace_create(&parent), 0);
	EQUAL(vm_map(parent, &rq, &va), 0);
	EQUAL(host_write(parent, BASE, 1), 0);
	EQUAL(host_write(parent, BASE + PAGE_SIZE, 2), 0);
	put("digraph fork {\n\trankdir=LR;\n");
	put_step(1, "1. the parent has written pages 0 and 1", parent, NULL);
	EQUAL(vmspace_fork(parent, &child), 0);
	put_step(2, "2. fork", parent, child);
	EQUAL(host_write(child, BASE + PAGE_SIZE, 3), 0);
	put_step(3, "3. the child has written page 1: a copy", parent, child);
	EQUAL(host_write(parent, BASE + PAGE_SIZE, 4), 0);
	put_step(4, "4. the parent has written page 1: the last owner", parent,
	    child);
	put("}\n");
	return 0;
}
