/* SPDX-License-Identifier: MIT */
/*
 * l4_transfer.c - the contents of a message: words, strings, map and grant.
 *
 * Path: l4_ipc.c -> HERE -> l4_map.
 * Locks: none; the parties are at rest until their states change.  The gather
 *	is flushed before the message counts as delivered.
 */
#include "abi/errno.h"
#include "ipc/l4_ipc.h"
#include "lib/string.h"
#include "vm/l4/fpage.h"
#include "vm/l4/l4.h"

/* Page by page; what the sender does not have is left out. */
static unsigned
map_pages(struct l4_map *m, size_t size, struct tlb_gather *tg)
{
	for (vaddr_t end = m->src + size; m->src < end;
	     m->src += PAGE_SIZE, m->dst += PAGE_SIZE) {
		int error = l4_map(m, tg);

		while (error == EAGAIN) {
			tlb_gather_flush(tg);
			error = l4_map(m, tg);
		}
		if (error == ENOMEM || error == EMLINK)
			return L4_E_ABORTED;
	}
	return 0;
}

static unsigned
map_item(const struct l4_party *s, const struct l4_party *r,
    const uint64_t *item)
{
	uint64_t window = r->m->acceptor & ~(uint64_t)0xf;
	struct l4_map m = { .from = s->space, .to = r->space,
		.how = item[0] & 2 ? L4_GRANT : L4_MAP };
	struct fpage_match match;
	struct tlb_gather tg;
	unsigned code;

	if (fpage_is_nil(item[1]))
		return 0;
	if (fpage_select(item[1], item[0] & ~(uint64_t)1023, window,
		&match) != 0 ||
	    match.size_log2 > L4_ITEM_PAGES_LOG2_MAX)
		return L4_E_OVERFLOW;
	m.src = match.src;
	m.dst = match.dst;
	m.rights = fpage_prot(item[1]);
	/* The complete space is larger than what user mappings may use. */
	if (m.dst < USER_MIN || m.dst >= USER_MAX ||
	    ((vaddr_t)1 << match.size_log2) > USER_MAX - m.dst)
		return L4_E_OVERFLOW;
	tlb_gather_init(&tg);
	code = map_pages(&m, (size_t)1 << match.size_log2, &tg);
	tlb_gather_flush(&tg);
	return code;
}

static unsigned
string_item(const struct l4_party *s, const struct l4_party *r,
    const uint64_t *item, size_t *done)
{
	size_t size = item[0] >> 10;
	char piece[256];

	if (!(r->m->acceptor & 1) || size > L4_STRING_MAX ||
	    size > r->m->string_size - *done)
		return L4_E_OVERFLOW;
	for (size_t at = 0, n; at < size; at += n, *done += n) {
		n = MIN(size - at, sizeof(piece));
		if (copyin(s->space, piece, item[1] + at, n) != 0 ||
		    copyout(r->space, r->m->string + *done, piece, n) != 0)
			return L4_E_ABORTED;
	}
	return 0;
}

unsigned
l4_transfer(const struct l4_party *s, const struct l4_party *r)
{
	uint64_t tag = s->m->mr[0];
	unsigned u = L4_TAG_U(tag), n = 1 + u + L4_TAG_T(tag), code = 0;
	size_t done = 0;

	memcpy(r->m->mr, s->m->mr, n * sizeof(s->m->mr[0]));
	r->m->from = s->tid;
	for (unsigned i = 1 + u; code == 0 && i + 1 < n; i += 2) {
		const uint64_t *item = &s->m->mr[i];

		if (item[0] & 8)
			code = map_item(s, r, item);
		else
			code = string_item(s, r, item, &done);
	}
	r->m->string_size = done;
	return code;
}
