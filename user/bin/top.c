/* SPDX-License-Identifier: MIT */
/*
 * top.c - what the machine is busy with: top [-d SECONDS] [-n TIMES]
 *
 * On a terminal it redraws the screen, q quits, any other key refreshes at
 * once.  Into a pipe or file it writes one text after the other.  Shares of
 * CPU time are those since the last picture, in hundredths of one CPU.
 */
#include <procinfo.h>
#include <term.h>

#define MAX_CPUS	64

struct entry {
	struct procinfo	 pi;
	unsigned long	 used;		/* ticks since the last picture */
};

/* Ticks of a CPU. */
struct cpu {
	unsigned long	 busy, idle;
};

static struct entry *now, *before;
static size_t nnow, nbefore, max;
static struct cpu cpus[MAX_CPUS], cpus_before[MAX_CPUS];
static int ncpus;
static unsigned rows, cols;
static bool screen;

/* --- numbers --------------------------------------------------------- */

/* What this process had used when the last picture was taken; a pid that was
 * used again does not run backwards. */
static unsigned long
used_before(const struct procinfo *pi)
{
	size_t i;

	for (i = 0; i < nbefore; i++) {
		if (before[i].pi.pid == pi->pid &&
		    before[i].pi.ticks <= pi->ticks)
			return before[i].pi.ticks;
	}
	return 0;
}

static void
note(const struct procinfo *pi)
{
	struct entry *p;

	if (nnow == max) {
		p = realloc(now, 2 * (max + 32) * sizeof(*p));
		if (p == NULL)
			return;		/* the others are shown */
		now = p;
		p = realloc(before, 2 * (max + 32) * sizeof(*p));
		if (p == NULL)
			return;
		before = p;
		max = 2 * (max + 32);
	}
	now[nnow].pi = *pi;
	now[nnow++].used = pi->ticks - used_before(pi);
}

/* "cpuN user nice system idle ..." of /proc/stat. */
static void
read_cpus(void)
{
	static char buf[8192];
	unsigned long user, nice, system;
	char *p = buf;

	memcpy(cpus_before, cpus, sizeof(cpus));
	ncpus = 0;
	if (read_file("/proc/stat", buf, sizeof(buf)) < 0)
		return;
	while ((p = strstr(p, "\ncpu")) != NULL && ncpus < MAX_CPUS) {
		p += 4;
		strtoul(p, &p, 10);
		user = strtoul(p, &p, 10);
		nice = strtoul(p, &p, 10);
		system = strtoul(p, &p, 10);
		cpus[ncpus].busy = user + nice + system;
		cpus[ncpus++].idle = strtoul(p, &p, 10);
	}
}

/* Those that used most come first, then the larger. */
static bool
comes_before(const struct entry *a, const struct entry *b)
{
	if (a->used != b->used)
		return a->used > b->used;
	if (a->pi.resident_kib != b->pi.resident_kib)
		return a->pi.resident_kib > b->pi.resident_kib;
	return a->pi.pid < b->pi.pid;
}

static void
sort(void)
{
	struct entry e;
	size_t i, j;

	for (i = 1; i < nnow; i++) {
		e = now[i];
		for (j = i; j > 0 && comes_before(&e, &now[j - 1]); j--)
			now[j] = now[j - 1];
		now[j] = e;
	}
}

static void
take_picture(void)
{
	struct entry *old = before;

	before = now;
	nbefore = nnow;
	now = old;
	nnow = 0;
	read_cpus();
	if (procinfo_each(note) < 0)
		die("top: /proc: %s", strerror(errno));
	sort();
}

/* --- picture --------------------------------------------------------- */

/* One row, cut to the screen; false if there is no room for it. */
static bool printflike(2, 3)
row(unsigned *y, const char *fmt, ...)
{
	char line[256];
	va_list ap;

	if (screen && *y >= rows)
		return false;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (screen)
		line[MIN((size_t)cols - 1, sizeof(line) - 1)] = '\0';
	printf("%s%s%s", screen && *y > 0 ? "\r\n" : "", line,
	    screen ? "\033[K" : "\n");
	++*y;
	return true;
}

