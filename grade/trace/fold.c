/* SPDX-License-Identifier: MIT */
/*
 * fold.c - fold QEMU's log of executed instructions into operations.
 *
 * usage: fold SYMBOLS MINIMUM [LOW HIGH] < log      (grade/trace.py runs it)
 * SYMBOLS is the output of nm; the log has one line an instruction, made with
 * -singlestep -d exec,nochain.  Everything between two user instructions is
 * one operation of the kernel; each CPU has its own.  Operations that begin at
 * the same user instruction of one CPU and have the same length are one row,
 * printed when it was seen at least MINIMUM times, with the instructions of
 * each kernel function.  What runs in [LOW, HIGH) is the firmware, which works
 * for the kernel.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOLS_MAX 8192
#define ROWS_MAX    4096
#define NAME_MAX_   64
#define CPUS_MAX    8

static struct symbol {
	uint64_t addr;
	char name[NAME_MAX_];
} symbols[SYMBOLS_MAX];
static int nsymbols;

static struct row {
	unsigned cpu;
	uint64_t user_pc;
	long length, seen;
	long *count; /* by symbol, of the first one seen */
} rows[ROWS_MAX];
static int nrows;

/* The operation that a CPU is in. */
static struct cpu {
	uint64_t user_pc;
	long length;
	long count[SYMBOLS_MAX];
} cpus[CPUS_MAX];
static uint64_t firmware_low, firmware_high;
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

static int
is_firmware(uint64_t pc)
{
	return pc >= firmware_low && pc < firmware_high;
}

/* The last symbol at or below @p pc; the first one is the firmware. */
static int
symbol_of(uint64_t pc)
{
	int lo = 0, hi = nsymbols - 1, best = 0;

	if (is_firmware(pc))
		return 0;
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
end_operation(unsigned cpu)
{
	const struct cpu *c = &cpus[cpu];
	int i;

	for (i = 0; i < nrows; i++)
		if (rows[i].cpu == cpu && rows[i].user_pc == c->user_pc &&
		    rows[i].length == c->length)
			break;
	if (i == ROWS_MAX)
		return;
	if (i == nrows) {
		rows[i] = (struct row){ cpu, c->user_pc, c->length, 0, NULL };
		rows[i].count = malloc(sizeof(c->count));
		if (rows[i].count == NULL)
			exit(2);
		memcpy(rows[i].count, c->count, sizeof(c->count));
		nrows++;
	}
	rows[i].seen++;
}

static void
print_row(const struct row *r)
{
	int order[SYMBOLS_MAX], n = 0;

	printf("cpu %u, user pc 0x%" PRIx64 ": %ld kernel instructions, seen "
	       "%ld times\n",
	    r->cpu, r->user_pc, r->length, r->seen);
	for (int i = 0; i < nsymbols; i++)
		if (r->count[i] != 0)
			order[n++] = i;
	sort_key = r->count;
	qsort(order, (size_t)n, sizeof(order[0]), by_count);
	for (int i = 0; i < n; i++)
		printf("%7ld  %s\n", r->count[order[i]],
		    symbols[order[i]].name);
}

static void
step(unsigned cpu, uint64_t pc)
{
	const uint64_t kernel_base = (uint64_t)1 << 63;
	struct cpu *c = &cpus[cpu];

	if (pc >= kernel_base || is_firmware(pc)) {
		c->count[symbol_of(pc)]++;
		c->length++;
		return;
	}
	if (c->length > 0) {
		end_operation(cpu);
		memset(c->count, 0, sizeof(c->count));
		c->length = 0;
	}
	c->user_pc = pc;
}

int
main(int argc, char **argv)
{
	char line[512];

	if (argc != 3 && argc != 5) {
		fprintf(stderr,
		    "usage: fold SYMBOLS MINIMUM [LOW HIGH] < log\n");
		return 2;
	}
	if (argc == 5) {
		firmware_low = strtoull(argv[3], NULL, 16);
		firmware_high = strtoull(argv[4], NULL, 16);
	}
	strcpy(symbols[nsymbols++].name, "(firmware)");
	read_symbols(argv[1]);
	/* "Trace 0: 0x7f.. [flags/PC/...] name"; the pc follows a slash. */
	while (fgets(line, sizeof(line), stdin) != NULL) {
		const char *slash = strchr(line, '/');
		unsigned cpu;

		if (slash != NULL && sscanf(line, "Trace %u:", &cpu) == 1 &&
		    cpu < CPUS_MAX)
			step(cpu, strtoull(slash + 1, NULL, 16));
	}
	for (int i = 0; i < nrows; i++)
		if (rows[i].seen >= atol(argv[2]))
			print_row(&rows[i]);
	return 0;
}
