/* SPDX-License-Identifier: MIT */
/*
 * unit_l4.c - flexpages, the mapping database, and the L4 primitives.
 *
 * Trees are compared as text: a list of operations and the dump that every
 * variant of the database must give.  Letters are spaces, S is sigma0's root
 * and not printed; each level of depth is one space of indentation.
 */
#include "lib/printf.h"
#include "lib/string.h"
#include "mem/failpoint.h"
#include "vm/l4/fpage.h"
#include "vm/l4/l4.h"
#include "vm/l4/mapdb.h"
#include "vm/l4/root_pager.h"
#include "vm/test/unit.h"

/* ---- flexpages ---- */

static void
fpage_encoding(void)
{
	uint64_t f = fpage_make(0x40000, 14, VM_PROT_READ | VM_PROT_EXECUTE);

	EQUAL(f, L4_FPAGE(0x40000, 14, L4_FPAGE_R | L4_FPAGE_X));
	EQUAL(fpage_base(f), 0x40000);
	EQUAL(fpage_size_log2(f), 14);
	EQUAL(fpage_prot(f), VM_PROT_READ | VM_PROT_EXECUTE);
	EQUAL(fpage_prot(fpage_make(0, 12, VM_PROT_WRITE)), VM_PROT_WRITE);
	EQUAL(fpage_size_log2(L4_FPAGE_ALL), 64);
	CHECK(fpage_valid(L4_FPAGE_ALL) && !fpage_is_nil(L4_FPAGE_ALL));
	CHECK(fpage_is_nil(L4_FPAGE_NIL) && !fpage_valid(L4_FPAGE_NIL));
	CHECK(fpage_valid(f));
	CHECK(!fpage_valid(f | 8));
	CHECK(!fpage_valid(fpage_make(0x41000, 14, 7)));     /* unaligned */
	CHECK(!fpage_valid(fpage_make(0x40000, 11, 7)));     /* no page */
	CHECK(!fpage_valid(fpage_make(USER_MAX, 12, 7)));
	CHECK(fpage_valid(fpage_make(USER_MAX - PAGE_SIZE, 12, 7)));
	CHECK(!fpage_valid(fpage_make(0, 60, 7)));
}

/* By search: of the parts of the larger one, that with the hot spot, which is
 * brought into it by steps of its size. */
static vaddr_t
brute_part(vaddr_t base, unsigned large, unsigned small, vaddr_t hot_spot)
{
	vaddr_t size = (vaddr_t)1 << large, part = (vaddr_t)1 << small;

	while (hot_spot >= size)
		hot_spot -= size;
	for (vaddr_t va = base; va < base + size; va += part)
		if (va <= base + hot_spot && base + hot_spot < va + part)
			return va;
	panic("no part has the hot spot");
}

/* All sizes up to 2^6 pages, all places and hot spots over two of the largest
 * size. */
static void
fpage_select_exhaustive(void)
{
	const vaddr_t span = (vaddr_t)2 << 18;

	for (unsigned s = 12; s <= 18; s++)
		for (unsigned w = 12; w <= 18; w++)
			for (vaddr_t at = 0; at < span;
			     at += (vaddr_t)1 << MAX(s, w))
				for (vaddr_t hot = 0; hot < span;
				     hot += PAGE_SIZE) {
					vaddr_t sb = span +
					    ROUND_DOWN(at, (vaddr_t)1 << s);
					vaddr_t wb = 2 * span +
					    ROUND_DOWN(at, (vaddr_t)1 << w);
					unsigned n = MIN(s, w);
					struct fpage_match m;

					EQUAL(fpage_select(fpage_make(sb, s, 7),
						  hot, fpage_make(wb, w, 7),
						  &m), 0);
					EQUAL(m.size_log2, n);
					EQUAL(m.src, brute_part(sb, s, n, hot));
					EQUAL(m.dst, brute_part(wb, w, n, hot));
				}
}

