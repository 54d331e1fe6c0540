/* SPDX-License-Identifier: MIT */
/**
 * @file object.h
 * The page cache: pages of files and devices, by object and index.
 *
 * read, write and file mappings of every design share these pages.  A file
 * system embeds a struct vm_object in its inode and moves contents to and from
 * the disk; a design maps what it finds here.  A page in the cache has one
 * reference of the cache; leaves, users and pins have theirs.
 *
 * A page is BUSY while somebody fills or changes it through the cache, and in
 * WRITEBACK while it is on its way out.  It is MODIFIED from its change on
 * until it is taken for writing.  A leaf of a shared mapping may be writable
 * only while its page is MODIFIED: the first store faults, and cleaning takes W
 * back.  All this is guarded by vm_object_lock.
 * Source: Gingell, Moran, Shannon, Virtual Memory Architecture in SunOS, 1987.
 */
#ifndef VM_OBJECT_H
#define VM_OBJECT_H

#include "mem/frame.h"
#include "sync/spinlock.h"
#include "vm/prot.h"

struct vm_object;
struct vm_txn;

#define VM_OBJECT_BATCH 16 /* pages of one call of the write slot */

struct vm_object_ops {
	/** Of the owner; drop never sleeps. @ctx any lock */
	void (*hold)(struct vm_object *);
	void (*drop)(struct vm_object *);
	/** Keep the object's size and places on disk as they are (@p write: to
	 * change them) while a fault fills a page. */
	void (*enter)(struct vm_object *, bool write);
	void (*leave)(struct vm_object *, bool write);
	/** Fill a BUSY page; sets PG_HOLE when it has no place on disk.
	 * @retval EIO @retval ENOMEM */
	int (*read)(struct vm_object *, struct vm_page *);
	/** Give a BUSY page with PG_HOLE a place and clear the flag.
	 * @retval ENOSPC @retval EIO */
	int (*back)(struct vm_object *, struct vm_page *);
	/** Store pages that stay as they are meanwhile. @retval EIO */
	int (*write)(struct vm_object *, struct vm_page *const *, unsigned n);
	/** Everything reaches the disk (msync). @pre may sleep @retval EIO */
	int (*sync)(struct vm_object *);
};

/** Letters: I immutable, o vm_object_lock. */
struct vm_object {
	const struct vm_object_ops *ops; /* [I] */
	uint64_t npages;	/* [o] there are no pages beyond: SIGBUS */
	struct list clean, modified; /* [o] its pages */
	struct list mappings;	/* [o] of the design: who maps it */
	uint32_t nmodified;	/* [o] */
	uint32_t nwriteback;	/* [o] */
	int error;		/* [o] of a write that nobody was told of */
};

/** RANK_PAGEQ; page tables are locked below it. */
extern struct spinlock vm_object_lock;

/** @ctx boot, after frame_init and kmem_init @retval ENOMEM */
int __must_check vm_object_start(void);
void vm_object_init(struct vm_object *, const struct vm_object_ops *);

/** A page that a fault needs; object has a reference. */
struct vm_fill {
	struct vm_object *object;
	uint64_t index;
	bool write; /* a shared mapping is about to store */
};

enum vm_object_how {
	OBJ_READ, /* valid, and not being changed at the moment */
	OBJ_LOCK, /* valid, and BUSY until vm_object_put() */
	OBJ_NEW,  /* as LOCK, but not read from disk: zero if it is new */
};
/** The page at @p index with a reference. @pre may sleep
 * @retval ENOMEM @retval EIO */
int __must_check vm_object_get(struct vm_object *, uint64_t index,
    enum vm_object_how, struct vm_page **out);
/** End of LOCK and NEW, with the reference; @p modified: it was changed. */
void vm_object_put(struct vm_page *, bool modified);
/** Change the size. Shrinking takes the pages out of the cache and out of all
 * mappings, modified or not. @pre may sleep, nobody adds pages meanwhile */
void vm_object_resize(struct vm_object *, uint64_t npages);
/** Take one page out of the cache, unsaved. @pre nobody maps it */
void vm_object_forget(struct vm_object *, uint64_t index);
/** Take all pages out, if none is in use or unsaved; never sleeps. */
bool vm_object_purge(struct vm_object *);
/** Take up to @p want pages out that are clean and that nobody has, those first
 * that were saved first. @return how many */
size_t vm_object_shed(struct vm_object *, size_t want);
/** Write what is modified now, and wait for it. */
void vm_object_flush(struct vm_object *);
/** What went wrong with writing since the last call, or 0. */
int vm_object_error(struct vm_object *);

/* ---- for designs and swap, vm_object_lock held ---- */

/** @p pg, of anonymous memory so far, enters the cache as a modified page; the
 * cache takes a reference. @pre nothing is at @p index */
void vm_object_adopt(struct vm_object *, uint64_t index, struct vm_page *pg);
/** Take a page out, unsaved, if it is not BUSY or in WRITEBACK.
 * @return whether nothing is there any more */
bool vm_object_discard(struct vm_object *, uint64_t index);
struct vm_page *vm_object_find(const struct vm_object *, uint64_t index);
/** There is no (backed) page, or it is BUSY: make the slot return VM_WAIT for
 * it.  @p write: a shared mapping is about to store. */
int vm_object_wait(struct vm_object *, uint64_t index, bool write,
    struct vm_txn *);
/** A writable leaf of a shared mapping was entered. */
void vm_object_modify(struct vm_page *);
/** Before it is entered.
 * @return false: too much is unsaved, txn waits for the daemon */
bool vm_object_may_modify(const struct vm_page *, struct vm_txn *);

/* ---- for fault.c ---- */

/** Do what vm_object_wait() noted; the page stays until vm_object_done(). */
int __must_check vm_object_fill(struct vm_txn *);
/** Also for the slot that sees the page in the cache. @ctx any lock */
void vm_object_done(struct vm_txn *);

/* ---- the daemon, limits, counts ---- */

/** Woken when something is modified first, and again when it is much. */
extern struct waitq vm_object_daemon_wq;
/** Unsaved pages; half of the limit, from which on the daemon hurries. */
size_t vm_object_unsaved(void);
bool vm_object_many_unsaved(void);
/** Writers wait here until the daemon has caught up. @pre no lock held */
void vm_object_throttle(void);
/** Pages in the cache; all count as free memory but for the unsaved. */
size_t vm_object_cached(void);
/** One call a cached page (global check of references). */
void vm_object_count_refs(void (*count)(struct vm_page *, void *), void *arg);

#endif
