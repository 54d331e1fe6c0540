/* SPDX-License-Identifier: MIT */
/** @file id.h The one table of thread and process ids. */
#ifndef PROC_ID_H
#define PROC_ID_H

#include "proc/proc.h"

/** Ids that can be in use at once; the table has a few more slots. */
#define ID_LIMIT 2000

/** A free id for @p t, and for @p p if not NULL; 0: all are in use.
 * @locks proc_tree_lock held, as for all of these */
int id_alloc(struct thread *t, struct proc *p);
/** @p t and @p p (NULL: nothing) no longer have the id. */
void id_release(int id, struct thread *t, struct proc *p);
/** exec by another thread than the first: it takes the pid over. */
void id_take_pid(struct thread *t, int pid);
/** NULL: none has it. The process may be a zombie. */
struct thread *id_thread(int id);
struct proc *id_proc(int id);

#endif