static void
fpage_select_ends(void)
{
	struct fpage_match m;

	EQUAL(fpage_select(fpage_make(0x8000, 13, 7), 0x123456, L4_FPAGE_ALL,
		  &m), 0);
	EQUAL(m.size_log2, 13);
	EQUAL(m.src, 0x8000);
	EQUAL(m.dst, 0x122000);
	EQUAL(fpage_select(L4_FPAGE_NIL, 0, L4_FPAGE_ALL, &m), EINVAL);
	EQUAL(fpage_select(L4_FPAGE_ALL, 0, L4_FPAGE_NIL, &m), EINVAL);
}

/* ---- a few spaces ---- */

#define NSPACES 6
#define BASE	((vaddr_t)0x155500000)
#define ALL	VM_PROT_ALL
#define RW	(VM_PROT_READ | VM_PROT_WRITE)
#define RO	VM_PROT_READ

static struct vmspace *sp[NSPACES];
static struct tlb_gather tg;
static struct vm_page *frame[8]; /* sigma0 keeps a reference of each */

static vaddr_t
page(unsigned i)
{
	return BASE + i * PAGE_SIZE;
}

static char
letter(const struct vmspace *vs)
{
	for (unsigned i = 0; i < NSPACES; i++)
		if (sp[i] == vs)
			return (char)('A' + i);
	return '?';
}

static void
start(void)
{
	for (unsigned i = 0; i < NSPACES; i++)
		EQUAL(vmspace_create(&sp[i]), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(frame); i++)
		CHECK((frame[i] = sigma0_alloc()) != NULL);
	tlb_gather_init(&tg);
}

static void
sound(void)
{
	for (unsigned i = 0; i < NSPACES; i++) {
		EQUAL(sp[i]->ops->check(sp[i]), 0);
		EQUAL(pmap_check(sp[i]->pmap), 0);
	}
}

