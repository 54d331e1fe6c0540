/* SPDX-License-Identifier: MIT */
/*
 * fdt.c - reader for flattened device trees.
 *
 * The structure block is a stream of big-endian tokens.  All access to it goes
 * through word(), which answers END for anything outside of the block.
 */
#include "fdt.h"

#include "lib/string.h"

#define FDT_MAGIC      0xd00dfeedu
#define FDT_HEADER     40
#define FDT_SIZE_MAX   (1u << 20)
#define FDT_BEGIN_NODE 1
#define FDT_END_NODE   2
#define FDT_PROP       3
#define FDT_NOP	       4
#define FDT_END	       9

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static uint32_t
word(const struct fdt *f, uint32_t at)
{
	if (at < f->struct_at || at > f->struct_end - 4)
		return FDT_END;
	return be32(f->base + at);
}

/* A block inside the blob and not absurd; sizes are below 2^20, so that sums of
 * two offsets never wrap. */
static bool
block_ok(uint32_t at, uint32_t size, uint32_t total)
{
	return at >= FDT_HEADER && at % 4 == 0 && at <= total &&
	    size <= total - at;
}

void
fdt_open(struct fdt *f, const void *blob)
{
	const uint8_t *b = blob;
	uint32_t total = be32(b + 4);

	*f = (struct fdt){ .base = b };
	f->struct_at = be32(b + 8);
	f->strings_at = be32(b + 12);
	f->rsvmap_at = be32(b + 16);
	f->struct_end = f->struct_at + be32(b + 36);
	f->strings_end = f->strings_at + be32(b + 32);
	if (be32(b) != FDT_MAGIC)
		f->error = "no magic number";
	else if (total < FDT_HEADER || total > FDT_SIZE_MAX)
		f->error = "absurd size";
	else if (be32(b + 24) > 17)
		f->error = "unknown version";
	else if (!block_ok(f->struct_at, be32(b + 36), total) ||
	    be32(b + 36) < 8 || !block_ok(f->rsvmap_at, 16, total) ||
	    f->strings_at > total || be32(b + 32) > total - f->strings_at)
		f->error = "block outside of the tree";
	fdt_rewind(f);
}

void
fdt_rewind(struct fdt *f)
{
	f->next = f->struct_at;
	f->depth = -1;
	f->name = "";
}

/* Length of the string at @p at including its NUL; 0: none before @p end. */
static uint32_t
string_size(const struct fdt *f, uint32_t at, uint32_t end)
{
	size_t n;

	if (at >= end)
		return 0;
	n = strnlen((const char *)f->base + at, end - at);
	return n == end - at ? 0 : (uint32_t)n + 1;
}

/* Token after the property at @p at; 0: it sticks out of the block. */
static uint32_t
after_prop(const struct fdt *f, uint32_t at)
{
	uint32_t size = word(f, at + 4);

	if (at + 12 > f->struct_end || size > f->struct_end - at - 12)
		return 0;
	return ROUND_UP(at + 12 + size, 4);
}

static bool
walk_error(struct fdt *f, const char *what)
{
	f->error = what;
	return false;
}

/* @p at is the BEGIN_NODE token. */
static bool
enter_node(struct fdt *f, uint32_t at)
{
	uint32_t n = string_size(f, at + 4, f->struct_end);

	if (n == 0)
		return walk_error(f, "node name does not end");
	if (++f->depth >= FDT_DEPTH)
		return walk_error(f, "nodes too deep");
	f->name = f->path[f->depth] = (const char *)f->base + at + 4;
	f->props = at = ROUND_UP(at + 4 + n, 4);
	while (word(f, at) == FDT_PROP || word(f, at) == FDT_NOP) {
		at = word(f, at) == FDT_NOP ? at + 4 : after_prop(f, at);
		if (at == 0)
			return walk_error(f, "property too long");
	}
	f->next = at;
	f->acells[f->depth] = fdt_u32(f, "#address-cells", 2);
	f->scells[f->depth] = fdt_u32(f, "#size-cells", 1);
	return true;
}

bool
fdt_next(struct fdt *f)
{
	if (f->error != NULL)
		return false;
	for (;;) {
		switch (word(f, f->next)) {
		case FDT_BEGIN_NODE:
			return enter_node(f, f->next);
		case FDT_END_NODE:
			if (--f->depth < -1)
				return walk_error(f, "too many node ends");
			f->next += 4;
			break;
		case FDT_NOP:
			f->next += 4;
			break;
		case FDT_END:
			if (f->depth != -1)
				return walk_error(f, "tree ends too early");
			return false;
		default:
			return walk_error(f, "unknown token");
		}
	}
}

const uint8_t *
fdt_prop(const struct fdt *f, const char *name, uint32_t *size)
{
	uint32_t at = f->props;

	while (at != 0 && at < f->next) {
		uint32_t string;

		if (word(f, at) == FDT_NOP) {
			at += 4;
			continue;
		}
		string = word(f, at + 8);
		if (string < f->strings_end - f->strings_at &&
		    string_size(f, f->strings_at + string, f->strings_end) &&
		    strcmp((const char *)f->base + f->strings_at + string,
			name) == 0) {
			*size = word(f, at + 4);
			return f->base + at + 12;
		}
		at = after_prop(f, at);
	}
	return NULL;
}

const char *
fdt_string(const struct fdt *f, const char *name)
{
	uint32_t size;
	const uint8_t *p = fdt_prop(f, name, &size);

	if (p == NULL || size == 0 || p[size - 1] != 0)
		return NULL;
	return (const char *)p;
}

uint32_t
fdt_u32(const struct fdt *f, const char *name, uint32_t dflt)
{
	uint32_t size;
	const uint8_t *p = fdt_prop(f, name, &size);

	return p != NULL && size >= 4 ? be32(p) : dflt;
}

uint64_t
fdt_cells(const uint8_t *p, unsigned ncells)
{
	return ncells == 1 ? be32(p) : (uint64_t)be32(p) << 32 | be32(p + 4);
}

bool
fdt_compatible(const struct fdt *f, const char *name)
{
	uint32_t size, n;
	const char *p = fdt_string(f, "compatible");

	if (p == NULL)
		return false;
	fdt_prop(f, "compatible", &size);
	for (; size > 0; p += n, size -= n) {
		if (strcmp(p, name) == 0)
			return true;
		n = (uint32_t)strlen(p) + 1;
	}
	return false;
}

bool
fdt_reg(const struct fdt *f, unsigned i, uint64_t *start, uint64_t *size)
{
	uint32_t bytes, ac, sc;
	const uint8_t *p = fdt_prop(f, "reg", &bytes);

	if (p == NULL || f->depth < 1)
		return false;
	ac = f->acells[f->depth - 1];
	sc = f->scells[f->depth - 1];
	if (ac < 1 || ac > 2 || sc > 2 || bytes / (4 * (ac + sc)) <= i)
		return false;
	p += 4 * (ac + sc) * i;
	*start = fdt_cells(p, ac);
	*size = sc == 0 ? 0 : fdt_cells(p + 4 * ac, sc);
	return true;
}

bool
fdt_reservation(struct fdt *f, unsigned i, uint64_t *start, uint64_t *size)
{
	const uint8_t *p = f->base + f->rsvmap_at + 16 * i;

	if (f->error != NULL || i >= FDT_SIZE_MAX / 16 ||
	    f->rsvmap_at + 16 * i + 16 > be32(f->base + 4))
		return false;
	*start = fdt_cells(p, 2);
	*size = fdt_cells(p + 8, 2);
	return *start != 0 || *size != 0;
}
