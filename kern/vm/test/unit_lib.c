/* SPDX-License-Identifier: MIT */
/* unit_lib.c - kern/lib: strings, formatting, lists, the red-black tree. */
#include "lib/list.h"
#include "lib/printf.h"
#include "lib/rbtree.h"
#include "lib/string.h"
#include "vm/test/unit.h"

/* Every small size and alignment, against the obvious loop. */
static void
mem_functions(void)
{
	uint8_t a[160], b[160], want[160];

	for (unsigned round = 0; round < 4000; round++) {
		size_t n = unit_random() % 100, d = unit_random() % 40,
		       s = unit_random() % 40;

		for (unsigned i = 0; i < sizeof(a); i++)
			a[i] = b[i] = want[i] = (uint8_t)unit_random();
		switch (round % 3) {
		case 0:
			for (size_t i = 0; i < n; i++)
				want[d + i] = b[s + i];
			memmove(a + d, a + s, n);
			break;
		case 1:
			for (size_t i = 0; i < n; i++)
				want[d + i] = (uint8_t)round;
			EQUAL(memset(a + d, (int)round, n), a + d);
			break;
		case 2:
			for (size_t i = 0; i < n; i++)
				want[d + i] = b[s + i];
			EQUAL(memcpy(a + d, b + s, n), a + d);
			break;
		}
		for (unsigned i = 0; i < sizeof(a); i++)
			EQUAL(a[i], want[i]);
	}
}

static int
sign(int x)
{
	return (x > 0) - (x < 0);
}

static void
comparisons(void)
{
	static const char *const words[] = { "", "a", "ab", "abc", "abd", "b",
		"\x80" };

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		for (unsigned k = 0; k < ARRAY_SIZE(words); k++) {
			size_t n = MIN(strlen(words[i]), strlen(words[k])) + 1;
			int want = (i > k) - (i < k);

			EQUAL(sign(strcmp(words[i], words[k])), want);
			EQUAL(sign(memcmp(words[i], words[k], n)), want);
			EQUAL(strncmp(words[i], words[k], 0), 0);
		}
	EQUAL(strncmp("abcd", "abce", 3), 0);
	CHECK(strncmp("abcd", "abce", 4) < 0);
	EQUAL(strnlen("abc", 2), 2);
	EQUAL(strnlen("abc", 9), 3);
	CHECK(strcmp(strchr("a=b", '='), "=b") == 0);
	CHECK(strchr("abc", 'x') == NULL);
	CHECK(*strchr("abc", '\0') == '\0');
}

static void
copies(void)
{
	char buf[4] = "zzz";

	EQUAL(strlcpy(buf, "abcdef", sizeof(buf)), 6);
	CHECK(strcmp(buf, "abc") == 0);
	EQUAL(strlcpy(buf, "", sizeof(buf)), 0);
	CHECK(buf[0] == '\0');
}

static void
numbers(void)
{
	static const struct {
		const char *s;
		bool ok;
		uint64_t v;
	} t[] = { { "0", true, 0 }, { "42", true, 42 }, { "0x1F", true, 31 },
		{ "18446744073709551615", true, UINT64_MAX }, { "", false, 0 },
		{ "-1", false, 0 }, { "12x", false, 0 }, { "0x", false, 0 },
		{ "18446744073709551616", false, 0 }, { " 1", false, 0 } };

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		uint64_t v = 0;
		bool ok = strtou64(t[i].s, &v);

		if (ok != t[i].ok || (ok && v != t[i].v))
			panic("strtou64(\"%s\") = %d, %lu", t[i].s, ok,
			    (unsigned long)v);
	}
}

#define PRINTS(want, ...)                                                    \
	do {                                                                 \
		char buf_[64];                                               \
		int n_ = snprintf(buf_, sizeof(buf_), __VA_ARGS__);          \
		if (strcmp(buf_, want) != 0 || n_ != (int)strlen(want))      \
			panic("%s:%d: \"%s\" (%d), expected \"%s\"",         \
			    __FILE__, __LINE__, buf_, n_, want);             \
	} while (0)

