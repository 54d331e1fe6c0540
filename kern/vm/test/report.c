/* SPDX-License-Identifier: MIT */
/*
 * report.c - KTAP, JSON and children for the host test programs.
 */
#include "vm/test/report.h"

#include "arch/host/host.h"
#include "arch/host/os.h"
#include "lib/printf.h"
#include "lib/string.h"

static struct {
	const char *suite, *path;
	unsigned planned, run, failed, skipped;
	uint64_t start;
	struct text fields, failures;
} rep;

static void
text_vadd(struct text *t, const char *fmt, va_list ap)
{
	va_list copy;
	int n;

	va_copy(copy, ap);
	n = vsnprintf(NULL, 0, fmt, copy);
	va_end(copy);
	if (t->n + (size_t)n + 1 > t->size) {
		t->size = 2 * (t->n + (size_t)n + 1);
		t->s = os_grow(t->s, t->size);
	}
	vsnprintf(t->s + t->n, t->size - t->n, fmt, ap);
	t->n += (size_t)n;
}

void
text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text_vadd(t, fmt, ap);
	va_end(ap);
}

void
text_add_string(struct text *t, const char *s)
{
	text_add(t, "\"");
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			text_add(t, "\\%c", *s);
		else if ((unsigned char)*s >= ' ')
			text_add(t, "%c", *s);
		else
			text_add(t, " ");
	}
	text_add(t, "\"");
}

void
say(const char *fmt, ...)
{
	struct text t = { 0 };
	va_list ap;

	va_start(ap, fmt);
	text_vadd(&t, fmt, ap);
	va_end(ap);
	os_write(1, t.s, t.n);
	os_free(t.s);
}

void
report_begin(const char *suite, const char *path, unsigned planned)
{
	rep.suite = suite;
	rep.path = path;
	rep.planned = planned;
	rep.start = os_now();
	say("KTAP version 1\n1..%u\n", planned);
}

void
report_result(bool ok, const char *name, const char *detail)
{
	rep.run++;
	if (!ok || os_getenv("BRIEF") == NULL)
		say("%s %u %s\n", ok ? "ok" : "not ok", rep.run, name);
	if (ok)
		return;
	rep.failed++;
	if (detail != NULL && detail[0] != '\0')
		say("# %s: %s\n", name, detail);
	text_add(&rep.failures, "%s", rep.failed > 1 ? ", " : "");
	text_add_string(&rep.failures, name);
}

void
report_skip(const char *name, const char *why)
{
	rep.run++;
	rep.skipped++;
	if (os_getenv("BRIEF") == NULL)
		say("ok %u %s # SKIP %s\n", rep.run, name, why);
}

void
report_note(const char *fmt, ...)
{
	struct text t = { 0 };
	va_list ap;

	va_start(ap, fmt);
	text_vadd(&t, fmt, ap);
	va_end(ap);
	say("# %s\n", t.s);
	os_free(t.s);
}

void
report_number(const char *key, uint64_t value)
{
	text_add(&rep.fields, ",\n  \"%s\": %lu", key, (unsigned long)value);
}

void
report_text(const char *key, const char *value)
{
	text_add(&rep.fields, ",\n  \"%s\": ", key);
	text_add_string(&rep.fields, value);
}

int
report_end(void)
{
	unsigned ms = (unsigned)((os_now() - rep.start) / 1000000);
	bool ok = rep.failed == 0 && rep.run == rep.planned;
	struct text j = { 0 };

	say("# %s: %u of %u ran, %u failed, %u skipped, %u.%02u s\n", rep.suite,
	    rep.run, rep.planned, rep.failed, rep.skipped, ms / 1000,
	    ms / 10 % 100);
	say("# run complete\n");
	text_add(&j, "{\n  \"kind\": \"%s\",\n  \"planned\": %u,\n  \"run\": "
		     "%u,\n  \"failed\": %u,\n  \"skipped\": %u,\n"
		     "  \"milliseconds\": %u,\n  \"failures\": [%s]%s\n}\n",
	    rep.suite, rep.planned, rep.run, rep.failed, rep.skipped, ms,
	    rep.failures.s != NULL ? rep.failures.s : "",
	    rep.fields.s != NULL ? rep.fields.s : "");
	if (rep.path != NULL && !os_save(rep.path, j.s, j.n)) {
		say("# cannot write %s\n", rep.path);
		ok = false;
	}
	os_free(j.s);
	return ok ? 0 : 1;
}

const char *
run_child(int (*fn)(void *), void *arg, unsigned timeout_ms, bool quiet)
{
	static char text[HOST_MESSAGE_SIZE + 64];
	int code;

	if (host_message == NULL)
		host_message = os_map(PAGE_SIZE, true);
	host_message[0] = '\0';
	code = os_run(fn, arg, timeout_ms, quiet);
	if (code == 0)
		return "";
	if (code == OS_TIMEOUT)
		snprintf(text, sizeof(text), "no end after %u ms", timeout_ms);
	else if (code == HOST_EXIT_PANIC)
		snprintf(text, sizeof(text), "panic: %s", host_message);
	else if (code >= OS_SIGNAL)
		snprintf(text, sizeof(text), "signal %d %s", code - OS_SIGNAL,
		    host_message);
	else
		snprintf(text, sizeof(text), "exit %d: %s", code, host_message);
	return text;
}
