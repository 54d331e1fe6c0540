/* SPDX-License-Identifier: MIT */
/*
 * l4.h - what user programs and the kernel share of the L4 design (vm=l4).
 *
 * Encodings follow the L4 X.2 manual.
 */
#ifndef ABI_L4_H
#define ABI_L4_H

/* Rights in bits 0-2 of a flexpage; l4_unmap returns in them: referenced,
 * written, executed. */
#define L4_FPAGE_X	 1ul
#define L4_FPAGE_W	 2ul
#define L4_FPAGE_R	 4ul
#define L4_FPAGE_ALL	 (1ul << 4) /* the complete address space */
#define L4_FPAGE_NIL	 0ul
#define L4_FPAGE(base, size_log2, rights)                                  \
	((unsigned long)(base) | (unsigned long)(size_log2) << 4 | (rights))

/* l4_unmap, control word: number of flexpages - 1, and: */
#define L4_UNMAP_FLUSH	 0x40ul	/* from the caller's own space too */
#define L4_UNMAP_MAX	 64

/* Message registers: MR0 is the tag, then u untyped words, then t words of
 * typed items, two each. */
#define L4_MRS		 64
#define L4_TAG(label, u, t)						\
	((unsigned long)(label) << 16 | (unsigned long)(t) << 6 | (u))
#define L4_TAG_U(tag)	 ((unsigned)(tag) & 63)
#define L4_TAG_T(tag)	 ((unsigned)((tag) >> 6) & 63)
#define L4_TAG_LABEL(tag) ((unsigned long)(tag) >> 16)

/* First words of typed items; the second is a flexpage or an address. */
#define L4_ITEM_MAP(send_base)	 (((unsigned long)(send_base) & ~1023ul) | 8)
#define L4_ITEM_GRANT(send_base) (((unsigned long)(send_base) & ~1023ul) | 10)
#define L4_ITEM_STRING(size)	 ((unsigned long)(size) << 10)
#define L4_ITEM_PAGES_LOG2_MAX	 24 /* bytes of one map or grant item */
#define L4_STRING_MAX		 (1ul << 22)

/* Label of a fault message: MR1 is the address, MR2 the instruction pointer.
 * The thread waits for a reply, and tries again. */
#define L4_LABEL_FAULT(rwx)	 ((-2ul << 4 | (rwx)) & 0xfffffffffffful)

#define L4_NILTHREAD	 0
#define L4_ANYTHREAD	 (-1)

/* Timeouts: never, at once, or m * 2^e microseconds. */
#define L4_NEVER	 0u
#define L4_ZERO_TIME	 0x400u
#define L4_PERIOD(m, e)	 ((unsigned)(e) << 10 | (m))

/* l4_ipc.error = code << 1 | phase (0 send, 1 receive). */
#define L4_E_TIMEOUT	 1
#define L4_E_NO_PARTNER	 2
#define L4_E_CANCELLED	 3
#define L4_E_OVERFLOW	 4
#define L4_E_ABORTED	 7

#ifndef __ASSEMBLER__
#include <stdint.h>

/** One IPC: send to a thread, then receive; both, or one of them. */
struct l4_ipc {
	int32_t		to;		/* thread id, or L4_NILTHREAD */
	int32_t		from;		/* likewise, or any; out: the sender */
	uint16_t	send_timeout;
	uint16_t	receive_timeout;
	uint32_t	error;		/* out */
	uint64_t	acceptor;	/* bit 0 strings; from bit 4 a window */
	uint64_t	string;		/* where strings go */
	uint64_t	string_size;	/* room there; out: bytes received */
	uint64_t	mr[L4_MRS];
};
#endif /* !__ASSEMBLER__ */

#endif /* !ABI_L4_H */
