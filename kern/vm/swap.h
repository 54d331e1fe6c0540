/* SPDX-License-Identifier: MIT */
/**
 * @file swap.h
 * Swap slots, and the swap cache: pages of anonymous memory on their way out
 * and in.
 *
 * A slot is a block of the swap device.  It counts the software words, in any
 * page table, that name it.  A page that has a slot is in the page cache, under
 * swap_object and the slot's number; so all who share it, after fork or MAP2,
 * find the same frame again, and the page cache writes, reads and reclaims it
 * as it does for files.  A slot is free when its count is 0 and no page is in
 * the cache for it.
 * Source: Silvers, UVM: the swap map and the anon layer, 1998, in outline.
 */
#ifndef VM_SWAP_H
#define VM_SWAP_H

#include "vm/object.h"

extern struct vm_object swap_object;

/** Ask the environment for the device. @ctx boot, once @retval ENOMEM */
int __must_check swap_start(void);
/** What a design keeps beside each slot: it sets the size before swap_start,
 * and finds its bytes here, zero at first.  So page-out needs no memory. */
extern size_t swap_note_size;
void *swap_note(uint64_t slot);
/** Slots that exist, and those that software words name. */
size_t swap_total(void);
size_t swap_used(void);

/* ---- for designs; vm_object_lock held ---- */

/**
 * Anonymous page @p pg gets a slot, or the one that it has already; the caller
 * stores one software word with it.  The cache takes a reference of its own.
 * @retval ENOSPC also while the device fails all writes
 */
int __must_check swap_out(struct vm_page *pg, uint64_t *slot);
/** One software word more. */
void swap_hold(uint64_t slot);
/** One word is gone: the last one frees the slot. */
void swap_drop(uint64_t slot);
/** Whether the word that is about to go is all that is left of the page: no
 * other word, no leaf, no kernel access of a former sharer (who would read what
 * is written from now on), nothing on its way to disk. */
bool swap_is_last(uint64_t slot, const struct vm_page *);

/* ---- for vm_check(): the words that are there, counted again ---- */

void swap_check_begin(void);
void swap_check_word(uint64_t slot);
/** @return 0, else prints and EINVAL */
int swap_check_end(void);

#endif
