/* SPDX-License-Identifier: MIT */
/*
 * ktap.c - the frame of the in-OS tests; see ktap.h.
 *
 * KTAP goes to descriptor $KTAP_FD (ktest opens the results channel there),
 * indented by $KTAP_INDENT spaces; else to standard output.
 */
#include "ktap.h"

#define TIMEOUT_MS	30000u	/* times time_scale() */
#define AWAIT_MS	10000u	/* likewise */
#define SETTLE_MS	3000u
#define EXIT_SKIP	77

/*
 * Resources that a kernel may cache, on each CPU, or that bystanders get (their
 * pages may go to swap): a leak only if every repetition loses some, because
 * caches fill up.
 */
#define REPEATS		12
#define SETTLE_CACHED_MS 200u
static const enum tern_stat_index cached[] = { TS_frames_free, TS_slab_bytes,
	TS_slab_objects, TS_page_tables, TS_inodes, TS_swap_slots };

static const char *const level_names[] = {
#define NAME(n, text)	#n,
	TERN_STAT_LEVELS(NAME)
#undef NAME
};

static int out_fd = STDOUT_FILENO;
static unsigned indent;
static int skip_pipe[2] = { -1, -1 };
static volatile int child_ended;

/* --- output ---------------------------------------------------------- */

static void
emit(const char *prefix, const char *fmt, va_list ap)
{
	char line[600];
	int n = snprintf(line, sizeof(line), "%*s%s", (int)indent, "", prefix);

	vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
	strlcat(line, "\n", sizeof(line));
	write_all(out_fd, line, strlen(line));
}

static void printflike(1, 2)
say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit("", fmt, ap);
	va_end(ap);
}

void
ktap_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit("# ", fmt, ap);
	va_end(ap);
}

void
ktap_fail(const char *file, int line, const char *fmt, ...)
{
	char prefix[160];
	va_list ap;

	snprintf(prefix, sizeof(prefix), "# %s:%d: ", file, line);
	va_start(ap, fmt);
	emit(prefix, fmt, ap);
	va_end(ap);
	_exit(1);
}

void
ktap_skip(const char *reason)
{
	write_all(skip_pipe[1], reason, strlen(reason) + 1);
	_exit(EXIT_SKIP);
}

/* Boot argument timescale=: the host is slow or busy. */
static unsigned
time_scale(void)
{
	const char *s = getenv("timescale");
	int n = s != NULL ? atoi(s) : 1;

	return n > 0 ? (unsigned)n : 1;
}

/* --- one test -------------------------------------------------------- */

static void
on_child(int sig)
{
	(void)sig;
	child_ended = 1;
}

/* Waits for the test; returns its status, or -1 after the time limit. */
static int
wait_limited(pid_t pid)
{
	uint64_t end = now_ns() + TIMEOUT_MS * 1000000ull * time_scale();
	struct timespec nap = { .tv_nsec = 20000000 };
	pid_t p;
	int status;

	for (;;) {
		child_ended = 0;
		p = waitpid(pid, &status, WNOHANG);
		if (p == pid)
			return status;
		if (p < 0 && errno != EINTR)
			return -1;
		if (now_ns() >= end)
			break;
		if (!child_ended)	/* SIGCHLD cuts the nap short */
			nanosleep(&nap, NULL);
	}
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

/* Ends what a test left behind; on return it prints no more. */
static void
end_group(pid_t pid)
{
	uint64_t end = now_ns() + AWAIT_MS * 1000000ull * time_scale();

	while (kill(-pid, SIGKILL) == 0 && now_ns() < end)
		msleep(1);
}

static int
run_once(const struct ktap_test *t)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		setpgid(0, 0);
		signal(SIGCHLD, SIG_DFL);
		t->fn();
		_exit(0);
	}
	if (pid < 0) {
		ktap_note("fork: %s", strerror(errno));
		return 1;
	}
	status = wait_limited(pid);
	end_group(pid);
	return status;
}

