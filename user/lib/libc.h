/* SPDX-License-Identifier: MIT */
/*
 * libc.h - what the library's own files share.
 */
#ifndef LIBC_H
#define LIBC_H

#include <user.h>

/** Turn a raw result into errno style. */
static inline long
sysret(long r)
{
	if ((unsigned long)r < -4095ul)
		return r;
	errno = (int)-r;
	return -1;
}

/* The program's; it may take fewer arguments. */
int	main(int argc, char **argv, char **envp);
void	start_c(long *sp) noreturn;
long	clone_raw(int (*fn)(void *), void *stack, int flags, void *arg,
	    int *ptid, void *tls, int *ctid);
void	sigreturn_restorer(void);

/** Bytes that tls_init needs, alignment included. */
size_t	tls_size(void);
/** Lay a fresh TLS block out at @p mem; returns the thread pointer. */
void	*tls_init(void *mem);

#endif /* LIBC_H */
