/* SPDX-License-Identifier: MIT */
/*
 * elf.c - check and load static ELF64 programs (ET_EXEC and static-pie).
 *
 * Path: exec.c -> elf_open (nothing changes) -> elf_load (into a new space).
 * Whatever a file says is checked before it is used: each addition is done on
 * values whose range is known.  Text is a private mapping of the file, data are
 * copied into anonymous memory.
 */
#include "sys/elf.h"

#include "abi/errno.h"
#include "fs/vfs.h"
#include "lib/string.h"
#include "mem/kmem.h"

/* Enough for the header and the program headers of an ordinary program. */
#define HEAD_SIZE 512
/* Where a position-independent program goes. */
#define PIE_BASE  ((vaddr_t)0x2000000000)

static bool
header_ok(const Elf64_Ehdr *h)
{
	return memcmp(h->e_ident, ELFMAG, SELFMAG) == 0 &&
	    h->e_ident[EI_CLASS] == ELFCLASS64 &&
	    h->e_ident[EI_DATA] == ELFDATA2LSB &&
	    h->e_ident[EI_VERSION] == EV_CURRENT &&
	    h->e_version == EV_CURRENT && h->e_machine == EM_NATIVE &&
	    (h->e_type == ET_EXEC || h->e_type == ET_DYN) &&
	    h->e_phentsize == sizeof(Elf64_Phdr) && h->e_phnum > 0 &&
	    h->e_phnum <= ELF_SEGMENTS_MAX;
}

/* Address and file range of a segment, each on its own. */
static bool
segment_ok(const Elf64_Phdr *p, uint64_t file_size, vaddr_t bias)
{
	vaddr_t va = p->p_vaddr + bias;

	if (p->p_vaddr >= USER_MAX || va < USER_MIN || va >= USER_MAX)
		return false;
	if (p->p_memsz == 0 || p->p_memsz > USER_MAX - va)
		return false;
	if (p->p_filesz > p->p_memsz || p->p_offset > file_size ||
	    p->p_filesz > file_size - p->p_offset)
		return false;
	if ((p->p_flags & PF_W) && (p->p_flags & PF_X))
		return false;
	return ((p->p_vaddr ^ p->p_offset) & PAGE_MASK) == 0;
}

static bool
covers(const Elf64_Phdr *p, uint64_t at, uint64_t start, uint64_t size)
{
	return at >= start && at - start < size;
}

/* All segments: ascending, no page in two of them. Fills in the image. */
static int
check_segments(const Elf64_Ehdr *h, uint64_t file_size, struct elf_image *im)
{
	vaddr_t end = 0;
	bool entry_found = false;

	for (unsigned i = 0; i < im->nphdrs; i++) {
		const Elf64_Phdr *p = &im->headers[i];

		if (p->p_type == PT_INTERP)
			return ENOEXEC; /* there is no dynamic linker */
		if (p->p_type != PT_LOAD)
			continue;
		if (!segment_ok(p, file_size, im->bias) ||
		    ROUND_DOWN(p->p_vaddr + im->bias, PAGE_SIZE) < end)
			return ENOEXEC;
		end = ROUND_UP(p->p_vaddr + im->bias + p->p_memsz, PAGE_SIZE);
		if ((p->p_flags & PF_X) &&
		    covers(p, h->e_entry, p->p_vaddr, p->p_memsz))
			entry_found = true;
		if (covers(p, h->e_phoff, p->p_offset, p->p_filesz))
			im->phdr = p->p_vaddr + (h->e_phoff - p->p_offset) +
			    im->bias;
	}
	im->end = end;
	im->entry = h->e_entry + im->bias;
	return entry_found ? 0 : ENOEXEC;
}

