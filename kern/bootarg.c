/* SPDX-License-Identifier: MIT */
/*
 * bootarg.c - the kernel's command line: words of the form key=value.
 */
#include "arch/boot.h"
#include "bootarg.h"
#include "lib/printf.h"
#include "lib/string.h"

/* The next word from *s on, without blanks; NULL: no more. */
static const char *
next_word(const char **s, size_t *len)
{
	const char *word = *s;

	while (*word == ' ')
		word++;
	if (*word == '\0')
		return NULL;
	*s = word;
	while (**s != '\0' && **s != ' ')
		++*s;
	*len = (size_t)(*s - word);
	return word;
}

/* Length of the key if @p word is key=value, else 0. */
static size_t
key_length(const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (word[i] == '=')
			return i;
	return 0;
}

bool
bootarg(const char *key, char *buf, size_t size)
{
	const char *s = boot_info.cmdline, *word;
	size_t len, n = strlen(key);

	while ((word = next_word(&s, &len)) != NULL) {
		if (key_length(word, len) != n || memcmp(word, key, n) != 0)
			continue;
		strlcpy(buf, word + n + 1, MIN(size, len - n));
		return true;
	}
	return false;
}

static bool
parse_number(char *s, uint64_t *out)
{
	static const struct {
		const char *suffix;
		uint64_t factor;
	} units[] = {
		{ "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 },
		{ "k", 1 << 10 }, { "m", 1 << 20 },
	};
	size_t len = strlen(s);
	uint64_t factor = 1;

	for (unsigned i = 0; i < ARRAY_SIZE(units); i++) {
		size_t n = strlen(units[i].suffix);

		if (len > n && strcmp(s + len - n, units[i].suffix) == 0) {
			factor = units[i].factor;
			s[len - n] = '\0';
			break;
		}
	}
	return strtou64(s, out) && !__builtin_mul_overflow(*out, factor, out);
}

uint64_t
bootarg_u64(const char *key, uint64_t dflt)
{
	char text[32], copy[32];
	uint64_t value;

	if (!bootarg(key, text, sizeof(text)))
		return dflt;
	strlcpy(copy, text, sizeof(copy));
	if (parse_number(copy, &value))
		return value;
	kprintf("boot: %s=%s is not a number, using %lu\n", key, text, dflt);
	return dflt;
}

static bool
known(const char *word, size_t keylen)
{
	static const char *const keys[] = { "vm", "init", "tick",
		"tick.jitter", "relax", "fuzz", "failat", "seed", "panic",
		"crash", "root", "swap", "ram1", "tlb.targets", "tlb.deliver",
		"tlb.catchup", "tlb.asidbits" };

	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++)
		if (strlen(keys[i]) == keylen &&
		    memcmp(word, keys[i], keylen) == 0)
			return true;
	return false;
}

unsigned
bootarg_environment(const char **envp, unsigned max, char *buf, size_t size)
{
	const char *s = boot_info.cmdline, *word;
	unsigned n = 0;
	size_t len, keylen;

	while (n + 1 < max && (word = next_word(&s, &len)) != NULL) {
		keylen = key_length(word, len);
		if (keylen == 0 || known(word, keylen) || len + 1 > size)
			continue;
		memcpy(buf, word, len);
		buf[len] = '\0';
		envp[n++] = buf;
		buf += len + 1;
		size -= len + 1;
	}
	envp[n] = NULL;
	return n;
}
