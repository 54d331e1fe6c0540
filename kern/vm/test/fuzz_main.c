/* SPDX-License-Identifier: MIT */
/*
 * fuzz_main.c - make programs from a seed, run each in a child, and make the
 * one that fails small.
 *
 * usage: fuzz [-s SEED] [-t SECONDS] [-n OPS] [-o JSON] [-d DESIGN] [-1]
 *        fuzz -c ...             each program through every design
 *        fuzz -r FILE            run a saved program and list it
 * A finding is minimised by delta debugging: drop ever smaller pieces as long
 * as the rest still fails.  The result is printed, saved next to the JSON and
 * replayed with -r.
 */
#include "arch/host/host.h"
#include "arch/host/os.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "vm/test/fuzz.h"
#include "vm/test/report.h"

#define EPISODE_OPS 3000
#define EPISODE_MS  60000
#define MINIMISE_MS 120000
#define PRINT_MAX   60 /* records of a listing */

struct program {
	uint8_t *bytes;
	size_t size;
	volatile uint64_t *done; /* shared with the child */
};

static uint64_t seed = 1, seconds = 10, max_ops = UINT64_MAX;
static const char *json, *replay;
static bool stop_at_first, compare;
static uint64_t ncompared; /* records whose results were compared */

static int
child(void *arg)
{
	const struct program *p = arg;

	host_quiet = false;
	fuzz_run(p->bytes, p->size, p->done);
	return 0;
}

static const char *
run(struct program *p, bool quiet)
{
	*p->done = 0;
	return run_child(child, p, EPISODE_MS, quiet);
}

static void
generate(struct program *p, uint64_t number)
{
	uint64_t rng = seed * 0x9e3779b97f4a7c15ull + number * 2 + 1;
	struct fuzz_config *c = (void *)p->bytes;

	if (rng == 0)
		rng = 1;
	p->size = sizeof(*c) + EPISODE_OPS * sizeof(struct fuzz_rec);
	for (unsigned i = 0; i < 8; i++)
		(void)host_random(&rng);
	for (size_t i = 0; i < p->size; i++)
		p->bytes[i] = (uint8_t)(host_random(&rng) >> 32);
	/* Most episodes: four CPUs and a plain machine. */
	if (host_random(&rng) >> 62)
		c->ncpu = 3;
	if (host_random(&rng) >> 63)
		c->flags &= FUZZ_DEFERRED;
}

/* ---- comparing designs ---- */

#define DESIGNS_MAX 4

/*
 * Run the program through every design, with nobody at work meanwhile.
 * @return "" or the first record whose results differ, or what went wrong
 */
static const char *
run_all(struct program *p)
{
	static uint64_t *trace[DESIGNS_MAX];
	static char text[HOST_MESSAGE_SIZE + 128];
	struct fuzz_config *c = (void *)p->bytes;
	uint64_t n[DESIGNS_MAX], same;
	const char *what = "";

	c->hooks = c->ram = 0;
	for (unsigned d = 0; vm_design_names[d] != NULL; d++) {
		KASSERT_ALWAYS(d < DESIGNS_MAX);
		if (trace[d] == NULL)
			trace[d] = os_map(EPISODE_OPS * sizeof(**trace), true);
		fuzz_design = vm_design_names[d];
		fuzz_trace = trace[d];
		what = run(p, true);
		n[d] = *p->done;
		if (what[0] != '\0') {
			snprintf(text, sizeof(text), "%s: %s", fuzz_design,
			    what);
			break;
		}
		same = 0;
		while (same < MIN(n[0], n[d]) &&
		    trace[0][same] == trace[d][same] &&
		    trace[d][same] != FUZZ_SHORT)
			same++;
		if (same < MIN(n[0], n[d]) && trace[0][same] != FUZZ_SHORT &&
		    trace[d][same] != FUZZ_SHORT) {
			snprintf(text, sizeof(text),
			    "record %lu: %s and %s differ",
			    (unsigned long)same, vm_design_names[0],
			    fuzz_design);
			what = text;
			break;
		}
		ncompared += d > 0 ? same : 0;
	}
	fuzz_design = NULL;
	fuzz_trace = NULL;
	return what[0] != '\0' ? text : "";
}

/* ---- minimising ---- */

static bool
still_fails(struct program *p, const uint8_t *bytes, size_t size)
{
	struct program q = { os_grow(NULL, size), size, p->done };
	bool bad;

	memcpy(q.bytes, bytes, size);
	bad = (compare ? run_all(&q) : run(&q, true))[0] != '\0';
	os_free(q.bytes);
	return bad;
}

static void
minimise(struct program *p)
{
	uint64_t until = os_now() + MINIMISE_MS * 1000000ull;
	size_t rec = sizeof(struct fuzz_rec), head = sizeof(struct fuzz_config);
	uint8_t *try = os_grow(NULL, p->size);
	size_t n = *p->done + 1, piece;

	/* What came after the failure does not matter. */
	if (head + n * rec < p->size)
		p->size = head + n * rec;
	for (piece = n / 2; piece >= 1; piece /= 2) {
		size_t at = 0;

		while (at + piece <= (p->size - head) / rec) {
			size_t from = head + at * rec, len = piece * rec;

			if (os_now() > until)
				goto out;
			memcpy(try, p->bytes, from);
			memcpy(try + from, p->bytes + from + len,
			    p->size - from - len);
			if (still_fails(p, try, p->size - len)) {
				p->size -= len;
				memcpy(p->bytes, try, p->size);
			} else {
				at += piece;
			}
		}
	}
out:
	os_free(try);
}

