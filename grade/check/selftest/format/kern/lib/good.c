/* SPDX-License-Identifier: MIT */
/* Nothing here may be reported: the freedoms that authors have. */
#define FLAG(m)		((m) & 1)
#define FLAG2(m)	(((m)&1)|2)
#define vm_for_each(x, l) for (x = (l); x; x = x->next)

enum colour { RED, GREEN };
struct item {
	struct item	*next;		/* [v] */
	int		 count;
	const char	*name;
};

static const struct item table[] = {
	{ 0,	1,	"one" },
	{ 0,	22,	"two" },
};

static int
sum(struct item *list, int (*weigh)(const struct item *),
    int start)
{
	struct item *i;
	int n = start;

	vm_for_each(i, list) {
		n += weigh(i) *
		    FLAG(i->count);
		if (n > 10 &&
		    n < 100)
			goto out;
	}
	switch (n) {
	case 0:
		return table[0].count;
	default:
		break;
	}
	__asm__ volatile("nop" : : "r"(n) : "memory");
out:
	return n > 0 ? n :
	    FLAG2(start);
}