static unsigned long
percent(const struct cpu *c, const struct cpu *old)
{
	unsigned long busy = c->busy - old->busy, idle = c->idle - old->idle;

	if (c->busy < old->busy || c->idle < old->idle)
		return 0;
	return busy + idle == 0 ? 0 : 100 * busy / (busy + idle);
}

static void
show_head(unsigned *y)
{
	char line[256] = "cpu %:";
	struct sysinfo si;
	unsigned long kib;
	size_t i, running = 0;
	int c;

	if (sysinfo(&si) < 0)
		die("top: sysinfo: %s", strerror(errno));
	kib = MAX(si.mem_unit, 1u);
	for (i = 0; i < nnow; i++)
		running += now[i].pi.state == 'R';
	row(y, "up %ld s, %zu processes, %zu running", (long)si.uptime, nnow,
	    running);
	for (c = 0; c < ncpus; c++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line),
		    " %lu", percent(&cpus[c], &cpus_before[c]));
	row(y, "%s", line);
	row(y, "mem KiB: %lu total, %lu used, %lu free; swap: %lu total, "
	    "%lu used", si.totalram * kib / 1024,
	    (si.totalram - si.freeram) * kib / 1024, si.freeram * kib / 1024,
	    si.totalswap * kib / 1024,
	    (si.totalswap - si.freeswap) * kib / 1024);
}

static void
show(unsigned long elapsed)
{
	const struct procinfo *pi;
	unsigned y = 0;
	size_t i;

	if (screen) {
		term_size(STDIN_FILENO, &rows, &cols);
		printf("\033[H");
	}
	show_head(&y);
	row(&y, "%5s %5s S THRD %7s %9s %4s COMMAND", "PID", "PPID", "RSS",
	    "TIME", "CPU%");
	for (i = 0; i < nnow; i++) {
		pi = &now[i].pi;
		if (!row(&y, "%5d %5d %c %4lu %7lu %6lu.%02lu %4lu %s",
		    pi->pid, pi->ppid, pi->state, pi->nthreads,
		    pi->resident_kib, pi->ticks / USER_HZ,
		    pi->ticks % USER_HZ,
		    elapsed > 0 ? 100 * now[i].used / elapsed : 0, pi->name))
			break;
	}
	printf(screen ? "\033[J" : "\n");
}

/* --- terminal -------------------------------------------------------- */

/* Until the next picture is due; returns false to quit. */
static bool
pause_for(unsigned ms)
{
	struct pollfd pfd = { .fd = STDIN_FILENO, .events = POLLIN };
	char c;

	if (!screen) {
		msleep(ms);
		return true;
	}
	if (poll(&pfd, 1, (int)ms) <= 0)
		return true;		/* or a signal: the size changed */
	return read(STDIN_FILENO, &c, 1) == 1 && c != 'q' && c != 3;
}

static void
on_change(int sig)
{
	(void)sig;
}

static unsigned
milliseconds(const char *s)
{
	unsigned ms;

	if (!parse_seconds(s, &ms) || ms < 100 || ms > 3600000)
		die("top: -d takes 0.1 to 3600 seconds");
	return ms;
}

int
main(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = on_change };
	struct termios normal, raw;
	unsigned ms = 2000;
	uint64_t last = 0, t;
	long times = -1;
	int c;

	while ((c = getopt(argc, argv, "d:n:")) != -1) {
		if (c == 'd')
			ms = milliseconds(optarg);
		else if (c == 'n' && atoi(optarg) > 0)
			times = atoi(optarg);
		else
			die("usage: top [-d SECONDS] [-n TIMES]");
	}
	screen = isatty(STDOUT_FILENO) &&
	    tcgetattr(STDIN_FILENO, &normal) == 0;
	if (screen) {
		sigaction(SIGWINCH, &act, NULL);
		raw = normal;
		cfmakeraw(&raw);
		raw.c_lflag |= ISIG;	/* ^Z stops it, ^C ends it */
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
		printf("\033[J");
	}
	do {
		take_picture();
		t = now_ns();
		show((unsigned long)((t - last) / (1000000000 / USER_HZ)));
		last = t;
	} while ((times < 0 || --times > 0) && pause_for(ms));
	if (screen) {
		printf("\r\n");
		tcsetattr(STDIN_FILENO, TCSANOW, &normal);
	}
	return 0;
}
