/* SPDX-License-Identifier: MIT */
/**
 * @file no_pmap.h
 * Included last by files that must live on the L4 primitives alone.
 *
 * The root pager stands in the kernel only because a call is faster than a
 * message.  From here on the compiler refuses every name of the page-table
 * engine and of the mapping database.
 */
#ifndef VM_L4_NO_PMAP_H
#define VM_L4_NO_PMAP_H

#pragma GCC poison pmap pmap_get pmap_enter pmap_change pmap_clear pmap_remove
#pragma GCC poison pmap_scan pmap_protect pmap_get_pin pmap_trim pmap_split
#pragma GCC poison pmap_fixup pmap_setlink pmap_reserve pmap_leaf pmap_new
#pragma GCC poison pmap_edit pmap_cursor pmap_cursor_change pmap_cursor_clear
#pragma GCC poison mapnode mapdb_tree mapdb_tree_of mapdb_move

#endif