static void
formats(void)
{
	PRINTS("plain 100%", "plain 100%%");
	PRINTS("-7 7 2147483648", "%d %i %u", -7, 7, 2147483648u);
	PRINTS("-9223372036854775808", "%ld", INT64_MIN);
	PRINTS("18446744073709551615", "%lu", UINT64_MAX);
	PRINTS("0000beef", "%08x", 0xbeefu);
	PRINTS("[   42]", "[%5d]", 42);
	PRINTS("[42   ]", "[%-5d]", 42);
	PRINTS("[-0042]", "[%05d]", -42);
	PRINTS("[ab]", "[%.2s]", "abcd");
	PRINTS("[  abc]", "[%5s]", "abc");
	PRINTS("[abc  ]", "[%-5s]", "abc");
	PRINTS("[xy]", "[%.*s]", 2, "xyz");
	PRINTS("c", "%c", 'c');
	PRINTS("12 34", "%zu %llu", (size_t)12, 34ull);
}

static void
bounded_output(void)
{
	char buf[5] = { 'z', 'z', 'z', 'z', 'z' };
	struct buf_sink b;

	EQUAL(snprintf(buf, 4, "%d", 123456), 6);
	CHECK(strcmp(buf, "123") == 0 && buf[4] == 'z');
	EQUAL(snprintf(NULL, 0, "%s", "hello"), 5);
	/* A read at an offset: the first bytes are dropped. */
	buf_sink_init(&b, buf, sizeof(buf), 3);
	sink_printf(&b.sink, "abc%s", "defghijk");
	CHECK(memcmp(buf, "defgh", 5) == 0);
	EQUAL(b.total, 8); /* without what was dropped */
}

static void
lists(void)
{
	struct item {
		int n;
		struct list link;
	} it[6];
	struct list head = LIST_INIT(head);
	int sum = 0;

	for (int i = 0; i < 6; i++) {
		it[i].n = i;
		list_push_back(&head, &it[i].link);
	}
	LIST_FOREACH_SAFE(l, &head) {
		struct item *x = LIST_ENTRY(l, struct item, link);

		if (x->n % 2)
			list_remove(l);
	}
	list_remove(&it[1].link); /* twice is harmless */
	LIST_FOREACH(l, &head)
		sum = sum * 10 + LIST_ENTRY(l, struct item, link)->n;
	EQUAL(sum, 24);
	CHECK(list_pop_front(&head) == &it[0].link);
	list_push_front(&head, &it[5].link);
	CHECK(head.next == &it[5].link && head.prev == &it[4].link);
	while (list_pop_front(&head) != NULL)
		;
	CHECK(list_empty(&head));
}

/* A thousand random insertions and removals against a bitmap. */
static void
tree(void)
{
	static struct rb_node node[256];
	struct rb_tree t = { NULL };
	bool in[256] = { false };

	for (unsigned round = 0; round < 5000; round++) {
		unsigned k = unit_random() % 256, want = 256, n = 0;
		struct rb_node *le;

		node[k].key = k * 16;
		if (in[k])
			rb_remove(&t, &node[k]);
		else
			rb_insert(&t, &node[k]);
		in[k] = !in[k];
		CHECK(rb_check(&t));
		k = unit_random() % 4096;
		for (unsigned i = 0; i < 256; i++)
			if (in[i] && i * 16 <= k)
				want = i;
		le = rb_find_le(&t, k);
		CHECK(le == (want < 256 ? &node[want] : NULL));
		if (round % 64)
			continue;
		for (struct rb_node *x = rb_first(&t); x; x = rb_next(x)) {
			CHECK(rb_next(x) == NULL ||
			    (rb_next(x)->key > x->key &&
				rb_prev(rb_next(x)) == x));
			n++;
		}
		for (unsigned i = 0; i < 256; i++)
			n -= in[i];
		EQUAL(n, 0);
	}
}

static void
tree_check_sees(void)
{
	struct rb_node n[3] = { { .key = 1 }, { .key = 2 }, { .key = 3 } };
	struct rb_tree t = { NULL };

	for (unsigned i = 0; i < 3; i++)
		rb_insert(&t, &n[i]);
	CHECK(rb_check(&t));
	n[0].key = 9; /* out of order */
	CHECK(!rb_check(&t));
	n[0].key = 1;
	t.root->red = true;
	CHECK(!rb_check(&t));
}

const struct unit unit_lib[] = {
	{ "mem_functions", mem_functions, 0 },
	{ "comparisons", comparisons, 0 },
	{ "copies", copies, 0 },
	{ "numbers", numbers, 0 },
	{ "formats", formats, 0 },
	{ "bounded_output", bounded_output, 0 },
	{ "lists", lists, 0 },
	{ "tree", tree, 0 },
	{ "tree_check_sees", tree_check_sees, 0 },
	{ NULL, NULL, 0 },
};
