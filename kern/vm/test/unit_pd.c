/* SPDX-License-Identifier: MIT */
/*
 * unit_pd.c - a simulator of page replacement: the policies of vm/pd_policy.c
 * against models that are written another way, on the same reference strings.
 *
 * The models keep an array of frames with all that was ever known about each
 * page and search it; no queues.
 */
#include "lib/string.h"
#include "vm/pd_policy.h"
#include "vm/test/unit.h"

#define NPAGES	  40
#define MAXFRAMES 16
#define MAXREFS	  4000
#define TICK	  7  /* references */
#define WINDOW	  3  /* ticks */

struct ref {
	uint8_t page;
	bool write;
};

/* What a run did: the victims in order, and how many references missed. */
struct outcome {
	unsigned faults, nvictims;
	uint8_t victim[MAXREFS];
};

static struct ref string[MAXREFS];
static unsigned nrefs;

/* ---- the kernel's code on a reference string ---- */

static struct {
	struct pd_page pd;
	bool resident;
	unsigned bits;
} pages[NPAGES];

static unsigned
take_bits(struct pd_page *p, unsigned clear, void *arg)
{
	unsigned i = (unsigned)(container_of(p, __typeof__(pages[0]), pd) -
	    pages);
	unsigned bits = pages[i].bits;

	(void)arg;
	pages[i].bits &= ~clear;
	return bits;
}

static void
evict_one(struct pd_set *s, struct outcome *out)
{
	struct pd_page *p = pd_victim(s);
	unsigned i = (unsigned)(container_of(p, __typeof__(pages[0]), pd) -
	    pages);

	CHECK(pages[i].resident);
	pages[i].resident = false;
	out->victim[out->nvictims++] = (uint8_t)i;
}

static void
run_policy(const char *name, unsigned nframes, struct outcome *out)
{
	struct pd_set s;

	CHECK(pd_policy_find(name) != NULL);
	pd_set_init(&s, pd_policy_find(name));
	s.bits = take_bits;
	s.window = WINDOW;
	memset(pages, 0, sizeof(pages));
	out->faults = out->nvictims = 0;
	for (unsigned r = 0; r < nrefs; r++) {
		unsigned i = string[r].page;

		if (r % TICK == TICK - 1)
			pd_tick(&s);
		if (!pages[i].resident) {
			out->faults++;
			if (s.npages == nframes)
				evict_one(&s, out);
			pages[i].resident = true;
			pages[i].bits = 0;
			pd_insert(&s, &pages[i].pd);
		}
		pages[i].bits |= PD_REFERENCED |
		    (string[r].write ? PD_MODIFIED : 0);
		pd_touch(&s, &pages[i].pd);
	}
}

/* ---- models ---- */

struct frame {
	int page; /* -1: free */
	unsigned arrived, used, seen; /* references; seen: in ticks */
	bool r, m;
	unsigned age;
};

struct machine {
	struct frame f[MAXFRAMES];
	unsigned n, now, tick;
};

/* The frame with the smallest key. */
static unsigned
smallest(const struct machine *m, uint64_t (*key)(const struct frame *))
{
	unsigned best = 0;

	for (unsigned i = 1; i < m->n; i++)
		if (key(&m->f[i]) < key(&m->f[best]))
			best = i;
	return best;
}

static uint64_t
by_arrival(const struct frame *f)
{
	return f->arrived;
}

static uint64_t
by_use(const struct frame *f)
{
	return f->used;
}

static uint64_t
by_class(const struct frame *f)
{
	return (uint64_t)(f->r * 2 + f->m) << 32 | f->arrived;
}

static uint64_t
by_age(const struct frame *f)
{
	return (uint64_t)f->age << 32 | f->arrived;
}

static uint64_t
by_sighting(const struct frame *f)
{
	return (uint64_t)f->seen << 32 | f->arrived;
}

static unsigned
model_fifo(struct machine *m)
{
	return smallest(m, by_arrival);
}

static unsigned
model_lru(struct machine *m)
{
	return smallest(m, by_use);
}

static unsigned
model_nru(struct machine *m)
{
	return smallest(m, by_class);
}

static unsigned
model_aging(struct machine *m)
{
	return smallest(m, by_age);
}

/* A used one counts as if it had just arrived. */
static unsigned
model_second(struct machine *m)
{
	unsigned i;

	while (m->f[i = smallest(m, by_arrival)].r) {
		m->f[i].r = false;
		m->f[i].arrived = m->now++;
	}
	return i;
}