/* Nothing is left: spaces, nodes, frames. */
static void
finish(void)
{
	tlb_gather_flush(&tg);
	sound();
	for (unsigned i = 0; i < NSPACES; i++)
		vmspace_drop(sp[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(frame); i++) {
		CHECK(mapdb_tree_of(page_to_phys(frame[i]))->first == NULL);
		EQUAL(frame[i]->holds, 1);
		page_drop(frame[i]);
	}
}

/* X: sigma0 maps frame @p f to page @p at of space @p s. */
static int
from_sigma0(unsigned f, unsigned s, unsigned at, unsigned rights)
{
	struct l4_map m = { .to = sp[s], .src = page_to_phys(frame[f]),
		.dst = page(at), .rights = rights, .how = L4_MAP };

	return l4_map(&m, &tg);
}

static int
give(enum l4_how how, unsigned a, unsigned from, unsigned b, unsigned to,
    unsigned rights)
{
	struct l4_map m = { .from = sp[a], .to = sp[b], .src = page(from),
		.dst = page(to), .rights = rights, .how = how };

	return l4_map(&m, &tg);
}

static unsigned
take(unsigned s, unsigned at, unsigned rights, unsigned flags)
{
	struct l4_unmap u = { .space = sp[s], .sva = page(at),
		.eva = page(at + 1), .rights = rights, .flags = flags };

	EQUAL(l4_unmap(&u, &tg), 0);
	return u.status;
}

static unsigned
rights_at(unsigned s, unsigned at)
{
	struct pmap_leaf leaf;

	return pmap_get(sp[s]->pmap, page(at), &leaf) == PMAP_LEAF ?
	    leaf.bits & PMAP_RWX :
	    0;
}

/* The dump, with page numbers instead of addresses. */
#define TREE(f, want) expect_tree(__LINE__, f, want)

static void
expect_tree(int line, unsigned f, const char *want)
{
	struct mapdb_tree *t = mapdb_tree_of(page_to_phys(frame[f]));
	struct buf_sink b;
	char got[512];
	size_t n = 0;

	EQUAL(mapdb_check(t), 0);
	buf_sink_init(&b, got, sizeof(got), 0);
	for (const struct mapnode *m = t->first; m != NULL; m = m->next)
		sink_printf(&b.sink, "%s%c%u.%u", n++ ? " " : "",
		    letter(m->space), (unsigned)((mapnode_va(m) - BASE) >>
			PAGE_SHIFT), mapnode_depth(m));
	got[MIN(b.total, sizeof(got) - 1)] = '\0';
	if (strcmp(got, want) != 0)
		panic("line %d: tree of frame %u is \"%s\", expected \"%s\"",
		    line, f, got, want);
	sound();
}

/* ---- golden trees: "letter page . depth" in preorder ---- */

static void
tree_of_maps(void)
{
	start();
	TREE(0, "");
	EQUAL(from_sigma0(0, 0, 0, ALL), 0);
	TREE(0, "A0.1");
	EQUAL(give(L4_MAP, 0, 0, 1, 1, ALL), 0);
	EQUAL(give(L4_MAP, 0, 0, 2, 2, ALL), 0);
	TREE(0, "A0.1 C2.2 B1.2");
	EQUAL(give(L4_MAP, 1, 1, 3, 3, ALL), 0);
	EQUAL(give(L4_MAP, 3, 3, 4, 4, ALL), 0);
	EQUAL(give(L4_MAP, 0, 0, 0, 7, ALL), 0); /* to oneself */
	TREE(0, "A0.1 A7.2 C2.2 B1.2 D3.3 E4.4");
	EQUAL(frame[0]->refs, 7);
	(void)take(1, 1, ALL, 0); /* others only */
	TREE(0, "A0.1 A7.2 C2.2 B1.2");
	EQUAL(rights_at(3, 3), 0);
	EQUAL(rights_at(4, 4), 0);
	EQUAL(rights_at(2, 2) & RO, RO);
	(void)take(0, 0, ALL, L4_UNMAP_SELF);
	TREE(0, "");
	finish();
}

static void
tree_of_grants(void)
{
	start();
	EQUAL(from_sigma0(0, 0, 0, ALL), 0);
	EQUAL(give(L4_MAP, 0, 0, 1, 1, ALL), 0);
	EQUAL(give(L4_MAP, 1, 1, 2, 2, ALL), 0);
	EQUAL(give(L4_GRANT, 1, 1, 3, 5, ALL), 0);
	TREE(0, "A0.1 D5.2 C2.3");
	EQUAL(rights_at(1, 1), 0); /* the granter loses access */
	CHECK(rights_at(3, 5) == pmap_rights(ALL));
	EQUAL(give(L4_GRANT, 1, 1, 4, 4, ALL), ENOENT);
	/* Less is granted: the children lose it too. */
	EQUAL(give(L4_GRANT, 3, 5, 4, 4, RO), 0);
	TREE(0, "A0.1 E4.2 C2.3");
	EQUAL(rights_at(4, 4), RO);
	EQUAL(rights_at(2, 2), RO);
	/* An ancestor still revokes. */
	(void)take(0, 0, ALL, 0);
	TREE(0, "A0.1");
	finish();
}

/* The granter's translation lives until the flush; so must the frame, even if
 * the receiver lets go at once. */
static void
grant_waits_for_flush(void)
{
	struct tlb_gather other;

	start();
	EQUAL(from_sigma0(0, 0, 0, ALL), 0);
	EQUAL(give(L4_GRANT, 0, 0, 1, 1, ALL), 0);
	tlb_gather_init(&other);
	EQUAL(l4_unmap_frame(frame[0], ALL, 0, NULL, &other), 0);
	tlb_gather_flush(&other);
	EQUAL(frame[0]->refs, 2); /* ours, and that of the granter's gather */
	tlb_gather_flush(&tg);
	EQUAL(frame[0]->refs, 1);
	finish();
}

/* What is unmapped below a mapping, or replaced by another one, is translated
 * until the flush; sigma0's reference here is one more. */
static void
unmap_waits_for_flush(void)
{
	start();
	EQUAL(from_sigma0(0, 0, 0, ALL), 0);
	EQUAL(give(L4_MAP, 0, 0, 1, 1, ALL), 0);
	EQUAL(give(L4_MAP, 1, 1, 2, 2, ALL), 0);
	tlb_gather_flush(&tg);
	(void)take(0, 0, ALL, L4_UNMAP_SELF);
	EQUAL(frame[0]->refs, 2);
	tlb_gather_flush(&tg);
	EQUAL(frame[0]->refs, 1);
	EQUAL(from_sigma0(1, 0, 0, ALL), 0);
	EQUAL(from_sigma0(2, 0, 0, ALL), 0);
	EQUAL(frame[1]->refs, 2);
	tlb_gather_flush(&tg);
	EQUAL(frame[1]->refs, 1);
	finish();
}

static void
tree_of_copies(void)
{
	start();
	EQUAL(from_sigma0(0, 0, 0, RW), 0);
	EQUAL(give(L4_MAP, 0, 0, 1, 1, RW), 0);
	EQUAL(give(L4_COPY, 1, 1, 2, 2, RW), 0);
	TREE(0, "A0.1 C2.2 B1.2");
	/* The copier cannot revoke it; copy and flush leaves the copy alone. */
	(void)take(1, 1, ALL, L4_UNMAP_SELF);
	TREE(0, "A0.1 C2.2");
	EQUAL(rights_at(2, 2), RW);
	EQUAL(give(L4_COPY, 0, 0, 3, 3, RW), 0);
	TREE(0, "D3.1 A0.1 C2.2");
	(void)take(0, 0, ALL, L4_UNMAP_SELF);
	TREE(0, "D3.1");
	finish();
}

/* A space that two others build: each revokes its own. */
static void
construction(void)
{
	start();
	EQUAL(from_sigma0(0, 0, 0, RW), 0);
	EQUAL(from_sigma0(1, 1, 0, RW), 0);
	EQUAL(give(L4_MAP, 0, 0, 2, 0, RW), 0);
	EQUAL(give(L4_MAP, 1, 0, 2, 1, RW), 0);
	(void)take(0, 0, ALL, 0);
	EQUAL(rights_at(2, 0), 0);
	EQUAL(rights_at(2, 1), RW);
	(void)take(1, 0, ALL, 0);
	EQUAL(rights_at(2, 1), 0);
	finish();
}

/* ---- overmapping ---- */

static void
overmap(void)
{
	uint64_t edits;

	start();
	EQUAL(from_sigma0(0, 0, 0, RW), 0);
	EQUAL(from_sigma0(1, 0, 1, RW), 0);
	EQUAL(give(L4_MAP, 0, 0, 1, 0, RO), 0);
	EQUAL(give(L4_MAP, 1, 0, 2, 0, RO), 0);
	/* Another frame: the old one goes first, with what came from it. */
	EQUAL(give(L4_MAP, 0, 1, 1, 0, RW), 0);
	TREE(0, "A0.1");
	TREE(1, "A1.1 B0.2");
	EQUAL(rights_at(2, 0), 0);
	/* Same source, same target: rights are added, the tree stays. */
	EQUAL(give(L4_MAP, 0, 0, 3, 3, RO), 0);
	EQUAL(give(L4_MAP, 3, 3, 4, 4, RO), 0);
	edits = mapdb_edits();
	EQUAL(give(L4_MAP, 0, 0, 3, 3, RW), 0);
	EQUAL(mapdb_edits(), edits);
	EQUAL(rights_at(3, 3), RW);
	EQUAL(give(L4_MAP, 0, 0, 3, 3, RO), 0); /* and none taken */
	EQUAL(rights_at(3, 3), RW);
	TREE(0, "A0.1 D3.2 E4.3");
	/* The same frame from elsewhere: the old mapping goes. */
	EQUAL(from_sigma0(0, 5, 5, RW), 0);
	EQUAL(give(L4_MAP, 5, 5, 3, 3, RO), 0);
	TREE(0, "F5.1 D3.2 A0.1");
	CHECK(mapdb_edits() != edits);
	finish();
}

/* What came from a page is never mapped over it: that would cut the branch. */
static void
overmap_of_ancestor(void)
{
	start();
	EQUAL(from_sigma0(0, 0, 0, RW), 0);
	EQUAL(give(L4_MAP, 0, 0, 1, 1, RW), 0);
	EQUAL(give(L4_MAP, 1, 1, 2, 2, RO), 0);
	EQUAL(give(L4_MAP, 2, 2, 0, 0, RW), 0);
	EQUAL(give(L4_GRANT, 2, 2, 1, 1, RW), 0);
	EQUAL(give(L4_MAP, 1, 1, 1, 1, RW), 0); /* on itself */
	TREE(0, "A0.1 B1.2 C2.3");
	EQUAL(rights_at(0, 0), RW);
	/* Grant over what came from it. */
	EQUAL(give(L4_GRANT, 0, 0, 2, 2, RO), 0);
	TREE(0, "C2.1 B1.2");
	finish();
}

/* ---- rights ---- */

/* L1: the new right is the item's and the sender's.  A well-known kernel
 * forgets the second on this very path. */
static void
no_elevation(void)
{
	start();
	EQUAL(from_sigma0(0, 0, 0, RW), 0);
	EQUAL(give(L4_MAP, 0, 0, 1, 1, RO), 0);
	EQUAL(give(L4_MAP, 1, 1, 2, 2, RW), 0);
	EQUAL(rights_at(2, 2), RO);
	EQUAL(give(L4_MAP, 1, 1, 2, 2, RW), 0); /* fast overmap */
	EQUAL(rights_at(2, 2), RO);
	EQUAL(give(L4_COPY, 1, 1, 3, 3, RW), 0);
	EQUAL(rights_at(3, 3), RO);
	EQUAL(give(L4_GRANT, 1, 1, 4, 4, RW), 0);
	EQUAL(rights_at(4, 4), RO);
	EQUAL(give(L4_MAP, 4, 4, 5, 5, VM_PROT_WRITE), EACCES);
	finish();
}

static void
partial_rights(void)
{
	uint64_t v;

	start();
	EQUAL(from_sigma0(0, 0, 0, RW), 0);
	EQUAL(give(L4_MAP, 0, 0, 1, 1, RW), 0);
	EQUAL(give(L4_MAP, 1, 1, 2, 2, RW), 0);
	host_load(sp[2]);
	struct host_op w = { .va = page(2), .access = VM_PROT_WRITE,
		.width = HOST_WORD, .value = 7 };

	EQUAL(host_try(&w), 0);
	/* Asked from above, about everything below. */
	EQUAL(take(0, 0, 0, 0) & L4_WRITTEN, L4_WRITTEN);
	EQUAL(take(0, 0, VM_PROT_WRITE, 0) & L4_WRITTEN, L4_WRITTEN);
	tlb_gather_flush(&tg);
	EQUAL(rights_at(0, 0), RW);
	EQUAL(rights_at(1, 1), RO);
	EQUAL(rights_at(2, 2), RO);
	EQUAL(host_try(&w), EAGAIN);
	struct host_op r = { .va = page(2), .access = VM_PROT_READ,
		.width = HOST_WORD };

	EQUAL(host_try(&r), 0);
	EQUAL(r.value, 7);
	/* Since the last time: nothing written. */
	(void)take(2, 2, 0, L4_UNMAP_SELF | L4_UNMAP_RESET);
	tlb_gather_flush(&tg);
	EQUAL(take(2, 2, 0, L4_UNMAP_SELF) & L4_WRITTEN, 0);
	CHECK(frame[0]->flags & PG_DIRTY); /* the frame remembers */
	v = *(uint64_t *)page_to_virt(frame[0]);
	EQUAL(v, 7);
	host_load(NULL);
	finish();
}

/* Asking starts anew for everybody, the asking space included: a pager that
 * filled a page itself must not take it for written by its client. */
static void
reset_is_for_all(void)
{
	struct host_op w = { .va = page(0), .access = VM_PROT_WRITE,
		.width = HOST_WORD, .value = 7 };

	start();
	EQUAL(from_sigma0(0, 0, 0, RW), 0);
	host_load(sp[0]);
	for (unsigned child = 0; child < 2; child++) {
		EQUAL(host_try(&w), 0);
		EQUAL(take(0, 0, ALL, L4_UNMAP_RESET) & L4_WRITTEN,
		    L4_WRITTEN);
		tlb_gather_flush(&tg);
		EQUAL(rights_at(0, 0), RW);
		EQUAL(take(0, 0, ALL, L4_UNMAP_RESET) &
			(L4_WRITTEN | L4_REFERENCED), 0);
		/* Again with a child, which is another way. */
		EQUAL(give(L4_MAP, 0, 0, 1, 1, RW), 0);
	}
	host_load(NULL);
	finish();
}

/* ---- bounds ---- */

static void
depth_is_bounded(void)
{
	int error = 0;
	unsigned n = 1;

	start();
	EQUAL(from_sigma0(0, 0, 0, RW), 0);
	for (; error == 0; n++) /* to and fro between two spaces */
		error = give(L4_MAP, n % 2 ? 0 : 1, n - 1, n % 2, n, RW);
	EQUAL(error, EMLINK);
	EQUAL(n - 1, MAPDB_DEPTH_MAX);
	sound();
	EQUAL(give(L4_MAP, 0, 0, 2, 0, RW), 0); /* others are not affected */
	(void)take(0, 0, ALL, L4_UNMAP_SELF);
	finish();
}

static void
nodes_are_bounded(void)
{
	start();
	EQUAL(from_sigma0(0, 0, 0, RW), 0);
	l4_of(sp[1])->max_nodes = 2;
	EQUAL(give(L4_MAP, 0, 0, 1, 0, RW), 0);
	EQUAL(give(L4_MAP, 0, 0, 1, 1, RW), 0);
	EQUAL(give(L4_MAP, 0, 0, 1, 2, RW), EMLINK);
	EQUAL(give(L4_COPY, 0, 0, 1, 2, RW), EMLINK);
	EQUAL(give(L4_GRANT, 0, 0, 1, 2, RW), EMLINK);
	TREE(0, "A0.1 B1.2 B0.2");
	(void)take(1, 1, ALL, L4_UNMAP_SELF);
	EQUAL(give(L4_MAP, 0, 0, 1, 2, RW), 0);
	EQUAL(l4_of(sp[1])->nnodes, 2);
	finish();
}

/* Each allocation of a map fails once; nothing changes. */
static void
memory_runs_out(void)
{
	start();
	EQUAL(from_sigma0(0, 0, 0, RW), 0);
	for (unsigned n = 1;; n++) {
		int error;

		fail_arm(n, NULL);
		error = give(n % 2 ? L4_MAP : L4_GRANT, 0, 0, 1, 512 * n, RW);
		fail_arm(0, NULL);
		sound();
		if (error == 0)
			break;
		EQUAL(error, ENOMEM);
		TREE(0, "A0.1");
		EQUAL(rights_at(0, 0), RW);
		CHECK(n < 20);
	}
	finish();
}

/* Each map takes the same time; one unmap takes them all. */
static void
ten_thousand_children(void)
{
	const unsigned n = 10000;

	start();
	EQUAL(from_sigma0(0, 0, 0, RW), 0);
	for (unsigned i = 1; i <= n; i++)
		EQUAL(give(L4_MAP, 0, 0, 1 + i % 5, i, RW), 0);
	EQUAL(frame[0]->refs, n + 2);
	(void)take(0, 0, VM_PROT_WRITE, 0);
	for (unsigned i = 1; i <= n; i += 77)
		EQUAL(rights_at(1 + i % 5, i), RO);
	(void)take(0, 0, ALL, 0);
	TREE(0, "A0.1");
	tlb_gather_flush(&tg);
	EQUAL(frame[0]->refs, 2);
	finish();
}

/* One unmap over more spaces than a gather has ranges. */
static void
many_spaces_in_one_gather(void)
{
	struct host_op op = { .access = VM_PROT_READ, .width = HOST_WORD };

	start();
	EQUAL(from_sigma0(0, 0, 0, RW), 0);
	for (unsigned s = 1; s < NSPACES; s++) {
		EQUAL(give(L4_MAP, s - 1, s - 1, s, s, RW), 0);
		host_switch_cpu(s % ncpu);
		host_load(sp[s]);
		op.va = page(s);
		EQUAL(host_try(&op), 0);
	}
	host_switch_cpu(0);
	(void)take(0, 0, ALL, 0);
	TREE(0, "A0.1");
	tlb_gather_flush(&tg);
	for (unsigned s = 1; s < NSPACES; s++) {
		host_switch_cpu(s % ncpu);
		host_load(sp[s]);
		op.va = page(s);
		EQUAL(host_try(&op), EAGAIN);
		host_load(NULL);
	}
	host_switch_cpu(0);
	finish();
}

/* ---- sigma0 ---- */

static void
sigma0_once(void)
{
	struct vm_page *a, *b;

	start();
	EQUAL(from_sigma0(0, 0, 0, RW), 0);
	/* While anybody has it, it is not handed out again. */
	page_drop(frame[0]);
	for (unsigned i = 0; i < 200; i++) {
		a = sigma0_alloc();
		b = sigma0_alloc();
		CHECK(a != frame[0] && b != frame[0] && a != b);
		page_drop(a);
		page_drop(b);
	}
	page_hold(frame[0]);
	finish();
}

/* ---- random flow of rights against a small model ---- */

#define FLOW_PAGES 4 /* of each space */
#define FLOW_FRAMES 3

/* What one page of a space is in the model. */
struct flow {
	int frame;  /* -1: nothing */
	int parent; /* place, or -1: sigma0 */
	unsigned rights;
};

static struct flow flow[NSPACES * FLOW_PAGES];

static bool
flow_above(int a, int p)
{
	while (p >= 0 && p != a)
		p = flow[p].parent;
	return p == a;
}

static void
flow_take(int p, unsigned rights, bool self)
{
	for (int c = 0; c < NSPACES * FLOW_PAGES; c++)
		if (flow[c].frame >= 0 && flow[c].parent == p)
			flow_take(c, rights, true);
	if (!self)
		return;
	flow[p].rights &= ~rights;
	if (flow[p].rights == 0)
		flow[p].frame = -1;
}

static void
flow_give(enum l4_how how, int s, int d, unsigned rights)
{
	struct flow *src = &flow[s], *dst = &flow[d];
	int parent = how == L4_COPY ? src->parent : s, f = src->frame;

	rights &= src->rights;
	if (f < 0 || rights == 0)
		return;
	/* Machines without W alone. */
	rights = pmap_rights(rights);
	if (dst->frame == f && flow_above(d, s))
		return;
	if (dst->frame == f && dst->parent == parent && how != L4_GRANT) {
		dst->rights |= rights;
		return;
	}
	if (dst->frame >= 0)
		flow_take(d, ALL, true);
	if (how == L4_GRANT) {
		flow_take(s, ALL & ~rights, false);
		for (int c = 0; c < NSPACES * FLOW_PAGES; c++)
			if (flow[c].frame >= 0 && flow[c].parent == s)
				flow[c].parent = d;
		parent = src->parent;
		src->frame = -1;
	}
	*dst = (struct flow){ f, parent, rights };
}

static void
flow_compare(void)
{
	for (int p = 0; p < NSPACES * FLOW_PAGES; p++) {
		unsigned s = (unsigned)p / FLOW_PAGES;
		struct pmap_leaf leaf;
		bool there = pmap_get(sp[s]->pmap, page(p % FLOW_PAGES),
		    &leaf) == PMAP_LEAF;

		EQUAL(there, flow[p].frame >= 0);
		if (!there)
			continue;
		EQUAL(leaf.pa, page_to_phys(frame[flow[p].frame]));
		EQUAL(leaf.bits & PMAP_RWX, flow[p].rights);
		EQUAL(flow[p].rights & ~(flow[p].parent < 0 ? ALL :
			  flow[flow[p].parent].rights), 0);
	}
}

static void
flow_step(void)
{
	static const unsigned rights[] = { RO, RW, ALL,
		VM_PROT_READ | VM_PROT_EXECUTE };
	uint64_t r = unit_random();
	int s = (int)(r % (NSPACES * FLOW_PAGES)), d;
	unsigned ss = (unsigned)s / FLOW_PAGES, sa = (unsigned)s % FLOW_PAGES;
	unsigned want = rights[r >> 16 & 3];

	d = (int)((r >> 24) % (NSPACES * FLOW_PAGES));
	switch (r >> 40 & 7) {
	case 0: /* sigma0 */
		d = (int)((r >> 44) % FLOW_FRAMES);
		(void)from_sigma0((unsigned)d, ss, sa, want);
		if (flow[s].frame == d && flow[s].parent < 0) {
			flow[s].rights |= pmap_rights(want);
			break;
		}
		if (flow[s].frame >= 0)
			flow_take(s, ALL, true);
		flow[s] = (struct flow){ d, -1, pmap_rights(want) };
		break;
	case 1:
	case 2: /* take */
		want = r >> 50 & 1 ? ALL : VM_PROT_WRITE;
		(void)take(ss, sa, want, r >> 51 & 1 ? L4_UNMAP_SELF : 0);
		if (flow[s].frame >= 0)
			flow_take(s, want, r >> 51 & 1);
		break;
	default: {
		enum l4_how how = (r >> 40 & 7) == 3 ? L4_GRANT :
		    (r >> 40 & 7) == 4		     ? L4_COPY :
						       L4_MAP;

		(void)give(how, ss, sa, (unsigned)d / FLOW_PAGES,
		    (unsigned)d % FLOW_PAGES, want);
		flow_give(how, s, d, want);
		break;
	}
	}
}

/* L14: after each step every right is inside its parent's, and the tables say
 * exactly what the model says. */
static void
random_flow(void)
{
	start();
	for (int p = 0; p < NSPACES * FLOW_PAGES; p++)
		flow[p].frame = -1;
	for (unsigned i = 0; i < 20000; i++) {
		flow_step();
		flow_compare();
		if (i % 8 == 0)
			tlb_gather_flush(&tg);
		if (i % 64 == 0)
			sound();
	}
	finish();
}

const struct unit unit_l4[] = {
	{ "fpage_encoding", fpage_encoding, 0 },
	{ "fpage_select_exhaustive", fpage_select_exhaustive, 0 },
	{ "fpage_select_ends", fpage_select_ends, 0 },
	{ "tree_of_maps", tree_of_maps, 0 },
	{ "tree_of_grants", tree_of_grants, 0 },
	{ "grant_waits_for_flush", grant_waits_for_flush, 0 },
	{ "unmap_waits_for_flush", unmap_waits_for_flush, 0 },
	{ "tree_of_copies", tree_of_copies, 0 },
	{ "construction", construction, 0 },
	{ "overmap", overmap, 0 },
	{ "overmap_of_ancestor", overmap_of_ancestor, 0 },
	{ "no_elevation", no_elevation, 0 },
	{ "partial_rights", partial_rights, 0 },
	{ "reset_is_for_all", reset_is_for_all, 0 },
	{ "depth_is_bounded", depth_is_bounded, 0 },
	{ "nodes_are_bounded", nodes_are_bounded, 0 },
	{ "memory_runs_out", memory_runs_out, 0 },
	{ "ten_thousand_children", ten_thousand_children, 0 },
	{ "many_spaces_in_one_gather", many_spaces_in_one_gather, 0 },
	{ "sigma0_once", sigma0_once, 0 },
	{ "random_flow", random_flow, 0 },
	{ NULL, NULL, 0 },
};
