/* SPDX-License-Identifier: MIT */
/*
 * fold.c - fold QEMU's log of executed instructions into operations.
 *
 * usage: fold SYMBOLS MINIMUM < log      (grade/trace.py runs it)
 * SYMBOLS is the output of nm; the log has one line an instruction, made with
 * -singlestep -d exec,nochain.  Everything between two user instructions is
 * one operation of the kernel.  Operations that begin at the same user
 * instruction and have the same length are one row, printed when it was seen
 * at least MINIMUM times, with the instructions of each kernel function.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOLS_MAX 8192
#define ROWS_MAX    4096
#define NAME_MAX_   64

static struct symbol {
	uint64_t addr;
	char name[NAME_MAX_];
} symbols[SYMBOLS_MAX];
static int nsymbols;

static struct row {
	uint64_t user_pc;
	long length, seen;
	long *count; /* by symbol, of the first one seen */
} rows[ROWS_MAX];
static int nrows;

static long current[SYMBOLS_MAX];
static const long *sort_key;

static int
by_addr(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static int
by_count(const void *a, const void *b)
{
	long x = sort_key[*(const int *)a], y = sort_key[*(const int *)b];

	return x < y ? 1 : x > y ? -1 : 0;
}

static void
read_symbols(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[512];

	if (f == NULL) {
		perror(path);
		exit(2);
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		struct symbol *s = &symbols[nsymbols];
		char type;

		if (nsymbols < SYMBOLS_MAX &&
		    sscanf(line, "%" SCNx64 " %c %63s", &s->addr, &type,
			s->name) == 3 &&
		    (type == 't' || type == 'T') && s->name[0] != '.' &&
		    s->name[0] != '$')
			nsymbols++;
	}
	fclose(f);
	qsort(symbols, (size_t)nsymbols, sizeof(symbols[0]), by_addr);
}

/* The last symbol at or below @p pc; 0 for the firmware. */
static int
symbol_of(uint64_t pc)
{
	int lo = 0, hi = nsymbols - 1, best = 0;

	while (lo <= hi) {
		int mid = (lo + hi) / 2;

		if (symbols[mid].addr <= pc) {
			best = mid;
			lo = mid + 1;
		} else {
			hi = mid - 1;
		}
	}
	return best;
}

static void
end_operation(uint64_t user_pc, long length)
{
	int i;

	for (i = 0; i < nrows; i++)
		if (rows[i].user_pc == user_pc && rows[i].length == length)
			break;
	if (i == ROWS_MAX)
		return;
	if (i == nrows) {
		rows[i] = (struct row){ user_pc, length, 0, NULL };
		rows[i].count = malloc(sizeof(current));
		if (rows[i].count == NULL)
			exit(2);
		memcpy(rows[i].count, current, sizeof(current));
		nrows++;
	}
	rows[i].seen++;
}

static void
print_row(const struct row *r)
{
	int order[SYMBOLS_MAX], n = 0;

	printf("user pc 0x%" PRIx64 ": %ld kernel instructions, seen %ld "
	       "times\n",
	    r->user_pc, r->length, r->seen);
	for (int i = 0; i < nsymbols; i++)
		if (r->count[i] != 0)
			order[n++] = i;
	sort_key = r->count;
	qsort(order, (size_t)n, sizeof(order[0]), by_count);
	for (int i = 0; i < n; i++)
		printf("%7ld  %s\n", r->count[order[i]],
		    symbols[order[i]].name);
}

int
main(int argc, char **argv)
{
	uint64_t user_pc = 0, kernel_base = (uint64_t)1 << 63;
	long length = 0;
	char line[512];

	if (argc != 3) {
		fprintf(stderr, "usage: fold SYMBOLS MINIMUM < log\n");
		return 2;
	}
	read_symbols(argv[1]);
	/* "Trace 0: 0x7f.. [flags/PC/...] name"; the pc follows a slash. */
	while (fgets(line, sizeof(line), stdin) != NULL) {
		const char *slash = strchr(line, '/');
		uint64_t pc;

		if (slash == NULL)
			continue;
		pc = strtoull(slash + 1, NULL, 16);
		if (pc >= kernel_base) {
			current[symbol_of(pc)]++;
			length++;
		} else if (length > 0) {
			end_operation(user_pc, length);
			memset(current, 0, sizeof(current));
			length = 0;
		}
		if (pc < kernel_base)
			user_pc = pc;
	}
	for (int i = 0; i < nrows; i++)
		if (rows[i].seen >= atol(argv[2]))
			print_row(&rows[i]);
	return 0;
}