/* The program headers: from the head if they are there, else read again. */
static int
read_headers(struct file *f, const char *head, size_t n, struct elf_image *im)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)(const void *)head;
	size_t size = h->e_phnum * sizeof(Elf64_Phdr);
	long got;

	im->headers = kmalloc(size);
	if (im->headers == NULL)
		return ENOMEM;
	im->nphdrs = h->e_phnum;
	if (h->e_phoff <= n && size <= n - h->e_phoff) {
		memcpy(im->headers, head + h->e_phoff, size);
		return 0;
	}
	if (h->e_phoff > INT64_MAX - size)
		return ENOEXEC;
	got = file_read_kernel(f, im->headers, size, h->e_phoff);
	if (got < 0)
		return (int)-got;
	return (size_t)got == size ? 0 : ENOEXEC;
}

int
elf_open(struct file *f, struct elf_image *im)
{
	char *head = kmalloc(HEAD_SIZE);
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)(void *)head;
	int error = 0;
	long n;

	memset(im, 0, sizeof(*im));
	if (head == NULL)
		return ENOMEM;
	n = file_read_kernel(f, head, HEAD_SIZE, 0);
	if (n < 0)
		error = (int)-n;
	else if ((size_t)n < sizeof(*h) || !header_ok(h))
		error = ENOEXEC;
	if (error != 0)
		goto out;
	im->bias = h->e_type == ET_DYN ? PIE_BASE : 0;
	error = read_headers(f, head, (size_t)n, im);
	if (error == 0)
		error = check_segments(h, f->ops->size(f), im);
	if (error != 0)
		elf_close(im);
out:
	kfree(head, HEAD_SIZE);
	return error;
}

void
elf_close(struct elf_image *im)
{
	if (im->headers != NULL)
		kfree(im->headers, im->nphdrs * sizeof(Elf64_Phdr));
	im->headers = NULL;
}

static vm_prot_t
rights(unsigned flags)
{
	return (flags & PF_R ? VM_PROT_READ : 0) |
	    (flags & PF_W ? VM_PROT_WRITE : 0) |
	    (flags & PF_X ? VM_PROT_EXECUTE : 0);
}

/* What nobody may write comes from the page cache, shared by all processes of
 * the program; what is written anyway is copied at once. */
static int
load_segment(struct file *f, const Elf64_Phdr *p, vaddr_t bias,
    struct vmspace *vs)
{
	vaddr_t va = p->p_vaddr + bias, start = ROUND_DOWN(va, PAGE_SIZE);
	bool copy = (p->p_flags & PF_W) || p->p_memsz > p->p_filesz;
	vm_prot_t prot = rights(p->p_flags);
	struct vm_mapreq rq = {
		.va = start,
		.size = ROUND_UP(va + p->p_memsz, PAGE_SIZE) - start,
		.prot = copy ? VM_PROT_READ | VM_PROT_WRITE : prot,
		.maxprot = VM_PROT_ALL,
		.flags = VM_MAP_FIXED | VM_MAP_NOREPLACE,
		.source = copy ? VM_ANON : VM_FILE,
		.object = f->inode->ops->edit->object(f->inode),
		.offset = ROUND_DOWN(p->p_offset, PAGE_SIZE),
	};
	uint64_t pos = p->p_offset;
	int error = rq.object != NULL ? vm_map(vs, &rq, &start) : ENOEXEC;
	long n = 0;

	if (error == 0 && copy && p->p_filesz > 0)
		n = file_read(f, vs, va, p->p_filesz, &pos);
	if (error == 0 && n < 0)
		error = (int)-n;
	else if (error == 0 && copy && (uint64_t)n != p->p_filesz)
		error = EIO; /* the file shrank, or memory ran out */
	if (error == 0 && copy && prot != rq.prot)
		error = vm_protect(vs, start, rq.size, prot);
	return error;
}

int
elf_load(struct file *f, const struct elf_image *im, struct vmspace *vs)
{
	for (unsigned i = 0; i < im->nphdrs; i++) {
		const Elf64_Phdr *p = &im->headers[i];
		int error = 0;

		if (p->p_type == PT_LOAD)
			error = load_segment(f, p, im->bias, vs);
		if (error != 0)
			return error;
	}
	return 0;
}
