/* SPDX-License-Identifier: MIT */
/*
 * unit_mapdb.c - the mapping database as text: operations, expected trees.
 *
 * A case is a list of operations and the trees that must be there after them.
 * It names no structure of the database, so every variant has to give the same.
 *
 *	map FROM TO RIGHTS	FROM is a page of a space, A3, or a frame of
 *	grant, copy		sigma0, S0; an error that is expected follows,
 *				!EACCES
 *	unmap PAGE RIGHTS	from those who have it from PAGE
 *	flush PAGE RIGHTS	from PAGE too
 *
 * A tree is one line a mapping, in preorder, indented by depth; a line without
 * indentation names the frame: sigma0's root.  Rights are what the page tables
 * say.
 */
#include "lib/printf.h"
#include "lib/string.h"
#include "vm/l4/l4.h"
#include "vm/l4/mapdb.h"
#include "vm/test/unit.h"

#define NSPACES 5
#define NFRAMES 2
#define BASE	((vaddr_t)0x155500000)

static struct vmspace *sp[NSPACES];
static struct vm_page *frame[NFRAMES];
static struct tlb_gather tg;

struct golden {
	const char *name;
	const char *ops;
	const char *trees;
};

static const struct golden goldens[] = {
	{ "a chain and its siblings",
	    "map S0 A0 rwx\n"
	    "map A0 B1 rw\n"
	    "map A0 C2 r\n"
	    "map B1 D3 rwx\n"
	    "map D3 E4 r\n"
	    "map D3 D4 rw\n",
	    "S0\n"
	    " A0 rwx\n"
	    "  C2 r--\n"
	    "  B1 rw-\n"
	    "   D3 rw-\n"
	    "    D4 rw-\n"
	    "    E4 r--\n" },
	{ "before unmap",
	    "map S0 A0 rwx\n"
	    "map A0 B1 rw\n"
	    "map B1 C2 rw\n"
	    "map C2 D3 rw\n"
	    "map A0 E4 rw\n",
	    "S0\n"
	    " A0 rwx\n"
	    "  E4 rw-\n"
	    "  B1 rw-\n"
	    "   C2 rw-\n"
	    "    D3 rw-\n" },
	{ "unmap takes what is below",
	    "map S0 A0 rwx\n"
	    "map A0 B1 rw\n"
	    "map B1 C2 rw\n"
	    "map C2 D3 rw\n"
	    "map A0 E4 rw\n"
	    "unmap B1 rwx\n",
	    "S0\n"
	    " A0 rwx\n"
	    "  E4 rw-\n"
	    "  B1 rw-\n" },
	{ "flush takes the page too",
	    "map S0 A0 rwx\n"
	    "map A0 B1 rw\n"
	    "map B1 C2 rw\n"
	    "map S0 D3 rw\n"
	    "flush A0 rwx\n",
	    "S0\n"
	    " D3 rw-\n" },
	{ "less than all rights: the tree stays",
	    "map S0 A0 rwx\n"
	    "map A0 B1 rwx\n"
	    "map B1 C2 rx\n"
	    "unmap A0 w\n"
	    "flush C2 x\n",
	    "S0\n"
	    " A0 rwx\n"
	    "  B1 r-x\n"
	    "   C2 r--\n" },
	{ "the last right goes with the mapping",
	    "map S0 A0 rw\n"
	    "map A0 B1 r\n"
	    "map A0 C2 rw\n"
	    "unmap A0 r\n",
	    "S0\n"
	    " A0 rw-\n" },
	{ "grant moves the node with its children",
	    "map S0 A0 rw\n"
	    "map A0 B1 rw\n"
	    "map B1 C2 rw\n"
	    "map B1 D3 r\n"
	    "grant B1 E4 rw\n"
	    "map B1 A1 r !ENOENT\n",
	    "S0\n"
	    " A0 rw-\n"
	    "  E4 rw-\n"
	    "   D3 r--\n"
	    "   C2 rw-\n" },
	{ "grant with fewer rights",
	    "map S0 A0 rw\n"
	    "map A0 B1 rw\n"
	    "grant A0 C2 r\n",
	    "S0\n"
	    " C2 r--\n"
	    "  B1 r--\n" },
	{ "copy is a sibling",
	    "map S0 A0 rw\n"
	    "map A0 B1 rw\n"
	    "copy B1 C2 rw\n"
	    "copy A0 D3 r\n"
	    "unmap B1 rwx\n",
	    "S0\n"
	    " D3 r--\n"
	    " A0 rw-\n"
	    "  C2 rw-\n"
	    "  B1 rw-\n" },
	{ "copy and flush",
	    "map S0 A0 rw\n"
	    "map A0 B1 rw\n"
	    "copy B1 C2 rw\n"
	    "flush B1 rwx\n",
	    "S0\n"
	    " A0 rw-\n"
	    "  C2 rw-\n" },
	{ "overmapping cuts the old branch",
	    "map S0 A0 rw\n"
	    "map S1 A1 rw\n"
	    "map A0 B0 rw\n"
	    "map B0 C0 rw\n"
	    "map A1 B0 r\n",
	    "S0\n"
	    " A0 rw-\n"
	    "S1\n"
	    " A1 rw-\n"
	    "  B0 r--\n" },
	{ "the same source adds rights",
	    "map S0 A0 rwx\n"
	    "map A0 B0 r\n"
	    "map B0 C0 r\n"
	    "map A0 B0 rw\n"
	    "map A0 B0 r\n",
	    "S0\n"
	    " A0 rwx\n"
	    "  B0 rw-\n"
	    "   C0 r--\n" },
	{ "the same frame from elsewhere",
	    "map S0 A0 rw\n"
	    "map S0 B1 rw\n"
	    "map A0 C2 rw\n"
	    "map C2 D3 r\n"
	    "map B1 C2 r\n",
	    "S0\n"
	    " B1 rw-\n"
	    "  C2 r--\n"
	    " A0 rw-\n" },
	{ "nobody cuts the branch that he sits on",
	    "map S0 A0 rw\n"
	    "map A0 B1 rw\n"
	    "map B1 C2 r\n"
	    "map C2 A0 rw\n"
	    "grant C2 B1 rw\n",
	    "S0\n"
	    " A0 rw-\n"
	    "  B1 rw-\n"
	    "   C2 r--\n" },
	{ "no right that the sender lacks",
	    "map S0 A0 rw\n"
	    "map A0 B1 r\n"
	    "map B1 C2 rwx\n"
	    "copy B1 D3 rw\n"
	    "map B1 E4 w !EACCES\n",
	    "S0\n"
	    " A0 rw-\n"
	    "  D3 r--\n"
	    "  B1 r--\n"
	    "   C2 r--\n" },
	{ "a space built by two",
	    "map S0 A0 rw\n"
	    "map S1 B0 rw\n"
	    "map A0 C0 rw\n"
	    "map B0 C1 rw\n"
	    "unmap A0 rwx\n",
	    "S0\n"
	    " A0 rw-\n"
	    "S1\n"
	    " B0 rw-\n"
	    "  C1 rw-\n" },
};

