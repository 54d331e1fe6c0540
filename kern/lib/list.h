/* SPDX-License-Identifier: MIT */
/*
 * list.h - circular doubly linked list, links embedded in the element.
 *
 * The head is a link of its own; an empty list points to itself.  No locks:
 * the owner of the list says which lock protects it.
 */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include "lib/types.h"

struct list {
	struct list *next;
	struct list *prev;
};

#define LIST_INIT(name)                     \
	{                                   \
		.next = &(name), .prev = &(name) \
	}

static inline void
list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool
list_empty(const struct list *head)
{
	return head->next == head;
}

static inline void
list_insert_after(struct list *where, struct list *l)
{
	l->prev = where;
	l->next = where->next;
	where->next->prev = l;
	where->next = l;
}

static inline void
list_push_front(struct list *head, struct list *l)
{
	list_insert_after(head, l);
}

static inline void
list_push_back(struct list *head, struct list *l)
{
	list_insert_after(head->prev, l);
}

/** Unlink @p l and leave it as an empty list: removing twice is safe. */
static inline void
list_remove(struct list *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	list_init(l);
}

static inline struct list *
list_pop_front(struct list *head)
{
	struct list *l = head->next;

	if (l == head)
		return NULL;
	list_remove(l);
	return l;
}

#define LIST_ENTRY(l, type, member) container_of(l, type, member)

#define LIST_FOREACH(l, head) \
	for (struct list *l = (head)->next; l != (head); l = l->next)

/** Safe against removal of the element @p l itself. */
#define LIST_FOREACH_SAFE(l, head)                                    \
	for (struct list *l = (head)->next, *l##_next = l->next;      \
	     l != (head); l = l##_next, l##_next = l->next)

#endif