/* ---- output ---- */

static void
print_program(const struct program *p)
{
	struct fuzz_config c;
	struct buf_sink b;
	char line[200];

	memcpy(&c, p->bytes, sizeof(c));
	buf_sink_init(&b, line, sizeof(line), 0);
	fuzz_print_config(&c, &b.sink);
	say("#   %.*s", (int)b.total, line);
	for (size_t at = sizeof(c); at + sizeof(struct fuzz_rec) <= p->size;
	     at += sizeof(struct fuzz_rec)) {
		struct fuzz_rec rec;

		if (at > sizeof(c) + PRINT_MAX * sizeof(rec)) {
			say("#   ...\n");
			break;
		}

		memcpy(&rec, p->bytes + at, sizeof(rec));
		buf_sink_init(&b, line, sizeof(line), 0);
		fuzz_print(&rec, &b.sink);
		say("#   %.*s", (int)b.total, line);
	}
}

static void
finding(struct program *p, const char *what, uint64_t ops)
{
	char path[200];
	size_t before = (p->size - sizeof(struct fuzz_config)) /
	    sizeof(struct fuzz_rec);

	say("# finding after %lu operations: %s\n", (unsigned long)ops, what);
	minimise(p);
	say("# smallest program that fails (%lu of %lu operations): %s\n",
	    (unsigned long)((p->size - sizeof(struct fuzz_config)) /
		sizeof(struct fuzz_rec)),
	    (unsigned long)before, compare ? run_all(p) : run(p, true));
	print_program(p);
	snprintf(path, sizeof(path), "build/fuzz-%lu.bin",
	    (unsigned long)seed);
	if (os_save(path, p->bytes, p->size))
		say("# again: build/host/fuzz -r %s\n", path);
}

static int
do_replay(struct program *p)
{
	const char *what;

	p->bytes = os_load(replay, &p->size);
	if (p->bytes == NULL) {
		say("cannot read %s\n", replay);
		return 2;
	}
	print_program(p);
	what = compare ? run_all(p) : run(p, false);
	say("# %s after %lu operations\n", what[0] != '\0' ? what : "passed",
	    (unsigned long)*p->done);
	return what[0] != '\0';
}

static bool
parse(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i], *v = i + 1 < argc ? argv[i + 1] : "";

		if (strcmp(a, "-1") == 0) {
			stop_at_first = true;
			continue;
		}
		if (strcmp(a, "-c") == 0) {
			compare = true;
			continue;
		}
		if (strcmp(a, "-r") == 0)
			replay = v;
		else if (strcmp(a, "-o") == 0)
			json = v;
		else if (strcmp(a, "-d") == 0)
			fuzz_design = v;
		else if (!(strcmp(a, "-s") == 0 && strtou64(v, &seed)) &&
		    !(strcmp(a, "-t") == 0 && strtou64(v, &seconds)) &&
		    !(strcmp(a, "-n") == 0 && strtou64(v, &max_ops)))
			return false;
		i++;
	}
	return true;
}

int
main(int argc, char **argv)
{
	struct program p = { 0 };
	uint64_t end, ops = 0, episodes = 0, findings = 0;

	if (!parse(argc, argv)) {
		say("usage: fuzz [-s seed] [-t seconds] [-n ops] [-o json] "
		    "[-d design] [-1] [-c] | -r file\n");
		return 2;
	}
	p.done = os_map(PAGE_SIZE, true);
	if (replay != NULL)
		return do_replay(&p);
	p.bytes = os_grow(NULL,
	    sizeof(struct fuzz_config) + EPISODE_OPS * sizeof(struct fuzz_rec));
	report_begin(compare ? "differential" : "fuzz", json, 1);
	end = os_now() + seconds * 1000000000ull;
	while (os_now() < end && ops < max_ops && findings == 0) {
		const char *what;

		generate(&p, episodes++);
		what = compare ? run_all(&p) : run(&p, true);
		ops += *p.done;
		if (what[0] != '\0') {
			findings++;
			report_text("finding", what);
			report_number("ops_to_finding", ops);
			if (!stop_at_first)
				finding(&p, what, ops);
			else
				say("# finding after %lu operations: %s\n",
				    (unsigned long)ops, what);
		}
	}
	report_number("seed", seed);
	report_number("seconds", seconds);
	report_number("operations", ops);
	report_number("episodes", episodes);
	report_number("findings", findings);
	if (compare)
		report_number("compared", ncompared);
	report_note("%lu operations in %lu episodes, seed %lu",
	    (unsigned long)ops, (unsigned long)episodes, (unsigned long)seed);
	report_result(findings == 0,
	    compare ? "differential" : "fuzz", NULL);
	return report_end();
}