static unsigned
model_ws(struct machine *m)
{
	unsigned order[MAXFRAMES];

	for (unsigned i = 0; i < m->n; i++) { /* by arrival */
		unsigned k = i;

		for (; k > 0 && m->f[order[k - 1]].arrived > m->f[i].arrived;
		     k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
	for (unsigned k = 0; k < m->n; k++) {
		struct frame *f = &m->f[order[k]];

		if (f->r)
			f->seen = m->tick;
		f->r = false;
		if (m->tick - f->seen > WINDOW)
			return order[k];
	}
	return smallest(m, by_sighting);
}

static void
model_tick(struct machine *m, const char *name)
{
	m->tick++;
	for (unsigned i = 0; i < m->n; i++) {
		struct frame *f = &m->f[i];

		if (strcmp(name, "aging") == 0)
			f->age = f->age / 2 + (f->r ? 128 : 0);
		if (strcmp(name, "ws") == 0 && f->r)
			f->seen = m->tick;
		if (strcmp(name, "second") != 0)
			f->r = false;
	}
}

static void
run_model(const char *name, unsigned (*choose)(struct machine *),
    unsigned nframes, struct outcome *out)
{
	struct machine m = { .n = 0, .now = 1 };

	out->faults = out->nvictims = 0;
	for (unsigned r = 0; r < nrefs; r++) {
		struct frame *f = NULL;

		if (r % TICK == TICK - 1)
			model_tick(&m, name);
		for (unsigned i = 0; i < m.n; i++)
			if (m.f[i].page == string[r].page)
				f = &m.f[i];
		if (f == NULL) {
			out->faults++;
			if (m.n < nframes) {
				f = &m.f[m.n++];
			} else {
				f = &m.f[choose(&m)];
				out->victim[out->nvictims++] =
				    (uint8_t)f->page;
			}
			*f = (struct frame){ .page = string[r].page,
				.arrived = m.now, .seen = m.tick,
				.age = 128 };
		}
		m.now++;
		f->used = m.now;
		f->r = true;
		f->m |= string[r].write;
	}
}

static void
random_string(unsigned n, unsigned npages)
{
	nrefs = n;
	for (unsigned r = 0; r < n; r++) {
		uint64_t x = unit_random();

		/* Most to a few pages that change slowly. */
		string[r].page = (uint8_t)(x % 4 ?
			(r / 64 + (x >> 8) % (npages / 4)) % npages :
			(x >> 8) % npages);
		string[r].write = (x >> 40) % 3 == 0;
	}
}

static void
same_victims(const char *name, unsigned (*choose)(struct machine *))
{
	static struct outcome a, b;
	unsigned victims = 0;

	for (unsigned k = 0; k < 40; k++) {
		unsigned nframes = 1 + k % MAXFRAMES;

		random_string(MAXREFS / 2, NPAGES);
		run_policy(name, nframes, &a);
		run_model(name, choose, nframes, &b);
		EQUAL(a.faults, b.faults);
		EQUAL(a.nvictims, b.nvictims);
		for (unsigned i = 0; i < a.nvictims; i++)
			EQUAL(a.victim[i], b.victim[i]);
		victims += a.nvictims;
	}
	CHECK(victims > 1000);
}

static void
fifo_as_model(void)
{
	same_victims("fifo", model_fifo);
}

static void
lru_as_model(void)
{
	same_victims("lru", model_lru);
}

static void
second_as_model(void)
{
	same_victims("second", model_second);
}

static void
nru_as_model(void)
{
	same_victims("nru", model_nru);
}

static void
aging_as_model(void)
{
	same_victims("aging", model_aging);
}

static void
ws_as_model(void)
{
	same_victims("ws", model_ws);
}

/* Two ways to write the same policy. */
static void
clock_is_second_chance(void)
{
	static struct outcome a, b;

	for (unsigned k = 0; k < 40; k++) {
		random_string(MAXREFS, NPAGES);
		run_policy("clock", 1 + k % MAXFRAMES, &a);
		run_policy("second", 1 + k % MAXFRAMES, &b);
		EQUAL(a.faults, b.faults);
		for (unsigned i = 0; i < a.nvictims; i++)
			EQUAL(a.victim[i], b.victim[i]);
	}
}

/* A page that is used between two looks stays, one that is not goes. */
static void
mach_keeps_what_is_used(void)
{
	static struct outcome out;
	unsigned hot = 0;

	nrefs = 0;
	for (unsigned r = 0; r < 500; r++) {
		string[nrefs++].page = 0; /* used all the time */
		string[nrefs++].page = (uint8_t)(1 + r % 30);
	}
	run_policy("mach", 6, &out);
	for (unsigned i = 0; i < out.nvictims; i++)
		hot += out.victim[i] == 0;
	CHECK(out.nvictims > 300);
	CHECK(hot == 0);
	run_policy("fifo", 6, &out); /* the control: FIFO throws it out */
	for (unsigned i = 0; i < out.nvictims; i++)
		hot += out.victim[i] == 0;
	CHECK(hot > 50);
}

static unsigned
faults_of(const char *name, unsigned nframes)
{
	static struct outcome out;

	run_policy(name, nframes, &out);
	return out.faults;
}

/* More frames, more faults: with FIFO, and never with LRU. */
static void
belady_anomaly(void)
{
	static const uint8_t belady[] = { 1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5 };
	unsigned worse = 0;

	nrefs = sizeof(belady);
	for (unsigned r = 0; r < nrefs; r++)
		string[r].page = belady[r];
	EQUAL(faults_of("fifo", 3), 9);
	EQUAL(faults_of("fifo", 4), 10);
	EQUAL(faults_of("lru", 3), 10);
	EQUAL(faults_of("lru", 4), 8);
	for (unsigned k = 0; k < 300; k++) {
		nrefs = 60;
		for (unsigned r = 0; r < nrefs; r++)
			string[r].page = (uint8_t)(unit_random() % 7);
		for (unsigned n = 2; n < 6; n++) {
			worse += faults_of("fifo", n + 1) >
			    faults_of("fifo", n);
			CHECK(faults_of("lru", n + 1) <= faults_of("lru", n));
		}
	}
	CHECK(worse > 0);
}

const struct unit unit_pd[] = {
	{ "fifo_as_model", fifo_as_model, 0 },
	{ "lru_as_model", lru_as_model, 0 },
	{ "second_as_model", second_as_model, 0 },
	{ "nru_as_model", nru_as_model, 0 },
	{ "aging_as_model", aging_as_model, 0 },
	{ "ws_as_model", ws_as_model, 0 },
	{ "clock_is_second_chance", clock_is_second_chance, 0 },
	{ "mach_keeps_what_is_used", mach_keeps_what_is_used, 0 },
	{ "belady_anomaly", belady_anomaly, 0 },
	{ NULL, NULL, 0 },
};