/* ---- reading operations ---- */

struct place {
	struct vmspace *vs; /* NULL: sigma0 */
	vaddr_t va;	    /* or the frame's address */
};

/* The next word of the line, or ""; @p *at moves behind it. */
static void
next_word(const char **at, char *word, size_t size)
{
	size_t n = 0;

	while (**at == ' ')
		++*at;
	while (**at > ' ' && n + 1 < size)
		word[n++] = *(*at)++;
	word[n] = '\0';
}

static struct place
place_of(const char *word)
{
	unsigned n = (unsigned)(word[1] - '0');

	if (word[0] == 'S')
		return (struct place){ NULL, page_to_phys(frame[n]) };
	return (struct place){ sp[word[0] - 'A'], BASE + n * PAGE_SIZE };
}

static unsigned
rights_of(const char *word)
{
	unsigned rights = 0;

	for (; *word != '\0'; word++)
		rights |= *word == 'r' ? VM_PROT_READ :
		    *word == 'w'       ? VM_PROT_WRITE :
					 VM_PROT_EXECUTE;
	return rights;
}

static int
error_of(const char *word)
{
	return strcmp(word, "!EACCES") == 0 ? EACCES :
	    strcmp(word, "!ENOENT") == 0    ? ENOENT :
					      0;
}

