/* SPDX-License-Identifier: MIT */
/**
 * @file report.h
 * Results of a host test program: KTAP on standard output, and a JSON file for
 * grade/results.py.  With BRIEF in the environment only what failed is printed.
 */
#ifndef VM_TEST_REPORT_H
#define VM_TEST_REPORT_H

#include "lib/types.h"

/** Print the KTAP header. @p path: where the JSON goes, NULL: nowhere. */
void report_begin(const char *suite, const char *path, unsigned planned);
/** One result; @p detail may be NULL. */
void report_result(bool ok, const char *name, const char *detail);
void report_skip(const char *name, const char *why);
/** A line of diagnostics. */
void report_note(const char *fmt, ...) __printf(1, 2);
/** Add "key": value to the JSON. */
void report_number(const char *key, uint64_t value);
void report_text(const char *key, const char *value);
/** Finish; 0 if everything planned ran and passed, else 1. */
int report_end(void);

/* Text that grows; for JSON and tables. */
struct text {
	char *s;
	size_t n, size;
};
void text_add(struct text *, const char *fmt, ...) __printf(2, 3);
/** As a JSON string, quoted. */
void text_add_string(struct text *, const char *s);

/** Print to standard output. */
void say(const char *fmt, ...) __printf(1, 2);

/** Run @p fn(@p arg) in a child; "" or what went wrong. @p fn returns 0 when
 * all is well, after os_exit(1) the message is in host_message. */
const char *run_child(int (*fn)(void *), void *arg, unsigned timeout_ms,
    bool quiet);

#endif
