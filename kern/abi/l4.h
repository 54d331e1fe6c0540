/* SPDX-License-Identifier: MIT */
/*
 * l4.h - what user programs and the kernel share of the L4 design (vm=l4).
 *
 * Encodings follow the L4 X.2 manual.  A flexpage is an aligned part of a
 * space, a power of two in size, with rights in its lowest bits.  Spaces give
 * each other pages by map and grant items in messages; whoever mapped a page
 * may take it back from all that have it from him.  A thread may have a pager:
 * faults that the root pager knows nothing of are sent to it as messages.
 * With another design each call returns -1 with errno ENOSYS.
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

/**
 * @fn int l4_unmap(unsigned long control, uint64_t *fpages)
 * Take pages back from all that have them from the caller.
 *
 * @p control is the number of flexpages less one, and L4_UNMAP_FLUSH if the
 * caller's own mappings shall go too.  The rights of a flexpage are those that
 * are taken; without any, only the history is asked for.
 * @post the rights of each flexpage say what has happened to its pages since
 *	the last time: L4_FPAGE_R referenced, L4_FPAGE_W written
 * @retval EINVAL not a flexpage
 * @retval EFAULT the vector cannot be read or written
 */

/**
 * @fn int l4_ipc(struct l4_ipc *m)
 * Send a message to a thread, then receive one; both, or one of them.
 *
 * Nothing is buffered: a message moves when sender and receiver have met.  With
 * both phases the caller can be answered from the moment on at which its
 * message has been taken.  Only words and items that m->mr[0] counts are moved;
 * strings and pages only if the receiver's acceptor allows them.
 * @post m->from is the sender; m->error is the L4_E_ code and the phase
 * @retval ETIMEDOUT nobody came in time
 * @retval ESRCH there is no such thread
 * @retval EINTR a signal came first
 * @retval EMSGSIZE the message is longer than the receiver accepts
 * @retval EIO memory of one side could not be reached, or was lacking
 * @retval EINVAL a wrong thread or tag
 * @retval EFAULT m cannot be read or written
 * @retval ENOMEM no memory for the message
 */

/**
 * @fn int l4_set_pager(pid_t tid)
 * Name the thread that the calling thread's faults are sent to.
 *
 * L4_NILTHREAD: nobody; then such a fault is a SIGSEGV, as it is when the pager
 * has ended.  The message has the label L4_LABEL_FAULT; a reply with a map item
 * lets the thread try again.
 * @retval EINVAL not a thread id
 */

#endif /* !ABI_L4_H */