/* True if more of the resource is in use than before. */
static bool
lost(const struct tern_stat *before, const struct tern_stat *now, size_t i)
{
	if (i == TS_frames_total)
		return before->v[i] != now->v[i];
	return i == TS_frames_free ? now->v[i] < before->v[i] :
	    now->v[i] > before->v[i];
}

static unsigned
lost_set(const struct tern_stat *before, const struct tern_stat *now)
{
	unsigned set = 0;
	size_t i;

	for (i = 0; i < TS_NLEVELS; i++)
		set |= (unsigned)lost(before, now, i) << i;
	return set;
}

static unsigned
cached_set(void)
{
	unsigned set = 0;
	size_t i;

	for (i = 0; i < nitems(cached); i++)
		set |= 1u << cached[i];
	return set;
}

/*
 * The counters that stay worse.  Orphans go away through init and frees may
 * be deferred, so it takes a while before that is known.
 */
static unsigned
leaks_since(const struct tern_stat *before, struct tern_stat *now)
{
	uint64_t start = now_ns(), limit;
	unsigned set;

	do {
		tern_stat(now, sizeof(*now));
		set = lost_set(before, now);
		if (set == 0)
			return 0;
		limit = (set & ~cached_set()) != 0 ? SETTLE_MS :
		    SETTLE_CACHED_MS;
		msleep(5);
	} while (now_ns() - start < limit * 1000000ull);
	return set;
}

static void
note_leaks(unsigned set, const struct tern_stat *before,
    const struct tern_stat *now)
{
	size_t i;

	for (i = 0; i < TS_NLEVELS; i++) {
		if (set & 1u << i)
			ktap_note("leak: %s: expected %lu, got %lu (last of "
			    "the runs)", level_names[i], before->v[i],
			    now->v[i]);
	}
}

/* Returns the status, with a leak as exit code 1. */
static int
run_checked(const struct ktap_test *t)
{
	static struct tern_stat before, now;
	unsigned leaks = ~0u;
	int status, i;

	if (!on_tern() || (t->flags & T_KEEPS))
		return run_once(t);
	for (i = 0; i < REPEATS; i++) {
		tern_stat(&before, sizeof(before));
		status = run_once(t);
		if (status != 0)
			return status;
		leaks &= leaks_since(&before, &now);
		if (leaks == 0)
			return 0;
		if ((leaks & ~cached_set()) != 0)
			break;
	}
	note_leaks(leaks, &before, &now);
	return 1 << 8;
}

static const char *
skip_reason(const struct ktap_test *t)
{
	bool emulated = getenv("KTAP_EMULATED") != NULL;

	if ((t->flags & (T_TERN | T_LINUX)) && !on_tern())
		return "only on Tern";
	if ((t->flags & T_EXEC) && emulated)
		return "cannot start programs of this machine here";
	if ((t->flags & T_NOEMU) && emulated)
		return "not emulated faithfully";
	if ((t->flags & T_SMP) && cpu_count() < 2)
		return "needs two CPUs";
	return NULL;
}

static bool
report(int number, const struct ktap_test *t)
{
	const char *reason = skip_reason(t);
	char text[80] = "";
	int status = 0;

	if (reason == NULL) {
		status = run_checked(t);
		if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIP) {
			read(skip_pipe[0], text, sizeof(text) - 1);
			reason = text;
			status = 0;
		}
	}
	if (status == -1)
		ktap_note("%s: no end after %u s", t->name, TIMEOUT_MS / 1000);
	else if (WIFSIGNALED(status))
		ktap_note("%s: killed by %s", t->name,
		    strsignal(WTERMSIG(status)));
	say("%sok %d %s%s%s", status == 0 ? "" : "not ", number, t->name,
	    reason != NULL ? " # SKIP " : "", reason != NULL ? reason : "");
	return status == 0;
}

static bool
selected(const struct ktap_test *t, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], t->name) == 0)
			return true;
	}
	return argc <= 1;
}

