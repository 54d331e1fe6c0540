/* SPDX-License-Identifier: MIT */
/*
 * start.c - from the kernel's initial stack to main; thread-local storage.
 *
 * Path: _start (crt0.S) -> start_c -> main -> exit.
 * The initial stack: argc, argv[], NULL, envp[], NULL, auxv pairs.
 */
#include "libc.h"

#include <abi/auxv.h>
#include <abi/elf.h>

#include "asm.h"

_Static_assert(ASM_SYS_clone == SYS_clone, "asm.h");
_Static_assert(ASM_SYS_exit == SYS_exit, "asm.h");
_Static_assert(ASM_SYS_rt_sigreturn == SYS_rt_sigreturn, "asm.h");

#define TLS_MAIN_SIZE	512	/* of the first thread: no mmap at start-up */

__thread int errno;
char **environ;

static const unsigned long *auxv;
static const Elf64_Phdr *tls_phdr;

unsigned long
getauxval(unsigned long type)
{
	const unsigned long *p;

	for (p = auxv; p[0] != AT_NULL; p += 2) {
		if (p[0] == type)
			return p[1];
	}
	return 0;
}

static size_t
tls_align(void)
{
	return tls_phdr != NULL ? MAX(tls_phdr->p_align, 16) : 16;
}

size_t
tls_size(void)
{
	size_t image = tls_phdr != NULL ? tls_phdr->p_memsz : 0;

	return image + 2 * tls_align() + TLS_BELOW_TP * sizeof(void *);
}

void *
tls_init(void *mem)
{
	uintptr_t align = tls_align();
	uintptr_t start = ((uintptr_t)mem + align - 1) & -align;
	size_t image = tls_phdr != NULL ? tls_phdr->p_memsz : 0;
	void **tp = (void **)start;

	if (TLS_BELOW_TP) {
		tp = (void **)((start + image + align - 1) & -align);
		start = ((uintptr_t)tp - image) & -align;
		*tp = tp;
	}
	if (tls_phdr != NULL) {
		memcpy((void *)start, (const void *)tls_phdr->p_vaddr,
		    tls_phdr->p_filesz);
		memset((char *)start + tls_phdr->p_filesz, 0,
		    image - tls_phdr->p_filesz);
	}
	return tp;
}

static void
tls_start(void)
{
	static char mem[TLS_MAIN_SIZE] __attribute__((aligned(64)));
	const Elf64_Phdr *ph = (const Elf64_Phdr *)getauxval(AT_PHDR);
	unsigned long n = getauxval(AT_PHNUM);

	for (; ph != NULL && n > 0; ph++, n--) {
		if (ph->p_type == PT_TLS)
			tls_phdr = ph;
	}
	if (tls_size() > sizeof(mem))
		__builtin_trap();
	thread_pointer_set(tls_init(mem));
}

void
start_c(long *sp)
{
	int argc = (int)sp[0];
	char **argv = (char **)(sp + 1);
	char **p;

	environ = argv + argc + 1;
	for (p = environ; *p != NULL; p++)
		continue;
	auxv = (const unsigned long *)(p + 1);
	tls_start();
	exit(main(argc, argv, environ));
}

void
exit(int status)
{
	_exit(status);
}

void
abort(void)
{
	raise(SIGABRT);
	signal(SIGABRT, SIG_DFL);
	raise(SIGABRT);
	_exit(127);
}
