/* SPDX-License-Identifier: MIT */
/*
 * pager.h - what the pagers of this folder share: messages in short.
 *
 * A client is a process that has named its pager with l4_set_pager().  Where
 * nothing of its own is, each fault becomes a message to the pager; a reply
 * with a map item resumes it.
 */
#ifndef USER_L4_PAGER_H
#define USER_L4_PAGER_H

#include <user.h>

#include <abi/l4.h>

/* Clients have nothing here, so that every touch is a fault message. */
#define HEAP	((char *)0x1000000000)
#define RIGHTS	(L4_FPAGE_R | L4_FPAGE_W)

/** End with a message unless @p good. */
void	must(bool good, const char *what);
/** End, saying so, where another design was booted. */
void	need_l4(void);

/** The next message from @p from, or anybody: m->from says who. */
void	await(struct l4_ipc *m, pid_t from);
bool	is_fault(const struct l4_ipc *m);
/** Page of the address in a fault message. */
char	*fault_page(const struct l4_ipc *m);
/** Answer a fault: our page @p page to @p va of the client.  False: it does
 * not wait for us any more. */
bool	give(pid_t client, char *page, char *va, unsigned long rights);
/** Take our page from everybody who has it from us. @return whether one of
 * them has written it */
bool	take_back(char *page);

/** One word to @p to, and the word that it answers. */
uint64_t call(pid_t to, uint64_t word);
/** Answer a call. */
void	reply(pid_t to, uint64_t word);

/** fork(); the child runs @p fn and ends with its result. */
pid_t	spawn(int (*fn)(void));
/** Wait for a child. @return its exit status, or 128 + signal */
int	reap(pid_t pid);

#endif