int
ktap_run(const char *group, const struct ktap_test *tests, size_t n, int argc,
    char **argv)
{
	struct sigaction chld = { .sa_handler = on_child };
	const char *env;
	int count = 0, number = 0, failed = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (argc == 2 && strcmp(argv[1], "--list") == 0)
			puts(tests[i].name);
		count += selected(&tests[i], argc, argv);
	}
	if (argc == 2 && strcmp(argv[1], "--list") == 0)
		return 0;
	if ((env = getenv("KTAP_FD")) != NULL) {
		out_fd = atoi(env);
		fcntl(out_fd, F_SETFD, FD_CLOEXEC);
	}
	if ((env = getenv("KTAP_INDENT")) != NULL)
		indent = (unsigned)atoi(env);
	sigaction(SIGCHLD, &chld, NULL);
	pipe2(skip_pipe, O_CLOEXEC);
	say("KTAP version 1");
	ktap_note("Subtest: %s", group);
	say("1..%d", count);
	for (i = 0; i < n; i++) {
		if (selected(&tests[i], argc, argv))
			failed += !report(++number, &tests[i]);
	}
	return failed > 0;
}

/* --- helpers --------------------------------------------------------- */

bool
on_tern(void)
{
	static int answer = -1;
	static struct tern_stat st;

	if (answer < 0)
		answer = tern_stat(&st, sizeof(st)) > 0;
	return answer;
}

const char *
root_path(const char *path)
{
	static char buf[4][512];
	static unsigned next;
	const char *root = getenv("TEST_ROOT");
	char *p = buf[next++ % 4];

	snprintf(p, sizeof(buf[0]), "%s%s", root != NULL ? root : "", path);
	return p;
}

int
in_child(void (*fn)(void *), void *arg)
{
	pid_t pid = (pid_t)EXPECT_OK(fork());
	int status;

	if (pid == 0) {
		fn(arg);
		_exit(0);
	}
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	return status;
}

void
expect_exit(int status, int code)
{
	if (!WIFEXITED(status) || WEXITSTATUS(status) != code)
		ktap_fail(__FILE__, __LINE__,
		    "child: expected exit code %d, got status %#x", code,
		    status);
}

void
expect_signal(int status, int sig)
{
	if (!WIFSIGNALED(status) || WTERMSIG(status) != sig)
		ktap_fail(__FILE__, __LINE__,
		    "child: expected %s, got status %#x", strsignal(sig),
		    status);
}

static char *
map_anonymous(size_t npages, int flags)
{
	return (char *)EXPECT_OK(mmap(NULL, npages * PAGE_SIZE,
	    PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0));
}

char *
map_pages(size_t npages)
{
	return map_anonymous(npages, MAP_PRIVATE);
}

char *
map_shared(size_t npages)
{
	return map_anonymous(npages, MAP_SHARED);
}

uint64_t
stat_now(enum tern_stat_index i)
{
	static struct tern_stat st;

	memset(&st, 0, sizeof(st));	/* its page faults now, not below */
	EXPECT_OK(tern_stat(&st, sizeof(st)));
	return st.v[i];
}

void
stat_settled(struct tern_stat *st)
{
	uint64_t before;
	int still = 0;

	tern_stat(st, sizeof(*st));
	while (still < 3) {
		before = st->v[TS_threads];
		msleep(5);
		tern_stat(st, sizeof(*st));
		still = st->v[TS_threads] == before ? still + 1 : 0;
	}
}

void
await(int *word, int value)
{
	uint64_t end = now_ns() + AWAIT_MS * 1000000ull * time_scale();

	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != value) {
		if (now_ns() > end)
			ktap_fail(__FILE__, __LINE__,
			    "waited %u s for %d, still %d",
			    AWAIT_MS / 1000 * time_scale(), value, *word);
		sched_yield();
	}
}

uint64_t
prng(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

bool
pin_to_cpu(int cpu)
{
	unsigned long mask = 1ul << cpu;

	return sched_setaffinity(0, sizeof(mask), &mask) == 0;
}
