/* SPDX-License-Identifier: MIT */
/** @file elf.h Programs: checking and loading static ELF64 files. */
#ifndef SYS_ELF_H
#define SYS_ELF_H

#include "abi/elf.h"
#include "proc/file.h"

#define ELF_SEGMENTS_MAX 32

/** A checked program. */
struct elf_image {
	vaddr_t bias;  /* added to the addresses of the file */
	vaddr_t entry; /* with bias, as the next two */
	vaddr_t phdr;  /* program headers in memory; 0: not loaded */
	vaddr_t end;   /* page-aligned end of the highest segment */
	unsigned nphdrs;
	Elf64_Phdr *headers; /* for elf_load(); kmalloc'ed */
};

/** Check headers and segments completely; nothing is mapped.
 * @retval ENOEXEC  @retval ENOMEM  @retval EIO
 * @post elf_close() frees what was allocated */
int __must_check elf_open(struct file *, struct elf_image *);
void elf_close(struct elf_image *);
/** Map and fill the segments in the empty space @p vs.
 * @retval ENOMEM @retval EIO @retval EINTR; the space is partly filled */
int __must_check elf_load(struct file *, const struct elf_image *,
    struct vmspace *);

#endif