static void
do_give(enum l4_how how, const char *at)
{
	char from[8], to[8], rights[8], error[8];
	struct place src, dst;

	next_word(&at, from, sizeof(from));
	next_word(&at, to, sizeof(to));
	next_word(&at, rights, sizeof(rights));
	next_word(&at, error, sizeof(error));
	src = place_of(from);
	dst = place_of(to);
	struct l4_map m = { .from = src.vs, .src = src.va, .to = dst.vs,
		.dst = dst.va, .rights = rights_of(rights), .how = how };

	EQUAL(l4_map(&m, &tg), error_of(error));
}

static void
do_take(unsigned flags, const char *at)
{
	char from[8], rights[8];
	struct place p;

	next_word(&at, from, sizeof(from));
	next_word(&at, rights, sizeof(rights));
	p = place_of(from);
	struct l4_unmap u = { .space = p.vs, .sva = p.va,
		.eva = p.va + PAGE_SIZE, .rights = rights_of(rights),
		.flags = flags };

	EQUAL(l4_unmap(&u, &tg), 0);
}

static void
do_line(const char *at)
{
	char op[8];

	next_word(&at, op, sizeof(op));
	if (strcmp(op, "map") == 0)
		do_give(L4_MAP, at);
	else if (strcmp(op, "grant") == 0)
		do_give(L4_GRANT, at);
	else if (strcmp(op, "copy") == 0)
		do_give(L4_COPY, at);
	else if (strcmp(op, "unmap") == 0)
		do_take(0, at);
	else if (strcmp(op, "flush") == 0)
		do_take(L4_UNMAP_SELF, at);
	else
		panic("no operation %s", op);
}

/* ---- printing trees ---- */

static char
letter(const struct vmspace *vs)
{
	for (unsigned i = 0; i < NSPACES; i++)
		if (sp[i] == vs)
			return (char)('A' + i);
	return '?';
}

static void
print_tree(unsigned f, struct sink *sk)
{
	struct mapdb_tree *t = mapdb_tree_of(page_to_phys(frame[f]));

	EQUAL(mapdb_check(t), 0);
	if (t->first == NULL)
		return;
	sink_printf(sk, "S%u\n", f);
	for (const struct mapnode *n = t->first; n != NULL; n = n->next) {
		struct pmap_leaf leaf;

		(void)pmap_get(n->space->pmap, mapnode_va(n), &leaf);
		for (unsigned i = 0; i < mapnode_depth(n); i++)
			sink_printf(sk, " ");
		sink_printf(sk, "%c%u %c%c%c\n", letter(n->space),
		    (unsigned)((mapnode_va(n) - BASE) >> PAGE_SHIFT),
		    leaf.bits & PMAP_R ? 'r' : '-',
		    leaf.bits & PMAP_W ? 'w' : '-',
		    leaf.bits & PMAP_X ? 'x' : '-');
	}
}

static void
run_golden(const struct golden *g)
{
	static char got[1024];
	struct buf_sink b;

	for (unsigned i = 0; i < NSPACES; i++)
		EQUAL(vmspace_create(&sp[i]), 0);
	for (unsigned i = 0; i < NFRAMES; i++)
		CHECK((frame[i] = sigma0_alloc()) != NULL);
	tlb_gather_init(&tg);
	for (const char *at = g->ops; *at != '\0'; at = strchr(at, '\n') + 1)
		do_line(at);
	buf_sink_init(&b, got, sizeof(got), 0);
	for (unsigned f = 0; f < NFRAMES; f++)
		print_tree(f, &b.sink);
	CHECK(b.total < sizeof(got));
	got[b.total] = '\0';
	if (strcmp(got, g->trees) != 0)
		panic("%s: got\n%sexpected\n%s", g->name, got, g->trees);
	tlb_gather_flush(&tg);
	for (unsigned i = 0; i < NSPACES; i++)
		vmspace_drop(sp[i]);
	for (unsigned i = 0; i < NFRAMES; i++) {
		EQUAL(frame[i]->holds, 1);
		page_drop(frame[i]);
	}
}

static void
golden_trees(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(goldens); i++)
		run_golden(&goldens[i]);
}

const struct unit unit_mapdb[] = {
	{ "golden_trees", golden_trees, 0 },
	{ NULL, NULL, 0 },
};
